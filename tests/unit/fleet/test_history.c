#include "test.h"

#include "fleet/history.h"

#define H US_HOUR

static void add(struct history *h, int64_t since, enum site_state s)
{
    assert_int_equal(history_add(h, since, s), OK);
}

/* up 0-10 h, down 10-12 h, up 12-20 h, degraded 20-24 h */
static void day_of(struct history *h)
{
    history_init(h);
    add(h, 0, SITE_UP);
    add(h, 10 * H, SITE_DOWN);
    add(h, 12 * H, SITE_UP);
    add(h, 20 * H, SITE_DEGRADED);
}

static void figures_right(void **state)
{
    (void)state;
    struct history h;
    struct history_figures f;
    day_of(&h);
    history_figures(&h, 0, 24 * H, &f);
    assert_true(f.watched == 24 * H && f.in[SITE_DOWN] == 2 * H);
    assert_float_equal(f.available, 100.0 * 22 / 24, 1e-9);
    assert_float_equal(f.healthy, 100.0 * 18 / 24, 1e-9);
    assert_int_equal(f.outages, 1);
    assert_int_equal(f.repaired, 1);
    assert_true(f.repair_mean == 2 * H && f.repair_longest == 2 * H);
    history_done(&h);
}

static void cut_by_range(void **state)
{
    (void)state;
    struct history h;
    struct history_figures f;
    day_of(&h);
    history_figures(&h, 11 * H, 13 * H, &f);
    assert_true(f.in[SITE_DOWN] == H && f.in[SITE_UP] == H);
    assert_true(f.repair_mean == 2 * H); /* the outage is as long as it was */
    history_figures(&h, 9 * H, 11 * H, &f);
    assert_int_equal(f.outages, 1);
    assert_int_equal(f.repaired, 0);
    history_figures(&h, 13 * H, 20 * H, &f);
    assert_int_equal(f.outages, 0);
    assert_float_equal(f.healthy, 100.0, 0);
    history_done(&h);
}

static void noticed_late(void **state)
{
    (void)state;
    struct history h;
    struct history_figures f;
    history_init(&h);
    add(&h, 0, SITE_UP);
    add(&h, 10 * US_MINUTE, SITE_LATE);
    add(&h, 9 * US_MINUTE, SITE_DOWN);
    history_figures(&h, 0, 20 * US_MINUTE, &f);
    assert_int_equal(h.count, 2);
    assert_true(f.in[SITE_DOWN] == 11 * US_MINUTE && f.in[SITE_LATE] == 0);
    history_done(&h);
}

static void nobody_watched(void **state)
{
    (void)state;
    struct history h;
    struct history_figures f;
    history_init(&h);
    add(&h, 0, SITE_NEW);
    add(&h, H, SITE_UP);
    add(&h, 2 * H, SITE_DOWN);
    add(&h, 3 * H, SITE_UNWATCHED);
    add(&h, 4 * H, SITE_DOWN);
    add(&h, 5 * H, SITE_UP);
    add(&h, 6 * H, SITE_DOWN);
    add(&h, 7 * H, SITE_UNWATCHED);
    add(&h, 8 * H, SITE_UP);
    history_figures(&h, 0, 10 * H, &f);
    assert_int_equal(f.outages, 2);
    assert_int_equal(f.repaired, 1);     /* of the second nobody saw the end */
    assert_true(f.repair_mean == 3 * H); /* the first lasted from 2 to 5 */
    assert_true(f.watched == 7 * H);
    assert_float_equal(f.available, 100.0 * 4 / 7, 1e-9);
    history_done(&h);
}

static void nothing_known(void **state)
{
    (void)state;
    struct history h;
    struct history_figures f;
    char cells[5];
    history_init(&h);
    history_figures(&h, 0, H, &f);
    assert_float_equal(f.available, 100.0, 0);
    assert_true(f.watched == 0);
    history_strip(&h, 0, H, 4, cells);
    assert_string_equal(cells, "....");
    history_done(&h);
}

static void strip_worst(void **state)
{
    (void)state;
    struct history h;
    char cells[25];
    day_of(&h);
    history_strip(&h, 0, 24 * H, 24, cells);
    assert_string_equal(cells, "uuuuuuuuuudduuuuuuuugggg");
    history_strip(&h, 0, 24 * H, 4, cells);
    assert_string_equal(cells, "udug");
    history_strip(&h, -2 * H, 2 * H, 4, cells);
    assert_string_equal(cells, "..uu");
    history_done(&h);
}

static void capped(void **state)
{
    (void)state;
    struct history h;
    history_init(&h);
    for (int64_t i = 0; i < 3 * HISTORY_MOST; i++)
        add(&h, i, i % 2 ? SITE_UP : SITE_DOWN);
    assert_true(h.count <= HISTORY_MOST && h.count > HISTORY_MOST / 3);
    assert_true(h.states[h.count - 1].start == 3 * HISTORY_MOST - 1);
    history_done(&h);
}

static const struct CMUnitTest tests[] = {
    SAYS("availability, health and repair time of a day worked by hand", figures_right),
    SAYS("a range cuts times but not the length of a repair", cut_by_range),
    SAYS("an outage that is noticed late begins when the site was last heard", noticed_late),
    SAYS("time that nobody watched counts for nothing, and an outage goes on through it",
        nobody_watched),
    SAYS("a site of which nothing is known has no outages and an empty strip", nothing_known),
    SAYS("a cell of the strip shows the worst state in it", strip_worst),
    SAYS("a history that grows beyond its cap loses its oldest half", capped),
};
TEST_MAIN(tests)
