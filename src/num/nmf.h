#ifndef NUM_NMF_H
#define NUM_NMF_H

#include "base/rng.h"
#include "num/matrix.h"

/* Non-negative matrix factorisation: V is about W H, V rows x cols with no value below zero, W
 * rows x rank, H rank x cols, nothing below zero either. The parts add up and never cancel, so
 * that a part can be read as a group of rows that acts in one rhythm of columns. */

enum {
    NMF_RANK_MAX = 64
};

enum nmf_loss {
    NMF_SQUARE, /* half of the sum of (v - m)^2: noise of one size everywhere */
    NMF_POISSON /* sum of v ln(v / m) - v + m (Kullback-Leibler): counts */
};

enum nmf_method {
    NMF_DESCENT, /* one weight after the other, each by its own optimum (row_int.h); SQUARE:
                    extrapolated (Ang, Gillis, Neural Computation 31(2), 2019) */
    NMF_MULTIPLY /* Lee, Seung, NIPS 2000: the published engines' way; slower, for comparison */
};

struct nmf {
    size_t rows, cols;
    unsigned rank;
    double *w; /* rank x rows: part k of row i is w[k * rows + i] */
    double *h; /* rank x cols: part k of column j is h[k * cols + j] */
    double loss;
    unsigned iterations;
    bool converged;
};

struct nmf_options {
    enum nmf_loss loss;
    enum nmf_method method;
    unsigned iterations; /* at most */
    double tolerance; /* stop when an iteration lowers the loss by less than this part of it */
    double *trace;    /* NULL, or room for iterations + 1 losses: before, and after each */
};

/* Where to start from: w and h in the arena. Random: the absolute values of normal numbers, to
 * the matrix's mean. Singular: from the leading singular vectors (Boutsidis, Gallopoulos, "SVD
 * based initialization: a head start for nonnegative matrix factorization", Pattern Recognition
 * 41(4), 2008, with small random numbers in place of zeros), found by subspace iteration.
 * ERR_RANGE: rank is 0 or more than NMF_RANK_MAX or than the matrix has rows or columns. */
enum err nmf_start_random(const struct matrix *v, unsigned rank, struct rng *r, struct arena *a,
    struct nmf *ret_nmf) MUST_CHECK;
enum err nmf_start_singular(const struct matrix *v, unsigned rank, struct rng *r,
    struct arena *a, struct nmf *ret_nmf) MUST_CHECK;

/**
 * Make the factors of `f` better until `options` say stop. The loss never rises.
 *
 * @param a  gives a copy of v and about 5 rank (rows + cols) doubles.
 * @return OK, also when the iterations ran out (f->converged tells); ERR_RANGE if v has values
 *         that are negative, infinite or NaN, or does not fit f; ERR_NOMEM.
 *
 * Cost of an iteration: about 2 rank (SQUARE) or 14 rank (POISSON) operations a stored value.
 * Deterministic: the same bits on every machine with IEEE arithmetic. Differs from the papers
 * by the steps: see row_int.h.
 */
enum err nmf_fit(struct nmf *f, const struct matrix *v, const struct nmf_options *options,
    struct arena *a) MUST_CHECK;

#endif
