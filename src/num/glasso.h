#ifndef NUM_GLASSO_H
#define NUM_GLASSO_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Sparse inverse covariance: the graphical lasso, exactly, for many variables.
 *
 * Minimises  -log det T + tr(S T) + rho * sum |t_ij|  over positive definite T (p x p), the sum
 * over all entries, or over those off the diagonal with `bare_diagonal`. The minimiser is
 * unique; T = glasso_entry().
 *
 * How, and why it is exact:
 *  - Variables with equal rows in S (equal data) have equal rows in T, so they are solved as
 *    one with a multiplicity (proof in glasso_part.c).
 *  - The components of T's graph are those of |s_ij| > rho (Witten, Friedman, Simon, JCGS
 *    20(4), 2011; Mazumder, Hastie, JMLR 13, 2012): each is solved by itself.
 *  - A closed form that is exact for trees (Fattahi, Sojoudi, JMLR 20(10), 2019) is taken
 *    where a component is one and the form meets the optimality conditions; so are singles and
 *    pairs.
 *  - Other components: block coordinate ascent of the dual, each column's lasso solved exactly,
 *    from a point that the dual allows, made of S and of the solution at the penalty before.
 *  - What comes out is checked: glasso_residual() is the largest violation of the optimality
 *    conditions, computed from the inverse of T itself.
 *
 * R's glasso solves the same problem (with its default, the diagonal penalised).
 */
struct glasso;

enum {
    GLASSO_MOST = 1 << 20 /* variables */
};

/* Exactly one of `rows` and `cov`; borrowed while the struct glasso lives. */
struct glasso_input {
    size_t count;       /* p, 1..GLASSO_MOST */
    size_t samples;     /* n >= 1, with rows */
    const double *rows; /* p x n, row = variable; S = rows x rows^T, see glasso_centre() */
    const double *cov;  /* S itself, p x p, symmetric */
    /* How many equal variables each row stands for, at least 1; the rows are then taken to be
     * different from each other. NULL: one each, and equal ones are looked for. Edges, degrees
     * and the objective count all variables, and the functions below take numbers of rows. */
    const uint32_t *copies;
};

struct glasso_options {
    double least;          /* the smallest penalty that will be asked for, > 0 */
    bool bare_diagonal;    /* do not penalise the diagonal */
    double tolerance;      /* of the residual, in units of S; 0: 1e-6 */
    size_t component_most; /* different variables in one component; 0: 2,048 */
    size_t pairs_most;     /* different pairs above `least`; 0: 2^23, 16 bytes each */
};

/* Takes the mean out of each of `count` rows of `samples` numbers, and divides by the root of
 * `divisor`: rows x rows^T is then the covariance with that divisor. */
void glasso_centre(double *rows, size_t count, size_t samples, double divisor);

/**
 * Groups equal variables and finds all pairs above `least`.
 *
 * Equal are variables whose input rows are equal bit by bit.
 *
 * @return OK; ERR_RANGE: a number that is not finite, a penalty or count out of range, a
 * variance of zero with a bare diagonal; ERR_FULL: more than `pairs_most` pairs; ERR_NOMEM.
 *
 * Cost: d^2 n / 2 multiplications for d different rows (fewer where norms rule pairs out).
 */
enum err glasso_new(struct glasso **ret_glasso, const struct glasso_input *input,
    const struct glasso_options *options) MUST_CHECK;
void glasso_free(struct glasso *g);

/**
 * The solution at one penalty; what the functions below tell is of the last one that was OK.
 *
 * Falling penalties are a path: each starts from the one before.
 *
 * @param rho  at least `least`.
 * @return OK; ERR_FULL: a component of more than `component_most` different variables;
 * ERR_NOCONV: the residual stayed above the tolerance in 500
 * sweeps; ERR_RANGE; ERR_NOMEM.
 *
 * Cost: 10 to 20 m^3 for a component of m different variables. Memory: seven m x m matrices for
 * the largest, one for each. One thread; the same input gives the same bits on one machine.
 */
enum err glasso_solve(struct glasso *g, double rho) MUST_CHECK;

/* Different variables in the largest component at `rho`, without solving. */
enum err glasso_largest(struct glasso *g, double rho, size_t *ret_count) MUST_CHECK;

double glasso_entry(const struct glasso *g, size_t i, size_t j); /* t_ij */
uint64_t glasso_edges(const struct glasso *g);                   /* pairs i < j, t_ij != 0 */
uint64_t glasso_degree(const struct glasso *g, size_t i);
double glasso_objective(const struct glasso *g);
double glasso_residual(const struct glasso *g);

/* Components of different variables: numbers 0 .. glasso_components() - 1. Equal variables are
 * in one, also where no edge holds them. */
size_t glasso_components(const struct glasso *g);
size_t glasso_component(const struct glasso *g, size_t i);

/* Different variables: how far equal ones were put together. */
size_t glasso_distinct(const struct glasso *g);

#endif
