/* A folder of format 3 or 4 becomes one of this format. Records and the rollups that are made
 * as contacts come in are the same in all. What is united from these was by the day and in
 * other tables in format 3, and neither had anything by tags: that is made in quiet moments. */
#include "store/store_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What format 3 made when a day was over. */
static const char *const united_then[] = {
    "total_day", "tool_day", "country_day", "port_day", "asn_day", "total_hour", "port_top"};

enum err store_upgrade_begin(struct store *s, struct fault *f)
{
    enum err e = OK;
    if (!journal_is_before(s->journal, 4))
        return OK;
    for (size_t i = 0; !e && i < sizeof united_then / sizeof *united_then; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS kz.%s", united_then[i]);
        e = chdb_write(s->chdb, sql, f);
    }
    /* Those of this format, if it was begun before. */
    for (size_t i = 0; !e && i < s->view.united_count; i++) {
        char sql[128];
        if (s->view.unites[i].how != UNITED_SUMS && s->view.unites[i].how != UNITED_SOURCES)
            continue;
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS kz.%s", s->view.unites[i].name);
        e = chdb_write(s->chdb, sql, f);
    }
    return e;
}

/* Every unit of which there are rows is open. */
static enum err open_all(struct store *s, const struct united *u, struct fault *f)
{
    char sql[512];
    struct buf out;
    buf_init(&out, STORE_SQL_MAX);
    snprintf(sql, sizeof sql,
        "SELECT DISTINCT intDiv(time, %" PRId64 ") AS n FROM (SELECT time FROM kz.%s UNION ALL "
        "SELECT start AS time FROM kz.contact) ORDER BY n",
        u->unit, u->rollup ? u->rollup->from : BUSIEST_SOURCES);
    if (store_is_of_tags(u))
        snprintf(sql, sizeof sql,
            "SELECT DISTINCT intDiv(start, %" PRId64
            ") AS n FROM kz.screening WHERE tag = '' ORDER BY n",
            u->unit);
    enum err e = chdb_read(s->chdb, sql, &out, f);
    char *at = e || !out.len ? NULL : (char *)out.data;
    while (!e && at && *at) {
        int64_t unit = strtoll(at, &at, 10);
        at += *at == '\n';
        e = journal_day_changed(s->journal, u->name, unit, f);
    }
    buf_done(&out);
    return e;
}

enum err store_upgrade_end(struct store *s, struct fault *f)
{
    if (!journal_is_before(s->journal, 5))
        return OK;
    bool all = journal_is_before(s->journal, 4);
    enum err e = journal_together(s->journal, f);
    if (e)
        return e;
    for (size_t i = 0; !e && all && i < sizeof united_then / sizeof *united_then; i++)
        e = journal_day_forget(s->journal, united_then[i], f);
    for (size_t i = 0; !e && i < s->view.united_count; i++) {
        const struct united *u = &s->view.unites[i];
        if (store_is_of_tags(u) || (all && u->how != UNITED_BY_SOURCE))
            e = open_all(s, u, f);
    }
    if (!e)
        e = journal_renew(s->journal, f);
    return journal_together_end(s->journal, e, f);
}
