/* Frames of any link type under several policies: what comes out is within its bounds, and is
 * an IP packet that the decoder takes. */
#include "anon/frame.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static const char *const documents[] = {
    "{\"payload\": \"keep\", \"epoch\": \"never\"}",
    "{\"source\": \"prefix\", \"payload\": \"drop\", \"epoch\": \"never\"}",
    "{\"source\": \"hash\", \"payload\": \"hash\", \"dns\": \"domain\", \"epoch\": \"never\"}",
    "{\"destination\": \"drop\", \"payload\": \"length\", \"epoch\": \"never\"}",
};

static const uint32_t links[] = {LINK_ETHERNET, LINK_RAW, LINK_SLL, LINK_SLL2, LINK_NULL};

static void change(struct anon *a, const struct anon_captured *in)
{
    struct anon_frame out = {.data = malloc(ANON_FRAME_ROOM)};
    enum anon_frame_result result;
    struct fault f;
    struct packet p;
    if (!out.data || anon_frame(a, in, &out, &result, &f) != OK)
        abort();
    if (result == ANON_FRAME_WRITTEN) {
        if (out.len > out.wire_len || out.len > ANON_FRAME_ROOM)
            abort();
        if (decode_packet(LINK_RAW, bytes_over(out.data, out.len), out.wire_len, &p) !=
            DECODE_OK)
            abort();
    }
    free(out.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[ANON_SECRET] = "for the fuzzer";
    if (size < 2 || size > FRAME_BYTES_MAX)
        return 0;
    struct anon_policy p;
    struct anon_keys *keys;
    struct anon *a;
    struct fault f;
    const char *document = documents[data[0] & 3];
    const struct anon_captured in = {.link = links[(data[0] >> 2) % 5],
        .wire_len = (uint32_t)size - 1 + data[1],
        .bytes = bytes_over(data + 2, size - 2)};
    if (anon_policy_parse(&p, bytes_over(document, strlen(document)), &f) != OK ||
        anon_keys_from(&keys, secret) != OK || anon_new(&a, &p, keys, 0) != OK)
        abort();
    change(a, &in);
    anon_free(a);
    anon_keys_close(keys);
    return 0;
}
