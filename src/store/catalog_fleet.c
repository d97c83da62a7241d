#include "store/catalog_fleet.h"

#include "store/catalog_int.h"

#include <stdio.h>

/* ---- how sites were ---- */

#define EVENT_COLUMNS "seq, time, since, site, state, reason, detail"

static void event_read(const struct query *q, struct catalog_site_event *e)
{
    *e = (struct catalog_site_event){.seq = query_number_at(q, 0)};
    e->time = query_number_at(q, 1);
    e->since = query_number_at(q, 2);
    query_copy_at(q, 3, e->site, sizeof e->site);
    query_copy_at(q, 4, e->state, sizeof e->state);
    query_copy_at(q, 5, e->reason, sizeof e->reason);
    query_copy_at(q, 6, e->detail, sizeof e->detail);
}

static enum err event_insert(
    struct catalog *c, const struct catalog_site_event *e, struct fault *f)
{
    struct query q;
    query_open(&q, c,
        "INSERT INTO site_event (site, time, since, state, reason, detail)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        f);
    query_text(&q, e->site);
    query_number(&q, e->time);
    query_number(&q, e->since);
    query_text(&q, e->state);
    query_text(&q, e->reason);
    query_text(&q, e->detail);
    return query_done(&q);
}

/* The oldest beyond the cap. */
static enum err events_prune(struct catalog *c, const char *site, struct fault *f)
{
    struct query q;
    query_open(&q, c,
        "DELETE FROM site_event WHERE site = ?1 AND seq <="
        " (SELECT seq FROM site_event WHERE site = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
        f);
    query_text(&q, site);
    query_number(&q, CATALOG_SITE_EVENTS);
    return query_done(&q);
}

enum err catalog_site_event_add(
    struct catalog *c, const struct catalog_site_event *e, struct fault *f)
{
    enum err err = catalog_begin(c, f);
    if (err)
        return err;
    err = event_insert(c, e, f);
    if (!err)
        err = events_prune(c, e->site, f);
    return catalog_end(c, err, f);
}

static enum err events_give(struct query *q,
    enum err (*each)(void *context, const struct catalog_site_event *e), void *context)
{
    while (query_row(q)) {
        struct catalog_site_event e;
        event_read(q, &e);
        query_fail(q, each(context, &e));
    }
    return query_end(q);
}

enum err catalog_site_events(struct catalog *c, const char *site, int64_t from,
    enum err (*each)(void *context, const struct catalog_site_event *e), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT " EVENT_COLUMNS " FROM site_event WHERE site = ?1 AND seq >= coalesce("
        "(SELECT max(seq) FROM site_event WHERE site = ?1 AND time < ?2), 0) ORDER BY seq",
        NULL);
    query_text(&q, site);
    query_number(&q, from);
    enum err e = events_give(&q, each, context);
    catalog_leave(c);
    return e;
}

enum err catalog_site_states(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_site_event *e), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT " EVENT_COLUMNS " FROM site_event WHERE seq IN"
        " (SELECT max(seq) FROM site_event GROUP BY site) ORDER BY site",
        NULL);
    enum err e = events_give(&q, each, context);
    catalog_leave(c);
    return e;
}

static enum err heard_put(struct catalog *c, const struct catalog_heard *h)
{
    struct query q;
    query_open(&q, c, "INSERT OR REPLACE INTO site_heard (site, time) VALUES (?, ?)", NULL);
    query_text(&q, h->site);
    query_number(&q, h->time);
    return query_done(&q);
}

enum err catalog_fleet_watched_put(
    struct catalog *c, int64_t time, const struct catalog_heard *heard, size_t count)
{
    struct query q;
    enum err e = catalog_begin(c, NULL);
    if (e)
        return e;
    query_open(&q, c, "UPDATE fleet_watched SET time = ?", NULL);
    query_number(&q, time);
    e = query_done(&q);
    for (size_t i = 0; i < count && !e; i++)
        e = heard_put(c, &heard[i]);
    return catalog_end(c, e, NULL);
}

enum err catalog_fleet_watched(struct catalog *c, int64_t *ret_time)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "SELECT time FROM fleet_watched", NULL);
    if (query_row(&q))
        *ret_time = query_number_at(&q, 0);
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

enum err catalog_sites_heard(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_heard *h), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "SELECT site, time FROM site_heard ORDER BY site", NULL);
    while (query_row(&q)) {
        struct catalog_heard h = {.time = query_number_at(&q, 1)};
        query_copy_at(&q, 0, h.site, sizeof h.site);
        query_fail(&q, each(context, &h));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

/* ---- documents of sites ---- */

#define CONFIG_COLUMNS "site, version, time, who, note, applied, took, refused, document"

static enum err configs_give(struct query *q,
    enum err (*each)(void *context, const struct catalog_config *config), void *context)
{
    bool any = false;
    while (query_row(q)) {
        struct catalog_config config = {.version = query_number_at(q, 1)};
        query_copy_at(q, 0, config.site, sizeof config.site);
        config.time = query_number_at(q, 2);
        query_copy_at(q, 3, config.who, sizeof config.who);
        query_copy_at(q, 4, config.note, sizeof config.note);
        config.applied = query_number_at(q, 5);
        config.took = query_number_at(q, 6);
        query_copy_at(q, 7, config.refused, sizeof config.refused);
        struct bytes document = query_bytes_at(q, 8);
        config.document = (const char *)document.at;
        config.document_len = document.left;
        any = true;
        query_fail(q, each(context, &config));
    }
    enum err e = query_end(q);
    return !e && !any ? ERR_NOTFOUND : e;
}

static enum err config_insert(
    struct catalog *c, const struct catalog_config *config, struct fault *f)
{
    struct query q;
    query_open(&q, c,
        "INSERT INTO site_config (site, version, time, who, note, document)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        f);
    query_text(&q, config->site);
    query_number(&q, config->version);
    query_number(&q, config->time);
    query_text(&q, config->who);
    query_text(&q, config->note);
    query_bytes(&q, config->document, config->document_len);
    return query_done(&q);
}

enum err catalog_config_add(
    struct catalog *c, const struct catalog_config *config, struct fault *f)
{
    struct catalog_audit row = {.time = config->time, .what = "site.config"};
    enum err e = text_check("note", config->note, CATALOG_SENTENCE, f);
    if (!e && config->document_len > CATALOG_DOCUMENT)
        e = fault_set(f, ERR_BAD, "the document is longer than %d bytes", CATALOG_DOCUMENT);
    if (e)
        return e;
    snprintf(row.who, sizeof row.who, "%s", config->who);
    snprintf(row.subject, sizeof row.subject, "%s", config->site);
    snprintf(row.detail, sizeof row.detail, "version=%lld%s%s", (long long)config->version,
        config->note[0] ? " " : "", config->note);
    e = catalog_begin(c, f);
    if (e)
        return e;
    e = config_insert(c, config, f);
    if (!e)
        e = audit_put(c, &row, f);
    return catalog_end(c, e, f);
}

enum err catalog_config_find(struct catalog *c, const char *site, int64_t version,
    enum err (*each)(void *context, const struct catalog_config *config), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT " CONFIG_COLUMNS " FROM site_config WHERE site = ?1 AND (?2 = 0 OR version = "
        "?2) ORDER BY version DESC LIMIT 1",
        NULL);
    query_text(&q, site);
    query_number(&q, version);
    enum err e = configs_give(&q, each, context);
    catalog_leave(c);
    return e;
}

enum err catalog_config_own_put(
    struct catalog *c, const struct catalog_config *config, struct fault *f)
{
    struct query q;
    if (config->document_len > CATALOG_DOCUMENT)
        return fault_set(f, ERR_BAD, "the document is longer than %d bytes", CATALOG_DOCUMENT);
    enum err e = catalog_begin(c, f);
    if (e)
        return e;
    query_open(&q, c, "DELETE FROM site_config WHERE site = ? AND version = 0", f);
    query_text(&q, config->site);
    e = query_done(&q);
    if (!e)
        e = config_insert(c, config, f);
    return catalog_end(c, e, f);
}

enum err catalog_config_own(struct catalog *c, const char *site,
    enum err (*each)(void *context, const struct catalog_config *config), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT " CONFIG_COLUMNS " FROM site_config WHERE site = ? AND version = 0", NULL);
    query_text(&q, site);
    enum err e = configs_give(&q, each, context);
    catalog_leave(c);
    return e;
}

enum err catalog_configs(struct catalog *c, const char *site, size_t limit,
    enum err (*each)(void *context, const struct catalog_config *config), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT " CONFIG_COLUMNS " FROM site_config WHERE site = ? ORDER BY version DESC LIMIT "
        "?",
        NULL);
    query_text(&q, site);
    query_number(&q, (int64_t)limit);
    enum err e = configs_give(&q, each, context);
    catalog_leave(c);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err catalog_configs_newest(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_config *config), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT " CONFIG_COLUMNS " FROM site_config AS s WHERE version ="
        " (SELECT max(version) FROM site_config WHERE site = s.site) ORDER BY site",
        NULL);
    enum err e = configs_give(&q, each, context);
    catalog_leave(c);
    return e == ERR_NOTFOUND ? OK : e;
}

enum err catalog_config_answer(
    struct catalog *c, const struct catalog_config *config, struct fault *f)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "UPDATE site_config SET applied = ?, took = ?, refused = ? WHERE site = ? AND version "
        "= ?",
        f);
    query_number(&q, config->applied);
    query_number(&q, config->took);
    query_text(&q, config->refused);
    query_text(&q, config->site);
    query_number(&q, config->version);
    enum err e = query_done(&q);
    catalog_leave(c);
    return e;
}

/* ---- where a site's power is switched ---- */

enum err catalog_power_put(struct catalog *c, const struct catalog_power *p, struct fault *f)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "INSERT OR REPLACE INTO site_power (site, kind, address, user, secret)"
        " VALUES (?, ?, ?, ?, ?)",
        f);
    query_text(&q, p->site);
    query_text(&q, p->kind);
    query_text(&q, p->address);
    query_text(&q, p->user);
    query_text(&q, p->secret);
    enum err e = query_done(&q);
    catalog_leave(c);
    return e;
}

enum err catalog_power_find(
    struct catalog *c, const char *site, struct catalog_power *ret_power)
{
    struct query q;
    struct catalog_power p = {0};
    catalog_enter(c);
    query_open(
        &q, c, "SELECT site, kind, address, user, secret FROM site_power WHERE site = ?", NULL);
    query_text(&q, site);
    if (query_row(&q)) {
        query_copy_at(&q, 0, p.site, sizeof p.site);
        query_copy_at(&q, 1, p.kind, sizeof p.kind);
        query_copy_at(&q, 2, p.address, sizeof p.address);
        query_copy_at(&q, 3, p.user, sizeof p.user);
        query_copy_at(&q, 4, p.secret, sizeof p.secret);
    } else {
        query_fail(&q, ERR_NOTFOUND);
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    if (!e)
        *ret_power = p;
    return e;
}

enum err catalog_power_remove(struct catalog *c, const char *site)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "DELETE FROM site_power WHERE site = ?", NULL);
    query_text(&q, site);
    enum err e = query_done(&q);
    catalog_leave(c);
    return e;
}

/* ---- what was done from afar ---- */

static enum err action_insert(
    struct catalog *c, const struct catalog_action *a, int64_t *ret_id, struct fault *f)
{
    struct query q;
    query_open(&q, c,
        "INSERT INTO site_action (site, what, subject, who, asked) VALUES (?, ?, ?, ?, ?)"
        " RETURNING id",
        f);
    query_text(&q, a->site);
    query_text(&q, a->what);
    query_text(&q, a->subject);
    query_text(&q, a->who);
    query_number(&q, a->asked);
    if (query_row(&q))
        *ret_id = query_number_at(&q, 0);
    return query_done(&q);
}

enum err catalog_action_add(
    struct catalog *c, const struct catalog_action *a, int64_t *ret_id, struct fault *f)
{
    int64_t id = 0;
    struct catalog_audit row = {.time = a->asked};
    snprintf(row.who, sizeof row.who, "%s", a->who);
    snprintf(row.what, sizeof row.what, "site.%s", a->what);
    snprintf(row.subject, sizeof row.subject, "%s", a->site);
    enum err e = catalog_begin(c, f);
    if (e)
        return e;
    e = action_insert(c, a, &id, f);
    if (!e) {
        snprintf(row.detail, sizeof row.detail, "action=%lld%s%s", (long long)id,
            a->subject[0] ? " " : "", a->subject);
        e = audit_put(c, &row, f);
    }
    e = catalog_end(c, e, f);
    if (!e)
        *ret_id = id;
    return e;
}

enum err catalog_action_finish(struct catalog *c, int64_t id, int64_t time, const char *result)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "UPDATE site_action SET finished = ?, result = ? WHERE id = ? AND finished = 0", NULL);
    query_number(&q, time);
    query_text(&q, result);
    query_number(&q, id);
    enum err e = query_done(&q);
    catalog_leave(c);
    return e;
}

enum err catalog_actions(struct catalog *c, const char *site, size_t limit,
    enum err (*each)(void *context, const struct catalog_action *a), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT id, site, what, subject, who, asked, finished, result FROM site_action"
        " WHERE site = ? ORDER BY id DESC LIMIT ?",
        NULL);
    query_text(&q, site);
    query_number(&q, (int64_t)limit);
    while (query_row(&q)) {
        struct catalog_action a = {.id = query_number_at(&q, 0)};
        query_copy_at(&q, 1, a.site, sizeof a.site);
        query_copy_at(&q, 2, a.what, sizeof a.what);
        query_copy_at(&q, 3, a.subject, sizeof a.subject);
        query_copy_at(&q, 4, a.who, sizeof a.who);
        a.asked = query_number_at(&q, 5);
        a.finished = query_number_at(&q, 6);
        query_copy_at(&q, 7, a.result, sizeof a.result);
        query_fail(&q, each(context, &a));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}
