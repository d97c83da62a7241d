#include "base/clock.h"
#include "decode/packet.h"
#include "evaluate/baseline.h"
#include "evaluate/count.h"
#include "evaluate/host_counts.h"
#include "test.h"

#include <string.h>

static enum err read_text(struct host_counts *h, const char *text, struct fault *f)
{
    char path[] = "/tmp/kizashi-test-counts-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    *h = (struct host_counts){.window = 600 * US_SECOND};
    enum err e = host_counts_read(h, path, f);
    remove(path);
    return e;
}

static void reads(void **state)
{
    (void)state;
    struct host_counts h;
    struct fault f = {0};
    enum err e = read_text(&h,
        "window,site,proto,port,sources\n"
        "2026-08-03T00:10:00Z,jp-01,tcp,23,5\n"
        "2026-08-03T00:00:00Z,kr-01,udp,53,7\n",
        &f);
    if (e)
        fail_msg("%s", f.text);
    host_counts_sort(&h);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.windows, 2);
    assert_int_equal(h.rows[0].window, 1);
    assert_int_equal(h.rows[0].hosts, 5);
    assert_string_equal(h.sites[h.rows[0].site], "jp-01");
    assert_int_equal(h.rows[1].window, 0);
    assert_int_equal(h.rows[1].proto, 17);
    assert_int_equal(h.rows[1].port, 53);
    host_counts_done(&h);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"a,b\n", "line 1"},
        {"window,site,proto,port,sources\nx,jp-01,tcp,23,5\n", "line 2"},
        {"window,site,proto,port,sources\n2026-08-03,jp-01,tcp,23\n", "line 2"},
        {"window,site,proto,port,sources\n2026-08-03,jp-01,tcp,23,5,6\n", "line 2"},
        {"window,site,proto,port,sources\n2026-08-03,jp-01,tcp,65536,5\n", "line 2"},
        {"window,site,proto,port,sources\n2026-08-03,jp-01,tpc,23,5\n", "line 2"},
        {"window,site,proto,port,sources\n2026-08-03T00:05:00Z,jp-01,tcp,23,5\n", "line 2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct host_counts h;
        struct fault f = {0};
        assert_int_equal(read_text(&h, rows[i].text, &f), ERR_BAD);
        assert_non_null(strstr(f.text, rows[i].says));
        host_counts_done(&h);
    }
}

/* What the counter finds for an event's port is what the truth's own peak says. */
static void counts(void **state)
{
    (void)state;
    struct telescope_options o;
    struct telescope *t;
    struct fault f = {0};
    struct host_counts h = {.window = TRUTH_WINDOW_S * US_SECOND};
    telescope_options_init(&o);
    o.start = INT64_C(1785715200) * US_SECOND;
    o.length = 6 * US_HOUR;
    o.sites = 2;
    o.prefix = 24;
    o.scale = 0.01; /* no stranger asks for that port */
    o.quiet = true;
    o.events = "one-site@2h";
    if (telescope_open(&t, &o, &f))
        fail_msg("%s", f.text);
    if (count_hosts(t, &h, &f))
        fail_msg("%s", f.text);
    const struct truth *truth = telescope_truth(t);
    const struct truth_event *e = &truth->events[0];
    uint32_t peak = 0;
    for (size_t i = 0; i < h.count; i++) {
        if (h.rows[i].proto != PROTO_TCP || h.rows[i].port != e->ports[0])
            continue;
        assert_string_equal(h.sites[h.rows[i].site], truth->sites[e->sites[0].site].name);
        peak = h.rows[i].hosts > peak ? h.rows[i].hosts : peak;
    }
    assert_true(peak >= 10);
    assert_int_equal(peak, e->sites[0].peak_hosts);
    host_counts_done(&h);
    telescope_close(t);
}

/* Two ports hover about their level for three days; one of them jumps. With room for one alert,
 * each rule names the jump; ChangeFinder within the half hour that its smoothing takes. */
static void baselines_find_a_jump(void **state)
{
    (void)state;
    struct host_counts h = {.window = 600 * US_SECOND};
    const int64_t start = INT64_C(1785715200) * US_SECOND;
    const uint32_t jump = 400;
    for (uint32_t w = 0; w < 432; w++)
        for (uint16_t port = 1; port <= 2; port++)
            assert_int_equal(host_counts_add(&h, start + w * h.window, "jp-01", 6, port,
                                 20 + (w * 7 + port) % 5 + (w >= jump && port == 2 ? 40 : 0)),
                OK);
    for (int rule = 0; rule < BASELINE_RULES; rule++) {
        struct warnings w = {0};
        double threshold;
        const struct baseline_options o = {
            .rule = (enum baseline_rule)rule, .alerts = 1, .quiet = 6 * US_HOUR};
        assert_int_equal(baseline_make(&h, &o, &w, &threshold), OK);
        assert_int_equal(w.count, 1);
        assert_int_equal(w.list[0].ports[0], 2);
        int64_t after = w.list[0].raised - (start + jump * h.window);
        assert_true(after > 0 && after <= 3 * h.window);
        warnings_done(&w);
    }
    host_counts_done(&h);
}

static const struct CMUnitTest tests[] = {
    SAYS("each rule of the baseline finds a jump within half an hour", baselines_find_a_jump),
    SAYS("rows are read in any order", reads),
    SAYS("a broken row is refused by its line", refused),
    SAYS("hosts counted from the packets are those that the truth counts", counts),
};

TEST_MAIN(tests)
