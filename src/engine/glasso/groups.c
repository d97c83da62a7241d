/* One graph: the path of penalties, its components, and how likely they are by chance. */
#include "engine/glasso/step_int.h"

#include "base/hash.h"
#include "num/glasso.h"
#include "num/tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double silent = 0.1; /* what counts as packets of a slot without any */

/* Packets of a host in each slot. A contact knows how many it has, and in which sixtieths it
 * was active: its packets are spread evenly over those. */
static void add_packets(
    const struct sync_look *l, const struct sync_graph *g, size_t host, double *row)
{
    unsigned slots = l->s->options.slots;
    unsigned width = SLOTS_MOST / slots;
    const struct sync_host *h = &g->hosts[host];
    for (uint32_t k = h->first; k < h->first + h->count; k++) {
        size_t i;
        const struct block *b = sync_entry_row(l->step, &g->entries[k], &i);
        uint64_t active = block_u64(b, CONTACT_SLOTS)[i];
        double each = (double)block_u32(b, CONTACT_PACKETS)[i] / __builtin_popcountll(active);
        for (unsigned t = 0; t < slots; t++) {
            uint64_t part = active >> (t * width) & ((UINT64_C(1) << width) - 1);
            row[t] += each * __builtin_popcountll(part);
        }
    }
}

/* The rows that are factored: of presence one for all hosts with the same slots, of counts one
 * a host. */
struct lines {
    size_t count;
    double *value;    /* count x slots */
    uint64_t *active; /* bit t: active in slot t */
    uint32_t *copies; /* hosts that a row stands for */
};

/* The row of these slots, or a new one; `places` is a hash table of rows, number + 1. */
static size_t line_of(struct lines *r, uint32_t *places, size_t mask, uint64_t active)
{
    size_t at = (size_t)hash_u64(active) & mask;
    while (places[at] && r->active[places[at] - 1] != active)
        at = (at + 1) & mask;
    if (!places[at]) {
        r->active[r->count] = active;
        places[at] = (uint32_t)++r->count;
    }
    return places[at] - 1;
}

static enum err unite_equal(
    const struct sync_graph *g, bool apart, struct arena *scratch, struct lines *r)
{
    size_t places = 4;
    while (places < 2 * g->count)
        places *= 2;
    uint32_t *table = arena_take(scratch, places, sizeof *table);
    r->active = arena_room(scratch, g->count, sizeof *r->active);
    r->copies = arena_take(scratch, g->count, sizeof *r->copies);
    if (!table || !r->active || !r->copies)
        return ERR_NOMEM;
    for (size_t i = 0; i < g->count; i++) {
        size_t row = r->count;
        if (apart)
            r->active[r->count++] = g->hosts[i].slots;
        else
            row = line_of(r, table, places - 1, g->hosts[i].slots);
        r->copies[row]++;
    }
    return OK;
}

/* Logarithms of presence (or packets), centred; of presence S is
 * ln(0.1)^2 (shared / T - a b / T^2). */
static enum err take_lines(
    const struct sync_look *l, const struct sync_graph *g, struct lines *ret_lines)
{
    const struct sync_options *o = &l->s->options;
    struct lines r = {0};
    enum err e = unite_equal(g, o->counts, l->scratch, &r);
    if (!e)
        r.value = arena_take(l->scratch, r.count * o->slots, sizeof *r.value);
    if (e || !r.value)
        return e ? e : ERR_NOMEM;
    const double absent = log(silent);
    for (size_t i = 0; i < r.count; i++) {
        double *row = r.value + i * o->slots;
        if (o->counts)
            add_packets(l, g, i, row);
        for (unsigned t = 0; t < o->slots; t++)
            row[t] = o->counts              ? log(fmax(row[t], silent))
                     : r.active[i] >> t & 1 ? 0.0
                                            : absent;
    }
    glasso_centre(r.value, r.count, o->slots, o->slots);
    *ret_lines = r;
    return OK;
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

/* A set of slots in which hosts act, as it grows. */
struct moments {
    uint64_t slots;
    unsigned count;
    double weight; /* of its slots, and of the echoes among them */
};

static void add_moment(struct moments *m, const struct sync_picture *picture, unsigned slot)
{
    double echo = 1.0;
    for (uint64_t left = m->slots; left; left &= left - 1) {
        unsigned other = (unsigned)__builtin_ctzll(left);
        echo = fmax(echo, picture->echo[other > slot ? other - slot : slot - other]);
    }
    m->slots |= UINT64_C(1) << slot;
    m->count++;
    m->weight *= picture->weight[slot] * echo;
}

/* How many hosts would act in all of the slots if each kept its number of active slots and
 * chose the first by itself, by the slots' weights, and the others as hosts of the view do. */
static double expected_hosts(
    const struct sync *s, const struct sync_graph *g, const struct moments *m)
{
    double total = s->options.slots;
    double sum = 0.0;
    for (unsigned a = m->count; a <= s->options.slots; a++) {
        double chance = m->weight;
        for (unsigned k = 0; k < m->count; k++)
            chance *= (a - k) / (total - k);
        sum += (double)g->active[a] * fmin(chance, 1.0);
    }
    return sum;
}

static size_t count_hosts(const struct sync_graph *g, uint64_t slots)
{
    size_t count = 0;
    for (size_t i = 0; i < g->count; i++)
        count += (g->hosts[i].slots & slots) == slots;
    return count;
}

static unsigned most_frequent(const struct sync *s, const uint32_t *often, uint64_t but)
{
    unsigned best = SLOTS_MOST;
    for (unsigned t = 0; t < s->options.slots; t++)
        if (!(but >> t & 1) && often[t] && (best == SLOTS_MOST || often[t] > often[best]))
            best = t;
    return best;
}

/* The slots in which most of a component (equal hosts are in one, edge or not) act, one after
 * the other: the set that makes the hosts
 * in it least likely. All hosts of the graph count, in the component or not. */
static void weigh_component(const struct sync *s, const struct sync_picture *picture,
    const struct sync_graph *g, const uint32_t *often, struct sync_group *best)
{
    struct moments m = {.weight = 1.0};
    while (m.count < s->options.active_most) {
        unsigned next = most_frequent(s, often, m.slots);
        if (next == SLOTS_MOST)
            return;
        add_moment(&m, picture, next);
        size_t hosts = count_hosts(g, m.slots);
        if (hosts < s->options.min_hosts)
            return;
        double expected = expected_hosts(s, g, &m);
        double sets = log_choose(s->options.slots, m.count) + log(s->options.active_most);
        double log_p = -fmin(log_tail_poisson((double)hosts, expected) + sets, 0.0) / M_LN10;
        if (log_p > best->log_p)
            *best = (struct sync_group){
                .slots = m.slots, .hosts = hosts, .expected = expected, .log_p = log_p};
    }
}

struct components {
    size_t count;
    uint32_t *hosts;               /* of each */
    uint32_t (*often)[SLOTS_MOST]; /* hosts of each that act in a slot */
};

static enum err count_components(const struct lines *r, const struct glasso *fit,
    struct arena *scratch, struct components *ret)
{
    struct components c = {.count = glasso_components(fit)};
    c.hosts = arena_take(scratch, c.count, sizeof *c.hosts);
    c.often = arena_take(scratch, c.count, sizeof *c.often);
    if (!c.hosts || !c.often)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->count; i++) {
        size_t k = glasso_component(fit, i);
        c.hosts[k] += r->copies[i];
        for (uint64_t left = r->active[i]; left; left &= left - 1)
            c.often[k][__builtin_ctzll(left)] += r->copies[i];
    }
    *ret = c;
    return OK;
}

/* One penalty: edges into the sums, the least likely component into the group. */
static enum err judge_penalty(const struct sync_look *l, const struct sync_graph *g,
    const struct lines *r, const struct glasso *fit, struct sync_group *best)
{
    struct components c;
    enum err e = count_components(r, fit, l->scratch, &c);
    for (size_t k = 0; !e && k < c.count; k++)
        if (c.hosts[k] >= l->s->options.min_hosts)
            weigh_component(l->s, &l->picture, g, c.often[k], best);
    return e;
}

/* Services with the most edges at the smallest penalty, most first. */
static void note_service(struct sync_sums *sums, uint32_t service, double edges)
{
    size_t at = sums->most_count;
    while (at > 0 && sums->most[at - 1].edges < edges)
        at--;
    if (at == FINDING_PORTS || !(edges > 0.0))
        return;
    size_t kept = sums->most_count < FINDING_PORTS ? sums->most_count : FINDING_PORTS - 1;
    memmove(&sums->most[at + 1], &sums->most[at], (kept - at) * sizeof sums->most[0]);
    sums->most[at].service = service;
    sums->most[at].edges = edges;
    sums->most_count = kept + 1;
}

/* Penalties from `k` on could not be had. */
static void note_too_large(const struct sync *s, struct sync_sums *sums, size_t k)
{
    for (; k < s->options.penalty_count; k++)
        sums->too_large[k]++;
}

static enum err judge_path(struct sync_look *l, const struct sync_graph *g,
    const struct lines *r, struct glasso *fit, struct sync_group *best)
{
    const struct sync_options *o = &l->s->options;
    enum err e = OK;
    for (size_t k = 0; !e && k < o->penalty_count; k++) {
        e = glasso_solve(fit, o->penalties[k]);
        if (e == ERR_FULL || e == ERR_NOCONV) {
            note_too_large(l->s, &l->sums, k);
            return OK;
        }
        if (e)
            return e;
        double edges = (double)glasso_edges(fit);
        l->sums.edges[k] += edges;
        l->sums.pairs[k] += (double)g->count * (double)(g->count - 1) / 2.0;
        if (k + 1 == o->penalty_count)
            note_service(&l->sums, g->service, edges);
        if (g->count >= o->min_hosts)
            e = judge_penalty(l, g, r, fit, best);
    }
    return e;
}

/* All hosts as if they were one component: what stands out of a graph that is too large. */
static void weigh_all(
    const struct sync_look *l, const struct sync_graph *g, struct sync_group *best)
{
    uint32_t often[SLOTS_MOST] = {0};
    for (size_t i = 0; i < g->count; i++)
        for (uint64_t left = g->hosts[i].slots; left; left &= left - 1)
            often[__builtin_ctzll(left)]++;
    weigh_component(l->s, &l->picture, g, often, best);
}

enum err sync_graph_judge(
    struct sync_look *l, const struct sync_graph *g, struct sync_group *ret_group)
{
    const struct sync_options *o = &l->s->options;
    struct sync_group best = {0};
    struct glasso *fit = NULL;
    enum err e = OK;
    if (g->count >= o->min_hosts)
        weigh_all(l, g, &best);
    struct lines lines = {0};
    if (g->count >= 2)
        e = take_lines(l, g, &lines);
    if (!e && g->count >= 2) {
        struct glasso_input in = {.count = lines.count,
            .samples = o->slots,
            .rows = lines.value,
            .copies = lines.copies};
        struct glasso_options how = {
            .least = o->penalties[o->penalty_count - 1], .component_most = o->component_most};
        e = glasso_new(&fit, &in, &how);
        if (e == ERR_FULL) { /* more pairs than there is room for */
            note_too_large(l->s, &l->sums, 0);
            e = OK;
        }
    }
    if (fit)
        e = judge_path(l, g, &lines, fit, &best);
    glasso_free(fit);
    if (!e)
        *ret_group = best;
    return e;
}
