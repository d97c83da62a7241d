/* What the engines find and what they cry wolf over, on made-up worlds of several kinds: one
 * line a world. Seeds are arguments: quality SITES DAYS SEED... */
#include "alert/alert.h"
#include "base/clock.h"
#include "engine/growth/growth.h"
#include "engine/surge/surge.h"
#include "world.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct truth {
    const char *name;
    struct world_event event;
};

static struct truth truths[] = {
    {"worm 3389/tcp",
        {.port = 3389, .proto = 6, .first = 1, .doubling = 6, .most = 200, .sites = 0xff}},
    {"turn 53413/udp", {.port = 53413, .proto = 17, .most = 30, .sites = 0xff}},
    {"1000 hosts 20012/tcp",
        {.port = 20012, .proto = 6, .most = 30, .last = 12, .sites = 0xff, .country = "kr"}},
    {"lag 5000/tcp", {.port = 5000,
                         .proto = 6,
                         .first = 2,
                         .doubling = 1.5,
                         .most = 60,
                         .sites = 0xff,
                         .lag = 3}},
    {"one site 8291/tcp", {.port = 8291, .proto = 6, .most = 40, .last = 6, .sites = 0x04}},
};
enum {
    TRUTHS = sizeof truths / sizeof *truths
};
static const double when[TRUTHS] = {26, 40, 52, 58, 75};

struct score {
    double found[TRUTHS]; /* hours after the start; NAN: not */
    unsigned false_alarms, infos;
    char seen[4096][ALERT_ID];
    size_t seen_count;
    int64_t start;
    const struct world *world;
    bool verbose;
};

static bool is_event(const struct world *w, const struct alert *a, struct score *s)
{
    for (size_t i = 0; i < w->event_count; i++) {
        if (a->proto != w->events[i].proto || a->ports[0] != w->events[i].port)
            continue;
        double hours = (double)(a->time - s->start) / 3.6e9 - w->events[i].hours;
        (void)hours;
        return true;
    }
    return false;
}

static enum err changed(void *context, const struct alert *a)
{
    struct score *s = context;
    if (a->severity < SEVERITY_NOTICE || !a->open) {
        s->infos += a->revision == 1;
        return OK;
    }
    for (size_t i = 0; i < s->seen_count; i++)
        if (strcmp(s->seen[i], a->id) == 0)
            return OK;
    if (s->seen_count < 4096)
        memcpy(s->seen[s->seen_count++], a->id, ALERT_ID);
    double now = (double)(a->end - s->start) / 3.6e9;
    for (size_t i = 0; i < s->world->event_count; i++)
        if (a->proto == s->world->events[i].proto && a->ports[0] == s->world->events[i].port &&
            isnan(s->found[i]))
            s->found[i] = now - s->world->events[i].hours;
    if (!is_event(s->world, a, s)) {
        s->false_alarms++;
        if (s->verbose)
            printf("    FALSE %.1fh %s: %s\n", now, severity_name(a->severity), a->explanation);
    } else if (s->verbose)
        printf("    event %.1fh %s: %s\n", now, severity_name(a->severity), a->explanation);
    return OK;
}

static void run(const char *name, struct world_options o, double days, bool with_events)
{
    static const struct engine *const engines[] = {&engine_surge, &engine_growth};
    struct world *w = world_new(&o);
    for (size_t i = 0; with_events && i < TRUTHS; i++) {
        truths[i].event.hours = when[i];
        world_event(w, truths[i].event);
    }
    struct engine_state *states[2];
    struct alert_book *book;
    struct alert_options options = {0};
    assert(alert_book_new(&book, &options) == OK);
    size_t engine_count = getenv("ONLY_SURGE") ? 1 : 2;
    for (size_t i = 0; i < engine_count; i++) {
        struct conf *conf;
        struct fault f;
        assert(conf_new(&conf, engines[i]->items) == OK);
        assert(engines[i]->open(&states[i], conf, 10 * US_MINUTE, &f) == OK);
        conf_free(conf);
    }
    static struct score s;
    s = (struct score){.world = w, .verbose = getenv("VERBOSE") != NULL};
    for (size_t i = 0; i < TRUTHS; i++)
        s.found[i] = NAN;
    struct arena scratch;
    arena_init(&scratch, (size_t)1 << 30);
    struct sink sink = alert_book_sink(book);
    double spent[2] = {0};
    for (int n = 0; n < (int)(days * 144); n++) {
        const struct window *win = world_next(w);
        if (!n)
            s.start = win->start;
        for (size_t i = 0; i < engine_count; i++) {
            struct timespec a, b;
            clock_gettime(CLOCK_MONOTONIC, &a);
            enum err e = engines[i]->step(states[i], win, &scratch, &sink);
            clock_gettime(CLOCK_MONOTONIC, &b);
            spent[i] += (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
            assert(!e);
            arena_clear(&scratch);
        }
        assert(alert_book_turn(book, window_end(win), changed, &s) == OK);
    }
    printf("%-14s seed %-4llu false/day %.2f info/day %.1f", name, (unsigned long long)o.seed,
        s.false_alarms / days, s.infos / days);
    for (size_t i = 0; with_events && i < TRUTHS; i++)
        printf("  %s %+.1fh", truths[i].name, s.found[i]);
    printf("  ms/window %.1f %.1f\n", spent[0] / days / 144 * 1e3, spent[1] / days / 144 * 1e3);
    fflush(stdout);
    for (size_t i = 0; i < engine_count; i++)
        engines[i]->close(states[i]);
    alert_book_free(book);
    arena_done(&scratch);
    world_free(w);
}

int main(int argc, char **argv)
{
    size_t sites = argc > 1 ? strtoul(argv[1], NULL, 10) : 8;
    double days = argc > 2 ? strtod(argv[2], NULL) : 4;
    const char *only = getenv("WORLD");
    for (int i = 3; i < (argc > 3 ? argc : 4); i++) {
        uint64_t seed = argc > 3 ? strtoull(argv[i], NULL, 10) : 1;
        struct world_options o = world_usual(seed);
        o.sites = sites;
        struct {
            const char *name;
            struct world_options o;
        } worlds[] = {{"usual", o}, {"calm", o}, {"wild", o}, {"rhythm", o}, {"many-ports", o},
            {"small", o}, {"large", o}};
        worlds[1].o.noise = 0;
        worlds[1].o.wander = 0;
        worlds[1].o.day_to_day = 0;
        worlds[1].o.common = 0;
        worlds[2].o.noise = 0.3;
        worlds[2].o.wander = 0.4;
        worlds[2].o.day_to_day = 0.4;
        worlds[2].o.common = 0.3;
        worlds[3].o.amplitude = 0.9;
        worlds[3].o.noise = 0.05;
        worlds[4].o.ports = 3000;
        worlds[4].o.zipf = 0.7;
        worlds[4].o.stray = 300;
        worlds[5].o.busiest = 15;
        worlds[5].o.ports = 100;
        worlds[5].o.stray = 15;
        worlds[6].o.busiest = 1000;
        worlds[6].o.ports = 600;
        worlds[6].o.stray = 1000;
        for (size_t k = 0; k < sizeof worlds / sizeof *worlds; k++) {
            if (only && strcmp(only, worlds[k].name) != 0)
                continue;
            run(worlds[k].name, worlds[k].o, days, true);
            if (getenv("NULL_TOO"))
                run("  null", worlds[k].o, days, false);
        }
    }
}
