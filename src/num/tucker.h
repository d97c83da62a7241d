#ifndef NUM_TUCKER_H
#define NUM_TUCKER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Non-negative Tucker factorisation of a sparse tensor of counts: every cell is about
 *
 *     sum over (a, b, c) of core[a][b][c] first[a][i] second[b][j] third[c][k]
 *
 * with nothing below zero. A part of one mode (a group of hosts) is not tied to one part of the
 * others, as in a sum of rank-one tensors; the core says which groups of hosts go with which
 * ports at which times, and that is how it is to be read: tucker_block(). */

enum {
    TUCKER_MODES = 4,      /* at most */
    TUCKER_RANK_MAX = 16,  /* parts of one mode */
    TUCKER_CORE_MAX = 128, /* product of the ranks */
    TUCKER_RESTARTS_MAX = 64
};

/* A sparse tensor that somebody else owns. Cells that are not listed are zero; the same cell
 * listed twice counts twice. */
struct cells {
    unsigned modes; /* 2..TUCKER_MODES */
    size_t size[TUCKER_MODES];
    size_t count;
    const uint32_t *index; /* count x modes */
    const double *value;
};

struct tucker {
    unsigned modes;
    size_t size[TUCKER_MODES];
    unsigned rank[TUCKER_MODES];
    double *factor[TUCKER_MODES]; /* rank x size: part p of place i is [p * size + i]; the
                                     largest of each part is 1, unless the part is empty */
    double *core;                 /* the last mode's index moves fastest */
    size_t core_count;
    double loss; /* Kullback-Leibler: sum of v ln(v / m) - v + m over all cells */
    unsigned iterations;
    unsigned restart; /* the best */
};

struct tucker_options {
    unsigned rank[TUCKER_MODES];
    unsigned restarts;   /* from different random factors; the best is kept */
    unsigned iterations; /* at most, of each */
    double tolerance; /* stop when an iteration lowers the loss by less than this part of it */
    double *trace;    /* NULL, or room for iterations + 1 losses of the best restart */
};

/**
 * @return OK; ERR_RANGE: no cell, an index outside the size, a value that is not a finite
 *         number above zero, ranks outside their bounds or above the sizes; ERR_NOMEM.
 *
 * Cost of an iteration: about (modes + 10) x core numbers a cell. Memory from the arena: core
 * numbers x 8 bytes a cell. Deterministic for a seed. The loss never rises.
 *
 * Source: Kim, Choi, "Nonnegative Tucker Decomposition", CVPR 2007. Differs from it by the
 * loss, which is that of counts, and by exact steps of one weight at a time (row_int.h) in
 * place of multiplicative updates.
 */
enum err tucker_fit(const struct cells *t, const struct tucker_options *options, struct rng *r,
    struct arena *a, struct tucker *ret_tucker) MUST_CHECK;

/* The parts that one number of the core ties together, and how much of the tensor's sum it
 * explains (all of them together explain 1). */
struct tucker_block {
    unsigned part[TUCKER_MODES];
    double share;
};

/* All blocks of the core, largest share first; the caller has room for core_count. */
void tucker_blocks(const struct tucker *f, struct tucker_block *ret_blocks);

/* The value that splits `values` in two with the largest variance between the halves (Otsu, "A
 * threshold selection method from gray-level histograms", IEEE SMC 9(1), 1979), of 256 bins in
 * [0, 1]; values of 1e-10 and less do not count. 0.5 if there is nothing to split. */
double otsu_threshold(const double *values, size_t count);

#endif
