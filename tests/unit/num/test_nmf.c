/* Expected losses: nmf_golden.py beside this file (scikit-learn 1.2.1, solver "mu"). */
#include "num/nmf.h"
#include "test.h"

#include <math.h>

enum {
    ROWS = 12,
    COLS = 9,
    RANK = 3
};

static void *take(struct arena *a, size_t count, size_t size)
{
    void *room = arena_take(a, count, size);
    assert_non_null(room);
    return room;
}

/* The same matrix without its zeros. */
static struct matrix sparse_of(const struct matrix *m, struct arena *a)
{
    double *value = take(a, m->rows * m->cols, sizeof *value);
    uint32_t *column = take(a, m->rows * m->cols, sizeof *column);
    size_t *first = take(a, m->rows + 1, sizeof *first);
    size_t count = 0;
    for (size_t i = 0; i < m->rows; i++) {
        for (size_t j = 0; j < m->cols; j++)
            if (m->value[i * m->cols + j] > 0.0) {
                value[count] = m->value[i * m->cols + j];
                column[count++] = (uint32_t)j;
            }
        first[i + 1] = count;
    }
    return (struct matrix){
        .rows = m->rows, .cols = m->cols, .value = value, .column = column, .first = first};
}

static struct matrix golden_matrix(struct arena *a)
{
    double *v = take(a, ROWS * COLS, sizeof *v);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < COLS; j++)
            v[i * COLS + j] = (double)((7 * i * i + 3 * j * j + 5 * i * j) % 11);
    return (struct matrix){.rows = ROWS, .cols = COLS, .value = v};
}

static struct nmf golden_start(struct arena *a)
{
    struct nmf f = {.rows = ROWS, .cols = COLS, .rank = RANK};
    f.w = take(a, ROWS * RANK, sizeof *f.w);
    f.h = take(a, COLS * RANK, sizeof *f.h);
    for (size_t k = 0; k < RANK; k++) {
        for (size_t i = 0; i < ROWS; i++)
            f.w[k * ROWS + i] = 1.0 + (double)((i + 2 * k) % 5) / 7.0;
        for (size_t j = 0; j < COLS; j++)
            f.h[k * COLS + j] = 1.0 + (double)((3 * j + k) % 4) / 9.0;
    }
    return f;
}

static double model(const struct nmf *f, size_t i, size_t j)
{
    double m = 0.0;
    for (size_t k = 0; k < f->rank; k++)
        m += f->w[k * f->rows + i] * f->h[k * f->cols + j];
    return m;
}

static double loss_of(const struct nmf *f, const struct matrix *dense, enum nmf_loss loss)
{
    double sum = 0.0;
    for (size_t i = 0; i < f->rows; i++)
        for (size_t j = 0; j < f->cols; j++) {
            double v = dense->value[i * f->cols + j];
            double m = model(f, i, j);
            if (loss == NMF_SQUARE)
                sum += 0.5 * (v - m) * (v - m);
            else
                sum += (v > 0.0 ? v * log(v / m) : 0.0) - v + m;
        }
    return sum;
}

static void agrees_with_scikit_learn(void **state)
{
    (void)state;
    static const struct {
        enum nmf_loss loss;
        unsigned iterations;
        double value;
    } rows[] = {
        {NMF_SQUARE, 1, 396.689114733357},
        {NMF_SQUARE, 10, 334.230684132789},
        {NMF_SQUARE, 100, 180.445223075556},
        {NMF_POISSON, 1, 87.2938899928828},
        {NMF_POISSON, 10, 75.4691374384331},
        {NMF_POISSON, 100, 39.4079295386596},
    };
    struct arena a;
    arena_init(&a, 1 << 24);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned sparse = 0; sparse < 2; sparse++) {
            arena_clear(&a);
            struct matrix dense = golden_matrix(&a);
            struct matrix v = sparse ? sparse_of(&dense, &a) : dense;
            struct nmf f = golden_start(&a);
            struct nmf_options o = {.loss = rows[i].loss,
                .method = NMF_MULTIPLY,
                .iterations = rows[i].iterations,
                .tolerance = -1.0};
            assert_int_equal(nmf_fit(&f, &v, &o, &a), OK);
            assert_int_equal(f.iterations, rows[i].iterations);
            assert_true(fabs(f.loss - rows[i].value) < 1e-9 * rows[i].value);
            assert_true(fabs(loss_of(&f, &dense, o.loss) - f.loss) < 1e-9 * f.loss);
        }
    arena_done(&a);
}

/* One part and counts: the best Kullback-Leibler model is the product of the margins over the
 * sum, which is reached in one step. By hand: rows 6, 15, columns 5, 7, 9, sum 21. */
static void one_part_is_independence(void **state)
{
    (void)state;
    static const double value[] = {1, 2, 3, 4, 5, 6};
    const struct matrix v = {.rows = 2, .cols = 3, .value = value};
    struct arena a;
    struct rng r;
    struct nmf f;
    arena_init(&a, 1 << 20);
    rng_seed(&r, 1);
    assert_int_equal(nmf_start_random(&v, 1, &r, &a, &f), OK);
    struct nmf_options o = {.loss = NMF_POISSON, .iterations = 30, .tolerance = 1e-14};
    assert_int_equal(nmf_fit(&f, &v, &o, &a), OK);
    static const double rows[] = {6, 15};
    static const double cols[] = {5, 7, 9};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 3; j++)
            assert_true(fabs(model(&f, i, j) - rows[i] * cols[j] / 21.0) < 1e-6);
    arena_done(&a);
}

/* Counts around a product of `rank` parts, each of which has rows and columns to itself and
 * some that it shares. */
static struct matrix planted(struct arena *a, struct rng *r, size_t rows, size_t cols,
    unsigned rank, double size, double noise, double *w, double *h)
{
    double *v = take(a, rows * cols, sizeof *v);
    for (unsigned k = 0; k < rank; k++) {
        for (size_t i = 0; i < rows; i++)
            w[k * rows + i] =
                i % (rank + 1) == k || rng_below(r, 12) == 0 ? 0.5 + rng_unit(r) : 0.0;
        for (size_t j = 0; j < cols; j++)
            h[k * cols + j] =
                j % (rank + 2) == k || rng_below(r, 12) == 0 ? 0.5 + rng_unit(r) : 0.0;
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
            double m = noise;
            for (unsigned k = 0; k < rank; k++)
                m += size * w[k * rows + i] * h[k * cols + j];
            v[i * cols + j] = (double)rng_poisson(r, m);
        }
    return (struct matrix){.rows = rows, .cols = cols, .value = v};
}

static void never_rises(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 26);
    for (unsigned seed = 0; seed < 32; seed++) {
        arena_clear(&a);
        struct rng r;
        rng_seed(&r, seed);
        double *w = take(&a, 5 * 60, sizeof *w);
        double *h = take(&a, 5 * 37, sizeof *h);
        struct matrix dense = planted(&a, &r, 60, 37, 5, seed & 8 ? 0.2 : 5.0, 0.05, w, h);
        struct matrix v = seed & 1 ? sparse_of(&dense, &a) : dense;
        double trace[61];
        struct nmf_options o = {.loss = seed & 2 ? NMF_POISSON : NMF_SQUARE,
            .method = seed & 4 ? NMF_MULTIPLY : NMF_DESCENT,
            .iterations = 60,
            .tolerance = -1.0,
            .trace = trace};
        struct nmf f;
        enum err e = seed & 16 ? nmf_start_singular(&v, 6, &r, &a, &f)
                               : nmf_start_random(&v, 6, &r, &a, &f);
        assert_int_equal(e, OK);
        assert_int_equal(nmf_fit(&f, &v, &o, &a), OK);
        for (unsigned i = 1; i <= 60; i++)
            if (trace[i] > trace[i - 1] * (1.0 + 1e-12))
                fail_msg("seed %u, iteration %u: %.15g after %.15g", seed, i, trace[i],
                    trace[i - 1]);
        assert_true(trace[60] < 0.9 * trace[0]);
        assert_true(fabs(loss_of(&f, &dense, o.loss) - f.loss) < 1e-8 * f.loss);
    }
    arena_done(&a);
}

/* Karush-Kuhn-Tucker: the gradient is zero where a weight is not, and not negative where it is.
 */
static void ends_where_no_weight_can_improve(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 26);
    for (unsigned loss = 0; loss < 2; loss++) {
        struct matrix v = golden_matrix(&a);
        struct nmf f = golden_start(&a);
        struct nmf_options o = {
            .loss = (enum nmf_loss)loss, .iterations = 5000, .tolerance = -1.0};
        assert_int_equal(nmf_fit(&f, &v, &o, &a), OK);
        for (size_t k = 0; k < RANK; k++)
            for (size_t i = 0; i < ROWS; i++) {
                double gradient = 0.0;
                double scale = 0.0;
                for (size_t j = 0; j < COLS; j++) {
                    double m = model(&f, i, j);
                    double h = f.h[k * COLS + j];
                    double share = m > 0.0 ? v.value[i * COLS + j] / m : 0.0;
                    gradient += loss == NMF_SQUARE ? h * (m - v.value[i * COLS + j])
                                                   : h * (1.0 - share);
                    scale += loss == NMF_SQUARE ? h * m : h;
                }
                if (f.w[k * ROWS + i] > 1e-3)
                    assert_true(fabs(gradient) < 1e-3 * scale);
                else
                    assert_true(gradient > -1e-3 * scale);
            }
    }
    arena_done(&a);
}

static double cosine(const double *x, const double *y, size_t n)
{
    double xy = 0.0;
    double xx = 0.0;
    double yy = 0.0;
    for (size_t i = 0; i < n; i++) {
        xy += x[i] * y[i];
        xx += x[i] * x[i];
        yy += y[i] * y[i];
    }
    return xy / sqrt(xx * yy + 1e-300);
}

/* 50 worlds, 4 parts of about 3 counts a cell over noise of 0.2: a part is found again if both
 * its rows and its columns agree to a cosine of 0.95 with one of the fit. At least 190 of 200.
 */
static void finds_what_was_planted(void **state)
{
    (void)state;
    unsigned found = 0;
    struct arena a;
    arena_init(&a, 1 << 26);
    for (unsigned seed = 0; seed < 50; seed++) {
        arena_clear(&a);
        struct rng r;
        rng_seed(&r, 100 + seed);
        double *w = take(&a, 4 * 80, sizeof *w);
        double *h = take(&a, 4 * 60, sizeof *h);
        struct matrix dense = planted(&a, &r, 80, 60, 4, 3.0, 0.2, w, h);
        struct matrix v = seed & 1 ? sparse_of(&dense, &a) : dense;
        struct nmf f;
        assert_int_equal(nmf_start_singular(&v, 4, &r, &a, &f), OK);
        struct nmf_options o = {.loss = NMF_POISSON, .iterations = 200, .tolerance = 1e-7};
        assert_int_equal(nmf_fit(&f, &v, &o, &a), OK);
        for (unsigned k = 0; k < 4; k++) {
            bool here = false;
            for (unsigned p = 0; p < 4; p++)
                here = here || (cosine(w + k * 80, f.w + p * 80, 80) > 0.95 &&
                                   cosine(h + k * 60, f.h + p * 60, 60) > 0.95);
            found += here;
        }
    }
    arena_done(&a);
    print_message("# %u of 200 planted parts found\n", found);
    assert_true(found >= 190);
}

static void same_seed_same_bits(void **state)
{
    (void)state;
    double loss[2];
    for (unsigned turn = 0; turn < 2; turn++) {
        struct arena a;
        struct rng r;
        struct nmf f;
        arena_init(&a, 1 << 24);
        rng_seed(&r, 3);
        struct matrix v = golden_matrix(&a);
        assert_int_equal(nmf_start_singular(&v, 4, &r, &a, &f), OK);
        struct nmf_options o = {.loss = NMF_POISSON, .iterations = 50};
        assert_int_equal(nmf_fit(&f, &v, &o, &a), OK);
        loss[turn] = f.loss;
        arena_done(&a);
    }
    assert_memory_equal(&loss[0], &loss[1], sizeof loss[0]);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct arena a;
    struct rng r;
    struct nmf f;
    arena_init(&a, 1 << 20);
    rng_seed(&r, 1);
    static const double bad[][4] = {{1, -1, 2, 3}, {1, NAN, 2, 3}, {1, INFINITY, 2, 3}};
    for (size_t i = 0; i < 3; i++) {
        const struct matrix v = {.rows = 2, .cols = 2, .value = bad[i]};
        assert_int_equal(nmf_start_random(&v, 1, &r, &a, &f), ERR_RANGE);
    }
    static const double good[] = {1, 2, 3, 4};
    static const uint32_t turned[] = {1, 0};
    static const size_t first[] = {0, 2, 2};
    const struct matrix wrong = {
        .rows = 2, .cols = 2, .value = good, .column = turned, .first = first};
    assert_int_equal(nmf_start_random(&wrong, 1, &r, &a, &f), ERR_RANGE);
    const struct matrix v = {.rows = 2, .cols = 2, .value = good};
    assert_int_equal(nmf_start_random(&v, 0, &r, &a, &f), ERR_RANGE);
    assert_int_equal(nmf_start_random(&v, 3, &r, &a, &f), ERR_RANGE);
    struct arena small;
    arena_init(&small, 40);
    assert_int_equal(nmf_start_random(&v, 2, &r, &small, &f), ERR_NOMEM);
    arena_done(&small);
    arena_done(&a);
}

/* Rows and columns without anything, and a matrix of zeros. */
static void empty_rows_do_no_harm(void **state)
{
    (void)state;
    struct arena a;
    struct rng r;
    struct nmf f;
    arena_init(&a, 1 << 20);
    rng_seed(&r, 1);
    static const double some[] = {0, 0, 0, 0, 5, 0, 0, 0, 0};
    static const double none[9] = {0};
    for (unsigned i = 0; i < 4; i++) {
        const struct matrix v = {.rows = 3, .cols = 3, .value = i & 1 ? some : none};
        struct nmf_options o = {.loss = i & 2 ? NMF_POISSON : NMF_SQUARE, .iterations = 50};
        assert_int_equal(nmf_start_random(&v, 2, &r, &a, &f), OK);
        assert_int_equal(nmf_fit(&f, &v, &o, &a), OK);
        assert_true(isfinite(f.loss) && f.loss < 1e-3);
    }
    arena_done(&a);
}

static const struct CMUnitTest tests[] = {
    SAYS("multiplicative updates give scikit-learn's losses, dense and sparse",
        agrees_with_scikit_learn),
    SAYS("one part of counts is the product of the margins", one_part_is_independence),
    SAYS("the loss never rises, whatever the loss, the method and the start", never_rises),
    SAYS("it ends where no weight can improve", ends_where_no_weight_can_improve),
    SAYS("190 of 200 planted parts are found again", finds_what_was_planted),
    SAYS("the same seed gives the same bits", same_seed_same_bits),
    SAYS("negative, infinite and unordered input is refused", what_does_not_fit_is_refused),
    SAYS("empty rows and columns do no harm", empty_rows_do_no_harm),
};
TEST_MAIN(tests)
