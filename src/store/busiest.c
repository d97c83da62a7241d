/* The busiest sources of each hour: candidates for the busiest of any span. */
#include "store/rollup_int.h"

#include <assert.h>
#include <stdlib.h>

enum {
    BUSIEST_MOST = 2000 /* of an hour and intake */
};

/* A source's contacts of one hour: they stand together. */
struct stay {
    int64_t hour;
    uint64_t packets;
    size_t row; /* the first */
};

static size_t find_stays(const struct block *b, struct stay *stays)
{
    const struct ip *src = block_ip(b, CONTACT_SRC);
    const int64_t *start = block_time(b, CONTACT_START);
    const uint32_t *packets = block_u32(b, CONTACT_PACKETS);
    size_t count = 0;
    for (size_t i = 0; i < b->rows; i++) {
        int64_t hour = time_floor(start[i], US_HOUR);
        struct stay *last = count ? &stays[count - 1] : NULL;
        if (last && last->hour == hour && ip_same(&src[last->row], &src[i]))
            last->packets += packets[i];
        else
            stays[count++] = (struct stay){hour, packets[i], i};
    }
    return count;
}

/* What a stay of an hour must have to be kept: more bits in the number of its packets than
 * `bits`, or just as many while there is `room`. */
struct bar {
    int64_t hour;
    unsigned bits;
    size_t room;
};

static unsigned bits_of(uint64_t packets)
{
    return 64 - (unsigned)__builtin_clzll(packets | 1);
}

/* Sorting all would cost more than the rest of the intake; to the next power of two is near
 * enough for candidates. */
static struct bar find_bar(const struct stay *stays, size_t count, int64_t hour)
{
    size_t with[65] = {0}; /* stays by the number of bits */
    size_t above = 0;
    unsigned bits = 64;
    for (size_t i = 0; i < count; i++)
        if (stays[i].hour == hour)
            with[bits_of(stays[i].packets)]++;
    for (; bits > 1 && above + with[bits] < BUSIEST_MOST; bits--)
        above += with[bits];
    return (struct bar){hour, bits, BUSIEST_MOST - above};
}

/* The busiest to the front; returns how many. */
static size_t keep_busiest(struct stay *stays, size_t count)
{
    struct bar bars[24] = {{0}}; /* an intake is of one day */
    size_t bar_count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t h = 0;
        while (h < bar_count && bars[h].hour != stays[i].hour)
            h++;
        if (h == bar_count) {
            assert(h < sizeof bars / sizeof *bars);
            bars[bar_count++] = find_bar(stays + i, count - i, stays[i].hour);
        }
        unsigned bits = bits_of(stays[i].packets);
        if (bits < bars[h].bits || (bits == bars[h].bits && !bars[h].room))
            continue;
        bars[h].room -= bits == bars[h].bits;
        stays[kept++] = stays[i];
    }
    return kept;
}

static void encode(struct rolling *in, const struct stay *stays, size_t count, struct buf *out)
{
    const struct block *b = in->contacts;
    enum {
        COLUMNS = 5
    };
    buf_u8(out, COLUMNS);
    buf_varint(out, count);
    native_head(out, "time", "Int64");
    for (size_t i = 0; i < count; i++)
        buf_le64(out, (uint64_t)stays[i].hour);
    native_head(out, "src", "FixedString(16)");
    for (size_t i = 0; i < count; i++)
        buf_put(out, &block_ip(b, CONTACT_SRC)[stays[i].row], sizeof(struct ip));
    for (size_t i = 0; i < count; i++)
        in->words[i] = block_name(b, CONTACT_COUNTRY)[stays[i].row];
    native_words(
        out, "country", &b->column[CONTACT_COUNTRY].names, in->words, count, in->numbered);
    native_head(out, "asn", "UInt32");
    for (size_t i = 0; i < count; i++)
        buf_le32(out, block_u32(b, CONTACT_ASN)[stays[i].row]);
    native_head(out, "packets", "UInt64");
    for (size_t i = 0; i < count; i++)
        buf_le64(out, stays[i].packets);
}

enum err busiest_encode(struct rolling *in, struct buf *out)
{
    struct stay *stays = malloc((in->contacts->rows + 1) * sizeof *stays);
    if (!stays)
        return ERR_NOMEM;
    size_t at = out->len;
    size_t count = keep_busiest(stays, find_stays(in->contacts, stays));
    encode(in, stays, count, out);
    free(stays);
    return native_block_number(out, at, count, in->seq);
}
