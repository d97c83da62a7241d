/* How blocks get into the store, once: see journal_int.h. Contacts then go on into the rollups
 * (roll.c). */
#include "store/store_int.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DAYS_MAX = 400 /* that one block may touch */
};

enum err store_numbers(const char *line, int64_t *ret_values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *end = NULL;
        errno = 0;
        ret_values[i] = strtoll(line, &end, 10);
        if (end == line || errno || *end != (i + 1 < count ? '\t' : '\n'))
            return ERR_BAD;
        line = end + 1;
    }
    return *line ? ERR_BAD : OK;
}

enum err store_number(
    struct store *s, const char *sql, int64_t otherwise, int64_t *ret_value, struct fault *f)
{
    struct buf out;
    buf_init(&out, 4096);
    enum err e = chdb_read(s->chdb, sql, &out, f);
    int64_t value = otherwise;
    if (!e && out.len && store_numbers((const char *)out.data, &value, 1))
        e = fault_set(f, ERR_BAD, "store: its engine gave no number");
    if (!e)
        *ret_value = value;
    buf_done(&out);
    return e;
}

/* --- parts -------------------------------------------------------------------------------- */

/* Ask the table whether a part that was begun is in it, and note the answer. */
static enum err part_settle(
    struct store *s, const struct journal_part *p, bool *ret_there, struct fault *f)
{
    const struct record *kind = record_find(p->kind);
    if (!kind)
        return fault_set(f, ERR_BAD, "store's journal: no kind of record \"%s\"", p->kind);
    char sql[512];
    int64_t there = 0;
    snprintf(sql, sizeof sql,
        "SELECT 1 FROM kz.%s WHERE block = %" PRIu64 " AND intDiv(%s, %" PRId64 ") = %" PRId64
        " LIMIT 1",
        kind->name, p->seq, record_time(kind), RECORD_PARTITION, p->day);
    enum err e = store_number(s, sql, 0, &there, f);
    if (!e)
        e = there ? journal_done(s->journal, p->seq, f) : journal_drop(s->journal, p->seq, f);
    if (!e)
        *ret_there = there != 0;
    return e;
}

void store_land(struct store *s)
{
    while (s->flying)
        pthread_cond_wait(&s->landed, &s->append);
}

static enum err settle_all(struct store *s, struct fault *f)
{
    store_land(s);
    for (;;) {
        struct journal_part p;
        bool there = false;
        enum err e = journal_open_part(s->journal, &p, f);
        if (e == ERR_NOTFOUND)
            break;
        if (!e)
            e = part_settle(s, &p, &there, f);
        if (e)
            return e;
        s->stale = s->stale || there;
    }
    s->unresolved = false;
    return OK;
}

/* What could not be told when it failed: in or not? And what waits for the rollups? */
static enum err settle(struct store *s, struct fault *f)
{
    enum err e = s->unresolved ? settle_all(s, f) : OK;
    return !e && s->stale ? store_find_waiting(s, f) : e;
}

/* Rows of one day on their way in: one insert for all of them, each with a number of its own.
 */
struct group {
    const struct record *kind;
    int64_t day;
    size_t count, rows;
    const struct block *block[STORE_GROUP_MAX];
    struct journal_part part[STORE_GROUP_MAX];
};

/* The blocks of a group as one. ERR_FULL: their words are too many for that. */
static enum err join(struct store *s, const struct group *g)
{
    block_clear(s->joined);
    for (size_t i = 0; i < g->count; i++) {
        size_t at = s->joined->rows;
        enum err e = block_append(s->joined, g->block[i], 0, g->block[i]->rows);
        if (e)
            return e;
        for (; at < s->joined->rows; at++)
            s->numbers[at] = g->part[i].seq;
    }
    return OK;
}

/* Contacts in the order of their table; `seqs` gives the number of each. */
static enum err encode_contacts(
    struct store *s, const struct block *contacts, const uint64_t *seqs, struct buf *wire)
{
    size_t at = wire->len;
    block_clear(s->sorted);
    enum err e = contacts_by_service(&s->order, contacts);
    if (!e)
        e = block_gather(s->sorted, contacts, s->order.rows, s->order.count);
    if (!e)
        e = encode_rows(&s->dialect, s->sorted, wire);
    if (!e)
        e = encode_source_hash(wire, at, s->sorted);
    if (e)
        return e;
    uint8_t *to = native_more(wire, at, "block", "UInt64", s->sorted->rows * sizeof *seqs);
    for (size_t i = 0; to && i < s->sorted->rows; i++)
        memcpy(to + i * sizeof *seqs, &seqs[s->order.rows[i]], sizeof *seqs);
    return wire->err;
}

static enum err encode_part(
    struct store *s, const struct block *b, uint64_t seq, struct buf *wire)
{
    size_t at = wire->len;
    if (b->kind == &record_contact) {
        assert(b->rows <= STORE_GROUP_ROWS);
        for (size_t i = 0; i < b->rows; i++)
            s->numbers[i] = seq;
        return encode_contacts(s, b, s->numbers, wire);
    }
    enum err e = encode_rows(&s->dialect, b, wire);
    return e ? e : native_block_number(wire, at, b->rows, seq);
}

/* A group of another kind as one block of the wire: the engine would copy several into one.
 * ERR_FULL: their words are too many for that. */
static enum err encode_together(const struct group *g, struct buf *wire)
{
    size_t at = wire->len;
    enum err e = block_encode_numbered(g->block, g->count, wire);
    if (e)
        return e;
    uint8_t *to = native_more(wire, at, "block", "UInt64", g->rows * sizeof(uint64_t));
    for (size_t i = 0; to && i < g->count; i++)
        for (size_t k = 0; k < g->block[i]->rows; k++, to += sizeof(uint64_t))
            memcpy(to, &g->part[i].seq, sizeof(uint64_t));
    return wire->err;
}

static enum err encode_group(struct store *s, const struct group *g, struct buf *wire)
{
    enum err e = ERR_FULL;
    if (g->kind == &record_contact && g->count > 1) {
        e = join(s, g);
        e = e ? e : encode_contacts(s, s->joined, s->numbers, wire);
    } else if (g->count > 1 && s->dialect.newer)
        e = encode_together(g, wire);
    if (e != ERR_FULL)
        return e;
    e = OK;
    for (size_t i = 0; !e && i < g->count; i++)
        e = encode_part(s, g->block[i], g->part[i].seq, wire);
    return e;
}

static enum err group_insert(
    struct store *s, const struct group *g, struct buf *wire, struct fault *f)
{
    buf_clear(wire);
    enum err e = encode_group(s, g, wire);
    if (e)
        return fault_set(f, e, "store: a block of %s: %s", g->kind->name, err_text(e));
    return store_insert_wire(s, g->kind->name, wire, f);
}

/* Packets, while others may have the lock. Nobody else inserts packets meanwhile, and what has
 * to know of all rows waits (store_land()). */
static enum err packets_insert(struct store *s, const struct group *g, struct fault *f)
{
    s->flying = true;
    pthread_mutex_unlock(&s->append);
    enum err e = group_insert(s, g, &s->packet_wire, f);
    pthread_mutex_lock(&s->append);
    s->flying = false;
    pthread_cond_broadcast(&s->landed);
    return e;
}

static bool is_of_screening(const struct record *kind)
{
    return kind == &record_tagged || kind == &record_screening;
}

static uint32_t hours_of(const struct group *g)
{
    uint32_t hours = 0;
    for (size_t i = 0; i < g->count; i++)
        hours |= store_hours_of(g->block[i]);
    return hours;
}

static enum err group_begin(struct store *s, struct group *g, struct fault *f)
{
    enum err e = OK;
    if (g->kind == &record_contact)
        e = settle(s, f); /* others may have failed while packets before these went in */
    if (!e && g->kind == &record_contact)
        e = store_make_way(s, g->rows, g->day, f);
    if (!e && (g->kind == &record_contact || is_of_screening(g->kind)))
        e = store_open_hours(s, g->kind, g->day, hours_of(g), f);
    if (!e)
        e = journal_together(s->journal, f);
    if (e)
        return e;
    for (size_t i = 0; !e && i < g->count; i++)
        e = journal_begin(s->journal, &g->part[i], f);
    return journal_together_end(s->journal, e, f);
}

/* The rows are there; what is not noted now the next call finds out. */
static void group_done(struct store *s, const struct group *g)
{
    enum err e = journal_together(s->journal, NULL);
    if (!e) {
        for (size_t i = 0; !e && i < g->count; i++)
            e = journal_done(s->journal, g->part[i].seq, NULL);
        e = journal_together_end(s->journal, e, NULL);
    }
    s->unresolved = s->unresolved || e;
}

static void note_screened(struct store *s, const struct block *screening)
{
    const int64_t *start = block_time(screening, SCREENING_START);
    for (size_t i = 0; i < screening->rows; i++)
        view_screened(s, start[i]);
}

/* What was appended is forgotten, also when this fails. */
static enum err group_append(struct store *s, struct group *g, struct fault *f)
{
    if (!g->count)
        return OK;
    enum err e = group_begin(s, g, f);
    if (!e) {
        store_insert_count(s);
        e = g->kind == &record_packet ? packets_insert(s, g, f)
                                      : group_insert(s, g, &s->wire, f);
        if (!e)
            group_done(s, g);
        for (size_t i = 0; i < g->count; i++) {
            bool there = !e;
            if (e && part_settle(s, &g->part[i], &there, NULL))
                s->unresolved = true; /* it may have failed after the rows were in */
            if (there && g->kind == &record_contact)
                store_wait(s, g->block[i], g->part[i].seq);
            if (there && g->kind == &record_screening)
                note_screened(s, g->block[i]);
        }
    }
    g->count = 0;
    g->rows = 0;
    return e;
}

/* Rows of one day join the group, which goes in first if they do not fit. `b` is borrowed until
 * the group has gone in. */
static enum err group_add(struct store *s, struct group *g, const struct block *b,
    const struct journal_part *p, struct fault *f)
{
    bool has = false;
    enum err e = journal_has(s->journal, p->id, p->part, &has, f);
    if (e || has)
        return e;
    if (g->count && (g->kind != b->kind || g->day != p->day || g->count == STORE_GROUP_MAX ||
                        g->rows + b->rows > STORE_GROUP_ROWS))
        e = group_append(s, g, f);
    if (e)
        return e;
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->part[i].id, p->id) == 0 && g->part[i].part == p->part)
            return OK; /* the same block twice */
    g->kind = b->kind;
    g->day = p->day;
    g->block[g->count] = b;
    g->part[g->count++] = *p;
    g->rows += b->rows;
    return OK;
}

/* --- blocks ------------------------------------------------------------------------------- */

static int compare_days(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* The days that the rows fall on, ascending; ERR_RANGE if there are more than DAYS_MAX. */
static enum err find_days(const struct block *b, int64_t days[DAYS_MAX], size_t *ret_count)
{
    const int64_t *time = block_time(b, 0);
    size_t count = 0;
    for (size_t i = 0; i < b->rows; i++) {
        int64_t day = time[i] / RECORD_PARTITION;
        size_t k = count;
        while (k > 0 && days[k - 1] != day)
            k--;
        if (k > 0)
            continue;
        if (count == DAYS_MAX)
            return ERR_RANGE;
        days[count++] = day;
    }
    qsort(days, count, sizeof *days, compare_days);
    *ret_count = count;
    return OK;
}

static enum err rows_of_day(const struct block *b, int64_t day, struct block **ret_rows)
{
    const int64_t *time = block_time(b, 0);
    struct block *rows = NULL;
    enum err e = block_new(&rows, b->kind, b->rows);
    if (e)
        return e;
    for (size_t from = 0; !e && from < b->rows;) {
        bool wanted = time[from] / RECORD_PARTITION == day;
        size_t to = from + 1;
        while (to < b->rows && (time[to] / RECORD_PARTITION == day) == wanted)
            to++;
        if (wanted)
            e = block_append(rows, b, from, to);
        from = to;
    }
    if (e) {
        block_free(rows);
        return e;
    }
    *ret_rows = rows;
    return OK;
}

static enum err append_days(
    struct store *s, struct group *g, const struct block *b, const char *id, struct fault *f)
{
    int64_t days[DAYS_MAX];
    size_t count = 0;
    enum err e = find_days(b, days, &count);
    if (e)
        return fault_set(f, e, "block %s: its rows are from more than %d days", id, DAYS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct journal_part p = {.part = (uint32_t)i, .day = days[i]};
        snprintf(p.id, sizeof p.id, "%s", id);
        snprintf(p.kind, sizeof p.kind, "%s", b->kind->name);
        if (count == 1)
            return group_add(s, g, b, &p, f);
        struct block *rows = NULL;
        e = rows_of_day(b, days[i], &rows);
        if (e)
            return fault_set(f, e, "block %s: %s", id, err_text(e));
        e = group_add(s, g, rows, &p, f);
        if (!e)
            e = group_append(s, g, f);
        block_free(rows);
        if (e)
            return e;
    }
    return OK;
}

static bool id_allowed(const char *id)
{
    size_t len = strlen(id);
    return len >= 1 && len <= 63 &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") ==
               len;
}

static enum err append_all(
    struct store *s, const struct store_block *blocks, size_t count, struct fault *f)
{
    struct group g = {0};
    enum err e = settle(s, f);
    bool contacts = false;
    for (size_t i = 0; !e && i < count; i++) {
        contacts = contacts || blocks[i].block->kind == &record_contact;
        if (blocks[i].block->rows)
            e = append_days(s, &g, blocks[i].block, blocks[i].id, f);
    }
    if (!e)
        e = group_append(s, &g, f);
    /* The blocks are in; rollups that could not take them now take them next time. */
    if (!e && s->waiting->rows >= ROLL_ROWS)
        (void)!store_roll_or_wait(s, NULL);
    /* The same goes for days that are over, if nobody had the time for them. */
    bool united = false;
    if (!e && contacts)
        (void)!store_unite(s, true, &united, NULL);
    return e;
}

enum err store_append_all(
    struct store *s, const struct store_block *blocks, size_t count, struct fault *f)
{
    for (size_t i = 0; i < count; i++)
        if (!id_allowed(blocks[i].id))
            return fault_set(f, ERR_BAD,
                "block id \"%.80s\": 1 to 63 of A-Z a-z 0-9 . _ : - are allowed", blocks[i].id);
    enum err e = store_ready(s, f);
    if (e)
        return e;
    bool packets = false;
    for (size_t i = 0; i < count; i++)
        packets = packets || blocks[i].block->kind == &record_packet;
    if (packets)
        pthread_mutex_lock(&s->packets);
    pthread_mutex_lock(&s->append);
    e = append_all(s, blocks, count, f);
    pthread_mutex_unlock(&s->append);
    if (packets)
        pthread_mutex_unlock(&s->packets);
    return e;
}

enum err store_append(struct store *s, const struct block *b, const char *id, struct fault *f)
{
    return store_append_all(s, &(struct store_block){b, id}, 1, f);
}

/* --- after a crash ------------------------------------------------------------------------ */

static enum err find_screened(struct store *s, struct fault *f)
{
    int64_t last = INT64_MIN;
    enum err e = store_number(
        s, "SELECT max(start) FROM kz.screening HAVING count() > 0", INT64_MIN, &last, f);
    view_screened(s, last);
    return e;
}

enum err store_recover(struct store *s, struct fault *f)
{
    enum err e = store_find_open_units(s, f);
    if (!e)
        e = settle_all(s, f);
    if (!e)
        e = store_find_span(s, f);
    if (!e)
        e = find_screened(s, f);
    if (!e)
        e = store_settle_rolls(s, f);
    if (!e)
        e = store_find_waiting(s, f);
    return e;
}
