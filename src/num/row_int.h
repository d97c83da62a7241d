#ifndef NUM_ROW_INT_H
#define NUM_ROW_INT_H

#include <stdbool.h>
#include <stddef.h>

/* One row of a non-negative factorisation, everything else held: which non-negative weights of
 * the basis rows explain the values best. Both losses are convex in the weights; every call
 * makes the loss smaller or leaves it. */

enum {
    ROW_RANK_MAX = 128
};

/* Arrays over entries are padded with zeros to a multiple of LANES. */
struct row {
    const double *value; /* count */
    const double *basis; /* rank rows of count, `stride` apart */
    size_t count;        /* padded */
    size_t stride;
    unsigned rank;
    const double *total; /* rank: sums of the basis rows, over entries that are zero as well */
    double *model;       /* count: room; afterwards the weighted sum of the basis */
};

/**
 * Kullback-Leibler, sum of v ln(v / m) - v + m: `sweeps` times one weight after the other.
 *
 * From below the optimum of one weight, Newton on the reciprocal of its gradient's moving part,
 * which is concave, so the optimum is not passed. From above, the loss after a step down d is
 * at most -d g + w^2 f'' (-ln(1 - d / w) - d / w), because no basis over model is above 1 / w;
 * the step is the minimum of that. So no step is ever taken back.
 */
void row_poisson(const struct row *r, double *weights, unsigned sweeps);

/* The same by one multiplicative update of all weights (Lee, Seung, "Algorithms for
 * Non-negative Matrix Factorization", NIPS 2000). */
void row_poisson_multiply(const struct row *r, double *weights);

/* The loss of this row, of which row_poisson() has left the model. */
double row_poisson_loss(const struct row *r, const double *weights);

/* row = line, or row *= line; `count` is padded. */
void row_multiply(double *row, const double *line, size_t count, bool fresh);

/* Rows of the squared error, many at once: one row in each lane. Products and weights are by
 * rows, `wide` (a multiple of 4) apart; all share `gram`, which is rank x rank, `wide` apart.
 */
enum {
    ROW_SQUARES_MANY = 16
};

struct row_squares {
    const double *gram;
    const double *product;
    double *weights;
    size_t wide;
    size_t rows; /* a multiple of ROW_SQUARES_MANY; those too many have zeros and keep them */
    unsigned rank;
    bool blind; /* what is reached is not asked for, and 0 is told */
};

/* Half of the squared error of every row: least w' gram w / 2 - w' product for w >= 0, by exact
 * coordinate descent. Returns the sum of what is reached. */
double row_squares_descend(const struct row_squares *r);
/* The same by one multiplicative update. */
double row_squares_multiply(const struct row_squares *r);
/* The sum as the weights are. */
double row_squares_worth(const struct row_squares *r);

#endif
