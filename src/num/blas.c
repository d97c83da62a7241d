#include "num/blas_int.h"

#include <math.h>

/* LAPACK's own entries, in the same library. It is column-major: its upper triangle is our
 * lower one. The last argument is the length of the word `half`, as Fortran passes it. */
void lapack_factor(const char *half, const int *n, double *a, const int *stride, int *ret_info,
    size_t half_len) __asm__("dpotrf_");
void lapack_inverse(const char *half, const int *n, double *a, const int *stride, int *ret_info,
    size_t half_len) __asm__("dpotri_");

void blas_single_thread(void)
{
    openblas_set_num_threads(1);
}

void blas_products(double *c, size_t stride, const struct blas_rows *a,
    const struct blas_rows *b, size_t inner)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)a->count, (int)b->count,
        (int)inner, 1.0, a->at, (int)inner, b->at, (int)inner, 0.0, c, (int)stride);
}

int blas_factor(double *a, size_t n)
{
    int order = (int)n;
    int info = 0;
    if (n)
        lapack_factor("U", &order, a, &order, &info, 1);
    for (size_t i = 0; info == 0 && i < n; i++)
        if (!isfinite(a[i * n + i]))
            return 0;
    return info == 0;
}

double blas_log_det(const double *factor, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += log(factor[i * n + i]);
    return 2.0 * sum;
}

void blas_solve(const double *factor, double *b, size_t n)
{
    int order = (int)n;
    cblas_dtrsv(
        CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, order, factor, order, b, 1);
    cblas_dtrsv(
        CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, order, factor, order, b, 1);
}

void blas_inverse(double *factor, size_t n)
{
    int order = (int)n;
    int info = 0;
    lapack_inverse("U", &order, factor, &order, &info, 1);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            factor[j * n + i] = factor[i * n + j];
}
