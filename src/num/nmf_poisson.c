/* The Kullback-Leibler loss: row after row, each over its own entries (row_int.h). */
#include "num/lanes_int.h"
#include "num/nmf_int.h"
#include "num/row_int.h"

#include <math.h>
#include <string.h>

_Static_assert((int)NMF_RANK_MAX <= (int)ROW_RANK_MAX, "a row holds every part");

enum {
    QUIET_EVERY = 4, /* the loss is looked at every so many iterations */
    SWEEPS = 2
};

/* One side of the factorisation: the rows of `v` are explained by `mine`, with `other` held. */
struct side {
    const struct matrix *v;
    double *mine;  /* rank x rows */
    double *other; /* rank x wide, padded with zeros */
    size_t rows;
    size_t wide;    /* columns, padded */
    size_t longest; /* entries of the longest row, padded */
};

struct work {
    const struct nmf_options *options;
    unsigned rank;
    double *value; /* longest */
    double *model; /* longest */
    double *basis; /* rank x longest: gathered for a sparse row */
};

static size_t longest_row(const struct matrix *m)
{
    size_t longest = 0;
    for (size_t i = 0; i < m->rows; i++) {
        size_t count = matrix_row_count(m, i);
        longest = count > longest ? count : longest;
    }
    return lanes_padded(longest);
}

static void gather(const struct side *s, const struct work *k, size_t row, struct row *r)
{
    size_t count = matrix_row_count(s->v, row);
    r->count = lanes_padded(count);
    memcpy(k->value, matrix_row(s->v, row), count * sizeof *k->value);
    memset(k->value + count, 0, (r->count - count) * sizeof *k->value);
    if (!s->v->column) {
        r->basis = s->other;
        r->stride = s->wide;
        return;
    }
    const uint32_t *column = s->v->column + s->v->first[row];
    for (unsigned p = 0; p < k->rank; p++) {
        const double *from = s->other + p * s->wide;
        double *to = k->basis + p * r->count;
        for (size_t e = 0; e < count; e++)
            to[e] = from[column[e]];
        memset(to + count, 0, (r->count - count) * sizeof *to);
    }
    r->basis = k->basis;
    r->stride = r->count;
}

/* Returns the loss after it if `want_loss`. */
static double half(const struct side *s, const struct work *k, bool want_loss)
{
    double total[ROW_RANK_MAX];
    double weights[ROW_RANK_MAX];
    for (unsigned p = 0; p < k->rank; p++) {
        total[p] = 0.0;
        for (size_t j = 0; j < s->wide; j++)
            total[p] += s->other[p * s->wide + j];
    }
    struct row r = {.value = k->value, .rank = k->rank, .total = total, .model = k->model};
    double loss = 0.0;
    for (size_t i = 0; i < s->rows; i++) {
        for (unsigned p = 0; p < k->rank; p++)
            weights[p] = s->mine[p * s->rows + i];
        gather(s, k, i, &r);
        if (k->options->method == NMF_MULTIPLY)
            row_poisson_multiply(&r, weights);
        else
            row_poisson(&r, weights, SWEEPS);
        for (unsigned p = 0; p < k->rank; p++)
            s->mine[p * s->rows + i] = weights[p];
        if (want_loss)
            loss += row_poisson_loss(&r, weights);
    }
    return loss;
}

/* The factor that this half has changed is what the other half holds. */
static void hand_over(const struct side *from, struct side *to, unsigned rank)
{
    for (unsigned p = 0; p < rank; p++)
        memcpy(to->other + p * to->wide, from->mine + p * from->rows,
            from->rows * sizeof *to->other);
}

static enum err take_room(struct work *k, const struct side sides[2], struct arena *a)
{
    size_t longest = sides[0].longest > sides[1].longest ? sides[0].longest : sides[1].longest;
    size_t gathered = sides[0].v->column ? k->rank * longest : 0;
    k->value = arena_take(a, longest + 1, sizeof *k->value);
    k->model = arena_take(a, longest + 1, sizeof *k->model);
    k->basis = arena_take(a, gathered + 1, sizeof *k->basis);
    return k->value && k->model && k->basis ? OK : ERR_NOMEM;
}

static enum err make_side(struct side *s, const struct matrix *v, double *mine, double *other,
    unsigned rank, struct arena *a)
{
    *s = (struct side){.v = v,
        .mine = mine,
        .rows = v->rows,
        .wide = lanes_padded(v->cols),
        .longest = longest_row(v)};
    s->other = arena_take(a, rank * s->wide + 1, sizeof *s->other);
    if (!s->other)
        return ERR_NOMEM;
    for (unsigned p = 0; p < rank; p++)
        memcpy(s->other + p * s->wide, other + p * v->cols, v->cols * sizeof *other);
    return OK;
}

/* The loss where nothing has been done yet. */
static double first_loss(const struct side *s, const struct work *k)
{
    double loss = 0.0;
    double total[ROW_RANK_MAX] = {0};
    for (unsigned p = 0; p < k->rank; p++)
        for (size_t j = 0; j < s->v->cols; j++)
            total[p] += s->other[p * s->wide + j];
    for (size_t i = 0; i < s->rows; i++) {
        size_t count = matrix_row_count(s->v, i);
        const double *value = matrix_row(s->v, i);
        for (unsigned p = 0; p < k->rank; p++)
            loss += s->mine[p * s->rows + i] * total[p];
        for (size_t e = 0; e < count; e++) {
            size_t j = s->v->column ? s->v->column[s->v->first[i] + e] : e;
            double m = 0.0;
            for (unsigned p = 0; p < k->rank; p++)
                m += s->mine[p * s->rows + i] * s->other[p * s->wide + j];
            if (value[e] > 0.0)
                loss += value[e] * log(value[e] / fmax(m, 1e-100)) - value[e];
        }
    }
    return loss;
}

static void iterate(struct nmf *f, struct side sides[2], const struct work *k)
{
    const struct nmf_options *o = k->options;
    double before = INFINITY;
    unsigned since = 0;
    if (o->trace)
        before = o->trace[0] = first_loss(&sides[0], k);
    while (f->iterations < o->iterations && !f->converged) {
        bool look = o->trace || ++since == QUIET_EVERY || f->iterations + 1 == o->iterations;
        half(&sides[0], k, false);
        hand_over(&sides[0], &sides[1], k->rank);
        double loss = half(&sides[1], k, look);
        hand_over(&sides[1], &sides[0], k->rank);
        f->iterations++;
        if (o->trace)
            o->trace[f->iterations] = loss;
        if (!look)
            continue;
        f->loss = loss;
        unsigned steps = since ? since : 1;
        f->converged = before - loss <= o->tolerance * steps * loss && isfinite(before);
        before = loss;
        since = 0;
    }
}

enum err nmf_fit_poisson(const struct nmf_task *t, struct arena *a)
{
    struct nmf *f = t->f;
    struct work k = {.options = t->options, .rank = f->rank};
    struct side sides[2];
    enum err e = make_side(&sides[0], t->v, f->w, f->h, f->rank, a);
    if (!e)
        e = make_side(&sides[1], t->turned, f->h, f->w, f->rank, a);
    if (!e)
        e = take_room(&k, sides, a);
    if (!e)
        iterate(f, sides, &k);
    return e;
}
