#include "anon/frame.h"

#include "anon/frame_int.h"
#include "base/checksum.h"
#include "record/proto.h"

#include <assert.h>
#include <string.h>

/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers. */

enum {
    IP4_HEADER = 20,
    IP4_ID = 4,
    IP4_FRAGMENT = 6,
    IP4_MORE = 0x2000,
    IP4_OFFSET = 0x1fff,
    IP4_PROTO = 9,
    IP4_SUM = 10,
    IP4_SRC = 12,
    IP4_NOP = 1,
    IP6_HEADER = 40,
    IP6_NEXT = 6,
    IP6_SRC = 8,
    EXTENSIONS_MAX = 8,
};

enum extension {
    EXT_HOP = 0,
    EXT_ROUTING = 43,
    EXT_FRAGMENT = 44,
    EXT_OPTIONS = 60,
};

const char *anon_frame_result_name(enum anon_frame_result r)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        ANON_FRAME_LIST(X)
#undef X
    };
    return names[r];
}

const char *anon_frame_result_text(enum anon_frame_result r)
{
    static const char *const texts[] = {
#define X(id, name, text) text,
        ANON_FRAME_LIST(X)
#undef X
    };
    return texts[r];
}

/* Both addresses at once; those of a quoted packet have each other's rule. */
static void map_pair(const struct job *j, struct ip pair[2])
{
    address_map(&j->e->address[j->quoted ? ANON_DESTINATION : ANON_SOURCE], &pair[0], 1);
    address_map(&j->e->address[j->quoted ? ANON_SOURCE : ANON_DESTINATION], &pair[1], 1);
}

/* The sum that addresses and protocol have in the pseudo header. */
static uint64_t pseudo_sum(const struct ip pair[2], uint8_t proto)
{
    uint64_t sum = proto;
    for (unsigned i = 0; i < 2; i++) {
        bool four = ip_is_v4(&pair[i]);
        sum = checksum_add(sum, pair[i].byte + (four ? 12 : 0), four ? 4 : 16);
    }
    return sum;
}

static void upper_init(struct upper *u, const struct job *j, const struct ip before[2],
    const struct ip after[2], uint8_t proto)
{
    u->proto = proto;
    u->src = before[j->quoted];
    u->dst = before[!j->quoted];
    u->mapped_dst = after[!j->quoted];
    u->pseudo_before = pseudo_sum(before, proto);
    u->pseudo_after = pseudo_sum(after, proto);
}

static void tell(struct anon_frame *f, const struct ip before[2], const struct ip after[2])
{
    if (!f)
        return;
    f->src = before[0];
    f->dst = before[1];
    f->mapped_src = after[0];
}

/* Fragments of one packet must keep one identification, whatever it is. */
static uint16_t identification(const struct job *j, size_t at, bool fragment)
{
    uint16_t id = job_be16(j, at + IP4_ID);
    if (job_method(j, ANON_NUMBERS) == ANON_KEEP)
        return id;
    if (!fragment)
        return 0;
    uint8_t which[2 + 8];
    memcpy(which, j->data + at + IP4_ID, 2);
    memcpy(which + 2, j->data + at + IP4_SRC, 8);
    return (uint16_t)epoch_number(j->e, ANON_NUMBERS, which, sizeof which);
}

static bool hides_addresses(const struct job *j)
{
    return job_method(j, ANON_SOURCE) != ANON_KEEP ||
           job_method(j, ANON_DESTINATION) != ANON_KEEP;
}

/* The header's fields, and its checksum by what has changed. */
static void ip4_header(
    struct job *j, size_t at, size_t len, const struct ip after[2], size_t total)
{
    uint8_t *h = j->data + at;
    uint16_t old = job_be16(j, at + IP4_SUM);
    bool fragment = job_be16(j, at + IP4_FRAGMENT) & (IP4_MORE | IP4_OFFSET);
    job_put16(j, at + IP4_SUM, 0);
    uint64_t before = checksum_add(0, h, len);
    job_put16(j, at + IP4_ID, identification(j, at, fragment));
    job_put16(j, at + 2, (uint16_t)total);
    memcpy(h + IP4_SRC, after[0].byte + 12, 4);
    memcpy(h + IP4_SRC + 4, after[1].byte + 12, 4);
    if (hides_addresses(j)) /* record route, timestamps, source routes hold addresses */
        memset(h + IP4_HEADER, IP4_NOP, len - IP4_HEADER);
    job_put16(j, at + IP4_SUM, checksum_mend(old, before, checksum_add(0, h, len)));
}

static enum anon_frame_result ip4_change(
    struct job *j, struct part *part, struct anon_frame *ret_frame)
{
    size_t at = part->at, have = part->cap - at;
    size_t len = have >= IP4_HEADER ? (j->data[at] & 15u) * 4u : 0;
    if (len < IP4_HEADER || have < len)
        return ANON_FRAME_BROKEN;
    size_t total = job_be16(j, at + 2);
    if (!total) /* left to the network card by the system that captured */
        total = part->wire - at;
    if (total < len || total > UINT16_MAX)
        return ANON_FRAME_BROKEN;
    uint16_t fragment = job_be16(j, at + IP4_FRAGMENT);
    struct ip before[2], after[2];
    for (unsigned i = 0; i < 2; i++)
        before[i] = ip_from_v4((uint32_t)job_be16(j, at + IP4_SRC + 4 * i) << 16 |
                               job_be16(j, at + IP4_SRC + 4 * i + 2));
    memcpy(after, before, sizeof after);
    map_pair(j, after);
    size_t wire = at + total;
    struct upper u = {.part = {at + len, part->cap < wire ? part->cap : wire, wire},
        .first = (fragment & IP4_MORE) && !(fragment & IP4_OFFSET),
        .later = fragment & IP4_OFFSET};
    upper_init(&u, j, before, after, j->data[at + IP4_PROTO]);
    enum anon_frame_result r = upper_change(j, &u);
    if (r != ANON_FRAME_WRITTEN)
        return r;
    ip4_header(j, at, len, after, u.part.wire - at);
    tell(ret_frame, before, after);
    part->cap = u.part.cap;
    part->wire = u.part.wire;
    return r;
}

/* Options become padding: PadN over all of them (RFC 8200, section 4.2). */
static void options_clear(uint8_t *data, size_t len)
{
    memset(data + 2, 0, len - 2);
    data[2] = 1;
    data[3] = (uint8_t)(len - 4 < 255 ? len - 4 : 255);
    for (size_t at = 4 + (size_t)data[3]; at + 2 <= len;) {
        size_t rest = len - at - 2;
        data[at] = 1;
        data[at + 1] = (uint8_t)(rest < 255 ? rest : 255);
        at += 2 + (size_t)data[at + 1];
    }
}

static bool is_extension(uint8_t proto)
{
    return proto == EXT_HOP || proto == EXT_ROUTING || proto == EXT_FRAGMENT ||
           proto == EXT_OPTIONS;
}

static void fragment6_change(struct job *j, struct upper *u, uint8_t *h)
{
    uint16_t offset = job_be16(j, u->part.at + 2);
    u->later = offset & 0xfff8;
    u->first = !u->later && (offset & 1);
    if (job_method(j, ANON_NUMBERS) == ANON_KEEP)
        return;
    uint64_t id = epoch_number(j->e, ANON_NUMBERS, h + 4, 4);
    memcpy(h + 4, &id, 4);
}

/* Step over the extension headers; u->part.at and u->proto are those of the transport. */
static enum anon_frame_result extensions_change(struct job *j, struct upper *u)
{
    for (unsigned n = 0; n < EXTENSIONS_MAX && !u->later; n++) {
        if (!is_extension(u->proto))
            return ANON_FRAME_WRITTEN;
        uint8_t *h = j->data + u->part.at;
        size_t have = u->part.cap - u->part.at;
        bool fragment = u->proto == EXT_FRAGMENT;
        size_t len = have >= 8 ? (fragment ? 8 : 8 + h[1] * 8u) : 0;
        if (!len || have < len)
            return ANON_FRAME_BROKEN;
        if (u->proto == EXT_ROUTING && h[3])
            return ANON_FRAME_ROUTED;
        if (fragment)
            fragment6_change(j, u, h);
        else if (hides_addresses(j) && u->proto == EXT_ROUTING)
            memset(h + 4, 0, len - 4);
        else if (hides_addresses(j))
            options_clear(h, len);
        u->proto = h[0];
        u->part.at += len;
    }
    return u->later ? ANON_FRAME_WRITTEN : ANON_FRAME_BROKEN;
}

static enum anon_frame_result ip6_change(
    struct job *j, struct part *part, struct anon_frame *ret_frame)
{
    size_t at = part->at, have = part->cap - at;
    if (have < IP6_HEADER)
        return ANON_FRAME_BROKEN;
    size_t length = job_be16(j, at + 4);
    if (!length && j->data[at + IP6_NEXT] == EXT_HOP) /* a jumbogram */
        return ANON_FRAME_BROKEN;
    struct ip before[2], after[2];
    memcpy(before, j->data + at + IP6_SRC, sizeof before);
    memcpy(after, before, sizeof after);
    map_pair(j, after);
    size_t wire = at + IP6_HEADER + length;
    struct upper u = {.part = {at + IP6_HEADER, part->cap < wire ? part->cap : wire, wire},
        .proto = j->data[at + IP6_NEXT]};
    enum anon_frame_result r = extensions_change(j, &u);
    if (r != ANON_FRAME_WRITTEN)
        return r;
    upper_init(&u, j, before, after, u.proto);
    r = upper_change(j, &u);
    if (r != ANON_FRAME_WRITTEN)
        return r;
    if (job_method(j, ANON_NUMBERS) != ANON_KEEP) { /* flow label */
        j->data[at + 1] &= 0xf0;
        job_put16(j, at + 2, 0);
    }
    job_put16(j, at + 4, (uint16_t)(u.part.wire - at - IP6_HEADER));
    memcpy(j->data + at + IP6_SRC, after, sizeof after);
    tell(ret_frame, before, after);
    part->cap = u.part.cap;
    part->wire = u.part.wire;
    return r;
}

enum anon_frame_result packet_change(
    struct job *j, struct part *part, struct anon_frame *ret_frame)
{
    if (part->cap <= part->at)
        return ANON_FRAME_BROKEN;
    unsigned version = j->data[part->at] >> 4;
    if (version == 4)
        return ip4_change(j, part, ret_frame);
    return version == 6 ? ip6_change(j, part, ret_frame) : ANON_FRAME_BROKEN;
}

enum err anon_frame(struct anon *a, const struct anon_captured *frame,
    struct anon_frame *ret_frame, enum anon_frame_result *ret_result, struct fault *f)
{
    struct bytes in = frame->bytes;
    size_t len = in.left;
    assert(len <= FRAME_BYTES_MAX);
    enum decode_result found = decode_link(frame->link, &in);
    if (found != DECODE_OK) {
        bool other = found == DECODE_NON_IP || found == DECODE_LINK_UNKNOWN;
        *ret_result = other ? ANON_FRAME_NON_IP : ANON_FRAME_BROKEN;
        return OK;
    }
    struct job j = {.a = a, .data = ret_frame->data};
    enum err e = anon_epoch(a, frame->ts, &j.e, f);
    if (e)
        return e;
    size_t missing = frame->wire_len > len ? frame->wire_len - len : 0;
    struct part part = {0, in.left, in.left + missing};
    memcpy(j.data, in.at, in.left);
    *ret_result = packet_change(&j, &part, ret_frame);
    if (*ret_result != ANON_FRAME_WRITTEN)
        return OK;
    ret_frame->ts = anon_time(a, frame->ts);
    ret_frame->len = (uint32_t)part.cap;
    ret_frame->wire_len = (uint32_t)part.wire;
    return OK;
}
