/* A file of a spool: entries are whole, in order, and inside the file. */
#include "fuzz.h"

#include "bus/spool.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = bytes_over(data, size);
    struct spool_entry e;
    uint64_t id, first;
    if (segment_parse(&b, &id, &first) != OK)
        b = bytes_over(data, size);
    for (;;) {
        const uint8_t *at = b.at;
        if (entry_parse(&b, &e) != OK) {
            assert(b.at == at);
            break;
        }
        assert(e.number > 0 && e.data.left <= SPOOL_ENTRY_MAX);
        assert(e.data.at >= data && e.data.at + e.data.left <= data + size);
        assert(b.at == e.data.at + e.data.left);
    }
    return 0;
}
