#ifndef NUM_MATRIX_H
#define NUM_MATRIX_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A matrix of doubles that somebody else owns, by rows: dense if `column` is NULL, else
 * compressed sparse rows. Compressed sparse columns are the same thing read as the transpose.
 */
struct matrix {
    size_t rows, cols;
    const double *value;    /* dense: rows x cols; sparse: first[rows] of them */
    const uint32_t *column; /* NULL: dense */
    const size_t *first;    /* sparse: row i is entries [first[i], first[i + 1]) */
};

static inline size_t matrix_row_count(const struct matrix *m, size_t row)
{
    return m->column ? m->first[row + 1] - m->first[row] : m->cols;
}

static inline const double *matrix_row(const struct matrix *m, size_t row)
{
    return m->value + (m->column ? m->first[row] : row * m->cols);
}

/* Every value finite and not negative; sparse: columns below `cols` and in rising order. */
bool matrix_is_counts(const struct matrix *m);

double matrix_sum(const struct matrix *m);
double matrix_square_sum(const struct matrix *m);

/* The transpose, of the same kind, in the arena. */
enum err matrix_transpose(
    const struct matrix *m, struct arena *a, struct matrix *ret_matrix) MUST_CHECK;

/* product = m x right, where right is cols x n and product is rows x n, both by rows and dense.
 * n is a multiple of 4. */
void matrix_times(const struct matrix *m, const double *right, size_t n, double *product);
/* The same of `count` rows from row `from` on: product is count x n. */
void matrix_times_rows(const struct matrix *m, size_t from, size_t count, const double *right,
    size_t n, double *product);

#endif
