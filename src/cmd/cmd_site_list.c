#include "cmd/commands.h"

#include "cmd/ending.h"
#include "cmd/fleet_text.h"
#include "cmd/hub_client.h"
#include "cmd/options.h"
#include "cmd/table.h"

#include <stdio.h>
#include <string.h>

/* site list, site show: how sites are and were, as the hub that runs says. */

static enum err ask(
    const struct conf *conf, const char *path, json_t **ret_answer, struct fault *f)
{
    struct hub_address hub;
    enum err e = hub_running(conf_text(conf, "data"), &hub, f);
    return e ? e : hub_ask(&hub, "GET", path, NULL, ret_answer, f);
}

/* ---- list ---- */

static const struct conf_item list_items[] = {
    DATA_ITEM(DATA_RUNNING),
    {.name = "json", .type = CONF_FLAG, .text = "A line of JSON for each site."},
    {.name = NULL},
};

static bool is_well(const json_t *row)
{
    const char *state = json_string_value(json_object_get(row, "state"));
    return state && (strcmp(state, "up") == 0 || strcmp(state, "new") == 0 ||
                        strcmp(state, "unwatched") == 0);
}

static int list_run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    json_t *fleet = NULL;
    (void)count;
    (void)operands;
    enum err e = ask(conf, "fleet", &fleet, &f);
    const json_t *rows = json_object_get(fleet, "rows");
    bool well = true;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        well = well && is_well(json_array_get(rows, i));
        if (conf_flag(conf, "json"))
            table_line(stdout, json_array_get(rows, i));
    }
    if (!e && !conf_flag(conf, "json"))
        fleet_text_rows(stdout, fleet);
    if (!e && !json_array_size(rows))
        fprintf(stderr, "kizashi site list: no site runs by itself yet\n");
    json_decref(fleet);
    return !e && !well ? EXIT_PROBLEM : ending("site list", e, &f);
}

const struct command cmd_site_list = {
    .name = "site list",
    .text = "How every site is, and why.",
    .items = list_items,
    .run = list_run,
    .more = "What needs a person comes first. The exit status is 1 if a site is down, late or "
            "degraded, so that monitoring can use it.\n\n"
            "Example:\n"
            "  kizashi site list --data /var/lib/kizashi\n",
};

/* ---- show ---- */

static const struct conf_item show_items[] = {
    DATA_ITEM(DATA_RUNNING),
    {.name = "last",
        .type = CONF_DURATION,
        .arg = "DURATION",
        .min = 3600,
        .max = 34560000,
        .initial = "30d",
        .text = "Figures and history over so long."},
    {.name = "json", .type = CONF_FLAG, .text = "As JSON."},
    {.name = NULL},
};

static int show_run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    json_t *site = NULL;
    char path[160];
    if (count != 1) {
        fprintf(stderr, "kizashi site show: the name of one site is needed\n");
        return EXIT_USAGE;
    }
    snprintf(path, sizeof path, "fleet/%.63s?last=%llds", operands[0],
        (long long)(conf_us(conf, "last") / US_SECOND));
    enum err e = ask(conf, path, &site, &f);
    if (!e && conf_flag(conf, "json"))
        table_line(stdout, site);
    else if (!e)
        fleet_text_site(stdout, site);
    json_decref(site);
    return ending("site show", e, &f);
}

const struct command cmd_site_show = {
    .name = "site show",
    .text = "One site: how it is and was, what it last said, what happened.",
    .operands = "NAME",
    .items = show_items,
    .run = show_run,
    .more =
        "The history has 48 letters for the time of --last: u up, g degraded, l late, d down, "
        "a dot where the hub did not watch.\n\n"
        "Example:\n"
        "  kizashi site show jp-01 --last 7d\n",
};
