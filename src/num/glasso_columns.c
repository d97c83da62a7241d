/* One component by block coordinate ascent of the dual, a column of W = inverse(T) at a time
 * (Banerjee, El Ghaoui, d'Aspremont, JMLR 9, 2008; Friedman, Hastie, Tibshirani, Biostatistics
 * 9(3), 2008). The dual of the problem in glasso_part.c is to maximise log det W, less what the
 * diagonal asks, over |w_ij - s_ij| <= lambda_ij. With the rest of W fixed, a column w of it
 * is w = W' b, where b solves the lasso
 *
 *     min  b' W' b / 2 - s' b + sum lambda_j |b_j|,      and then  T's column is -q b.
 *
 * The papers descend along single coordinates of b. Here b is solved exactly: its signs hardly
 * ever change from one sweep to the next, and with known signs it is one small linear system.
 * Each sweep is exact ascent from a feasible W, so it converges from any start; on darknet-like
 * data the error halves at each. */
#include "num/glasso_int.h"

#include "num/blas_int.h"

#include <string.h>

enum {
    SWEEPS_MOST = 500,
    ROUNDS_MOST = 60, /* of adding variables to one column's lasso, or of finding its signs */
    DESCENTS = 3,
    NEAR = 8, /* variables that are looked at at once */
    WHOLE_SWEEPS = 2
};

struct columns {
    const struct part_problem *p;
    double *w;      /* m x m */
    double *beta;   /* m x m: row j is the lasso of column j; zero at j */
    double *gram;   /* w over the variables of one lasso; then Q */
    double *factor; /* of such a matrix */
    double *q;      /* diagonal of Q */
    double *column; /* w' b */
    double *b;      /* over the list */
    double *slope;
    double *trial;
    double *pending;       /* how far columns' neighbours moved since they were solved */
    uint32_t *list;        /* variables of one lasso, in the order in which they came */
    uint32_t *signed_list; /* places in the list where b is not zero */
    size_t count;
};

static enum err columns_open(
    struct columns *c, const struct part_problem *p, struct arena *scratch)
{
    size_t m = p->m;
    *c = (struct columns){.p = p,
        .w = arena_take(scratch, m * m, sizeof *c->w),
        .beta = arena_take(scratch, m * m, sizeof *c->beta),
        .gram = arena_take(scratch, m * m, sizeof *c->gram),
        .factor = arena_take(scratch, m * m, sizeof *c->factor),
        .q = arena_take(scratch, m, sizeof *c->q),
        .column = arena_take(scratch, m, sizeof *c->column),
        .b = arena_take(scratch, m, sizeof *c->b),
        .slope = arena_take(scratch, m, sizeof *c->slope),
        .trial = arena_take(scratch, m, sizeof *c->trial),
        .pending = arena_take(scratch, m, sizeof *c->pending),
        .list = arena_take(scratch, m, sizeof *c->list),
        .signed_list = arena_take(scratch, m, sizeof *c->signed_list)};
    bool room = c->w && c->beta && c->gram && c->factor && c->q && c->column && c->b &&
                c->slope && c->trial && c->pending && c->list && c->signed_list;
    return room ? OK : ERR_NOMEM;
}

static double penalty(const struct part_problem *p, size_t i, size_t j)
{
    return p->rho * p->root[i] * p->root[j];
}

/* --- one lasso --------------------------------------------------------------------------- */

static void gather_gram(struct columns *c)
{
    for (size_t k = 0; k < c->count; k++)
        for (size_t l = 0; l < c->count; l++)
            c->gram[k * c->count + l] = c->w[c->list[k] * c->p->m + c->list[l]];
}

/* Rounds of coordinate descent over the list. */
static void descend(struct columns *c, size_t j)
{
    const double *s = c->p->s + j * c->p->m;
    for (size_t k = 0; k < c->count; k++)
        c->slope[k] = blas_dot(c->gram + k * c->count, c->b, c->count) - s[c->list[k]];
    for (unsigned round = 0; round < DESCENTS; round++)
        for (size_t k = 0; k < c->count; k++) {
            double bend = c->gram[k * c->count + k];
            double lambda = penalty(c->p, j, c->list[k]);
            double b = glasso_shrink(c->b[k] - c->slope[k] / bend, lambda / bend);
            if (b < c->b[k] || b > c->b[k])
                blas_add(c->slope, b - c->b[k], c->gram + k * c->count, c->count);
            c->b[k] = b;
        }
}

/* With the signs of b as they are, the best b is the solution of a linear system. False, and b
 * stays, if its signs are others. */
static bool solve_signed(struct columns *c, size_t j)
{
    const double *s = c->p->s + j * c->p->m;
    size_t n = 0;
    for (size_t k = 0; k < c->count; k++)
        if (fabs(c->b[k]) > 0.0)
            c->signed_list[n++] = (uint32_t)k;
    for (size_t k = 0; k < n; k++) {
        uint32_t a = c->list[c->signed_list[k]];
        const double *row = c->w + a * c->p->m;
        for (size_t l = 0; l <= k; l++)
            c->factor[k * n + l] = row[c->list[c->signed_list[l]]];
        c->trial[k] = s[a] - copysign(penalty(c->p, j, a), c->b[c->signed_list[k]]);
    }
    if (!blas_factor(c->factor, n))
        return false;
    blas_solve(c->factor, c->trial, n);
    for (size_t k = 0; k < n; k++)
        if (!(c->trial[k] * c->b[c->signed_list[k]] > 0.0))
            return false;
    for (size_t k = 0; k < n; k++)
        c->b[c->signed_list[k]] = c->trial[k];
    return true;
}

/* The lasso over the listed variables. Descent never goes up and the system's solution is the
 * best with its signs, so no signs come twice. */
static void solve_listed(struct columns *c, size_t j, bool fresh)
{
    if (!fresh && solve_signed(c, j))
        return;
    gather_gram(c);
    for (unsigned round = 0; round < ROUNDS_MOST; round++) {
        for (unsigned k = 0; k <= round; k++)
            descend(c, j);
        if (solve_signed(c, j))
            return;
    }
}

/* column = w' b; drops zeros from the list. */
static void multiply(struct columns *c)
{
    size_t m = c->p->m;
    size_t kept = 0;
    memset(c->column, 0, m * sizeof *c->column);
    for (size_t k = 0; k < c->count; k++) {
        if (!(fabs(c->b[k]) > 0.0))
            continue;
        blas_add(c->column, c->b[k], c->w + c->list[k] * m, m);
        c->list[kept] = c->list[k];
        c->b[kept++] = c->b[k];
    }
    c->count = kept;
}

/* Is one of NEAR variables from `k` on further from s than the penalty allows? Hardly ever. */
static bool any_outside(const struct columns *c, const double *s, size_t k, double reach)
{
    if (k + NEAR > c->p->m)
        return true;
    bool any = false;
    for (size_t i = k; i < k + NEAR; i++)
        any |= fabs(c->column[i] - s[i]) > reach * c->p->root[i];
    return any;
}

/* Lists the variables that should not be zero. Returns how many. */
static size_t add_violators(struct columns *c, size_t j, const double *beta)
{
    const double *s = c->p->s + j * c->p->m;
    size_t before = c->count;
    double reach = c->p->rho * c->p->root[j] * (1.0 + 1e-12);
    for (size_t k = 0; k < c->p->m; k++) {
        if (k % NEAR == 0 && !any_outside(c, s, k, reach)) {
            k += NEAR - 1;
            continue;
        }
        bool outside = fabs(c->column[k] - s[k]) > reach * c->p->root[k];
        if (!outside || k == j || fabs(beta[k]) > 0.0)
            continue;
        c->list[c->count] = (uint32_t)k;
        c->b[c->count++] = 0.0;
    }
    return c->count - before;
}

/* Solves column j's lasso into its row of beta, and c->column. */
static void solve_lasso(struct columns *c, size_t j)
{
    double *beta = c->beta + j * c->p->m;
    c->count = 0;
    for (size_t k = 0; k < c->p->m; k++)
        if (fabs(beta[k]) > 0.0) {
            c->list[c->count] = (uint32_t)k;
            c->b[c->count++] = beta[k];
        }
    bool fresh = false;
    for (unsigned round = 0; round < ROUNDS_MOST; round++) {
        if (c->count)
            solve_listed(c, j, fresh);
        memset(beta, 0, c->p->m * sizeof *beta);
        multiply(c);
        for (size_t k = 0; k < c->count; k++)
            beta[c->list[k]] = c->b[k];
        fresh = add_violators(c, j, beta) > 0;
        if (!fresh)
            return;
    }
}

/* --- all columns ------------------------------------------------------------------------- */

/* q_jj and w_jj that fit the column: 1 / q = w - column' b, and w = the slope at q. */
static double close_column(struct columns *c, size_t j)
{
    double n = c->p->copies[j];
    double inner = blas_dot(c->column, c->beta + j * c->p->m, c->p->m);
    double most = n * (c->p->s[j * c->p->m + j] + c->p->delta);
    double w = most - (n - 1.0) * c->p->bare;
    if (n < 1.5 || (w - inner) > c->p->bare) {
        c->q[j] = 1.0 / (w - inner);
        return w;
    }
    c->q[j] = n / (most - inner);
    return most - (n - 1.0) / c->q[j];
}

/* Column j is what c->column says. Returns the largest change, in units of S. */
static double put_column(struct columns *c, size_t j)
{
    size_t m = c->p->m;
    double *row = c->w + j * m;
    double most[2] = {0.0, 0.0}; /* two, as each waits for the one before */
    for (size_t k = 0; k < m; k++) {
        double change = fabs(c->column[k] - row[k]) / c->p->root[k];
        most[k & 1] = change > most[k & 1] ? change : most[k & 1];
        row[k] = c->w[k * m + j] = c->column[k];
    }
    double largest = (most[0] > most[1] ? most[0] : most[1]) / c->p->root[j];
    for (size_t k = 0; k < c->count; k++) {
        size_t i = c->list[k];
        double share = fabs(c->beta[i * m + j]) * c->p->root[j] / c->p->root[i];
        c->pending[i] += share * largest;
    }
    c->pending[j] = 0.0;
    return largest;
}

/* Solves the columns whose neighbours moved by `least` or more; all if it is 0. Returns the
 * largest change of w, in units of S. */
static double sweep(struct columns *c, double least)
{
    double largest = 0.0;
    for (size_t j = 0; j < c->p->m; j++) {
        if (c->pending[j] < least)
            continue;
        solve_lasso(c, j);
        c->column[j] = 0.0;
        c->column[j] = close_column(c, j);
        largest = fmax(largest, put_column(c, j));
    }
    return largest;
}

/* Q from the lassos: each entry off the diagonal comes from two of them, which agree in the
 * end. */
static void assemble(const struct columns *c, double *q)
{
    size_t m = c->p->m;
    for (size_t i = 0; i < m; i++) {
        q[i * m + i] = c->q[i];
        for (size_t j = 0; j < i; j++)
            q[i * m + j] = q[j * m + i] =
                -0.5 * (c->beta[i * m + j] * c->q[i] + c->beta[j * m + i] * c->q[j]);
    }
}

/* What Q is worth: its objective and the largest violation. False: not positive definite. */
static bool judge(
    const struct part_problem *p, const double *q, double *room, struct part_result *ret)
{
    memcpy(room, q, p->m * p->m * sizeof *room);
    if (!blas_factor(room, p->m))
        return false;
    ret->objective = part_linear(p, q) - blas_log_det(room, p->m);
    blas_inverse(room, p->m);
    ret->residual = part_residual(p, q, room);
    return true;
}

/* Pairs that have an edge if the form that is exact for trees is right; one too many is enough
 * to know. */
static size_t count_edges(const struct part_problem *p)
{
    size_t edges = 0;
    for (size_t i = 0; i < p->m && edges < p->m; i++)
        for (size_t j = 0; j < i; j++)
            edges += fabs(p->s[i * p->m + j]) > penalty(p, i, j);
    return edges;
}

/* The tree's form, if it is one and good: then `w` is its inverse. */
static bool solve_tree(struct columns *c, double tolerance, double *q, struct part_result *ret)
{
    if (count_edges(c->p) + 1 != c->p->m)
        return false;
    part_guess(c->p, q);
    return judge(c->p, q, c->gram, ret) && ret->residual <= tolerance;
}

enum err part_solve(const struct part_problem *p, double tolerance, double *w, double *q,
    struct arena *scratch, struct part_result *ret)
{
    struct columns c;
    size_t bytes = p->m * p->m * sizeof *w;
    enum err e = columns_open(&c, p, scratch);
    if (e)
        return e;
    if (solve_tree(&c, tolerance, q, ret)) {
        memcpy(w, c.gram, bytes);
        return OK;
    }
    memcpy(c.w, w, bytes);
    double target = 0.5 * tolerance;
    double change = 0.0;
    for (unsigned k = 0; k < SWEEPS_MOST; k++) {
        /* Columns whose neighbours hardly moved can wait. */
        bool whole = k < WHOLE_SWEEPS || change <= target;
        change = sweep(&c, whole ? 0.0 : fmax(0.02 * change, 0.1 * target));
        if (change > target)
            continue;
        assemble(&c, q);
        if (judge(p, q, c.gram, ret) && ret->residual <= tolerance) {
            memcpy(w, c.w, bytes);
            return OK;
        }
        target *= 0.25;
    }
    return ERR_NOCONV;
}
