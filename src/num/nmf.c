#include "num/nmf.h"

#include "num/lanes_int.h"
#include "num/row_int.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert((int)NMF_RANK_MAX <= (int)ROW_RANK_MAX, "a row holds every part");

enum {
    QUIET_EVERY = 4, /* Poisson: the loss is looked at every so many iterations */
    POISSON_SWEEPS = 2
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
    size_t packed; /* rank, padded for matrix_times() */
    double *value; /* longest */
    double *model; /* longest */
    double *basis; /* rank x longest: gathered for a sparse row */
    double *rows;  /* packed x the longer side */
    double *cells; /* packed x the longer side */
    double square_sum;
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

/* --- Poisson ------------------------------------------------------------------------------ */

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
static double poisson_half(const struct side *s, const struct work *k, bool want_loss)
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
            row_poisson(&r, weights, POISSON_SWEEPS);
        for (unsigned p = 0; p < k->rank; p++)
            s->mine[p * s->rows + i] = weights[p];
        if (want_loss)
            loss += row_poisson_loss(&r, weights);
    }
    return loss;
}

/* --- square ------------------------------------------------------------------------------- */

/* k->rows is the held factor by columns, padded with zeros to `packed` parts. */
WIDE static void make_gram(const struct side *s, const struct work *k, double *gram)
{
    memset(gram, 0, k->packed * k->packed * sizeof *gram);
    for (size_t j = 0; j < s->v->cols; j++) {
        const double *row = k->rows + j * k->packed;
        for (size_t p = 0; p < k->rank; p++)
            for (size_t q = 0; q < k->packed; q += LANES / 2)
                *(lanes *)(gram + p * k->packed + q) += row[p] * *(const lanes *)(row + q);
    }
}

/* Returns the loss after it; without `want_loss` something else. */
static double square_half(const struct side *s, const struct work *k, bool want_loss)
{
    double gram[NMF_RANK_MAX * NMF_RANK_MAX];
    memset(k->rows, 0, s->v->cols * k->packed * sizeof *k->rows);
    for (unsigned p = 0; p < k->rank; p++)
        for (size_t j = 0; j < s->v->cols; j++)
            k->rows[j * k->packed + p] = s->other[p * s->wide + j];
    make_gram(s, k, gram);
    matrix_times(s->v, k->rows, k->packed, k->cells);
    struct row_squares r = {.gram = gram,
        .product = k->cells,
        .weights = s->mine,
        .wide = k->packed,
        .rows = s->rows,
        .stride = s->rows,
        .rank = k->rank,
        .blind = !want_loss};
    double worth =
        k->options->method == NMF_MULTIPLY ? row_squares_multiply(&r) : row_squares_descend(&r);
    return fmax(0.5 * k->square_sum + worth, 0.0);
}

/* --- both --------------------------------------------------------------------------------- */

static double half(const struct side *s, const struct work *k, bool want_loss)
{
    if (k->options->loss == NMF_SQUARE)
        return square_half(s, k, want_loss);
    return poisson_half(s, k, want_loss);
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
    size_t rows = sides[0].rows > sides[1].rows ? sides[0].rows : sides[1].rows;
    bool poisson = k->options->loss == NMF_POISSON;
    size_t gathered = poisson && sides[0].v->column ? k->rank * longest : 0;
    k->value = arena_take(a, longest + 1, sizeof *k->value);
    k->model = arena_take(a, longest + 1, sizeof *k->model);
    k->basis = arena_take(a, gathered + 1, sizeof *k->basis);
    k->rows = arena_take(a, poisson ? 1 : rows * k->packed + 1, sizeof *k->rows);
    k->cells = arena_take(a, poisson ? 1 : rows * k->packed + 1, sizeof *k->cells);
    return k->value && k->model && k->basis && k->rows && k->cells ? OK : ERR_NOMEM;
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
        for (unsigned p = 0; p < k->rank && k->options->loss == NMF_POISSON; p++)
            loss += s->mine[p * s->rows + i] * total[p];
        for (size_t e = 0; e < count; e++) {
            size_t j = s->v->column ? s->v->column[s->v->first[i] + e] : e;
            double m = 0.0;
            for (unsigned p = 0; p < k->rank; p++)
                m += s->mine[p * s->rows + i] * s->other[p * s->wide + j];
            if (k->options->loss == NMF_SQUARE)
                loss += 0.5 * (value[e] - m) * (value[e] - m) - 0.5 * m * m;
            else if (value[e] > 0.0)
                loss += value[e] * log(value[e] / fmax(m, 1e-100)) - value[e];
        }
        for (size_t j = 0; j < s->v->cols && k->options->loss == NMF_SQUARE; j++) {
            double m = 0.0;
            for (unsigned p = 0; p < k->rank; p++)
                m += s->mine[p * s->rows + i] * s->other[p * s->wide + j];
            loss += 0.5 * m * m;
        }
    }
    return loss;
}

/* --- squares, extrapolated ----------------------------------------------------------------
 */

/* After Ang, Gillis, "Accelerating nonnegative matrix factorization algorithms using
 * extrapolation", Neural Computation 31(2), 2019: each factor goes on in the direction in which
 * it went, and the other answers to that. Where that does not lower the loss it is taken back,
 * and a plain step is next, which does. Their parameters, but for a smaller beginning. */
static const double stride_first = 0.3, stride_growth = 1.05, stride_most_growth = 1.01,
                    stride_shrink = 1.5;

struct momentum {
    double stride;      /* how far on, of the last step */
    double stride_most; /* grows to 1; back to what worked last where it was too far */
    double stride_good;
    double *last[2]; /* the factors as they were answered last */
    double *kept[2]; /* the best, to go back to */
};

static size_t factor_size(const struct side *s, const struct work *k)
{
    return k->rank * s->rows;
}

static enum err momentum_open(
    struct momentum *m, const struct side sides[2], const struct work *k, struct arena *a)
{
    *m = (struct momentum){
        .stride = stride_first, .stride_most = 1.0, .stride_good = stride_first};
    for (int i = 0; i < 2; i++) {
        m->last[i] = arena_room(a, factor_size(&sides[i], k) + 1, sizeof(double));
        m->kept[i] = arena_room(a, factor_size(&sides[i], k) + 1, sizeof(double));
        if (!m->last[i] || !m->kept[i])
            return ERR_NOMEM;
        memcpy(m->last[i], sides[i].mine, factor_size(&sides[i], k) * sizeof(double));
        memcpy(m->kept[i], sides[i].mine, factor_size(&sides[i], k) * sizeof(double));
    }
    return OK;
}

/* What `from` has answered, and as far again as the stride says, is what `to` holds; it is also
 * what stays if `stays`. */
static void hand_on(
    struct side *from, struct side *to, double *last, unsigned rank, double stride, bool stays)
{
    for (unsigned p = 0; p < rank; p++) {
        double *mine = from->mine + p * from->rows;
        double *before = last + p * from->rows;
        double *held = to->other + p * to->wide;
        for (size_t i = 0; i < from->rows; i++) {
            double on = mine[i] + stride * (mine[i] - before[i]);
            held[i] = on > 0.0 ? on : 0.0;
            before[i] = mine[i];
            mine[i] = stays ? held[i] : mine[i];
        }
    }
}

/* One iteration. Returns the loss that is reached, or `before` if it was taken back. */
static double leap(
    struct momentum *m, struct side sides[2], const struct work *k, double before)
{
    square_half(&sides[0], k, false);
    hand_on(&sides[0], &sides[1], m->last[0], k->rank, m->stride, true);
    double loss = square_half(&sides[1], k, true);
    if (loss <= before) {
        hand_on(&sides[1], &sides[0], m->last[1], k->rank, m->stride, false);
        for (int i = 0; i < 2; i++)
            memcpy(m->kept[i], sides[i].mine, factor_size(&sides[i], k) * sizeof(double));
        if (m->stride > 0.0) {
            m->stride_good = m->stride;
            m->stride = fmin(m->stride_most, stride_growth * m->stride);
            m->stride_most = fmin(1.0, stride_most_growth * m->stride_most);
        }
        return loss;
    }
    for (int i = 0; i < 2; i++) {
        memcpy(sides[i].mine, m->kept[i], factor_size(&sides[i], k) * sizeof(double));
        memcpy(m->last[i], m->kept[i], factor_size(&sides[i], k) * sizeof(double));
    }
    hand_over(&sides[1], &sides[0], k->rank);
    m->stride_most = m->stride_good;
    m->stride /= stride_shrink;
    return before;
}

/* After a step that was taken back the next one, from where both factors have stood, is plain.
 */
static enum err leap_on(
    struct nmf *f, struct side sides[2], const struct work *k, struct arena *a)
{
    const struct nmf_options *o = k->options;
    struct momentum m;
    enum err e = momentum_open(&m, sides, k, a);
    if (e)
        return e;
    double before = INFINITY;
    if (o->trace)
        before = o->trace[0] = first_loss(&sides[0], k);
    bool plain = true; /* nothing to go on from yet */
    while (f->iterations < o->iterations && !f->converged) {
        double stride = m.stride;
        m.stride = plain ? 0.0 : stride;
        double loss = leap(&m, sides, k, before);
        m.stride = plain ? stride : m.stride;
        bool taken_back = !(loss < before);
        f->iterations++;
        f->loss = loss;
        if (o->trace)
            o->trace[f->iterations] = loss;
        f->converged =
            (plain || !taken_back) && isfinite(before) && before - loss <= o->tolerance * loss;
        plain = taken_back;
        before = loss;
    }
    return OK;
}

static void iterate(struct nmf *f, struct side sides[2], const struct work *k)
{
    const struct nmf_options *o = k->options;
    bool poisson = o->loss == NMF_POISSON;
    double before = INFINITY;
    unsigned since = 0;
    if (o->trace)
        before = o->trace[0] = first_loss(&sides[0], k);
    while (f->iterations < o->iterations && !f->converged) {
        bool look = o->trace || !poisson || ++since == QUIET_EVERY ||
                    f->iterations + 1 == o->iterations;
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

enum err nmf_fit(
    struct nmf *f, const struct matrix *v, const struct nmf_options *options, struct arena *a)
{
    if (!f->rank || f->rank > NMF_RANK_MAX || v->rows != f->rows || v->cols != f->cols ||
        !matrix_is_counts(v))
        return ERR_RANGE;
    struct matrix turned;
    enum err e = matrix_transpose(v, a, &turned);
    struct work k = {.options = options,
        .rank = f->rank,
        .packed = (f->rank + 3u) & ~3u,
        .square_sum = matrix_square_sum(v)};
    struct side sides[2];
    if (!e)
        e = make_side(&sides[0], v, f->w, f->h, f->rank, a);
    if (!e)
        e = make_side(&sides[1], &turned, f->h, f->w, f->rank, a);
    if (!e)
        e = take_room(&k, sides, a);
    if (e)
        return e;
    f->iterations = 0;
    f->converged = false;
    if (options->loss == NMF_SQUARE && options->method == NMF_DESCENT)
        return leap_on(f, sides, &k, a);
    iterate(f, sides, &k);
    return OK;
}

/* --- several ranks ------------------------------------------------------------------------ */

/* How badly row i is explained: the squared error over its entries. */
static double row_error(const struct nmf *f, const struct matrix *v, size_t i)
{
    size_t count = matrix_row_count(v, i);
    const double *value = matrix_row(v, i);
    double error = 0.0;
    for (size_t e = 0; e < count; e++) {
        size_t j = v->column ? v->column[v->first[i] + e] : e;
        double m = 0.0;
        for (unsigned p = 0; p < f->rank; p++)
            m += f->w[p * f->rows + i] * f->h[p * f->cols + j];
        error += (value[e] - m) * (value[e] - m);
    }
    return error;
}

enum err nmf_grow(struct nmf *f, const struct matrix *v, struct arena *a)
{
    if (f->rank >= NMF_RANK_MAX)
        return ERR_FULL;
    double *w = arena_take(a, (f->rank + 1) * f->rows, sizeof *w);
    double *h = arena_take(a, (f->rank + 1) * f->cols, sizeof *h);
    if (!w || !h)
        return ERR_NOMEM;
    memcpy(w, f->w, f->rank * f->rows * sizeof *w);
    memcpy(h, f->h, f->rank * f->cols * sizeof *h);
    size_t worst = 0;
    double most = -1.0;
    for (size_t i = 0; i < f->rows; i++) {
        double error = row_error(f, v, i);
        worst = error > most ? i : worst;
        most = error > most ? error : most;
    }
    double *part = h + f->rank * f->cols;
    double level = matrix_sum(v) / ((double)f->rows * (double)f->cols);
    for (size_t j = 0; j < f->cols; j++)
        part[j] = 0.01 * level;
    size_t count = matrix_row_count(v, worst);
    for (size_t e = 0; e < count; e++)
        part[v->column ? v->column[v->first[worst] + e] : e] += matrix_row(v, worst)[e];
    for (size_t i = 0; i < f->rows; i++)
        w[f->rank * f->rows + i] = 0.01;
    w[f->rank * f->rows + worst] = 1.0;
    f->w = w;
    f->h = h;
    f->rank++;
    return OK;
}

double nmf_length(const struct nmf *f, enum nmf_loss loss)
{
    double cells = (double)f->rows * (double)f->cols;
    double r = f->rank;
    double numbers = (double)f->rows * r + r * (double)f->cols - r * r;
    if (loss == NMF_POISSON)
        return f->loss + 0.5 * numbers * log(cells);
    double variance = fmax(2.0 * f->loss / cells, 1e-300);
    return 0.5 * cells * (log(2.0 * 3.14159265358979323846 * variance) + 1.0) +
           0.5 * numbers * log(cells / (2.0 * 3.14159265358979323846));
}
