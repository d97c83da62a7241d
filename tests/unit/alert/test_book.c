#include "alert/alert_int.h"
#include "base/clock.h"
#include "test.h"

#include <math.h>
#include <string.h>

static const int64_t t0 = INT64_C(1786752000000000); /* 2026-08-15T00:00:00Z */

/* What `changed` was told, as JSON lines, and the last alert's facts. */
struct told {
    struct buf lines;
    size_t count;
    char ids[64][ALERT_ID];
    struct alert last; /* without evidence */
};

static enum err tell(void *context, const struct alert *a)
{
    struct told *told = context;
    json_t *value = alert_json(a);
    assert_non_null(value);
    json_write(&told->lines, value);
    buf_str(&told->lines, "\n");
    json_decref(value);
    if (told->count < 64)
        memcpy(told->ids[told->count], a->id, ALERT_ID);
    told->count++;
    told->last = *a;
    told->last.evidence = NULL;
    return OK;
}

static void told_init(struct told *told)
{
    memset(told, 0, sizeof *told);
    buf_init(&told->lines, 1 << 22);
}

static struct finding make(const char *engine, const char *kind, const char *site,
    uint16_t port, int64_t time, double score)
{
    struct finding f;
    finding_init(&f, engine, kind);
    f.time = time;
    f.start = time - 10 * US_MINUTE;
    f.end = time;
    f.severity = SEVERITY_NOTICE;
    f.score = score;
    f.proto = 6;
    f.host_count = 40;
    finding_port(&f, port);
    finding_site(&f, site);
    finding_country(&f, "kr");
    snprintf(f.title, sizeof f.title, "%s sees %u at %s", engine, port, site);
    snprintf(f.explanation, sizeof f.explanation, "%s says %u at %s, score %g.", engine, port,
        site, score);
    assert_int_equal(evidence_number(&f, "score", score, "", "its score"), OK);
    return f;
}

static void put(struct alert_book *b, struct finding f)
{
    struct sink sink = alert_book_sink(b);
    assert_int_equal(sink.put(sink.context, &f), OK);
    finding_done(&f);
}

static struct alert_book *book(struct alert_options options)
{
    struct alert_book *b;
    assert_int_equal(alert_book_new(&b, &options), OK);
    return b;
}

static void turn(struct alert_book *b, int64_t now, struct told *told)
{
    assert_int_equal(alert_book_turn(b, now, tell, told), OK);
}

static void one_thing_is_one_alert(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    put(b, make("surge", "port-surge", "jp-01", 3389, t0, 2.0));
    turn(b, t0, &told);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.last.kind, "port-surge");
    assert_int_equal(told.last.revision, 1);
    char id[ALERT_ID];
    memcpy(id, told.last.id, sizeof id);
    assert_memory_equal(id, "20260815-3389tcp-", 17);

    put(b, make("surge", "port-surge", "kr-01", 3389, t0 + US_HOUR, 3.0));
    put(b, make("growth", "global-growth", "kr-01", 3389, t0 + US_HOUR, 1.5));
    turn(b, t0 + US_HOUR, &told);
    assert_int_equal(told.count, 2);
    assert_string_equal(told.last.id, id);
    assert_string_equal(told.last.kind, "global-growth");
    assert_int_equal(told.last.engine_count, 2);
    assert_int_equal(told.last.site_count, 2);
    assert_int_equal(told.last.revision, 2);
    assert_true(told.last.time == t0 && told.last.end == t0 + US_HOUR);
    assert_string_equal(told.last.engines[0], "growth"); /* whose title it is */
    assert_string_equal(told.last.title, "growth sees 3389 at kr-01");
    assert_string_equal(told.last.explanation, "growth says 3389 at kr-01, score 1.5. "
                                               "surge says 3389 at kr-01, score 3.");
    buf_done(&told.lines);
    alert_book_free(b);
}

/* The confidence of an alert made of one finding. */
static double confidence_with(const char *kind, double score, uint64_t hosts)
{
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    struct finding f = make("surge", kind, "jp-01", 3389, t0, score);
    f.host_count = hosts;
    put(b, f);
    turn(b, t0, &told);
    buf_done(&told.lines);
    alert_book_free(b);
    return told.last.confidence;
}

static void confidence_ranks(void **state)
{
    (void)state;
    static const uint64_t hosts[] = {1, 10, 20, 50, 200};
    for (size_t i = 1; i < sizeof hosts / sizeof *hosts; i++)
        assert_true(confidence_with("port-surge", 5.0, hosts[i]) >
                    confidence_with("port-surge", 5.0, hosts[i - 1]) + 0.001);
    assert_true(
        confidence_with("port-surge", 0.5, 50) < confidence_with("port-surge", 2.0, 50) - 0.05);
    assert_true(
        fabs(confidence_with("port-surge", 0.0, 100000) - 0.5) < 0.01); /* chance, as likely */
    assert_true(confidence_with("port-surge", 300.0, 1000000) <= 0.99);
    assert_true(confidence_with("in-step", 5.0, 40) > 0.9);
    assert_true(confidence_with("graph-change", 5.0, 40) < confidence_with("in-step", 5.0, 40));
    assert_true(fabs(confidence_with("known-surge", 5.0, 40) - 0.80) < 0.01); /* the prior */
    assert_true(fabs(confidence_with("what-will-come", 5.0, 40) - 0.80) < 0.01);
    assert_true(confidence_with("port-surge", 0.0, 0) >= 0.01);
    assert_true(confidence_with("unheard-of", 300.0, 1000) <= 0.8);
    struct alert weak = {.kind = "unheard-of", .severity = SEVERITY_INFO};
    assert_true(confidence_of(&weak, 300.0) <= 0.4);
}

static void order_of_engines_is_no_matter(void **state)
{
    (void)state;
    struct told told[2];
    for (int i = 0; i < 2; i++) {
        struct alert_book *b = book((struct alert_options){0});
        told_init(&told[i]);
        for (int k = 0; k < 2; k++)
            put(b, k == i ? make("surge", "port-surge", "jp-01", 23, t0, 2.0)
                          : make("growth", "global-growth", "jp-01", 23, t0, 1.0));
        turn(b, t0, &told[i]);
        alert_book_free(b);
    }
    assert_string_equal(told[0].last.kind, told[1].last.kind);
    assert_string_equal(told[0].last.title, told[1].last.title);
    assert_string_equal(told[0].last.explanation, told[1].last.explanation);
    buf_done(&told[0].lines);
    buf_done(&told[1].lines);
}

static void other_things_are_other_alerts(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    put(b, make("surge", "port-surge", "jp-01", 23, t0, 2.0));
    put(b, make("surge", "port-surge", "jp-01", 2323, t0, 2.0));
    struct finding udp = make("surge", "port-surge", "jp-01", 23, t0, 2.0);
    udp.proto = 17;
    put(b, udp);
    put(b, make("graph", "graph-shift", "jp-01", 23, t0, 2.0));
    turn(b, t0, &told);
    assert_int_equal(told.count, 4);
    for (size_t i = 1; i < 4; i++)
        assert_true(strcmp(told.ids[i - 1], told.ids[i]) < 0);
    buf_done(&told.lines);
    alert_book_free(b);
}

/* Changes of two sites' traffic that nothing explains have nothing to do with each other. */
static void what_names_no_port_is_of_its_site(void **state)
{
    (void)state;
    static const char *const sites[] = {"jp-01", "kr-01", "jp-01"};
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    for (size_t i = 0; i < 3; i++) {
        struct finding f = make("graph", "graph-shift", sites[i], 0, t0 + (int64_t)i, 2.0);
        f.port_count = 0;
        put(b, f);
    }
    turn(b, t0 + 3, &told);
    assert_int_equal(told.count, 2);
    buf_done(&told.lines);
    alert_book_free(b);
}

static void silence_closes(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){.quiet = US_HOUR});
    struct told told;
    told_init(&told);
    put(b, make("surge", "port-surge", "jp-01", 23, t0, 2.0));
    turn(b, t0, &told);
    turn(b, t0 + US_HOUR, &told);
    assert_int_equal(told.count, 1);
    turn(b, t0 + US_HOUR + 1, &told);
    assert_int_equal(told.count, 2);
    assert_false(told.last.open);
    char first[ALERT_ID];
    memcpy(first, told.last.id, sizeof first);
    put(b, make("surge", "port-surge", "jp-01", 23, t0 + 2 * US_HOUR, 2.0));
    turn(b, t0 + 2 * US_HOUR, &told);
    assert_true(told.last.open);
    assert_string_not_equal(told.last.id, first);
    buf_done(&told.lines);
    alert_book_free(b);
}

/* Each time of the day it comes at the same place; the next one is new. */
static void what_comes_daily_is_one_alert(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    for (int day = 0; day < 4; day++) {
        put(b, make("surge", "port-surge", "jp-01", 8080, t0 + day * US_DAY, 2.0));
        turn(b, t0 + day * US_DAY, &told);
    }
    for (size_t i = 1; i < told.count; i++)
        assert_string_equal(told.ids[i], told.ids[0]);
    turn(b, t0 + 3 * US_DAY + 25 * US_HOUR + 1, &told);
    assert_false(told.last.open);
    buf_done(&told.lines);
    alert_book_free(b);
}

static void severity_never_falls(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    struct finding f = make("surge", "port-surge", "jp-01", 23, t0, 9.0);
    f.severity = SEVERITY_WARNING;
    put(b, f);
    f = make("surge", "port-surge", "jp-01", 23, t0 + US_HOUR, 1.0);
    f.severity = SEVERITY_INFO;
    put(b, f);
    turn(b, t0 + US_HOUR, &told);
    assert_int_equal(told.last.severity, SEVERITY_WARNING);
    assert_string_equal(told.last.explanation, "surge says 23 at jp-01, score 9.");
    buf_done(&told.lines);
    alert_book_free(b);
}

static void time_is_that_of_the_first_notice(void **state)
{
    (void)state;
    const struct {
        enum severity severity;
        int64_t after, time;
    } steps[] = {
        {SEVERITY_INFO, 0, 0},
        {SEVERITY_INFO, US_HOUR, 0},
        {SEVERITY_NOTICE, 2 * US_HOUR, 2 * US_HOUR},
        {SEVERITY_WARNING, 3 * US_HOUR, 2 * US_HOUR},
        {SEVERITY_INFO, 4 * US_HOUR, 2 * US_HOUR},
    };
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    char id[ALERT_ID] = "";
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct finding f =
            make("surge", "port-surge", "jp-01", 23, t0 + steps[i].after, 2.0 + (double)i);
        f.severity = steps[i].severity;
        put(b, f);
        turn(b, t0 + steps[i].after, &told);
        assert_true(told.last.time == t0 + steps[i].time);
        assert_true(told.last.start == t0 - 10 * US_MINUTE);
        assert_true(!i || strcmp(told.last.id, id) == 0);
        memcpy(id, told.last.id, sizeof id);
    }
    buf_done(&told.lines);
    alert_book_free(b);
}

static void shared_hosts_relate(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    for (int i = 0; i < 3; i++) {
        struct finding f = make("surge", "port-surge", i == 2 ? "us-01" : "jp-01",
            (uint16_t)(i ? 20012 + i : 23), t0 + i * 3 * US_HOUR, 2.0);
        for (uint32_t h = 0; h < 2 && i < 2; h++) {
            struct ip host = ip_from_v4(0xc0000200 + h);
            finding_host(&f, &host);
        }
        put(b, f);
    }
    turn(b, t0 + 6 * US_HOUR, &told);
    const char *text = (const char *)told.lines.data;
    char related[64];
    snprintf(related, sizeof related, "\"related\":[\"%s\"]", told.ids[0]);
    assert_non_null(strstr(text, related));
    snprintf(related, sizeof related, "\"related\":[\"%s\"]", told.ids[2]);
    assert_non_null(strstr(text, related));
    assert_non_null(strstr(text, "\"related\":[]"));
    buf_done(&told.lines);
    alert_book_free(b);
}

/* The same hosts, and nothing but the same ports: else it is another thing. */
static void groups_join_what_told_of_them(void **state)
{
    (void)state;
    static const struct {
        uint32_t hosts;
        uint16_t more; /* a port beside 28415 */
        const char *site;
        size_t alerts;
    } rows[] = {
        {2, 0, "jp-01", 1}, {1, 0, "jp-01", 2}, {2, 23, "jp-01", 2}, {2, 0, "kr-01", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct alert_book *b = book((struct alert_options){0});
        struct told told;
        told_init(&told);
        struct finding step = make("tensor", "in-step", "jp-01", 28415, t0, 2.0);
        struct finding group =
            make("screen", "moving-group", rows[i].site, 28415, t0 + US_HOUR, 2.0);
        for (uint32_t h = 0; h < 2; h++) {
            struct ip host = ip_from_v4(0xc0000200 + h);
            finding_host(&step, &host);
            if (h < rows[i].hosts)
                finding_host(&group, &host);
        }
        if (rows[i].more)
            finding_port(&group, rows[i].more);
        put(b, step);
        put(b, group);
        turn(b, t0 + US_HOUR, &told);
        assert_int_equal(told.count, rows[i].alerts);
        buf_done(&told.lines);
        alert_book_free(b);
    }
}

static void cap_closes_the_weakest(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){.most = 3});
    struct told told;
    told_init(&told);
    for (uint16_t i = 0; i < 5; i++) {
        struct finding f = make("surge", "port-surge", "jp-01", (uint16_t)(100 + i), t0, i);
        f.severity = i == 0 ? SEVERITY_NOTICE : SEVERITY_INFO;
        put(b, f);
    }
    turn(b, t0, &told);
    const char *text = (const char *)told.lines.data;
    size_t closed = 0;
    for (const char *at = text; (at = strstr(at, "\"closed\"")); at++)
        closed++;
    assert_int_equal(closed, 2);
    char *first = strstr(text, "-100tcp");
    assert_non_null(strstr(first, "\"open\""));
    buf_done(&told.lines);
    alert_book_free(b);
}

static void sink_has_a_cap(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){.most = 2});
    struct sink sink = alert_book_sink(b);
    struct finding f = make("surge", "port-surge", "jp-01", 23, t0, 2.0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(sink.put(sink.context, &f), OK);
    assert_int_equal(sink.put(sink.context, &f), ERR_FULL);
    finding_done(&f);
    alert_book_free(b);
}

static void hosts_can_be_hidden(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){.hide_hosts = true, .tlp = "red"});
    struct told told;
    told_init(&told);
    struct finding f = make("surge", "port-surge", "jp-01", 23, t0, 2.0);
    struct ip host = ip_from_v4(0xc0000201);
    finding_host(&f, &host);
    const char rows[][EVIDENCE_LABEL] = {"192.0.2.1/32"};
    const char columns[][EVIDENCE_LABEL] = {"23/tcp"};
    struct evidence_block block = {.name = "hosts by port",
        .unit = "times",
        .across = "port",
        .rows = 1,
        .columns = 1,
        .hosts = rows,
        .labels = columns,
        .cells = (const double[]){1}};
    assert_int_equal(evidence_block(&f, &block), OK);
    put(b, f);
    turn(b, t0, &told);
    assert_null(strstr((const char *)told.lines.data, "192.0.2.1"));
    assert_non_null(strstr((const char *)told.lines.data, "hosts by port"));
    assert_string_equal(told.last.tlp, "red");
    buf_done(&told.lines);
    alert_book_free(b);
}

static void feed(struct alert_book *b, int step, struct told *told)
{
    int64_t now = t0 + step * 40 * US_MINUTE;
    for (int i = 0; i < 4; i++) {
        if ((step * 7 + i * 5) % 11 > 4)
            continue;
        struct finding f =
            make(i & 1 ? "growth" : "surge", i & 1 ? "global-growth" : "port-surge",
                i & 2 ? "jp-01" : "kr-01", (uint16_t)(23 + step % 3), now, step * 0.37 + i);
        struct ip host = ip_from_v4((uint32_t)(step + i));
        finding_host(&f, &host);
        put(b, f);
    }
    turn(b, now, told);
}

static void restart_changes_nothing(void **state)
{
    (void)state;
    struct alert_options options = {.quiet = 2 * US_HOUR, .hide_hosts = true};
    struct alert_book *whole = book(options);
    struct alert_book *cut = book(options);
    struct told one;
    struct told two;
    told_init(&one);
    told_init(&two);
    for (int step = 0; step < 40; step++) {
        feed(whole, step, &one);
        feed(cut, step, &two);
        struct buf kept;
        buf_init(&kept, 1 << 22);
        assert_int_equal(alert_book_save(cut, &kept), OK);
        alert_book_free(cut);
        cut = book(options);
        struct fault f;
        assert_int_equal(alert_book_load(cut, bytes_over(kept.data, kept.len), &f), OK);
        buf_done(&kept);
    }
    assert_true(one.lines.len > 1000);
    assert_int_equal(one.lines.len, two.lines.len);
    assert_memory_equal(one.lines.data, two.lines.data, one.lines.len);
    buf_done(&one.lines);
    buf_done(&two.lines);
    alert_book_free(whole);
    alert_book_free(cut);
}

static void broken_state_changes_nothing(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    feed(b, 0, &told);
    struct buf before;
    struct buf after;
    buf_init(&before, 1 << 20);
    buf_init(&after, 1 << 20);
    assert_int_equal(alert_book_save(b, &before), OK);
    struct fault f;
    for (size_t cut = 0; cut < before.len; cut += 13)
        assert_int_not_equal(alert_book_load(b, bytes_over(before.data, cut), &f), OK);
    assert_int_not_equal(alert_book_load(b, bytes_over("{\"version\":2}", 13), NULL), OK);
    assert_int_equal(alert_book_save(b, &after), OK);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    buf_done(&before);
    buf_done(&after);
    buf_done(&told.lines);
    alert_book_free(b);
}

/* The high-risk port: `graph` sees the whole change, `surge` the port; whoever speaks first, it
 * is one alert, which `surge` names. */
static void a_change_and_its_cause_are_one_alert(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct alert_book *b = book((struct alert_options){0});
        struct told told;
        told_init(&told);
        for (int i = 0; i < 2; i++)
            put(b, i == first
                       ? make("graph", "graph-change", "jp-01", 53413, t0, 2.0)
                       : make("surge", "port-surge", "jp-01", 53413, t0 + 10 * US_MINUTE, 2.0));
        put(b, make("graph", "graph-shift", "jp-01", 0, t0, 1.0));
        turn(b, t0 + 10 * US_MINUTE, &told);
        assert_int_equal(told.count, 2); /* the shift that nothing explains stands alone */
        put(b, make("surge", "port-surge", "jp-01", 53413, t0 + 20 * US_MINUTE, 3.0));
        turn(b, t0 + 20 * US_MINUTE, &told);
        assert_string_equal(told.last.kind, "port-surge");
        assert_int_equal(told.last.engine_count, 2);
        assert_string_equal(told.last.title, "surge sees 53413 at jp-01");
        assert_non_null(strstr(told.last.explanation, "graph says 53413 at jp-01"));
        buf_done(&told.lines);
        alert_book_free(b);
    }
}

static void those_in_step_are_one_alert_beside_the_rise(void **state)
{
    (void)state;
    struct alert_book *b = book((struct alert_options){0});
    struct told told;
    told_init(&told);
    put(b, make("glasso", "synchrony", "jp-01", 33434, t0, 2.0));
    put(b, make("nmf", "in-step", "jp-01", 33434, t0, 2.0));
    put(b, make("surge", "port-surge", "jp-01", 33434, t0, 2.0));
    put(b, make("tensor", "in-step", "kr-01", 33434, t0, 2.0));
    turn(b, t0, &told);
    assert_int_equal(told.count, 2);
    put(b, make("glasso", "synchrony", "kr-01", 33434, t0 + US_HOUR, 2.0));
    turn(b, t0 + US_HOUR, &told);
    assert_int_equal(told.count, 3);
    assert_string_equal(told.last.kind, "in-step");
    assert_int_equal(told.last.engine_count, 3);
    assert_int_equal(told.last.site_count, 2);
    buf_done(&told.lines);
    alert_book_free(b);
}

/* A wrong setting sends many hosts to one address: that is a rise, and they act in step. */
static void a_wrong_setting_is_one_alert(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct alert_book *b = book((struct alert_options){0});
        struct told told;
        told_init(&told);
        for (int i = 0; i < 2; i++) {
            struct finding f = i == first ? make("surge", "port-surge", "jp-01", 8080, t0, 2.0)
                                          : make("glasso", "synchrony", "jp-01", 8080, t0, 2.0);
            f.severity = SEVERITY_INFO;
            f.one_target = true;
            put(b, f);
        }
        turn(b, t0, &told);
        assert_int_equal(told.count, 1);
        assert_string_equal(told.last.kind, "port-surge");
        assert_int_equal(told.last.engine_count, 2);

        struct buf kept; /* the hub starts anew, and remembers it */
        buf_init(&kept, 1 << 20);
        assert_int_equal(alert_book_save(b, &kept), OK);
        alert_book_free(b);
        b = book((struct alert_options){0});
        assert_int_equal(alert_book_load(b, bytes_over(kept.data, kept.len), NULL), OK);
        buf_done(&kept);
        struct finding again = make("nmf", "in-step", "jp-01", 8080, t0 + 10 * US_MINUTE, 2.0);
        again.severity = SEVERITY_INFO;
        again.one_target = true;
        put(b, again);
        turn(b, t0 + 10 * US_MINUTE, &told);
        assert_int_equal(told.count, 2);
        assert_int_equal(told.last.engine_count, 3);

        /* Who scans that port in step meanwhile is another thing. */
        put(b, make("tensor", "in-step", "jp-01", 8080, t0 + US_HOUR, 2.0));
        turn(b, t0 + US_HOUR, &told);
        assert_int_equal(told.count, 3);
        assert_int_equal(told.last.engine_count, 1);
        buf_done(&told.lines);
        alert_book_free(b);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("confidence grows with the number of sources and falls where chance does as well",
        confidence_ranks),
    SAYS("findings about one port become one alert that grows", one_thing_is_one_alert),
    SAYS("a change of the whole and the port that explains it are one alert",
        a_change_and_its_cause_are_one_alert),
    SAYS("hosts in step are one alert, whichever engines see them, beside that of the rise",
        those_in_step_are_one_alert_beside_the_rise),
    SAYS("hosts that a wrong setting sends to one address are one alert, in step or not",
        a_wrong_setting_is_one_alert),
    SAYS("which engine speaks first makes no difference", order_of_engines_is_no_matter),
    SAYS("other ports, protocols and kinds are alerts of their own",
        other_things_are_other_alerts),
    SAYS("what names no port is one alert for each site", what_names_no_port_is_of_its_site),
    SAYS("an alert closes when nothing new came for the quiet time", silence_closes),
    SAYS("what comes every day at the same time is one alert", what_comes_daily_is_one_alert),
    SAYS("severity and words stay those of the strongest finding", severity_never_falls),
    SAYS("an alert's time is when a person was first asked to look, its start stays",
        time_is_that_of_the_first_notice),
    SAYS("alerts with the same hosts point at each other", shared_hosts_relate),
    SAYS("a group of sources joins the alert that told of its hosts and ports",
        groups_join_what_told_of_them),
    SAYS("past the cap the weakest are closed", cap_closes_the_weakest),
    SAYS("the sink refuses findings past its cap", sink_has_a_cap),
    SAYS("hosts can be hidden", hosts_can_be_hidden),
    SAYS("a book restarted at every turn tells the same, byte for byte",
        restart_changes_nothing),
    SAYS("a broken state is refused and changes nothing", broken_state_changes_nothing),
};
TEST_MAIN(tests)
