#include "cmd/commands.h"

#include "alert/lead.h"
#include "cmd/alert_text.h"
#include "cmd/ask_args.h"
#include "cmd/ending.h"
#include "cmd/engines.h"
#include "cmd/holder.h"
#include "cmd/options.h"
#include "cmd/table.h"

#include <stdio.h>
#include <string.h>

static const struct conf_item alerts_items[] = {
    DATA_ITEM(DATA_ASKED),
    SPAN_ITEMS("Alerts that last until after this time", "Alerts that began before this time"),
    {.name = "severity",
        .type = CONF_TEXT,
        .arg = "SEVERITY",
        .initial = "info",
        .values = "info|notice|warning|critical",
        .text = "This severity or a higher one; the portal's list begins with notice."},
    {.name = "state",
        .type = CONF_TEXT,
        .arg = "STATE",
        .values = "new|seen|known|right|wrong",
        .text = "What people said about it."},
    {.name = "suppressed",
        .type = CONF_TEXT,
        .arg = "HOW",
        .initial = "exclude",
        .values = "include|exclude|only",
        .text = "With alerts that a suppression covers, without them, or they alone."},
    {.name = "kind",
        .type = CONF_TEXT,
        .arg = "KIND",
        .values = ALERT_KINDS,
        .text = "Of this kind."},
    {.name = "engine",
        .type = CONF_TEXT,
        .arg = "ENGINE",
        .text = "In which this engine (kizashi engines), or lead, has a part."},
    {.name = "site", .type = CONF_TEXT, .arg = "NAME", .max = 63, .text = "At this site."},
    {.name = "proto", .type = CONF_TEXT, .arg = "PROTO", .text = "About this protocol."},
    {.name = "port",
        .type = CONF_COUNT,
        .arg = "PORT",
        .max = 65535,
        .text = "About this port."},
    {.name = "limit",
        .type = CONF_COUNT,
        .arg = "ROWS",
        .min = 1,
        .max = 1000,
        .initial = "50",
        .text = "At most so many."},
    {.name = "json",
        .type = CONF_FLAG,
        .text = "Whole alerts as JSON lines (docs/formats/alert.md)."},
    {.name = NULL},
};

static enum err engine_check(const char *name, struct fault *f)
{
    char names[200] = LEAD_ENGINE;
    size_t used = strlen(names);
    bool found = !name || strcmp(name, LEAD_ENGINE) == 0;
    for (const struct engine *const *e = engines_all(); *e && !found; e++) {
        found = strcmp((*e)->name, name) == 0;
        if (used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, ", %s", (*e)->name);
    }
    return found ? OK
                 : fault_set(f, ERR_BAD, "--engine: there is no engine \"%.60s\"; there are %s",
                       name, names);
}

static enum err query_read(
    struct catalog_alert_query *q, const struct conf *conf, struct fault *f)
{
    char name[RECORD_NAME_MAX + 1];
    catalog_alert_query_init(q);
    enum err e = narrow_check(conf, f);
    if (!e)
        e = span_check(conf, f);
    if (!e)
        e = narrow_name(conf, "site", name, f);
    if (!e)
        e = engine_check(conf_text(conf, "engine"), f);
    if (!e)
        e = narrow_service(conf, &q->proto, &q->port, f);
    if (e)
        return e;
    q->kind = conf_text(conf, "kind");
    q->engine = conf_text(conf, "engine");
    q->site = conf_text(conf, "site");
    q->limit = conf_count(conf, "limit");
    const char *shown = conf_text(conf, "suppressed");
    q->suppressed = strcmp(shown, "include") == 0 ? -1 : strcmp(shown, "only") == 0;
    const char *state = conf_text(conf, "state");
    enum catalog_state s;
    if (state && state_parse(state, &s) == OK)
        q->state = (int)s;
    return severity_parse(conf_text(conf, "severity"), &q->least);
}

/* One alert by its id: what narrows a list does not act on it. */
static enum err one_check(
    const struct conf *conf, size_t count, char **operands, struct fault *f)
{
    if (count > 1)
        return fault_set(f, ERR_BAD, "\"%.60s\" is too much: one alert at a time", operands[1]);
    if (strspn(operands[0], "0123456789abcdefghijklmnopqrstuvwxyz-") != strlen(operands[0]))
        return fault_set(f, ERR_BAD, "\"%.60s\" is not the id of an alert", operands[0]);
    for (const struct conf_item *item = conf_items(conf); item->name; item++)
        if (conf_given(conf, item->name) && strcmp(item->name, "data") != 0 &&
            strcmp(item->name, "json") != 0)
            return fault_set(
                f, ERR_BAD, "--%s: does not act on one alert that its id names", item->name);
    return OK;
}

/* The columns that a person looks at first. */
static json_t *short_rows(const json_t *alerts)
{
    static const char *const columns[] = {
        "time", "severity", "confidence", "host_count", "sites", "id", "title"};
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        json_t *row = json_object();
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
            json_object_set(
                row, columns[c], json_object_get(json_array_get(alerts, i), columns[c]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static void alerts_print(const struct conf *conf, const json_t *alerts, bool whole)
{
    if (conf_flag(conf, "json")) {
        table_rows(stdout, alerts, true);
    } else if (whole) {
        alert_text(stdout, json_array_get(alerts, 0));
    } else {
        json_t *rows = short_rows(alerts);
        table_print(stdout, rows);
        json_decref(rows);
    }
}

/* The query's times, and then the alerts. */
static enum err alerts_find(struct catalog_alert_query *q, const struct conf *conf,
    const char *id, json_t **ret_alerts, struct fault *f)
{
    struct holder *holder = NULL;
    unsigned what = HOLDER_CATALOG | (span_needs_store(conf) ? HOLDER_STORE : 0);
    enum err e = holder_open(&holder, conf_text(conf, "data"), what, f);
    if (!e)
        e = span_from_conf(conf, holder, &q->from, &q->to, f);
    if (!e)
        e = holder_alerts(holder, q, id, ret_alerts, f);
    holder_close(holder);
    if (!e && q->site && !json_array_size(*ret_alerts))
        e = narrow_site_known(conf_text(conf, "data"), q->site, f);
    return e;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct catalog_alert_query q;
    json_t *alerts = NULL;
    enum err e = query_read(&q, conf, &f);
    if (!e && count)
        e = one_check(conf, count, operands, &f);
    if (!e)
        e = alerts_find(&q, conf, count ? operands[0] : NULL, &alerts, &f);
    if (!e)
        alerts_print(conf, alerts, count > 0);
    if (!e && !json_array_size(alerts))
        fprintf(stderr, "kizashi alerts: none that match\n");
    json_decref(alerts);
    return ending("alerts", e, &f);
}

const struct command cmd_alerts = {
    .name = "alerts",
    .text = "List alerts, or show one with its evidence.",
    .operands = "[ID]",
    .items = alerts_items,
    .run = run,
    .more = "Newest first. With an id the whole alert is told: what, when, where, who, and the "
            "numbers that say why. kizashi alerts mark says what became of one.\n\n"
            "Examples:\n"
            "  kizashi alerts --severity notice --port 3389 --from -7d\n"
            "  kizashi alerts 20260804-20012tcp-97d6\n",
};
