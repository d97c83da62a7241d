#include "alert/lead_int.h"
#include "base/rng.h"
#include "test.h"

#include <math.h>
#include <string.h>

static const int64_t t0 = INT64_C(1786752000000000); /* 2026-08-15T00:00:00Z */
static const int64_t step = 10 * US_MINUTE;

enum {
    SITES = 6
};
static const char *const names[SITES] = {"br-01", "de-01", "jp-01", "kr-01", "th-01", "us-01"};

/* A run: windows with sites that watch, and what was told of it. */
struct run {
    struct lead *lead;
    struct alert_book *book;
    struct window_site sites[SITES];
    int64_t now; /* close of the next window */
    struct buf told;
    size_t alerts, forecasts;
    struct forecast last[SITES]; /* by site */
    char kind[32];
    json_t *evidence; /* of the last alert */
    char explanation[480];
};

static void run_begin(struct run *r)
{
    memset(r, 0, sizeof *r);
    const struct lead_options options = {0};
    const struct alert_options book = {0};
    assert_int_equal(lead_new(&r->lead, &options), OK);
    assert_int_equal(alert_book_new(&r->book, &book), OK);
    for (size_t i = 0; i < SITES; i++) {
        r->sites[i].watching = true;
        memcpy(r->sites[i].name, names[i], strlen(names[i]) + 1);
    }
    r->now = t0 + step;
    buf_init(&r->told, 16 << 20);
}

static void run_end(struct run *r)
{
    lead_free(r->lead);
    alert_book_free(r->book);
    json_decref(r->evidence);
    buf_done(&r->told);
}

static enum err on_alert(void *context, const struct alert *a)
{
    struct run *r = context;
    lead_know(r->lead, a);
    json_t *value = alert_json(a);
    json_write(&r->told, value);
    json_decref(value);
    json_decref(r->evidence);
    r->evidence = json_deep_copy(a->evidence);
    memcpy(r->kind, a->kind, sizeof r->kind);
    memcpy(r->explanation, a->explanation, sizeof r->explanation);
    r->alerts++;
    return OK;
}

static enum err on_forecast(void *context, const struct forecast *f)
{
    struct run *r = context;
    json_t *value = forecast_json(f);
    assert_non_null(value);
    json_write(&r->told, value);
    json_decref(value);
    for (size_t i = 0; i < SITES; i++)
        if (strcmp(f->site, names[i]) == 0)
            r->last[i] = *f;
    r->forecasts++;
    return OK;
}

/* A finding of the window that is open. */
static struct finding seen(const struct run *r, const char *engine, const char *kind, int site)
{
    struct finding f;
    finding_init(&f, engine, kind);
    f.time = f.end = r->now;
    f.start = r->now - step;
    f.severity = SEVERITY_NOTICE;
    f.score = 4.0;
    finding_site(&f, names[site]);
    snprintf(f.title, sizeof f.title, "%s at %s", engine, names[site]);
    snprintf(f.explanation, sizeof f.explanation, "%s speaks.", engine);
    return f;
}

static void put(struct run *r, struct finding f)
{
    struct sink sink = lead_sink(r->lead, r->book);
    assert_int_equal(sink.put(sink.context, &f), OK);
    finding_done(&f);
}

static void surge(struct run *r, int site)
{
    struct finding f = seen(r, "surge", "port-surge", site);
    f.proto = 6;
    finding_port(&f, 5000);
    put(r, f);
}

static void turn(struct run *r)
{
    const struct window w = {
        .start = r->now - step, .length = step, .sites = r->sites, .site_count = SITES};
    assert_int_equal(lead_turn(r->lead, &w, r->book), OK);
    assert_int_equal(alert_book_turn(r->book, r->now, on_alert, r), OK);
    assert_int_equal(lead_tell(r->lead, on_forecast, r), OK);
    r->now += step;
}

/* Windows up to `hours` after t0; sites rise from their hour on. */
static void spread_until(struct run *r, const double onset[SITES], double hours)
{
    while ((double)(r->now - t0) <= hours * (double)US_HOUR) {
        for (int i = 0; i < SITES; i++)
            if ((double)(r->now - t0) >= onset[i] * (double)US_HOUR)
                surge(r, i);
        turn(r);
    }
}

#define NEVER 1e9

static void the_second_site_foretells_the_others(void **state)
{
    (void)state;
    const double onset[SITES] = {1, 5, 9, 13, 17, NEVER};
    struct run r;
    run_begin(&r);
    spread_until(&r, onset, 4.9);
    assert_int_equal(r.forecasts, 0);
    spread_until(&r, onset, 5.0);
    assert_int_equal(r.forecasts, 4);
    const struct forecast *f = &r.last[2];
    assert_string_equal(f->origin, "br-01");
    assert_int_equal(f->port, 5000);
    assert_true(f->began == t0 + US_HOUR - step);
    assert_int_equal(f->state, FORECAST_OPEN);
    assert_true(f->first.made == t0 + 5 * US_HOUR);
    assert_true(f->first.low < f->first.expected && f->first.expected < f->first.high);
    assert_true(f->first.low <= t0 + 9 * US_HOUR && f->first.high >= t0 + 17 * US_HOUR);
    assert_true(f->first.chance >= 0.5 && f->first.chance <= 1.0);
    assert_memory_equal(f->alert, "20260815-5000tcp", 16);
    assert_non_null(strstr(r.explanation, "Began at br-01 at 2026-08-15T00:50Z; expected at "
                                          "jp-01, kr-01, th-01, us-01 in about"));
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(r.evidence, "lead"), "forecasts")), 4);
    spread_until(&r, onset, 60.0);
    for (int i = 2; i < 5; i++) {
        assert_int_equal(r.last[i].state, FORECAST_CAME);
        assert_true(llabs(r.last[i].came - t0 - (int64_t)onset[i] * US_HOUR) <= step);
    }
    assert_int_equal(r.last[5].state, FORECAST_MISSED);
    assert_true(r.last[5].settled == r.last[5].first.made + 48 * US_HOUR);
    run_end(&r);
}

static void more_sites_make_the_forecast_sharper(void **state)
{
    (void)state;
    const double onset[SITES] = {1, 5, 9, 13, 17, 21};
    struct run r;
    run_begin(&r);
    spread_until(&r, onset, 17.5);
    const struct forecast *f = &r.last[5];
    assert_true(f->last.made > f->first.made);
    assert_true(f->last.high - f->last.low < f->first.high - f->first.low);
    assert_true(f->last.low <= t0 + 21 * US_HOUR && t0 + 21 * US_HOUR <= f->last.high);
    run_end(&r);
}

static void one_site_foretells_nothing(void **state)
{
    (void)state;
    const double one[SITES] = {NEVER, 2, NEVER, NEVER, NEVER, NEVER};
    const double at_once[SITES] = {2, 2, 2, NEVER, NEVER, NEVER};
    struct run r;
    run_begin(&r);
    spread_until(&r, one, 30.0);
    assert_true(r.alerts > 0);
    assert_int_equal(r.forecasts, 0);
    run_end(&r);
    run_begin(&r);
    spread_until(&r, at_once, 30.0);
    assert_int_equal(r.forecasts, 0);
    run_end(&r);
}

static void what_did_not_watch_is_void(void **state)
{
    (void)state;
    const double onset[SITES] = {1, 5, NEVER, NEVER, NEVER, NEVER};
    struct run r;
    run_begin(&r);
    spread_until(&r, onset, 6.0);
    r.sites[3].watching = false;
    spread_until(&r, onset, 56.0);
    assert_int_equal(r.last[2].state, FORECAST_MISSED);
    assert_int_equal(r.last[3].state, FORECAST_VOID);
    run_end(&r);
}

static void what_had_begun_before_is_late(void **state)
{
    (void)state;
    const double onset[SITES] = {1, 5, NEVER, NEVER, NEVER, NEVER};
    struct run r;
    run_begin(&r);
    spread_until(&r, onset, 5.0);
    struct finding f = seen(&r, "surge", "port-surge", 2);
    f.proto = 6;
    finding_port(&f, 5000);
    f.start = t0 + 4 * US_HOUR;
    put(&r, f);
    turn(&r);
    assert_int_equal(r.last[2].state, FORECAST_LATE);
    run_end(&r);
}

/* The alert is that of the screening; its kind says nothing of a rise. */
static void a_forecast_knows_an_alert_that_another_kind_began(void **state)
{
    (void)state;
    struct run r;
    run_begin(&r);
    for (int window = 0; window < 24; window++) {
        static const char *const kinds[] = {"new-pattern", "graph-change"};
        for (int i = 0; i < 2; i++) {
            struct finding f = seen(&r, i ? "graph" : "screen", kinds[i], window < 12 ? 0 : 1);
            f.proto = 6;
            finding_port(&f, 5000);
            put(&r, f);
        }
        turn(&r);
    }
    assert_string_equal(r.kind, "new-pattern");
    assert_true(r.forecasts >= 4);
    assert_memory_equal(r.last[2].alert, "20260815-5000tcp", 16);
    run_end(&r);
}

static void macro(struct run *r, int site)
{
    put(r, seen(r, "graph", "graph-shift", site));
}

static void a_change_of_the_whole_is_explained_by_the_strongest_port(void **state)
{
    (void)state;
    struct run r;
    run_begin(&r);
    macro(&r, 3);
    turn(&r);
    assert_string_equal(r.kind, "graph-shift");
    struct finding weak = seen(&r, "surge", "port-surge", 3);
    weak.proto = 17;
    weak.score = 2.0;
    finding_port(&weak, 427);
    put(&r, weak);
    surge(&r, 3);
    turn(&r); /* 5000/tcp comes last in order of id */
    assert_string_equal(r.kind, "high-risk-port");
    assert_non_null(json_object_get(r.evidence, "lead"));
    assert_non_null(strstr(r.explanation, "It explains the change of all traffic at kr-01"));
    run_end(&r);

    run_begin(&r); /* at another site it explains nothing */
    macro(&r, 3);
    surge(&r, 2);
    turn(&r);
    surge(&r, 2);
    turn(&r);
    assert_string_equal(r.kind, "port-surge");
    run_end(&r);
}

/* The same lines come from a run that is saved and loaded at every window. */
static void a_restart_changes_nothing(void **state)
{
    (void)state;
    const double onset[SITES] = {1, 5, 9, 13, 90, NEVER};
    struct run whole;
    struct run broken;
    run_begin(&whole);
    run_begin(&broken);
    for (double h = 0.5; h <= 80.0; h += 0.5) {
        if (h > 2.9 && h < 3.1) {
            macro(&whole, 0);
            macro(&broken, 0);
        }
        spread_until(&whole, onset, h);
        struct buf saved;
        struct fault f = {0};
        buf_init(&saved, 1 << 24);
        assert_int_equal(lead_save(broken.lead, &saved), OK);
        lead_free(broken.lead);
        const struct lead_options options = {0};
        assert_int_equal(lead_new(&broken.lead, &options), OK);
        assert_int_equal(lead_load(broken.lead, bytes_over(saved.data, saved.len), &f), OK);
        buf_done(&saved);
        spread_until(&broken, onset, h);
    }
    assert_true(whole.forecasts > 8);
    assert_int_equal(whole.told.len, broken.told.len);
    assert_memory_equal(whole.told.data, broken.told.data, whole.told.len);
    run_end(&whole);
    run_end(&broken);
}

static void a_broken_state_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    const double onset[SITES] = {1, 5, NEVER, NEVER, NEVER, NEVER};
    struct run r;
    struct buf before;
    struct buf after;
    struct fault f = {0};
    run_begin(&r);
    spread_until(&r, onset, 6.0);
    buf_init(&before, 1 << 22);
    buf_init(&after, 1 << 22);
    assert_int_equal(lead_save(r.lead, &before), OK);
    for (size_t len = 0; len < before.len; len += 97)
        assert_int_equal(lead_load(r.lead, bytes_over(before.data, len), &f), ERR_BAD);
    assert_int_equal(lead_save(r.lead, &after), OK);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    buf_done(&before);
    buf_done(&after);
    run_end(&r);
}

/* --- the model ------------------------------------------------------------------------------
 */

/* Things drawn as the model believes, looked at after the second site: four in five of the
 * sites that come do so within the interval, and as many come as it said. */
static void intervals_and_chances_hold_for_what_the_model_believes(void **state)
{
    (void)state;
    const struct model m = {{0}, 0.0};
    struct rng rng;
    rng_seed(&rng, 7);
    unsigned inside = 0;
    unsigned came = 0;
    unsigned waited = 0;
    double said = 0.0;
    for (int thing = 0; thing < 4000; thing++) {
        double span = 0.5 * exp2((double)rng_below(&rng, MODEL_SPANS) / 4.0);
        bool uniform = rng_below(&rng, 2);
        bool all = rng_below(&rng, 2);
        double share = all ? 1.0 : (1.0 + (double)rng_below(&rng, 7)) / 8.0;
        double times[7];
        size_t first = 7;
        for (size_t i = 0; i < 7; i++) {
            double u = rng_unit(&rng);
            times[i] = rng_unit(&rng) >= share ? INFINITY
                       : uniform               ? u * span
                                               : -log1p(-u) * span / 2.0;
            if (first == 7 || times[i] < times[first])
                first = i;
        }
        if (!isfinite(times[first]))
            continue;
        struct progress p = {.came = {times[first]},
            .came_count = 1,
            .waiting = 6,
            .elapsed = times[first],
            .step = 1e-6};
        struct outlook o;
        assert_true(lead_foresee(&m, &p, 48.0, &o));
        for (size_t i = 0; i < 7; i++) {
            if (i == first)
                continue;
            double after = times[i] - times[first];
            waited++;
            said += o.chance;
            if (after > 48.0)
                continue;
            came++;
            inside += after >= o.low && after <= o.high;
        }
    }
    assert_true(came > 3000);
    assert_true(fabs(said / waited - (double)came / waited) < 0.03);
    assert_true(fabs((double)inside / came - 0.8) < 0.03);
}

static void what_stays_where_it_is_teaches_to_expect_less(void **state)
{
    (void)state;
    struct model m = {{0}, 0.0};
    const struct progress half = {
        .came = {4.0}, .came_count = 1, .waiting = 6, .elapsed = 4.0, .step = 1.0 / 6};
    const struct progress two_only = {
        .came = {4.0}, .came_count = 1, .waiting = 6, .elapsed = 72.0, .step = 1.0 / 6};
    struct outlook before;
    struct outlook after;
    assert_true(lead_foresee(&m, &half, 48.0, &before));
    for (int i = 0; i < 20; i++)
        lead_learn(&m, &two_only);
    assert_true(lead_foresee(&m, &half, 48.0, &after));
    assert_true(after.chance < 0.6 * before.chance);
}

static const struct CMUnitTest tests[] = {
    SAYS("the second site that is reached foretells the others, and each forecast is settled",
        the_second_site_foretells_the_others),
    SAYS("more sites make the forecast sharper", more_sites_make_the_forecast_sharper),
    SAYS("what stays at one site, or comes to some at once, foretells nothing",
        one_site_foretells_nothing),
    SAYS("a forecast for a site that did not watch is void", what_did_not_watch_is_void),
    SAYS("what had begun at the site before it was said is late, not right",
        what_had_begun_before_is_late),
    SAYS("a forecast knows its alert, whichever kind began that",
        a_forecast_knows_an_alert_that_another_kind_began),
    SAYS("a change of the whole is explained by the port that rose most at that site",
        a_change_of_the_whole_is_explained_by_the_strongest_port),
    SAYS("a restart at any window changes nothing", a_restart_changes_nothing),
    SAYS("a broken state is refused and changes nothing",
        a_broken_state_is_refused_and_changes_nothing),
    SAYS("intervals and chances hold for what the model believes",
        intervals_and_chances_hold_for_what_the_model_believes),
    SAYS("things that stay where they are teach to expect less",
        what_stays_where_it_is_teaches_to_expect_less),
};
TEST_MAIN(tests)
