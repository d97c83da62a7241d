/* What publication costs: events of simulated telescopes found again in the statistics as they
 * would be published, against the same statistics whole.
 *
 *     bench_publication [--seed N] [--runs N] [--sites N] [--days N] [--least SOURCES]
 *         [--rows N]
 *
 * The detector is the same for both: a port is found when a step's distinct sources are at
 * least three times the mean of the steps before (three days, or 24 steps of an hour), and at
 * least as many as the statistics ever tell (whole: 30). An event is found if its port is,
 * between its start and two hours after its end. Events at one site alone are told apart: to
 * hide them is what the policy is for. */
#include "anon/publication.h"

#include "base/clock.h"
#include "base/index.h"
#include "decode/packet.h"
#include "sim/telescope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SOURCES_MAX = 1 << 22, /* pairs of source and key in an hour */
    KEYS = 2 * 65536,      /* TCP and UDP ports */
    WARM = 24,             /* steps at most that a detector remembers */
    FRAMES = 1024,
    TOP = 64,
    WHOLE_LEAST = 30,
};

struct pair {
    uint64_t id; /* source << 20 | key */
    uint64_t sites;
};

struct hour_counts {
    struct index index;
    struct pair *pair;
    uint32_t *sources; /* by key */
    uint64_t *sites;
};

/* A detector's memory: the last day of each key. */
struct detector {
    uint32_t (*day)[WARM];
    double least;
    unsigned warm; /* steps of it */
    int64_t length;
    uint64_t flags, other; /* all, and those of no event */
    bool found[TRUTH_EVENTS];
};

static void *need(void *memory)
{
    if (!memory)
        exit(1);
    return memory;
}

static void count(struct hour_counts *c, const struct packet *p, uint32_t site)
{
    if (p->proto != PROTO_TCP && p->proto != PROTO_UDP)
        return;
    uint32_t key = (p->proto == PROTO_UDP ? 65536u : 0) + p->dport;
    uint64_t id = (uint64_t)ip_v4(&p->src) << 20 | key;
    uint64_t hash = hash_u64(id);
    uint32_t e;
    c->sites[key] |= UINT64_C(1) << site;
    size_t at = index_first(&c->index, hash);
    for (; index_at(&c->index, at, hash, &e); at = index_next(&c->index, at))
        if (e != INDEX_OTHER && c->pair[e].id == id)
            return;
    e = (uint32_t)c->index.used;
    if (index_put(&c->index, at, hash, e) != OK)
        return;
    c->pair[e] = (struct pair){.id = id};
    c->sources[key]++;
}

static bool is_of_event(
    const struct truth *t, uint32_t key, int64_t hour, int64_t length, bool *found)
{
    bool any = false;
    for (uint32_t i = 0; i < t->event_count; i++) {
        const struct truth_event *e = &t->events[i];
        if (hour + length <= e->start || hour > e->end + 2 * US_HOUR)
            continue;
        for (uint32_t k = 0; k < e->port_count; k++)
            if ((e->proto == PROTO_UDP ? 65536u : 0) + e->ports[k] == key) {
                found[i] = true;
                any = true;
            }
    }
    return any;
}

static void look(struct detector *d, const struct truth *t, const uint32_t *value,
    unsigned hour, int64_t start)
{
    for (uint32_t key = 0; key < KEYS; key++) {
        double mean = 0;
        for (unsigned i = 0; i < d->warm; i++)
            mean += d->day[key][i];
        mean /= d->warm;
        if (hour >= d->warm && value[key] >= d->least && value[key] >= 3 * mean) {
            d->flags++;
            d->other += !is_of_event(t, key, start, d->length, d->found);
        }
        d->day[key][hour % d->warm] = value[key];
    }
}

static int downwards(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

struct totals {
    unsigned events, whole, defended, one_site, one_site_whole, one_site_defended;
    uint64_t whole_other, defended_other;
    double top[TOP];
    unsigned hours;
};

static void hour_end(struct hour_counts *c, const struct publication_policy *p,
    struct detector *whole, struct detector *defended, const struct truth *t, unsigned hour,
    int64_t start, struct totals *sum)
{
    static struct publication_row rows[KEYS];
    static uint32_t value[KEYS], order[KEYS];
    size_t n = 0;
    for (uint32_t key = 0; key < KEYS; key++)
        if (c->sources[key])
            rows[n++] = (struct publication_row){.key = key,
                .sources = c->sources[key],
                .sites = (uint32_t)__builtin_popcountll(c->sites[key])};
    look(whole, t, c->sources, hour, start);
    memcpy(order, c->sources, sizeof order);
    qsort(order, KEYS, sizeof *order, downwards);
    for (unsigned i = 0; i < TOP; i++)
        sum->top[i] += order[i];
    sum->hours++;
    n = publication_rows(p, t->seed, start, rows, n);
    memset(value, 0, sizeof value);
    for (size_t i = 0; i < n; i++)
        value[rows[i].key] = (uint32_t)rows[i].sources;
    look(defended, t, value, hour, start);
    memset(c->sources, 0, KEYS * sizeof *c->sources);
    memset(c->sites, 0, KEYS * sizeof *c->sites);
    index_clear(&c->index);
}

static void run(
    const struct telescope_options *o, const struct publication_policy *p, struct totals *sum)
{
    struct telescope *t;
    struct fault f;
    struct hour_counts c = {.pair = need(malloc(SOURCES_MAX * sizeof *c.pair)),
        .sources = need(calloc(KEYS, sizeof *c.sources)),
        .sites = need(calloc(KEYS, sizeof *c.sites))};
    struct detector whole = {
        .day = need(calloc(KEYS, sizeof *whole.day)), .least = WHOLE_LEAST};
    struct detector defended = {
        .day = need(calloc(KEYS, sizeof *defended.day)), .least = p->least_sources};
    if (index_init(&c.index, SOURCES_MAX) != OK || telescope_open(&t, o, &f) != OK)
        exit(1);
    static struct telescope_frame frames[FRAMES];
    const struct truth *truth = telescope_truth(t);
    int64_t start = truth->start;
    enum err e = OK;
    whole.length = defended.length = p->step;
    whole.warm = defended.warm = p->step < US_DAY / 2 ? WARM : 3;
    for (unsigned hour = 0; e == OK && start < truth->end; hour++, start += p->step) {
        size_t n;
        while ((e = telescope_next(t, start + p->step, frames, FRAMES, &n)) == OK && n)
            for (size_t i = 0; i < n; i++) {
                struct packet packet;
                const struct frame *frame = &frames[i].frame;
                if (decode_packet(frame->link, bytes_over(frame->data, frame->len),
                        frame->wire_len, &packet) == DECODE_OK)
                    count(&c, &packet, frames[i].site);
            }
        hour_end(&c, p, &whole, &defended, truth, hour, start, sum);
    }
    for (uint32_t i = 0; i < truth->event_count; i++) {
        const struct truth_event *event = &truth->events[i];
        bool one = strcmp(event->kind, "one-site") == 0;
        printf("  %-16s %-5s whole %d, published %d\n", event->kind,
            event->shown ? "shown" : "", whole.found[i], defended.found[i]);
        *(one ? &sum->one_site : &sum->events) += 1;
        *(one ? &sum->one_site_whole : &sum->whole) += whole.found[i];
        *(one ? &sum->one_site_defended : &sum->defended) +=
            whole.found[i] && defended.found[i];
    }
    sum->whole_other += whole.other;
    sum->defended_other += defended.other;
    telescope_close(t);
    index_done(&c.index);
    free(c.pair);
    free(c.sources);
    free(c.sites);
    free(whole.day);
    free(defended.day);
}

int main(int argc, char **argv)
{
    struct telescope_options o;
    struct totals sum = {0};
    unsigned long runs = 2, days = 4;
    struct publication_policy p;
    publication_default(&p);
    telescope_options_init(&o);
    o.sites = 12;
    o.prefix = 24;
    o.geoip = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        unsigned long n = strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0)
            o.seed = n;
        else if (strcmp(argv[i], "--runs") == 0)
            runs = n;
        else if (strcmp(argv[i], "--sites") == 0)
            o.sites = n;
        else if (strcmp(argv[i], "--least") == 0)
            p.least_sources = (uint32_t)n;
        else if (strcmp(argv[i], "--rows") == 0)
            p.most_rows = (uint32_t)n;
        else if (strcmp(argv[i], "--days") == 0)
            days = n;
    }
    o.length = (int64_t)days * US_DAY;
    o.random_ports = true;
    for (unsigned long i = 0; i < runs; i++, o.seed++) {
        printf("seed %llu\n", (unsigned long long)o.seed);
        run(&o, &p, &sum);
    }
    printf("events at several sites: %u, found whole %u, of these published %u (%.0f %%)\n",
        sum.events, sum.whole, sum.defended, sum.whole ? 100.0 * sum.defended / sum.whole : 0);
    printf("events at one site: %u, found whole %u, of these published %u\n", sum.one_site,
        sum.one_site_whole, sum.one_site_defended);
    printf("found ports and steps of no event: whole %llu, published %llu\n",
        (unsigned long long)sum.whole_other, (unsigned long long)sum.defended_other);
    printf("busiest ports, sources in a step:");
    for (unsigned i = 0; i < TOP && sum.hours; i++)
        printf(" %.0f", sum.top[i] / sum.hours);
    printf("\n");
    return 0;
}
