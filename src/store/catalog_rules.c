#include "store/catalog_rules.h"

#include "base/ip.h"
#include "store/catalog_rules_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rule_kept {
    int64_t id;
    json_t *scope;
    enum severity severity;
    int64_t until;
};

static const struct {
    const char *name;
    enum rule_part part;
} parts[] = {
    {"kind", RULE_KIND}, {"engine", RULE_ENGINE}, {"port", RULE_PORT}, {"site", RULE_SITE}};

enum {
    PARTS = sizeof parts / sizeof *parts
};

enum err rule_parts_parse(const char *text, unsigned *ret_parts)
{
    unsigned found = 0;
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        size_t i = 0;
        while (
            i < PARTS && (strlen(parts[i].name) != len || memcmp(parts[i].name, at, len) != 0))
            i++;
        if (i == PARTS)
            return ERR_BAD;
        found |= parts[i].part;
        at += len;
        if (!*at)
            break;
    }
    *ret_parts = found;
    return OK;
}

/* --- scopes --------------------------------------------------------------------------------
 */

static void scope_take(json_t *scope, const json_t *alert, const char *name)
{
    json_t *value = json_object_get(alert, name);
    if (value && !json_is_null(value) && !(json_is_array(value) && !json_array_size(value)))
        json_object_set(scope, name, value);
}

/* The engine that found it alone; what joins engines does not count. */
static const char *only_engine(const json_t *alert)
{
    const json_t *engines = json_object_get(alert, "engine");
    const char *only = NULL;
    for (size_t i = 0; i < json_array_size(engines); i++) {
        const char *engine = json_string_value(json_array_get(engines, i));
        if (!engine || strcmp(engine, "lead") == 0)
            continue;
        if (only)
            return NULL;
        only = engine;
    }
    return only;
}

json_t *rule_scope(const json_t *alert, unsigned among, const char *network)
{
    json_t *scope = json_object();
    if (among & RULE_KIND)
        scope_take(scope, alert, "kind");
    if (among & RULE_ENGINE && only_engine(alert))
        json_object_set_new(scope, "engine", json_string(only_engine(alert)));
    if (among & RULE_PORT) {
        scope_take(scope, alert, "proto");
        scope_take(scope, alert, "ports");
    }
    if (among & RULE_SITE)
        scope_take(scope, alert, "sites");
    if (network)
        json_object_set_new(scope, "network", json_string(network));
    if (json_object_size(scope))
        return scope;
    json_decref(scope);
    return NULL;
}

/* Has the list a member that `among` has not? Writes it into `text`. */
static bool has_other(const json_t *list, const json_t *among, char text[80])
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        size_t k = 0;
        while (k < json_array_size(among) && !json_equal(json_array_get(among, k), value))
            k++;
        if (k < json_array_size(among))
            continue;
        if (json_is_string(value))
            snprintf(text, 80, "%s", json_string_value(value));
        else
            snprintf(text, 80, "%lld", (long long)json_integer_value(value));
        return true;
    }
    return false;
}

static bool lies_within(const json_t *alert, const char *network)
{
    struct prefix prefix;
    const json_t *hosts = json_object_get(alert, "hosts");
    bool within = prefix_parse(network, false, &prefix) == OK && json_array_size(hosts) > 0;
    for (size_t i = 0; within && i < json_array_size(hosts); i++) {
        const char *text = json_string_value(json_array_get(hosts, i));
        struct ip ip;
        within = text && ip_parse(text, &ip) == OK && prefix_holds(&prefix, &ip);
    }
    return within;
}

/* What it is that the scope does not cover; "" if it covers the alert. */
static void scope_differs(const json_t *scope, const json_t *alert, char why[CATALOG_BACK])
{
    char other[80];
    const char *engine = json_string_value(json_object_get(scope, "engine"));
    const char *network = json_string_value(json_object_get(scope, "network"));
    const json_t *ports = json_object_get(scope, "ports");
    const json_t *sites = json_object_get(scope, "sites");
    const json_t *kind = json_object_get(scope, "kind");
    const json_t *proto = json_object_get(scope, "proto");
    const char *only = only_engine(alert);
    why[0] = 0;
    if (sites && has_other(json_object_get(alert, "sites"), sites, other))
        snprintf(why, CATALOG_BACK, "it has come to %s", other);
    else if ((ports && has_other(json_object_get(alert, "ports"), ports, other)) ||
             (ports && !json_array_size(json_object_get(alert, "ports"))))
        snprintf(why, CATALOG_BACK, "other ports are among it");
    else if (proto && !json_equal(proto, json_object_get(alert, "proto")))
        snprintf(why, CATALOG_BACK, "it is another protocol");
    else if (kind && !json_equal(kind, json_object_get(alert, "kind")))
        snprintf(why, CATALOG_BACK, "it is of another kind now");
    else if (engine && (!only || strcmp(engine, only) != 0))
        snprintf(why, CATALOG_BACK, "other engines see it, too");
    else if (network && !lies_within(alert, network))
        snprintf(why, CATALOG_BACK, "hosts outside of %.60s take part", network);
}

/* --- which rule covers an alert ------------------------------------------------------------
 */

void suppressions_done(struct rule_list *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        json_decref(rules->list[i].scope);
    free(rules->list);
    *rules = (struct rule_list){0};
}

static enum err rules_keep(struct rule_list *rules, const struct rule_kept *rule)
{
    if (rules->count == rules->room) {
        size_t room = rules->room ? rules->room * 2 : 16;
        struct rule_kept *grown = realloc(rules->list, room * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        rules->list = grown;
        rules->room = room;
    }
    rules->list[rules->count++] = *rule;
    return OK;
}

enum err suppressions_load(struct catalog *c, struct rule_list *rules, struct fault *f)
{
    struct query q;
    query_open(&q, c,
        "SELECT id, scope, severity, until FROM rule WHERE revoked = 0 ORDER BY until DESC, id",
        f);
    while (query_row(&q)) {
        struct bytes scope = query_bytes_at(&q, 1);
        struct rule_kept rule = {.id = query_number_at(&q, 0),
            .scope = json_loadb((const char *)scope.at, scope.left, 0, NULL),
            .severity = (enum severity)query_number_at(&q, 2),
            .until = query_number_at(&q, 3)};
        enum err e = rule.scope ? rules_keep(rules, &rule) : OK;
        if (e)
            query_fail(&q, e);
    }
    enum err e = query_end(&q);
    if (e)
        suppressions_done(rules);
    return e;
}

/* An alert as the rules see it. */
struct subject {
    json_t *alert; /* owned */
    enum severity severity;
    int64_t end;
    int64_t rule; /* that covers it so far */
    enum catalog_state state;
};

static enum err subject_read(
    struct catalog *c, const char *id, struct subject *ret_subject, struct fault *f)
{
    struct query q;
    struct subject s = {0};
    query_open(&q, c, "SELECT json, severity, \"end\", rule, state FROM alert WHERE id = ?", f);
    query_text(&q, id);
    if (query_row(&q)) {
        struct bytes json = query_bytes_at(&q, 0);
        s = (struct subject){.alert = json_loadb((const char *)json.at, json.left, 0, NULL),
            .severity = (enum severity)query_number_at(&q, 1),
            .end = query_number_at(&q, 2),
            .rule = query_number_at(&q, 3),
            .state = (enum catalog_state)query_number_at(&q, 4)};
    } else {
        query_fail(&q, ERR_NOTFOUND);
    }
    enum err e = query_end(&q);
    if (e)
        json_decref(s.alert);
    else
        *ret_subject = s;
    return e;
}

static void rule_differs(
    const struct rule_kept *rule, const struct subject *s, char why[CATALOG_BACK])
{
    if (s->severity > rule->severity)
        snprintf(why, CATALOG_BACK, "it has grown to %s", severity_name(s->severity));
    else if (s->end >= rule->until)
        snprintf(why, CATALOG_BACK, "the suppression has ended");
    else
        scope_differs(rule->scope, s->alert, why);
}

static enum err alert_turn(struct catalog *c, const char *id, int64_t rule,
    enum catalog_state state, const char *back, struct fault *f)
{
    struct query q;
    query_open(&q, c,
        "UPDATE alert SET rule = ?, state = ?, back = ?, seq = (SELECT max(seq) + 1 FROM alert)"
        " WHERE id = ?",
        f);
    query_number(&q, rule);
    query_number(&q, state);
    query_text(&q, back);
    query_text(&q, id);
    return query_done(&q);
}

/* A judgement of less than there is now is none: it is new again. */
static enum err come_back(struct catalog *c, const char *id, const struct subject *s,
    const char *why, int64_t now, struct fault *f)
{
    struct catalog_audit row = {.time = now};
    bool judged = s->state == STATE_KNOWN || s->state == STATE_WRONG;
    snprintf(row.who, sizeof row.who, "system");
    snprintf(row.what, sizeof row.what, "alert.back");
    snprintf(row.subject, sizeof row.subject, "%.63s", id);
    snprintf(row.detail, sizeof row.detail, "suppression %lld: %s", (long long)s->rule, why);
    enum err e = alert_turn(c, id, 0, judged ? STATE_NEW : s->state, why, f);
    return e ? e : audit_put(c, &row, f);
}

enum err suppressions_apply(struct catalog *c, const struct rule_list *rules, const char *id,
    int64_t now, struct fault *f)
{
    struct subject s;
    enum err e = subject_read(c, id, &s, f);
    if (e)
        return e;
    char why[CATALOG_BACK] = "the suppression was revoked";
    int64_t covering = 0;
    bool shown = s.state == STATE_RIGHT || s.state == STATE_SEEN;
    for (size_t i = 0; i < rules->count && !covering && !shown; i++) {
        char differs[CATALOG_BACK] = "";
        rule_differs(&rules->list[i], &s, differs);
        if (!differs[0])
            covering = rules->list[i].id;
        else if (rules->list[i].id == s.rule)
            memcpy(why, differs, sizeof why);
    }
    if (covering && covering != s.rule)
        e = alert_turn(c, id, covering, s.state, "", f);
    else if (!covering && s.rule)
        e = come_back(c, id, &s, why, now, f);
    json_decref(s.alert);
    return e;
}

/* All alerts that `sql` selects, within a transaction. */
static enum err apply_to(
    struct catalog *c, const char *sql, int64_t rule, int64_t now, struct fault *f)
{
    struct rule_list rules = {0};
    char(*ids)[CATALOG_ALERT_ID] = NULL;
    size_t count = 0;
    size_t room = 0;
    enum err e = suppressions_load(c, &rules, f);
    if (e)
        return e;
    struct query q;
    query_open(&q, c, sql, f);
    query_number(&q, rule);
    while (query_row(&q)) {
        if (count == room) {
            room = room ? room * 2 : 64;
            void *grown = realloc(ids, room * sizeof *ids);
            if (!grown) {
                query_fail(&q, ERR_NOMEM);
                break;
            }
            ids = grown;
        }
        query_copy_at(&q, 0, ids[count++], CATALOG_ALERT_ID);
    }
    e = query_end(&q);
    for (size_t i = 0; !e && i < count; i++)
        e = suppressions_apply(c, &rules, ids[i], now, f);
    free(ids);
    suppressions_done(&rules);
    return e;
}

/* --- rules ---------------------------------------------------------------------------------
 */

static enum err rule_audit(struct catalog *c, const char *what, int64_t id,
    const struct catalog_mark *said, struct fault *f)
{
    struct catalog_audit row = {.time = said->time};
    snprintf(row.who, sizeof row.who, "%.63s", said->by);
    snprintf(row.what, sizeof row.what, "%s", what);
    snprintf(row.subject, sizeof row.subject, "%lld", (long long)id);
    snprintf(row.detail, sizeof row.detail, "%.1000s", said->note);
    return audit_put(c, &row, f);
}

static enum err rule_check(const struct catalog_rule *r, struct fault *f)
{
    json_t *scope = json_loads(r->scope, 0, NULL);
    bool says = json_object_size(scope) > 0;
    const char *network = json_string_value(json_object_get(scope, "network"));
    struct prefix prefix;
    bool known = !network || prefix_parse(network, false, &prefix) == OK;
    json_decref(scope);
    if (!says)
        return fault_set(f, ERR_BAD, "a suppression needs something to tell its alerts by");
    if (!known)
        return fault_set(f, ERR_BAD, "network: not a prefix such as 192.0.2.0/24");
    if (!r->why[0])
        return fault_set(f, ERR_BAD, "a suppression needs a reason");
    if (r->until <= r->made)
        return fault_set(f, ERR_BAD, "a suppression ends after it begins");
    if (r->state != STATE_KNOWN && r->state != STATE_WRONG)
        return fault_set(f, ERR_BAD, "only what is known or wrong is suppressed");
    return text_check("name", r->by, CATALOG_NAME, f);
}

static enum err rules_room(struct catalog *c, struct fault *f)
{
    struct query q;
    int64_t count = 0;
    query_open(&q, c, "SELECT count(*) FROM rule WHERE revoked = 0", f);
    if (query_row(&q))
        count = query_number_at(&q, 0);
    enum err e = query_end(&q);
    if (!e && count >= CATALOG_RULES)
        e = fault_set(f, ERR_FULL, "there are %d suppressions; revoke some", CATALOG_RULES);
    return e;
}

static enum err rule_insert(
    struct catalog *c, const struct catalog_rule *r, int64_t *ret_id, struct fault *f)
{
    struct query q;
    query_open(&q, c,
        "INSERT INTO rule (alert, scope, severity, state, why, made_by, made, until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        f);
    query_text(&q, r->alert);
    query_text(&q, r->scope);
    query_number(&q, r->severity);
    query_number(&q, r->state);
    query_text(&q, r->why);
    query_text(&q, r->by);
    query_number(&q, r->made);
    query_number(&q, r->until);
    enum err e = query_done(&q);
    if (!e)
        *ret_id = sqlite3_last_insert_rowid(c->db);
    return e;
}

enum err catalog_rule_add(
    struct catalog *c, const struct catalog_rule *r, int64_t *ret_id, struct fault *f)
{
    int64_t id = 0;
    enum err e = rule_check(r, f);
    if (!e)
        e = catalog_begin(c, f);
    if (e)
        return e;
    e = rules_room(c, f);
    if (!e)
        e = rule_insert(c, r, &id, f);
    if (!e)
        e = rule_audit(
            c, "rule.add", id, &(struct catalog_mark){r->state, r->why, r->by, r->made}, f);
    if (!e)
        e = apply_to(c, "SELECT id FROM alert WHERE ? IS NOT NULL", id, r->made, f);
    e = catalog_end(c, e, f);
    if (!e)
        *ret_id = id;
    return e;
}

enum err catalog_rule_revoke(
    struct catalog *c, int64_t id, const char *by, int64_t now, struct fault *f)
{
    enum err e = text_check("name", by, CATALOG_NAME, f);
    if (!e)
        e = catalog_begin(c, f);
    if (e)
        return e;
    struct query q;
    query_open(
        &q, c, "UPDATE rule SET revoked = ?, revoked_by = ? WHERE id = ? AND revoked = 0", f);
    query_number(&q, now);
    query_text(&q, by);
    query_number(&q, id);
    e = query_done(&q);
    if (!e && catalog_changes(c) == 0)
        e = fault_set(f, ERR_NOTFOUND, "there is no suppression %lld", (long long)id);
    if (!e)
        e = rule_audit(
            c, "rule.revoke", id, &(struct catalog_mark){.note = "", .by = by, .time = now}, f);
    if (!e)
        e = apply_to(c, "SELECT id FROM alert WHERE rule = ?", id, now, f);
    return catalog_end(c, e, f);
}

enum err catalog_rules(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_rule *r), void *context)
{
    struct query q;
    struct catalog_rule *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT id, alert, scope, severity, state, why, made_by, made, until, revoked,"
        " revoked_by, (SELECT count(*) FROM alert WHERE alert.rule = rule.id)"
        " FROM rule ORDER BY id DESC",
        NULL);
    while (query_row(&q)) {
        r->id = query_number_at(&q, 0);
        query_copy_at(&q, 1, r->alert, sizeof r->alert);
        query_copy_at(&q, 2, r->scope, sizeof r->scope);
        r->severity = (enum severity)query_number_at(&q, 3);
        r->state = (enum catalog_state)query_number_at(&q, 4);
        query_copy_at(&q, 5, r->why, sizeof r->why);
        query_copy_at(&q, 6, r->by, sizeof r->by);
        r->made = query_number_at(&q, 7);
        r->until = query_number_at(&q, 8);
        r->revoked = query_number_at(&q, 9);
        query_copy_at(&q, 10, r->revoked_by, sizeof r->revoked_by);
        r->alerts = (uint64_t)query_number_at(&q, 11);
        query_fail(&q, each(context, r));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    free(r);
    return e;
}
