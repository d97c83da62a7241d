/* A message of a site and a word of the hub. */
#include "fuzz.h"

#include "bus/envelope.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envelope e;
    struct commitment c, back;
    struct buf out;
    buf_init(&out, ENVELOPE_HEADER + SPOOL_ENTRY_MAX + 1);
    if (envelope_read(bytes_over(data, size), &e) == OK) {
        assert(e.number && e.previous < e.number);
        envelope_write(&e, &out);
        assert(out.len == size && memcmp(out.data, data, ENVELOPE_HEADER) == 0);
        buf_clear(&out);
    }
    if (commitment_read(bytes_over(data, size), &c) == OK) {
        commitment_write(&c, &out);
        assert(commitment_read(bytes_over(out.data, out.len), &back) == OK);
        assert(back.spool == c.spool && back.committed == c.committed && back.want == c.want);
    }
    buf_done(&out);
    return 0;
}
