#include "num/sdar.h"
#include "test.h"

#include <math.h>

static void one_step_by_hand(void **state)
{
    (void)state;
    struct sdar s;
    sdar_init(&s, 1, 0.5);
    double variance;
    /* 4: mu 4, C 0, guess 4, S 1/2. */
    assert_true(fabs(sdar_learn(&s, 4.0) - 0.5 * log(2.0 * M_PI * 0.5)) < 1e-12);
    /* 8: mu 6, C0 = 1/2 * 4 = 2, C1 = 1/2 * 2 * -2 = -2, so a = -1: guess 6 + 2 = 8, S 1/4. */
    assert_true(fabs(sdar_learn(&s, 8.0) - 0.5 * log(2.0 * M_PI * 0.25)) < 1e-12);
    assert_true(fabs(s.mean - 6.0) < 1e-12 && fabs(s.covariance[0] - 2.0) < 1e-12);
    assert_true(fabs(s.covariance[1] + 2.0) < 1e-12 && fabs(s.weights[0] + 1.0) < 1e-12);
    assert_true(fabs(sdar_predict(&s, &variance) - 4.0) < 1e-12);
    assert_true(fabs(variance - 0.25) < 1e-12);
}

/* From there, mean 6 and a = -1: missed are 4 and 8, so that the next is 4 again; each error
 * goes on with the weight of the first. A model that has not begun expects nothing. */
static void what_was_missed_by_hand(void **state)
{
    (void)state;
    struct sdar s;
    double variance;
    sdar_init(&s, 1, 0.5);
    assert_true(fabs(sdar_skip(&s, 3) - 1.0) < 1e-12);
    sdar_learn(&s, 4.0);
    sdar_learn(&s, 8.0);
    assert_true(fabs(sdar_skip(&s, 0) - 1.0) < 1e-12);
    assert_true(fabs(sdar_skip(&s, 2) - 3.0) < 1e-12);
    assert_true(fabs(s.past[0] - 8.0) < 1e-12);
    assert_true(fabs(sdar_predict(&s, &variance) - 4.0) < 1e-12);
    assert_true(fabs(sdar_skip(&s, 1) - 2.0) < 1e-12);
    assert_true(fabs(s.past[0] - 4.0) < 1e-12);
}

/* Made by changefinder_reference.py, which shares no code with num/sdar.c: number of the value,
 * value, loss, smoothed loss of the losses. */
static const struct {
    int at;
    double value, loss, change;
} reference[] = {
    {0, 23.930924290791, 0.916432262293, 0.916432262293},
    {1, 22.398372859073, 2.080489446263, 1.000148332637},
    {2, 25.177135210928, 0.946112244725, 0.971317324107},
    {15, 29.290016141989, 3.275422565492, 0.966864808751},
    {40, 19.674832141212, 2.373952683558, 0.883478288436},
    {79, 18.261287104249, 1.983051207543, 0.761282904448},
    {80, 35.861213047862, 40.405239847661, 2.884729319370},
    {85, 33.669441212345, 1.575652114545, 1.135152602474},
    {100, 43.641307466176, 3.871956142152, 0.921078949658},
    {119, 33.743187696599, 2.286883116172, 0.761860842310},
};

static void agrees_with_another(void **state)
{
    (void)state;
    struct changefinder c;
    struct sdar alone;
    changefinder_init(&c);
    sdar_init(&alone, 2, 0.005);
    uint64_t random = 12345;
    size_t row = 0;
    for (int t = 0; t < 120; t++) {
        random = (1103515245 * random + 12345) % (UINT64_C(1) << 31);
        double x = 20.0 + (t >= 80 ? 15.0 : 0.0) + (double)random / 2147483648.0 * 6.0 +
                   4.0 * sin(t / 7.0);
        double loss = sdar_learn(&alone, x);
        double change = changefinder_step(&c, x);
        assert_true(isnan(change) == (t < CHANGEFINDER_IGNORED));
        if (reference[row].at != t)
            continue;
        assert_true(fabs(x - reference[row].value) < 1e-9);
        assert_true(fabs(loss - reference[row].loss) < 1e-9);
        if (t >= CHANGEFINDER_IGNORED)
            assert_true(fabs(change - reference[row].change) < 1e-9);
        row++;
    }
    assert_int_equal(row, sizeof reference / sizeof *reference);
}

/* x_t = 0.6 x_{t-1} - 0.2 x_{t-2} + noise of variance 1: the estimates find it again. */
static void learns_a_known_process(void **state)
{
    (void)state;
    struct sdar s;
    sdar_init(&s, 2, 0.0005);
    uint64_t random = 7;
    double one = 0.0, two = 0.0;
    for (int t = 0; t < 60000; t++) {
        double noise = 0.0;
        for (int k = 0; k < 12; k++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            noise += (double)(random >> 33) / 2147483648.0;
        }
        double x = 0.6 * one - 0.2 * two + noise - 6.0;
        two = one;
        one = x;
        sdar_learn(&s, x);
    }
    double variance;
    sdar_predict(&s, &variance);
    assert_true(fabs(s.weights[0] - 0.6) < 0.06 && fabs(s.weights[1] + 0.2) < 0.06);
    assert_true(fabs(variance - 1.0) < 0.1);
}

static void a_constant_is_no_change(void **state)
{
    (void)state;
    struct changefinder c;
    changefinder_init(&c);
    for (int t = 0; t < 20000; t++) {
        double score = changefinder_step(&c, 7.0);
        assert_true(t < CHANGEFINDER_IGNORED || (isfinite(score) && score < 3.0));
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("of values that were missed what was expected stands for them",
        what_was_missed_by_hand),
    SAYS("two steps agree with a calculation by hand", one_step_by_hand),
    SAYS("losses and change scores agree with an independent program", agrees_with_another),
    SAYS("a known autoregressive process is found again", learns_a_known_process),
    SAYS("a constant series is no change and gives finite scores", a_constant_is_no_change),
};
TEST_MAIN(tests)
