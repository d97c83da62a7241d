#include "cmd/contest.h"

#include "base/clock.h"
#include "base/hash.h"
#include "cmd/recording.h"
#include "evaluate/tape_count.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool contest_wanted(const struct conf *conf)
{
    return conf_flag(conf, "each") || conf_flag(conf, "plant") ||
           conf_count(conf, "shuffles") || conf_given(conf, "engines") ||
           conf_given(conf, "set");
}

/* A list of numbers among the options. */
struct numbers {
    uint32_t *list;
    size_t room, count;
    uint32_t most;
};

/* "20,50,100": numbers from 1 to `most`. */
static enum err numbers_parse(
    const struct conf *conf, const char *option, struct numbers *n, struct fault *f)
{
    const char *text = conf_text(conf, option), *at = text;
    for (;; at++) {
        char *end;
        unsigned long value = strtoul(at, &end, 10);
        if (*at < '0' || *at > '9' || (*end && *end != ','))
            return fault_set(f, ERR_BAD,
                "%s: \"%s\" is not a list of numbers such as 20,50,100", option, text);
        if (value < 1 || value > n->most)
            return fault_set(f, ERR_RANGE, "%s: %.*s is not within 1 to %u", option,
                (int)(end - at), at, n->most);
        if (n->count == n->room)
            return fault_set(f, ERR_RANGE, "%s: more than %zu numbers", option, n->room);
        n->list[n->count++] = (uint32_t)value;
        at = end;
        if (!*at)
            break;
    }
    return OK;
}

static void show(const char *what, size_t done, size_t of)
{
    if (isatty(STDERR_FILENO) && (done % 16 == 0 || done == of))
        fprintf(stderr, "\r\033[Kkizashi evaluate: %s (%zu of %zu)", what, done, of);
}

static void on_planted(void *context, size_t done, size_t of)
{
    (void)context;
    show("planted windows", done, of);
}

enum err contest_open(
    struct contest *c, const struct conf *conf, struct evaluation *ev, struct fault *f)
{
    *c = (struct contest){.conf = conf, .ev = ev};
    struct plant_options *o = &c->plant;
    *o = (struct plant_options){.trials = conf_count(conf, "trials"),
        .after = conf_us(conf, "plant-after"),
        .quiet = 6 * US_HOUR,
        .seed = hash_two(conf_count(conf, "contest-seed"), 1),
        .progress = on_planted};
    struct numbers sizes = {.list = o->sizes, .room = PLANT_SIZES, .most = 60000};
    struct numbers slots = {.list = o->slots, .room = PLANT_SLOTS, .most = 12};
    enum err e = numbers_parse(conf, "plant-hosts", &sizes, f);
    if (!e)
        e = numbers_parse(conf, "plant-slots", &slots, f);
    o->size_count = sizes.count;
    o->slot_count = slots.count;
    if (!e)
        e = setup_open(&c->setup, conf, f);
    if (!e && c->setup.engines.count == 0) {
        e = fault_set(f, ERR_BAD, "--engines: none; name at least one");
        setup_close(&c->setup);
    }
    c->ev->engine_count = c->setup.engines.count;
    o->engines = c->setup.engines.engines;
    o->confs = (const struct conf *const *)c->setup.engines.confs;
    return e;
}

void contest_close(struct contest *c)
{
    setup_close(&c->setup);
}

static struct truth *truth_copy(const struct truth *truth)
{
    struct truth *copy = malloc(sizeof *copy);
    if (copy)
        *copy = *truth;
    return copy;
}

/* What is known of a tape without a truth: when it begins and ends. */
static struct truth *truth_of_tape(const struct tape *t)
{
    struct truth *truth = calloc(1, sizeof *truth);
    if (truth) {
        truth->start = tape_start(t, 0);
        truth->end = tape_start(t, tape_count(t) - 1) + tape_length(t);
    }
    return truth;
}

/* The first is all engines together, the others one engine each. */
static struct evaluation *evaluation_of(struct contest *c, size_t number)
{
    return number == 0 ? c->ev
                       : evaluation_alone(c->ev, c->setup.engines.engines[number - 1]->name);
}

/* What alerts are judged by. */
struct yardstick {
    const char *name;
    const struct truth *truth; /* NULL: windows were shuffled, and every alert is false */
    struct host_counts *counts;
};

/* The engines' alerts against a truth, or on shuffled windows. Takes the warnings. */
static enum err judge(struct contest *c, const struct yardstick *y, const struct tape *t,
    size_t number, struct warnings *warnings)
{
    struct evaluation *ev = evaluation_of(c, number);
    struct truth *own = y->truth ? truth_copy(y->truth) : truth_of_tape(t);
    if (!ev || !own) {
        free(own);
        return ERR_NOMEM;
    }
    if (!y->truth)
        return evaluation_add_shuffled(ev, own, warnings);
    bool compared = number == 0 && y->truth->event_count;
    return evaluation_add(ev, y->name, own, warnings, compared ? y->counts : NULL);
}

static enum err judge_all(
    struct contest *c, const struct yardstick *y, struct tape *t, struct fault *f)
{
    bool each = conf_flag(c->conf, "each") && c->setup.engines.count > 1;
    size_t count = each ? c->setup.engines.count + 1 : 1;
    struct warnings warnings[ENGINES_MAX + 1] = {{0}};
    enum err e =
        recording_alerts(t, &c->setup.engines, each, c->ev->options.least, warnings, f);
    for (size_t i = 0; !e && i < count; i++) {
        e = judge(c, y, t, i, &warnings[i]);
        if (e)
            fault_set(f, e, "%s: %s", y->name, err_text(e));
    }
    for (size_t i = 0; i < count; i++)
        warnings_done(&warnings[i]);
    return e;
}

static enum err shuffle(struct contest *c, struct tape *t, struct fault *f)
{
    size_t shuffles = conf_count(c->conf, "shuffles");
    enum err e = OK;
    for (size_t i = 0; !e && i < shuffles; i++) {
        struct tape *shuffled;
        show("shuffled windows", i + 1, shuffles);
        e = tape_shuffle(
            t, hash_two(conf_count(c->conf, "contest-seed"), 1000 + i), &shuffled, f);
        if (e)
            break;
        e = judge_all(c, &(struct yardstick){.name = "shuffled windows"}, shuffled, f);
        tape_free(shuffled);
    }
    return e;
}

static enum err plant(
    struct contest *c, struct tape *t, struct host_counts *counts, struct fault *f)
{
    if (!conf_flag(c->conf, "plant") || !c->plant_now || c->ev->planted)
        return OK;
    struct plant_result *result = calloc(1, sizeof *result);
    if (!result)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = plant_run(t, counts, &c->plant, result, f);
    if (e)
        free(result);
    else
        c->ev->planted = result;
    return e;
}

enum err contest_run(
    struct contest *c, const char *name, struct tape *t, struct truth *truth, struct fault *f)
{
    struct host_counts counts = {.window = tape_length(t)};
    enum err e = tape_count_hosts(t, &counts, f);
    if (!e && truth)
        e = judge_all(c, &(struct yardstick){name, truth, &counts}, t, f);
    if (!e)
        e = shuffle(c, t, f);
    if (!e)
        e = plant(c, t, &counts, f);
    host_counts_done(&counts);
    free(truth);
    return e;
}
