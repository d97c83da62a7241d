#include "bus/parcel_int.h"

#include <stdlib.h>

const uint8_t parcel_plain[] = {PACKET_PROTO, PACKET_SPORT, PACKET_DPORT, PACKET_TTL,
    PACKET_IP_LEN, PACKET_TCP_FLAGS, PACKET_TCP_ACK, PACKET_TCP_WIN, PACKET_TCP_OPTS,
    PACKET_QUIRKS, PACKET_PAYLOAD_LEN};
const size_t parcel_plain_count = sizeof parcel_plain;

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
