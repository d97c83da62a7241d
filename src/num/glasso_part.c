/* One component, with equal variables put together.
 *
 * Let the variables of a component fall into groups of n_1 .. n_m equal ones: s_ij depends on
 * the groups of i and j only, also for i = j. Swapping two variables of a group leaves the
 * problem as it is, and its solution is unique, so swapping leaves T as it is: T has one value
 * a_g on the diagonal of group g, one value b_g between different members of it, and one value
 * c_gh between members of g and h. Such a T has, for each group, the eigenvalue t = a - b on
 * the n - 1 directions in which the members differ, and on the rest (the mean directions) it
 * acts as the quotient
 *
 *     Q_gg = a_g + (n_g - 1) b_g = q,    Q_gh = sqrt(n_g n_h) c_gh.
 *
 * So log det T = log det Q + sum (n_g - 1) log t_g. In the differing directions S is zero, so
 * tr(S T) = sum n_g s_gg Q_gg + sum_{g != h} sqrt(n_g n_h) s_gh Q_gh. With a = (q + (n - 1) t)
 * / n and b = (q - t) / n, delta the penalty of the diagonal, what one group adds beside Q is
 *
 *     -(n - 1) log t + n s q + delta (q + (n - 1) t) + rho (n - 1) |q - t|.
 *
 * For given q its minimum over t lies at t = max(q, 1 / (rho + delta)) (left of q it falls),
 * hence b <= 0 always, and what is left is a convex function of q with a continuous slope:
 * part_diagonal(). Between groups, Q_gh has the penalty rho sqrt(n_g n_h): a graphical lasso of
 * m variables, whatever the size of the groups. The optimality conditions of T are those of Q
 * divided by sqrt(n_g n_h). tests/unit/num/test_glasso.c compares with T solved whole. */
#include "num/glasso_int.h"

static double *matrix(struct arena *scratch, size_t m)
{
    return arena_take(scratch, m * m, sizeof(double));
}

enum err part_open(struct part_problem *ret_problem, const struct glasso *g, double rho,
    const struct glasso_part *part, struct arena *scratch)
{
    size_t m = part->count;
    double delta = g->options.bare_diagonal ? 0.0 : rho;
    struct part_problem p = {.m = m,
        .rho = rho,
        .delta = delta,
        .bare = rho + delta,
        .root = arena_take(scratch, m, sizeof *p.root),
        .copies = arena_take(scratch, m, sizeof *p.copies),
        .s = matrix(scratch, m)};
    if (!p.root || !p.copies || !p.s)
        return ERR_NOMEM;
    for (size_t i = 0; i < m; i++) {
        p.copies[i] = (double)g->groups[part->groups[i]].copies;
        p.root[i] = sqrt(p.copies[i]);
    }
    for (size_t i = 0; i < m; i++) {
        p.s[i * m + i] = g->groups[part->groups[i]].variance;
        for (size_t j = 0; j < i; j++) {
            double s = p.root[i] * p.root[j] * glasso_cov(g, part->groups[i], part->groups[j]);
            p.s[i * m + j] = p.s[j * m + i] = s;
        }
    }
    *ret_problem = p;
    return OK;
}

struct part_curve part_diagonal(const struct part_problem *p, size_t i, double q)
{
    double n = p->copies[i];
    double s = p->s[i * p->m + i];
    double slope = n * (s + p->delta);
    if (q * p->bare <= 1.0 || n < 1.5) {
        double t = 1.0 / p->bare; /* t > q: edges between equal variables */
        slope -= (n - 1.0) * p->bare;
        return (struct part_curve){
            .value = slope * q + (n - 1.0) * (1.0 - log(t)), .slope = slope};
    }
    return (struct part_curve){
        .value = slope * q - (n - 1.0) * log(q), .slope = slope - (n - 1.0) / q};
}

double part_linear(const struct part_problem *p, const double *q)
{
    size_t m = p->m;
    double sum = 0.0;
    for (size_t i = 0; i < m; i++) {
        sum += part_diagonal(p, i, q[i * m + i]).value;
        for (size_t j = 0; j < i; j++) {
            double x = q[i * m + j];
            sum += 2.0 * (p->s[i * m + j] * x + p->rho * p->root[i] * p->root[j] * fabs(x));
        }
    }
    return sum;
}

double part_residual(const struct part_problem *p, const double *q, const double *w)
{
    size_t m = p->m;
    double worst = 0.0;
    for (size_t i = 0; i < m; i++) {
        double off = (part_diagonal(p, i, q[i * m + i]).slope - w[i * m + i]) / p->copies[i];
        worst = fmax(worst, fabs(off));
        for (size_t j = 0; j < i; j++) {
            double x = q[i * m + j];
            double g = (p->s[i * m + j] - w[i * m + j]) / (p->root[i] * p->root[j]);
            double bad = x > 0.0   ? fabs(g + p->rho)
                         : x < 0.0 ? fabs(g - p->rho)
                                   : fmax(fabs(g) - p->rho, 0.0);
            worst = fmax(worst, bad);
        }
    }
    return worst;
}

/* A group by itself: where the slope is 1 / q. */
static double alone(const struct part_problem *p, size_t i)
{
    double n = p->copies[i];
    double s = p->s[i * p->m + i];
    if (n < 1.5 || s > p->rho)
        return 1.0 / (n * (s + p->delta) - (n - 1.0) * p->bare);
    return 1.0 / (s + p->delta);
}

void part_guess(const struct part_problem *p, double *q)
{
    size_t m = p->m;
    for (size_t i = 0; i < m; i++)
        q[i * m + i] = alone(p, i);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < i; j++)
            q[i * m + j] = q[j * m + i] = 0.0;
    /* The inverse has w_ii and, on edges, the shrunk s_ij; each edge adds to the diagonal. */
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < i; j++) {
            double w = glasso_shrink(p->s[i * m + j], p->rho * p->root[i] * p->root[j]);
            if (!(fabs(w) > 0.0))
                continue;
            double wi = 1.0 / alone(p, i);
            double wj = 1.0 / alone(p, j);
            double rest = wi * wj - w * w;
            q[i * m + j] = q[j * m + i] = -w / rest;
            q[i * m + i] += w * w / rest / wi;
            q[j * m + j] += w * w / rest / wj;
        }
}

/* Largest |s_ij| between different variables, equal ones included. */
static double largest_cov(const struct part_problem *p)
{
    double largest = 0.0;
    for (size_t i = 0; i < p->m; i++) {
        if (p->copies[i] > 1.5)
            largest = fmax(largest, p->s[i * p->m + i]);
        for (size_t j = 0; j < i; j++)
            largest = fmax(largest, fabs(p->s[i * p->m + j]) / (p->root[i] * p->root[j]));
    }
    return largest;
}

/* A mixture of S and a matrix that is positive definite and that the dual of the penalty `rho`
 * allows is both, for rho times its share. */
void part_start(const struct part_problem *p, const double *before, double rho, double *w)
{
    size_t m = p->m;
    double share = before ? p->rho / rho : 0.0;
    double shrunk = 0.0; /* without a penalty of the diagonal: S may be singular */
    if (!before && !(p->delta > 0.0))
        shrunk = fmin(0.5, p->rho / fmax(largest_cov(p), p->rho));
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            double s = p->s[i * m + j];
            if (i == j)
                s = p->copies[i] * s * (1.0 - shrunk) + shrunk * s + (before ? 0.0 : p->delta);
            else
                s *= 1.0 - shrunk;
            w[i * m + j] = before ? (1.0 - share) * s + share * before[i * m + j] : s;
        }
}
