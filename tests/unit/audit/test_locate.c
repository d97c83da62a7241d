#include "audit/locate.h"

#include "base/clock.h"
#include "test.h"

static struct locate_result attack(
    const struct publication_policy *p, uint32_t sources, unsigned steps, unsigned trials)
{
    const struct locate_options o = {.policy = p,
        .seed = 7,
        .trials = trials,
        .sites = 12,
        .steps = steps,
        .keys = 1000,
        .sources = sources,
        .background = locate_background,
        .background_count = 64};
    struct locate_result r;
    assert_int_equal(locate_run(&o, &r), OK);
    assert_int_equal(r.trials, trials);
    return r;
}

static void open_book(void **state)
{
    (void)state;
    struct publication_policy p;
    publication_open(&p);
    assert_int_equal(attack(&p, 1, 2, 50).located, 50);
    p.merge_sites = true;
    assert_int_equal(attack(&p, 1, 2, 50).located, 50);
}

static void least_sites(void **state)
{
    (void)state;
    struct publication_policy p;
    publication_open(&p);
    p.merge_sites = true;
    p.least_sites = 3;
    /* One site alone is never seen, but random shares of all networks find it. */
    assert_true(attack(&p, 1, 16, 10).located >= 9);
}

static void ours(void **state)
{
    (void)state;
    struct publication_policy p;
    publication_default(&p);
    struct locate_result r = attack(&p, 200, 720, 40);
    assert_true(r.located <= 1); /* by luck: one in 5,000 trials */
    assert_true(r.rows < 0.5);
    assert_true(r.upper > 0 && r.upper < 0.15);
    /* What is beyond its wall it does not stop. */
    assert_true(attack(&p, 5000, 100, 5).located >= 4);
}

static void same_again(void **state)
{
    (void)state;
    struct publication_policy p;
    publication_default(&p);
    struct locate_result a = attack(&p, 1000, 10, 5), b = attack(&p, 1000, 10, 5);
    assert_int_equal(a.located, b.located);
    assert_true(!(a.rows < b.rows) && !(a.rows > b.rows));
}

static const struct CMUnitTest tests[] = {
    SAYS("sensors are found in two steps where everything is published", open_book),
    SAYS("a least number of sites alone does not hide them", least_sites),
    SAYS("the default policy hides them from 200 addresses, not from 5,000", ours),
    SAYS("the same seed gives the same attack", same_again),
};
TEST_MAIN(tests)
