#include "anon/propose.h"

#include "base/clock.h"
#include "test.h"

static const struct need counting[] = {
    {.field = NEED_SOURCE, .relations = NEED_EQUAL, .vital = true, .without = "no counts"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = 10 * US_SECOND,
        .vital = true,
        .without = "no windows"},
    {.field = NEED_PLACE, .relations = NEED_PART, .without = "no countries"},
    {.without = NULL},
};

static const struct need naming[] = {
    {.field = NEED_SOURCE, .relations = NEED_VALUE, .vital = true, .without = "no names"},
    {.without = NULL},
};

static const struct need networks[] = {
    {.field = NEED_SOURCE, .relations = NEED_PART, .ipv4 = 16, .ipv6 = 32, .without = "no /16"},
    {.field = NEED_PAYLOAD, .relations = NEED_PART, .bytes = 20, .without = "no bytes"},
    {.without = NULL},
};

static const struct anon_wish wishes[] = {
    {"counting", counting}, {"naming", naming}, {"networks", networks}};

static void least(void **state)
{
    (void)state;
    struct anon_policy most, p;
    struct anon_losses losses;
    anon_policy_open(&most);
    anon_propose(&most, wishes, 1, &p);
    assert_int_equal(p.rule[ANON_SOURCE].method, ANON_HASH);
    assert_int_equal(p.rule[ANON_TIME].method, ANON_ROUND);
    assert_int_equal(p.rule[ANON_TIME].us, 10 * US_SECOND);
    assert_int_equal(p.rule[ANON_PLACE].method, ANON_COUNTRY);
    assert_int_equal(p.rule[ANON_DESTINATION].method, ANON_DROP);
    assert_int_equal(p.rule[ANON_PAYLOAD].method, ANON_DROP);
    anon_losses(&p, wishes, 1, &losses);
    assert_int_equal(losses.count, 0);
}

static void together(void **state)
{
    (void)state;
    struct anon_policy most, p;
    struct anon_losses losses;
    anon_policy_open(&most);
    anon_propose(&most, wishes, 3, &p);
    assert_int_equal(p.rule[ANON_SOURCE].method, ANON_KEEP);
    assert_int_equal(p.rule[ANON_PAYLOAD].method, ANON_FIRST);
    assert_int_equal(p.rule[ANON_PAYLOAD].bytes, 20);
    anon_losses(&p, wishes, 3, &losses);
    assert_int_equal(losses.count, 0);
    anon_propose(&most, &wishes[2], 1, &p);
    assert_int_equal(p.rule[ANON_SOURCE].method, ANON_TRUNCATE);
    assert_int_equal(p.rule[ANON_SOURCE].ipv4, 16);
    assert_int_equal(p.rule[ANON_SOURCE].ipv6, 32);
}

static void site_prevails(void **state)
{
    (void)state;
    struct anon_policy most, p;
    struct anon_losses losses;
    anon_policy_open(&most);
    most.rule[ANON_SOURCE].method = ANON_PREFIX;
    most.rule[ANON_TIME] = (struct anon_rule){.method = ANON_ROUND, .us = US_MINUTE};
    anon_propose(&most, wishes, 2, &p);
    assert_int_equal(p.rule[ANON_SOURCE].method, ANON_HASH);
    assert_int_equal(p.rule[ANON_TIME].us, US_MINUTE);
    anon_losses(&p, wishes, 2, &losses);
    assert_int_equal(losses.count, 2);
    assert_int_equal(losses.vital, 2);
    assert_string_equal(losses.loss[0].who, "counting");
    assert_string_equal(losses.loss[0].need->without, "no windows");
    assert_string_equal(losses.loss[1].who, "naming");
}

/* A proposal never tells more than the site allows, whatever is wished. */
static void never_more(void **state)
{
    (void)state;
    for (enum anon_field field = 0; field < ANON_FIELDS; field++)
        for (size_t m = 0; m < anon_fields[field].method_count; m++)
            for (size_t n = 0; n <= 3; n++) {
                struct anon_policy most, p;
                anon_policy_open(&most);
                most.rule[field] = (struct anon_rule){.method = anon_fields[field].methods[m],
                    .ipv4 = 8,
                    .ipv6 = 8,
                    .bytes = 4,
                    .us = US_HOUR};
                anon_propose(&most, wishes, n, &p);
                assert_true(anon_within(field, &p.rule[field], &most.rule[field]));
            }
}

static void within(void **state)
{
    (void)state;
    static const struct {
        struct anon_rule rule, most;
        bool within;
    } rows[] = {
        {{.method = ANON_HASH}, {.method = ANON_PREFIX}, true},
        {{.method = ANON_PREFIX}, {.method = ANON_HASH}, false},
        {{.method = ANON_HASH}, {.method = ANON_TRUNCATE, .ipv4 = 24}, false},
        {{.method = ANON_TRUNCATE, .ipv4 = 8}, {.method = ANON_HASH}, false},
        {{.method = ANON_TRUNCATE, .ipv4 = 8}, {.method = ANON_TRUNCATE, .ipv4 = 24}, true},
        {{.method = ANON_TRUNCATE, .ipv4 = 25}, {.method = ANON_TRUNCATE, .ipv4 = 24}, false},
        {{.method = ANON_TRUNCATE, .ipv4 = 32}, {.method = ANON_KEEP}, true},
        {{.method = ANON_DROP}, {.method = ANON_TRUNCATE}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(
            anon_within(ANON_SOURCE, &rows[i].rule, &rows[i].most), rows[i].within);
    const struct anon_rule minute = {.method = ANON_ROUND, .us = US_MINUTE},
                           second = {.method = ANON_ROUND, .us = US_SECOND},
                           back = {.method = ANON_SHIFT, .us = US_DAY};
    assert_true(anon_within(ANON_TIME, &minute, &second));
    assert_false(anon_within(ANON_TIME, &second, &minute));
    assert_false(anon_within(ANON_TIME, &back, &minute));
    assert_false(anon_within(ANON_TIME, &minute, &back));
}

static void rule_for(void **state)
{
    (void)state;
    struct anon_rule r;
    assert_true(anon_rule_for(&counting[0], &r));
    assert_int_equal(r.method, ANON_HASH);
    assert_true(anon_rule_for(&networks[1], &r));
    assert_int_equal(r.method, ANON_FIRST);
    assert_int_equal(r.bytes, 20);
}

static const struct CMUnitTest tests[] = {
    SAYS("what nobody needs is dropped, what is needed is hidden as far as it can be", least),
    SAYS("several wishes are served together by the strongest of their needs", together),
    SAYS("what the site demands prevails, and what that costs is told", site_prevails),
    SAYS("a proposal tells nothing that the site does not let out", never_more),
    SAYS("a cut address and a hashed one cannot be compared", within),
    SAYS("each need has a least revealing rule that serves it", rule_for),
};
TEST_MAIN(tests)
