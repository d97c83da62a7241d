#include "num/row_int.h"

#include "num/lanes_int.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Below it a model of nothing is treated as this much: no division by zero. */
static const double model_least = 1e-100;

enum {
    SQUARE_SWEEPS = 8
};

static inline __attribute__((always_inline)) double lanes_sum(const lanes *x)
{
    const double *v = (const double *)x;
    return (v[0] + v[2]) + (v[1] + v[3]);
}

WIDE static void make_model(const struct row *r, const double *weights)
{
    memset(r->model, 0, r->count * sizeof *r->model);
    for (unsigned k = 0; k < r->rank; k++) {
        if (!(weights[k] > 0.0))
            continue;
        const double *basis = r->basis + k * r->stride;
        for (size_t e = 0; e < r->count; e += LANES / 2)
            *(lanes *)(r->model + e) += weights[k] * *(const lanes *)(basis + e);
    }
}

/* What one weight's basis sees: sum of v b/m and of v (b/m)^2. */
struct slope {
    double pull, curve;
};

/* A weight's step that the model does not know of yet. */
struct step {
    double change;
    const double *basis;
};

/* The model is made to know of `last` on the way: one pass over the row, not two. */
static inline __attribute__((always_inline)) struct slope slope_after(
    const struct row *r, const struct step *last, const double *basis)
{
    const double *value = r->value, *moved = last->basis;
    double *model = r->model;
    const size_t count = r->count;
    const double change = last->change;
    const lanes least = (lanes){0} + model_least;
    lanes pull = {0}, curve = {0}, pull_odd = {0}, curve_odd = {0};
    for (size_t e = 0; e < count; e += LANES) {
        const size_t odd = e + LANES / 2;
        lanes m = *(const lanes *)(model + e) + change * *(const lanes *)(moved + e);
        lanes m_odd = *(const lanes *)(model + odd) + change * *(const lanes *)(moved + odd);
        *(lanes *)(model + e) = m;
        *(lanes *)(model + odd) = m_odd;
        lanes ratio = *(const lanes *)(basis + e) / LANES_MOST(m, least);
        lanes ratio_odd = *(const lanes *)(basis + odd) / LANES_MOST(m_odd, least);
        lanes part = *(const lanes *)(value + e) * ratio;
        lanes part_odd = *(const lanes *)(value + odd) * ratio_odd;
        pull += part;
        pull_odd += part_odd;
        curve += part * ratio;
        curve_odd += part_odd * ratio_odd;
    }
    pull += pull_odd;
    curve += curve_odd;
    return (struct slope){lanes_sum(&pull), lanes_sum(&curve)};
}

static double next_weight(double weight, double total, const struct slope *s)
{
    double gradient = total - s->pull;
    if (gradient > 0.0)
        return weight > 0.0 ? weight * weight * s->curve / (weight * s->curve + gradient) : 0.0;
    if (!(s->curve > 0.0))
        return weight;
    return weight - gradient * (s->pull / total) / s->curve;
}

WIDE static void sweep(const struct row *r, double *weights, struct step *last)
{
    for (unsigned k = 0; k < r->rank; k++) {
        if (!(r->total[k] > 0.0))
            continue;
        const double *basis = r->basis + k * r->stride;
        struct slope s = slope_after(r, last, basis);
        double weight = next_weight(weights[k], r->total[k], &s);
        double change = weight - weights[k];
        *last = (struct step){.basis = basis};
        if (!(isfinite(weight) && fabs(change) > 0.0))
            continue;
        weights[k] = weight;
        last->change = change;
    }
}

WIDE static void step_take(const struct row *r, const struct step *last)
{
    for (size_t e = 0; e < r->count; e += LANES / 2)
        *(lanes *)(r->model + e) += last->change * *(const lanes *)(last->basis + e);
}

WIDE void row_multiply(double *row, const double *line, size_t count, bool fresh)
{
    if (fresh) {
        memcpy(row, line, count * sizeof *row);
        return;
    }
    for (size_t e = 0; e < count; e += LANES / 2)
        *(lanes *)(row + e) *= *(const lanes *)(line + e);
}

void row_poisson(const struct row *r, double *weights, unsigned sweeps)
{
    struct step last = {.basis = r->basis};
    make_model(r, weights);
    for (unsigned i = 0; i < sweeps; i++)
        sweep(r, weights, &last);
    step_take(r, &last);
}

/* The model's room is used for value over model on the way. */
WIDE static void pulls(const struct row *r, double *pull)
{
    const lanes least = (lanes){0} + model_least;
    for (size_t e = 0; e < r->count; e += LANES / 2) {
        lanes m = *(lanes *)(r->model + e);
        *(lanes *)(r->model + e) = *(const lanes *)(r->value + e) / LANES_MOST(m, least);
    }
    for (unsigned k = 0; k < r->rank; k++) {
        const double *basis = r->basis + k * r->stride;
        lanes sum[2] = {{0}};
        for (size_t e = 0; e < r->count; e += LANES)
            for (size_t i = 0; i < 2; i++)
                sum[i] += *(const lanes *)(r->model + e + i * LANES / 2) *
                          *(const lanes *)(basis + e + i * LANES / 2);
        sum[0] += sum[1];
        pull[k] = lanes_sum(&sum[0]);
    }
}

void row_poisson_multiply(const struct row *r, double *weights)
{
    double pull[ROW_RANK_MAX];
    make_model(r, weights);
    pulls(r, pull);
    for (unsigned k = 0; k < r->rank; k++)
        if (r->total[k] > 0.0)
            weights[k] *= pull[k] / r->total[k];
    make_model(r, weights);
}

double row_poisson_loss(const struct row *r, const double *weights)
{
    double loss = 0.0;
    for (size_t e = 0; e < r->count; e++)
        if (r->value[e] > 0.0)
            loss +=
                r->value[e] * log(r->value[e] / fmax(r->model[e], model_least)) - r->value[e];
    for (unsigned k = 0; k < r->rank; k++)
        loss += weights[k] * r->total[k];
    return loss;
}

/* --- squares ------------------------------------------------------------------------------ */

enum {
    QUADS = 4 /* sums side by side, as each waits for the one before it */
};
_Static_assert(QUADS *LANES / 2 == ROW_SQUARES_MANY, "one row in each lane");

/* A batch of rows, by part. */
struct batch {
    lanes product[ROW_RANK_MAX][QUADS];
    lanes weight[ROW_RANK_MAX][QUADS];
};

/* Four numbers of each of four rows: by column. */
static inline __attribute__((always_inline)) void turn_four(
    const double *from, size_t stride, lanes to[4])
{
    lanes a = *(const lanes *)from, b = *(const lanes *)(from + stride),
          c = *(const lanes *)(from + 2 * stride), d = *(const lanes *)(from + 3 * stride);
    lanes ab = __builtin_shufflevector(a, b, 0, 4, 2, 6);
    lanes ab_odd = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    lanes cd = __builtin_shufflevector(c, d, 0, 4, 2, 6);
    lanes cd_odd = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    to[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    to[1] = __builtin_shufflevector(ab_odd, cd_odd, 0, 1, 4, 5);
    to[2] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    to[3] = __builtin_shufflevector(ab_odd, cd_odd, 2, 3, 6, 7);
}

WIDE static void batch_turn(
    lanes to[ROW_RANK_MAX][QUADS], const double *rows, size_t wide, unsigned rank)
{
    for (unsigned k = 0; k < rank; k += 4)
        for (size_t q = 0; q < QUADS; q++) {
            lanes four[4];
            turn_four(rows + q * 4 * wide + k, wide, four);
            for (unsigned i = 0; i < 4; i++)
                to[k + i][q] = four[i];
        }
}

static void batch_take(struct batch *b, const struct row_squares *r, size_t from)
{
    batch_turn(b->product, r->product + from * r->wide, r->wide, r->rank);
    batch_turn(b->weight, r->weights + from * r->wide, r->wide, r->rank);
}

/* What batch_turn() has put past the rank is what was there: zeros. */
WIDE static void batch_put(const struct batch *b, const struct row_squares *r, size_t from)
{
    double *rows = r->weights + from * r->wide;
    for (unsigned k = 0; k < r->rank; k += 4)
        for (size_t q = 0; q < QUADS; q++) {
            lanes four[4];
            turn_four((const double *)&b->weight[k][q], ROW_SQUARES_MANY, four);
            for (size_t i = 0; i < 4; i++)
                *(lanes *)(rows + (q * 4 + i) * r->wide + k) = four[i];
        }
}

/* gram w - product, of one part. */
static inline __attribute__((always_inline)) void batch_slope(
    const struct batch *b, const struct row_squares *r, unsigned k, lanes slope[QUADS])
{
    const double *gram = r->gram + k * r->wide;
    for (size_t q = 0; q < QUADS; q++)
        slope[q] = -b->product[k][q];
    for (unsigned i = 0; i < r->rank; i++)
        for (size_t q = 0; q < QUADS; q++)
            slope[q] += gram[i] * b->weight[i][q];
}

/* Every part to its optimum, one after the other. Returns the furthest that a weight moved, by
 * what that is worth. */
WIDE static double batch_sweep(struct batch *b, const struct row_squares *r)
{
    const lanes none = {0};
    lanes most = none;
    for (unsigned k = 0; k < r->rank; k++) {
        double bend = r->gram[k * r->wide + k];
        lanes slope[QUADS];
        if (!(bend > 0.0))
            continue;
        double inverse = 1.0 / bend;
        batch_slope(b, r, k, slope);
        lanes moved = none;
        for (size_t q = 0; q < QUADS; q++) {
            lanes weight = b->weight[k][q] - slope[q] * inverse;
            weight = LANES_MOST(weight, none);
            lanes change = weight - b->weight[k][q];
            change = LANES_MOST(change, -change);
            moved = LANES_MOST(moved, change);
            b->weight[k][q] = weight;
        }
        moved *= sqrt(bend);
        most = LANES_MOST(most, moved);
    }
    double furthest = 0.0;
    for (size_t i = 0; i < LANES / 2; i++)
        furthest = fmax(furthest, most[i]);
    return furthest;
}

/* w' gram w / 2 - w' product, over all rows. */
WIDE static double batch_worth(const struct batch *b, const struct row_squares *r)
{
    lanes sum = {0};
    for (unsigned k = 0; k < r->rank; k++) {
        lanes slope[QUADS];
        batch_slope(b, r, k, slope);
        for (size_t q = 0; q < QUADS; q++)
            sum += b->weight[k][q] * (slope[q] - b->product[k][q]);
    }
    return 0.5 * lanes_sum(&sum);
}

/* Sweeps cost little against making the products, so they go on while they still help. */
double row_squares_descend(const struct row_squares *r)
{
    struct batch b;
    double worth = 0.0;
    for (size_t from = 0; from < r->rows; from += ROW_SQUARES_MANY) {
        batch_take(&b, r, from);
        double first = batch_sweep(&b, r);
        for (unsigned i = 1; i < SQUARE_SWEEPS; i++)
            if (batch_sweep(&b, r) <= 0.05 * first)
                break;
        worth += r->blind ? 0.0 : batch_worth(&b, r);
        batch_put(&b, r, from);
    }
    return worth;
}

static void multiply_row(const struct row_squares *r, size_t row)
{
    double now[ROW_RANK_MAX];
    double *weights = r->weights + row * r->wide;
    for (unsigned k = 0; k < r->rank; k++) {
        double reached = 0.0;
        for (unsigned i = 0; i < r->rank; i++)
            reached += r->gram[k * r->wide + i] * weights[i];
        now[k] = weights[k];
        if (reached > 0.0)
            now[k] *= r->product[row * r->wide + k] / reached;
    }
    memcpy(weights, now, r->rank * sizeof *weights);
}

double row_squares_multiply(const struct row_squares *r)
{
    for (size_t i = 0; i < r->rows; i++)
        multiply_row(r, i);
    return r->blind ? 0.0 : row_squares_worth(r);
}

double row_squares_worth(const struct row_squares *r)
{
    struct batch b;
    double worth = 0.0;
    for (size_t from = 0; from < r->rows; from += ROW_SQUARES_MANY) {
        batch_take(&b, r, from);
        worth += batch_worth(&b, r);
    }
    return worth;
}
