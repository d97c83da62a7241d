/* What is made when a day is over: rollups by the day, totals by the hour and the busiest ports
 * from finer rollups, one row for each key, sketches for sets; and one part of the contacts by
 * source. Nothing is lost when that fails or a crash ends it: the day stays open, is answered
 * from the finer rollup, and is made again. It is done where nothing else waits to be written
 * (store_upkeep()), and lets blocks come in meanwhile. */
#include "store/store_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRACE_HOURS = 1 /* of data after the end of a day, for what comes late */
};

enum err store_open_day(struct store *s, int64_t day, struct fault *f)
{
    if (s->uniting && s->uniting_day == day)
        s->spoiled = true;
    for (size_t i = 0; i < s->view.united_count; i++) {
        struct united *u = &s->view.unites[i];
        if (view_is_open(u, day))
            continue;
        if (u->open_count == OPEN_DAYS_MAX)
            return fault_set(f, ERR_FULL, "store: more than %d days are open", OPEN_DAYS_MAX);
        enum err e = journal_day_changed(s->journal, u->name, day, f);
        if (e)
            return e;
        view_open_day(s, u, day);
    }
    return OK;
}

static enum err drop_rows(
    struct store *s, const struct united *u, int64_t from, int64_t to, struct fault *f)
{
    struct buf sql;
    buf_init(&sql, STORE_SQL_MAX);
    buf_printf(&sql,
        "ALTER TABLE kz.%s DELETE WHERE time >= %" PRId64 " AND time < %" PRId64
        " SETTINGS mutations_sync = 1",
        u->name, from, to);
    pthread_rwlock_wrlock(&s->removal);
    enum err e = sql.err ? sql.err : chdb_keep(s->chdb, (const char *)sql.data, f);
    pthread_rwlock_unlock(&s->removal);
    buf_done(&sql);
    return e;
}

/* The engine's part, without the lock. */
static enum err make_day(
    struct store *s, const struct united *u, int64_t day, bool begun, struct fault *f)
{
    int64_t from = day * RECORD_PARTITION;
    int64_t to = from + RECORD_PARTITION;
    struct buf sql;
    enum err e = OK;
    buf_init(&sql, STORE_SQL_MAX);
    if (u->rollup && begun)
        e = drop_rows(s, u, from, to, f);
    for (unsigned step = 0; !e && step < UNITE_STEPS; step++) {
        buf_clear(&sql);
        if (u->rollup)
            schema_unite(u->rollup, step, from, to, &sql);
        else if (step == 0)
            buf_printf(&sql, "OPTIMIZE TABLE kz.%s PARTITION %" PRId64 " FINAL", u->name, day);
        if (sql.err || sql.len)
            e = sql.err ? sql.err : chdb_keep(s->chdb, (const char *)sql.data, f);
    }
    buf_done(&sql);
    return e;
}

/* The lock is given back for as long as the engine works. */
static enum err unite_day(struct store *s, struct united *u, int64_t day, struct fault *f)
{
    bool begun = false;
    enum err e = journal_day_begin(s->journal, u->name, day, &begun, f);
    if (e)
        return e;
    s->uniting = u;
    s->uniting_day = day;
    s->spoiled = false;
    pthread_mutex_unlock(&s->append);
    e = make_day(s, u, day, begun, f);
    pthread_mutex_lock(&s->append);
    s->uniting = NULL;
    if (e || s->spoiled)
        return e;
    e = journal_day_united(s->journal, u->name, day, f);
    if (!e)
        view_close_day(s, u, day);
    return e;
}

/* Is the day over, and are all its contacts in the rollups? */
static bool is_over(const struct store *s, int64_t day)
{
    bool waits = s->waiting->rows && s->waiting_day == day;
    return !waits && s->view.last_start >= (day + 1) * US_DAY + GRACE_HOURS * US_HOUR;
}

enum err store_unite(struct store *s, bool late_only, bool *ret_done, struct fault *f)
{
    *ret_done = false;
    if (s->uniting || s->stale || s->unresolved || s->behind)
        return OK;
    const struct view *v = &s->view;
    for (size_t i = 0; i < v->roll_count; i++)
        if (v->rolls[i].upto != v->rolls[0].upto || v->rolls[i].doing > v->rolls[i].upto)
            return OK; /* an intake failed half way and comes first */
    for (size_t i = 0; i < v->united_count; i++) {
        struct united *u = &s->view.unites[i];
        for (size_t k = 0; k < u->open_count; k++) {
            int64_t day = u->open[k];
            if (!is_over(s, day) || (late_only && u->open_count <= LATE_DAYS) ||
                (s->hurry && !u->rollup)) /* a merge */
                continue;
            *ret_done = true;
            return unite_day(s, u, day, f);
        }
    }
    return OK;
}

enum err store_upkeep(struct store *s, bool *ret_more, struct fault *f)
{
    pthread_mutex_lock(&s->append);
    bool more = false;
    enum err e = store_hurry_end(s, f);
    if (!e && !s->stale && !s->unresolved)
        e = store_catch_up(s, &more, f);
    if (!e && !more)
        e = store_unite(s, false, &more, f);
    if (!e)
        *ret_more = more;
    pthread_mutex_unlock(&s->append);
    return e;
}

enum err store_find_open_days(struct store *s, struct fault *f)
{
    for (size_t i = 0; i < s->view.united_count; i++) {
        struct united *u = &s->view.unites[i];
        int64_t day = INT64_MIN;
        u->open = malloc(OPEN_DAYS_MAX * sizeof *u->open);
        if (!u->open)
            return fault_set(f, ERR_NOMEM, "store: out of memory");
        enum err e = OK;
        while (!e && u->open_count < OPEN_DAYS_MAX) {
            e = journal_day_open(s->journal, u->name, day, &day, f);
            if (!e)
                u->open[u->open_count++] = day;
        }
        if (e && e != ERR_NOTFOUND)
            return e;
    }
    return OK;
}
