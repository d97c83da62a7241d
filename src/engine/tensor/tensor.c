#include "engine/classes.h"
#include "engine/tensor/tensor_int.h"

#include <assert.h>
#include <stdlib.h>

static const struct conf_item items[] = {
    {"host-bits", CONF_COUNT, "N", "bits", 8, 32, "16", NULL,
        "Sources that share so many leading bits of their IPv4 address, twice as many of an "
        "IPv6 "
        "address, are one host."},
    {"min-hosts", CONF_COUNT, "N", "hosts", 3, 100000, "8", NULL,
        "Fewer hosts in step beyond chance are never reported."},
    LEAVE_OUT_ITEM,
    {"freeze", CONF_DURATION, "TIME", NULL, 3600, 90 * 86400, "3d", NULL,
        "What has been in step for this long is no news."},
    {"services-max", CONF_COUNT, "N", NULL, 16, 65536, "4096", NULL,
        "Ports that are watched at once, 200 bytes each."},
    {"fibres-max", CONF_COUNT, "N", NULL, 16, 65536, "4096", NULL,
        "Groups of hosts that are remembered at once, 1.1 KiB each."},
    {NULL, CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, NULL},
};

static enum err tensor_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    unsigned leave_out = 0;
    enum err e = classes_parse(conf_text(conf, "leave-out"), &leave_out, f);
    if (e)
        return e;
    if (window < US_MINUTE || window > US_HOUR)
        return fault_set(f, ERR_RANGE, "needs a --window of 1 minute to 1 hour");
    struct tensor *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->state.of = &engine_tensor;
    s->options = (struct tensor_options){
        .prefix = (unsigned)conf_count(conf, "host-bits"),
        .min_hosts = (double)conf_count(conf, "min-hosts"),
        .leave_out = leave_out,
        .freeze = conf_us(conf, "freeze"),
        .services_max = conf_count(conf, "services-max"),
        .fibres_max = conf_count(conf, "fibres-max"),
    };
    s->window = window;
    *ret_state = &s->state;
    return OK;
}

enum err tensor_room(struct tensor *s)
{
    if (!s->watches)
        s->watches = calloc(s->options.services_max, sizeof *s->watches);
    if (!s->fibres)
        s->fibres = calloc(s->options.fibres_max, sizeof *s->fibres);
    return s->watches && s->fibres ? OK : ERR_NOMEM;
}

void tensor_clear(struct tensor *s)
{
    free(s->watches);
    free(s->fibres);
    s->watches = NULL;
    s->fibres = NULL;
    s->watch_count = s->fibre_count = 0;
    s->now = 0;
}

static void tensor_close(struct engine_state *st)
{
    if (!st)
        return;
    assert(st->of == &engine_tensor);
    struct tensor *s = (struct tensor *)(void *)st;
    tensor_clear(s);
    free(s);
}

static const struct need needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "hosts cannot be told apart"},
    {.field = NEED_DESTINATION_PORT,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "hosts of different services are taken together"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = 10 * US_SECOND,
        .vital = true,
        .without = "moments of a window cannot be told apart"},
    {.without = NULL},
};

const struct engine engine_tensor = {
    .name = "tensor",
    .text = "finds hosts that act on a port in the same seconds, though no count of them rises",
    .source = "after Kanehara et al., SAC 2019 (host x port x time, non-negative Tucker)",
    .items = items,
    .eats = &record_contact,
    .needs = needs,
    .open = tensor_open,
    .step = tensor_step,
    .save = tensor_save,
    .load = tensor_load,
    .close = tensor_close,
};
