#include "bus/parcel_int.h"

#include <stdlib.h>
#include <string.h>

const uint8_t parcel_plain[] = {
    PACKET_TTL, PACKET_TCP_WIN, PACKET_DPORT, PACKET_SPORT, PACKET_TCP_ACK};
const size_t parcel_plain_count = sizeof parcel_plain;

/* Counts become the places at which what was counted begins. */
static void places_sum(uint32_t *place, size_t count)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t n = place[i];
        place[i] = sum;
        sum += n;
    }
}

/* Sources by the key of their first row. */
static void firsts_order(struct parcel_groups *g, const uint64_t *key)
{
    size_t keys = g->sources;
    for (size_t i = 0; i < g->sources && key; i++)
        if (key[g->first[i]] >= keys)
            keys = key[g->first[i]] + 1;
    memset(g->place, 0, keys * sizeof *g->place);
    for (size_t i = 0; i < g->sources; i++)
        g->place[key ? key[g->first[i]] : i]++;
    places_sum(g->place, keys);
    for (size_t i = 0; i < g->sources; i++)
        g->firsts[g->place[key ? key[g->first[i]] : i]++] = g->first[i];
}

void parcel_groups_order(struct parcel_groups *g, const uint64_t *key)
{
    firsts_order(g, key);
    memset(g->last, 0, g->sources * sizeof *g->last);
    for (size_t i = 0; i < g->rows; i++)
        g->last[g->source[i]]++;
    uint32_t sum = 0; /* of the rows that are no first ones, in the groups before */
    for (size_t i = 0; i < g->sources; i++) {
        uint32_t source = g->source[g->firsts[i]];
        g->place[source] = sum;
        sum += g->last[source] - 1;
    }
    for (size_t i = 0; i < g->rows; i++) {
        uint32_t source = g->source[i];
        if (g->first[source] != i) {
            g->rests[g->place[source]] = (uint32_t)i;
            g->before[g->place[source]++] = g->last[source];
        }
        g->last[source] = (uint32_t)i;
    }
}

struct parcel_halves parcel_halves_of(const struct ip *ip)
{
    struct parcel_halves h = {0, ip_v4(ip)};
    if (ip_is_v4(ip))
        return h;
    struct bytes b = bytes_over(ip->byte, sizeof ip->byte);
    h.high = (uint64_t)bytes_be32(&b) << 32;
    h.high |= bytes_be32(&b);
    h.low = (uint64_t)bytes_be32(&b) << 32;
    h.low |= bytes_be32(&b);
    return h;
}

uint64_t parcel_value(const struct block *b, size_t column, size_t row)
{
    switch (b->kind->columns[column].type) {
    case COLUMN_U8:
        return block_u8(b, column)[row];
    case COLUMN_U16:
        return block_u16(b, column)[row];
    case COLUMN_U32:
        return block_u32(b, column)[row];
    case COLUMN_NAME:
        return block_name(b, column)[row];
    default:
        return block_u64(b, column)[row];
    }
}

size_t parcel_pair_rule(const struct fingerprints *set, unsigned k)
{
    for (size_t i = 0; i < fingerprints_count(set); i++)
        if (fingerprints_at(set, i)->level == SIGNATURE_SOURCE && k-- == 0)
            return i;
    return SIZE_MAX;
}

void parcel_rows_done(struct parcel_rows *p)
{
    block_free(p->packets);
    free(p->looks);
    free(p->icmp_seq);
    *p = (struct parcel_rows){0};
}

void parcel_packet(const struct parcel_rows *p, size_t row, struct packet *ret_packet)
{
    const struct block *b = p->packets;
    *ret_packet = (struct packet){
        .ts = block_time(b, PACKET_TS)[row],
        .src = block_ip(b, PACKET_SRC)[row],
        .dst = block_ip(b, PACKET_DST)[row],
        .proto = block_u8(b, PACKET_PROTO)[row],
        .ttl = block_u8(b, PACKET_TTL)[row],
        .ip_id = block_u16(b, PACKET_IP_ID)[row],
        .ip_len = block_u16(b, PACKET_IP_LEN)[row],
        .sport = block_u16(b, PACKET_SPORT)[row],
        .dport = block_u16(b, PACKET_DPORT)[row],
        .tcp_flags = block_u8(b, PACKET_TCP_FLAGS)[row],
        .tcp_win = block_u16(b, PACKET_TCP_WIN)[row],
        .tcp_seq = block_u32(b, PACKET_TCP_SEQ)[row],
        .tcp_ack = block_u32(b, PACKET_TCP_ACK)[row],
        .tcp_opts = block_u32(b, PACKET_TCP_OPTS)[row],
        .icmp_seq = p->icmp_seq[row],
        .quirks = block_u16(b, PACKET_QUIRKS)[row],
        .payload = block_bytes_at(b, PACKET_PAYLOAD, row),
    };
}
