#include "num/glasso.h"

#include "base/rng.h"
#include "test.h"

#include <math.h>

/* One problem solved at one penalty. */
static struct glasso *solve(
    const struct glasso_input *in, double rho, bool bare, double tolerance)
{
    struct glasso *g = NULL;
    struct glasso_options o = {.least = rho, .bare_diagonal = bare, .tolerance = tolerance};
    assert_int_equal(glasso_new(&g, in, &o), OK);
    assert_int_equal(glasso_solve(g, rho), OK);
    return g;
}

/* The inverse of a positive definite matrix by Gauss and Jordan: slow, and nothing of ours. */
static void invert(double *a, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double pivot = a[k * n + k];
        assert_true(pivot > 0.0);
        a[k * n + k] = 1.0;
        for (size_t j = 0; j < n; j++)
            a[k * n + j] /= pivot;
        for (size_t i = 0; i < n; i++) {
            double factor = i == k ? 0.0 : a[i * n + k];
            if (i != k)
                a[i * n + k] = 0.0;
            for (size_t j = 0; j < n && i != k; j++)
                a[i * n + j] -= factor * a[k * n + j];
        }
    }
}

/* The largest violation of the optimality conditions, from the definition. */
static double violation(
    const struct glasso *g, const double *s, size_t p, double rho, bool bare)
{
    double *w = calloc(p * p, sizeof *w);
    double worst = 0.0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            w[i * p + j] = glasso_entry(g, i, j);
    invert(w, p);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double t = glasso_entry(g, i, j);
            double slope = s[i * p + j] - w[i * p + j];
            double bad = i == j    ? fabs(slope + (bare ? 0.0 : rho))
                         : t > 0.0 ? fabs(slope + rho)
                         : t < 0.0 ? fabs(slope - rho)
                                   : fmax(fabs(slope) - rho, 0.0);
            worst = fmax(worst, bad);
        }
    free(w);
    return worst;
}

static double *covariance(double *x, size_t p, size_t n)
{
    double *s = calloc(p * p, sizeof *s);
    glasso_centre(x, p, n, (double)n);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < n; k++)
                s[i * p + j] += x[i * n + k] * x[j * n + k];
    return s;
}

/* S = (1, 0.5; 0.5, 1), rho = 0.2: W = (1.2, 0.3; 0.3, 1.2), T = (1.2, -0.3; -0.3, 1.2) / 1.35;
 * the diagonal bare: W = (1, 0.3; 0.3, 1), T = (1, -0.3; -0.3, 1) / 0.91. */
static void pair_by_hand(void **state)
{
    (void)state;
    const double s[] = {1, 0.5, 0.5, 1};
    struct glasso_input in = {.count = 2, .cov = s};
    struct glasso *g = solve(&in, 0.2, false, 0);
    assert_true(fabs(glasso_entry(g, 0, 0) - 1.2 / 1.35) < 1e-9);
    assert_true(fabs(glasso_entry(g, 0, 1) + 0.3 / 1.35) < 1e-9);
    assert_int_equal(glasso_edges(g), 1);
    glasso_free(g);
    g = solve(&in, 0.2, true, 0);
    assert_true(fabs(glasso_entry(g, 1, 1) - 1.0 / 0.91) < 1e-9);
    assert_true(fabs(glasso_entry(g, 1, 0) + 0.3 / 0.91) < 1e-9);
    glasso_free(g);
    g = solve(&in, 0.5, false, 0); /* at the threshold: no edge */
    assert_int_equal(glasso_edges(g), 0);
    assert_true(fabs(glasso_entry(g, 0, 0) - 1.0 / 1.5) < 1e-12);
    glasso_free(g);
}

/* Hosts with one packet in the same slots of twelve, 0 counted as 0.1, logarithms: which
 * penalties they have an edge at. S = ln(0.1)^2 k (12 - k) / 144. */
static void shared_slots(void **state)
{
    (void)state;
    static const double s_of[] = {0.405, 0.736, 0.994, 1.178};
    for (size_t k = 1; k <= 4; k++) {
        double x[2 * 12];
        for (size_t i = 0; i < 24; i++)
            x[i] = i % 12 < k ? 0.0 : log(0.1);
        glasso_centre(x, 2, 12, 12.0);
        struct glasso_input in = {.count = 2, .samples = 12, .rows = x};
        struct glasso *g = solve(&in, s_of[k - 1] - 0.001, false, 0);
        assert_int_equal(glasso_edges(g), 1);
        glasso_free(g);
        g = solve(&in, s_of[k - 1] + 0.001, false, 0);
        assert_int_equal(glasso_edges(g), 0);
        glasso_free(g);
    }
}

static void as_r_does(void **state)
{
    (void)state;
    char path[512];
    FILE *f = fopen(test_source("tests/unit/num/glasso/golden.txt", path), "r");
    assert_non_null(f);
    size_t p;
    size_t n;
    size_t edges;
    double rho;
    double objective;
    unsigned cases = 0;
    while (fscanf(f, " case %zu %zu %lf %lf %zu", &p, &n, &rho, &objective, &edges) == 5) {
        double x[12 * 60];
        assert_true(p <= 12 && n <= 60);
        for (size_t i = 0; i < p * n; i++)
            assert_int_equal(fscanf(f, "%lf", &x[i]), 1);
        double *s = covariance(x, p, n);
        struct glasso_input in = {.count = p, .samples = n, .rows = x};
        struct glasso *g = solve(&in, rho, false, 1e-9);
        size_t unsure = 0;
        for (size_t i = 0; i < p; i++)
            for (size_t j = i; j < p; j++) {
                double t;
                assert_int_equal(fscanf(f, "%lf", &t), 1);
                assert_true(fabs(glasso_entry(g, i, j) - t) < 1e-6 * (1.0 + fabs(t)));
                unsure += fabs(t) > 0.0 && fabs(t) < 1e-7;
            }
        assert_true(fabs(glasso_objective(g) - objective) < 1e-6 * (1.0 + fabs(objective)));
        assert_true(glasso_edges(g) <= edges + unsure && glasso_edges(g) + unsure >= edges);
        assert_true(violation(g, s, p, rho, false) < 1e-6);
        glasso_free(g);
        free(s);
        cases++;
    }
    fclose(f);
    assert_int_equal(cases, 100);
}

static void meets_conditions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rng r;
        rng_seed(&r, seed);
        size_t p = 20 + rng_below(&r, 60);
        size_t n = seed % 2 ? 12 : 40;
        bool bare = seed % 3 == 0;
        double *x = calloc(p * n, sizeof *x);
        for (size_t i = 0; i < p * n; i++)
            x[i] = log(fmax((double)rng_poisson(&r, 0.7), 0.1));
        double *s = covariance(x, p, n);
        double rho = 0.2 + 0.5 * rng_unit(&r);
        struct glasso_input in = {.count = p, .samples = n, .rows = x};
        struct glasso *g = solve(&in, rho, bare, 0);
        assert_true(violation(g, s, p, rho, bare) < 1.1e-6);
        assert_true(glasso_residual(g) <= 1e-6);
        glasso_free(g);
        free(s);
        free(x);
    }
}

/* Six patterns, up to nine copies of each, solved as one variable each; and with a noise of
 * 1e-9 on each number, which makes all of them different. */
static void copies_are_solved_as_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rng r;
        rng_seed(&r, seed);
        enum {
            PATTERNS = 6,
            SLOTS = 12,
            MOST = 54
        };
        double x[MOST * SLOTS];
        double noisy[MOST * SLOTS];
        size_t p = 0;
        for (size_t k = 0; k < PATTERNS; k++) {
            double pattern[SLOTS];
            for (size_t t = 0; t < SLOTS; t++)
                pattern[t] = log(fmax((double)rng_poisson(&r, 0.8), 0.1));
            for (size_t copy = rng_below(&r, 9) + 1; copy; copy--, p++)
                memcpy(x + p * SLOTS, pattern, sizeof pattern);
        }
        for (size_t i = 0; i < p * SLOTS; i++)
            noisy[i] = x[i] + 1e-9 * rng_normal(&r);
        bool bare = seed % 4 == 0;
        double rho = 0.1 + 1.5 * rng_unit(&r);
        double *s = covariance(x, p, SLOTS);
        glasso_centre(noisy, p, SLOTS, SLOTS);
        struct glasso_input in = {.count = p, .samples = SLOTS, .rows = x};
        struct glasso_input in_noisy = {.count = p, .samples = SLOTS, .rows = noisy};
        struct glasso *g = solve(&in, rho, bare, 1e-9);
        struct glasso *whole = solve(&in_noisy, rho, bare, 1e-9);
        assert_true(glasso_distinct(g) <= PATTERNS);
        assert_int_equal(glasso_distinct(whole), p);
        assert_true(violation(g, s, p, rho, bare) < 1e-7);
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < p; j++)
                assert_true(fabs(glasso_entry(g, i, j) - glasso_entry(whole, i, j)) < 1e-6);
        assert_true(fabs(glasso_objective(g) - glasso_objective(whole)) < 1e-6);
        assert_int_equal(glasso_edges(g), glasso_edges(whole));
        glasso_free(g);
        glasso_free(whole);
        free(s);
    }
}

/* Patterns of presence with their numbers of hosts, beside the same hosts one by one. */
static void copies_may_be_said(void **state)
{
    (void)state;
    enum {
        PATTERNS = 5,
        SLOTS = 10,
        MOST = 20
    };
    static const char active[PATTERNS][SLOTS + 1] = {
        "1000000000", "0100010000", "0100010001", "0000000110", "1000100000"};
    const uint32_t copies[PATTERNS] = {3, 1, 7, 2, 4};
    double rows[PATTERNS * SLOTS];
    double all[MOST * SLOTS];
    size_t first[PATTERNS];
    size_t p = 0;
    for (size_t k = 0; k < PATTERNS; k++) {
        for (size_t t = 0; t < SLOTS; t++)
            rows[k * SLOTS + t] = active[k][t] == '1' ? 0.0 : log(0.1);
        first[k] = p;
        for (size_t i = 0; i < copies[k]; i++)
            memcpy(all + p++ * SLOTS, rows + k * SLOTS, SLOTS * sizeof *rows);
    }
    glasso_centre(rows, PATTERNS, SLOTS, SLOTS);
    glasso_centre(all, p, SLOTS, SLOTS);
    struct glasso_input said = {
        .count = PATTERNS, .samples = SLOTS, .rows = rows, .copies = copies};
    struct glasso_input found = {.count = p, .samples = SLOTS, .rows = all};
    for (double rho = 0.9; rho > 0.05; rho *= 0.6) {
        struct glasso *g = solve(&said, rho, false, 1e-9);
        struct glasso *whole = solve(&found, rho, false, 1e-9);
        assert_int_equal(glasso_edges(g), glasso_edges(whole));
        assert_int_equal(glasso_components(g), glasso_components(whole));
        assert_true(fabs(glasso_objective(g) - glasso_objective(whole)) < 1e-9);
        for (size_t i = 0; i < PATTERNS; i++) {
            assert_int_equal(glasso_degree(g, i), glasso_degree(whole, first[i]));
            for (size_t j = 0; j < PATTERNS; j++)
                assert_true(fabs(glasso_entry(g, i, j) -
                                 glasso_entry(whole, first[i], first[j])) < 1e-9);
        }
        glasso_free(g);
        glasso_free(whole);
    }
    struct glasso *none = NULL;
    const uint32_t empty[PATTERNS] = {1, 1, 0, 1, 1};
    said.copies = empty;
    assert_int_equal(glasso_new(&none, &said, &(struct glasso_options){.least = 1}), ERR_RANGE);
}

/* Equal variables that hang together only through others: no edge between them. */
static void copies_without_an_edge(void **state)
{
    (void)state;
    /* s_11 = s_22 = s_12 = 0.3 below the penalty; the third covaries with both above it. */
    const double s[] = {0.3, 0.3, 0.5, 0.3, 0.3, 0.5, 0.5, 0.5, 4.0};
    struct glasso_input in = {.count = 3, .cov = s};
    struct glasso *g = solve(&in, 0.4, false, 1e-10);
    assert_int_equal(glasso_distinct(g), 2);
    assert_true(fabs(glasso_entry(g, 0, 1)) < 1e-12);
    assert_true(glasso_entry(g, 0, 2) < 0.0);
    assert_true(violation(g, s, 3, 0.4, false) < 1e-9);
    assert_int_equal(glasso_edges(g), 2);
    assert_int_equal(glasso_degree(g, 2), 2);
    glasso_free(g);
}

/* Ten groups of ten act in the same three slots of 60 each, among 300 that act when they like.
 */
static void finds_planted_groups(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 7);
    enum {
        SLOTS = 60,
        PLANTED = 100,
        ALL = 400
    };
    double *x = calloc(ALL * SLOTS, sizeof *x);
    for (size_t i = 0; i < ALL * SLOTS; i++)
        x[i] = log(0.1);
    for (size_t i = 0; i < ALL; i++)
        for (size_t k = 0; k < 4; k++) {
            size_t own = rng_below(&r, SLOTS);
            size_t slot = i < PLANTED && k < 3 ? i / 10 * 6 + k : own;
            x[i * SLOTS + slot] = 0.0;
        }
    glasso_centre(x, ALL, SLOTS, SLOTS);
    struct glasso_input in = {.count = ALL, .samples = SLOTS, .rows = x};
    struct glasso *g = solve(&in, 0.22, false, 0);
    uint64_t right = 0;
    for (size_t i = 0; i < PLANTED; i++)
        for (size_t j = 0; j < i; j++)
            right += i / 10 == j / 10 && fabs(glasso_entry(g, i, j)) > 0.0;
    assert_true(right >= 427); /* of 450: 95 % */
    assert_true(glasso_edges(g) - right < 60);
    glasso_free(g);
    free(x);
}

static void independent_have_no_edges(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 3);
    enum {
        SAMPLES = 400,
        ALL = 60
    };
    double *x = calloc(ALL * SAMPLES, sizeof *x);
    for (size_t i = 0; i < ALL * SAMPLES; i++)
        x[i] = rng_normal(&r);
    glasso_centre(x, ALL, SAMPLES, SAMPLES);
    struct glasso_input in = {.count = ALL, .samples = SAMPLES, .rows = x};
    struct glasso *g = solve(&in, 0.25, false, 0); /* five standard deviations */
    assert_int_equal(glasso_edges(g), 0);
    assert_int_equal(glasso_components(g), ALL);
    glasso_free(g);
    free(x);
}

static void path_is_as_each_alone(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 11);
    enum {
        SLOTS = 12,
        ALL = 80
    };
    double x[ALL * SLOTS];
    for (size_t i = 0; i < ALL * SLOTS; i++)
        x[i] = log(fmax((double)rng_poisson(&r, 0.5), 0.1));
    glasso_centre(x, ALL, SLOTS, SLOTS);
    struct glasso_input in = {.count = ALL, .samples = SLOTS, .rows = x};
    struct glasso_options o = {.least = 0.4, .tolerance = 1e-9};
    struct glasso *path = NULL;
    assert_int_equal(glasso_new(&path, &in, &o), OK);
    uint64_t before = 0;
    for (int k = 9; k >= 4; k--) {
        double rho = k / 10.0;
        assert_int_equal(glasso_solve(path, rho), OK);
        struct glasso *alone = solve(&in, rho, false, 1e-9);
        assert_true(fabs(glasso_objective(path) - glasso_objective(alone)) < 1e-7);
        assert_int_equal(glasso_edges(path), glasso_edges(alone));
        assert_true(glasso_edges(path) > before);
        before = glasso_edges(path);
        glasso_free(alone);
    }
    assert_int_equal(glasso_solve(path, 0.8), OK); /* back up */
    assert_int_equal(glasso_solve(path, 0.3), ERR_RANGE);
    glasso_free(path);
}

static void refuses_nonsense(void **state)
{
    (void)state;
    const double s[] = {1, NAN, NAN, 1};
    const double zero[] = {0, 0, 0, 1};
    double row[] = {1, 2, 3, 4, 3, 2};
    struct glasso *g = NULL;
    struct glasso_input in = {.count = 2, .cov = s};
    struct glasso_options o = {.least = 0.5};
    assert_int_equal(glasso_new(&g, &in, &o), ERR_RANGE);
    in.cov = zero;
    o.bare_diagonal = true;
    assert_int_equal(glasso_new(&g, &in, &o), ERR_RANGE);
    in.rows = row;
    assert_int_equal(glasso_new(&g, &in, &o), ERR_RANGE);
    o = (struct glasso_options){.least = 0.0};
    in = (struct glasso_input){.count = 2, .samples = 3, .rows = row};
    assert_int_equal(glasso_new(&g, &in, &o), ERR_RANGE);
    o.least = INFINITY;
    assert_int_equal(glasso_new(&g, &in, &o), ERR_RANGE);
    in.count = 0;
    o.least = 1.0;
    assert_int_equal(glasso_new(&g, &in, &o), ERR_RANGE);
    assert_null(g);
}

static void caps_hold(void **state)
{
    (void)state;
    double s[100];
    for (size_t i = 0; i < 100; i++)
        s[i] = i % 11 == 0 ? 1.0 + (double)i / 1000.0 : 0.5;
    struct glasso_input in = {.count = 10, .cov = s};
    struct glasso_options o = {.least = 0.1, .component_most = 9};
    struct glasso *g = NULL;
    size_t largest = 0;
    assert_int_equal(glasso_new(&g, &in, &o), OK);
    assert_int_equal(glasso_solve(g, 0.6), OK);
    assert_int_equal(glasso_solve(g, 0.1), ERR_FULL);
    assert_int_equal(glasso_edges(g), 0); /* of 0.6 still */
    assert_int_equal(glasso_largest(g, 0.1, &largest), OK);
    assert_int_equal(largest, 10);
    glasso_free(g);
    o = (struct glasso_options){.least = 0.1, .pairs_most = 44};
    assert_int_equal(glasso_new(&g, &in, &o), ERR_FULL);
}

static const struct CMUnitTest tests[] = {
    SAYS("two variables come out as by hand", pair_by_hand),
    SAYS("one-packet hosts have an edge at 0.4 with one shared slot of twelve, at 0.9 with "
         "three",
        shared_slots),
    SAYS("100 random covariances have the solutions that R's glasso finds", as_r_does),
    SAYS("solutions meet the optimality conditions, with and without a penalised diagonal",
        meets_conditions),
    SAYS("equal variables solved as one are as if solved by themselves",
        copies_are_solved_as_one),
    SAYS("equal variables may be given as one row and their number", copies_may_be_said),
    SAYS("equal variables may hang together without an edge between them",
        copies_without_an_edge),
    SAYS("planted groups are found, with few edges beside them", finds_planted_groups),
    SAYS("independent variables have no edges", independent_have_no_edges),
    SAYS("a path of penalties gives what each gives alone", path_is_as_each_alone),
    SAYS("numbers that are none and penalties that are none are refused", refuses_nonsense),
    SAYS("a component or a number of pairs past its cap is refused", caps_hold),
};
TEST_MAIN(tests)
