#include "api/handler_int.h"

#include "api/api_int.h"
#include "api/warnings_int.h"
#include "base/clock.h"
#include "store/catalog_rules.h"

#include <stdio.h>
#include <string.h>

/* What people say of alerts, and what that keeps from being shown again. */

struct found {
    json_t *json;
    enum catalog_state state;
    enum severity severity;
};

static enum err keep_found(void *context, const struct catalog_alert *a)
{
    struct found *found = context;
    found->json = warning_json(a, true);
    found->state = a->state;
    found->severity = a->severity;
    return found->json ? OK : ERR_NOMEM;
}

static const char *text_of(const struct request *r, enum param_id id)
{
    return arg(r, id)->given ? arg(r, id)->text : "";
}

/* The rule that the request asks for; false: the reply holds what is wrong with it. */
static bool rule_make(struct request *r, const struct found *found, struct catalog_rule *rule)
{
    char network[64] = "";
    unsigned parts = RULE_KIND | RULE_PORT | RULE_SITE;
    if (arg(r, B_SCOPE)->given && rule_parts_parse(arg(r, B_SCOPE)->text, &parts) != OK) {
        reply_problem(r, 400, "scope", param_row(B_SCOPE)->allowed,
            "scope must be one or more of kind, engine, port and site, with commas between");
        return false;
    }
    snprintf(network, sizeof network, "%.63s", text_of(r, B_NETWORK));
    json_t *scope = rule_scope(found->json, parts, network[0] ? network : NULL);
    struct buf text;
    buf_init(&text, sizeof rule->scope - 1);
    if (scope)
        json_write(&text, scope);
    json_decref(scope);
    bool whole = scope && !text.err;
    *rule = (struct catalog_rule){.severity = found->severity,
        .state = (enum catalog_state)arg(r, B_STATE)->number,
        .made = r->now,
        .until = arg(r, B_UNTIL)->number};
    snprintf(rule->alert, sizeof rule->alert, "%s", arg(r, P_ALERT_ID)->text);
    snprintf(rule->scope, sizeof rule->scope, "%.*s", whole ? (int)text.len : 0,
        whole ? (const char *)text.data : "");
    snprintf(rule->why, sizeof rule->why, "%s", text_of(r, B_NOTE));
    snprintf(rule->by, sizeof rule->by, "%.63s", r->who.label);
    buf_done(&text);
    if (!whole)
        reply_problem(r, 400, "scope", param_row(B_SCOPE)->allowed,
            "nothing of this alert is left to tell others by");
    return whole;
}

/* Said of an alert, and kept as a rule if an end is given. */
static enum err mark(struct request *r, const struct found *found)
{
    struct catalog *c = r->api->parts.catalog;
    const char *id = arg(r, P_ALERT_ID)->text;
    struct catalog_rule rule;
    int64_t number;
    bool lasting = arg(r, B_UNTIL)->given;
    enum catalog_state state =
        arg(r, B_STATE)->given ? (enum catalog_state)arg(r, B_STATE)->number : found->state;
    if (lasting && state != STATE_KNOWN && state != STATE_WRONG) {
        reply_problem(r, 400, "state", "known or wrong",
            "only what is known or wrong can be suppressed until a time");
        return ERR_BAD;
    }
    if (!lasting && (arg(r, B_SCOPE)->given || arg(r, B_NETWORK)->given)) {
        reply_problem(r, 400, "until", param_row(B_UNTIL)->allowed,
            "scope and network belong to a suppression, which needs an end: until");
        return ERR_BAD;
    }
    if (lasting && !rule_make(r, found, &rule))
        return ERR_BAD;
    if (lasting) {
        rule.state = state;
        enum err e = catalog_rule_add(c, &rule, &number, &r->fault);
        if (e == ERR_BAD)
            reply_problem(r, 400, NULL, NULL, "%s", r->fault.text);
        if (e)
            return e;
    }
    const char *note = arg(r, B_NOTE)->given ? arg(r, B_NOTE)->text : NULL;
    return catalog_alert_mark(
        c, id, &(struct catalog_mark){state, note, r->who.label, r->now}, &r->fault);
}

enum err handle_alert_change(struct request *r)
{
    const char *id = arg(r, P_ALERT_ID)->text;
    struct found found = {0};
    enum err e = catalog_alert_find(r->api->parts.catalog, id, keep_found, &found);
    if (e == ERR_NOTFOUND) {
        reply_problem(r, 404, NULL, NULL, "there is no alert %s", id);
        return OK;
    }
    if (!e)
        e = mark(r, &found);
    json_decref(found.json);
    if (e)
        return r->reply.status ? OK : e;
    e = warning_reply(r, id);
    if (!e && api_publish_alert(r->api, id) != OK)
        return OK; /* it is changed all the same; readers see it when they ask */
    return e;
}

/* --- suppressions --------------------------------------------------------------------------
 */

static enum err add_rule(void *context, const struct catalog_rule *rule)
{
    json_t *scope = json_loads(rule->scope, 0, NULL);
    json_t *row = json_pack("{s:I, s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I}",
        "id", (json_int_t)rule->id, "alert", rule->alert, "scope",
        scope ? scope : json_object(), "severity", severity_name(rule->severity), "state",
        state_name(rule->state), "why", rule->why, "by", rule->by, "made",
        json_time(rule->made), "until", json_time(rule->until), "revoked",
        rule->revoked ? json_time(rule->revoked) : json_null(), "revoked_by",
        rule->revoked ? json_string(rule->revoked_by) : json_null(), "alerts",
        (json_int_t)rule->alerts);
    return row && json_array_append_new(context, row) == 0 ? OK : ERR_NOMEM;
}

enum err handle_suppressions(struct request *r)
{
    json_t *rows = json_array();
    enum err e = catalog_rules(r->api->parts.catalog, add_rule, rows);
    if (e) {
        json_decref(rows);
        return e;
    }
    reply_json(r, 200, json_pack("{s:o}", "rows", rows));
    return OK;
}

enum err handle_suppression_delete(struct request *r)
{
    int64_t id = arg(r, P_RULE_ID)->number;
    enum err e =
        catalog_rule_revoke(r->api->parts.catalog, id, r->who.label, r->now, &r->fault);
    if (e == ERR_NOTFOUND) {
        reply_problem(r, 404, NULL, NULL,
            "there is no suppression %lld, or it is revoked already", (long long)id);
        return OK;
    }
    if (!e)
        r->reply.status = 204;
    return e;
}
