/* Contacts that are about to go into tables: their orders, and the members of their sets. */
#include "store/rollup_int.h"

#include <stdlib.h>
#include <string.h>

enum err contacts_by_service(struct order *o, const struct block *b)
{
    enum err e = order_begin(o, b->rows);
    if (e)
        return e;
    order_by_number(o, block_time(b, CONTACT_START), sizeof(int64_t));
    order_by_number(o, block_u16(b, CONTACT_DPORT), sizeof(uint16_t));
    order_by_number(o, block_u8(b, CONTACT_PROTO), 1);
    return OK;
}

enum err contacts_by_source(struct order *o, const struct block *b)
{
    enum err e = order_begin(o, b->rows);
    if (e)
        return e;
    order_by_number(o, block_time(b, CONTACT_START), sizeof(int64_t));
    for (size_t byte = sizeof(struct ip); byte-- > 0;)
        order_by(o, block_ip(b, CONTACT_SRC), sizeof(struct ip), byte);
    return OK;
}

enum err encode_source_hash(struct buf *out, size_t at, const struct block *contacts)
{
    size_t bytes = contacts->rows * sizeof(uint32_t);
    uint8_t *to = native_more(out, at, "src_hash", "UInt32", bytes);
    const struct ip *src = block_ip(contacts, CONTACT_SRC);
    for (size_t i = 0; to && i < contacts->rows; i++) {
        uint32_t hash = source_hash(&src[i]);
        memcpy(to + i * sizeof hash, &hash, sizeof hash);
    }
    return out->err;
}

static void free_rows(struct rolling *in)
{
    free(in->hash);
    free(in->service);
    free(in->letters);
    free(in->last);
    free(in->ends);
    free(in->members);
    free(in->numbers);
    free(in->words);
    in->hash = in->service = in->letters = in->members = NULL;
    in->last = in->ends = NULL;
    in->numbers = NULL;
    in->words = NULL;
    in->room = 0;
}

void rolling_done(struct rolling *in)
{
    free_rows(in);
    order_done(&in->by_service);
    order_done(&in->by_letters);
    groups_done(&in->groups);
}

static enum err reserve(struct rolling *in, size_t rows)
{
    if (rows <= in->room)
        return OK;
    free_rows(in);
    in->hash = malloc(rows * sizeof *in->hash);
    in->service = malloc(rows * sizeof *in->service);
    in->letters = malloc(rows * sizeof *in->letters);
    in->last = malloc(rows * sizeof *in->last);
    in->ends = malloc(rows * sizeof *in->ends);
    in->members = malloc(rows * sizeof *in->members);
    in->numbers = malloc(rows * sizeof *in->numbers);
    in->words = malloc(rows * sizeof *in->words);
    if (!in->hash || !in->service || !in->letters || !in->last || !in->ends || !in->members ||
        !in->numbers || !in->words) {
        free_rows(in);
        return ERR_NOMEM;
    }
    in->room = rows;
    return OK;
}

/* A country is counted by the number that its two letters are; no country is 0. */
static void find_letters(struct rolling *in)
{
    const struct block *b = in->contacts;
    const uint16_t *country = block_name(b, CONTACT_COUNTRY);
    const struct names *names = &b->column[CONTACT_COUNTRY].names;
    uint16_t letters[NAMES_MAX] = {0};
    for (size_t i = 0; i < names->count; i++)
        memcpy(&letters[i], names->word[i], sizeof letters[i]);
    for (size_t i = 0; i < b->rows; i++)
        in->letters[i] = letters[country[i]];
}

enum err rolling_begin(struct rolling *in, const struct block *contacts)
{
    enum err e = reserve(in, contacts->rows);
    if (!e)
        e = order_begin(&in->by_service, contacts->rows);
    if (!e)
        e = order_begin(&in->by_letters, contacts->rows);
    if (e)
        return e;
    in->contacts = contacts;
    const struct ip *src = block_ip(contacts, CONTACT_SRC);
    const uint8_t *proto = block_u8(contacts, CONTACT_PROTO);
    const uint16_t *port = block_u16(contacts, CONTACT_DPORT);
    for (size_t i = 0; i < contacts->rows; i++) {
        in->hash[i] =
            i && ip_same(&src[i], &src[i - 1]) ? in->hash[i - 1] : source_hash(&src[i]);
        in->service[i] = (uint32_t)proto[i] << 16 | port[i];
    }
    find_letters(in);
    order_by_number(&in->by_service, in->service, sizeof *in->service);
    order_by_number(&in->by_letters, in->letters, sizeof *in->letters);
    return OK;
}
