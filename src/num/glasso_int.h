#ifndef NUM_GLASSO_INT_H
#define NUM_GLASSO_INT_H

#include "base/arena.h"
#include "num/glasso.h"

#include <math.h>

/* Equal variables are a group; all of the room's other files know groups only, by number, in
 * order of falling variance. */

struct glasso_group {
    uint32_t first;  /* the variable that stands for it */
    uint32_t copies; /* how many are equal */
    double variance; /* s_ii */
};

/* Two groups with |s| above the least penalty, i < j. */
struct glasso_pair {
    uint32_t i, j;
    double size; /* |s_ij| */
};

struct part_result {
    double objective;
    double residual; /* in units of S */
};

/* The solution of one component, in the form of glasso_part.c. */
struct glasso_part {
    uint32_t count;   /* groups: m */
    uint32_t *groups; /* ascending */
    double *quotient; /* m x m: Q */
    double *inverse;  /* of Q: where the next penalty begins */
    struct part_result result;
};

struct glasso_solution {
    double rho; /* 0: none */
    struct glasso_part *parts;
    size_t part_count;
    uint32_t *part_of;   /* group -> its part */
    uint32_t *place_of;  /* group -> its place in the part */
    struct arena memory; /* holds all of it */
};

struct glasso {
    struct glasso_input input;
    struct glasso_options options;
    uint32_t *group_of; /* variable -> group */
    struct glasso_group *groups;
    size_t group_count;
    double *rows; /* of the groups, d x n; NULL with a matrix */
    struct glasso_pair *pairs;
    size_t pair_count;
    struct glasso_solution now;
    uint32_t *roots; /* scratch of the screening: d */
};

static inline double glasso_shrink(double x, double by)
{
    return x > by ? x - by : x < -by ? x + by : 0.0;
}

/* s between two groups. */
double glasso_cov(const struct glasso *g, size_t i, size_t j);

/* --- glasso_pairs.c ---------------------------------------------------------------------- */

enum err glasso_group_equal(struct glasso *g) MUST_CHECK;
enum err glasso_find_pairs(struct glasso *g) MUST_CHECK;
/* Components of |s| > rho: roots[group] is the lowest group of its component. */
void glasso_screen(struct glasso *g, double rho);

/* --- glasso_part.c ----------------------------------------------------------------------- */

/* One component's problem: find Q. All matrices m x m, from one arena. */
struct part_problem {
    size_t m;
    double rho;
    double delta; /* penalty of the diagonal: rho or 0 */
    double bare;  /* rho + delta */
    double *root; /* of the copies of each group */
    double *copies;
    double *s; /* root_i root_j s_ij; s_ii on the diagonal */
};

enum err part_open(struct part_problem *ret_problem, const struct glasso *g, double rho,
    const struct glasso_part *part, struct arena *scratch) MUST_CHECK;

/* What a diagonal entry q of Q adds to the objective, and its slope. */
struct part_curve {
    double value, slope;
};
struct part_curve part_diagonal(const struct part_problem *p, size_t i, double q);

/* Everything but -log det Q. */
double part_linear(const struct part_problem *p, const double *q);

/* The largest violation of the optimality conditions by Q, whose inverse is `w`, in units of S.
 */
double part_residual(const struct part_problem *p, const double *q, const double *w);

/* The form that is exact for trees. */
void part_guess(const struct part_problem *p, double *q);

/* Where to begin: a W that the dual allows. `before` is the solution at the penalty `rho`, or
 * NULL; the next is a mixture of it and S, which the dual of a smaller penalty allows. */
void part_start(const struct part_problem *p, const double *before, double rho, double *w);

/* --- glasso_columns.c -------------------------------------------------------------------- */

/* `w` is the start, then inverse(Q). ERR_NOCONV: not within the tolerance. */
enum err part_solve(const struct part_problem *p, double tolerance, double *w, double *q,
    struct arena *scratch, struct part_result *ret) MUST_CHECK;

#endif
