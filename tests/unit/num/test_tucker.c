#include "num/tucker.h"
#include "test.h"

#include <math.h>

static void *take(struct arena *a, size_t count, size_t size)
{
    void *room = arena_take(a, count, size);
    assert_non_null(room);
    return room;
}

static double model(const struct tucker *f, const uint32_t *index)
{
    double sum = 0.0;
    for (size_t c = 0; c < f->core_count; c++) {
        double product = f->core[c];
        size_t rest = c;
        for (unsigned m = f->modes; m-- > 0; rest /= f->rank[m])
            product *= f->factor[m][rest % f->rank[m] * f->size[m] + index[m]];
        sum += product;
    }
    return sum;
}

/* Loss by going through every cell of a three-mode tensor. */
static double loss_of(const struct tucker *f, const struct cells *t, struct arena *a)
{
    double *dense = take(a, t->size[0] * t->size[1] * t->size[2], sizeof *dense);
    for (size_t e = 0; e < t->count; e++)
        dense[(t->index[e * 3] * t->size[1] + t->index[e * 3 + 1]) * t->size[2] +
              t->index[e * 3 + 2]] += t->value[e];
    double loss = 0.0;
    for (uint32_t i = 0; i < t->size[0]; i++)
        for (uint32_t j = 0; j < t->size[1]; j++)
            for (uint32_t k = 0; k < t->size[2]; k++) {
                double v = dense[(i * t->size[1] + j) * t->size[2] + k];
                double m = model(f, (uint32_t[]){i, j, k});
                loss += (v > 0.0 ? v * log(v / m) : 0.0) - v + m;
            }
    return loss;
}

/* Two groups that share nothing, by hand: hosts 0 and 1 on port 0 at time 0, host 2 on port 1
 * at time 1, each three times. Two parts a mode explain it exactly, and the core pairs them. */
static void two_groups_by_hand(void **state)
{
    (void)state;
    static const uint32_t index[] = {0, 0, 0, 1, 0, 0, 2, 1, 1};
    static const double value[] = {3, 3, 3};
    const struct cells t = {
        .modes = 3, .size = {3, 2, 2}, .count = 3, .index = index, .value = value};
    struct arena a;
    struct rng r;
    struct tucker f;
    arena_init(&a, 1 << 20);
    rng_seed(&r, 1);
    struct tucker_options o = {
        .rank = {2, 2, 2}, .restarts = 4, .iterations = 200, .tolerance = 1e-12};
    assert_int_equal(tucker_fit(&t, &o, &r, &a, &f), OK);
    assert_true(f.loss < 1e-3);
    struct tucker_block blocks[8];
    tucker_blocks(&f, blocks);
    double shares[2] = {0};
    for (size_t b = 0; b < 8; b++) {
        if (blocks[b].share < 0.01)
            continue;
        const double *hosts = f.factor[0] + blocks[b].part[0] * 3;
        const double *ports = f.factor[1] + blocks[b].part[1] * 2;
        const double *times = f.factor[2] + blocks[b].part[2] * 2;
        bool first = ports[0] > 0.5;
        assert_true((hosts[0] > 0.5) == first && (hosts[1] > 0.5) == first);
        assert_true((hosts[2] > 0.5) != first);
        assert_true((times[0] > 0.5) == first);
        shares[first] += blocks[b].share;
    }
    assert_true(fabs(shares[1] - 2.0 / 3.0) < 1e-3 && fabs(shares[0] - 1.0 / 3.0) < 1e-3);
    arena_done(&a);
}

enum {
    PLANTED = 5
};

struct planted {
    struct cells t;
    double *factor[3];
};

/* Five groups of hosts, ports and times that overlap a little; the core pairs host group g with
 * port group pair[g] and time group g, and host group 0 with two port groups. */
static struct planted plant(struct arena *a, struct rng *r, double size, double noise)
{
    static const size_t sizes[3] = {40, 15, 25};
    static const unsigned pair[PLANTED] = {3, 1, 4, 0, 2};
    struct planted p = {.t = {.modes = 3, .size = {40, 15, 25}}};
    for (unsigned m = 0; m < 3; m++) {
        p.factor[m] = take(a, PLANTED * sizes[m], sizeof(double));
        for (unsigned g = 0; g < PLANTED; g++)
            for (size_t i = 0; i < sizes[m]; i++)
                p.factor[m][g * sizes[m] + i] =
                    i % PLANTED == g || rng_below(r, 20) == 0 ? 0.5 + 0.5 * rng_unit(r) : 0.0;
    }
    uint32_t *index = take(a, 3 * 40 * 15 * 25, sizeof *index);
    double *value = take(a, (size_t)40 * 15 * 25, sizeof *value);
    for (uint32_t i = 0; i < 40; i++)
        for (uint32_t j = 0; j < 15; j++)
            for (uint32_t k = 0; k < 25; k++) {
                double mean = noise;
                for (unsigned g = 0; g < PLANTED; g++)
                    mean += size * p.factor[0][g * 40 + i] *
                            (p.factor[1][pair[g] * 15 + j] +
                                (g == 0 ? p.factor[1][pair[1] * 15 + j] : 0.0)) *
                            p.factor[2][g * 25 + k];
                double v = (double)rng_poisson(r, mean);
                if (v < 0.5)
                    continue;
                memcpy(index + 3 * p.t.count, (uint32_t[]){i, j, k}, 3 * sizeof *index);
                value[p.t.count++] = v;
            }
    p.t.index = index;
    p.t.value = value;
    return p;
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

/* 10 worlds, 5 groups in 3 modes: a part is found if its congruence (cosine) with one of the
 * fit's is 0.95 or more. At least 143 of 150. */
static void planted_groups_are_found(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 28);
    unsigned found = 0;
    for (unsigned seed = 0; seed < 10; seed++) {
        arena_clear(&a);
        struct rng r;
        struct tucker f;
        rng_seed(&r, 300 + seed);
        struct planted p = plant(&a, &r, 4.0, 0.01);
        struct tucker_options o = {
            .rank = {5, 5, 5}, .restarts = 8, .iterations = 60, .tolerance = 1e-5};
        assert_int_equal(tucker_fit(&p.t, &o, &r, &a, &f), OK);
        for (unsigned m = 0; m < 3; m++)
            for (unsigned g = 0; g < PLANTED; g++) {
                double best = 0.0;
                for (unsigned q = 0; q < 5; q++)
                    best = fmax(best, cosine(p.factor[m] + g * f.size[m],
                                          f.factor[m] + q * f.size[m], f.size[m]));
                found += best >= 0.95;
            }
    }
    print_message("# %u of 150 planted parts found\n", found);
    assert_true(found >= 143);
    arena_done(&a);
}

static void loss_never_rises(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 28);
    for (unsigned seed = 0; seed < 4; seed++) {
        arena_clear(&a);
        struct rng r;
        struct tucker f;
        rng_seed(&r, 400 + seed);
        struct planted p = plant(&a, &r, seed & 1 ? 0.3 : 3.0, 0.02);
        double trace[41];
        struct tucker_options o = {.rank = {5, 4, 3},
            .restarts = 2,
            .iterations = 40,
            .tolerance = -1.0,
            .trace = trace};
        assert_int_equal(tucker_fit(&p.t, &o, &r, &a, &f), OK);
        assert_int_equal(f.iterations, 40);
        for (unsigned i = 1; i <= 40; i++)
            assert_true(trace[i] <= trace[i - 1] * (1.0 + 1e-12));
        assert_true(fabs(loss_of(&f, &p.t, &a) - f.loss) < 1e-8 * f.loss);
        for (unsigned m = 0; m < 3; m++)
            for (unsigned q = 0; q < f.rank[m]; q++) {
                double most = 0.0;
                for (size_t i = 0; i < f.size[m]; i++)
                    most = fmax(most, f.factor[m][q * f.size[m] + i]);
                assert_true(most < 1e-12 || fabs(most - 1.0) < 1e-12);
            }
    }
    arena_done(&a);
}

/* With one part a mode, the best model of counts is the product of the margins. */
static void one_part_is_independence(void **state)
{
    (void)state;
    static const uint32_t index[] = {0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1};
    static const double value[] = {1, 2, 3, 4, 5};
    static const double margin[3][2] = {{3, 12}, {6, 9}, {5, 10}};
    const struct cells t = {
        .modes = 3, .size = {2, 2, 2}, .count = 5, .index = index, .value = value};
    struct arena a;
    struct rng r;
    struct tucker f;
    arena_init(&a, 1 << 20);
    rng_seed(&r, 1);
    struct tucker_options o = {
        .rank = {1, 1, 1}, .restarts = 1, .iterations = 50, .tolerance = -1.0};
    assert_int_equal(tucker_fit(&t, &o, &r, &a, &f), OK);
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t at[3] = {i & 1, i >> 1 & 1, i >> 2};
        double want = margin[0][at[0]] * margin[1][at[1]] * margin[2][at[2]] / 225.0;
        assert_true(fabs(model(&f, at) - want) < 1e-6);
    }
    arena_done(&a);
}

static void two_to_four_modes(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 22);
    static const uint32_t index[] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 1};
    static const double value[] = {4, 5, 6, 1};
    for (unsigned modes = 2; modes <= 4; modes++) {
        uint32_t cut[16];
        for (size_t e = 0; e < 4; e++)
            memcpy(cut + e * modes, index + e * 4, modes * sizeof *cut);
        const struct cells t = {
            .modes = modes, .size = {3, 3, 3, 3}, .count = 4, .index = cut, .value = value};
        struct rng r;
        struct tucker f;
        rng_seed(&r, 5);
        struct tucker_options o = {
            .rank = {3, 3, 3, 3}, .restarts = 6, .iterations = 300, .tolerance = 1e-12};
        assert_int_equal(tucker_fit(&t, &o, &r, &a, &f), OK);
        assert_true(f.loss < 0.01);
    }
    arena_done(&a);
}

static void same_seed_same_bits(void **state)
{
    (void)state;
    double loss[2];
    for (unsigned turn = 0; turn < 2; turn++) {
        struct arena a;
        struct rng r;
        struct tucker f;
        arena_init(&a, 1 << 28);
        rng_seed(&r, 9);
        struct planted p = plant(&a, &r, 1.0, 0.01);
        struct tucker_options o = {.rank = {4, 4, 4}, .restarts = 2, .iterations = 10};
        assert_int_equal(tucker_fit(&p.t, &o, &r, &a, &f), OK);
        loss[turn] = f.loss;
        arena_done(&a);
    }
    assert_memory_equal(&loss[0], &loss[1], sizeof loss[0]);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const uint32_t index[] = {0, 0, 2};
    static const double value[] = {1.0, -1.0, NAN, 0.0};
    struct arena a;
    struct rng r;
    struct tucker f;
    arena_init(&a, 1 << 20);
    rng_seed(&r, 1);
    const struct tucker_options o = {.rank = {1, 1, 1}, .restarts = 1, .iterations = 5};
    struct cells t = {
        .modes = 3, .size = {1, 1, 2}, .count = 1, .index = index, .value = value};
    assert_int_equal(tucker_fit(&t, &o, &r, &a, &f), ERR_RANGE); /* index 2 of 2 */
    t.size[2] = 3;
    assert_int_equal(tucker_fit(&t, &o, &r, &a, &f), OK);
    for (size_t i = 1; i < 4; i++) {
        t.value = value + i;
        assert_int_equal(tucker_fit(&t, &o, &r, &a, &f), ERR_RANGE);
    }
    t.value = value;
    struct tucker_options wide = o;
    wide.rank[0] = 2; /* more parts than places */
    assert_int_equal(tucker_fit(&t, &wide, &r, &a, &f), ERR_RANGE);
    t.count = 0;
    assert_int_equal(tucker_fit(&t, &o, &r, &a, &f), ERR_RANGE);
    arena_done(&a);
}

/* Nine values around 0.1 and three around 0.9: the threshold lies between. */
static void otsu_splits_two_crowds(void **state)
{
    (void)state;
    static const double values[] = {
        0.05, 0.1, 0.1, 0.12, 0.08, 0.11, 0.09, 0.1, 0.13, 0.9, 0.95, 0.85, 0.0, 1e-12};
    double threshold = otsu_threshold(values, sizeof values / sizeof *values);
    assert_true(threshold > 0.13 && threshold <= 0.85);
    assert_true(fabs(otsu_threshold(values, 0) - 0.5) < 1e-12);
    static const double same[] = {0.7, 0.7, 0.7};
    assert_true(fabs(otsu_threshold(same, 3) - 0.5) < 1e-12);
}

static const struct CMUnitTest tests[] = {
    SAYS("two groups that share nothing are told apart, and the core pairs their parts",
        two_groups_by_hand),
    SAYS("143 of 150 planted parts are found with a congruence of 0.95",
        planted_groups_are_found),
    SAYS("the loss never rises, and the largest of each part is 1", loss_never_rises),
    SAYS("one part a mode is the product of the margins", one_part_is_independence),
    SAYS("two, three and four modes", two_to_four_modes),
    SAYS("the same seed gives the same bits", same_seed_same_bits),
    SAYS("cells outside, values that are no counts and too many parts are refused",
        what_does_not_fit_is_refused),
    SAYS("Otsu's threshold lies between two crowds", otsu_splits_two_crowds),
};
TEST_MAIN(tests)
