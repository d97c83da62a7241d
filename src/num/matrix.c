#include "num/matrix.h"

#include "num/lanes_int.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static size_t value_count(const struct matrix *m)
{
    return m->column ? m->first[m->rows] : m->rows * m->cols;
}

static bool is_in_order(const struct matrix *m)
{
    for (size_t i = 0; i < m->rows; i++) {
        if (m->first[i + 1] < m->first[i])
            return false;
        for (size_t e = m->first[i]; e < m->first[i + 1]; e++)
            if (m->column[e] >= m->cols ||
                (e > m->first[i] && m->column[e] <= m->column[e - 1]))
                return false;
    }
    return true;
}

bool matrix_is_counts(const struct matrix *m)
{
    if (m->column && !is_in_order(m))
        return false;
    size_t count = value_count(m);
    for (size_t e = 0; e < count; e++)
        if (!(m->value[e] >= 0.0) || isinf(m->value[e]))
            return false;
    return true;
}

double matrix_sum(const struct matrix *m)
{
    double sum = 0.0;
    size_t count = value_count(m);
    for (size_t e = 0; e < count; e++)
        sum += m->value[e];
    return sum;
}

double matrix_square_sum(const struct matrix *m)
{
    double sum = 0.0;
    size_t count = value_count(m);
    for (size_t e = 0; e < count; e++)
        sum += m->value[e] * m->value[e];
    return sum;
}

static enum err transpose_dense(
    const struct matrix *m, struct arena *a, struct matrix *ret_matrix)
{
    enum {
        TILE = 32
    };
    double *value = arena_take(a, m->rows * m->cols + 1, sizeof *value);
    if (!value)
        return ERR_NOMEM;
    for (size_t top = 0; top < m->rows; top += TILE)
        for (size_t j = 0; j < m->cols; j++)
            for (size_t i = top; i < top + TILE && i < m->rows; i++)
                value[j * m->rows + i] = m->value[i * m->cols + j];
    *ret_matrix = (struct matrix){.rows = m->cols, .cols = m->rows, .value = value};
    return OK;
}

static enum err transpose_sparse(
    const struct matrix *m, struct arena *a, struct matrix *ret_matrix)
{
    size_t count = m->first[m->rows];
    assert(m->rows <= UINT32_MAX);
    double *value = arena_take(a, count + 1, sizeof *value);
    uint32_t *column = arena_take(a, count + 1, sizeof *column);
    size_t *first = arena_take(a, m->cols + 2, sizeof *first);
    if (!value || !column || !first)
        return ERR_NOMEM;
    for (size_t e = 0; e < count; e++)
        first[m->column[e] + 2]++;
    for (size_t j = 0; j < m->cols; j++)
        first[j + 2] += first[j + 1];
    for (size_t i = 0; i < m->rows; i++)
        for (size_t e = m->first[i]; e < m->first[i + 1]; e++) {
            size_t to = first[m->column[e] + 1]++;
            value[to] = m->value[e];
            column[to] = (uint32_t)i;
        }
    *ret_matrix = (struct matrix){
        .rows = m->cols, .cols = m->rows, .value = value, .column = column, .first = first};
    return OK;
}

enum err matrix_transpose(const struct matrix *m, struct arena *a, struct matrix *ret_matrix)
{
    return m->column ? transpose_sparse(m, a, ret_matrix) : transpose_dense(m, a, ret_matrix);
}

/* Four doubles, so that the sums of four rows stay in registers. */
typedef double quad __attribute__((vector_size(32), aligned(8), may_alias));

enum {
    QUAD = 4,
    STRIP = 12, /* columns of `right` at once */
    ROWS = 4    /* of a dense matrix at once */
};

/* `width` columns of four dense rows; inlined with a constant width. */
static inline __attribute__((always_inline)) void dense_strip(const double *value, size_t cols,
    const double *right, size_t n, double *product, const size_t width)
{
    quad sum[ROWS][STRIP / QUAD] = {{{0}}};
    for (size_t e = 0; e < cols; e++)
        for (size_t k = 0; k < width / QUAD; k++) {
            quad r = *(const quad *)(right + e * n + k * QUAD);
            for (size_t i = 0; i < ROWS; i++)
                sum[i][k] += value[i * cols + e] * r;
        }
    for (size_t i = 0; i < ROWS; i++)
        memcpy(product + i * n, sum[i], width * sizeof *product);
}

WIDE static void dense_rows(
    const double *value, size_t cols, const double *right, size_t n, double *product)
{
    size_t k = 0;
    for (; k + 12 <= n; k += 12)
        dense_strip(value, cols, right + k, n, product + k, 12);
    if (n - k == 8)
        dense_strip(value, cols, right + k, n, product + k, 8);
    else if (n - k == 4)
        dense_strip(value, cols, right + k, n, product + k, 4);
}

static inline __attribute__((always_inline)) void row_strip(const struct matrix *m, size_t row,
    const double *right, size_t n, double *product, const size_t width)
{
    size_t count = matrix_row_count(m, row);
    const double *value = matrix_row(m, row);
    const uint32_t *column = m->column ? m->column + m->first[row] : NULL;
    quad sum[STRIP / QUAD] = {{0}};
    quad odd[STRIP / QUAD] = {{0}}; /* every other value: no sum waits for the one before */
    size_t e = 0;
    for (; e + 2 <= count; e += 2) {
        const double *from = right + (column ? column[e] : e) * n;
        const double *next = right + (column ? column[e + 1] : e + 1) * n;
        for (size_t k = 0; k < width / QUAD; k++) {
            sum[k] += value[e] * *(const quad *)(from + k * QUAD);
            odd[k] += value[e + 1] * *(const quad *)(next + k * QUAD);
        }
    }
    for (; e < count; e++) {
        const double *from = right + (column ? column[e] : e) * n;
        for (size_t k = 0; k < width / QUAD; k++)
            sum[k] += value[e] * *(const quad *)(from + k * QUAD);
    }
    for (size_t k = 0; k < width / QUAD; k++)
        sum[k] += odd[k];
    memcpy(product, sum, width * sizeof *product);
}

WIDE static void one_row(
    const struct matrix *m, size_t row, const double *right, size_t n, double *product)
{
    size_t k = 0;
    for (; k + 12 <= n; k += 12)
        row_strip(m, row, right + k, n, product + k, 12);
    if (n - k == 8)
        row_strip(m, row, right + k, n, product + k, 8);
    else if (n - k == 4)
        row_strip(m, row, right + k, n, product + k, 4);
}

void matrix_times_rows(const struct matrix *m, size_t from, size_t count, const double *right,
    size_t n, double *product)
{
    assert(n % QUAD == 0);
    size_t i = 0;
    if (!m->column)
        for (; i + ROWS <= count; i += ROWS)
            dense_rows(m->value + (from + i) * m->cols, m->cols, right, n, product + i * n);
    for (; i < count; i++)
        one_row(m, from + i, right, n, product + i * n);
}

void matrix_times(const struct matrix *m, const double *right, size_t n, double *product)
{
    matrix_times_rows(m, 0, m->rows, right, n, product);
}
