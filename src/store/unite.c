/* What is made when an hour or a day is over: rollups from finer ones, one row for each key,
 * sketches for sets; and one part of the contacts by source. Nothing is lost when that fails or
 * a crash ends it: the unit stays open, is answered from the finer rollup, and is made again.
 * It is done where nothing else waits to be written (store_upkeep()), and lets blocks come in
 * meanwhile. */
#include "store/store_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRACE_MINUTES = 30,   /* of data after the end of a unit, for what comes late */
    AT_ONCE = 6,          /* hours that are united with one statement */
    UNSCREENED_HOURS = 6, /* of data after its end: what was not screened by then never is */
    QUIET_ROWS = 1 << 16  /* contacts that do not wait for more when it is quiet */
};

uint32_t store_hours_of(const struct block *rows)
{
    const int64_t *start = block_time(rows, 0);
    uint32_t hours = 0;
    for (size_t i = 0; i < rows->rows; i++)
        hours |= 1u << (uint64_t)(start[i] / US_HOUR) % 24;
    return hours;
}

/* Calls `touch` for each unit of `u` that the hours of the day fall on and that is not open;
 * stops at the first fault. */
static enum err each_closed(struct store *s, struct united *u, int64_t day, uint32_t hours,
    enum err (*touch)(struct store *s, struct united *u, int64_t unit, struct fault *f),
    struct fault *f)
{
    enum err e = OK;
    for (unsigned h = 0; !e && h < 24; h++) {
        int64_t unit = (day * US_DAY + h * US_HOUR) / u->unit;
        if (hours & 1u << h && !view_is_open(u, unit))
            e = touch(s, u, unit, f);
    }
    return e;
}

static enum err note_open(struct store *s, struct united *u, int64_t unit, struct fault *f)
{
    if (u->open_count + US_DAY / US_HOUR > (size_t)(OPEN_DAYS_MAX * (US_DAY / u->unit)))
        return fault_set(f, ERR_FULL, "store: more than %d days are open", OPEN_DAYS_MAX);
    return journal_day_changed(s->journal, u->name, unit, f);
}

static enum err show_open(struct store *s, struct united *u, int64_t unit, struct fault *f)
{
    (void)f;
    view_open_unit(s, u, unit);
    return OK;
}

bool store_is_of_tags(const struct united *u)
{
    return u->how == UNITED_TAGS || u->how == UNITED_TAG_DAYS;
}

/* Does it change what is united there? Contacts change all, what screening says what is by
 * tags. */
static bool concerns(const struct record *kind, const struct united *u)
{
    return kind == &record_contact || store_is_of_tags(u);
}

static bool all_open(
    const struct store *s, const struct record *kind, int64_t day, uint32_t hours)
{
    for (size_t i = 0; i < s->view.united_count; i++) {
        const struct united *u = &s->view.unites[i];
        for (unsigned h = 0; concerns(kind, u) && h < 24; h++)
            if (hours & 1u << h && !view_is_open(u, (day * US_DAY + h * US_HOUR) / u->unit))
                return false;
    }
    return true;
}

enum err store_open_hours(
    struct store *s, const struct record *kind, int64_t day, uint32_t hours, struct fault *f)
{
    for (unsigned h = 0; s->uniting && h < 24; h++) {
        int64_t time = day * US_DAY + h * US_HOUR;
        if (hours & 1u << h && time >= s->uniting_from && time < s->uniting_to)
            s->spoiled = true;
    }
    if (all_open(s, kind, day, hours))
        return OK;
    enum err e = journal_together(s->journal, f);
    if (e)
        return e;
    for (size_t i = 0; !e && i < s->view.united_count; i++)
        if (concerns(kind, &s->view.unites[i]))
            e = each_closed(s, &s->view.unites[i], day, hours, note_open, f);
    e = journal_together_end(s->journal, e, f);
    for (size_t i = 0; !e && i < s->view.united_count; i++)
        if (concerns(kind, &s->view.unites[i]))
            e = each_closed(s, &s->view.unites[i], day, hours, show_open, f);
    return e;
}

/* Units of one table that are united together, all of one day. */
struct run {
    struct united *of;
    int64_t units[AT_ONCE];
    size_t count;
    int64_t from, to; /* us: the first's beginning, the last's end */
    bool begun;       /* some rows may be there */
};

/* "time >= 1 AND time < 9 AND intDiv(time, 2) IN (1, 3)". */
static void put_run(const struct run *run, const char *time, struct buf *out)
{
    buf_printf(out, "%s >= %" PRId64 " AND %s < %" PRId64 " AND intDiv(%s, %" PRId64 ") IN (",
        time, run->from, time, run->to, time, run->of->unit);
    for (size_t i = 0; i < run->count; i++)
        buf_printf(out, "%s%" PRId64, i ? ", " : "", run->units[i]);
    buf_str(out, ")");
}

static enum err drop_rows_of(
    struct store *s, const struct run *run, const char *table, struct fault *f)
{
    struct buf sql;
    buf_init(&sql, STORE_SQL_MAX);
    buf_printf(&sql, "ALTER TABLE kz.%s DELETE WHERE ", table);
    put_run(run, "time", &sql);
    buf_str(&sql, " SETTINGS mutations_sync = 1");
    pthread_rwlock_wrlock(&s->removal);
    enum err e = sql.err ? sql.err : chdb_keep(s->chdb, (const char *)sql.data, f);
    pthread_rwlock_unlock(&s->removal);
    buf_done(&sql);
    return e;
}

static enum err drop_rows(struct store *s, const struct run *run, struct fault *f)
{
    const struct united *u = run->of;
    if (!store_is_of_tags(u))
        return drop_rows_of(s, run, u->name, f);
    enum err e = u->how == UNITED_TAGS ? drop_rows_of(s, run, BUSIEST_TAGS, f) : OK;
    for (size_t i = 0; !e && i < rollup_count; i++)
        if (rollups[i].tags && rollups[i].unit == u->unit)
            e = drop_rows_of(s, run, rollups[i].name, f);
    return e;
}

/* The statement of one step, if it has one; false after the last. */
static bool put_step(const struct run *run, unsigned step, struct buf *out)
{
    bool more = step + 1 < UNITE_STEPS;
    const struct united *u = run->of;
    struct buf time;
    struct buf start;
    buf_init(&time, 4096);
    buf_init(&start, 4096);
    put_run(run, "time", &time);
    put_run(run, "start", &start);
    if (u->how == UNITED_SUMS)
        schema_unite(u->rollup, step, (const char *)time.data, out);
    else if (u->how == UNITED_SOURCES && step == 0)
        schema_unite_busiest((const char *)start.data, (const char *)time.data, out);
    else if (u->how == UNITED_BY_SOURCE && step == 0)
        buf_printf(
            out, "OPTIMIZE TABLE kz.%s PARTITION %" PRId64 " FINAL", u->name, run->units[0]);
    else if (store_is_of_tags(u))
        more = schema_unite_tags(
            u->unit, step, (const char *)start.data, (const char *)time.data, out);
    out->err = out->err ? out->err : time.err ? time.err : start.err;
    buf_done(&time);
    buf_done(&start);
    return more;
}

/* Is there anything to make? What was not screened has no rows by tags. */
static enum err has_rows(
    struct store *s, const struct run *run, bool *ret_rows, struct fault *f)
{
    struct buf sql;
    int64_t screened = 1;
    enum err e = OK;
    buf_init(&sql, STORE_SQL_MAX);
    if (run->of->how == UNITED_TAGS) {
        buf_str(&sql, "SELECT count() FROM kz.screening WHERE tag = '' AND ");
        put_run(run, "start", &sql);
        e = sql.err ? sql.err : store_number(s, (const char *)sql.data, 0, &screened, f);
    }
    *ret_rows = screened > 0;
    buf_done(&sql);
    return e;
}

/* The engine's part, without the lock. */
static enum err make_run(struct store *s, const struct run *run, struct fault *f)
{
    struct buf sql;
    bool more = false;
    enum err e = has_rows(s, run, &more, f);
    buf_init(&sql, STORE_SQL_MAX);
    if (!e && run->of->how != UNITED_BY_SOURCE && run->begun)
        e = drop_rows(s, run, f);
    for (unsigned step = 0; !e && more; step++) {
        buf_clear(&sql);
        more = put_step(run, step, &sql);
        if (sql.err || sql.len)
            e = sql.err ? sql.err : chdb_keep(s->chdb, (const char *)sql.data, f);
    }
    buf_done(&sql);
    return e;
}

/* The journal notes that the units are begun, or that they are done. */
static enum err note_run(struct store *s, struct run *run, bool done, struct fault *f)
{
    enum err e = journal_together(s->journal, f);
    if (e)
        return e;
    for (size_t i = 0; !e && i < run->count; i++) {
        int64_t unit = run->units[i];
        bool begun = false;
        e = done ? journal_day_united(s->journal, run->of->name, unit, f)
                 : journal_day_begin(s->journal, run->of->name, unit, &begun, f);
        run->begun = run->begun || begun;
    }
    return journal_together_end(s->journal, e, f);
}

/* The lock is given back for as long as the engine works. */
static enum err unite_run(struct store *s, struct run *run, struct fault *f)
{
    enum err e = note_run(s, run, false, f);
    if (e)
        return e;
    s->uniting = run->of;
    s->uniting_from = run->from;
    s->uniting_to = run->to;
    s->spoiled = false;
    pthread_mutex_unlock(&s->append);
    e = make_run(s, run, f);
    pthread_mutex_lock(&s->append);
    s->uniting = NULL;
    if (e || s->spoiled)
        return e;
    e = note_run(s, run, true, f);
    for (size_t i = 0; !e && i < run->count; i++)
        view_close_unit(s, run->of, run->units[i]);
    return e;
}

/* Has enough come in after the end of the unit? */
static bool is_over(const struct store *s, int64_t end)
{
    return s->view.last_start >= end + GRACE_MINUTES * US_MINUTE;
}

/* Do contacts that are in no rollup yet fall into the unit? `waiting`: hours of theirs. */
static bool is_waited_for(
    const struct store *s, uint32_t waiting, const struct united *u, int64_t unit)
{
    for (unsigned h = 0; waiting && h < 24; h++)
        if (waiting & 1u << h && (s->waiting_day * US_DAY + h * US_HOUR) / u->unit == unit)
            return true;
    return false;
}

/* Have all windows of the hour been screened that ever will be? Screening follows the contacts;
 * where it is long behind them, there may be none. */
static bool is_screened(const struct store *s, int64_t end)
{
    return s->view.screened_last >= end ||
           s->view.last_start >= end + UNSCREENED_HOURS * US_HOUR;
}

bool store_tags_are_united(const struct store *s, int64_t day)
{
    const struct united *hours = view_united(&s->view, UNITED_TAGS);
    for (int64_t h = 0; h < US_DAY / US_HOUR; h++)
        if (view_is_open(hours, day * (US_DAY / US_HOUR) + h))
            return false;
    return true;
}

static bool is_ready(
    const struct store *s, uint32_t waiting, const struct united *u, int64_t unit)
{
    int64_t end = (unit + 1) * u->unit;
    if (!is_over(s, end) || is_waited_for(s, waiting, u, unit))
        return false;
    return (u->how != UNITED_TAGS || is_screened(s, end)) &&
           (u->how != UNITED_TAG_DAYS || store_tags_are_united(s, unit));
}

/* The unit at `k` of the open ones, and those of its day that are ready, too. */
static struct run run_from(const struct store *s, uint32_t waiting, struct united *u, size_t k)
{
    struct run run = {.of = u};
    int64_t day = u->open[k] * u->unit / US_DAY;
    for (; k < u->open_count && run.count < AT_ONCE; k++) {
        if (u->open[k] * u->unit / US_DAY != day)
            break;
        if (is_ready(s, waiting, u, u->open[k]))
            run.units[run.count++] = u->open[k];
    }
    run.from = run.units[0] * u->unit;
    run.to = (run.units[run.count - 1] + 1) * u->unit;
    return run;
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
        if ((late_only && u->open_count <= (size_t)(LATE_DAYS * (US_DAY / u->unit))) ||
            (s->hurry && u->how == UNITED_BY_SOURCE)) /* a merge */
            continue;
        uint32_t waiting = store_hours_of(s->waiting);
        for (size_t k = 0; k < u->open_count; k++) {
            if (!is_ready(s, waiting, u, u->open[k]))
                continue;
            struct run run = run_from(s, waiting, u, k);
            *ret_done = true;
            return unite_run(s, &run, f);
        }
    }
    return OK;
}

/* When it is quiet, contacts do not wait until they are half a million: every question would
 * have to count them, and no hour of theirs could be united. */
static bool should_roll(const struct store *s)
{
    int64_t hour = s->waiting_day * US_DAY;
    uint32_t waiting = store_hours_of(s->waiting);
    for (unsigned h = 0; h < 24; h++)
        if (waiting & 1u << h && is_over(s, hour + (h + 1) * US_HOUR))
            return true;
    return s->waiting->rows >= QUIET_ROWS;
}

enum err store_upkeep(struct store *s, bool *ret_more, struct fault *f)
{
    enum err e = store_ready(s, f);
    if (e)
        return e;
    pthread_mutex_lock(&s->append);
    bool more = false;
    e = store_hurry_end(s, f);
    if (!e && !s->stale && !s->unresolved)
        e = store_catch_up(s, &more, f);
    if (!e && !more && s->waiting->rows && !s->stale && !s->unresolved && should_roll(s)) {
        more = true;
        e = store_roll(s, s->view.contact_last, f);
    }
    if (!e && !more)
        e = store_unite(s, false, &more, f);
    if (!e)
        *ret_more = more;
    pthread_mutex_unlock(&s->append);
    return e;
}

enum err store_find_open_units(struct store *s, struct fault *f)
{
    for (size_t i = 0; i < s->view.united_count; i++) {
        struct united *u = &s->view.unites[i];
        int64_t unit = INT64_MIN;
        size_t most = (size_t)(OPEN_DAYS_MAX * (US_DAY / u->unit));
        u->open = malloc(most * sizeof *u->open);
        if (!u->open)
            return fault_set(f, ERR_NOMEM, "store: out of memory");
        enum err e = OK;
        while (!e && u->open_count < most) {
            e = journal_day_open(s->journal, u->name, unit, &unit, f);
            if (!e)
                u->open[u->open_count++] = unit;
        }
        if (e && e != ERR_NOTFOUND)
            return e;
    }
    return OK;
}
