/* What the factorisation saw, to be drawn: the group's hosts, in which of its moments they came
 * and what they asked for then. */
#include "engine/picture.h"

#include "engine/nmf/nmf_int.h"
#include "num/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    OTHERS = 256 /* services that are counted beside those that the finding names */
};

/* One host of the part. */
struct sight {
    const struct line *line;
    double weight; /* its factor; NaN: it was not factorised */
    unsigned came; /* moments in which it began a visit */
};

/* Strongest first; those without a factor after the others. */
static int by_weight(const void *a, const void *b)
{
    const struct sight *x = a;
    const struct sight *y = b;
    double left = isfinite(x->weight) ? x->weight : -1.0;
    double right = isfinite(y->weight) ? y->weight : -1.0;
    if (left > right || left < right)
        return left > right ? -1 : 1;
    if (x->came != y->came)
        return x->came > y->came ? -1 : 1;
    return (x->line->host > y->line->host) - (x->line->host < y->line->host);
}

static bool comes_at(const struct line *l, const struct beat *m)
{
    for (unsigned k = m->slot; k < (unsigned)m->slot + m->span; k++)
        if (line_starts(l, k))
            return true;
    return false;
}

static double weight_of(const struct members *m, uint64_t host)
{
    const uint64_t *at =
        m->count ? bsearch(&host, m->host, m->count, sizeof host, compare_u64) : NULL;
    return at ? m->weight[at - m->host] : (double)NAN;
}

static enum err choose_hosts(const struct lines *l, const struct part *p, struct arena *scratch,
    struct picture *picture, struct sight **ret_list)
{
    struct sight *list = arena_take(scratch, p->host_count + 1, sizeof *list);
    size_t count = 0;
    if (!list)
        return ERR_NOMEM;
    for (size_t i = 0; i < l->count && count < p->host_count; i++) {
        const struct line *line = &l->list[i];
        if (!bsearch(&line->host, p->hosts, p->host_count, sizeof line->host, compare_u64))
            continue;
        list[count] =
            (struct sight){.line = line, .weight = weight_of(&p->factorised, line->host)};
        for (size_t k = 0; k < p->moments; k++)
            list[count].came += comes_at(line, &p->moment[k]);
        count++;
    }
    qsort(list, count, sizeof *list, by_weight);
    picture->rows = picture->rows_in = count < EVIDENCE_ROWS ? count : EVIDENCE_ROWS;
    *ret_list = list;
    return OK;
}

static void draw_moments(const struct nmf_state *s, const struct part *p,
    const struct sight *list, struct picture *picture)
{
    int64_t begin = window_start(s, s->now) - (WINDOWS - 1) * s->window;
    picture->times = p->moments;
    for (size_t k = 0; k < p->moments; k++) {
        const struct beat *m = &p->moment[k];
        picture->time[k] = begin + m->slot * (s->window / PULSE_SLOTS);
        picture->time_weight[k] = p->weight[m->slot];
        if (m->span > 1)
            picture->time_weight[k] = fmax(p->weight[m->slot], p->weight[m->slot + 1]);
        for (size_t i = 0; i < picture->rows; i++)
            picture->by_time[i][k] = comes_at(list[i].line, m);
    }
    for (size_t i = 0; i < picture->rows; i++) {
        picture->host[i] = list[i].line->host;
        picture->row_weight[i] = list[i].weight;
    }
}

/* --- ports -------------------------------------------------------------------------------- */

/* In how many of the part's moments in this window the slots have a sign. */
static unsigned moments_in(const struct part *p, unsigned window, uint64_t slots)
{
    unsigned count = 0;
    for (size_t k = 0; k < p->moments; k++) {
        bool here = false;
        for (unsigned n = p->moment[k].slot;
             n < (unsigned)p->moment[k].slot + p->moment[k].span; n++)
            here = here || (n / PULSE_SLOTS == window && slots >> n % PULSE_SLOTS & 1);
        count += here;
    }
    return count;
}

/* What the group's hosts asked in its moments; `visit` is called for each. */
struct asked {
    size_t row;
    uint32_t service;
    unsigned moments;
};

static void walk(const struct nmf_state *s, const struct part *p, const struct picture *picture,
    void (*visit)(void *context, const struct asked *a), void *context)
{
    for (uint32_t k = 0; k < WINDOWS && k < s->now; k++) {
        const struct acts *acts = &s->acts[(s->now - k) % WINDOWS];
        if (acts->window != s->now - k)
            continue;
        for (size_t row = 0; row < picture->rows; row++)
            for (size_t i = acts_of(acts, picture->host[row]);
                 i < acts->count && acts->list[i].host == picture->host[row]; i++) {
                struct asked a = {.row = row,
                    .service = acts->list[i].service,
                    .moments = moments_in(p, WINDOWS - 1 - k, acts->list[i].slots)};
                if (a.moments)
                    visit(context, &a);
            }
    }
}

/* Services beside those that the finding names. */
struct others {
    uint32_t service[OTHERS];
    unsigned asked[OTHERS];
    size_t count;
};

static void count_other(void *context, const struct asked *a)
{
    struct others *o = context;
    size_t i = 0;
    while (i < o->count && o->service[i] != a->service)
        i++;
    if (i == OTHERS)
        return;
    if (i == o->count) {
        o->service[o->count++] = a->service;
        o->asked[i] = 0;
    }
    o->asked[i]++;
}

static size_t column_of(const struct picture *p, uint32_t service)
{
    size_t k = 0;
    while (k < p->ports && p->service[k] != service)
        k++;
    return k;
}

static void draw_asked(void *context, const struct asked *a)
{
    struct picture *p = context;
    size_t k = column_of(p, a->service);
    if (k < p->ports)
        p->by_port[a->row][k] += a->moments;
}

/* The services that the finding names, then the most frequent of the others. */
static void draw_ports(const struct nmf_state *s, const struct part *p, const struct claim *c,
    struct picture *picture)
{
    struct others o = {.count = 0};
    walk(s, p, picture, count_other, &o);
    picture->ports = picture->ports_in = c->count;
    memcpy(picture->service, c->service, c->count * sizeof c->service[0]);
    while (picture->ports < PICTURE_PORTS) {
        size_t best = o.count;
        for (size_t i = 0; i < o.count; i++)
            if (column_of(picture, o.service[i]) == picture->ports &&
                (best == o.count || o.asked[i] > o.asked[best] ||
                    (o.asked[i] == o.asked[best] && o.service[i] < o.service[best])))
                best = i;
        if (best == o.count)
            break;
        picture->service[picture->ports++] = o.service[best];
    }
    for (size_t k = 0; k < picture->ports; k++)
        picture->port_weight[k] = (double)NAN;
    walk(s, p, picture, draw_asked, picture);
}

enum err nmf_picture(const struct nmf_state *s, const struct lines *l, const struct part *p,
    const struct claim *c, struct arena *scratch, struct picture *ret_picture)
{
    struct sight *list;
    *ret_picture = (struct picture){.port_unit = "moments", .time_unit = "visits"};
    enum err e = choose_hosts(l, p, scratch, ret_picture, &list);
    if (e)
        return e;
    draw_moments(s, p, list, ret_picture);
    draw_ports(s, p, c, ret_picture);
    return OK;
}
