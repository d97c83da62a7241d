#ifndef NUM_BLAS_INT_H
#define NUM_BLAS_INT_H

#include <cblas.h>
#include <stddef.h>

/* BLAS and LAPACK as this room uses them: symmetric matrices, row-major, whole, one thread. */

/* Short vectors are not worth a call. */
enum {
    BLAS_SHORT = 16
};

static inline double blas_dot(const double *a, const double *b, size_t n)
{
    if (n >= BLAS_SHORT)
        return cblas_ddot((int)n, a, 1, b, 1);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* y += factor x */
static inline void blas_add(double *y, double factor, const double *x, size_t n)
{
    if (n >= BLAS_SHORT) {
        cblas_daxpy((int)n, factor, x, 1, y, 1);
        return;
    }
    for (size_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

/* The library's threads do not pay on matrices of this size, would make sums depend on how many
 * there are, and engines have threads of their own. Before the first call of the others. */
void blas_single_thread(void);

struct blas_rows {
    const double *at;
    size_t count;
};

/* c = a b^T, the rows of both `inner` long, those of c `stride` apart. */
void blas_products(double *c, size_t stride, const struct blas_rows *a,
    const struct blas_rows *b, size_t inner);

/* In place: `a` symmetric in, a factor in its lower triangle out, for the functions below.
 * Returns 0 if it is not positive definite (to working precision), else 1. */
int blas_factor(double *a, size_t n);
double blas_log_det(const double *factor, size_t n);
/* In place: b in, the solution of a x = b out. */
void blas_solve(const double *factor, double *b, size_t n);
/* In place: factor in, the whole inverse out. */
void blas_inverse(double *factor, size_t n);

#endif
