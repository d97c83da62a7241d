#include "num/tucker.h"

#include "num/lanes_int.h"
#include "num/row_int.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)TUCKER_CORE_MAX <= (int)ROW_RANK_MAX, "the core is one row");

enum {
    SWEEPS = 2
};

/* The cells of one mode's places, one place after the other. */
struct order {
    uint32_t *cell;
    size_t *first; /* size + 1 */
};

struct work {
    const struct cells *t;
    struct order order[TUCKER_MODES];
    size_t longest; /* cells of one place, padded */
    double *value;  /* padded count */
    double *model;
    double *basis; /* core numbers x padded count */
    double *outer; /* core numbers over a rank, for each place of a mode */
    double *lines; /* padded count, for each part of a mode: factors of the cells */
};

/* --- reading the core -------------------------------------------------------------------- */

static void parts_of(const struct tucker *f, size_t number, unsigned part[TUCKER_MODES])
{
    for (unsigned m = f->modes; m-- > 0;) {
        assert(f->rank[m] > 0);
        part[m] = (unsigned)(number % f->rank[m]);
        number /= f->rank[m];
    }
}

static double part_sum(const struct tucker *f, unsigned mode, unsigned part)
{
    double sum = 0.0;
    for (size_t i = 0; i < f->size[mode]; i++)
        sum += f->factor[mode][part * f->size[mode] + i];
    return sum;
}

/* What each number of the core adds to the sum of the model, by the mode's part: `total` has
 * room for the mode's rank; with `mode` == modes for each number, and room for all. */
static void totals(const struct tucker *f, unsigned mode, double *total)
{
    double sums[TUCKER_MODES][TUCKER_RANK_MAX];
    for (unsigned m = 0; m < f->modes; m++)
        for (unsigned p = 0; p < f->rank[m]; p++)
            sums[m][p] = part_sum(f, m, p);
    memset(total, 0, (mode < f->modes ? f->rank[mode] : f->core_count) * sizeof *total);
    for (size_t c = 0; c < f->core_count; c++) {
        unsigned part[TUCKER_MODES];
        parts_of(f, c, part);
        double product = mode < f->modes ? f->core[c] : 1.0;
        for (unsigned m = 0; m < f->modes; m++)
            product *= m == mode ? 1.0 : sums[m][part[m]];
        total[mode < f->modes ? part[mode] : c] += product;
    }
}

/* --- one mode, the others held ------------------------------------------------------------ */

/* The last mode but `mode` itself. */
static unsigned outer_mode(const struct tucker *f, unsigned mode)
{
    return mode + 1 == f->modes ? f->modes - 2 : f->modes - 1;
}

/* Sums one mode out of an array of numbers of the core, in place; `inner` numbers lie side by
 * side within each of its parts. Returns how many are left. */
static size_t sum_out(
    double *now, size_t count, unsigned rank, size_t inner, const double part_values[])
{
    assert(rank && inner);
    size_t outer = count / (rank * inner);
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < inner; i++) {
            double sum = 0.0;
            for (unsigned p = 0; p < rank; p++)
                sum += part_values[p] * now[(o * rank + p) * inner + i];
            now[o * inner + i] = sum;
        }
    return outer * inner;
}

/* The core with the outermost mode summed out, for each place of that mode: many cells share
 * it. */
static void contract_outer(const struct tucker *f, const struct work *k, unsigned mode)
{
    unsigned out = outer_mode(f, mode);
    size_t inner = out < mode ? f->rank[mode] : 1;
    size_t left = f->core_count / f->rank[out];
    double now[TUCKER_CORE_MAX];
    double values[TUCKER_RANK_MAX];
    for (size_t i = 0; i < f->size[out]; i++) {
        for (unsigned p = 0; p < f->rank[out]; p++)
            values[p] = f->factor[out][p * f->size[out] + i];
        memcpy(now, f->core, f->core_count * sizeof *now);
        sum_out(now, f->core_count, f->rank[out], inner, values);
        memcpy(k->outer + i * left, now, left * sizeof *now);
    }
}

/* What a weight of each part of `mode` adds to the model at one cell, after contract_outer():
 * the other modes are summed out from the last to the first. */
static void contract(
    const struct tucker *f, const struct work *k, unsigned mode, size_t cell, double *out)
{
    const uint32_t *index = k->t->index + cell * f->modes;
    unsigned outer = outer_mode(f, mode);
    size_t count = f->core_count / f->rank[outer];
    size_t inner = outer < mode ? f->rank[mode] : 1;
    double now[TUCKER_CORE_MAX];
    double values[TUCKER_RANK_MAX];
    memcpy(now, k->outer + index[outer] * count, count * sizeof *now);
    for (unsigned m = outer; m-- > 0;) {
        if (m == mode) {
            inner = f->rank[m];
            continue;
        }
        for (unsigned p = 0; p < f->rank[m]; p++)
            values[p] = f->factor[m][p * f->size[m] + index[m]];
        count = sum_out(now, count, f->rank[m], inner, values);
    }
    memcpy(out, now, f->rank[mode] * sizeof *out);
}

static void fit_mode(struct tucker *f, const struct work *k, unsigned mode)
{
    double total[TUCKER_RANK_MAX];
    double weights[TUCKER_RANK_MAX];
    double at[TUCKER_RANK_MAX];
    totals(f, mode, total);
    contract_outer(f, k, mode);
    struct row r = {.value = k->value,
        .basis = k->basis,
        .rank = f->rank[mode],
        .total = total,
        .model = k->model};
    for (size_t i = 0; i < f->size[mode]; i++) {
        size_t from = k->order[mode].first[i];
        size_t count = k->order[mode].first[i + 1] - from;
        r.count = r.stride = lanes_padded(count);
        memset(k->basis, 0, r.rank * r.stride * sizeof *k->basis);
        memset(k->value, 0, r.count * sizeof *k->value);
        for (size_t e = 0; e < count; e++) {
            size_t cell = k->order[mode].cell[from + e];
            contract(f, k, mode, cell, at);
            for (unsigned p = 0; p < r.rank; p++)
                k->basis[p * r.stride + e] = at[p];
            k->value[e] = k->t->value[cell];
        }
        for (unsigned p = 0; p < r.rank; p++)
            weights[p] = f->factor[mode][p * f->size[mode] + i];
        row_poisson(&r, weights, SWEEPS);
        for (unsigned p = 0; p < r.rank; p++)
            f->factor[mode][p * f->size[mode] + i] = weights[p];
    }
}

/* The largest of each part becomes 1, the core takes the scale. */
static void rescale(struct tucker *f, unsigned mode)
{
    double most[TUCKER_RANK_MAX] = {0};
    for (unsigned p = 0; p < f->rank[mode]; p++) {
        double *part = f->factor[mode] + p * f->size[mode];
        for (size_t i = 0; i < f->size[mode]; i++)
            most[p] = fmax(most[p], part[i]);
        for (size_t i = 0; i < f->size[mode] && most[p] > 0.0; i++)
            part[i] /= most[p];
    }
    for (size_t c = 0; c < f->core_count; c++) {
        unsigned part[TUCKER_MODES];
        parts_of(f, c, part);
        f->core[c] *= most[part[mode]];
    }
}

/* Each row of the basis times the factor that its number of the core takes of one mode. */
static void multiply_in(
    const struct tucker *f, const struct work *k, unsigned mode, size_t stride)
{
    for (unsigned p = 0; p < f->rank[mode]; p++) {
        const double *factor = f->factor[mode] + p * f->size[mode];
        double *line = k->lines + p * stride;
        memset(line, 0, stride * sizeof *line);
        for (size_t e = 0; e < k->t->count; e++)
            line[e] = factor[k->t->index[e * f->modes + mode]];
    }
    for (size_t c = 0; c < f->core_count; c++) {
        unsigned part[TUCKER_MODES];
        parts_of(f, c, part);
        row_multiply(k->basis + c * stride, k->lines + part[mode] * stride, stride, mode == 0);
    }
}

/* All cells are one row, and each number of the core is a weight. Returns the loss after it. */
static double fit_core(struct tucker *f, const struct work *k)
{
    double total[TUCKER_CORE_MAX];
    totals(f, f->modes, total);
    struct row r = {.value = k->value,
        .basis = k->basis,
        .count = lanes_padded(k->t->count),
        .stride = lanes_padded(k->t->count),
        .rank = (unsigned)f->core_count,
        .total = total,
        .model = k->model};
    memset(k->value, 0, r.count * sizeof *k->value);
    memcpy(k->value, k->t->value, k->t->count * sizeof *k->value);
    for (unsigned m = 0; m < f->modes; m++)
        multiply_in(f, k, m, r.stride);
    row_poisson(&r, f->core, 1);
    return row_poisson_loss(&r, f->core);
}

/* --- the whole ---------------------------------------------------------------------------- */

/* All that tucker_fit() promises to refuse. */
static enum err check(const struct cells *t, const struct tucker_options *o)
{
    size_t core = 1;
    if (t->modes < 2 || t->modes > TUCKER_MODES || !t->count || !o->restarts ||
        o->restarts > TUCKER_RESTARTS_MAX)
        return ERR_RANGE;
    for (unsigned m = 0; m < t->modes; m++) {
        if (!o->rank[m] || o->rank[m] > TUCKER_RANK_MAX || o->rank[m] > t->size[m] ||
            t->size[m] > UINT32_MAX)
            return ERR_RANGE;
        core *= o->rank[m];
    }
    if (core > TUCKER_CORE_MAX)
        return ERR_RANGE;
    for (size_t e = 0; e < t->count; e++) {
        if (!(t->value[e] > 0.0) || isinf(t->value[e]))
            return ERR_RANGE;
        for (unsigned m = 0; m < t->modes; m++)
            if (t->index[e * t->modes + m] >= t->size[m])
                return ERR_RANGE;
    }
    return OK;
}

static enum err make_order(struct work *k, unsigned mode, struct arena *a)
{
    const struct cells *t = k->t;
    struct order *o = &k->order[mode];
    o->cell = arena_take(a, t->count, sizeof *o->cell);
    o->first = arena_take(a, t->size[mode] + 2, sizeof *o->first);
    if (!o->cell || !o->first)
        return ERR_NOMEM;
    for (size_t e = 0; e < t->count; e++)
        o->first[t->index[e * t->modes + mode] + 2]++;
    for (size_t i = 0; i < t->size[mode]; i++)
        o->first[i + 2] += o->first[i + 1];
    for (size_t e = 0; e < t->count; e++)
        o->cell[o->first[t->index[e * t->modes + mode] + 1]++] = (uint32_t)e;
    return OK;
}

static enum err make_room(struct work *k, const struct tucker *f, struct arena *a)
{
    size_t core = f->core_count;
    size_t outer = 0;
    for (unsigned m = 0; m < f->modes; m++) {
        unsigned out = outer_mode(f, m);
        size_t most = f->size[out] * (core / f->rank[out]);
        outer = most > outer ? most : outer;
    }
    size_t count = lanes_padded(k->t->count);
    size_t ranks = core > TUCKER_RANK_MAX ? core : TUCKER_RANK_MAX;
    enum err e = OK;
    for (unsigned m = 0; !e && m < k->t->modes; m++)
        e = make_order(k, m, a);
    if (e)
        return e;
    k->value = arena_room(a, count, sizeof *k->value);
    k->model = arena_room(a, count, sizeof *k->model);
    k->basis = arena_room(a, count * ranks, sizeof *k->basis);
    k->outer = arena_room(a, outer, sizeof *k->outer);
    k->lines = arena_room(a, count * TUCKER_RANK_MAX, sizeof *k->lines);
    return k->value && k->model && k->basis && k->outer && k->lines ? OK : ERR_NOMEM;
}

static enum err make_factors(
    struct tucker *f, const struct cells *t, const struct tucker_options *o, struct arena *a)
{
    *f = (struct tucker){.modes = t->modes, .core_count = 1};
    for (unsigned m = 0; m < t->modes; m++) {
        f->size[m] = t->size[m];
        f->rank[m] = o->rank[m];
        f->core_count *= o->rank[m];
        f->factor[m] = arena_take(a, o->rank[m] * t->size[m], sizeof *f->factor[m]);
        if (!f->factor[m])
            return ERR_NOMEM;
    }
    f->core = arena_take(a, f->core_count, sizeof *f->core);
    return f->core ? OK : ERR_NOMEM;
}

static void begin(struct tucker *f, const struct cells *t, struct rng *r)
{
    double sum = 0.0;
    for (size_t e = 0; e < t->count; e++)
        sum += t->value[e];
    for (unsigned m = 0; m < f->modes; m++)
        for (size_t i = 0; i < f->rank[m] * f->size[m]; i++)
            f->factor[m][i] = 0.05 + rng_unit(r);
    for (size_t c = 0; c < f->core_count; c++)
        f->core[c] = 0.05 + rng_unit(r);
    double total[TUCKER_RANK_MAX];
    double all = 0.0;
    totals(f, 0, total);
    /* total[] leaves out the mode itself. */
    for (unsigned p = 0; p < f->rank[0]; p++)
        all += total[p] * part_sum(f, 0, p);
    for (size_t c = 0; c < f->core_count; c++)
        f->core[c] *= sum / all;
}

static void descend(
    struct tucker *f, const struct work *k, const struct tucker_options *o, double *trace)
{
    double before = fit_core(f, k);
    if (trace)
        trace[0] = before;
    for (f->iterations = 0; f->iterations < o->iterations;) {
        for (unsigned m = 0; m < f->modes; m++) {
            fit_mode(f, k, m);
            rescale(f, m);
        }
        f->loss = fit_core(f, k);
        f->iterations++;
        if (trace)
            trace[f->iterations] = f->loss;
        if (before - f->loss <= o->tolerance * f->loss)
            return;
        before = f->loss;
    }
}

static void copy(struct tucker *to, const struct tucker *from)
{
    for (unsigned m = 0; m < from->modes; m++) {
        assert(to->factor[m] && from->factor[m]);
        memcpy(to->factor[m], from->factor[m],
            from->rank[m] * from->size[m] * sizeof *to->factor[m]);
    }
    memcpy(to->core, from->core, from->core_count * sizeof *to->core);
    to->loss = from->loss;
    to->iterations = from->iterations;
    to->restart = from->restart;
}

enum err tucker_fit(const struct cells *t, const struct tucker_options *options, struct rng *r,
    struct arena *a, struct tucker *ret_tucker)
{
    struct work k = {.t = t};
    struct tucker best;
    struct tucker f;
    enum err e = check(t, options);
    if (!e)
        e = make_factors(&best, t, options, a);
    if (!e)
        e = make_factors(&f, t, options, a);
    if (!e)
        e = make_room(&k, &f, a);
    double *trace = NULL;
    if (!e && options->trace)
        trace = arena_take(a, options->iterations + 1, sizeof *trace);
    if (!e && options->trace && !trace)
        e = ERR_NOMEM;
    if (e)
        return e;
    for (unsigned i = 0; i < options->restarts; i++) {
        begin(&f, t, r);
        descend(&f, &k, options, trace);
        f.restart = i;
        if (i && f.loss >= best.loss)
            continue;
        copy(&best, &f);
        if (trace)
            memcpy(options->trace, trace, (f.iterations + 1) * sizeof *trace);
    }
    *ret_tucker = best;
    return OK;
}

static int by_share(const void *a, const void *b)
{
    const struct tucker_block *x = a;
    const struct tucker_block *y = b;
    if (x->share > y->share || x->share < y->share)
        return x->share < y->share ? 1 : -1;
    return memcmp(x->part, y->part, sizeof x->part);
}

void tucker_blocks(const struct tucker *f, struct tucker_block *ret_blocks)
{
    double total[TUCKER_CORE_MAX];
    double sum = 0.0;
    totals(f, f->modes, total);
    for (size_t c = 0; c < f->core_count; c++)
        sum += f->core[c] * total[c];
    for (size_t c = 0; c < f->core_count; c++) {
        ret_blocks[c] =
            (struct tucker_block){.share = sum > 0.0 ? f->core[c] * total[c] / sum : 0.0};
        parts_of(f, c, ret_blocks[c].part);
    }
    qsort(ret_blocks, f->core_count, sizeof *ret_blocks, by_share);
}

double otsu_threshold(const double *values, size_t count)
{
    enum {
        BINS = 256
    };
    double bins[BINS] = {0};
    double all = 0.0;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!(values[i] > 1e-10))
            continue;
        int bin = (int)fmin(values[i] * BINS, BINS - 1);
        bins[bin] += 1.0;
        all += 1.0;
        sum += bin;
    }
    double below = 0.0;
    double below_sum = 0.0;
    double best = 0.0;
    double threshold = 0.5;
    for (int i = 0; i < BINS - 1; i++) {
        below += bins[i];
        below_sum += bins[i] * i;
        double above = all - below;
        if (below < 0.5 || above < 0.5)
            continue;
        double apart = below_sum / below - (sum - below_sum) / above;
        double between = below * above * apart * apart;
        if (between <= best)
            continue;
        best = between;
        threshold = (double)(i + 1) / BINS;
    }
    return threshold;
}
