/* Labels of sources as CSV: refused and nothing kept, or sorted sources that are found. */
#include "screen/mark.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct marks m;
    struct fault f;
    marks_init(&m);
    enum err e = marks_read(&m, "f", bytes_over(data, size), &f);
    if (e && (m.count || m.label_count))
        abort();
    for (size_t i = 0; i < m.count; i++)
        if (marks_find(&m, &m.list[i].ip) != m.list[i].label ||
            m.list[i].label >= m.label_count)
            abort();
    marks_done(&m);
    return 0;
}
