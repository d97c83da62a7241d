/* Any bytes as screening rules: refused and nothing kept, or rules that are written as text
 * which is read as the same text. */
#include "screen/rule.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void written(const struct rules *r, struct buf *out)
{
    buf_init(out, 16 * RULES_FILE_MAX);
    rules_write(r, out);
    if (out->err)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rules r, again;
    struct fault f = {0};
    struct buf text, twice;
    rules_init(&r);
    rules_init(&again);
    if (rules_parse(&r, "f", bytes_over(data, size), &f)) {
        if (r.count || !f.text[0])
            abort();
        return 0;
    }
    written(&r, &text);
    if (rules_parse(&again, "f", bytes_over(text.data, text.len), &f))
        abort();
    written(&again, &twice);
    if (text.len != twice.len || memcmp(text.data, twice.data, text.len) != 0)
        abort();
    buf_done(&text);
    buf_done(&twice);
    rules_done(&r);
    rules_done(&again);
    return 0;
}
