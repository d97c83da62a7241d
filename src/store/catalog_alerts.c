#include "store/catalog_int.h"
#include "store/catalog_rules_int.h"

#include "record/proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {
#define X(id, name) name,
    ALERT_STATES(X)
#undef X
};

const char *state_name(enum catalog_state s)
{
    return s < STATE_COUNT ? states[s] : states[STATE_NEW];
}

enum err state_parse(const char *word, enum catalog_state *ret_state)
{
    for (int i = 0; i < STATE_COUNT; i++)
        if (strcmp(word, states[i]) == 0) {
            *ret_state = (enum catalog_state)i;
            return OK;
        }
    return ERR_BAD;
}

#define ALERT_COLUMNS                                                                          \
    "id, time, start, \"end\", severity, kind, open, revision, json, state, note, "            \
    "changed_by, "                                                                             \
    "changed, seq, rule, back"

static void alert_read(const struct query *q, struct catalog_alert *a)
{
    struct bytes json = query_bytes_at(q, 8);
    memset(a, 0, sizeof *a);
    query_copy_at(q, 0, a->id, sizeof a->id);
    a->time = query_number_at(q, 1);
    a->start = query_number_at(q, 2);
    a->end = query_number_at(q, 3);
    a->severity = (enum severity)query_number_at(q, 4);
    query_copy_at(q, 5, a->kind, sizeof a->kind);
    a->open = query_number_at(q, 6) != 0;
    a->revision = (uint32_t)query_number_at(q, 7);
    a->json = (const char *)json.at;
    a->json_len = json.left;
    a->state = (enum catalog_state)query_number_at(q, 9);
    query_copy_at(q, 10, a->note, sizeof a->note);
    query_copy_at(q, 11, a->by, sizeof a->by);
    a->changed = query_number_at(q, 12);
    a->seq = query_number_at(q, 13);
    a->rule = query_number_at(q, 14);
    query_copy_at(q, 15, a->back, sizeof a->back);
}

static enum err alert_check(const struct catalog_alert *a, struct fault *f)
{
    enum err e = text_check("alert id", a->id, CATALOG_ALERT_ID, f);
    if (!e && (a->id[0] == 0 || (unsigned)a->severity > SEVERITY_CRITICAL))
        e = fault_set(f, ERR_BAD, "an alert needs an id and a severity");
    if (!e && a->json_len > CATALOG_ALERT_JSON)
        e = fault_set(f, ERR_BAD, "alert %s: its form is longer than %d bytes", a->id,
            CATALOG_ALERT_JSON);
    return e;
}

/* Within a transaction. A revision that is not newer changes nothing. */
static enum err alert_write(struct catalog *c, const struct catalog_alert *a, struct fault *f)
{
    enum err e = alert_check(a, f);
    if (e)
        return e;
    char *json = strndup(a->json, a->json_len);
    if (!json)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct query q;
    query_open(&q, c,
        "INSERT INTO alert (id, time, start, \"end\", severity, kind, open, revision, json, "
        "seq)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, (SELECT coalesce(max(seq), 0) + 1 FROM "
        "alert))"
        " ON CONFLICT (id) DO UPDATE SET time = ?2, start = ?3, \"end\" = ?4, severity = ?5,"
        " kind = ?6, open = ?7, revision = ?8, json = ?9, seq = excluded.seq"
        " WHERE excluded.revision > alert.revision",
        f);
    query_text(&q, a->id);
    query_number(&q, a->time);
    query_number(&q, a->start);
    query_number(&q, a->end);
    query_number(&q, a->severity);
    query_text(&q, a->kind);
    query_number(&q, a->open);
    query_number(&q, a->revision);
    query_text(&q, json);
    e = query_done(&q);
    free(json);
    return e;
}

/* Within a transaction: alerts, and what suppresses them as they are now. */
static enum err alerts_put(
    struct catalog *c, const struct catalog_alert *alerts, size_t count, struct fault *f)
{
    struct rule_list rules = {0};
    enum err e = suppressions_load(c, &rules, f);
    for (size_t i = 0; !e && i < count; i++) {
        e = alert_write(c, &alerts[i], f);
        if (!e && rules.count)
            e = suppressions_apply(c, &rules, alerts[i].id, alerts[i].end, f);
    }
    suppressions_done(&rules);
    return e;
}

enum err catalog_alert_put(struct catalog *c, const struct catalog_alert *a, struct fault *f)
{
    enum err e = catalog_begin(c, f);
    return e ? e : catalog_end(c, alerts_put(c, a, 1, f), f);
}

enum err catalog_alert_find(struct catalog *c, const char *id,
    enum err (*each)(void *context, const struct catalog_alert *a), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "SELECT " ALERT_COLUMNS " FROM alert WHERE id = ?", NULL);
    query_text(&q, id);
    if (query_row(&q)) {
        struct catalog_alert a;
        alert_read(&q, &a);
        query_fail(&q, each(context, &a));
    } else
        query_fail(&q, ERR_NOTFOUND);
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

static enum err mark_audit(
    struct catalog *c, const char *id, const struct catalog_mark *mark, struct fault *f)
{
    struct catalog_audit row = {.time = mark->time};
    snprintf(row.who, sizeof row.who, "%s", mark->by);
    snprintf(row.what, sizeof row.what, "alert.mark");
    snprintf(row.subject, sizeof row.subject, "%s", id);
    snprintf(row.detail, sizeof row.detail, "%s%s%.900s", state_name(mark->state),
        mark->note ? ": " : "", mark->note ? mark->note : "");
    return audit_put(c, &row, f);
}

enum err catalog_alert_mark(
    struct catalog *c, const char *id, const struct catalog_mark *mark, struct fault *f)
{
    enum err e = mark->note ? text_check("note", mark->note, CATALOG_NOTE, f) : OK;
    if (!e)
        e = text_check("name", mark->by, CATALOG_NAME, f);
    if (!e)
        e = catalog_begin(c, f);
    if (e)
        return e;
    struct query q;
    query_open(&q, c,
        "UPDATE alert SET state = ?1, note = coalesce(?2, note), changed_by = ?3, changed = ?4,"
        " rule = CASE WHEN ?1 IN (1, 3) THEN 0 ELSE rule END, back = '',"
        " seq = (SELECT max(seq) + 1 FROM alert) WHERE id = ?5",
        f);
    query_number(&q, mark->state);
    query_text(&q, mark->note);
    query_text(&q, mark->by);
    query_number(&q, mark->time);
    query_text(&q, id);
    e = query_done(&q);
    if (!e && catalog_changes(c) == 0)
        e = fault_set(f, ERR_NOTFOUND, "there is no alert %s", id);
    if (!e)
        e = mark_audit(c, id, mark, f);
    return catalog_end(c, e, f);
}

/* ---- lists ---- */

void catalog_alert_query_init(struct catalog_alert_query *q)
{
    *q = (struct catalog_alert_query){
        .proto = -1, .port = -1, .state = -1, .open = -1, .suppressed = -1};
}

/* A cursor is "TIME:ID" of the last alert that was given. */
static enum err cursor_read(
    const char *cursor, int64_t *ret_time, char id[CATALOG_ALERT_ID], struct fault *f)
{
    char *end;
    long long time = strtoll(cursor, &end, 10);
    if (end == cursor || *end != ':' || !end[1] || strlen(end + 1) >= CATALOG_ALERT_ID)
        return fault_set(f, ERR_BAD, "cursor: not one that an answer gave");
    *ret_time = time;
    snprintf(id, CATALOG_ALERT_ID, "%s", end + 1);
    return OK;
}

/* Every condition is off when its parameter is NULL, so that one statement serves all
 * questions. */
static const char list_sql[] =
    "SELECT " ALERT_COLUMNS " FROM alert WHERE severity >= ?1"
    " AND (?2 IS NULL OR \"end\" >= ?2) AND (?3 IS NULL OR start < ?3)"
    " AND (?4 IS NULL OR kind = ?4)"
    " AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(alert.json, '$.sites') WHERE "
    "json_each.value = ?5))"
    " AND (?6 IS NULL OR EXISTS (SELECT 1 FROM json_each(alert.json, '$.countries') WHERE "
    "json_each.value = "
    "?6))"
    " AND (?7 IS NULL OR json_extract(json, '$.proto') = ?7)"
    " AND (?8 IS NULL OR EXISTS (SELECT 1 FROM json_each(alert.json, '$.ports') WHERE "
    "json_each.value = ?8))"
    " AND (?9 IS NULL OR state = ?9) AND (?10 IS NULL OR open = ?10)"
    " AND (?11 IS NULL OR instr(lower(json_extract(json, '$.title') || ' ' ||"
    " json_extract(json, '$.explanation')), lower(?11)) > 0)"
    " AND (?12 IS NULL OR seq > ?12) AND (?13 IS NULL OR (time, id) < (?13, ?14))"
    " AND (?15 IS NULL OR (rule > 0) = ?15)"
    " AND (?16 IS NULL OR EXISTS (SELECT 1 FROM json_each(alert.json, '$.engine') WHERE "
    "json_each.value = ?16))"
    " ORDER BY ";

static void query_number_or_null(struct query *q, bool given, int64_t value)
{
    if (given)
        query_number(q, value);
    else
        query_text(q, NULL);
}

static void list_bind(struct query *q, const struct catalog_alert_query *a, const char *proto,
    const int64_t *cursor_time, const char *cursor_id)
{
    bool span = a->from || a->to;
    query_number(q, a->least);
    query_number_or_null(q, span, a->from);
    query_number_or_null(q, span, a->to);
    query_text(q, a->kind);
    query_text(q, a->site);
    query_text(q, a->country);
    query_text(q, proto);
    query_number_or_null(q, a->port >= 0, a->port);
    query_number_or_null(q, a->state >= 0, a->state);
    query_number_or_null(q, a->open >= 0, a->open);
    query_text(q, a->words);
    query_number_or_null(q, a->after_seq > 0, a->after_seq);
    query_number_or_null(q, cursor_time != NULL, cursor_time ? *cursor_time : 0);
    query_text(q, cursor_time ? cursor_id : NULL);
    query_number_or_null(q, a->suppressed >= 0, a->suppressed);
    query_text(q, a->engine);
}

enum {
    LIST_LIMIT = 100,
    LIST_MOST = 1000
};

enum err catalog_alerts(struct catalog *c, const struct catalog_alert_query *wanted,
    enum err (*each)(void *context, const struct catalog_alert *a), void *context,
    char ret_cursor[CATALOG_CURSOR], struct fault *f)
{
    char sql[sizeof list_sql + 64];
    char proto[PROTO_TEXT];
    char id[CATALOG_ALERT_ID] = "";
    int64_t time = 0;
    bool paged = wanted->cursor && *wanted->cursor;
    enum err e = paged ? cursor_read(wanted->cursor, &time, id, f) : OK;
    if (e)
        return e;
    size_t limit = wanted->limit ? wanted->limit : LIST_LIMIT;
    limit = limit > LIST_MOST ? LIST_MOST : limit;
    snprintf(sql, sizeof sql, "%s%s LIMIT %zu", list_sql,
        wanted->after_seq > 0 ? "seq" : "time DESC, id DESC", limit + 1);
    struct query q;
    catalog_enter(c);
    query_open(&q, c, sql, f);
    list_bind(&q, wanted,
        wanted->proto >= 0 ? proto_format((uint8_t)wanted->proto, proto) : NULL,
        paged ? &time : NULL, id);
    size_t given = 0;
    bool more = false;
    while (!more && query_row(&q)) {
        struct catalog_alert row;
        more = given++ == limit;
        if (more)
            break;
        alert_read(&q, &row);
        time = row.time;
        snprintf(id, sizeof id, "%s", row.id);
        query_fail(&q, each(context, &row));
    }
    e = query_end(&q);
    catalog_leave(c);
    if (!e && ret_cursor)
        ret_cursor[0] = 0;
    if (!e && ret_cursor && more)
        snprintf(ret_cursor, CATALOG_CURSOR, "%lld:%s", (long long)time, id);
    return e;
}

/* ---- the close of a window ---- */

enum err catalog_window_put(struct catalog *c, const struct catalog_alert *alerts,
    size_t alert_count, const struct catalog_engine_state *engine_states, size_t state_count,
    struct fault *f)
{
    enum err e = catalog_begin(c, f);
    if (e)
        return e;
    e = alerts_put(c, alerts, alert_count, f);
    for (size_t i = 0; i < state_count && !e; i++)
        e = catalog_state_put(c, &engine_states[i], f);
    return catalog_end(c, e, f);
}
