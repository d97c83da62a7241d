/* Contacts on their way into the rollups. They wait in a block, all of one day, until there are
 * ROLL_ROWS of them or the day changes; then each rollup takes them in with one insert, and the
 * journal notes before and after what it is about. When an intake fails half way, no other
 * begins before it is finished: what waits is what every rollup lacks, or what some do and the
 * others have whole. Where more comes in than can be summed up at once, they wait in their
 * table instead (behind.c). */
#include "store/store_int.h"

#include <inttypes.h>
#include <stdio.h>

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

static enum err roll_one(struct store *s, struct roll *r, uint64_t upto, struct fault *f)
{
    enum err e = roll_settle(s, r, f);
    if (e || r->upto >= upto)
        return e;
    e = journal_rollup_set(s->journal, r->name, r->upto, upto, f);
    if (e)
        return e;
    r->doing = upto;
    e = roll_encode(s, r);
    if (e)
        return fault_set(f, e, "store: rollup %s: %s", r->name, err_text(e));
    e = store_insert(s, r->name, f);
    if (e)
        return e;
    view_rolled(s, r, r->doing);
    return journal_rollup_set(s->journal, r->name, r->upto, r->upto, f);
}

enum err store_roll(struct store *s, uint64_t upto, struct fault *f)
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
        e = roll_one(s, &s->view.rolls[i], upto, f);
    if (!e)
        block_clear(s->waiting);
    return e;
}

bool store_half_rolled(const struct store *s)
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
    bool more = false;
    if (s->behind)
        return behind_may_grow(s, rows) ? OK : store_catch_up(s, &more, f);
    if (!s->waiting->rows)
        return OK;
    if (!store_half_rolled(s) && day == s->waiting_day &&
        rows <= s->waiting->cap - s->waiting->rows)
        return OK;
    return store_roll_or_wait(s, f);
}

enum err store_roll_or_wait(struct store *s, struct fault *f)
{
    if (store_half_rolled(s) || !behind_may_grow(s, s->waiting->rows))
        return store_roll(s, s->view.contact_last, f);
    store_fall_behind(s);
    return OK;
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
    if (!s->waiting->rows && behind_may_grow(s, contacts->rows))
        s->behind = true;
    if (s->behind) {
        s->behind_rows += contacts->rows;
        return;
    }
    uint64_t before = seq - 1;
    enum err e = block_append(s->waiting, contacts, 0, contacts->rows);
    if (e == ERR_FULL && store_roll(s, before, NULL) == OK) /* too many words for one block */
        e = block_append(s->waiting, contacts, 0, contacts->rows);
    s->stale = s->stale || e;
    s->waiting_day = start[0] / RECORD_PARTITION;
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
