/* Plays and seeded schedules: what befalls the way, nothing is lost and nothing comes twice. */
#include "stage.h"

#include <inttypes.h>

static void play(struct stage *s, const char *text)
{
    char copy[2048];
    char *rest = NULL;
    stage_open(s, 1);
    snprintf(copy, sizeof copy, "%s", text);
    for (char *line = strtok_r(copy, ";", &rest); line; line = strtok_r(NULL, ";", &rest))
        stage_play(s, line);
    stage_heal(s, text);
    stage_close(s);
}

static void plays(void **state)
{
    static const char *const texts[] = {
        "append 10;run 3;expect 10",
        "site down;append 40;run 20;expect 0;site up;run 9;expect 40",
        "append 5;run 3;hub down;append 50;run 60;expect 5;hub up;run 9;expect 55",
        "append 30;run 1;wipe;append 5;run 8;expect 35",
        ("site down;append 20;site up;run 3;hub down;append 20;run 1;wipe;hub up;run 9;expect "
         "40"),
        "append 9;kill site;append 9;tear;append 9;run 8;expect 27",
        "append 9;kill hub late;run 1;append 9;run 12;expect 18",
        "append 9;run 1;kill hub;kill site;wipe;append 1;run 9;expect 10",
        "twice 100;append 30;run 9;expect 30",
        "swap 30;append 30;run 20",
        /* A site that has a new certificate goes on after what was stored. */
        "append 9;run 3;renew;append 9;run 3;renew;append 9;run 3;expect 27",
        /* Who is back waits for the hub's word, and not longer than it takes to come. */
        "append 5;run 3;site down;append 1;run 3;site up;run 1;expect 6",
        "append 5;run 3;hub down;site down;site up;append 1;run 1;hub up;run 1;expect 6",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        play(*state, texts[i]);
}

/* A schedule of faults drawn from a seed. */
static void seed_play(struct stage *s, uint64_t seed)
{
    static const char *const lines[] = {"append 3", "append 17", "run 1", "run 1", "run 4",
        "site down", "site up", "hub down", "hub up", "wipe", "kill site", "kill hub",
        "kill hub late", "renew", "tear", "lose 20", "lose 0", "twice 30", "swap 30", "swap 0"};
    char what[32];
    snprintf(what, sizeof what, "seed %" PRIu64, seed);
    stage_open(s, seed);
    for (int i = 0; i < 60; i++)
        stage_play(s, lines[rng_below(&s->link.rng, sizeof lines / sizeof *lines)]);
    stage_heal(s, what);
    stage_close(s);
}

/* Play `count` seeds, or no more than KIZASHI_SCHEDULES says, or the one of KIZASHI_SEED. */
static void seeds_play(
    struct stage *s, uint64_t count, void (*one)(struct stage *s, uint64_t seed))
{
    const char *given = getenv("KIZASHI_SEED");
    const char *most = getenv("KIZASHI_SCHEDULES");
    if (given) {
        one(s, strtoull(given, NULL, 10));
        return;
    }
    if (most && strtoull(most, NULL, 10) < count)
        count = strtoull(most, NULL, 10);
    fprintf(stderr, "# %" PRIu64 " schedules\n", count);
    for (uint64_t seed = 1; seed <= count; seed++)
        one(s, seed);
}

static void schedules(void **state)
{
    seeds_play(*state, 200, seed_play);
}

/* Whatever happens to the hub alone, its engines see what they would have seen. */
static void killed_play(struct stage *s, uint64_t seed)
{
    static const char *const lines[] = {"append 3", "append 17", "run 1", "run 1", "run 4",
        "run 9", "kill hub", "kill hub", "kill hub late", "dead 2", "dead 8", "dead 50",
        "twice 30", "twice 0"};
    char what[32];
    snprintf(what, sizeof what, "seed %" PRIu64, seed);
    s->watched = true;
    stage_open(s, seed);
    stage_play(s, "append 1");
    stage_play(s, "run 1");
    for (int i = 0; i < 60; i++)
        stage_play(s, lines[rng_below(&s->link.rng, sizeof lines / sizeof *lines)]);
    stage_heal(s, what);
    stage_run(s, 50 * 1000);
    stage_expect_seen(s, what);
    stage_close(s);
}

static void kills(void **state)
{
    seeds_play(*state, 25, killed_play);
}

/* The hub begins with nothing while the site is at a high number. */
static void hub_forgets(void **state)
{
    struct stage *s = *state;
    stage_open(s, 3);
    for (int i = 0; i < 40; i++)
        stage_append(s);
    stage_run(s, 5000);
    assert_int_equal(s->stored, 40);
    stage_hub_end(s);
    stage_folder_empty(s->folder);
    s->stored = s->contacts = s->id_count = 0;
    link_set(&s->link.hub, false);
    stage_hub_start(s);
    link_set(&s->link.hub, true);
    for (int i = 0; i < 10; i++)
        stage_append(s);
    stage_run(s, 20000);
    for (size_t i = 0; i < s->stored; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(s->times[i], s->times[k]);
    bool newest = false;
    for (size_t i = 0; i < s->stored; i++)
        newest |= s->times[i] == 50;
    assert_true(newest);
    assert_true(s->stored >= 10);
    stage_close(s);
}

/* What is hostile in a message is refused once, counted, and does not hold up what follows. */
static void bad_messages(void **state)
{
    struct stage *s = *state;
    struct intake_counts c;
    uint64_t number;
    stage_open(s, 4);
    stage_append(s);
    assert_int_equal(
        spool_append(s->spool, "packet", bytes_over("\1nonsense", 9), 1, &number, NULL), OK);
    assert_int_equal(
        spool_append(s->spool, "surprise", bytes_over("x", 1), 1, &number, NULL), OK);
    stage_append(s);
    stage_run(s, 8000);
    intake_counts(s->intake, NULL, &c);
    assert_int_equal(c.refused, 2);
    assert_int_equal(s->stored, 2);
    struct spool_counts spool;
    spool_counts(s->spool, &spool);
    assert_int_equal(spool.committed, 4);
    stage_close(s);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("cut links, lost servers, killed processes: nothing is lost, nothing comes twice",
        plays, stage_make, stage_drop),
    SAYS_WITH("whatever faults befall it, everything is in the store once, and committed",
        schedules, stage_make, stage_drop),
    SAYS_WITH("a hub that is killed at any moment, and is dead for any time: its engines see "
              "all, once, in order, in its window",
        kills, stage_make, stage_drop),
    SAYS_WITH("a hub that forgot its sites goes on from what they still have", hub_forgets,
        stage_make, stage_drop),
    SAYS_WITH("what is no parcel is refused and counted, and the next one comes through",
        bad_messages, stage_make, stage_drop),
};
TEST_MAIN(tests)
