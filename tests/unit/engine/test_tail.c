#include "base/rng.h"
#include "engine/tail.h"
#include "test.h"

#include <math.h>

/* Scores of a model that is right have P(score >= s) = 10^-s; `wide` stretches them. */
static struct tail filled(uint64_t seed, int count, double wide)
{
    struct tail t = {0};
    struct rng r;
    rng_seed(&r, seed);
    for (int i = 0; i < count; i++)
        tail_add(&t, rng_exponential(&r) / M_LN10 * wide);
    return t;
}

static void a_good_model_is_believed(void **state)
{
    (void)state;
    struct tail empty = {0};
    assert_true(fabs(tail_correct(&empty, 9.0) - 9.0) < 0.3);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct tail t = filled(seed, 1000000, 1.0);
        assert_true(tail_correct(&t, 1.0) == 1.0);
        assert_true(tail_correct(&t, 8.0) <= 8.0 && tail_correct(&t, 8.0) > 7.2);
    }
}

/* Stretched by 1.5: P(score >= s) = 10^(-s / 1.5), so 9 is worth 6. */
static void a_bad_model_is_not(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct tail t = filled(seed, 1000000, 1.5);
        double corrected = tail_correct(&t, 9.0);
        if (!(corrected > 5.4 && corrected < 6.4))
            fail_msg("9 became %g", corrected);
    }
}

static void events_do_not_move_it(void **state)
{
    (void)state;
    struct tail t = filled(3, 300000, 1.0);
    double before = tail_correct(&t, 8.0);
    for (int i = 0; i < 20; i++)
        tail_add(&t, 15.0);
    assert_true(tail_correct(&t, 8.0) > before - 0.5);
}

static void order_is_kept(void **state)
{
    (void)state;
    struct tail t = filled(4, 100000, 2.0);
    double last = -1.0;
    for (double s = 0.0; s < 40.0; s += 0.1) {
        double now = tail_correct(&t, s);
        assert_true(now >= last - 1e-9 && now <= s + 1e-9);
        last = fmax(last, now);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("scores of a good model are believed", a_good_model_is_believed),
    SAYS("scores of a model with too thin a tail lose what they are not worth",
        a_bad_model_is_not),
    SAYS("a few real events do not change what scores are worth", events_do_not_move_it),
    SAYS("a larger score is never worth less", order_is_kept),
};
TEST_MAIN(tests)
