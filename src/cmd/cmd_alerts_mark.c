#include "base/clock.h"
#include "cmd/commands.h"
#include "cmd/confirm.h"
#include "cmd/ending.h"
#include "cmd/holder.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "store/catalog_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a person says of an alert, and the suppressions that come of it. A hub that runs is
 * told over HTTP; else the catalogue is written. */

static const struct conf_item mark_items[] = {
    DATA_ITEM(DATA_TOLD),
    {.name = "why", .type = CONF_TEXT, .arg = "TEXT", .max = 1000, .text = "The reason."},
    {.name = "until",
        .type = CONF_TEXT,
        .arg = "TIME",
        .text = "Suppress what is like it until then: RFC 3339, a date for its midnight UTC, "
                "or from now, such as 30d."},
    {.name = "scope",
        .type = CONF_TEXT,
        .arg = "LIST",
        .initial = "kind,port,site",
        .text = "What tells its like: kind, engine (no other saw it), port (no other ports), "
                "site (at no other sites), with commas between them."},
    {.name = "network",
        .type = CONF_TEXT,
        .arg = "PREFIX",
        .text = "All of the sample of its hosts must lie in this prefix, too."},
    {.name = NULL},
};

static int64_t wall_now(void)
{
    struct clock wall = clock_system();
    return clock_now(&wall);
}

static enum err until_parse(const char *text, int64_t *ret_us, struct fault *f)
{
    if (time_parse(text, ret_us) == OK)
        return OK;
    int64_t span;
    if (duration_parse(text, &span) != OK)
        return fault_set(f, ERR_BAD,
            "--until: \"%.40s\" is not a time such as 2026-12-31, nor a duration such as 30d",
            text);
    *ret_us = time_floor(wall_now() + span, US_SECOND);
    return OK;
}

/* --- mark ----------------------------------------------------------------------------------
 */

/* What is said, from the command line. */
struct saying {
    const char *id;
    enum catalog_state state;
    const char *why; /* NULL: nothing */
    int64_t until;   /* 0: not lasting */
    const char *scope;
    const char *network; /* NULL: any */
};

static enum err saying_read(
    struct saying *s, const struct conf *conf, size_t count, char **operands, struct fault *f)
{
    const char *until = conf_text(conf, "until");
    unsigned parts;
    *s = (struct saying){.why = conf_text(conf, "why"),
        .scope = conf_text(conf, "scope"),
        .network = conf_text(conf, "network")};
    if (count != 2)
        return fault_set(f, ERR_BAD,
            "give the id of an alert, and what it is: new, seen, "
            "known, right or wrong");
    s->id = operands[0];
    if (state_parse(operands[1], &s->state) != OK)
        return fault_set(
            f, ERR_BAD, "\"%.40s\" is not new, seen, known, right or wrong", operands[1]);
    if (rule_parts_parse(s->scope, &parts) != OK)
        return fault_set(f, ERR_BAD,
            "--scope: \"%.60s\" is not a list of kind, engine, port and site", s->scope);
    if (!until && (conf_given(conf, "scope") || s->network))
        return fault_set(f, ERR_BAD, "--scope and --network go with --until only");
    return until ? until_parse(until, &s->until, f) : OK;
}

static enum err tell_hub(const struct hub_address *hub, const struct saying *s, struct fault *f)
{
    char path[128];
    json_t *answer = NULL;
    json_t *body = json_pack("{s:s}", "state", state_name(s->state));
    if (s->why)
        json_object_set_new(body, "note", json_string(s->why));
    if (s->until) {
        json_object_set_new(body, "until", json_time(s->until));
        json_object_set_new(body, "scope", json_string(s->scope));
    }
    if (s->network)
        json_object_set_new(body, "network", json_string(s->network));
    snprintf(path, sizeof path, "alerts/%.63s", s->id);
    enum err e = hub_ask(hub, "PATCH", path, body, &answer, f);
    json_decref(answer);
    json_decref(body);
    return e;
}

struct found {
    json_t *alert;
    enum severity severity;
};

static enum err keep_found(void *context, const struct catalog_alert *a)
{
    struct found *found = context;
    found->alert = json_loadb(a->json, a->json_len, 0, NULL);
    found->severity = a->severity;
    return found->alert ? OK : ERR_BAD;
}

static enum err rule_write(struct catalog *c, const struct saying *s, const struct found *found,
    const char *by, struct fault *f)
{
    unsigned parts;
    int64_t number;
    enum err e = rule_parts_parse(s->scope, &parts);
    json_t *scope = e ? NULL : rule_scope(found->alert, parts, s->network);
    if (!scope)
        return fault_set(f, ERR_BAD, "nothing of this alert is left to tell others by");
    struct catalog_rule *rule = calloc(1, sizeof *rule);
    char *text = json_dumps(scope, JSON_COMPACT);
    json_decref(scope);
    if (!rule || !text || strlen(text) >= sizeof rule->scope) {
        free(rule);
        free(text);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    rule->severity = found->severity;
    rule->state = s->state;
    rule->made = wall_now();
    rule->until = s->until;
    snprintf(rule->alert, sizeof rule->alert, "%s", s->id);
    snprintf(rule->scope, sizeof rule->scope, "%s", text);
    snprintf(rule->why, sizeof rule->why, "%s", s->why ? s->why : "");
    snprintf(rule->by, sizeof rule->by, "%s", by);
    e = catalog_rule_add(c, rule, &number, f);
    free(rule);
    free(text);
    return e;
}

static enum err tell_catalog(struct catalog *c, const struct saying *s, struct fault *f)
{
    char by[CATALOG_NAME];
    struct found found = {0};
    confirm_person(by);
    enum err e = catalog_alert_find(c, s->id, keep_found, &found);
    if (e)
        return fault_set(f, e, "there is no alert %.63s", s->id);
    if (s->until)
        e = rule_write(c, s, &found, by, f);
    json_decref(found.alert);
    if (e)
        return e;
    return catalog_alert_mark(
        c, s->id, &(struct catalog_mark){s->state, s->why, by, wall_now()}, f);
}

static int mark_run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct saying s;
    struct holder *holder = NULL;
    enum err e = saying_read(&s, conf, count, operands, &f);
    if (!e)
        e = holder_open(&holder, conf_text(conf, "data"), HOLDER_CATALOG, &f);
    if (!e)
        e = holder_hub(holder) ? tell_hub(holder_hub(holder), &s, &f)
                               : tell_catalog(holder_catalog(holder), &s, &f);
    holder_close(holder);
    return ending("alerts mark", e, &f);
}

const struct command cmd_alerts_mark = {
    .name = "alerts mark",
    .text = "Say what became of an alert, and suppress what is like it.",
    .operands = "ID STATE",
    .items = mark_items,
    .run = mark_run,
    .more =
        "STATE is new, seen (somebody is on it), known (explained and harmless), right or\n"
        "wrong. With --until, what is known or wrong is not shown again until then: alerts\n"
        "that agree in all of --scope stay in the catalogue, are counted, and are listed by\n"
        "kizashi alerts --suppressed only. One that grows to a higher severity, to another\n"
        "site or port, or beyond the time, comes back as new, with the reason.\n\n"
        "Examples:\n"
        "  kizashi alerts mark 20260804-9200tcp-97d6 known --why 'survey of a university' \\\n"
        "      --until 30d --scope port,site\n"
        "  kizashi alerts mark 20260804-20012tcp-97d6 right\n",
};

/* --- suppressions --------------------------------------------------------------------------
 */

static const struct conf_item list_items[] = {
    DATA_ITEM(DATA_TOLD),
    {.name = "all", .type = CONF_FLAG, .text = "Revoked ones, too."},
    {.name = "json", .type = CONF_FLAG, .text = "JSON lines, with the whole scope."},
    {.name = NULL},
};

static enum err add_rule(void *context, const struct catalog_rule *rule)
{
    json_t *row = json_pack("{s:I, s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:I}", "id",
        (json_int_t)rule->id, "alert", rule->alert, "scope", json_loads(rule->scope, 0, NULL),
        "severity", severity_name(rule->severity), "state", state_name(rule->state), "why",
        rule->why, "by", rule->by, "made", json_time(rule->made), "until",
        json_time(rule->until), "revoked",
        rule->revoked ? json_time(rule->revoked) : json_null(), "alerts",
        (json_int_t)rule->alerts);
    return row && json_array_append_new(context, row) == 0 ? OK : ERR_NOMEM;
}

static enum err rules_of_hub(const struct hub_address *hub, json_t *rows, struct fault *f)
{
    json_t *page = NULL;
    enum err e = hub_ask(hub, "GET", "suppressions", NULL, &page, f);
    if (!e && json_array_extend(rows, json_object_get(page, "rows")) != 0)
        e = fault_set(f, ERR_BAD, "the hub's answer is not a list of suppressions");
    json_decref(page);
    return e;
}

/* The columns that a person looks at first; the scope as one line. */
static json_t *short_rows(const json_t *rules)
{
    static const char *const columns[] = {"state", "alerts", "until", "by", "why"};
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        char *scope = json_dumps(json_object_get(rule, "scope"), JSON_COMPACT);
        json_t *row = json_object();
        json_object_set(row, "id", json_object_get(rule, "id"));
        json_object_set_new(row, "scope", json_string(scope ? scope : ""));
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
            json_object_set(row, columns[c], json_object_get(rule, columns[c]));
        json_array_append_new(rows, row);
        free(scope);
    }
    return rows;
}

static void rules_print(const struct conf *conf, json_t *rules)
{
    for (size_t i = json_array_size(rules); i-- > 0;)
        if (!conf_flag(conf, "all") &&
            json_is_string(json_object_get(json_array_get(rules, i), "revoked")))
            json_array_remove(rules, i);
    if (!conf_flag(conf, "json")) {
        json_t *rows = short_rows(rules);
        table_print(stdout, rows);
        json_decref(rows);
        return;
    }
    table_rows(stdout, rules, true);
}

static int list_run(struct conf *conf, size_t count, char **operands)
{
    (void)operands;
    struct fault f = {0};
    struct holder *holder = NULL;
    json_t *rules = json_array();
    enum err e = count ? fault_set(&f, ERR_BAD, "no operands are allowed") : OK;
    if (!e)
        e = holder_open(&holder, conf_text(conf, "data"), HOLDER_CATALOG, &f);
    if (!e && holder_hub(holder))
        e = rules_of_hub(holder_hub(holder), rules, &f);
    else if (!e && (e = catalog_rules(holder_catalog(holder), add_rule, rules)))
        fault_set(&f, e, "%s", err_text(e));
    if (!e)
        rules_print(conf, rules);
    if (!e && !json_array_size(rules))
        fprintf(stderr, "kizashi alerts suppressions: there are none\n");
    json_decref(rules);
    holder_close(holder);
    return ending("alerts suppressions", e, &f);
}

const struct command cmd_alerts_suppressions = {
    .name = "alerts suppressions",
    .text = "List what keeps alerts from being shown.",
    .items = list_items,
    .run = list_run,
    .more = "Newest first, with the number of alerts that each covers now.\n",
};

/* --- revoke --------------------------------------------------------------------------------
 */

static const struct conf_item revoke_items[] = {DATA_ITEM(DATA_TOLD), {.name = NULL}};

static enum err rule_let_go(struct holder *holder, int64_t id, struct fault *f)
{
    if (!holder_hub(holder)) {
        char by[CATALOG_NAME];
        confirm_person(by);
        return catalog_rule_revoke(holder_catalog(holder), id, by, wall_now(), f);
    }
    char path[64];
    json_t *answer = NULL;
    snprintf(path, sizeof path, "suppressions/%lld", (long long)id);
    enum err e = hub_ask(holder_hub(holder), "DELETE", path, NULL, &answer, f);
    json_decref(answer);
    return e;
}

static int revoke_run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct holder *holder = NULL;
    char *end = NULL;
    long long id = count == 1 ? strtoll(operands[0], &end, 10) : 0;
    enum err e = OK;
    if (count != 1 || *end || id < 1)
        e = fault_set(&f, ERR_BAD,
            "give the number of one suppression; kizashi alerts "
            "suppressions lists them");
    if (!e)
        e = holder_open(&holder, conf_text(conf, "data"), HOLDER_CATALOG, &f);
    if (!e)
        e = rule_let_go(holder, id, &f);
    holder_close(holder);
    return ending("alerts revoke", e, &f);
}

const struct command cmd_alerts_revoke = {
    .name = "alerts revoke",
    .text = "Revoke a suppression; what it covered is shown again.",
    .operands = "NUMBER",
    .items = revoke_items,
    .run = revoke_run,
};
