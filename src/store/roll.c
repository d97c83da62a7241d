/* Contacts on their way into the rollups. They wait in a block, all of one day, until there are
 * ROLL_ROWS of them or the day changes; then each rollup takes them in with one insert, and the
 * journal notes before and after what it is about. When an intake fails half way, no contact
 * comes in before it is finished: what waits is what every rollup lacks, or what some do and
 * the others have whole. */
#include "store/store_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

static enum err roll_encode(struct store *s, const struct roll *r)
{
    struct rolling *in = &s->rolling;
    buf_clear(&s->wire);
    in->seq = r->doing;
    if (r->how == ROLL_SUMS)
        return rollup_encode(in, r->rollup, &s->wire);
    if (r->how == ROLL_BUSIEST)
        return busiest_encode(in, &s->wire);
    enum err e = encode_rows(&s->dialect, in->contacts, &s->wire);
    if (!e)
        e = encode_source_hash(&s->wire, 0, in->contacts);
    if (!e)
        e = native_block_number(&s->wire, 0, in->contacts->rows, r->doing);
    return e;
}

static enum err roll_one(struct store *s, struct roll *r, struct fault *f)
{
    enum err e = roll_settle(s, r, f);
    if (e || r->upto >= s->view.contact_last)
        return e;
    e = journal_rollup_set(s->journal, r->name, r->upto, s->view.contact_last, f);
    if (e)
        return e;
    r->doing = s->view.contact_last;
    e = roll_encode(s, r);
    if (e)
        return fault_set(f, e, "store: rollup %s: %s", r->name, err_text(e));
    e = store_insert(s, r->name, f);
    if (e)
        return e;
    view_rolled(s, r, r->doing);
    return journal_rollup_set(s->journal, r->name, r->upto, r->upto, f);
}

enum err store_roll(struct store *s, struct fault *f)
{
    if (!s->waiting->rows)
        return OK;
    block_clear(s->sorted);
    enum err e = contacts_by_source(&s->order, s->waiting);
    if (!e)
        e = block_gather(s->sorted, s->waiting, s->order.rows, s->order.count);
    if (!e)
        e = rolling_begin(&s->rolling, s->sorted);
    if (e)
        return fault_set(f, e, "store: rollups: %s", err_text(e));
    for (size_t i = 0; !e && i < s->view.roll_count; i++)
        e = roll_one(s, &s->view.rolls[i], f);
    if (!e)
        block_clear(s->waiting);
    return e;
}

/* Did an intake fail half way? */
static bool half_rolled(const struct store *s)
{
    for (size_t i = 0; i < s->view.roll_count; i++)
        if (s->view.rolls[i].upto != s->view.rolls[0].upto ||
            s->view.rolls[i].doing > s->view.rolls[i].upto)
            return true;
    return false;
}

enum err store_settle_rolls(struct store *s, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; !e && i < s->view.roll_count; i++) {
        struct roll *r = &s->view.rolls[i];
        e = journal_rollup(s->journal, r->name, &r->upto, &r->doing, f);
        if (!e)
            e = roll_settle(s, r, f);
    }
    return e;
}

enum err store_make_way(struct store *s, size_t rows, int64_t day, struct fault *f)
{
    if (!s->waiting->rows)
        return OK;
    if (!half_rolled(s) && day == s->waiting_day && rows <= s->waiting->cap - s->waiting->rows)
        return OK;
    return store_roll(s, f);
}

void store_wait(struct store *s, const struct block *contacts, uint64_t seq)
{
    const int64_t *start = block_time(contacts, CONTACT_START);
    int64_t first = start[0];
    int64_t last = start[0];
    for (size_t i = 1; i < contacts->rows; i++) {
        first = start[i] < first ? start[i] : first;
        last = start[i] > last ? start[i] : last;
    }
    view_widen(s, first, last, seq);
    enum err e = block_append(s->waiting, contacts, 0, contacts->rows);
    if (e == ERR_FULL && store_roll(s, NULL) == OK) /* too many words for one block */
        e = block_append(s->waiting, contacts, 0, contacts->rows);
    s->stale = s->stale || e;
    s->waiting_day = start[0] / RECORD_PARTITION;
}

/* --- what waited, read back ----------------------------------------------------------------
 */

static enum err take_bytes(void *context, const char *data, size_t len)
{
    struct buf *rows = context;
    buf_put(rows, data, len);
    return rows->err;
}

/* The engine gives the rows of one insert as several blocks. */
static enum err join(struct bytes in, struct block *into, struct fault *f)
{
    enum err e = OK;
    while (!e && in.left) {
        struct block *b = NULL;
        e = block_decode_next(&b, &record_contact, &in, f);
        if (e)
            return e;
        e = block_append(into, b, 0, b->rows);
        block_free(b);
    }
    return e;
}

/* Contacts of insert `seq`. */
static enum err read_back(struct store *s, uint64_t seq, struct block *into, struct fault *f)
{
    struct buf sql;
    struct buf rows;
    buf_init(&sql, 4096);
    buf_init(&rows, STORE_WIRE_MAX);
    buf_str(&sql, "SELECT ");
    for (size_t i = 0; i < record_contact.column_count; i++)
        buf_printf(&sql,
            record_contact.columns[i].type == COLUMN_NAME ? "%sCAST(%s AS String) AS %s"
                                                          : "%s%s AS %s",
            i ? ", " : "", record_contact.columns[i].name, record_contact.columns[i].name);
    buf_printf(&sql, " FROM kz.contact WHERE block = %" PRIu64, seq);
    enum err e =
        chdb_read_parts(s->chdb, (const char *)sql.data, "Native", take_bytes, &rows, f);
    if (!e)
        e = join(bytes_over(rows.data, rows.len), into, f);
    buf_done(&sql);
    buf_done(&rows);
    return e;
}

/* The numbers of the inserts that some rollup lacks, ascending, one a line. */
static enum err find_lacking(
    struct store *s, uint64_t *ret_least, struct buf *out, struct fault *f)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < s->view.roll_count; i++)
        least = s->view.rolls[i].upto < least ? s->view.rolls[i].upto : least;
    char sql[256];
    snprintf(sql, sizeof sql,
        "SELECT DISTINCT block FROM kz.contact WHERE block > %" PRIu64 " ORDER BY block",
        least);
    *ret_least = least;
    return chdb_read(s->chdb, sql, out, f);
}

enum err store_find_waiting(struct store *s, struct fault *f)
{
    struct buf lacking;
    struct block *b = NULL;
    uint64_t least = 0;
    buf_init(&lacking, STORE_SQL_MAX);
    block_clear(s->waiting);
    enum err e = find_lacking(s, &least, &lacking, f);
    if (!e)
        e = block_new(&b, &record_contact, record_contact.max_rows);
    view_widen(s, INT64_MAX, INT64_MIN, least);
    char *at = e || !lacking.len ? NULL : (char *)lacking.data;
    s->stale = false;
    while (!e && at && *at) {
        uint64_t seq = strtoull(at, &at, 10);
        at += *at == '\n';
        block_clear(b);
        e = read_back(s, seq, b, f);
        if (!e && b->rows)
            store_wait(s, b, seq);
    }
    if (e || s->stale)
        e = fault_set(f, e ? e : ERR_NOMEM, "store: contacts that wait cannot be read back");
    s->stale = e != OK;
    block_free(b);
    buf_done(&lacking);
    return e;
}

enum err store_find_span(struct store *s, struct fault *f)
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
        view_widen(s, found[0], found[1], s->view.contact_last);
    buf_done(&out);
    return e;
}
