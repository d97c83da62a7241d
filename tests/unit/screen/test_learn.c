#include "base/rng.h"
#include "engine/service.h"
#include "screen/learn.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* Three families whose hosts show one to three of what they send, and strangers of no family.
 */
enum {
    FAMILIES = 3,
    HOSTS = 400, /* of each, and of strangers */
    ALL = (FAMILIES + 1) * HOSTS
};

static const uint16_t ports[FAMILIES][4] = {
    {23, 5358, 9000, 81}, {23, 37215, 52869, 8080}, {80, 8080, 81, 7547}};
static const double sizes[FAMILIES] = {40.0, 44.0, 60.0};
static const char *const names[FAMILIES] = {"one", "two", "three"};

struct world {
    struct profiles profiles;
    struct learn_source sources[ALL];
    uint16_t truth[ALL];
};

static void add_host(struct world *w, size_t at, size_t family, struct rng *r)
{
    struct profile p = {.ip = ip_from_v4(rng_u32(r)), .first = 1, .last = 6, .classes = 2};
    p.hash = ip_hash(&p.ip);
    p.span[0] = (struct profile_span){.from = 1, .packets = 4, .windows = 2};
    p.thing_count = (uint8_t)(1 + rng_below(r, 3));
    for (unsigned i = 0; i < p.thing_count; i++) {
        bool stranger = family == FAMILIES;
        uint16_t port =
            stranger ? (uint16_t)rng_below(r, 60000) : ports[family][(rng_below(r, 2) + i) & 3];
        double size = stranger ? 40.0 : sizes[family];
        p.thing[i] =
            (struct profile_thing){thing_make(service_of(6, port), size, 0, 2), 6, 1 + i};
    }
    assert_int_equal(profiles_add(&w->profiles, &p), OK);
    w->truth[at] = family < FAMILIES ? (uint16_t)family : LEARN_UNKNOWN;
    w->sources[at] = (struct learn_source){.profile = (uint32_t)at, .label = LEARN_UNKNOWN};
}

static struct world *world_new(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    struct rng r;
    rng_seed(&r, seed);
    assert_int_equal(profiles_init(&w->profiles, 1 << 16, INT64_C(600000000)), OK);
    for (size_t i = 0; i < ALL; i++)
        add_host(w, i, i / HOSTS, &r);
    return w;
}

static void world_free(struct world *w)
{
    profiles_done(&w->profiles);
    free(w);
}

static struct learn_task task_of(struct world *w, size_t labelled)
{
    for (size_t i = 0; i < ALL; i++)
        w->sources[i].label = i % HOSTS < labelled ? w->truth[i] : LEARN_UNKNOWN;
    return (struct learn_task){.profiles = &w->profiles,
        .now = 6,
        .sources = w->sources,
        .source_count = ALL,
        .labels = names,
        .label_count = FAMILIES,
        .options = {.confidence = 0.95, .conditions = 4, .support = 4, .tools = true}};
}

static void twenty_labels_are_enough(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world *w = world_new(seed);
        struct learn_task task = task_of(w, 20);
        struct rules rules;
        struct learn_result result;
        struct learn_score score;
        struct fault f;
        rules_init(&rules);
        assert_int_equal(learn_rules(&task, &rules, &result, &f), OK);
        for (size_t i = 0; i < ALL; i++)
            w->sources[i].label = w->truth[i];
        assert_int_equal(learn_score(&task, &rules, false, &score), OK);
        if (score.macro_f1 < 0.95)
            fail_msg("seed %u: F1 %.3f", (unsigned)seed, score.macro_f1);
        assert_true(result.taken_over > 900);
        free(result.spread);
        rules_done(&rules);
        world_free(w);
    }
}

/* The rules as text, for comparison. */
static void learn_text(struct world *w, struct buf *out)
{
    struct learn_task task = task_of(w, 20);
    struct rules rules;
    struct learn_result result;
    struct fault f;
    rules_init(&rules);
    assert_int_equal(learn_rules(&task, &rules, &result, &f), OK);
    rules_write(&rules, out);
    free(result.spread);
    rules_done(&rules);
}

static void the_same_data_gives_the_same_rules(void **state)
{
    (void)state;
    struct world *w = world_new(4);
    struct buf first, second;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    learn_text(w, &first);
    learn_text(w, &second);
    assert_string_equal((const char *)first.data, (const char *)second.data);
    buf_done(&first);
    buf_done(&second);
    world_free(w);
}

/* Labels that were drawn by lot give next to no rules that hold for others. */
static void labels_without_sense_give_no_good_rules(void **state)
{
    (void)state;
    struct world *w = world_new(5);
    struct rng r;
    rng_seed(&r, 6);
    for (size_t i = 0; i < ALL; i++)
        w->truth[i] = (uint16_t)rng_below(&r, FAMILIES);
    struct learn_task task = task_of(w, 20);
    struct rules rules;
    struct learn_result result;
    struct learn_score score;
    struct fault f;
    rules_init(&rules);
    assert_int_equal(learn_rules(&task, &rules, &result, &f), OK);
    for (size_t i = 0; i < ALL; i++)
        w->sources[i].label = w->truth[i];
    assert_int_equal(learn_score(&task, &rules, false, &score), OK);
    assert_true(score.accuracy < 0.4);
    free(result.spread);
    rules_done(&rules);
    world_free(w);
}

static void what_is_kept_back_is_not_learned_from(void **state)
{
    (void)state;
    struct world *w = world_new(7);
    struct learn_task task = task_of(w, 24);
    struct rules rules;
    struct learn_result result;
    struct fault f;
    size_t held = 0, right = 0;
    for (size_t i = 0; i < ALL; i++)
        w->sources[i].held_out = i % HOSTS >= 20 && i % HOSTS < 24;
    rules_init(&rules);
    assert_int_equal(learn_rules(&task, &rules, &result, &f), OK);
    for (size_t i = 0; i < rules.count; i++) {
        held += rules.list[i].held_out;
        right += rules.list[i].right;
    }
    assert_true(held >= 8 && held <= 12 && right >= held - 2);
    free(result.spread);
    rules_done(&rules);
    world_free(w);
}

static void no_labels_are_told(void **state)
{
    (void)state;
    struct world *w = world_new(8);
    struct learn_task task = task_of(w, 0);
    struct rules rules;
    struct learn_result result;
    struct fault f = {0};
    rules_init(&rules);
    assert_int_equal(learn_rules(&task, &rules, &result, &f), ERR_RANGE);
    assert_non_null(strstr(f.text, "no labelled source"));
    world_free(w);
}

static const struct CMUnitTest tests[] = {
    SAYS("twenty labels a family give rules with F1 of 0.95", twenty_labels_are_enough),
    SAYS("the same data gives the same rules", the_same_data_gives_the_same_rules),
    SAYS("labels without sense give no good rules", labels_without_sense_give_no_good_rules),
    SAYS("labels that are kept back try the rules", what_is_kept_back_is_not_learned_from),
    SAYS("learning without labels is refused", no_labels_are_told),
};
TEST_MAIN(tests)
