/* The squared error: both factors by rows, and all that a row needs done while it is at hand:
 * its products, its optimum, how it goes on, and what it adds to the other side's gram. */
#include "num/lanes_int.h"
#include "num/nmf_int.h"
#include "num/row_int.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert((int)NMF_RANK_MAX <= (int)ROW_RANK_MAX, "a row holds every part");

enum {
    BLOCK = 64, /* rows at once, a multiple of ROW_SQUARES_MANY */
    POOL = 4
};

/* After Ang, Gillis, "Accelerating nonnegative matrix factorization algorithms using
 * extrapolation", Neural Computation 31(2), 2019: each factor goes on in the direction in which
 * it went, and the other answers to that. Where that does not lower the loss it is taken back,
 * and a plain step is next, which does. Their parameters, but for a smaller beginning. */
static const double stride_first = 0.3, stride_growth = 1.05, stride_most_growth = 1.01,
                    stride_shrink = 1.5;

/* One factor; rows are `packed` numbers, those past the rank zeros, and there are zero rows to
 * a multiple of ROW_SQUARES_MANY. */
struct factor {
    const struct matrix *v; /* what it explains: its rows are this factor's */
    size_t rows;
    double *pool[POOL]; /* where the pointers below point */
    double *best;       /* of the least loss */
    double *before;     /* as it was answered last; may be `best` */
    double *answer;     /* to what the other factor is held at */
    double *onward;     /* the answer, and as far again as the stride says */
    const double *held; /* what the other factor answers to */
    double *gram;       /* onward' onward */
};

struct square {
    const struct nmf_options *options;
    unsigned rank;
    size_t packed;   /* rank, padded for matrix_times() */
    double *product; /* BLOCK rows */
    double square_sum;
    double stride;      /* how far on, of the last step */
    double stride_most; /* grows to 1; back to what worked last where it was too far */
    double stride_good;
    struct factor w, h;
};

static size_t padded_rows(size_t rows)
{
    return (rows + ROW_SQUARES_MANY - 1) / ROW_SQUARES_MANY * ROW_SQUARES_MANY;
}

/* Two places of the pool that nobody needs are for what comes next. */
static void factor_turn(struct factor *x)
{
    double *spare[POOL];
    size_t count = 0;
    for (size_t i = 0; i < POOL; i++)
        if (x->pool[i] != x->best && x->pool[i] != x->before)
            spare[count++] = x->pool[i];
    x->answer = spare[0];
    x->onward = spare[1];
}

/* gram += rows' rows, of which only the blocks on and above the diagonal are made. Four rows at
 * a time: `count` is a multiple of it. */
WIDE static void gram_add(
    const struct square *s, const double *rows, size_t count, double *gram)
{
    const size_t n = s->packed;
    for (size_t i = 0; i < count; i += 4) {
        const double *r = rows + i * n;
        for (size_t p = 0; p < s->rank; p++)
            for (size_t q = p & ~(size_t)3; q < n; q += 4) {
                lanes sum = *(const lanes *)(gram + p * n + q);
                sum += r[p] * *(const lanes *)(r + q);
                sum += r[n + p] * *(const lanes *)(r + n + q);
                sum += r[2 * n + p] * *(const lanes *)(r + 2 * n + q);
                sum += r[3 * n + p] * *(const lanes *)(r + 3 * n + q);
                *(lanes *)(gram + p * n + q) = sum;
            }
    }
}

static void gram_close(const struct square *s, double *gram)
{
    for (size_t p = 0; p < s->rank; p++)
        for (size_t q = 0; q < (p & ~(size_t)3); q++)
            gram[p * s->packed + q] = gram[q * s->packed + p];
}

static void gram_of(const struct square *s, const struct factor *x, const double *rows)
{
    assert(x->gram);
    memset(x->gram, 0, s->packed * s->packed * sizeof *x->gram);
    gram_add(s, rows, padded_rows(x->rows), x->gram);
    gram_close(s, x->gram);
}

WIDE static void go_on(
    double *onward, const double *answer, const double *before, size_t count, double stride)
{
    const lanes none = {0};
    for (size_t e = 0; e < count; e += LANES / 2) {
        lanes now = *(const lanes *)(answer + e);
        lanes on = now + stride * (now - *(const lanes *)(before + e));
        *(lanes *)(onward + e) = LANES_MOST(on, none);
    }
}

/* Rows [from, from + the result's) as row_int.h wants them, their products made. */
static struct row_squares block_of(
    const struct square *s, const struct factor *mine, const struct factor *other, size_t from)
{
    size_t count = mine->rows - from < BLOCK ? mine->rows - from : BLOCK;
    size_t whole = padded_rows(count);
    matrix_times_rows(mine->v, from, count, other->held, s->packed, s->product);
    memset(s->product + count * s->packed, 0, (whole - count) * s->packed * sizeof *s->product);
    return (struct row_squares){.gram = other->gram,
        .product = s->product,
        .wide = s->packed,
        .rows = whole,
        .rank = s->rank};
}

/* `mine` answers to the other factor and goes on. Returns the loss at the answer, less half of
 * the square sum of v; 0 if nobody asks. */
static double half(
    const struct square *s, struct factor *mine, const struct factor *other, bool want_loss)
{
    double worth = 0.0;
    factor_turn(mine);
    memset(mine->gram, 0, s->packed * s->packed * sizeof *mine->gram);
    for (size_t from = 0; from < mine->rows; from += BLOCK) {
        struct row_squares r = block_of(s, mine, other, from);
        size_t at = from * s->packed, size = r.rows * s->packed;
        r.weights = mine->answer + at;
        r.blind = !want_loss;
        memcpy(r.weights, mine->best + at, size * sizeof *r.weights);
        worth += s->options->method == NMF_MULTIPLY ? row_squares_multiply(&r)
                                                    : row_squares_descend(&r);
        go_on(mine->onward + at, r.weights, mine->before + at, size, s->stride);
        gram_add(s, mine->onward + at, r.rows, mine->gram);
    }
    gram_close(s, mine->gram);
    return worth;
}

/* Both factors are as they were when the loss was least. */
static void take_back(struct square *s)
{
    s->w.before = s->w.best;
    s->h.held = s->h.before = s->h.best;
    gram_of(s, &s->h, s->h.best);
    s->stride_most = s->stride_good;
    s->stride /= stride_shrink;
}

static void accept(struct square *s)
{
    s->w.best = s->w.onward;
    s->w.before = s->w.answer;
    s->h.best = s->h.before = s->h.answer;
    s->h.held = s->h.onward;
    if (s->stride > 0.0) {
        s->stride_good = s->stride;
        s->stride = fmin(s->stride_most, stride_growth * s->stride);
        s->stride_most = fmin(1.0, stride_most_growth * s->stride_most);
    }
}

/* One iteration. Returns the loss that is reached, or `before` if it was taken back. */
static double leap(struct square *s, double before)
{
    half(s, &s->w, &s->h, false);
    s->w.held = s->w.onward;
    double loss = fmax(0.5 * s->square_sum + half(s, &s->h, &s->w, true), 0.0);
    if (loss <= before || s->options->method == NMF_MULTIPLY) {
        accept(s);
        return loss;
    }
    take_back(s);
    return before;
}

/* The loss where nothing has been done yet. */
static double first_loss(const struct square *s)
{
    double worth = 0.0;
    for (size_t from = 0; from < s->w.rows; from += BLOCK) {
        struct row_squares r = block_of(s, &s->w, &s->h, from);
        r.weights = s->w.best + from * s->packed;
        worth += row_squares_worth(&r);
    }
    return fmax(0.5 * s->square_sum + worth, 0.0);
}

/* After a step that was taken back the next one, from where both factors have stood, is plain,
 * as is the first; so are all multiplicative ones. */
static void leap_on(struct square *s, struct nmf *f)
{
    const struct nmf_options *o = s->options;
    double before = INFINITY;
    if (o->trace)
        before = o->trace[0] = first_loss(s);
    bool plain = true; /* nothing to go on from yet */
    while (f->iterations < o->iterations && !f->converged) {
        double stride = s->stride;
        s->stride = plain ? 0.0 : stride;
        double loss = leap(s, before);
        s->stride = plain ? stride : s->stride;
        bool taken_back = !(loss < before);
        f->iterations++;
        f->loss = loss;
        if (o->trace)
            o->trace[f->iterations] = loss;
        f->converged =
            (plain || !taken_back) && isfinite(before) && before - loss <= o->tolerance * loss;
        plain = taken_back || o->method == NMF_MULTIPLY;
        before = loss;
    }
}

/* --- from parts to rows and back ----------------------------------------------------------
 */

static enum err factor_open(struct factor *x, const struct square *s, const struct matrix *v,
    const double *parts, struct arena *a)
{
    size_t size = padded_rows(v->rows) * s->packed;
    *x = (struct factor){.v = v, .rows = v->rows};
    for (size_t i = 0; i < POOL; i++) {
        x->pool[i] = arena_take(a, size, sizeof(double));
        if (!x->pool[i])
            return ERR_NOMEM;
    }
    x->gram = arena_take(a, s->packed * s->packed, sizeof *x->gram);
    if (!x->gram)
        return ERR_NOMEM;
    x->best = x->before = x->pool[0];
    x->held = x->best;
    for (unsigned p = 0; p < s->rank; p++)
        for (size_t i = 0; i < x->rows; i++)
            x->best[i * s->packed + p] = parts[p * x->rows + i];
    gram_of(s, x, x->best);
    return OK;
}

static void factor_close(const struct factor *x, const struct square *s, double *parts)
{
    for (unsigned p = 0; p < s->rank; p++)
        for (size_t i = 0; i < x->rows; i++)
            parts[p * x->rows + i] = x->best[i * s->packed + p];
}

enum err nmf_fit_square(const struct nmf_task *t, struct arena *a)
{
    struct nmf *f = t->f;
    struct square s = {.options = t->options,
        .rank = f->rank,
        .packed = (f->rank + 3u) & ~3u,
        .square_sum = matrix_square_sum(t->v),
        .stride = stride_first,
        .stride_most = 1.0,
        .stride_good = stride_first};
    s.product = arena_room(a, BLOCK * s.packed, sizeof *s.product);
    enum err e = s.product ? factor_open(&s.w, &s, t->v, f->w, a) : ERR_NOMEM;
    if (!e)
        e = factor_open(&s.h, &s, t->turned, f->h, a);
    if (e)
        return e;
    leap_on(&s, f);
    factor_close(&s.w, &s, f->w);
    factor_close(&s.h, &s, f->h);
    return OK;
}
