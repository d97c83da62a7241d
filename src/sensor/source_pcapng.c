#include "base/clock.h"
#include "decode/packet.h"
#include "sensor/source_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The pcapng format (draft-ietf-opsawg-pcapng): blocks, each between two copies of its length.
 * A section header begins a section and tells its byte order; interfaces are numbered within
 * the section. Blocks of other kinds are stepped over.
 *
 *     type | total length | body, padded to 4 bytes | total length
 */
enum block_type {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OLD = 2,
    BLOCK_PACKET_SIMPLE = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
};

enum {
    BLOCK_HEADER = 8,
    BLOCK_FRAME = 12, /* header and trailing length */
    OPTION_END = 0,
    OPTION_TS_RESOLUTION = 9,
    OPTION_TS_OFFSET = 14,
    OPTION_IF_DROP = 5,
    OPTION_OS_DROP = 7,
    RESOLUTION_DEFAULT = 6, /* 10^-6 s */
    RESOLUTION_BINARY = 0x80,
    RESOLUTION_MAX = 19, /* 10^19 is the last power of ten in 64 bits */
    RESOLUTION_BINARY_MAX = 63,
};

#define BLOCK_SECTION UINT32_C(0x0a0d0d0a)
#define ORDER_MARK    UINT32_C(0x1a2b3c4d)

/* Years 1970 to 9999: what a person can read. */
#define TS_MAX (INT64_C(253402300800) * US_SECOND)

static const uint64_t powers_of_ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
    100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000};

/* Ticks of the interface as microseconds since 1970; false outside the allowed years. */
static bool ticks_to_us(const struct pcapng_interface *i, uint64_t ticks, int64_t *ret_us)
{
    uint64_t us;
    if (i->resolution & RESOLUTION_BINARY) {
        unsigned bits = i->resolution & 0x7f;
        uint64_t seconds = ticks >> bits;
        uint64_t part = ticks & ((UINT64_C(1) << bits) - 1);
        if (seconds > TS_MAX / US_SECOND)
            return false;
        /* Drop bits that are below a microsecond, so that the product fits 64 bits. */
        unsigned drop = bits > 40 ? bits - 40 : 0;
        us = seconds * US_SECOND + ((part >> drop) * US_SECOND >> (bits - drop));
    } else if (i->resolution <= RESOLUTION_DEFAULT) {
        uint64_t factor = powers_of_ten[RESOLUTION_DEFAULT - i->resolution];
        if (ticks > TS_MAX / factor)
            return false;
        us = ticks * factor;
    } else {
        us = ticks / powers_of_ten[i->resolution - RESOLUTION_DEFAULT];
        if (us > TS_MAX)
            return false;
    }
    int64_t ts = (int64_t)us + i->offset * US_SECOND;
    if (ts < 0 || ts > TS_MAX)
        return false;
    *ret_us = ts;
    return true;
}

/* Call `take` for every option of a block. Options that break their format end the list: they
 * are comments and hints, the packets are good without them. */
static void options_read(const struct reader *r, struct bytes in,
    void (*take)(
        const struct reader *r, struct pcapng_interface *i, uint16_t code, struct bytes value),
    struct pcapng_interface *i)
{
    while (in.left) {
        uint16_t code = reader_u16(r, &in);
        uint16_t len = reader_u16(r, &in);
        struct bytes value = bytes_take(&in, len);
        if (value.cut || code == OPTION_END)
            return;
        take(r, i, code, value);
        bytes_skip(&in, -len & 3u);
    }
}

static uint64_t reader_u64(const struct reader *r, struct bytes *in)
{
    uint64_t first = reader_u32(r, in);
    uint64_t second = reader_u32(r, in);
    return r->big_endian ? first << 32 | second : second << 32 | first;
}

static void interface_option(
    const struct reader *r, struct pcapng_interface *i, uint16_t code, struct bytes value)
{
    if (code == OPTION_TS_RESOLUTION && value.left == 1)
        i->resolution = bytes_u8(&value);
    if (code == OPTION_TS_OFFSET && value.left == 8)
        i->offset = (int64_t)reader_u64(r, &value);
}

static void statistics_option(
    const struct reader *r, struct pcapng_interface *i, uint16_t code, struct bytes value)
{
    if (code == OPTION_IF_DROP && value.left == 8)
        i->dropped_interface = reader_u64(r, &value);
    if (code == OPTION_OS_DROP && value.left == 8)
        i->dropped_kernel = reader_u64(r, &value);
}

static bool resolution_fits(uint8_t resolution)
{
    return resolution & RESOLUTION_BINARY ? (resolution & 0x7f) <= RESOLUTION_BINARY_MAX
                                          : resolution <= RESOLUTION_MAX;
}

static enum err interface_room(struct reader *r)
{
    if (r->interface_count == INTERFACES_MAX)
        return reader_fail(
            r, ERR_FULL, 0, "more than %d interfaces in one section", INTERFACES_MAX);
    if (r->interface_count < r->interface_room)
        return OK;
    size_t room = r->interface_room ? r->interface_room * 2 : 8;
    struct pcapng_interface *grown = realloc(r->interfaces, room * sizeof *grown);
    if (!grown)
        return reader_fail(r, ERR_NOMEM, 0, "out of memory");
    r->interfaces = grown;
    r->interface_room = room;
    return OK;
}

static enum err interface_read(struct reader *r, struct bytes body)
{
    struct pcapng_interface i = {.resolution = RESOLUTION_DEFAULT};
    i.link = reader_u16(r, &body);
    bytes_skip(&body, 2);
    i.snaplen = reader_u32(r, &body);
    if (body.cut)
        return reader_fail(r, ERR_BAD, 0, "an interface block of less than 20 bytes");
    options_read(r, body, interface_option, &i);
    if (!resolution_fits(i.resolution))
        return reader_fail(r, ERR_BAD, 0,
            "time resolution %s%u of an interface; at most 10^-19 and 2^-63 s are read",
            i.resolution & RESOLUTION_BINARY ? "2^-" : "10^-", i.resolution & 0x7fu);
    if (i.offset < -TS_MAX / US_SECOND || i.offset > TS_MAX / US_SECOND)
        return reader_fail(r, ERR_BAD, 0,
            "time offset %lld s of an interface is outside the years 1970 to 9999",
            (long long)i.offset);
    enum err err = interface_room(r);
    if (err)
        return err;
    r->interface_known |= link_known(i.link);
    r->interfaces[r->interface_count++] = i;
    return OK;
}

static enum err statistics_read(struct reader *r, struct bytes body)
{
    uint32_t number = reader_u32(r, &body);
    bytes_skip(&body, 8);
    if (body.cut || number >= r->interface_count)
        return OK; /* a hint about nothing we know */
    options_read(r, body, statistics_option, &r->interfaces[number]);
    return OK;
}

/* A new section: the interfaces of the last one are forgotten, their losses are not. */
static enum err section_read(struct reader *r, struct bytes body)
{
    bytes_skip(&body, 4);
    uint16_t major = reader_u16(r, &body);
    uint16_t minor = reader_u16(r, &body);
    bytes_skip(&body, 8);
    if (body.cut)
        return reader_fail(r, ERR_BAD, 0, "a section header of less than 28 bytes");
    if (major != 1 || (minor != 0 && minor != 2))
        return reader_fail(
            r, ERR_BAD, 12, "pcapng version %u.%u; 1.0 and 1.2 are read", major, minor);
    for (size_t i = 0; i < r->interface_count; i++) {
        r->dropped_kernel += r->interfaces[i].dropped_kernel;
        r->dropped_interface += r->interfaces[i].dropped_interface;
    }
    r->interface_count = 0;
    r->interface_known = false;
    return OK;
}

/* The interface that a packet block names. */
static enum err interface_find(
    struct reader *r, uint32_t number, const struct pcapng_interface **ret_interface)
{
    if (number >= r->interface_count)
        return reader_fail(r, ERR_BAD, 0,
            "a packet of interface %u, but the section describes %zu so far", number,
            r->interface_count);
    const struct pcapng_interface *i = &r->interfaces[number];
    if (!r->interface_known)
        return reader_fail(r, ERR_BAD, 0, "link type %u is not read; " LINKS_READ, i->link);
    *ret_interface = i;
    return OK;
}

/* What the three kinds of packet blocks have in common, and the packet behind it. */
struct packet_block {
    uint32_t interface;
    uint64_t ticks;
    uint32_t len, wire_len;
    bool timed;
};

static enum err packet_give(
    struct reader *r, const struct packet_block *b, struct bytes body, struct frame *ret_frame)
{
    const struct pcapng_interface *i = NULL;
    enum err err = interface_find(r, b->interface, &i);
    if (err)
        return err;
    assert(i);
    if (b->len > FRAME_MAX)
        return reader_fail(
            r, ERR_BAD, 0, "a packet of %u bytes; %d is the most", b->len, FRAME_MAX);
    if (body.cut || b->len > body.left)
        return reader_fail(
            r, ERR_BAD, 0, "a packet of %u bytes in a block that is too short for it", b->len);
    if (b->timed && !ticks_to_us(i, b->ticks, &r->last_ts))
        return reader_fail(r, ERR_BAD, 0, "a packet from outside the years 1970 to 9999");
    *ret_frame = (struct frame){
        .ts = r->last_ts,
        .link = i->link,
        .wire_len = b->wire_len > b->len ? b->wire_len : b->len,
        .len = b->len,
        .data = body.at,
    };
    return OK;
}

static enum err packet_read(struct reader *r, struct bytes body, struct frame *ret_frame)
{
    struct packet_block b = {.timed = true};
    b.interface = reader_u32(r, &body);
    b.ticks = (uint64_t)reader_u32(r, &body) << 32;
    b.ticks |= reader_u32(r, &body);
    b.len = reader_u32(r, &body);
    b.wire_len = reader_u32(r, &body);
    return packet_give(r, &b, body, ret_frame);
}

static enum err packet_old_read(struct reader *r, struct bytes body, struct frame *ret_frame)
{
    struct packet_block b = {.timed = true};
    b.interface = reader_u16(r, &body);
    bytes_skip(&body, 2);
    b.ticks = (uint64_t)reader_u32(r, &body) << 32;
    b.ticks |= reader_u32(r, &body);
    b.len = reader_u32(r, &body);
    b.wire_len = reader_u32(r, &body);
    return packet_give(r, &b, body, ret_frame);
}

/* No time, no interface, no captured length: it is the first interface, and the least of the
 * length on the wire, the interface's snapshot length and the block. */
static enum err packet_simple_read(struct reader *r, struct bytes body, struct frame *ret_frame)
{
    struct packet_block b = {.timed = false};
    b.wire_len = reader_u32(r, &body);
    b.len = b.wire_len;
    if (r->interface_count && r->interfaces[0].snaplen && b.len > r->interfaces[0].snaplen)
        b.len = r->interfaces[0].snaplen;
    return packet_give(r, &b, body, ret_frame);
}

/* One whole block that is more than a packet. */
static enum err block_read(struct reader *r, uint32_t type, struct bytes body)
{
    switch (type) {
    case BLOCK_SECTION:
        return section_read(r, body);
    case BLOCK_INTERFACE:
        return interface_read(r, body);
    default:
        return statistics_read(r, body);
    }
}

static enum err packet_block_read(
    struct reader *r, uint32_t type, struct bytes body, struct frame *ret_frame)
{
    switch (type) {
    case BLOCK_PACKET:
        return packet_read(r, body, ret_frame);
    case BLOCK_PACKET_OLD:
        return packet_old_read(r, body, ret_frame);
    default:
        return packet_simple_read(r, body, ret_frame);
    }
}

static bool is_packet(uint32_t type)
{
    return type == BLOCK_PACKET || type == BLOCK_PACKET_OLD || type == BLOCK_PACKET_SIMPLE;
}

static bool is_read(uint32_t type)
{
    return is_packet(type) || type == BLOCK_SECTION || type == BLOCK_INTERFACE ||
           type == BLOCK_STATISTICS;
}

/* The second copy of a block's length, `at` bytes behind r->begin. */
static enum err trailer_check(struct reader *r, struct bytes in, size_t at, uint32_t length)
{
    uint32_t again = reader_u32(r, &in);
    if (again == length)
        return OK;
    return reader_fail(r, ERR_BAD, at,
        "a block of %u bytes ends with %u where its length is repeated", length, again);
}

/* Type and length of the block at r->begin; *ret_length 0: not all of it is there. */
static enum err header_read(struct reader *r, uint32_t *ret_type, uint32_t *ret_length)
{
    struct bytes in = reader_bytes(r);
    uint32_t type = reader_u32(r, &in);
    *ret_length = 0;
    if (type == BLOCK_SECTION && in.left >= 8) {
        struct bytes order = in;
        bytes_skip(&order, 4);
        uint32_t mark = bytes_le32(&order);
        if (mark != ORDER_MARK && mark != __builtin_bswap32(ORDER_MARK))
            return reader_fail(r, ERR_BAD, BLOCK_HEADER,
                "a section header without the byte-order mark 1a2b3c4d");
        r->big_endian = mark != ORDER_MARK;
    } else if (type == BLOCK_SECTION) {
        return OK;
    }
    uint32_t length = reader_u32(r, &in);
    if (in.cut)
        return OK;
    uint32_t most = is_read(type) ? RECORD_MAX : SKIP_MAX;
    if (length < BLOCK_FRAME || length % 4 || length > most)
        return reader_fail(r, ERR_BAD, 4,
            "a block of type %u with a length of %u bytes; a multiple of 4 from %d to %u is "
            "allowed",
            type, length, BLOCK_FRAME, most);
    *ret_type = type;
    *ret_length = length;
    return OK;
}

/* Step over a block of a kind that is not read. False: its end is not in the buffer, and the
 * reader goes on with it. */
static bool block_skip(struct reader *r, uint32_t length)
{
    struct bytes in = reader_bytes(r);
    if (in.left >= length) {
        bytes_skip(&in, length - 4);
        if (trailer_check(r, in, length - 4, length))
            return false;
        r->begin += length;
        return true;
    }
    r->begin += BLOCK_HEADER;
    r->skip = length - BLOCK_FRAME;
    r->skip_length = length;
    return false;
}

/* The end of a block that was stepped over. False: it is not there yet. */
static bool skip_finish(struct reader *r)
{
    struct bytes in = reader_bytes(r);
    if (in.left < 4 || trailer_check(r, in, 0, r->skip_length))
        return false;
    r->begin += 4;
    r->skip_length = 0;
    return true;
}

/* One block; *count goes up when it is a packet. False: there is no whole block, or it is
 * broken. */
static bool block_step(struct reader *r, struct frame *frames, size_t *count)
{
    if (r->skip_length && !skip_finish(r))
        return false;
    uint32_t type = 0;
    uint32_t length;
    if (header_read(r, &type, &length) || !length)
        return false;
    if (!is_read(type))
        return block_skip(r, length);
    struct bytes in = reader_bytes(r);
    bytes_skip(&in, BLOCK_HEADER);
    struct bytes body = bytes_take(&in, length - BLOCK_FRAME);
    if (in.left < 4 || in.cut || trailer_check(r, in, length - 4, length))
        return false;
    if (is_packet(type)) {
        if (packet_block_read(r, type, body, &frames[*count]))
            return false;
        (*count)++;
    } else if (block_read(r, type, body)) {
        return false;
    }
    r->begin += length;
    return true;
}

static enum err pcapng_parse(
    struct reader *r, struct frame *frames, size_t cap, size_t *ret_count)
{
    size_t count = 0;
    while (count < cap && block_step(r, frames, &count))
        ;
    *ret_count = count;
    return r->failed;
}

static enum err pcapng_cut(struct reader *r)
{
    size_t have = r->end - r->begin;
    struct bytes in = reader_bytes(r);
    bytes_skip(&in, 4);
    uint32_t length = r->skip_length ? r->skip_length : reader_u32(r, &in);
    if (r->skip_length || !in.cut)
        return reader_fail(r, ERR_SHORT, 0,
            "the file ends inside a block of %u bytes, %zu of which are missing", length,
            r->skip_length ? (size_t)r->skip + 4 - have : length - have);
    return reader_fail(r, ERR_SHORT, 0,
        "the file ends inside a block header: %d bytes are needed, %zu are there", BLOCK_HEADER,
        have);
}

const struct format format_pcapng = {
    .name = "pcapng",
    .parse = pcapng_parse,
    .cut = pcapng_cut,
};
