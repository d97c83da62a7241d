#include "engine/classes.h"
#include "engine/nmf/nmf_int.h"

#include <assert.h>
#include <stdlib.h>

static const struct conf_item items[] = {
    {"host-bits", CONF_COUNT, "N", "bits", 8, 32, "24", NULL,
        "Sources that share so many leading bits of their IPv4 address, twice as many of an "
        "IPv6 "
        "address, are one host."},
    {"min-hosts", CONF_COUNT, "N", "hosts", 3, 100000, "8", NULL,
        "Groups of fewer hosts, counted by /16 (IPv6: /32), are never reported."},
    {"port-share", CONF_NUMBER, "X", NULL, 0.05, 1, "0.3", NULL,
        "A port is the group's if this share of its hosts asks for it in step."},
    LEAVE_OUT_ITEM,
    {"freeze", CONF_DURATION, "TIME", NULL, 3600, 90 * 86400, "3d", NULL,
        "What has come back together for this long is no news."},
    {"acts-max", CONF_COUNT, "N", NULL, 1024, 1 << 24, "524288", NULL,
        "Hosts and ports of a window that are remembered, 72 bytes each; of more, a sample of "
        "hosts."},
    {NULL, CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, NULL},
};

static enum err nmf_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    unsigned leave_out = 0;
    enum err e = classes_parse(conf_text(conf, "leave-out"), &leave_out, f);
    if (e)
        return e;
    if (window < 5 * US_MINUTE || window > US_HOUR)
        return fault_set(f, ERR_RANGE, "needs a --window of 5 minutes to 1 hour");
    struct nmf_state *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->state.of = &engine_nmf;
    s->options = (struct nmf_settings){
        .prefix = (unsigned)conf_count(conf, "host-bits"),
        .min_hosts = (double)conf_count(conf, "min-hosts"),
        .port_share = conf_number(conf, "port-share"),
        .leave_out = leave_out,
        .freeze = conf_us(conf, "freeze"),
        .acts_max = conf_count(conf, "acts-max"),
    };
    s->window = window;
    *ret_state = &s->state;
    return OK;
}

enum err nmf_room(struct nmf_state *s)
{
    if (!s->groups)
        s->groups = calloc(GROUPS_MAX, sizeof *s->groups);
    return s->groups ? OK : ERR_NOMEM;
}

void nmf_clear(struct nmf_state *s)
{
    for (unsigned i = 0; i < WINDOWS; i++) {
        free(s->acts[i].list);
        s->acts[i] = (struct acts){0};
    }
    free(s->groups);
    s->groups = NULL;
    s->group_count = 0;
    s->now = 0;
}

static void nmf_close(struct engine_state *st)
{
    if (!st)
        return;
    assert(st->of == &engine_nmf);
    struct nmf_state *s = (struct nmf_state *)(void *)st;
    nmf_clear(s);
    free(s);
}

static const struct need needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "hosts cannot be told apart"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = 10 * US_SECOND,
        .vital = true,
        .without = "moments of a window cannot be told apart"},
    {.without = NULL},
};

const struct engine engine_nmf = {
    .name = "nmf",
    .text = "finds groups of hosts that come back together within half an hour, on any ports",
    .source =
        "after Han et al., TrustCom 2021 (hosts x time, non-negative matrix factorisation)",
    .items = items,
    .eats = &record_contact,
    .needs = needs,
    .open = nmf_open,
    .step = nmf_step,
    .save = nmf_save,
    .load = nmf_load,
    .close = nmf_close,
};
