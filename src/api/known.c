#include "api/known_int.h"

#include "alert/lead.h"
#include "api/api_int.h"
#include "api/question_int.h"
#include "sensor/fingerprint.h"

#include <stdio.h>
#include <string.h>

/* Names that there are, while one of them is looked for. */
struct sought {
    const char *wanted;
    bool found;
    bool cut;       /* not all of them stand in the text */
    char text[200]; /* "jp-01, kr-01" */
    size_t used;
};

static bool has_name(const struct sought *n, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = n->text; (at = strstr(at, name)); at += len)
        if ((at == n->text || at[-1] == ' ') && (!at[len] || at[len] == ','))
            return true;
    return false;
}

static void name_add(struct sought *n, const char *name)
{
    if (!name || !*name || has_name(n, name))
        return;
    n->found |= strcmp(name, n->wanted) == 0;
    if (n->used + strlen(name) + 3 > sizeof n->text) {
        n->cut = true;
        return;
    }
    n->used += (size_t)snprintf(
        n->text + n->used, sizeof n->text - n->used, "%s%s", n->used ? ", " : "", name);
}

static void rows_add(struct sought *n, const json_t *rows, const char *member)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
        name_add(n, json_string_value(json_object_get(row, member)));
}

/* All that the store has; a list that was asked for lately is kept. */
static enum err stored_add(struct request *r, enum ask_what what, struct sought *n)
{
    struct ask a;
    json_t *rows = NULL;
    ask_init(&a, what);
    a.limit = ASK_ROWS_MAX;
    enum err e = question_rows(r, &a, &rows);
    if (!e)
        rows_add(n, rows, what == ASK_SITES ? "site" : "tool");
    json_decref(rows);
    return e;
}

static enum err alert_seen(void *context, const struct catalog_alert *a)
{
    (void)a;
    *(bool *)context = true;
    return OK;
}

/* Alerts outlive the packets that they came from. */
static enum err alerted(struct request *r, const char *site, bool *ret_any)
{
    struct catalog_alert_query q;
    catalog_alert_query_init(&q);
    q.site = site;
    q.limit = 1;
    return catalog_alerts(r->api->parts.catalog, &q, alert_seen, ret_any, NULL, &r->fault);
}

static enum err refuse(
    struct request *r, enum param_id id, const char *what, const struct sought *n)
{
    reply_problem(r, 400, param_row(id)->name, NULL, "there is no %s \"%.63s\"; %s%s%s", what,
        n->wanted, n->used ? "there are " : "there is none yet", n->text,
        n->cut ? " and others" : "");
    return ERR_BAD;
}

static enum err site_check(struct request *r)
{
    const struct api_parts *p = &r->api->parts;
    struct sought n = {.wanted = arg(r, P_SITE)->text};
    json_t *live = p->live.sites ? p->live.sites(p->live.context) : NULL;
    rows_add(&n, live, "site");
    json_decref(live);
    if (n.found)
        return OK;
    json_t *fleet = p->fleet ? fleet_rows(p->fleet, r->now) : NULL;
    rows_add(&n, fleet, "site");
    json_decref(fleet);
    enum err e = n.found ? OK : alerted(r, n.wanted, &n.found);
    if (!e && !n.found)
        e = stored_add(r, ASK_SITES, &n);
    return e || n.found ? OK : refuse(r, P_SITE, "site", &n);
}

/* Those that rules name, and those that earlier rules named. */
static enum err tool_check(struct request *r)
{
    const struct fingerprints *rules = r->api->parts.fingerprints;
    struct sought n = {.wanted = arg(r, P_TOOL)->text};
    if (!rules)
        return OK;
    for (size_t i = 0; i < fingerprints_count(rules); i++)
        name_add(&n, fingerprints_at(rules, i)->tool);
    enum err e = n.found ? OK : stored_add(r, ASK_TOOLS, &n);
    return e || n.found ? OK : refuse(r, P_TOOL, "tool", &n);
}

static enum err engine_check(struct request *r)
{
    const struct api_parts *p = &r->api->parts;
    struct sought n = {.wanted = arg(r, P_ENGINE)->text};
    for (size_t i = 0; i < p->analysis_count; i++)
        if (!p->analyses[i].view)
            name_add(&n, p->analyses[i].name);
    name_add(&n, LEAD_ENGINE);
    return n.found ? OK : refuse(r, P_ENGINE, "engine", &n);
}

static enum err alert_check(struct request *r)
{
    const char *id = arg(r, P_ALERT)->text;
    bool any = false;
    if (catalog_alert_find(r->api->parts.catalog, id, alert_seen, &any) != ERR_NOTFOUND)
        return OK;
    reply_problem(r, 400, "alert", param_row(P_ALERT)->allowed, "there is no alert %s", id);
    return ERR_BAD;
}

enum err known_check(struct request *r)
{
    enum err e = arg(r, P_ENGINE)->given ? engine_check(r) : OK;
    if (!e && arg(r, P_SITE)->given)
        e = site_check(r);
    if (!e && arg(r, P_TOOL)->given)
        e = tool_check(r);
    if (!e && arg(r, P_ALERT)->given)
        e = alert_check(r);
    return e;
}
