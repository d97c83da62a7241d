#include "cmd/commands.h"

#include "base/clock.h"
#include "cmd/ending.h"
#include "cmd/output.h"
#include "cmd/screen_data.h"
#include "cmd/stop.h"
#include "cmd/table.h"
#include "screen/group_member.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {.name = "similar",
        .type = CONF_NUMBER,
        .arg = "SHARE",
        .min = 0.2,
        .max = 1.0,
        .initial = "0.5",
        .text = "Two sources are near when they share so much of the windows of either."},
    {.name = "near",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = 1e6,
        .initial = "5",
        .text = "Sources of other networks that are near one which a group grows from."},
    {.name = "shared",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 0,
        .max = GROUP_WINDOWS,
        .initial = "3",
        .text = "Windows that half of a group's sources have in common."},
    {.name = "least",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 2,
        .max = GROUP_WINDOWS,
        .initial = "4",
        .text = "Windows in which a source came after one without it, for it to be looked at."},
    {.name = "networks",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 2,
        .max = 1e6,
        .initial = "8",
        .text = "Show groups of so many networks (/24, IPv6: /48)."},
    {.name = "rounds",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = GROUP_ROUNDS_MAX,
        .initial = "19",
        .text =
            "Rounds of chance: 19 mean that one day in twenty shows a group where none is."},
    {.name = "all",
        .type = CONF_FLAG,
        .text = "Show groups as well that are no larger than chance has them."},
    {.name = "seed", .type = CONF_COUNT, .arg = "S", .initial = "1", .text = "Of the rounds."},
    {.name = "members",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text = "Write every source that was looked at, with its windows and group, as CSV. "
                "A file that is there is not written over."},
    {.name = "json", .type = CONF_FLAG, .text = "The table as JSON lines."},
    SCREEN_DATA_ITEMS,
    {.name = NULL},
};

struct work {
    const struct conf *conf;
    struct screen_data data;
    struct profiles profiles;
    uint32_t now;
    struct group_member *members; /* one a profile; owned */
    struct group_options options;
    struct groups_result found;
    struct groups_chance chance;
    struct output members_file;
};

static enum err members_make(struct work *w, struct fault *f)
{
    uint32_t day = w->profiles.day;
    uint32_t windows = w->now < day ? w->now : day;
    w->options = group_options_usual(windows, w->profiles.hour);
    w->options.least = (uint32_t)conf_count(w->conf, "least");
    w->options.similar = conf_number(w->conf, "similar");
    w->options.shared = (uint32_t)conf_count(w->conf, "shared");
    w->options.near = (uint32_t)conf_count(w->conf, "near");
    w->options.rounds = (unsigned)conf_count(w->conf, "rounds");
    w->options.seed = conf_count(w->conf, "seed");
    if (!group_windows_suffice(w->options.windows, w->options.shift))
        return fault_set(f, ERR_RANGE,
            "the captures have %u windows; %d and more than four hours are needed", windows,
            GROUP_WINDOWS_LEAST);
    w->members = calloc(w->profiles.count + 1, sizeof *w->members);
    if (!w->members)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < w->profiles.count; i++)
        group_member_make(&w->profiles.list[i], w->now, w->options.windows, &w->members[i]);
    return OK;
}

/* --- showing ------------------------------------------------------------------------------ */

enum {
    THINGS_SHOWN = 4,
    HOSTS_SHOWN = 3
};

static void things_write(const struct work *w, uint32_t group, struct buf *out)
{
    struct group_thing list[GROUP_THINGS];
    char text[THING_TEXT];
    size_t count = group_things(&w->profiles, w->found.of, group, list);
    for (size_t i = 0; i < count && i < THINGS_SHOWN; i++) {
        struct thing_match m = thing_match_of(list[i].key, &w->profiles.words);
        buf_printf(
            out, "%s%s by %u", i ? "; " : "", thing_match_format(&m, text), list[i].sources);
    }
    if (count > THINGS_SHOWN)
        buf_str(out, "; ...");
}

static void hosts_write(const struct work *w, uint32_t group, struct buf *out)
{
    char text[IP_TEXT];
    unsigned shown = 0;
    for (size_t i = 0; i < w->profiles.count && shown < HOSTS_SHOWN; i++)
        if (w->found.of[i] == group)
            buf_printf(
                out, "%s%s", shown++ ? " " : "", ip_format(&w->profiles.list[i].ip, text));
}

static json_t *group_row(const struct work *w, uint32_t number)
{
    const struct group_found *g = &w->found.list[number];
    struct buf things;
    struct buf hosts;
    buf_init(&things, 1 << 16);
    buf_init(&hosts, 1 << 10);
    things_write(w, number, &things);
    hosts_write(w, number, &hosts);
    json_t *row =
        json_pack("{s:I, s:I, s:I, s:I, s:f, s:s, s:s}", "group", (json_int_t)number + 1,
            "networks", (json_int_t)g->networks, "sources", (json_int_t)g->members, "windows",
            (json_int_t)group_windows(g->core), "similar", round(100.0 * g->similar) / 100.0,
            "things", things.data ? (const char *)things.data : "", "hosts",
            hosts.data ? (const char *)hosts.data : "");
    buf_done(&things);
    buf_done(&hosts);
    return row;
}

static void show(const struct work *w)
{
    json_t *rows = json_array();
    bool all = conf_flag(w->conf, "all");
    uint64_t least = conf_count(w->conf, "networks");
    for (uint32_t i = 0; i < w->found.count; i++)
        if (w->found.list[i].networks >= least &&
            (all || w->found.list[i].networks > w->chance.networks))
            json_array_append_new(rows, group_row(w, i));
    fprintf(stderr,
        "%zu sources, %zu looked at over %u windows; the largest group in %u rounds of chance "
        "has %u networks\n",
        w->profiles.count, w->found.looked_at, w->options.windows, w->chance.rounds,
        w->chance.networks);
    table_rows(stdout, rows, conf_flag(w->conf, "json"));
    json_decref(rows);
}

/* source,network,group,windows: hexadecimal, the last window the lowest bit. */
static enum err members_write(struct work *w, struct fault *f)
{
    enum {
        CSV_MAX = 1 << 30
    };
    char text[IP_TEXT];
    struct buf out;
    if (!w->members_file.file)
        return OK;
    buf_init(&out, CSV_MAX);
    buf_str(&out, "source,network,group,windows\n");
    for (size_t i = 0; i < w->profiles.count; i++) {
        const struct group_member *m = &w->members[i];
        uint32_t group = w->found.of[i];
        buf_printf(&out, "%s,%016" PRIx64 ",%u,%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "\n",
            ip_format(&w->profiles.list[i].ip, text), m->network,
            group == GROUP_NONE ? 0 : group + 1, m->active[2], m->active[1], m->active[0]);
    }
    enum err e = output_write(&w->members_file, &out, f);
    buf_done(&out);
    return e;
}

static enum err find(struct work *w, struct fault *f)
{
    enum err e = members_make(w, f);
    if (e)
        return e;
    e = groups_find(w->members, w->profiles.count, &w->options, &w->found);
    if (!e)
        e = groups_chance(w->members, w->profiles.count, &w->options, UINT32_MAX, &w->chance);
    if (e)
        return fault_set(f, e, "groups: %s", err_text(e));
    show(w);
    return members_write(w, f);
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct work w = {.conf = conf};
    stop_install();
    const char *members = conf_text(conf, "members");
    enum err e = members ? output_open(&w.members_file, "--members", members, &f) : OK;
    if (!e)
        e = screen_data_open(&w.data, conf, count, operands, &f);
    int64_t window = e ? 0 : w.data.setup.window;
    if (!e && (window < 10 * US_MINUTE || US_HOUR % window))
        e = fault_set(
            &f, ERR_RANGE, "--window: 10 minutes or more, and it is to divide an hour");
    if (!e && profiles_init(&w.profiles, GROUP_MEMBERS_MAX, window))
        e = ERR_NOMEM;
    if (!e)
        e = screen_data_profiles(&w.data, &w.profiles, &w.now, &f);
    if (!e)
        e = find(&w, &f);
    e = output_close(&w.members_file, e, &f);
    int status = ending("screen groups", e, &f);
    free(w.found.of);
    free(w.found.list);
    free(w.members);
    profiles_done(&w.profiles);
    screen_data_done(&w.data);
    return status;
}

const struct command cmd_screen_groups = {
    .name = "screen groups",
    .text = "Show groups of sources that move together, whatever they send.",
    .operands = "[FILE...]",
    .items = items,
    .run = run,
    .more =
        "Of the last day of the captures: sources of many networks that were active in the\n"
        "same windows. What chance has is told by moving the windows of every source by an\n"
        "hour or some of its own, and looking again.\n"
        "\n"
        "  kizashi screen groups --site jp-01=a.pcap --site kr-01=b.pcap\n",
};
