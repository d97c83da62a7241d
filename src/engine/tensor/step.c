#include "engine/tensor/tensor_int.h"

#include "num/order.h"
#include "num/tail.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SOURCES_LEAST = 3, /* a service with fewer is not looked at */
    BRIEF = 3,         /* a host is brief if it is active in at most so many slots */
    STEADY_LEAST = 30, /* activity of a service from which the tail learns */
    ANY_LEAST = 5      /* of it, from which a place can be compared with the others */
};
static const double enough = 1.0;        /* evidence from which a fibre enters the tensor */
static const double worth_a_look = -3.0; /* score from which a service may join others */

/* --- what is remembered ------------------------------------------------------------------ */

/* Place of the service among the watches, or where it would be. */
static size_t watch_place(const struct tensor *s, uint32_t service)
{
    size_t low = 0;
    size_t high = s->watch_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->watches[middle].service < service)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct watch *watch_of(struct tensor *s, uint32_t service, bool make)
{
    size_t at = watch_place(s, service);
    if (at < s->watch_count && s->watches[at].service == service)
        return &s->watches[at];
    if (!make)
        return NULL;
    if (s->watch_count == s->options.services_max) {
        s->left_out++;
        return NULL;
    }
    memmove(&s->watches[at + 1], &s->watches[at], (s->watch_count - at) * sizeof *s->watches);
    s->watch_count++;
    s->watches[at] = (struct watch){.service = service};
    return &s->watches[at];
}

/* Windows that fell out of the memory since the last step, or were never seen, hold nothing. */
static void forget(struct tensor *s, uint32_t before)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->fibre_count; i++)
        if (s->now - s->fibres[i].window < MEMORY)
            s->fibres[kept++] = s->fibres[i];
    s->fibre_count = kept;
    kept = 0;
    uint32_t gone = s->now - before < MEMORY ? s->now - before : MEMORY;
    for (size_t i = 0; i < s->watch_count; i++) {
        struct watch *w = &s->watches[i];
        for (uint32_t k = 0; k < gone; k++) {
            w->evidence[(s->now - k) % MEMORY] = 0.0f;
            w->hosts[(s->now - k) % MEMORY] = 0;
            w->expected[(s->now - k) % MEMORY] = 0.0f;
        }
        w->history = gone < 8 ? (uint8_t)(w->history << gone) : 0;
        if (s->now - w->last < MEMORY)
            s->watches[kept++] = *w;
    }
    s->watch_count = kept;
}

/* When what fires now began: at the first fibre of the windows that speak for it. */
static int64_t began(const struct tensor *s, const struct watch *w, uint32_t windows)
{
    for (size_t i = 0; i < s->fibre_count; i++) {
        const struct fibre *f = &s->fibres[i];
        if (f->service == w->service && s->now - f->window < windows)
            return window_start(s, f->window) + f->slot * s->window / PULSE_SLOTS;
    }
    return window_start(s, s->now);
}

static size_t sources_of(const struct tally *t, size_t group)
{
    size_t end = tally_service_end(t, group);
    size_t sources = 0;
    for (; group < end; group++)
        sources += t->groups[group].count;
    return sources;
}

/* How many services are tested: the mean of a day, or now if that is more. */
static void count_services(struct tensor *s, const struct tally *t)
{
    double services = 0.0;
    for (size_t g = 0; g < t->group_count; g = tally_service_end(t, g))
        services += sources_of(t, g) >= SOURCES_LEAST;
    s->services = fmax(services, s->services + (services - s->services) / 144.0);
}

/* --- have these hosts been in step before? ----------------------------------------------- */

static bool is_brief(const struct pulse_host *h)
{
    return __builtin_popcountll(h->slots) <= BRIEF;
}

static bool is_among(const uint64_t *ids, size_t count, uint64_t id)
{
    return count && bsearch(&id, ids, count, sizeof *ids, compare_u64);
}

/* The ids in all fibres of a service, rising. */
static enum err ids_before(const struct tensor *s, uint32_t service, struct arena *scratch,
    uint64_t **ret_ids, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < s->fibre_count; i++)
        if (s->fibres[i].service == service)
            count += s->fibres[i].kept;
    uint64_t *ids = arena_take(scratch, count + 1, sizeof *ids);
    if (!ids)
        return ERR_NOMEM;
    count = 0;
    for (size_t i = 0; i < s->fibre_count; i++)
        if (s->fibres[i].service == service) {
            memcpy(ids + count, s->fibres[i].id, s->fibres[i].kept * sizeof *ids);
            count += s->fibres[i].kept;
        }
    qsort(ids, count, sizeof *ids, compare_u64);
    *ret_ids = ids;
    *ret_count = count;
    return OK;
}

/* The share of hosts that are known is as large outside of the peak as in it, if those in it
 * have not come together before. Only brief hosts: one that is always there proves nothing. */
static enum err compare_hosts(
    const struct tensor *s, const struct pulse *p, struct voice *v, struct arena *scratch)
{
    uint64_t *ids;
    size_t count;
    enum err e = ids_before(s, p->service, scratch, &ids, &count);
    if (e || !count)
        return e;
    uint64_t bits = pulse_peak_bits(&v->peak);
    double inside = 0.0;
    double outside = 0.0;
    double known_outside = 0.0;
    for (size_t i = 0; i < p->host_count; i++) {
        if (!is_brief(&p->hosts[i]))
            continue;
        bool known = is_among(ids, count, p->hosts[i].id);
        bool in = p->hosts[i].slots & bits;
        inside += in;
        outside += !in;
        v->known += in && known;
        known_outside += !in && known;
    }
    double rate = (known_outside + 0.5) / (outside + 1.0);
    if (v->known > rate * inside)
        v->again =
            -log_tail_negbin(v->known, rate * inside, 1.0 / (known_outside + 0.5)) / M_LN10;
    return OK;
}

static void keep_fibre(struct tensor *s, const struct pulse *p, const struct pulse_peak *peak)
{
    if (s->fibre_count == s->options.fibres_max) {
        s->left_out++;
        return;
    }
    struct fibre *f = &s->fibres[s->fibre_count++];
    *f = (struct fibre){.service = p->service,
        .window = s->now,
        .slot = (uint8_t)peak->slot,
        .span = (uint8_t)peak->span,
        .hosts = peak->hosts,
        .expected = (float)peak->expected};
    uint64_t bits = pulse_peak_bits(peak);
    for (size_t i = 0; i < p->host_count && f->kept < FIBRE_HOSTS; i++)
        if (p->hosts[i].slots & bits && is_brief(&p->hosts[i]))
            f->id[f->kept++] = p->hosts[i].id;
}

/* --- hearing one service ------------------------------------------------------------------ */

/* The sources in the peak, and where they want to go. */
static enum err gather_sources(
    const struct pulses *all, const struct pulse *p, struct voice *v, struct arena *scratch)
{
    const struct tally *t = all->tally;
    uint64_t bits = pulse_peak_bits(&v->peak);
    size_t sources = 0;
    for (size_t g = p->from; g < p->to; g++)
        sources += t->groups[g].count;
    v->sources = arena_take(scratch, sources + 1, sizeof *v->sources);
    if (!v->sources)
        return ERR_NOMEM;
    uint32_t places[64] = {0};
    uint64_t wide = 0;
    for (size_t g = p->from; g < p->to; g++)
        for (uint32_t i = 0; i < t->groups[g].count; i++) {
            const struct tally_source *source = &t->sources[t->groups[g].first + i];
            size_t row;
            const struct block *b = tally_row(t, source, &row);
            if (!(block_u64(b, CONTACT_SLOTS)[row] & bits))
                continue;
            v->sources[v->source_count++] = *source;
            wide |= all->targets[t->groups[g].site];
            for (uint64_t left = block_u64(b, CONTACT_DSTS)[row]; left; left &= left - 1)
                places[__builtin_ctzll(left)]++;
        }
    v->aimed = pulse_aimed(places, v->source_count);
    v->wide = (unsigned)__builtin_popcountll(wide);
    memcpy(v->seen, p->seen, sizeof v->seen);
    memcpy(v->share, p->share, sizeof v->share);
    v->total = p->total;
    return OK;
}

static void note_evidence(struct tensor *s, struct voice *v)
{
    double evidence = v->burst;
    if (v->again > 0.0)
        evidence =
            -log_p_fisher((double[]){-v->burst * M_LN10, -v->again * M_LN10}, 2) / M_LN10;
    uint32_t n = s->now % MEMORY;
    v->watch->evidence[n] = (float)fmin(evidence, 1000.0);
    v->watch->hosts[n] = (uint16_t)fmin(v->peak.hosts, UINT16_MAX);
    v->watch->expected[n] = (float)v->peak.expected;
    v->watch->last = s->now;
}

/* Evidence of this window: the crowd in its place, and that its hosts come together again.
 * Without any, v->watch stays NULL. */
static enum err hear(
    struct tensor *s, const struct pulse *p, struct voice *v, struct arena *scratch)
{
    pulse_strongest(p, 0.0, &v->peak);
    double raw = fmax(v->peak.log10_p - log10(PULSE_PLACES), 0.0);
    v->burst = tail_correct(&s->tail, raw);
    const struct watch *before = watch_of(s, p->service, false);
    if (p->total >= STEADY_LEAST && !(before && before->fired))
        tail_add(&s->tail, raw);
    if (p->total < ANY_LEAST || v->peak.hosts < SOURCES_LEAST || v->burst < enough)
        return OK;
    enum err e = compare_hosts(s, p, v, scratch);
    if (e)
        return e;
    keep_fibre(s, p, &v->peak);
    v->service = p->service;
    v->watch = watch_of(s, p->service, true);
    if (!v->watch)
        return OK;
    note_evidence(s, v);
    v->score = tensor_weigh(s, &v, 1, &v->span);
    return OK;
}

/* The loudest of the window, loudest first. */
struct choir {
    struct voice *voices; /* CANDIDATES */
    size_t count;
};

static void join(struct choir *c, const struct voice *v)
{
    size_t at = c->count;
    while (at > 0 && c->voices[at - 1].score < v->score)
        at--;
    if (at == CANDIDATES)
        return;
    c->count += c->count < CANDIDATES;
    memmove(&c->voices[at + 1], &c->voices[at], (c->count - 1 - at) * sizeof *c->voices);
    c->voices[at] = *v;
}

static enum err hear_all(
    struct tensor *s, struct pulses *all, struct choir *c, struct arena *scratch)
{
    const struct tally *t = all->tally;
    enum err e = OK;
    for (size_t g = 0; !e && g < t->group_count; g = tally_service_end(t, g)) {
        if (!pulse_is_crowded(all, g, SOURCES_LEAST)) {
            if (sources_of(t, g) >= STEADY_LEAST)
                tail_add(&s->tail, 0.0);
            continue;
        }
        struct pulse p;
        struct voice v = {0};
        pulse_take(&p, all, g);
        e = hear(s, &p, &v, scratch);
        if (e || !v.watch || v.score < worth_a_look)
            continue;
        e = gather_sources(all, &p, &v, scratch);
        join(c, &v);
    }
    for (size_t i = 0; i < c->count; i++) /* watches have moved since */
        c->voices[i].watch = watch_of(s, c->voices[i].service, false);
    return e;
}

/* Can anything be told of them, however the factorisation puts them together? */
static bool is_promising(const struct tensor *s, struct choir *c)
{
    const double rounding = 1e-6;
    double excess = 0.0;
    for (size_t i = 0; i < c->count; i++)
        for (unsigned span = 0; span < SPANS; span++)
            excess = fmax(excess, tensor_excess(s, &c->voices[i], span));
    return excess >= s->options.min_hosts &&
           tensor_weigh_best(s, c->voices, c->count) >= -rounding;
}

/* --- one window --------------------------------------------------------------------------- */

static enum err judge(struct tensor *s, const struct tally *t, struct block_found *b,
    struct arena *scratch, struct sink *out)
{
    double excess = 0.0;
    for (size_t i = 0; i < b->count; i++)
        excess = fmax(excess, tensor_excess(s, b->voice[i], b->span));
    if (b->score < 0.0 || excess < s->options.min_hosts)
        return OK;
    for (size_t i = 0; i < b->count; i++) {
        struct watch *w = b->voice[i]->watch;
        w->history |= 1;
        if (w->fired)
            continue;
        w->fired = s->now;
        w->start = began(s, w, tensor_spans[b->span]);
    }
    return tensor_report(s, b, t, scratch, out);
}

static enum err begin_window(struct tensor *s, const struct window *w)
{
    if (w->length != s->window || w->start % s->window ||
        (s->now && (w->start <= window_start(s, s->now) ||
                       (w->start - s->origin) / s->window > INT32_MAX)))
        return ERR_RANGE;
    enum err e = tensor_room(s);
    if (e)
        return e;
    uint32_t before = s->now;
    if (!before)
        s->origin = w->start - s->window;
    s->now = (uint32_t)((w->start - s->origin) / s->window);
    if (before && time_floor(window_start(s, before), US_DAY) != time_floor(w->start, US_DAY))
        tail_decay(&s->tail);
    forget(s, before);
    return OK;
}

enum err tensor_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    assert(st->of == &engine_tensor && w->kind == &record_contact);
    struct tensor *s = (struct tensor *)(void *)st;
    struct tally t;
    struct pulses all;
    struct choir c = {.voices = arena_take(scratch, CANDIDATES, sizeof *c.voices)};
    struct block_found *blocks = arena_take(scratch, CANDIDATES, sizeof *blocks);
    size_t count = 0;
    enum err e = c.voices && blocks ? begin_window(s, w) : ERR_NOMEM;
    if (!e)
        e = tally_build(&t, w, s->options.leave_out, scratch);
    if (!e)
        e = pulses_open(&all, &t, s->options.prefix, scratch);
    if (e)
        return e;
    count_services(s, &t);
    e = hear_all(s, &all, &c, scratch);
    if (!e && c.count && is_promising(s, &c))
        e = tensor_blocks(s, c.voices, c.count, scratch, blocks, &count);
    for (size_t i = 0; !e && i < count; i++)
        e = judge(s, &t, &blocks[i], scratch, out);
    return e;
}
