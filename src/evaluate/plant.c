#include "evaluate/plant_int.h"

#include "base/clock.h"
#include "record/proto.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLEAN_FINDINGS = 1 << 20
};

const double plant_budgets[PLANT_BUDGETS] = {0.25, 1.0, 4.0, 16.0, 64.0};

/* What an engine says of the windows as they are. */
struct clean {
    int64_t time;
    float score;
    uint16_t port;
    uint8_t proto;
    bool notice;
};

struct cleans {
    struct clean *list; /* owned */
    size_t count, room;
    int64_t from; /* findings before it are not kept */
};

/* What one trial is about, and what was said about it. */
struct probe {
    uint16_t port;
    double score; /* the highest; -infinity: nothing was found */
    bool notice;
};

/* --- sinks ---------------------------------------------------------------------------------
 */

static enum err clean_put(void *context, const struct finding *f)
{
    struct cleans *c = context;
    if (f->time <= c->from || c->count == CLEAN_FINDINGS)
        return OK;
    if (c->count == c->room) {
        size_t room = c->room ? c->room * 2 : 1024;
        struct clean *more = realloc(c->list, room * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        c->list = more;
        c->room = room;
    }
    c->list[c->count++] = (struct clean){.time = f->time,
        .score = (float)f->score,
        .port = f->port_count ? f->ports[0] : 0,
        .proto = f->proto,
        .notice = f->severity >= SEVERITY_NOTICE};
    return OK;
}

static enum err probe_put(void *context, const struct finding *f)
{
    struct probe *p = context;
    for (size_t i = 0; f->proto == PROTO_TCP && i < f->port_count; i++)
        if (f->ports[i] == p->port) {
            p->score = fmax(p->score, f->score);
            p->notice |= f->severity >= SEVERITY_NOTICE;
        }
    return OK;
}

/* --- thresholds ----------------------------------------------------------------------------
 */

static int by_port(const void *a, const void *b)
{
    const struct clean *x = a, *y = b;
    if (x->proto != y->proto)
        return x->proto < y->proto ? -1 : 1;
    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    return x->time < y->time ? -1 : x->time > y->time;
}

/* Findings on one port without a long silence are one alert. */
static size_t alerts_at(const struct cleans *c, double threshold, bool notices, int64_t quiet)
{
    size_t alerts = 0;
    const struct clean *last = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const struct clean *here = &c->list[i];
        if (notices ? !here->notice : (double)here->score < threshold)
            continue;
        alerts += !last || last->proto != here->proto || last->port != here->port ||
                  here->time - last->time > quiet;
        last = here;
    }
    return alerts;
}

static int by_score_down(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The lowest score that gives no more alerts than the budget: the highest that would give more
 * is found by halving, as fewer alerts follow from a higher score but for merging. */
static enum err thresholds_choose(
    struct cleans *c, const struct plant *p, struct plant_method *m)
{
    float *scores = malloc((c->count + 1) * sizeof *scores);
    if (!scores)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->count; i++)
        scores[i] = c->list[i].score;
    if (c->count) {
        qsort(scores, c->count, sizeof *scores, by_score_down);
        qsort(c->list, c->count, sizeof *c->list, by_port);
    }
    for (size_t b = 0; b < PLANT_BUDGETS; b++) {
        size_t most = (size_t)(plant_budgets[b] * p->result->days), low = 0, high = c->count;
        while (low < high) { /* scores[0..low) are within the budget */
            size_t middle = low + (high - low + 1) / 2;
            if (alerts_at(c, (double)scores[middle - 1], false, p->o->quiet) <= most)
                low = middle;
            else
                high = middle - 1;
        }
        /* Nothing that was seen is above it, so that what is not seen at all never is a hit. */
        m->threshold[b] = low == c->count ? 0.0
                          : low           ? (double)scores[low - 1]
                                          : nextafter((double)scores[0], INFINITY);
    }
    m->clean_notices = alerts_at(c, 0.0, true, p->o->quiet);
    free(scores);
    return OK;
}

/* --- trials --------------------------------------------------------------------------------
 */

/* One window through one engine: those that tag say so, the others see it. */
static enum err show(struct plant *p, const struct engine *engine, struct engine_state *state,
    const struct window *w, size_t look, struct sink *sink)
{
    struct window shown = *w;
    enum err e = engine->tags ? OK : plant_tags_show(&p->tags, look, &shown, &p->shown);
    if (!e)
        e = engine->step(state, &shown, &p->scratch, sink);
    if (!e && engine->tags) {
        struct tagging tagging = engine->tags(state);
        e = plant_tags_keep(&p->tags, look, &shown, &tagging);
    }
    arena_clear(&p->scratch);
    arena_clear(&p->shown);
    return e;
}

/* The window with the crowd, through an engine in the state before it. */
static enum err crowd_ask(struct plant *p, const struct engine *engine,
    struct engine_state *state, const struct window *w, const struct crowd *crowd,
    struct probe *probe)
{
    struct block *extra;
    enum err e = block_new(&extra, &record_contact, crowd->size);
    if (e)
        return e;
    e = plant_crowd(extra, w, crowd);
    const struct block **blocks = calloc(w->block_count + 1, sizeof *blocks);
    if (!e && blocks) {
        struct window planted = *w;
        if (w->block_count)
            memcpy(blocks, w->blocks, w->block_count * sizeof *blocks);
        blocks[planted.block_count++] = extra;
        planted.blocks = blocks;
        struct sink sink = {probe_put, probe};
        e = show(p, engine, state, &planted, crowd->look, &sink);
    }
    e = e ? e : blocks ? OK : ERR_NOMEM;
    free(blocks);
    block_free(extra);
    return e;
}

/* An engine, what it remembered before the window in hand, and the window. */
struct before {
    size_t engine;
    struct buf saved;
    const struct window *window;
};

/* One cell of a trial. */
static enum err cell_run(struct plant *p, const struct before *m, const struct crowd *crowd,
    struct probe *probe, struct fault *f)
{
    const struct engine *of = p->o->engines[m->engine];
    struct engine_state *state;
    enum err e = of->open(&state, p->o->confs[m->engine], m->window->length, f);
    if (e)
        return e;
    *probe = (struct probe){.port = crowd->trial->where.port, .score = -INFINITY};
    e = of->load(state, bytes_over(m->saved.data, m->saved.len), f);
    if (!e) {
        e = crowd_ask(p, of, state, m->window, crowd, probe);
        if (e)
            fault_set(f, e, "%s on a planted window: %s", of->name, err_text(e));
    }
    of->close(state);
    return e;
}

/* All cells of a trial for one engine. `results` are cell by cell. */
static enum err trial_run(struct plant *p, const struct before *m, const struct trial *t,
    struct probe *results, struct fault *f)
{
    enum err e = OK;
    size_t cells = p->o->size_count * p->o->slot_count;
    size_t look = tape_count(p->tape) + (size_t)(t - p->trials) * cells;
    for (size_t i = 0; !e && i < p->o->size_count; i++)
        for (size_t k = 0; !e && k < p->o->slot_count; k++) {
            struct crowd crowd = {t, p->o->sizes[i], p->o->slots[k], look++};
            e = cell_run(p, m, &crowd, results++, f);
        }
    return e;
}

/* One engine through the tape: what it says of the windows as they are, and of each trial. */
static enum err engine_run(struct plant *p, size_t engine, struct cleans *clean,
    struct probe *results, struct fault *f)
{
    const struct engine *of = p->o->engines[engine];
    size_t cells = p->o->size_count * p->o->slot_count, next = 0;
    struct engine_state *state;
    struct sink sink = {clean_put, clean};
    struct before m = {.engine = engine};
    enum err e = of->open(&state, p->o->confs[engine], tape_length(p->tape), f);
    if (e)
        return e;
    buf_init(&m.saved, (size_t)1 << 31);
    for (size_t i = 0; !e && i < tape_count(p->tape); i++) {
        const struct window *w;
        e = tape_read(p->tape, i, &w, f);
        if (!e && next < p->o->trials && p->trials[next].window == i) {
            buf_clear(&m.saved);
            m.window = w;
            e = of->save(state, &m.saved);
            if (e)
                fault_set(f, e, "%s: saving: %s", of->name, err_text(e));
        }
        for (; !e && next < p->o->trials && p->trials[next].window == i; next++)
            e = trial_run(p, &m, &p->trials[next], results + next * cells, f);
        if (!e) {
            e = show(p, of, state, w, i, &sink);
            if (e)
                fault_set(f, e, "%s: %s", of->name, err_text(e));
        }
        if (p->o->progress)
            p->o->progress(p->o->context, ++p->done, p->of);
    }
    buf_done(&m.saved);
    of->close(state);
    return e;
}

/* --- sums ----------------------------------------------------------------------------------
 */

/* Hits of one trial and cell. Nothing found never is one. */
static void cell_add(struct plant_method *m, size_t size, size_t slot, const struct probe *r)
{
    struct plant_cell *c = &m->cells[size][slot];
    for (size_t b = 0; b < PLANT_BUDGETS; b++)
        c->hits[b] += isfinite(r->score) && r->score >= m->threshold[b];
    c->notices += r->notice;
}

static void method_sum(const struct plant *p, struct plant_method *m,
    struct plant_method *together, const struct probe *results, bool *any)
{
    for (size_t t = 0; t < p->o->trials; t++)
        for (size_t i = 0; i < p->o->size_count; i++)
            for (size_t k = 0; k < p->o->slot_count; k++, results++, any++) {
                cell_add(m, i, k, results);
                together->cells[i][k].notices += results->notice && !*any;
                *any |= results->notice;
            }
}

/* Those that tag come first. */
static size_t engine_turn(const struct plant *p, size_t count, size_t turn)
{
    for (int others = 0; others < 2; others++)
        for (size_t i = 0; i < count; i++)
            if ((p->o->engines[i]->tags == NULL) == (others == 1) && turn-- == 0)
                return i;
    return 0;
}

static enum err engines_run(struct plant *p, size_t count, size_t first, struct fault *f)
{
    size_t cells = p->o->trials * p->o->size_count * p->o->slot_count;
    struct probe *results = calloc(cells + 1, sizeof *results);
    bool *any = calloc(cells + 1, sizeof *any);
    struct cleans clean = {0}, all = {0};
    struct plant_method *together = &p->result->methods[count];
    enum err e = results && any ? OK : fault_set(f, ERR_NOMEM, "out of memory");
    *together =
        (struct plant_method){.name = "engines together", .engine = true, .together = true};
    clean.from = all.from = tape_start(p->tape, first);
    for (size_t turn = 0; !e && turn < count; turn++) {
        size_t i = engine_turn(p, count, turn);
        struct plant_method *m = &p->result->methods[i];
        *m = (struct plant_method){.engine = true};
        snprintf(m->name, sizeof m->name, "%s", p->o->engines[i]->name);
        clean.count = 0;
        e = engine_run(p, i, &clean, results, f);
        for (size_t k = 0; !e && k < clean.count; k++)
            if (clean.list[k].notice) {
                const struct finding one = {.time = clean.list[k].time,
                    .proto = clean.list[k].proto,
                    .ports = {clean.list[k].port},
                    .port_count = 1,
                    .severity = SEVERITY_NOTICE};
                e = clean_put(&all, &one);
            }
        if (!e)
            e = thresholds_choose(&clean, p, m);
        if (e && !f->text[0])
            fault_set(f, e, "planting: %s", err_text(e));
        if (!e)
            method_sum(p, m, together, results, any);
    }
    if (!e && all.count)
        qsort(all.list, all.count, sizeof *all.list, by_port);
    if (!e)
        together->clean_notices = alerts_at(&all, 0.0, true, p->o->quiet);
    free(clean.list);
    free(all.list);
    free(results);
    free(any);
    return e;
}

static enum err baseline_run(
    struct plant *p, enum baseline_rule rule, size_t first, struct plant_method *m)
{
    *m = (struct plant_method){0};
    snprintf(m->name, sizeof m->name, "%s", baseline_name(rule));
    for (size_t b = 0; b < PLANT_BUDGETS; b++) {
        struct warnings unused = {0};
        const struct baseline_options o = {.rule = rule,
            .alerts = (size_t)(plant_budgets[b] * p->result->days),
            .quiet = p->o->quiet,
            .from = (uint32_t)((tape_start(p->tape, first) - p->counts->start) /
                               p->counts->window)};
        enum err e = baseline_make(p->counts, &o, &unused, &m->threshold[b]);
        warnings_done(&unused);
        double highest = 0.0;
        if (!e && isinf(m->threshold[b])) { /* only what was never seen before is a hit */
            e = baseline_highest(p->counts, &o, &highest);
            m->threshold[b] = nextafter(highest, INFINITY);
        }
        if (e)
            return e;
    }
    for (size_t t = 0; t < p->o->trials; t++)
        for (size_t i = 0; i < p->o->size_count; i++) {
            const struct probe r = {
                .score = baseline_score(p->counts, rule, &p->trials[t].where, p->o->sizes[i])};
            for (size_t k = 0; k < p->o->slot_count; k++)
                cell_add(m, i, k, &r);
        }
    return OK;
}

enum err plant_run(struct tape *t, struct host_counts *counts, const struct plant_options *o,
    struct plant_result *ret_result, struct fault *f)
{
    size_t engines = 0, first = 0, count = tape_count(t);
    while (o->engines[engines])
        engines++;
    while (first < count && tape_start(t, first) - tape_start(t, 0) < o->after)
        first++;
    if (first + 1 >= count)
        return fault_set(f, ERR_RANGE,
            "planting begins %.3g days after the first window, and the captures end before",
            (double)o->after / (double)US_DAY);
    host_counts_sort(counts);
    *ret_result = (struct plant_result){.options = *o,
        .days = (double)(count - first) * (double)tape_length(t) / (double)US_DAY};
    struct plant p = {
        .tape = t, .counts = counts, .o = o, .result = ret_result, .of = engines * count};
    arena_init(&p.scratch, (size_t)1 << 31);
    arena_init(&p.shown, (size_t)1 << 24);
    enum err e = plant_tags_open(&p.tags, &p);
    e = e ? fault_set(f, e, "planting: %s", err_text(e)) : plant_draw(&p, first, f);
    if (!e)
        e = engines_run(&p, engines, first, f);
    ret_result->method_count = engines + (engines > 0);
    for (int rule = 0; !e && rule < BASELINE_RULES; rule++) {
        e = baseline_run(&p, (enum baseline_rule)rule, first,
            &ret_result->methods[ret_result->method_count++]);
        if (e)
            fault_set(f, e, "planting: %s", err_text(e));
    }
    arena_done(&p.scratch);
    arena_done(&p.shown);
    plant_tags_close(&p.tags);
    free(p.trials);
    return e;
}
