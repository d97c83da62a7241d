/* Rows of a parcel that have something in common, found and numbered. */
#include "bus/parcel_write_int.h"

#include "base/hash.h"

#include <string.h>

/* ---- what the sensor saw ---- */

static bool same_look(const struct sensor_look *a, const struct sensor_look *b)
{
    return a->class == b->class && a->hits.each == b->hits.each &&
           a->hits.count == b->hits.count &&
           memcmp(a->hits.rule, b->hits.rule, a->hits.count) == 0;
}

static uint64_t look_hash(const struct sensor_look *l)
{
    return hash_bytes(l->hits.rule, l->hits.count, hash_two(l->hits.each, l->class));
}

/* The number of a look among the different ones; a new one if there is room. */
static size_t look_number(struct parcel_writer *w, const struct sensor_look *l, size_t *used)
{
    size_t at = look_hash(l) & (LOOK_SLOTS - 1);
    while (w->look_slots[at]) {
        if (same_look(&w->looks[w->look_slots[at] - 1], l))
            return w->look_slots[at] - 1;
        at = (at + 1) & (LOOK_SLOTS - 1);
    }
    if (*used == PARCEL_LOOKS - CLASS_COUNT && (l->hits.count || l->hits.each)) {
        struct sensor_look plain = {.class = l->class};
        return look_number(w, &plain, used);
    }
    w->looks[*used] = *l;
    w->look_slots[at] = (uint32_t)++ * used;
    return *used - 1;
}

/* The names of the rules that occur, and their numbers in this parcel. */
static void put_rule_names(
    struct parcel_writer *w, size_t looks, uint8_t number[SIGNATURES_MAX], struct buf *out)
{
    bool used[SIGNATURES_MAX] = {false};
    unsigned count = 0;
    for (size_t i = 0; i < looks; i++) {
        const struct fingerprint_hits *h = &w->looks[i].hits;
        for (unsigned k = 0; k < h->count; k++)
            used[h->rule[k]] = true;
        for (unsigned k = 0; k < SIGNATURE_PAIRS_MAX; k++)
            if (h->each >> k & 1 && w->pair_rule[k] != SIZE_MAX)
                used[w->pair_rule[k]] = true;
    }
    for (size_t i = 0; i < SIGNATURES_MAX; i++)
        count += used[i];
    buf_u8(out, (uint8_t)count);
    count = 0;
    for (size_t i = 0; i < SIGNATURES_MAX; i++) {
        if (!used[i])
            continue;
        const char *id = fingerprints_at(w->set, i)->id;
        buf_u8(out, (uint8_t)strlen(id));
        buf_str(out, id);
        number[i] = (uint8_t)count++;
    }
}

void parcel_put_looks(struct parcel_writer *w, const struct parcel *p, struct buf *out)
{
    size_t used = 0;
    uint8_t number[SIGNATURES_MAX] = {0};
    memset(w->look_slots, 0, sizeof w->look_slots);
    for (size_t i = 0; i < p->packets->rows; i++)
        w->looked[i] = look_number(w, &p->looks[i], &used);
    put_rule_names(w, used, number, out);
    buf_varint(out, used);
    for (size_t i = 0; i < used; i++) {
        const struct sensor_look *l = &w->looks[i];
        unsigned each = 0;
        for (unsigned k = 0; k < SIGNATURE_PAIRS_MAX; k++)
            each += l->hits.each >> k & 1 && w->pair_rule[k] != SIZE_MAX;
        buf_u8(out, (uint8_t)l->class);
        buf_u8(out, l->hits.count);
        for (unsigned k = 0; k < l->hits.count; k++)
            buf_u8(out, number[l->hits.rule[k]]);
        buf_u8(out, (uint8_t)each);
        for (unsigned k = 0; k < SIGNATURE_PAIRS_MAX; k++)
            if (l->hits.each >> k & 1 && w->pair_rule[k] != SIZE_MAX)
                buf_u8(out, number[w->pair_rule[k]]);
    }
}

/* ---- rows that are alike ---- */

/* The place of a row among those that were noted in this turn: one that is `same`, or an empty
 * one; NULL where so many crowd one place that they must have been chosen for it. */
static struct row_slot *slot_find(struct parcel_writer *w, const struct block *b, uint64_t hash,
    size_t row,
    bool (*same)(
        const struct parcel_writer *w, const struct block *b, size_t row, size_t other))
{
    size_t at = hash & (ROW_SLOTS - 1);
    for (unsigned steps = 0; steps < PLANES_STEPS; steps++) {
        struct row_slot *s = &w->slots[at];
        if (s->turn != w->turn || same(w, b, row, s->row))
            return s;
        at = (at + 1) & (ROW_SLOTS - 1);
    }
    return NULL;
}

/* Its number; a new one, `next`, if it is the first of its kind. Rows that crowd one place get
 * numbers of their own: that costs bytes, and is right. */
static uint32_t slot_number(
    struct parcel_writer *w, struct row_slot *s, size_t row, uint32_t next)
{
    if (!s)
        return next;
    if (s->turn != w->turn)
        *s = (struct row_slot){w->turn, (uint32_t)row, next};
    return s->number;
}

static bool same_source(
    const struct parcel_writer *w, const struct block *b, size_t row, size_t other)
{
    (void)w;
    return ip_same(&block_ip(b, PACKET_SRC)[row], &block_ip(b, PACKET_SRC)[other]);
}

static bool same_tuple(
    const struct parcel_writer *w, const struct block *b, size_t row, size_t other)
{
    (void)b;
    return memcmp(&w->tuples[row], &w->tuples[other], sizeof *w->tuples) == 0;
}

static bool same_payload(
    const struct parcel_writer *w, const struct block *b, size_t row, size_t other)
{
    struct bytes x = block_bytes_at(b, PACKET_PAYLOAD, row);
    struct bytes y = block_bytes_at(b, PACKET_PAYLOAD, other);
    return w->hashes[row] == w->hashes[other] && x.left == y.left &&
           memcmp(x.at, y.at, x.left) == 0;
}

void parcel_number_sources(struct parcel_writer *w, const struct block *b)
{
    struct parcel_groups *g = &w->groups;
    const struct ip *ip = block_ip(b, PACKET_SRC);
    g->rows = b->rows;
    g->sources = 0;
    w->turn++;
    for (size_t i = 0; i < b->rows; i++) {
        struct row_slot *s = slot_find(w, b, ip_hash(&ip[i]), i, same_source);
        g->source[i] = slot_number(w, s, i, (uint32_t)g->sources);
        if (g->source[i] == g->sources)
            g->first[g->sources++] = (uint32_t)i;
    }
}

size_t parcel_number_tuples(struct parcel_writer *w, const struct block *b, uint64_t *number)
{
    size_t used = 0;
    w->turn++;
    for (size_t i = 0; i < b->rows; i++) {
        const uint64_t *part = w->tuples[i].part;
        uint64_t hash = hash_two(hash_two(part[0], part[1]), part[2]);
        struct row_slot *s = slot_find(w, b, hash, i, same_tuple);
        number[i] = slot_number(w, s, i, (uint32_t)used);
        if (number[i] == used)
            w->examples[used++] = (uint32_t)i;
    }
    return used;
}

void parcel_turn(struct parcel_writer *w)
{
    w->turn++;
}

void parcel_number_payload(
    struct parcel_writer *w, const struct block *b, size_t row, size_t *used, struct buf *heap)
{
    struct bytes payload = block_bytes_at(b, PACKET_PAYLOAD, row);
    w->values[row] = 0;
    if (!payload.left)
        return;
    uint32_t next = (uint32_t)*used + 1;
    struct row_slot *s = slot_find(w, b, hash_u64(w->hashes[row]), row, same_payload);
    w->values[row] = slot_number(w, s, row, next);
    if (w->values[row] != next)
        return;
    ++*used;
    buf_put(heap, payload.at, payload.left);
}
