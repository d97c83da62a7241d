#include "sim/tracker.h"

#include "base/clock.h"
#include "base/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A set of numbers that are not zero, which doubles up to a cap. */
struct set {
    uint64_t *slots; /* owned */
    size_t mask, used;
};

enum {
    SET_START = 1 << 10,
    SET_MOST = 1 << 24
};

static bool set_place(const struct set *s, uint64_t key, size_t *ret_place)
{
    size_t at = hash_u64(key) & s->mask;
    while (s->slots[at] && s->slots[at] != key)
        at = (at + 1) & s->mask;
    *ret_place = at;
    return s->slots[at] == key;
}

static enum err set_grow(struct set *s)
{
    size_t room = s->slots ? (s->mask + 1) * 2 : SET_START;
    if (room > SET_MOST)
        return ERR_FULL;
    struct set grown = {.slots = calloc(room, sizeof *grown.slots), .mask = room - 1};
    if (!grown.slots)
        return ERR_NOMEM;
    for (size_t i = 0; s->slots && i <= s->mask; i++) {
        size_t at;
        if (s->slots[i] && !set_place(&grown, s->slots[i], &at))
            grown.slots[at] = s->slots[i];
    }
    grown.used = s->used;
    free(s->slots);
    *s = grown;
    return OK;
}

static enum err set_add(struct set *s, uint64_t key, bool *ret_new)
{
    if (!s->slots || s->used > s->mask / 2) {
        enum err e = set_grow(s);
        if (e)
            return e;
    }
    size_t at;
    *ret_new = !set_place(s, key, &at);
    if (*ret_new) {
        s->slots[at] = key;
        s->used++;
    }
    return OK;
}

static void set_clear(struct set *s)
{
    if (s->slots)
        memset(s->slots, 0, (s->mask + 1) * sizeof *s->slots);
    s->used = 0;
}

/* One event, one port, one site. */
struct cell {
    uint32_t usual, own;  /* distinct hosts in the open window: background, event */
    uint32_t peak;        /* most of own */
    uint64_t windows;     /* closed before the onset */
    double mean, squares; /* of usual over those (Welford 1962) */
};

struct tracker {
    struct truth *truth;
    int64_t window; /* start of the open one; INT64_MIN: none yet */
    struct set in_window, ever;
    uint8_t watched[2][65536]; /* TCP, UDP: place of the first event with that port + 1 */
    struct cell *cells;        /* events x TRUTH_PORTS x TRUTH_SITES; owned */
};

static struct cell *cell_of(struct tracker *t, size_t event, size_t port, size_t site)
{
    return &t->cells[(event * TRUTH_PORTS + port) * TRUTH_SITES + site];
}

enum err tracker_new(struct tracker **ret_tracker, struct truth *truth)
{
    struct tracker *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->truth = truth;
    t->window = INT64_MIN;
    t->cells = calloc(TRUTH_EVENTS * TRUTH_PORTS * TRUTH_SITES, sizeof *t->cells);
    if (!t->cells) {
        tracker_free(t);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < truth->event_count; i++) {
        const struct truth_event *e = &truth->events[i];
        for (uint32_t p = 0; p < e->port_count; p++)
            t->watched[e->proto == 17][e->ports[p]] = 1;
    }
    *ret_tracker = t;
    return OK;
}

void tracker_free(struct tracker *t)
{
    if (!t)
        return;
    free(t->in_window.slots);
    free(t->ever.slots);
    free(t->cells);
    free(t);
}

static struct truth_presence *presence_of(struct truth_event *e, uint32_t site)
{
    for (uint32_t i = 0; i < e->site_count; i++)
        if (e->sites[i].site == site)
            return &e->sites[i];
    return NULL;
}

static void window_close(struct tracker *t)
{
    for (uint32_t i = 0; i < t->truth->event_count; i++) {
        struct truth_event *e = &t->truth->events[i];
        for (uint32_t s = 0; s < e->site_count; s++)
            for (uint32_t p = 0; p < e->port_count; p++) {
                struct cell *c = cell_of(t, i, p, e->sites[s].site);
                if (t->window + TRUTH_WINDOW_S * US_SECOND <= e->sites[s].onset) {
                    double away = c->usual - c->mean;
                    c->windows++;
                    c->mean += away / (double)c->windows;
                    c->squares += away * (c->usual - c->mean);
                }
                if (c->own > c->peak)
                    c->peak = c->own;
                c->usual = c->own = 0;
            }
    }
    set_clear(&t->in_window);
}

static void turn(struct tracker *t, int64_t ts)
{
    int64_t start = time_floor(ts, TRUTH_WINDOW_S * US_SECOND);
    if (t->window == INT64_MIN)
        t->window = start;
    for (; t->window < start; t->window += TRUTH_WINDOW_S * US_SECOND)
        window_close(t);
}

static enum err count_host(
    struct tracker *t, const struct probe *p, uint32_t event, uint32_t port)
{
    bool own = p->event == event + 1;
    uint64_t key = (uint64_t)(event + 1) << 56 | (uint64_t)port << 54 | (uint64_t)own << 53 |
                   (uint64_t)p->site << 40 | p->src;
    bool fresh;
    enum err e = set_add(&t->in_window, key, &fresh);
    if (e || !fresh)
        return e;
    struct cell *c = cell_of(t, event, port, p->site);
    if (own)
        c->own++;
    else
        c->usual++;
    return OK;
}

static enum err count_event(struct tracker *t, const struct probe *p)
{
    struct truth_event *e = &t->truth->events[p->event - 1];
    struct truth_presence *here = presence_of(e, p->site);
    if (!here)
        return OK;
    here->packets++;
    here->first = here->first ? here->first : p->ts;
    here->last = p->ts;
    uint64_t key = (uint64_t)p->event << 56 | p->src;
    bool here_new, new;
    enum err err = set_add(&t->ever, key | (uint64_t)(p->site + 1) << 40, &here_new);
    if (!err)
        err = set_add(&t->ever, key, &new);
    if (err)
        return err;
    here->hosts += here_new;
    e->hosts += new;
    return OK;
}

enum err tracker_take(struct tracker *t, const struct probe *p)
{
    turn(t, p->ts);
    t->truth->sites[p->site].packets++;
    enum err e = p->event ? count_event(t, p) : OK;
    bool asks = p->kind == PROBE_SYN || p->kind == PROBE_UDP;
    if (e || !asks || !t->watched[p->kind == PROBE_UDP][p->dport])
        return e;
    uint8_t proto = probe_proto((enum probe_kind)p->kind);
    for (uint32_t i = 0; !e && i < t->truth->event_count; i++) {
        const struct truth_event *event = &t->truth->events[i];
        for (uint32_t k = 0; !e && k < event->port_count; k++)
            if (event->proto == proto && event->ports[k] == p->dport &&
                (p->event == 0 || p->event == i + 1))
                e = count_host(t, p, i, k);
    }
    return e;
}

void tracker_finish(struct tracker *t)
{
    window_close(t);
    for (uint32_t i = 0; i < t->truth->event_count; i++) {
        struct truth_event *e = &t->truth->events[i];
        for (uint32_t s = 0; s < e->site_count; s++) {
            double best = -1.0;
            for (uint32_t p = 0; p < e->port_count; p++) {
                const struct cell *c = cell_of(t, i, p, e->sites[s].site);
                double spread =
                    c->windows > 1 ? sqrt(c->squares / (double)(c->windows - 1)) : 0.0;
                double out = c->peak / fmax(spread, 1.0);
                if (out <= best)
                    continue;
                best = out;
                e->sites[s].peak_hosts = c->peak;
                e->sites[s].usual_hosts = c->mean;
                e->sites[s].usual_spread = spread;
            }
        }
        truth_event_judge(e);
    }
}
