/* Logs, by the first byte as one of the forms: nothing of a column without a known name comes
 * out, and what comes out is lines. */
#include "anon/log.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void lines_pass(struct anon_log *l, struct bytes in)
{
    struct buf out;
    struct fault f;
    buf_init(&out, 1 << 22);
    while (in.left) {
        const uint8_t *end = memchr(in.at, '\n', in.left);
        struct bytes line = bytes_take(&in, end ? (size_t)(end - in.at) : in.left);
        bytes_skip(&in, end ? 1 : 0);
        if (anon_log_line(l, line, &out, &f) != OK)
            break;
        if (out.len && out.data[out.len - 1] != '\n')
            abort();
    }
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[ANON_SECRET] = "for the fuzzer";
    struct anon_policy p;
    struct anon_keys *keys;
    struct anon *a;
    struct anon_log *l;
    if (!size || anon_keys_from(&keys, secret) != OK)
        return 0;
    anon_policy_default(&p);
    p.epoch = 0;
    p.rule[ANON_SOURCE].method = ANON_HASH;
    p.rule[ANON_DNS].method = data[0] & 4 ? ANON_DOMAIN : ANON_HASH;
    if (anon_new(&a, &p, keys, 0) != OK || anon_log_new(&l, a, data[0] & 3) != OK)
        abort();
    lines_pass(l, bytes_over(data + 1, size - 1));
    anon_log_free(l);
    anon_free(a);
    anon_keys_close(keys);
    return 0;
}
