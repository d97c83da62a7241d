#include "engine/graph/graph_int.h"

#include "num/tail.h"

#include <math.h>
#include <string.h>

/* -log10 of a p-value after correction for the number of services: so much explains. */
static const double explains = 3.0;
static const double same_crowd =
    0.5; /* share of the smaller port's sources at the other, too */

struct suspect {
    uint32_t service, seen;
    double usual, log_p;
};

/* The least probable services, kept in order. */
static size_t keep_best(struct suspect *list, size_t count, const struct suspect *one)
{
    if (count == CAUSES && one->log_p >= list[count - 1].log_p)
        return count;
    size_t at = count < CAUSES ? count : CAUSES - 1;
    for (; at > 0 && list[at - 1].log_p > one->log_p; at--)
        list[at] = list[at - 1];
    list[at] = *one;
    return count < CAUSES ? count + 1 : count;
}

static size_t suspects_find(const struct graph *s, const struct view *v, struct suspect *list)
{
    const struct site *site = v->site;
    double days = site->windows / 144.0;
    double d = fmax(usual_dispersion(site), LEAST_DISPERSION) * (1.0 + 1.57 / (0.5 + days));
    size_t count = 0;
    for (uint32_t i = 0; i < v->graph.used_count; i++) {
        uint32_t service = v->graph.used[i], seen = v->graph.right[i].degree;
        double m = usual_sources(site, service) * v->kept;
        if (seen - m < s->options.min_sources || seen < m * s->options.min_ratio)
            continue;
        /* A mean that few sources tell is uncertain. */
        double log_p = log_tail_negbin(seen, m, d + 1.0 / ((double)site->usual[service] + 1.0));
        if (-log_p / M_LN10 - log10(SERVICES) < explains)
            continue;
        count = keep_best(list, count,
            &(struct suspect){.service = service, .seen = seen, .usual = m, .log_p = log_p});
    }
    return count;
}

/* How many sources each two suspects have in common. */
static void count_shared(const struct view *v, const struct suspect *list, size_t count,
    uint32_t shared[CAUSES][CAUSES])
{
    const struct bipartite *g = &v->graph;
    for (uint32_t l = 0; l < g->lefts; l++) {
        unsigned mask = 0;
        for (uint32_t i = g->first[l]; i < g->first[l + 1]; i++)
            for (size_t k = 0; k < count; k++)
                mask |= (unsigned)(g->used[g->ends[i]] == list[k].service) << k;
        if (!(mask & (mask - 1)))
            continue;
        for (size_t a = 0; a < count; a++)
            for (size_t b = 0; b < a; b++)
                shared[a][b] += mask >> a & mask >> b & 1;
    }
}

static bool belongs(const struct suspect *a, const struct suspect *b, uint32_t shared)
{
    uint32_t fewer = a->seen < b->seen ? a->seen : b->seen;
    return service_proto(a->service) == service_proto(b->service) &&
           shared >= same_crowd * fewer;
}

size_t causes_find(const struct graph *s, const struct view *v, struct cause *causes)
{
    struct suspect list[CAUSES] = {{0}};
    uint32_t shared[CAUSES][CAUSES] = {{0}};
    size_t cause_of[CAUSES], count = 0, suspects = suspects_find(s, v, list);
    count_shared(v, list, suspects, shared);
    for (size_t a = 0; a < suspects; a++) {
        size_t b = 0;
        while (b < a && !belongs(&list[a], &list[b], shared[a][b]))
            b++;
        if (b == a) {
            causes[count] = (struct cause){
                .seen = list[a].seen, .usual = list[a].usual, .log_p = list[a].log_p};
            cause_of[a] = count++;
        } else {
            cause_of[a] = cause_of[b];
        }
        struct cause *c = &causes[cause_of[a]];
        c->services[c->count++] = list[a].service;
    }
    return count;
}
