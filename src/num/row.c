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

static inline __attribute__((always_inline)) struct slope slope_of(
    const struct row *r, const double *basis)
{
    lanes pull[2] = {{0}};
    lanes curve[2] = {{0}};
    const lanes least = (lanes){0} + model_least;
    for (size_t e = 0; e < r->count; e += LANES)
        for (size_t i = 0; i < 2; i++) {
            lanes m = *(const lanes *)(r->model + e + i * LANES / 2);
            m = LANES_MOST(m, least);
            lanes ratio = *(const lanes *)(basis + e + i * LANES / 2) / m;
            lanes part = *(const lanes *)(r->value + e + i * LANES / 2) * ratio;
            pull[i] += part;
            curve[i] += part * ratio;
        }
    pull[0] += pull[1];
    curve[0] += curve[1];
    return (struct slope){lanes_sum(&pull[0]), lanes_sum(&curve[0])};
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

WIDE static void sweep(const struct row *r, double *weights)
{
    for (unsigned k = 0; k < r->rank; k++) {
        if (!(r->total[k] > 0.0))
            continue;
        const double *basis = r->basis + k * r->stride;
        struct slope s = slope_of(r, basis);
        double weight = next_weight(weights[k], r->total[k], &s);
        double change = weight - weights[k];
        if (!(isfinite(weight) && fabs(change) > 0.0))
            continue;
        weights[k] = weight;
        for (size_t e = 0; e < r->count; e += LANES / 2)
            *(lanes *)(r->model + e) += change * *(const lanes *)(basis + e);
    }
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
    make_model(r, weights);
    for (unsigned i = 0; i < sweeps; i++)
        sweep(r, weights);
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
    QUADS = 4, /* sums side by side, as each waits for the one before it */
    MANY = QUADS * LANES / 2
};

/* A batch of rows, by part. */
struct batch {
    lanes product[ROW_RANK_MAX][QUADS];
    lanes weight[ROW_RANK_MAX][QUADS];
};

static void batch_take(struct batch *b, const struct row_squares *r, size_t from)
{
    size_t count = r->rows - from < MANY ? r->rows - from : MANY;
    for (unsigned k = 0; k < r->rank; k++) {
        double *product = (double *)b->product[k];
        double *weight = (double *)b->weight[k];
        for (size_t i = 0; i < MANY; i++) {
            product[i] = i < count ? r->product[(from + i) * r->wide + k] : 0.0;
            weight[i] = i < count ? r->weights[k * r->stride + from + i] : 0.0;
        }
    }
}

static void batch_put(const struct batch *b, const struct row_squares *r, size_t from)
{
    size_t count = r->rows - from < MANY ? r->rows - from : MANY;
    for (unsigned k = 0; k < r->rank; k++)
        memcpy(r->weights + k * r->stride + from, b->weight[k], count * sizeof(double));
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
        batch_slope(b, r, k, slope);
        lanes moved = none;
        for (size_t q = 0; q < QUADS; q++) {
            lanes weight = b->weight[k][q] - slope[q] / bend;
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
    for (size_t from = 0; from < r->rows; from += MANY) {
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
    for (unsigned k = 0; k < r->rank; k++) {
        double reached = 0.0;
        for (unsigned i = 0; i < r->rank; i++)
            reached += r->gram[k * r->wide + i] * r->weights[i * r->stride + row];
        now[k] = r->weights[k * r->stride + row];
        if (reached > 0.0)
            now[k] *= r->product[row * r->wide + k] / reached;
    }
    for (unsigned k = 0; k < r->rank; k++)
        r->weights[k * r->stride + row] = now[k];
}

double row_squares_multiply(const struct row_squares *r)
{
    struct batch b;
    double worth = 0.0;
    for (size_t i = 0; i < r->rows; i++)
        multiply_row(r, i);
    for (size_t from = 0; from < r->rows; from += MANY) {
        batch_take(&b, r, from);
        worth += batch_worth(&b, r);
    }
    return worth;
}
