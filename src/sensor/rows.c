#include "sensor/rows_int.h"

#include "base/hash.h"

enum err rows_start(
    struct row_words *w, struct block *b, const struct row_columns *columns, const char *site)
{
    memset(w, 0, sizeof *w);
    enum err e = block_word(b, columns->site, site, &w->site);
    if (e || columns->class == SIZE_MAX)
        return e;
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        uint16_t number;
        e = block_word(b, columns->class, class_name((enum packet_class)c), &number);
        if (e)
            return e;
        if (number != c)
            return ERR_BAD;
    }
    return OK;
}

enum err rows_tool(struct row_words *w, struct block *b, size_t column, unsigned number,
    const char *tool, uint16_t *ret_word)
{
    if (!w->tool[number]) {
        uint16_t word;
        enum err e = block_word(b, column, tool, &word);
        if (e)
            return e;
        w->tool[number] = (uint16_t)(word + 1);
    }
    *ret_word = (uint16_t)(w->tool[number] - 1);
    return OK;
}

static unsigned letter(char c)
{
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 1 : 0;
}

enum err rows_country(struct row_words *w, struct block *b, size_t column,
    const char country[2], uint16_t *ret_word)
{
    unsigned number = letter(country[0]) * 27 + letter(country[1]);
    if (!w->country[number]) {
        const char text[3] = {country[0], (char)(country[0] ? country[1] : '\0'), '\0'};
        uint16_t word;
        enum err e = block_word(b, column, text, &word);
        if (e)
            return e;
        w->country[number] = (uint16_t)(word + 1);
    }
    *ret_word = (uint16_t)(w->country[number] - 1);
    return OK;
}

enum err rows_put_packet(struct block *b, const struct row_words *w, const struct packet *p,
    const struct row_tags *tags, size_t payload_keep)
{
    size_t row = b->rows;
    size_t len = p->payload.left;
    enum err e = block_bytes_add(
        b, PACKET_PAYLOAD, p->payload.at, len < payload_keep ? len : payload_keep);
    if (e)
        return e;
    block_time(b, PACKET_TS)[row] = p->ts;
    block_name(b, PACKET_SITE)[row] = w->site;
    block_ip(b, PACKET_SRC)[row] = p->src;
    block_ip(b, PACKET_DST)[row] = p->dst;
    block_u8(b, PACKET_PROTO)[row] = p->proto;
    block_u16(b, PACKET_SPORT)[row] = p->sport;
    block_u16(b, PACKET_DPORT)[row] = p->dport;
    block_u8(b, PACKET_TTL)[row] = p->ttl;
    block_u16(b, PACKET_IP_ID)[row] = p->ip_id;
    block_u16(b, PACKET_IP_LEN)[row] = p->ip_len;
    block_u8(b, PACKET_TCP_FLAGS)[row] = p->tcp_flags;
    block_u32(b, PACKET_TCP_SEQ)[row] = p->tcp_seq;
    block_u32(b, PACKET_TCP_ACK)[row] = p->tcp_ack;
    block_u16(b, PACKET_TCP_WIN)[row] = p->tcp_win;
    block_u32(b, PACKET_TCP_OPTS)[row] = p->tcp_opts;
    block_u16(b, PACKET_QUIRKS)[row] = p->quirks;
    block_u16(b, PACKET_PAYLOAD_LEN)[row] = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX);
    block_u64(b, PACKET_PAYLOAD_HASH)[row] = len ? hash_bytes(p->payload.at, len, 0) : 0;
    block_name(b, PACKET_TOOL)[row] = tags->tool;
    block_name(b, PACKET_CLASS)[row] = (uint16_t)tags->class;
    block_name(b, PACKET_COUNTRY)[row] = tags->country;
    block_u32(b, PACKET_ASN)[row] = tags->asn;
    b->rows++;
    return OK;
}
