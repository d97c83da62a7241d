/* Every line is a row or is refused with a column; a row's numbers are within their ranges. */
#include "evaluate/nict.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_over(data, size);
    while (in.left) {
        const uint8_t *end = memchr(in.at, '\n', in.left);
        struct bytes line = bytes_take(&in, end ? (size_t)(end - in.at) : in.left);
        bytes_skip(&in, end ? 1 : 0);
        struct nict_row row;
        struct fault f = {0};
        enum err e = nict_row_parse(line, &row, &f);
        if (e ? e != ERR_BAD || strncmp(f.text, "column ", 7) != 0 : row.time < 0)
            abort();
        if (!e) {
            struct ip ip = nict_source(&row);
            if (ip.byte[0] != 0xfd)
                abort();
        }
    }
    return 0;
}
