#include "record/finding.h"
#include "test.h"

#include <math.h>
#include <string.h>

static void severities_have_words(void **state)
{
    (void)state;
    for (int s = SEVERITY_INFO; s <= SEVERITY_CRITICAL; s++) {
        enum severity back;
        assert_int_equal(severity_parse(severity_name((enum severity)s), &back), OK);
        assert_int_equal(back, s);
    }
    enum severity none = SEVERITY_WARNING;
    assert_int_equal(severity_parse("fatal", &none), ERR_NOTFOUND);
    assert_int_equal(none, SEVERITY_WARNING);
}

static void lists_keep_what_fits(void **state)
{
    (void)state;
    struct finding f;
    finding_init(&f, "surge", "port-surge");
    for (int round = 0; round < 2; round++)
        for (uint16_t p = 1; p <= FINDING_PORTS + 3; p++)
            finding_port(&f, p);
    assert_int_equal(f.port_count, FINDING_PORTS);
    assert_int_equal(f.ports[FINDING_PORTS - 1], FINDING_PORTS);
    finding_site(&f, "jp-01");
    finding_site(&f, "jp-01");
    finding_site(&f, "kr-01");
    assert_int_equal(f.site_count, 2);
    finding_country(&f, "jp");
    finding_country(&f, "jpn");
    finding_country(&f, "");
    assert_int_equal(f.country_count, 1);
    for (uint32_t i = 0; i < FINDING_HOSTS + 5; i++) {
        struct ip host = ip_from_v4(i);
        finding_host(&f, &host);
        finding_host(&f, &host);
    }
    assert_int_equal(f.host_sample, FINDING_HOSTS);
    finding_done(&f);
}

static void evidence_is_drawable(void **state)
{
    (void)state;
    struct finding f;
    finding_init(&f, "surge", "port-surge");
    assert_int_equal(evidence_number(&f, "ratio", 4.5, "", "now over normal"), OK);
    assert_int_equal(evidence_number(&f, "none", NAN, "", "left out"), OK);
    const double values[] = {1, NAN, 3};
    const double expected[] = {2, 2, 2};
    struct evidence_series s = {.name = "sources",
        .unit = "sources",
        .start = 0,
        .step = 600000000,
        .count = 3,
        .values = values,
        .expected = expected};
    assert_int_equal(evidence_series(&f, &s), OK);
    s.count = 2017;
    assert_int_equal(evidence_series(&f, &s), ERR_RANGE);
    struct evidence_site site = {
        .site = "jp-01", .state = "rising", .sources = 30, .normal = 3, .first = 60000000};
    assert_int_equal(evidence_site(&f, &site), OK);
    struct buf text;
    buf_init(&text, 4096);
    json_write(&text, f.evidence);
    assert_string_equal((const char *)text.data,
        "{\"numbers\":[{\"name\":\"ratio\",\"value\":4.5,\"unit\":\"\",\"text\":\"now over "
        "normal\"}],\"series\":[{\"name\":\"sources\",\"unit\":\"sources\",\"start\":"
        "\"1970-01-01T00:00:00Z\",\"step_s\":600.0,\"values\":[1.0,null,3.0],\"expected\":"
        "[2.0,2.0,2.0]}],\"sites\":[{\"site\":\"jp-01\",\"state\":\"rising\",\"sources\":30.0,"
        "\"normal\":3.0,\"first\":\"1970-01-01T00:01:00Z\",\"lag_s\":0.0}]}");
    buf_done(&text);
    finding_done(&f);
}

static void blocks_have_factors(void **state)
{
    (void)state;
    struct finding f;
    finding_init(&f, "tensor", "in-step");
    const char hosts[][EVIDENCE_LABEL] = {"192.0.2.0/24", ""};
    const char ports[][EVIDENCE_LABEL] = {"23/tcp"};
    struct evidence_block b = {.name = "hosts by port",
        .unit = "times",
        .across = "port",
        .rows = 2,
        .columns = 1,
        .rows_in = 1,
        .columns_in = 1,
        .hosts = hosts,
        .labels = ports,
        .cells = (const double[]){3, 0},
        .row_weights = (const double[]){1, NAN}};
    assert_int_equal(evidence_block(&f, &b), OK);
    struct buf text;
    buf_init(&text, 4096);
    json_write(&text, f.evidence);
    assert_string_equal((const char *)text.data,
        "{\"blocks\":[{\"name\":\"hosts by port\",\"unit\":\"times\",\"across\":\"port\","
        "\"columns\":[\"23/tcp\"],\"cells\":[[3.0],[0.0]],\"rows_in\":1,\"columns_in\":1,"
        "\"hosts\":[\"192.0.2.0/24\",\"\"],\"row_weights\":[1.0,null]}]}");
    b.rows_in = 3;
    assert_int_equal(evidence_block(&f, &b), ERR_RANGE);
    b.rows_in = 1;
    b.rows = EVIDENCE_ROWS + 1;
    assert_int_equal(evidence_block(&f, &b), ERR_RANGE);
    b.rows = 0;
    assert_int_equal(evidence_block(&f, &b), ERR_RANGE);
    buf_done(&text);
    finding_done(&f);
}

static void evidence_is_capped(void **state)
{
    (void)state;
    struct finding f;
    finding_init(&f, "surge", "port-surge");
    enum err e = OK;
    int taken = 0;
    while (!e && taken < 1000) {
        e = evidence_number(&f, "n", taken, "", "");
        taken += !e;
    }
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(taken, 64);
    finding_done(&f);
}

static const struct CMUnitTest tests[] = {
    SAYS("every severity has a word and the word leads back", severities_have_words),
    SAYS("lists hold each thing once and drop what does not fit", lists_keep_what_fits),
    SAYS("evidence is numbers, series with gaps, and sites", evidence_is_drawable),
    SAYS(
        "a block is hosts against ports, with the factors that are known", blocks_have_factors),
    SAYS("evidence has a cap", evidence_is_capped),
};
TEST_MAIN(tests)
