#include "base/clock.h"
#include "evaluate/evaluation.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* A day with two sites and two events, worked through by hand.
 *
 *   spreading  5000/tcp   jp-01 from 02:00, kr-01 from 06:00, both to 12:00; shown
 *   in-step    33434/udp  jp-01 and kr-01 from 08:00 to 10:00; not shown
 *   noisy-host 4444/tcp at kr-01, 13:00 to 14:00;  volume-step at jp-01, 15:00 to 24:00
 */
#define H(n) ((n)*US_HOUR)

static struct truth *example(void)
{
    struct truth *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->end = US_DAY;
    t->site_count = 2;
    strcpy(t->sites[0].name, "jp-01");
    strcpy(t->sites[1].name, "kr-01");
    t->event_count = 2;
    t->events[0] = (struct truth_event){
        .id = "spreading-1",
        .kind = "spreading",
        .proto = 6,
        .ports = {5000},
        .port_count = 1,
        .start = H(2),
        .end = H(12),
        .sites = {{.site = 0, .onset = H(2), .first = H(2) + US_MINUTE},
            {.site = 1, .onset = H(6), .first = H(6)}},
        .site_count = 2,
        .shown = true,
    };
    t->events[1] = (struct truth_event){
        .id = "in-step-2",
        .kind = "in-step",
        .proto = 17,
        .ports = {33434},
        .port_count = 1,
        .start = H(8),
        .end = H(10),
        .sites = {{.site = 0, .onset = H(8), .first = H(8)},
            {.site = 1, .onset = H(8), .first = H(8)}},
        .site_count = 2,
    };
    t->nuisance_count = 2;
    t->nuisances[0] = (struct truth_nuisance){.kind = "noisy-host",
        .proto = 6,
        .port = 4444,
        .site = 1,
        .start = H(13),
        .end = H(14)};
    t->nuisances[1] =
        (struct truth_nuisance){.kind = "volume-step", .site = 0, .start = H(15), .end = H(24)};
    return t;
}

struct alert_row {
    int64_t raised;
    uint8_t proto;
    uint16_t port;
    const char *sites[2];
    int64_t named[2];
};

static void add(struct warnings *w, const struct alert_row *row)
{
    struct warning one = {.severity = SEVERITY_NOTICE,
        .raised = row->raised,
        .start = row->raised,
        .end = row->raised,
        .proto = row->proto,
        .ports = {row->port},
        .port_count = 1};
    one.sites = calloc(2, sizeof *one.sites);
    assert_non_null(one.sites);
    for (size_t i = 0; i < 2 && row->sites[i]; i++) {
        strcpy(one.sites[i].name, row->sites[i]);
        one.sites[i].raised = row->named[i] ? row->named[i] : row->raised;
        one.site_count++;
    }
    assert_int_equal(warnings_add(w, &one), OK);
}

static struct warnings alerts(void)
{
    static const struct alert_row rows[] = {
        {H(1), 6, 5000, {"jp-01"}, {0}},                   /* before it began: false */
        {H(3), 6, 5000, {"jp-01", "kr-01"}, {0, H(7)}},    /* spreading */
        {H(3), 17, 5000, {"jp-01"}, {0}},                  /* other protocol: false */
        {H(12) + 20 * US_MINUTE, 6, 5000, {"kr-01"}, {0}}, /* within the slack */
        {H(13), 6, 5000, {"kr-01"}, {0}},                  /* past it: false */
        {H(13) + US_MINUTE, 6, 4444, {"kr-01"}, {0}},      /* noisy host */
        {H(16), 6, 80, {"jp-01"}, {0}},                    /* volume step */
        {H(16), 6, 80, {"jp-01", "kr-01"}, {0}},           /* not of one site: unknown */
    };
    struct warnings w = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        add(&w, &rows[i]);
    return w;
}

static void worked(void **state)
{
    (void)state;
    static const int32_t event[] = {-1, 0, -1, 0, -1, -1, -1, -1};
    static const int32_t nuisance[] = {-1, -1, -1, -1, -1, 0, 1, -1};
    struct truth *t = example();
    struct warnings w = alerts();
    const struct score_options o = {.slack = SCORE_SLACK};
    struct score s;
    assert_int_equal(score_run(&s, t, &w, &o), OK);
    assert_int_equal(s.alarm_count, 8);
    assert_int_equal(s.false_alarms, 6);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(s.alarms[i].event, event[i]);
        assert_int_equal(s.alarms[i].nuisance, nuisance[i]);
    }
    assert_int_equal(s.events[0].raised, H(3));
    assert_int_equal(s.events[0].start, H(2) + US_MINUTE);
    assert_int_equal(s.events[0].alerts, 2);
    assert_int_equal(s.events[0].site_raised[0], H(3));
    assert_int_equal(s.events[0].site_raised[1], H(7));
    assert_int_equal(s.events[1].raised, INT64_MAX);
    score_done(&s);
    warnings_done(&w);
    free(t);
}

static void other_site(void **state)
{
    (void)state;
    struct truth *t = example();
    struct warnings w = {0};
    const struct score_options o = {.slack = SCORE_SLACK};
    t->events[0].site_count = 1; /* at jp-01 alone */
    add(&w, &(struct alert_row){H(3), 6, 5000, {"kr-01"}, {0}});
    add(&w, &(struct alert_row){H(3), 6, 5000, {NULL}, {0}});
    assert_false(score_is_about(&w.list[0], t, &t->events[0], &o));
    assert_true(score_is_about(&w.list[1], t, &t->events[0], &o));
    warnings_done(&w);
    free(t);
}

static void summed(void **state)
{
    (void)state;
    const struct evaluation_options o = {.score.slack = SCORE_SLACK, .least = SEVERITY_NOTICE};
    struct evaluation *ev;
    assert_int_equal(evaluation_new(&ev, &o), OK);
    struct warnings w = alerts();
    assert_int_equal(evaluation_add(ev, "one", example(), &w, NULL), OK);
    assert_int_equal(w.count, 0);
    w = (struct warnings){0};
    assert_int_equal(evaluation_add(ev, "two", example(), &w, NULL), OK);
    struct truth *nothing = example();
    nothing->event_count = 0;
    w = alerts();
    assert_int_equal(evaluation_add(ev, "three", nothing, &w, NULL), OK);
    const struct summary *s = &ev->engines;
    assert_int_equal(s->runs, 2);
    assert_int_equal(s->alarms, 8);
    assert_int_equal(s->false_alarms, 6);
    assert_true(fabs(s->days - 2.0) < 1e-9);
    assert_int_equal(ev->null.false_alarms, 8);
    assert_int_equal(s->kind_count, 2);
    struct summary_kind *k = &ev->engines.kinds[0];
    assert_string_equal(k->kind, "spreading");
    assert_int_equal(k->events, 2);
    assert_int_equal(k->found, 1);
    assert_int_equal(k->later_sites, 2); /* kr-01, in both runs */
    assert_int_equal(k->warned_sites, 1);
    assert_true(fabs(delays_quantile(&k->lead, 0.5) - 3.0) < 1e-9);
    assert_true(fabs(delays_quantile(&k->delay, 0.5) - 59.0 / 60.0) < 1e-9);
    assert_int_equal(k->site_delay.count, 2);
    assert_true(fabs(delays_quantile(&k->site_delay, 1.0) - 1.0) < 1e-9);
    assert_true(isnan(delays_quantile(&ev->engines.kinds[1].delay, 0.5)));
    struct tally shown = summary_shown(s), hidden = summary_hidden(s);
    assert_true(shown.hits == 1 && shown.of == 2 && hidden.hits == 0 && hidden.of == 2);
    evaluation_free(ev);
}

/* Three services at one site. 23/tcp has 50 hosts all the time; 80/tcp rises from 10 to 40 for
 * two windows; 99/udp has 45 in one. Counting gives 23/tcp first, the rise 99/udp and 80/tcp.
 */
static struct host_counts counted(void)
{
    struct host_counts h = {.window = 600 * US_SECOND};
    for (int64_t i = 0; i < 300; i++) {
        uint32_t web = i == 200 || i == 201 ? 40 : 10;
        assert_int_equal(host_counts_add(&h, i * h.window, "jp-01", 6, 23, 50), OK);
        assert_int_equal(host_counts_add(&h, i * h.window, "jp-01", 6, 80, web), OK);
    }
    assert_int_equal(host_counts_add(&h, 250 * h.window, "jp-01", 17, 99, 45), OK);
    return h;
}

static void baseline(void **state)
{
    (void)state;
    struct host_counts h = counted();
    struct warnings w = {0};
    double threshold;
    struct baseline_options o = {BASELINE_COUNT, 1, H(6), 0};
    assert_int_equal(baseline_make(&h, &o, &w, &threshold), OK);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.list[0].ports[0], 23);
    assert_int_equal(w.list[0].raised, h.window);
    assert_true(threshold > 45.0 && threshold <= 50.0);
    warnings_done(&w);

    o = (struct baseline_options){BASELINE_RISE, 2, H(6), 0};
    assert_int_equal(baseline_make(&h, &o, &w, &threshold), OK);
    assert_int_equal(w.count, 2);
    assert_int_equal(w.list[0].ports[0], 80);
    assert_int_equal(w.list[0].raised, 201 * h.window);
    assert_int_equal(w.list[1].ports[0], 99);
    assert_int_equal(w.list[1].sites[0].raised, 251 * h.window);
    warnings_done(&w);

    o.alerts = 0;
    assert_int_equal(baseline_make(&h, &o, &w, &threshold), OK);
    assert_int_equal(w.count, 0);
    assert_true(isinf(threshold));
    host_counts_done(&h);
}

static void reports(void **state)
{
    (void)state;
    const struct evaluation_options o = {.score.slack = SCORE_SLACK, .least = SEVERITY_NOTICE};
    struct evaluation *ev;
    struct buf text;
    assert_int_equal(evaluation_new(&ev, &o), OK);
    struct warnings w = alerts();
    strcpy(w.list[0].title, "<script>&\"");
    struct host_counts h = counted();
    assert_int_equal(evaluation_add(ev, "one", example(), &w, &h), OK);
    host_counts_done(&h);
    buf_init(&text, EVALUATION_BYTES);
    report_text(ev, &text);
    assert_int_equal(text.err, OK);
    assert_non_null(strstr((char *)text.data, "spreading        1/1 (21-100 %)"));
    assert_non_null(strstr((char *)text.data, "6.00 false alarms a day (2.20-13.06)"));
    assert_non_null(strstr((char *)text.data, "noisy-host 1"));
    assert_non_null(strstr((char *)text.data, "\nfalse alarms\none "));
    assert_non_null(strstr((char *)text.data, " (noisy-host)\n"));
    buf_clear(&text);
    report_html(ev, &text);
    assert_int_equal(text.err, OK);
    assert_null(strstr((char *)text.data, "<script"));
    assert_non_null(strstr((char *)text.data, "&lt;script>&amp;&quot;"));
    assert_null(strstr((char *)text.data, "http"));
    assert_null(strstr((char *)text.data, "nan"));
    json_t *report = report_json(ev);
    assert_non_null(report);
    const json_t *engines = json_object_get(report, "engines");
    assert_int_equal(json_integer_value(json_object_get(engines, "false_alarms")), 6);
    json_decref(report);
    buf_done(&text);
    evaluation_free(ev);
}

static const struct CMUnitTest tests[] = {
    SAYS("a day worked through by hand is scored as by hand", worked),
    SAYS("an alert that names only another site is not about the event", other_site),
    SAYS("runs add up, and a run without events tells of false alarms alone", summed),
    SAYS("plain counting gets as many alerts as it may, the strongest ones", baseline),
    SAYS("the three reports say the same, and escape what they quote", reports),
};

TEST_MAIN(tests)
