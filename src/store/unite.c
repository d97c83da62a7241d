/* Rollups by the day, and totals by the hour, are made from finer ones when a day is over: one
 * row for each key, sketches for sets. Nothing is lost when that fails or a crash ends it: the
 * day stays open, is answered from the finer rollup, and is made again. */
#include "store/store_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRACE_HOURS = 1 /* of data after the end of a day, for what comes late */
};

/* Where `day` is among the open days of `u`, or would be. */
static size_t place_of(const struct united *u, int64_t day)
{
    size_t at = u->open_count;
    while (at > 0 && u->open[at - 1] >= day)
        at--;
    return at;
}

static bool is_open(const struct united *u, int64_t day)
{
    size_t at = place_of(u, day);
    return at < u->open_count && u->open[at] == day;
}

/* Room was made by store_find_open_days(). */
static void add_day(struct united *u, int64_t day)
{
    size_t at = place_of(u, day);
    memmove(&u->open[at + 1], &u->open[at], (u->open_count - at) * sizeof *u->open);
    u->open[at] = day;
    u->open_count++;
}

static void remove_day(struct united *u, int64_t day)
{
    size_t at = place_of(u, day);
    u->open_count--;
    memmove(&u->open[at], &u->open[at + 1], (u->open_count - at) * sizeof *u->open);
}

enum err store_open_day(struct store *s, int64_t day, struct fault *f)
{
    for (size_t i = 0; i < s->united_count; i++) {
        struct united *u = &s->unites[i];
        if (is_open(u, day))
            continue;
        if (u->open_count == OPEN_DAYS_MAX)
            return fault_set(f, ERR_FULL, "store: more than %d days are open", OPEN_DAYS_MAX);
        enum err e = journal_day_changed(s->journal, u->rollup->name, day, f);
        if (e)
            return e;
        pthread_rwlock_wrlock(&s->rolling);
        add_day(u, day);
        pthread_rwlock_unlock(&s->rolling);
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
        u->rollup->name, from, to);
    enum err e = sql.err ? sql.err : chdb_write(s->chdb, (const char *)sql.data, f);
    buf_done(&sql);
    return e;
}

static enum err unite_day(struct store *s, struct united *u, int64_t day, struct fault *f)
{
    int64_t from = day * RECORD_PARTITION;
    int64_t to = from + RECORD_PARTITION;
    bool begun = false;
    enum err e = journal_day_begin(s->journal, u->rollup->name, day, &begun, f);
    if (!e && begun)
        e = drop_rows(s, u, from, to, f);
    if (e)
        return e;
    struct buf sql;
    buf_init(&sql, STORE_SQL_MAX);
    schema_unite(u->rollup, from, to, &sql);
    e = sql.err ? sql.err : chdb_write(s->chdb, (const char *)sql.data, f);
    buf_done(&sql);
    if (!e)
        e = journal_day_united(s->journal, u->rollup->name, day, f);
    if (e)
        return e;
    pthread_rwlock_wrlock(&s->rolling);
    remove_day(u, day);
    pthread_rwlock_unlock(&s->rolling);
    return OK;
}

enum err store_unite(struct store *s, struct fault *f)
{
    for (size_t i = 0; i < s->roll_count; i++)
        if (s->rolls[i].upto != s->rolls[0].upto || s->rolls[i].doing > s->rolls[i].upto)
            return OK; /* an intake failed half way and comes first */
    for (size_t i = 0; i < s->united_count; i++) {
        struct united *u = &s->unites[i];
        for (size_t k = 0; k < u->open_count; k++) {
            int64_t day = u->open[k];
            bool waits = s->waiting->rows && s->waiting_day == day;
            if (waits || s->last_start < (day + 1) * US_DAY + GRACE_HOURS * US_HOUR)
                continue;
            return unite_day(s, u, day, f);
        }
    }
    return OK;
}

enum err store_find_open_days(struct store *s, struct fault *f)
{
    for (size_t i = 0; i < s->united_count; i++) {
        struct united *u = &s->unites[i];
        int64_t day = INT64_MIN;
        u->open = malloc(OPEN_DAYS_MAX * sizeof *u->open);
        if (!u->open)
            return fault_set(f, ERR_NOMEM, "store: out of memory");
        enum err e = OK;
        while (!e && u->open_count < OPEN_DAYS_MAX) {
            e = journal_day_open(s->journal, u->rollup->name, day, &day, f);
            if (!e)
                u->open[u->open_count++] = day;
        }
        if (e && e != ERR_NOTFOUND)
            return e;
    }
    return OK;
}
