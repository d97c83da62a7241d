/* How blocks get into the store, once: see journal_int.h. Contacts are then taken into the
 * rollups, some hundred thousand at a time; what waits is read beside the rollups by every
 * question (questions.c), so answers are never behind. */
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

/* --- rollups ------------------------------------------------------------------------------ */

/* After a crash or a failed insert: did the rows get in? */
static enum err roll_settle(struct store *s, struct roll *r, struct fault *f)
{
    if (r->doing <= r->upto)
        return OK;
    char sql[256];
    int64_t there = 0;
    snprintf(sql, sizeof sql, "SELECT 1 FROM kz.%s WHERE block = %" PRIu64 " LIMIT 1", r->name,
        r->doing);
    enum err e = store_number(s, sql, 0, &there, f);
    if (e)
        return e;
    if (there)
        r->upto = r->doing;
    r->doing = r->upto;
    return journal_rollup_set(s->journal, r->name, r->upto, r->doing, f);
}

static enum err roll_encode(struct store *s, const struct roll *r, const struct block *sorted)
{
    buf_clear(&s->wire);
    if (r->rollup)
        return rollup_encode(r->rollup, sorted, r->doing, &s->wire);
    enum err e = block_encode(sorted, &s->wire);
    if (!e)
        e = encode_source_hash(&s->wire, 0, sorted);
    if (!e)
        e = encode_block_number(&s->wire, 0, sorted->rows, r->doing);
    return e;
}

static enum err roll_one(
    struct store *s, struct roll *r, const struct block *sorted, struct fault *f)
{
    enum err e = roll_settle(s, r, f);
    if (e || r->upto >= s->contact_last)
        return e;
    e = journal_rollup_set(s->journal, r->name, r->upto, s->contact_last, f);
    if (e)
        return e;
    r->doing = s->contact_last;
    char sql[128];
    snprintf(sql, sizeof sql, "INSERT INTO kz.%s", r->name);
    e = roll_encode(s, r, sorted);
    if (e)
        return fault_set(f, e, "store: rollup %s: %s", r->name, err_text(e));
    pthread_rwlock_wrlock(&s->rolling);
    e = chdb_insert(s->chdb, sql, "Native", s->wire.data, s->wire.len, f);
    if (!e)
        r->upto = r->doing;
    pthread_rwlock_unlock(&s->rolling);
    if (e)
        return e;
    return journal_rollup_set(s->journal, r->name, r->upto, r->upto, f);
}

enum err store_roll(struct store *s, struct fault *f)
{
    struct block *sorted = NULL;
    if (!s->waiting->rows)
        return OK;
    enum err e = contacts_by_source(s->waiting, &sorted);
    if (e)
        return fault_set(f, e, "store: rollups: %s", err_text(e));
    for (size_t i = 0; !e && i < s->roll_count; i++)
        e = roll_one(s, &s->rolls[i], sorted, f);
    block_free(sorted);
    if (!e)
        block_clear(s->waiting);
    return e;
}

/* Contacts that wait are of one day, so that every insert into a rollup goes into one
 * partition and is there whole or not at all. */
static enum err make_way(struct store *s, const struct block *b, int64_t day, struct fault *f)
{
    if (b->kind != &record_contact || !s->waiting->rows)
        return OK;
    if (day == s->waiting_day && b->rows <= s->waiting->cap - s->waiting->rows)
        return OK;
    return store_roll(s, f);
}

/* --- parts -------------------------------------------------------------------------------- */

/* Widen what questions take for the span of the data. */
static void note_span(struct store *s, int64_t first, int64_t last)
{
    pthread_rwlock_wrlock(&s->rolling);
    s->first_start = first < s->first_start ? first : s->first_start;
    s->last_start = last > s->last_start ? last : s->last_start;
    pthread_rwlock_unlock(&s->rolling);
}

/* make_way() made room. Words may still be too many: then the rows wait alone. */
static enum err part_is_in(
    struct store *s, const struct block *b, const struct journal_part *p, struct fault *f)
{
    if (b->kind != &record_contact)
        return OK;
    enum err e = block_append(s->waiting, b, 0, b->rows);
    if (e == ERR_FULL) {
        e = store_roll(s, f);
        if (!e)
            e = block_append(s->waiting, b, 0, b->rows);
    }
    s->waiting_day = p->day;
    s->contact_last = p->seq;
    const int64_t *start = block_time(b, CONTACT_START);
    int64_t first = start[0];
    int64_t last = start[0];
    for (size_t i = 1; i < b->rows; i++) {
        first = start[i] < first ? start[i] : first;
        last = start[i] > last ? start[i] : last;
    }
    note_span(s, first, last);
    return e;
}

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

static enum err settle_all(struct store *s, struct fault *f)
{
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
    }
    s->unresolved = false;
    return OK;
}

static enum err encode_part(struct store *s, const struct block *b, uint64_t seq)
{
    struct block *sorted = NULL;
    buf_clear(&s->wire);
    enum err e = OK;
    if (b->kind == &record_contact)
        e = contacts_by_service(b, &sorted);
    if (!e)
        e = block_encode(sorted ? sorted : b, &s->wire);
    if (!e && sorted)
        e = encode_source_hash(&s->wire, 0, sorted);
    if (!e)
        e = encode_block_number(&s->wire, 0, b->rows, seq);
    block_free(sorted);
    return e;
}

static enum err part_insert(
    struct store *s, const struct block *b, const struct journal_part *p, struct fault *f)
{
    char sql[128];
    snprintf(sql, sizeof sql, "INSERT INTO kz.%s", p->kind);
    enum err e = encode_part(s, b, p->seq);
    if (e)
        return fault_set(f, e, "store: a block of %s: %s", p->kind, err_text(e));
    return chdb_insert(s->chdb, sql, "Native", s->wire.data, s->wire.len, f);
}

/* Rows of one day. */
static enum err append_part(
    struct store *s, const struct block *b, struct journal_part *p, struct fault *f)
{
    bool has = false;
    enum err e = journal_has(s->journal, p->id, p->part, &has, f);
    if (e || has)
        return e;
    e = make_way(s, b, p->day, f);
    if (!e)
        e = journal_begin(s->journal, p, f);
    if (e)
        return e;
    e = part_insert(s, b, p, f);
    bool there = !e;
    if (e && part_settle(s, p, &there, NULL)) /* it may have failed after the rows were in */
        s->unresolved = true;
    if (there && !e && journal_done(s->journal, p->seq, NULL))
        s->unresolved = true; /* the rows are there; the next call notes it */
    return there ? part_is_in(s, b, p, f) : e;
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
    struct store *s, const struct block *b, const char *id, struct fault *f)
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
        if (count == 1) {
            e = append_part(s, b, &p, f);
        } else {
            struct block *rows = NULL;
            e = rows_of_day(b, days[i], &rows);
            if (e)
                return fault_set(f, e, "block %s: %s", id, err_text(e));
            e = append_part(s, rows, &p, f);
            block_free(rows);
        }
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

enum err store_append(struct store *s, const struct block *b, const char *id, struct fault *f)
{
    if (!id_allowed(id))
        return fault_set(
            f, ERR_BAD, "block id \"%.80s\": 1 to 63 of A-Z a-z 0-9 . _ : - are allowed", id);
    if (!b->rows)
        return OK;
    pthread_mutex_lock(&s->append);
    enum err e = s->unresolved ? settle_all(s, f) : OK;
    if (!e)
        e = append_days(s, b, id, f);
    /* The block is in; rollups that could not take it now take it next time. */
    if (!e && s->waiting->rows >= ROLL_ROWS)
        (void)!store_roll(s, NULL);
    pthread_mutex_unlock(&s->append);
    return e;
}

/* --- after a crash ------------------------------------------------------------------------ */

struct reload {
    struct store *store;
    struct buf rows;
};

static enum err reload_part(void *context, const char *data, size_t len)
{
    struct reload *r = context;
    buf_put(&r->rows, data, len);
    return r->rows.err;
}

/* Contacts of insert `seq` back from their table into `waiting`. */
static enum err reload(struct store *s, uint64_t seq, struct fault *f)
{
    struct buf sql;
    struct reload r = {.store = s};
    buf_init(&sql, 4096);
    buf_init(&r.rows, STORE_WIRE_MAX);
    buf_str(&sql, "SELECT ");
    for (size_t i = 0; i < record_contact.column_count; i++)
        buf_printf(&sql,
            record_contact.columns[i].type == COLUMN_NAME ? "%sCAST(%s AS String) AS %s"
                                                          : "%s%s AS %s",
            i ? ", " : "", record_contact.columns[i].name, record_contact.columns[i].name);
    buf_printf(&sql, " FROM kz.contact WHERE block = %" PRIu64, seq);
    enum err e = chdb_read_parts(s->chdb, (const char *)sql.data, "Native", reload_part, &r, f);
    struct bytes in = bytes_over(r.rows.data, r.rows.len);
    while (!e && in.left) {
        struct block *b = NULL;
        e = block_decode_next(&b, &record_contact, &in, f);
        if (e)
            break;
        e = block_append(s->waiting, b, 0, b->rows);
        if (b->rows)
            s->waiting_day = block_time(b, 0)[0] / RECORD_PARTITION;
        block_free(b);
    }
    buf_done(&sql);
    buf_done(&r.rows);
    return e;
}

/* Contacts that a rollup lacks. */
static enum err find_waiting(struct store *s, struct fault *f)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < s->roll_count; i++)
        least = s->rolls[i].upto < least ? s->rolls[i].upto : least;
    s->contact_last = least;
    char sql[512];
    snprintf(sql, sizeof sql,
        "SELECT DISTINCT block FROM kz.contact WHERE block > %" PRIu64 " ORDER BY block",
        least);
    struct buf out;
    buf_init(&out, STORE_SQL_MAX);
    enum err e = chdb_read(s->chdb, sql, &out, f);
    char *at = e || !out.len ? NULL : (char *)out.data;
    while (!e && at && *at) {
        s->contact_last = strtoull(at, &at, 10);
        at += *at == '\n';
        e = reload(s, s->contact_last, f);
    }
    buf_done(&out);
    return e;
}

static enum err find_span(struct store *s, struct fault *f)
{
    static const char *const sql =
        "SELECT min(a), max(b), count() FROM (SELECT min(time) AS a, max(time) AS b FROM "
        "kz.total HAVING count() > 0 UNION ALL SELECT min(start) AS a, max(start) AS b FROM "
        "kz.contact HAVING count() > 0)";
    struct buf out;
    int64_t found[3] = {0};
    buf_init(&out, 4096);
    enum err e = chdb_read(s->chdb, sql, &out, f);
    if (!e && out.len && store_numbers((const char *)out.data, found, 3))
        e = fault_set(f, ERR_BAD, "store: its span cannot be read");
    if (!e && found[2])
        note_span(s, found[0], found[1]);
    buf_done(&out);
    return e;
}

enum err store_recover(struct store *s, struct fault *f)
{
    enum err e = settle_all(s, f);
    if (!e)
        e = find_span(s, f);
    for (size_t i = 0; !e && i < s->roll_count; i++) {
        struct roll *r = &s->rolls[i];
        e = journal_rollup(s->journal, r->name, &r->upto, &r->doing, f);
        if (!e)
            e = roll_settle(s, r, f);
    }
    if (!e)
        e = find_waiting(s, f);
    for (size_t i = 1; !e && i < s->roll_count; i++)
        if (s->rolls[i].upto != s->rolls[0].upto)
            return store_roll(s, f);
    return e;
}
