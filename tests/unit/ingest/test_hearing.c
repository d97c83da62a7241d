#include "ingest/hearing.h"

#include "base/rng.h"

#include "test.h"

static const uint64_t all = (UINT64_C(1) << HEARING_SLOTS) - 1;

/* So many packets at random moments of a window. */
static uint64_t some(struct rng *r, unsigned packets)
{
    uint64_t slots = 0;
    for (unsigned i = 0; i < packets; i++)
        slots |= UINT64_C(1) << rng_below(r, HEARING_SLOTS);
    return slots;
}

static struct hearing of_windows(struct rng *r, unsigned windows, unsigned packets)
{
    struct hearing h = {0};
    for (unsigned i = 0; i < windows; i++)
        hearing_learn(&h, packets, some(r, packets));
    return h;
}

static void silence_of_a_busy_site(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 1);
    struct hearing h = of_windows(&r, 36, 1000);
    assert_true(hearing_is_cut(&h, 0, 0));
    assert_true(hearing_is_cut(&h, 900, all >> 6));                 /* the end is missing */
    assert_true(hearing_is_cut(&h, 900, all << 6 & all));           /* the beginning */
    assert_true(hearing_is_cut(&h, 900, all & ~(all >> 54 << 20))); /* a minute of the middle */
    assert_true(hearing_is_cut(&h, 40, 3));
    assert_false(hearing_is_cut(&h, 900, all >> 5));
    assert_false(hearing_is_cut(&h, 500, all & ~UINT64_C(0x10101010101010)));
}

static void silence_of_a_quiet_site(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 2);
    struct hearing h = of_windows(&r, 36, 15);
    assert_false(hearing_is_cut(&h, 0, 0));
    assert_false(hearing_is_cut(&h, 4, 1));
    assert_false(hearing_is_cut(&h, 9, all >> 40));
    struct hearing known_too_little = of_windows(&r, 5, 1000);
    assert_false(hearing_is_cut(&known_too_little, 0, 0));
    assert_false(hearing_is_cut(&known_too_little, 40, 3));
}

/* Sites of every size, a thousand windows each: no silence that chance makes cuts one. */
static void chance_cuts_nothing(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 3);
    static const unsigned sizes[] = {20, 40, 70, 100, 150, 250, 400, 1000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct hearing h = {0};
        for (unsigned i = 0; i < 1000; i++) {
            uint64_t slots = some(&r, sizes[k]);
            assert_false(hearing_is_cut(&h, sizes[k], slots));
            hearing_learn(&h, sizes[k], slots);
        }
    }
}

/* What goes on becomes what is usual: nobody is deaf for ever. */
static void a_new_rhythm_is_learned(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 4);
    struct hearing h = of_windows(&r, 36, 1000);
    unsigned cut = 0;
    for (unsigned i = 0; i < 36; i++) {
        cut += hearing_is_cut(&h, 500, all >> 30);
        hearing_learn(&h, 500, all >> 30);
    }
    assert_true(cut >= 6 && cut <= 30);
    assert_false(hearing_is_cut(&h, 500, all >> 30));
}

/* However often a site is deaf for a part of a window, what it usually hears stays known. */
static void cut_windows_teach_nothing(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 5);
    struct hearing h = of_windows(&r, 36, 1000);
    for (unsigned i = 0; i < 200; i++) {
        bool deaf = i % 4 != 0;
        uint64_t slots = deaf ? some(&r, 500) & all >> 30 : some(&r, 1000);
        assert_int_equal(hearing_is_cut(&h, 500, slots), deaf);
        hearing_learn(&h, 500, slots);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("a window of a busy site that is silent, or is for a minute, is cut",
        silence_of_a_busy_site),
    SAYS("silence of a site that is often silent, or not known, cuts nothing",
        silence_of_a_quiet_site),
    SAYS("in 8,000 windows of sites of every size chance cuts none", chance_cuts_nothing),
    SAYS("windows that were cut teach nothing, so that the next one is cut, too",
        cut_windows_teach_nothing),
    SAYS("a site that is silent for half of every window is heard again within hours",
        a_new_rhythm_is_learned),
};
TEST_MAIN(tests)
