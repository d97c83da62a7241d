#include "alert/lead.h"
#include "cmd/ask_args.h"
#include "cmd/commands.h"
#include "cmd/ending.h"
#include "cmd/holder.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "store/catalog_forecasts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where things are expected, and what became of it. */

static const struct conf_item items[] = {
    DATA_ITEM(DATA_ASKED),
    {.name = "alert", .type = CONF_TEXT, .arg = "ID", .max = 63, .text = "Of this alert."},
    {.name = "site", .type = CONF_TEXT, .arg = "NAME", .max = 63, .text = "For this site."},
    {.name = "state",
        .type = CONF_TEXT,
        .arg = "STATE",
        .values = "open|came|late|missed|void",
        .text = "What became of it."},
    {.name = "limit",
        .type = CONF_COUNT,
        .arg = "ROWS",
        .min = 1,
        .max = 10000,
        .initial = "50",
        .text = "At most so many."},
    {.name = "json",
        .type = CONF_FLAG,
        .text = "Whole forecasts as JSON lines (docs/formats/forecast.md)."},
    {.name = NULL},
};

static enum err add_row(void *context, const struct catalog_forecast *x)
{
    json_t *row = json_loadb(x->json, x->json_len, 0, NULL);
    return row && json_array_append_new(context, row) == 0 ? OK : ERR_NOMEM;
}

static enum err hub_rows(const struct hub_address *hub, const struct catalog_forecast_query *q,
    json_t *rows, struct fault *f)
{
    char path[512];
    json_t *page = NULL;
    snprintf(path, sizeof path, "forecasts?limit=%zu%s%.63s%s%.63s%s%s", q->limit,
        q->alert ? "&alert=" : "", q->alert ? q->alert : "", q->site ? "&site=" : "",
        q->site ? q->site : "", q->state ? "&state=" : "", q->state ? q->state : "");
    enum err e = hub_ask(hub, "GET", path, NULL, &page, f);
    if (!e && json_array_extend(rows, json_object_get(page, "rows")) != 0)
        e = fault_set(f, ERR_BAD, "the hub's answer is not a list of forecasts");
    json_decref(page);
    return e;
}

static void service_text(const json_t *row, char text[32])
{
    const char *proto = json_string_value(json_object_get(row, "proto"));
    snprintf(text, 32, "%lld/%.16s",
        (long long)json_integer_value(json_object_get(row, "port")), proto ? proto : "");
}

/* The columns that a person looks at first. */
static json_t *short_rows(const json_t *forecasts)
{
    static const char *const times[] = {"expected", "low", "high", "chance"};
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(forecasts); i++) {
        const json_t *x = json_array_get(forecasts, i);
        char service[32];
        service_text(x, service);
        json_t *row = json_pack("{s:O, s:O, s:s, s:O}", "site", json_object_get(x, "site"),
            "state", json_object_get(x, "state"), "service", service, "origin",
            json_object_get(x, "origin"));
        for (size_t t = 0; t < sizeof times / sizeof *times; t++)
            json_object_set(
                row, times[t], json_object_get(json_object_get(x, "last"), times[t]));
        json_object_set(row, "came", json_object_get(x, "came"));
        json_object_set(row, "alert", json_object_get(x, "alert"));
        json_array_append_new(rows, row);
    }
    return rows;
}

static void rows_print(const struct conf *conf, const json_t *forecasts)
{
    if (!conf_flag(conf, "json")) {
        json_t *rows = short_rows(forecasts);
        table_print(stdout, rows);
        json_decref(rows);
        return;
    }
    table_rows(stdout, forecasts, true);
}

static enum err names_check(const struct conf *conf, struct fault *f)
{
    char name[RECORD_NAME_MAX + 1];
    enum err e = narrow_check(conf, f);
    if (!e)
        e = narrow_name(conf, "alert", name, f);
    return e ? e : narrow_name(conf, "site", name, f);
}

static enum err found(void *context, const struct catalog_alert *a)
{
    (void)context;
    (void)a;
    return OK;
}

/* None is told only of an alert and a site that there are; a hub has looked itself. */
static enum err none_check(struct holder *holder, const struct catalog_forecast_query *q,
    const char *data, struct fault *f)
{
    if (holder_hub(holder))
        return OK;
    enum err e =
        q->alert ? catalog_alert_find(holder_catalog(holder), q->alert, found, NULL) : OK;
    if (e == ERR_NOTFOUND)
        return fault_set(f, e, "--alert: there is no alert %s", q->alert);
    return e || !q->site ? e : narrow_site_known(data, q->site, f);
}

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct fault f = {0};
    struct holder *holder = NULL;
    json_t *rows = json_array();
    const struct catalog_forecast_query q = {.alert = conf_text(conf, "alert"),
        .site = conf_text(conf, "site"),
        .state = conf_text(conf, "state"),
        .limit = conf_count(conf, "limit")};
    enum err e = names_check(conf, &f);
    if (!e)
        e = holder_open(&holder, conf_text(conf, "data"), HOLDER_CATALOG, &f);
    if (!e)
        e = holder_hub(holder)
                ? hub_rows(holder_hub(holder), &q, rows, &f)
                : catalog_forecasts(holder_catalog(holder), &q, add_row, rows, &f);
    if (!e && !json_array_size(rows))
        e = none_check(holder, &q, conf_text(conf, "data"), &f);
    if (!e)
        rows_print(conf, rows);
    if (!e && !json_array_size(rows))
        fprintf(stderr, "kizashi forecasts: none that match\n");
    json_decref(rows);
    holder_close(holder);
    return ending("forecasts", e, &f);
}

const struct command cmd_forecasts = {
    .name = "forecasts",
    .text = "List where things are expected, and what became of it.",
    .items = items,
    .run = run,
    .more =
        "What began at one site and came to a second is expected at the others: when, with\n"
        "an interval that holds four in five of those that come, and the chance that it\n"
        "comes within 48 hours. Newest first, times as last revised. came: it did, after\n"
        "the forecast; late: it had begun there before; missed: it did not; void: the site\n"
        "did not watch. docs/lead.md has the model.\n\n"
        "Examples:\n"
        "  kizashi forecasts --state open\n"
        "  kizashi forecasts --site br-01 --json\n",
};
