/* Groups of sources that move together, as findings of screen. */
#include "engine/screen/screen_int.h"

#include "base/hash.h"
#include "promises.h"
#include "rows.h"

#include <stdlib.h>

enum {
    LOOSE = 200,  /* sources that come when they like, each about eight times a day */
    BAND = 30,    /* networks that come together, each to a port of its own */
    BAND_DAY = 8, /* times a day */
    HOURS = 40,
    SITES_MOST = 80,
    BAND_FROM = 26 /* hour */
};

struct plan {
    uint64_t seed;
    bool together;          /* else the band comes when it likes, as often */
    bool hourly;            /* together, at the same window of every hour */
    unsigned from;          /* hour of the band's first day */
    bool restarts;          /* now and then */
    bool gaps;              /* the windows in which looks are due are missing */
    const char *class;      /* of the band */
    uint32_t loose;         /* 0: LOOSE */
    uint32_t band;          /* 0: BAND */
    size_t sites;           /* 0: one */
    size_t seen[2];         /* the sites that see the band, if there are several */
    const char *options[4]; /* name and value, by turns */
};

static uint32_t loose_of(const struct plan *plan)
{
    return plan->loose ? plan->loose : LOOSE;
}

static uint32_t band_of(const struct plan *plan)
{
    return plan->band ? plan->band : BAND;
}

/* Does the source come? The band's members miss one time in five. */
static bool comes(const struct plan *plan, uint32_t source, unsigned window)
{
    bool in_band = source >= loose_of(plan);
    if (in_band && window < plan->from * 6)
        return false;
    if (in_band && plan->hourly)
        return window % 6 == 2 && hash_two(source, window) % 5 != 0;
    uint64_t who = in_band && plan->together ? loose_of(plan) : source;
    double often = in_band && plan->together ? BAND_DAY / 144.0 * 2.0 : BAND_DAY / 144.0;
    double drawn = (double)(hash_two(hash_two(plan->seed, who), window) >> 11) * 0x1p-53;
    return drawn < often && (!in_band || hash_two(source, window) % 5 != 0);
}

/* The rows come to several sites instead of one. */
static void sites_spread(struct made *m, const struct plan *plan, const struct row *rows,
    struct window_site sites[SITES_MOST])
{
    assert_true(plan->sites > 0 && plan->sites <= SITES_MOST);
    for (size_t i = 0; i < plan->sites; i++) {
        sites[i] = (struct window_site){.watching = true, .kept = 1.0};
        snprintf(sites[i].name, sizeof sites[i].name, "s%02zu", i);
    }
    for (size_t i = 0; i < m->block->rows; i++) {
        uint32_t source = rows[i].port - 1000u;
        size_t site = source >= loose_of(plan) ? plan->seen[source % 2] : source % plan->sites;
        block_name(m->block, CONTACT_SITE)[i] = word(m->block, CONTACT_SITE, sites[site].name);
    }
    m->window.sites = sites;
    m->window.site_count = plan->sites;
}

static void open_with(struct bench *b, const char *const options[4])
{
    struct conf *conf;
    struct fault f;
    b->engine->close(b->state);
    assert_int_equal(conf_new(&conf, b->engine->items), OK);
    for (size_t i = 0; i < 4 && options[i]; i += 2)
        assert_int_equal(conf_set(conf, options[i], options[i + 1], &f), OK);
    assert_int_equal(b->engine->open(&b->state, conf, 10 * US_MINUTE, &f), OK);
    conf_free(conf);
}

static void window_run(struct bench *b, const struct plan *plan, unsigned n)
{
    struct window_site sites[SITES_MOST];
    struct row rows[ROWS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < loose_of(plan) + band_of(plan); i++)
        if (comes(plan, i, n)) {
            assert_true(count < ROWS_MAX);
            rows[count++] = (struct row){0x0a000001 + (i << 12), (uint16_t)(1000 + i),
                i >= loose_of(plan) ? plan->class : "scan", ""};
        }
    struct made made;
    rows_make(&made, n, rows, count);
    if (plan->sites)
        sites_spread(&made, plan, rows, sites);
    bench_step(b, &made.window);
    block_free(made.block);
}

static struct bench *groups_run(const struct plan *plan)
{
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_screen);
    open_with(b, plan->options);
    for (unsigned n = 0; n < HOURS * 6; n++) {
        if (plan->gaps && (n + 1) % 6 == 0)
            continue;
        window_run(b, plan, n);
        if (plan->restarts && (n % 7 == 0 || n > BAND_FROM * 6))
            bench_restart(b);
    }
    return b;
}

static const struct found *group_first(const struct bench *b, enum severity severity)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->found[i].kind, "moving-group") == 0 && b->found[i].severity >= severity)
            return &b->found[i];
    return NULL;
}

/* Thirty networks that come in the same windows, to thirty ports: no count shows them. */
static void a_new_group_is_told(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct bench *b = groups_run(
            &(struct plan){.seed = seed, .together = true, .from = BAND_FROM, .class = "scan"});
        const struct found *first = group_first(b, SEVERITY_NOTICE);
        const struct found found = first ? *first : (struct found){0};
        const struct found *f = &found;
        assert_true(f->hosts > 0 && hours_after(f, BAND_FROM) < 14.0);
        assert_int_equal(f->port, 0); /* they have none in common */
        assert_non_null(strstr(f->title, "that move together"));
        /* After the day's last look nearly all of them are in it, and nobody else. */
        assert_in_range(b->found[b->count - 1].hosts, BAND * 8 / 10, BAND);
        json_t *blocks = json_object_get(b->evidence, "blocks");
        assert_int_equal(json_array_size(blocks), 3); /* by time, by port, by site */
        done(b);
    }
}

/* Thirty networks that a timer starts: a notice while they are new, and then no more. */
static void timers_are_news_for_hours(void **state)
{
    (void)state;
    for (uint64_t seed = 21; seed <= 26; seed++) {
        struct bench *b = groups_run(
            &(struct plan){.seed = seed, .hourly = true, .from = BAND_FROM, .class = "scan"});
        assert_non_null(group_first(b, SEVERITY_NOTICE));
        size_t later = 0;
        for (size_t i = 0; i < b->count; i++) {
            if (strcmp(b->found[i].kind, "moving-group") != 0 ||
                hours_after(&b->found[i], BAND_FROM) < 9.0)
                continue;
            later++;
            assert_int_equal(b->found[i].severity, SEVERITY_INFO);
            assert_non_null(strstr(b->found[i].explanation, "as a timer has it"));
        }
        assert_true(later > 3);
        done(b);
    }
}

/* As many that come as often, each when it likes. */
static void who_comes_alone_is_no_group(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 13; seed++) {
        struct bench *b =
            groups_run(&(struct plan){.seed = seed, .from = BAND_FROM, .class = "scan"});
        assert_null(group_first(b, SEVERITY_INFO));
        done(b);
    }
}

static void a_group_that_was_learned_is_no_news(void **state)
{
    (void)state;
    struct bench *b = groups_run(&(struct plan){.seed = 1, .together = true, .class = "scan"});
    assert_null(group_first(b, SEVERITY_INFO));
    done(b);
}

static void a_listed_survey_is_no_group(void **state)
{
    (void)state;
    struct bench *b = groups_run(
        &(struct plan){.seed = 1, .together = true, .from = BAND_FROM, .class = "survey"});
    assert_null(group_first(b, SEVERITY_INFO));
    done(b);
}

static void restart_changes_no_group(void **state)
{
    (void)state;
    struct plan plan = {.seed = 2,
        .together = true,
        .from = BAND_FROM,
        .class = "scan",
        .sites = 80,
        .seen = {5, 70}};
    struct bench *whole = groups_run(&plan);
    plan.restarts = true;
    struct bench *cut = groups_run(&plan);
    assert_true(whole->count >= 3);
    assert_int_equal(whole->text.len, cut->text.len);
    assert_memory_equal(whole->text.data, cut->text.data, whole->text.len);
    bench_refuses_cut_states(cut);
    done(whole);
    done(cut);
}

/* Outages, or a machine that starts anew each hour, must not put looks off for ever. */
static void a_missing_window_skips_no_look(void **state)
{
    (void)state;
    struct bench *b = groups_run(&(struct plan){
        .seed = 1, .together = true, .from = BAND_FROM, .gaps = true, .class = "scan"});
    const struct found *first = group_first(b, SEVERITY_NOTICE);
    const struct found found = first ? *first : (struct found){0};
    assert_true(found.hosts > 0 && hours_after(&found, BAND_FROM) < 14.0);
    done(b);
}

static enum err try_option(const char *option, const char *value, struct fault *f)
{
    struct conf *conf;
    struct engine_state *st;
    assert_int_equal(conf_new(&conf, engine_screen.items), OK);
    assert_int_equal(conf_set(conf, option, value, f), OK);
    enum err e = engine_screen.open(&st, conf, 10 * US_MINUTE, f);
    if (!e)
        engine_screen.close(st);
    conf_free(conf);
    return e;
}

static void looks_more_often_than_windows_are_refused(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(try_option("groups", "599s", &f), ERR_RANGE);
    assert_non_null(strstr(f.text, "screen.groups"));
    assert_non_null(strstr(f.text, "--window, 10 minutes"));
    assert_int_equal(try_option("groups", "10m", &f), OK);
    assert_int_equal(try_option("groups", "0s", &f), OK);
}

/* It is after twelve hours; nobody can say of a group that it was not there before. */
static void what_the_first_look_finds_is_no_news(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct bench *b = groups_run(&(struct plan){.seed = seed,
            .together = true,
            .class = "scan",
            .options = {"learn", "0s", "groups", "12h"}});
        assert_null(group_first(b, SEVERITY_INFO));
        done(b);
    }
}

static double number_of(const json_t *evidence, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(evidence, "numbers"), i,
        row) if (strcmp(json_string_value(json_object_get(row, "name")), name) ==
                 0) return json_number_value(json_object_get(row, "value"));
    return -1.0;
}

/* Past 63 sites it is not known which of the others it was, and none of them is named. */
static void only_sites_that_saw_a_group_are_named(void **state)
{
    (void)state;
    static const struct {
        size_t sites, seen[2];
        const char *first;
        size_t named, all;
    } cases[] = {{20, {3, 17}, "s03", 2, 2}, {63, {0, 62}, "s00", 2, 2},
        {64, {9, 63}, "s09", 1, 2}, {80, {70, 71}, "", 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench *b = groups_run(&(struct plan){.seed = 1,
            .together = true,
            .from = BAND_FROM,
            .class = "scan",
            .sites = cases[i].sites,
            .seen = {cases[i].seen[0], cases[i].seen[1]}});
        assert_non_null(group_first(b, SEVERITY_NOTICE));
        const struct found *last = &b->found[b->count - 1];
        assert_string_equal(last->kind, "moving-group");
        assert_int_equal(last->site_count, cases[i].named);
        assert_string_equal(last->site, cases[i].first);
        assert_float_equal(number_of(b->evidence, "sites"), (double)cases[i].all, 0.0);
        json_t *blocks = json_object_get(b->evidence, "blocks");
        assert_int_equal(json_array_size(blocks), cases[i].named ? 3 : 2);
        done(b);
    }
}

/* Of 1,500 sources that come often enough some 750 are compared, and half of the band. What is
 * told is of all, and says so. */
static void a_sample_tells_of_all(void **state)
{
    (void)state;
    struct bench *b = groups_run(&(struct plan){.seed = 1,
        .together = true,
        .from = BAND_FROM,
        .class = "scan",
        .loose = 1500,
        .band = 80,
        .options = {"group-sources", "1024"}});
    assert_non_null(group_first(b, SEVERITY_NOTICE));
    const struct found *last = &b->found[b->count - 1];
    char said[80];
    assert_string_equal(last->kind, "moving-group");
    assert_float_equal(number_of(b->evidence, "sample"), 2.0, 0.0);
    assert_in_range((uint64_t)number_of(b->evidence, "looked at"), 600, 1024);
    assert_in_range(last->hosts, 55, 105); /* of 80 */
    snprintf(said, sizeof said, "New group of about %u sources that", (unsigned)last->hosts);
    assert_non_null(strstr(last->title, said));
    snprintf(said, sizeof said, "One network in 2 was compared: about %u in all.",
        (unsigned)last->hosts);
    assert_non_null(strstr(last->explanation, said));
    snprintf(said, sizeof said, "%u sources of ", (unsigned)last->hosts / 2);
    assert_ptr_equal(strstr(last->explanation, said), last->explanation);
    done(b);
}

/* By hand: what the members were in last, and which known group that makes it. */
static void half_of_a_group_makes_it_the_known_one(void **state)
{
    (void)state;
    static const struct {
        uint32_t ids[5];
        uint32_t count;
        uint32_t known; /* 0: it is new */
    } cases[] = {{{8, 5, 7, 5}, 4, 5}, {{7, 7, 5, 6}, 4, 7}, {{0, 5, 0, 5}, 4, 5},
        {{7, 5, 7, 5}, 4, 5}, {{6, 6, 7, 7}, 4, 7}, {{5, 5, 5, 7, 7}, 5, 5}, {{5}, 1, 5},
        {{5, 5, 0, 7, 8}, 5, 0}, {{0, 0, 5, 0}, 4, 0}, {{6, 6, 6}, 3, 0}};
    struct screen *s = calloc(1, sizeof *s);
    s->moving[s->moving_count++].id = 8;
    s->moving[s->moving_count++].id = 5;
    s->moving[s->moving_count++].id = 7; /* 6 was forgotten */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t ids[5];
        memcpy(ids, cases[i].ids, sizeof ids);
        const struct moving *m = screen_moving_of(s, ids, cases[i].count);
        assert_int_equal(m ? m->id : 0, cases[i].known);
    }
    free(s);
}

/* Two looks found it, then none of its members is left: what is two of three looks ages with
 * each look, and with nothing between looks. */
static void a_look_without_the_group_counts(void **state)
{
    (void)state;
    const struct plan plan = {.seed = 11, .from = BAND_FROM, .class = "scan"};
    struct bench *b = groups_run(&plan);
    struct screen *s = (struct screen *)(void *)b->state;
    struct moving *m = &s->moving[s->moving_count++];
    *m = (struct moving){
        .id = ++s->moving_next, .first = s->now, .last = s->now, .history = 0x3};
    for (unsigned n = 0; n < 12; n++) {
        assert_int_equal(m->history, n < 6 ? 0x3 : 0x6);
        window_run(b, &plan, HOURS * 6 + n);
    }
    assert_int_equal(m->history, 0xc);
    done(b);
}

/* Bit 0 is of the look that goes on, whoever has set it already. */
static void two_of_the_last_three_looks_make_sure(void **state)
{
    (void)state;
    static const struct {
        uint8_t history;
        bool sure;
    } cases[] = {{0x6, true}, {0xa, true}, {0xc, true}, {0xe, true}, {0x3, false}, {0x5, false},
        {0x9, false}, {0x12, false}, {0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(screen_moving_is_sure(&(struct moving){.history = cases[i].history}),
            cases[i].sure);
}

static const struct CMUnitTest tests[] = {
    SAYS("thirty networks that come together, to ports of their own, are a notice",
        a_new_group_is_told),
    SAYS("as many that come as often, each by itself, are no group",
        who_comes_alone_is_no_group),
    SAYS("a group that was there while it learned is no news",
        a_group_that_was_learned_is_no_news),
    SAYS(
        "hosts that a timer starts are a notice while they are new, and info that says so then",
        timers_are_news_for_hours),
    SAYS("a listed survey is no group", a_listed_survey_is_no_group),
    SAYS("a restarted engine finds the same groups, byte for byte", restart_changes_no_group),
    SAYS("a missing window skips no look", a_missing_window_skips_no_look),
    SAYS("looks more often than there are windows are refused",
        looks_more_often_than_windows_are_refused),
    SAYS("what the first look finds is no news, however short it learns",
        what_the_first_look_finds_is_no_news),
    SAYS("only sites that saw a group are named", only_sites_that_saw_a_group_are_named),
    SAYS("of more sources than are compared a sample tells of all, and says so",
        a_sample_tells_of_all),
    SAYS("a group is the known one that half of its members were in",
        half_of_a_group_makes_it_the_known_one),
    SAYS("a look that does not find a group counts for it", a_look_without_the_group_counts),
    SAYS("two of the last three looks make sure of a group",
        two_of_the_last_three_looks_make_sure),
};
TEST_MAIN(tests)
