#include "base/clock.h"
#include "decode/packet.h"
#include "sensor/source_int.h"

/* The pcap format: a file header, then records without a gap. Everything is in the byte order
 * of the machine that captured, which the magic tells.
 *
 *     magic | major, minor | zone | accuracy | snaplen | link type
 *     seconds | fraction | captured | on the wire | (modified form: 8 more) | frame ...
 */
enum {
    RECORD_HEADER = 16,
    RECORD_HEADER_MODIFIED = 24, /* interface, protocol and packet type of a patched libpcap */
    VERSION_MAJOR = 2,
    VERSION_MINOR = 4,
    VERSION_MINOR_OLDER = 3,
    NS_PER_US = 1000,
};

static const struct {
    uint32_t magic;
    bool nanoseconds;
    uint8_t record_header;
} magics[] = {
    {0xa1b2c3d4, false, RECORD_HEADER},
    {0xa1b23c4d, true, RECORD_HEADER},
    {0xa1b2cd34, false, RECORD_HEADER_MODIFIED},
};

static bool magic_read(struct reader *r)
{
    struct bytes in = reader_bytes(r);
    uint32_t magic = bytes_le32(&in);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        bool swapped = magic == __builtin_bswap32(magics[i].magic);
        if (magic != magics[i].magic && !swapped)
            continue;
        r->big_endian = swapped;
        r->nanoseconds = magics[i].nanoseconds;
        r->record_header = magics[i].record_header;
        return !in.cut;
    }
    return false;
}

enum err pcap_begin(struct reader *r)
{
    if (!magic_read(r))
        return ERR_NOTFOUND;
    struct bytes in = reader_bytes(r);
    bytes_skip(&in, 4);
    uint16_t major = reader_u16(r, &in);
    uint16_t minor = reader_u16(r, &in);
    bytes_skip(&in, 12);
    r->link = reader_u32(r, &in) & LINK_TYPE_BITS;
    if (in.cut)
        return reader_fail(r, ERR_SHORT, 0,
            "the file ends inside the file header: %d bytes are needed, %zu are there",
            PCAP_HEADER, r->end - r->begin);
    if (major != VERSION_MAJOR || (minor != VERSION_MINOR && minor != VERSION_MINOR_OLDER))
        return reader_fail(
            r, ERR_BAD, 4, "pcap version %u.%u; 2.4 and 2.3 are read", major, minor);
    if (!link_known(r->link))
        return reader_fail(r, ERR_BAD, 20, "link type %u is not read; " LINKS_READ, r->link);
    r->begin += PCAP_HEADER;
    return OK;
}

static enum err pcap_parse(
    struct reader *r, struct frame *frames, size_t cap, size_t *ret_count)
{
    size_t count = 0;
    const size_t header = r->record_header;
    while (count < cap) {
        struct bytes in = reader_bytes(r);
        uint32_t seconds = reader_u32(r, &in);
        uint32_t fraction = reader_u32(r, &in);
        uint32_t len = reader_u32(r, &in);
        uint32_t wire_len = reader_u32(r, &in);
        bytes_skip(&in, header - RECORD_HEADER);
        if (in.cut)
            break;
        if (len > FRAME_MAX) {
            *ret_count = count;
            return reader_fail(r, ERR_BAD, 0,
                "a record of %u bytes is announced; %d is the most, so this is no record", len,
                FRAME_MAX);
        }
        if (len > in.left)
            break;
        frames[count++] = (struct frame){
            .ts = seconds * US_SECOND + (r->nanoseconds ? fraction / NS_PER_US : fraction),
            .link = r->link,
            .wire_len = wire_len > len ? wire_len : len,
            .len = len,
            .data = in.at,
        };
        r->begin += header + len;
    }
    *ret_count = count;
    return OK;
}

static enum err pcap_cut(struct reader *r)
{
    struct bytes in = reader_bytes(r);
    size_t have = in.left;
    bytes_skip(&in, 8);
    uint32_t len = reader_u32(r, &in);
    if (have < r->record_header)
        return reader_fail(r, ERR_SHORT, 0,
            "the file ends inside a record header: %zu bytes are needed, %zu are there",
            r->record_header, have);
    return reader_fail(r, ERR_SHORT, 0,
        "the file ends inside a record: %zu bytes are needed, %zu are there",
        r->record_header + len, have);
}

const struct format format_pcap = {
    .name = "pcap",
    .parse = pcap_parse,
    .cut = pcap_cut,
};
