#include "engine/fits.h"
#include "engine/screen/screen_int.h"
#include "screen/builtin.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {"rules", CONF_FILE, "FILE", NULL, 0, 4000, NULL, NULL,
        "Screening rules that a person has accepted (kizashi screen rules --accept)."},
    {"surveys", CONF_TEXT, "WHICH", NULL, 0, 16, "behaviour", "behaviour|lists",
        "Surveys are told by behaviour as well, or by lists alone."},
    {"min-networks", CONF_COUNT, "N", "networks", 3, 100000, "8", NULL,
        "New patterns that fewer networks (/24, IPv6: /48) share are never reported."},
    {"learn", CONF_DURATION, "TIME", NULL, 0, 30 * 86400, "1d", NULL,
        "Patterns seen in this time from the first window on are no news."},
    {"sources-max", CONF_COUNT, "N", "sources", PROFILES_LEAST, 1 << 22, "262144", NULL,
        "Sources that are remembered, 360 bytes each; of more, those that were silent longest "
        "are forgotten."},
    {"groups", CONF_DURATION, "TIME", NULL, 0, 86400, "1h", NULL,
        "How often groups of sources are looked for that move together, a --window or more; 0: "
        "never."},
    {"group-networks", CONF_COUNT, "N", "networks", 2, 100000, "8", NULL,
        "Groups of fewer networks are never reported."},
    {"group-rounds", CONF_COUNT, "N", "rounds", 1, GROUP_ROUNDS_MAX, "299", NULL,
        "Rounds of chance, all of which a group is to be larger than."},
    {"group-sources", CONF_COUNT, "N", "sources", 1024, 1 << 20, "8192", NULL,
        "Sources that are compared with each other; of more, those of one network in two, in "
        "four and so on."},
    {NULL, CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, NULL},
};

enum err screen_begin(struct screen *s)
{
    enum err e = profiles_init(&s->profiles, s->options.sources_max, s->window);
    if (!e)
        e = patterns_init(&s->book, s->window, s->options.learn);
    return e;
}

void screen_end(struct screen *s)
{
    profiles_done(&s->profiles);
    patterns_done(&s->book);
}

static enum err rules_open(struct screen *s, const struct conf *conf, struct fault *f)
{
    const char *path = conf_text(conf, "rules");
    rules_init(&s->rules);
    enum err e = path ? rules_read_file(&s->rules, path, f) : OK;
    for (size_t i = 0; !e && i < s->rules.count; i++)
        if (!s->rules.list[i].accepted)
            e = fault_set(f, ERR_BAD,
                "%s: rule %s has not been accepted; kizashi screen rules --accept does that",
                path, s->rules.list[i].name);
    if (!e && strcmp(conf_text(conf, "surveys"), "behaviour") == 0)
        e = rules_builtin(&s->rules, f);
    if (e)
        return e;
    s->use = calloc(SCREEN_USES_MAX, sizeof *s->use);
    if (!s->use)
        return fault_set(f, ERR_NOMEM, "out of memory");
    return OK;
}

static void screen_close(struct engine_state *st)
{
    if (!st)
        return;
    assert(st->of == &engine_screen);
    struct screen *s = (struct screen *)(void *)st;
    screen_end(s);
    rules_done(&s->rules);
    for (size_t i = 0; i < s->tag_room; i++) {
        free(s->tags[i].rows);
        free(s->tags[i].why);
    }
    free(s->tags);
    free(s->shown);
    free(s->why);
    free(s->reasons.list);
    free(s->use);
    free(s);
}

static enum err screen_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    int64_t groups = conf_us(conf, "groups");
    enum err e = window_fits(window, 10 * US_MINUTE, f);
    if (!e && groups && groups < window)
        e = fault_set(f, ERR_RANGE,
            "screen.groups is shorter than --window, %d minutes: give as much or more, or 0 "
            "for "
            "never",
            (int)(window / US_MINUTE));
    if (e)
        return e;
    struct screen *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->state.of = &engine_screen;
    s->window = window;
    s->options = (struct screen_settings){
        .sources_max = conf_count(conf, "sources-max"),
        .min_networks = (double)conf_count(conf, "min-networks"),
        .learn = conf_us(conf, "learn"),
        .groups = groups,
        .group_networks = (uint32_t)conf_count(conf, "group-networks"),
        .group_rounds = (unsigned)conf_count(conf, "group-rounds"),
        .group_sources = conf_count(conf, "group-sources"),
    };
    e = rules_open(s, conf, f);
    if (!e && screen_begin(s))
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (e) {
        screen_close(&s->state);
        return e;
    }
    *ret_state = &s->state;
    return OK;
}

static const struct need needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "sources that share a pattern cannot be counted"},
    {.field = NEED_DESTINATION_PORT,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "a pattern of ports cannot be seen"},
    {.field = NEED_DESTINATION,
        .relations = NEED_EQUAL,
        .without = "how many addresses a source tries is not known"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = 10 * US_MINUTE,
        .vital = true,
        .without = "packets fall into wrong windows"},
    {.without = NULL},
};

const struct engine engine_screen = {
    .name = "screen",
    .text = "tags what is known and what surveys do, and finds new patterns that many sources "
            "share",
    .source =
        "after the screening stage of PRACTICE (2011-2016); methods are this project's own",
    .items = items,
    .eats = &record_contact,
    .needs = needs,
    .open = screen_open,
    .step = screen_step,
    .save = screen_save,
    .load = screen_load,
    .tags = screen_tags,
    .close = screen_close,
};
