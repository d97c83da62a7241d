#include "screen/group_member.h"
#include "test.h"

#include "base/hash.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

enum {
    WINDOWS = 144,
    BACKGROUND = 4000
};

static const struct group_options usual = {.windows = WINDOWS,
    .least = 5,
    .most = 1.0 / 3.0,
    .similar = 0.5,
    .shared = 3,
    .near = 5,
    .rounds = 9,
    .shift = 6,
    .seed = 1};

/* A telescope's day: sources come in some windows, more by day than by night. */
struct crowd {
    struct group_member *members;
    size_t count;
    struct rng r;
};

static void set(struct group_member *m, uint32_t window)
{
    m->active[window / 64] |= UINT64_C(1) << window % 64;
}

static void crowd_open(struct crowd *c, uint64_t seed)
{
    c->members = calloc(BACKGROUND + 1000, sizeof *c->members);
    assert_non_null(c->members);
    c->count = BACKGROUND;
    rng_seed(&c->r, seed);
    for (size_t i = 0; i < BACKGROUND; i++) {
        double rate = 0.02 + 0.1 * rng_unit(&c->r);
        c->members[i].network = hash_u64(i);
        for (uint32_t w = 0; w < WINDOWS; w++)
            if (rng_unit(&c->r) < rate * (1.0 + 0.8 * sin(2.0 * 3.14159265 * w / WINDOWS)))
                set(&c->members[i], w);
    }
}

/* `size` sources of as many networks that come in the same `windows` windows, each missing one
 * in five, and have two or so of their own. */
static void group_plant(struct crowd *c, size_t size, uint32_t windows)
{
    uint32_t together[WINDOWS];
    for (uint32_t i = 0; i < windows; i++)
        together[i] = (uint32_t)(rng_unit(&c->r) * WINDOWS);
    for (size_t i = 0; i < size; i++) {
        struct group_member *m = &c->members[c->count++];
        m->network = hash_u64(c->count);
        for (uint32_t k = 0; k < windows; k++)
            if (rng_unit(&c->r) < 0.8)
                set(m, together[k]);
        for (unsigned k = 0; k < 2; k++)
            set(m, (uint32_t)(rng_unit(&c->r) * WINDOWS));
    }
}

static void crowd_done(struct crowd *c, struct groups_result *found)
{
    free(c->members);
    free(found->of);
    free(found->list);
}

/* Is the group larger than all that chance has? */
static bool is_no_chance(const struct crowd *c, const struct groups_result *found, size_t group)
{
    struct groups_chance chance;
    uint32_t networks = found->list[group].networks;
    assert_int_equal(groups_chance(c->members, c->count, &usual, networks, &chance), OK);
    return chance.networks < networks;
}

/* Groups of 30 and 100 sources among 4,000, together in ten windows of a day: in nine seeds of
 * ten both are found, with nine members in ten and next to nobody else. */
static void planted_groups_are_found(void **state)
{
    (void)state;
    unsigned found_all = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct crowd c;
        struct groups_result found;
        static const size_t sizes[] = {30, 100};
        crowd_open(&c, seed);
        group_plant(&c, sizes[0], 10);
        group_plant(&c, sizes[1], 10);
        assert_int_equal(groups_find(c.members, c.count, &usual, &found), OK);
        bool good =
            found.count >= 2 && is_no_chance(&c, &found, 0) && is_no_chance(&c, &found, 1);
        for (size_t g = 0; good && g < 2; g++) {
            size_t first = BACKGROUND + (g == 0 ? sizes[0] : 0); /* the larger comes first */
            size_t size = sizes[1 - g];
            size_t members = 0;
            for (size_t i = first; i < first + size; i++)
                members += found.of[i] == g;
            good = members >= size * 9 / 10 && found.list[g].members <= members + size / 20;
        }
        found_all += good;
        crowd_done(&c, &found);
    }
    assert_true(found_all >= 9);
}

/* On a day without groups none counts; the level is one in ten. */
static void chance_is_no_group(void **state)
{
    (void)state;
    unsigned counted = 0;
    for (uint64_t seed = 101; seed <= 110; seed++) {
        struct crowd c;
        struct groups_result found;
        crowd_open(&c, seed);
        assert_int_equal(groups_find(c.members, c.count, &usual, &found), OK);
        assert_true(found.looked_at > BACKGROUND / 2);
        counted += found.count && is_no_chance(&c, &found, 0);
        crowd_done(&c, &found);
    }
    assert_true(counted <= 2);
}

/* Machines of one network that do the same are no group. */
static void one_network_is_no_group(void **state)
{
    (void)state;
    struct crowd c;
    struct groups_result found;
    crowd_open(&c, 3);
    group_plant(&c, 60, 10);
    for (size_t i = BACKGROUND; i < c.count; i++)
        c.members[i].network = 1;
    assert_int_equal(groups_find(c.members, c.count, &usual, &found), OK);
    for (size_t i = BACKGROUND; i < c.count; i++)
        assert_int_equal(found.of[i], GROUP_NONE);
    crowd_done(&c, &found);
}

/* Who is there all day, or once, is with everybody or with nobody. */
static void those_always_there_are_not_looked_at(void **state)
{
    (void)state;
    struct group_member members[20] = {0};
    struct groups_result found;
    for (uint32_t i = 0; i < 20; i++) {
        members[i].network = i;
        for (uint32_t w = 0; w < (i < 10 ? WINDOWS : 1); w++)
            set(&members[i], w);
    }
    assert_int_equal(groups_find(members, 20, &usual, &found), OK);
    assert_int_equal(found.looked_at, 0);
    assert_int_equal(found.count, 0);
    free(found.of);
    free(found.list);
}

/* Worked by hand: {1,2,3,4} and {2,3,4,5} share three windows of five. */
static void similarity_is_jaccard(void **state)
{
    (void)state;
    const struct group_member a = {.active = {0x1e}};
    const struct group_member b = {.active = {0x3c}};
    const struct group_member none = {{0}, 0, 0};
    assert_float_equal(group_similarity(a.active, b.active), 0.6, 1e-12);
    assert_float_equal(group_similarity(a.active, a.active), 1.0, 1e-12);
    assert_float_equal(group_similarity(none.active, none.active), 0.0, 1e-12);
}

/* Windows 9, 8, 5 and 1 of ten, counted back from the last one that it came in, which was three
 * windows and then seventy ago: coming again is at 9, 5, 1. */
static void who_stays_has_come_once(void **state)
{
    (void)state;
    struct profile p = {.first = 100, .last = 110, .active = {0x322}};
    struct group_member m;
    group_member_make(&p, 113, 144, &m);
    assert_int_equal(m.active[0], UINT64_C(0x222) << 3);
    assert_int_equal(m.span, 14);
    group_member_make(&p, 180, 144, &m);
    assert_int_equal(m.active[0], 0);
    assert_int_equal(m.active[1], UINT64_C(0x222) << 6);
    group_member_make(&p, 180, 74, &m); /* what is older is cut */
    assert_int_equal(m.active[1], UINT64_C(0x22) << 6 & 0x3ff);
    p.active[0] = UINT64_C(1) << 63;
    p.active[1] = 1; /* one stay, over the border of two words */
    group_member_make(&p, 110, 144, &m);
    assert_int_equal(m.active[0], 0);
    assert_int_equal(m.active[1], 1);
}

/* A day of hours, and more than the four hours that a source is moved by at most. */
static void few_windows_do_not(void **state)
{
    (void)state;
    assert_false(group_windows_suffice(23, 1));
    assert_true(group_windows_suffice(24, 1));
    assert_false(group_windows_suffice(24, 6));
    assert_true(group_windows_suffice(25, 6));
    assert_false(group_windows_suffice(192, UINT32_C(1) << 30)); /* four times that is 0 */
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    struct groups_result found;
    struct group_options o = usual;
    o.windows = GROUP_WINDOWS + 1;
    assert_int_equal(groups_find(NULL, 0, &o, &found), ERR_RANGE);
    o = usual;
    o.similar = 0.0;
    assert_int_equal(groups_find(NULL, 0, &o, &found), ERR_RANGE);
    o = usual;
    o.shift = WINDOWS;
    assert_int_equal(groups_find(NULL, 0, &o, &found), ERR_RANGE);
}

static const struct CMUnitTest tests[] = {
    SAYS("planted groups of 30 and 100 among 4,000 are found whole", planted_groups_are_found),
    SAYS("where there is no group none counts", chance_is_no_group),
    SAYS("machines of one network are no group", one_network_is_no_group),
    SAYS("who is always there, or came once, is not looked at",
        those_always_there_are_not_looked_at),
    SAYS("similarity is the share of windows in common", similarity_is_jaccard),
    SAYS("who stays has come once", who_stays_has_come_once),
    SAYS("groups are looked for in a day of hours and more than the null moves",
        few_windows_do_not),
    SAYS("options out of range are refused", wrong_options_are_refused),
};
TEST_MAIN(tests)
