#include "alert/alert.h"
#include "base/clock.h"
#include "test.h"

#include <string.h>

static const char full[] =
    "{\"version\":1,\"id\":\"20260815-3389tcp-4f2a\",\"time\":\"2026-08-15T00:10:00Z\","
    "\"start\":\"2026-08-15T00:00:00Z\",\"end\":\"2026-08-15T02:00:00.500000Z\","
    "\"kind\":\"global-growth\",\"engine\":[\"surge\",\"growth\"],\"severity\":\"warning\","
    "\"confidence\":0.97,\"title\":\"T\\u00fcr\",\"explanation\":\"E.\",\"proto\":\"tcp\","
    "\"ports\":[3389],\"sites\":[\"jp-01\",\"kr-01\"],\"countries\":[\"kr\"],"
    "\"host_count\":214,\"hosts\":[\"192.0.2.1\",\"2001:db8::1\"],\"tool\":\"zmap\","
    "\"evidence\":{\"surge\":{\"numbers\":[{\"name\":\"n\",\"value\":1.5,\"unit\":\"\","
    "\"text\":\"t\"}],\"series\":[{\"name\":\"s\",\"unit\":\"u\",\"start\":"
    "\"2026-08-15T00:00:00Z\",\"step_s\":600.0,\"values\":[1.0,null]}]},\"growth\":{\"sites\":"
    "[{\"site\":\"jp-01\",\"state\":\"first\",\"sources\":3.0,\"normal\":1.0,\"first\":"
    "\"2026-08-15T00:00:00Z\",\"lag_s\":0.0}]},\"tensor\":{\"blocks\":[{\"name\":\"b\","
    "\"unit\":\"times\",\"across\":\"port\",\"columns\":[\"23/tcp\",\"80/tcp\"],\"cells\":"
    "[[1.0,0.0],[2.0,null]],\"rows_in\":2,\"columns_in\":1,\"hosts\":[\"192.0.2.0/24\",\"\"],"
    "\"row_weights\":[1.0,null],\"column_weights\":[1.0,0.5]}]}},\"related\":[\"20260815-23tcp-"
    "0001\"],"
    "\"tlp\":\"amber\",\"status\":\"open\",\"revision\":3}";

static json_t *parsed(void)
{
    json_error_t where;
    json_t *value = json_loads(full, 0, &where);
    assert_non_null(value);
    return value;
}

static void text_comes_back(void **state)
{
    (void)state;
    json_t *value = parsed();
    struct alert a;
    struct fault f;
    assert_int_equal(alert_from_json(value, &a, &f), OK);
    assert_int_equal(a.host_sample, 2);
    assert_int_equal(a.severity, SEVERITY_WARNING);
    assert_true(a.end - a.start == 2 * US_HOUR + US_SECOND / 2);
    json_t *again = alert_json(&a);
    assert_true(json_equal(value, again));
    json_decref(again);
    json_decref(value);
    alert_done(&a);
}

/* Set one member to a JSON text and expect a refusal that names it. */
static void refuses(const char *name, const char *text)
{
    json_t *value = parsed();
    json_error_t where;
    json_t *member = json_loads(text, JSON_DECODE_ANY, &where);
    assert_non_null(member);
    json_object_set_new(value, name, member);
    struct alert a;
    struct fault f;
    enum err e = alert_from_json(value, &a, &f);
    if (!e || !strstr(f.text, name))
        fail_msg("%s = %s gave %d, \"%s\"", name, text, e, e ? f.text : "");
    assert_int_not_equal(alert_from_json(value, &a, NULL), OK);
    json_decref(value);
}

/* A block whose parts do not fit each other. */
static void blocks_must_fit(void **state)
{
    (void)state;
    static const char *const members[][2] = {
        {"cells", "[[1,0],[1]]"},
        {"cells", "[]"},
        {"cells", "[[1,0],[\"1\",0]]"},
        {"cells", "[1,0]"},
        {"columns", "[]"},
        {"columns", "[\"23/tcp\"]"},
        {"columns", "[23,80]"},
        {"rows_in", "3"},
        {"rows_in", "-1"},
        {"columns_in", "0.5"},
        {"hosts", "[\"192.0.2.0/24\"]"},
        {"hosts",
            "[\"\",\"0123456789012345678901234567890123456789012345678901234567890123\"]"},
        {"row_weights", "[1]"},
        {"column_weights", "[1,1,1]"},
        {"colour", "1"},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *value = parsed();
        json_t *tensor = json_object_get(json_object_get(value, "evidence"), "tensor");
        json_t *block = json_array_get(json_object_get(tensor, "blocks"), 0);
        json_error_t where;
        json_object_set_new(
            block, members[i][0], json_loads(members[i][1], JSON_DECODE_ANY, &where));
        struct alert a;
        struct fault f;
        enum err e = alert_from_json(value, &a, &f);
        if (e != ERR_BAD || !strstr(f.text, "evidence"))
            fail_msg("%s = %s gave %d", members[i][0], members[i][1], e);
        json_decref(value);
    }
}

static void wrong_members_are_named(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"version", "2"},
        {"version", "\"1\""},
        {"id", "\"\""},
        {"id", "\"a/b\""},
        {"id", "\"123456789012345678901234\""},
        {"time", "5"},
        {"start", "\"yesterday\""},
        {"end", "\"2026-08-14T00:00:00Z\""},
        {"kind", "\"Port Surge\""},
        {"engine", "[]"},
        {"engine", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]"},
        {"engine", "\"surge\""},
        {"severity", "\"bad\""},
        {"confidence", "1.01"},
        {"confidence", "null"},
        {"title", "7"},
        {"proto", "\"TCP\""},
        {"proto", "\"0\""},
        {"ports", "[65536]"},
        {"ports", "[-1]"},
        {"ports", "[1.5]"},
        {"ports", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]"},
        {"sites", "[\"\"]"},
        {"sites", "[\"A\"]"},
        {"countries", "[\"jpn\"]"},
        {"host_count", "-1"},
        {"hosts", "[\"192.0.2\"]"},
        {"hosts", "[7]"},
        {"tool", "\"\""},
        {"evidence", "[]"},
        {"evidence", "{\"surge\":{\"numbers\":[{\"name\":\"n\"}]}}"},
        {"evidence", "{\"surge\":{\"other\":[]}}"},
        {"evidence", "{\"surge\":{\"series\":[{\"name\":\"n\",\"unit\":\"\",\"start\":"
                     "\"2026-08-15\",\"step_s\":1,\"values\":[\"x\"]}]}}"},
        {"related", "[\"a:b\"]"},
        {"tlp", "\"blue\""},
        {"status", "\"new\""},
        {"revision", "4294967296"},
        {"colour", "\"red\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuses(rows[i][0], rows[i][1]);
}

static void missing_members_are_named(void **state)
{
    (void)state;
    json_t *whole = parsed();
    const char *name;
    json_t *member;
    json_object_foreach(whole, name, member)
    {
        json_t *value = parsed();
        json_object_del(value, name);
        struct alert a;
        struct fault f;
        assert_int_equal(alert_from_json(value, &a, &f), ERR_BAD);
        assert_non_null(strstr(f.text, name));
        assert_non_null(strstr(f.text, "missing"));
        json_decref(value);
    }
    json_decref(whole);
}

static const struct CMUnitTest tests[] = {
    SAYS("a block of evidence whose parts do not fit each other is refused", blocks_must_fit),
    SAYS("an alert read from JSON is written as the same JSON", text_comes_back),
    SAYS("a wrong value is refused by the name of its member", wrong_members_are_named),
    SAYS("a missing member is refused by its name", missing_members_are_named),
};
TEST_MAIN(tests)
