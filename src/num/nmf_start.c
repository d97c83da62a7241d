/* Where a factorisation starts from. */
#include "num/nmf.h"

#include <math.h>
#include <string.h>

enum {
    ROUNDS = 6 /* of subspace iteration */
};

static enum err begin(const struct matrix *v, unsigned rank, struct arena *a, struct nmf *f)
{
    if (!rank || rank > NMF_RANK_MAX || rank > v->rows || rank > v->cols ||
        !matrix_is_counts(v))
        return ERR_RANGE;
    *f = (struct nmf){.rows = v->rows, .cols = v->cols, .rank = rank};
    f->w = arena_take(a, rank * v->rows, sizeof *f->w);
    f->h = arena_take(a, rank * v->cols, sizeof *f->h);
    return f->w && f->h ? OK : ERR_NOMEM;
}

enum err nmf_start_random(
    const struct matrix *v, unsigned rank, struct rng *r, struct arena *a, struct nmf *ret_nmf)
{
    struct nmf f;
    enum err e = begin(v, rank, a, &f);
    if (e)
        return e;
    double level = sqrt(matrix_sum(v) / ((double)v->rows * (double)v->cols) / rank);
    for (size_t i = 0; i < rank * v->rows; i++)
        f.w[i] = level * fabs(rng_normal(r));
    for (size_t i = 0; i < rank * v->cols; i++)
        f.h[i] = level * fabs(rng_normal(r));
    *ret_nmf = f;
    return OK;
}

/* Columns of an n x rank matrix by rows, `wide` apart, made orthonormal by Gram-Schmidt, twice
 * over so that rounding does not matter; a column that is spent becomes zero. */
static void orthonormal(double *q, size_t n, size_t wide, unsigned rank)
{
    for (unsigned k = 0; k < rank; k++) {
        for (unsigned twice = 0; twice < 2; twice++)
            for (unsigned p = 0; p < k; p++) {
                double dot = 0.0;
                for (size_t i = 0; i < n; i++)
                    dot += q[i * wide + k] * q[i * wide + p];
                for (size_t i = 0; i < n; i++)
                    q[i * wide + k] -= dot * q[i * wide + p];
            }
        double norm = 0.0;
        for (size_t i = 0; i < n; i++)
            norm += q[i * wide + k] * q[i * wide + k];
        norm = sqrt(norm);
        for (size_t i = 0; i < n; i++)
            q[i * wide + k] = norm > 1e-12 ? q[i * wide + k] / norm : 0.0;
    }
}

/* One pair of singular vectors becomes one part: the larger of its positive and its negative
 * half, which are what a non-negative product can take of it. */
static void take_half(
    struct nmf *f, unsigned part, const double *u, const double *s, size_t wide)
{
    double norm[4] = {0}; /* of u's and of s's positive, then negative parts */
    for (size_t i = 0; i < f->rows; i++)
        norm[u[i * wide + part] > 0.0 ? 0 : 2] += u[i * wide + part] * u[i * wide + part];
    for (size_t j = 0; j < f->cols; j++)
        norm[s[j * wide + part] > 0.0 ? 1 : 3] += s[j * wide + part] * s[j * wide + part];
    double sign = norm[0] * norm[1] >= norm[2] * norm[3] ? 1.0 : -1.0;
    double left = sqrt(sign > 0.0 ? norm[0] : norm[2]);
    double right = sqrt(sign > 0.0 ? norm[1] : norm[3]);
    /* s carries the singular value; both sides of the part get the root of its size. */
    double size = left > 0.0 && right > 0.0 ? sqrt(left * right) : 0.0;
    for (size_t i = 0; i < f->rows; i++)
        f->w[part * f->rows + i] =
            size > 0.0 ? fmax(sign * u[i * wide + part], 0.0) * size / left : 0.0;
    for (size_t j = 0; j < f->cols; j++)
        f->h[part * f->cols + j] =
            size > 0.0 ? fmax(sign * s[j * wide + part], 0.0) * size / right : 0.0;
}

static void fill_zeros(double *values, size_t count, double floor, struct rng *r)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] < floor)
            values[i] = floor * rng_unit(r);
}

enum err nmf_start_singular(
    const struct matrix *v, unsigned rank, struct rng *r, struct arena *a, struct nmf *ret_nmf)
{
    struct nmf f;
    struct matrix turned;
    size_t wide = (rank + 3u) & ~(size_t)3;
    enum err e = begin(v, rank, a, &f);
    if (!e)
        e = matrix_transpose(v, a, &turned);
    if (e)
        return e;
    double *u = arena_take(a, v->rows * wide, sizeof *u);
    double *s = arena_take(a, v->cols * wide, sizeof *s);
    if (!u || !s)
        return ERR_NOMEM;
    for (size_t j = 0; j < v->cols; j++)
        for (unsigned k = 0; k < rank; k++)
            s[j * wide + k] = rng_normal(r);
    for (unsigned round = 0; round < ROUNDS; round++) {
        orthonormal(s, v->cols, wide, rank);
        matrix_times(v, s, wide, u);
        orthonormal(u, v->rows, wide, rank);
        matrix_times(&turned, u, wide, s);
    }
    double level = sqrt(matrix_sum(v) / ((double)v->rows * (double)v->cols) / rank);
    for (unsigned k = 0; k < rank; k++)
        take_half(&f, k, u, s, wide);
    fill_zeros(f.w, rank * v->rows, 0.01 * level, r);
    fill_zeros(f.h, rank * v->cols, 0.01 * level, r);
    *ret_nmf = f;
    return OK;
}
