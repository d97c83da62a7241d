#include "test.h"

#include "api/param_int.h"
#include "base/clock.h"

#include <string.h>

static const enum param_id list[] = {P_FROM, P_TO, P_SITE, P_COUNTRY, P_CLASS, P_PROTO, P_PORT,
    P_SRC, P_LIMIT, P_STEP, P_WORDS, P_CURSOR, P_NONE};
static const enum param_id members[] = {
    B_USER, B_PASSWORD, B_ROLE, B_DISABLED, B_EXPIRES_IN, B_NOTE, P_NONE};
static const enum param_id nothing[] = {P_NONE};
static struct args args;
static struct objection objection;

static enum err query(const char *text)
{
    memset(&args, 0, sizeof args);
    memset(&objection, 0, sizeof objection);
    return param_query(&args, list, bytes_over(text, strlen(text)), &objection);
}

static enum err body(const char *text, const enum param_id *required)
{
    memset(&args, 0, sizeof args);
    memset(&objection, 0, sizeof objection);
    return param_body(&args, members, required, bytes_over(text, strlen(text)), &objection);
}

static void takes_values(void **state)
{
    (void)state;
    assert_int_equal(
        query("from=2026-11-22T08:00:00Z&to=2026-11-23&site=jp-01&country=jp"
              "&class=-survey%2C-worm&proto=udp&port=53413&src=192.0.2.0%2F24&limit=7"
              "&step=10m&q=two+words%21"),
        OK);
    assert_int_equal(args.value[P_FROM].number, INT64_C(1795334400) * US_SECOND);
    assert_int_equal(args.value[P_TO].number, INT64_C(1795392000) * US_SECOND);
    assert_string_equal(args.value[P_SITE].text, "jp-01");
    assert_string_equal(args.value[P_CLASS].text, "-survey,-worm");
    assert_int_equal(args.value[P_PROTO].number, 17);
    assert_int_equal(args.value[P_PORT].number, 53413);
    assert_int_equal(args.value[P_SRC].prefix.bits, 120);
    assert_int_equal(args.value[P_LIMIT].number, 7);
    assert_int_equal(args.value[P_STEP].number, 10 * US_MINUTE);
    assert_string_equal(args.value[P_WORDS].text, "two words!");
}

static void takes_relative_times(void **state)
{
    (void)state;
    assert_int_equal(query("from=-1d12h&to=now"), OK);
    assert_true(args.value[P_FROM].relative);
    assert_int_equal(args.value[P_FROM].number, -36 * US_HOUR);
    assert_true(args.value[P_TO].is_now);
}

static void sets_defaults(void **state)
{
    (void)state;
    assert_int_equal(query(""), OK);
    assert_false(args.value[P_LIMIT].given);
    assert_int_equal(args.value[P_LIMIT].number, 100);
    for (int id = P_NONE + 1; id < PARAM_COUNT; id++) {
        const enum param_id one[] = {(enum param_id)id, P_NONE};
        memset(&args, 0, sizeof args);
        assert_int_equal(param_query(&args, one, bytes_over("", 0), &objection), OK);
        assert_false(args.value[id].given);
    }
}

static void names_what_is_wrong(void **state)
{
    static const struct {
        const char *query, *field;
    } rows[] = {
        {"port=65536", "port"},
        {"port=-1", "port"},
        {"port=", "port"},
        {"port", "port"},
        {"port=80x", "port"},
        {"port=99999999999999999999", "port"},
        {"limit=0", "limit"},
        {"limit=10001", "limit"},
        {"proto=256", "proto"},
        {"proto=TCP", "proto"},
        {"site=JP", "site"},
        {"site=", "site"},
        {"country=jpn", "country"},
        {"country=J1", "country"},
        {"country=uk", "country"},
        {"class=scans", "class"},
        {"class=sca", "class"},
        {"class=", "class"},
        {"class=-", "class"},
        {"class=scan,", "class"},
        {"class=scan,scan", "class"},
        {"class=scan,-worm", "class"},
        {"class=-scan,worm", "class"},
        {"class=--scan", "class"},
        {"from=yesterday", "from"},
        {"from=2026-13-01", "from"},
        {"from=1969-01-01", "from"},
        {"from=-3", "from"},
        {"step=59s", "step"},
        {"step=366d", "step"},
        {"src=192.0.2.1/24", "src"},
        {"src=192.0.2", "src"},
        {"q=%ff", "q"},
        {"q=%01", "q"},
        {"site=a%00b", "site"},
        {"site=%4", "site"},
        {"site=%zz", "site"},
        {"cursor=a/b", "cursor"},
        {"port=80&port=81", "port"},
        {"prot=tcp", "prot"},
        {"=1", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(query(rows[i].query), ERR_BAD);
        assert_string_equal(objection.field, rows[i].field);
        assert_true(strlen(objection.detail) > 5);
    }
}

static void says_what_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(query("port=http"), ERR_BAD);
    assert_string_equal(
        objection.detail, "port is \"http\" but must be a whole number of 0 to 65535");
    assert_string_equal(objection.allowed, "a whole number of 0 to 65535");
    assert_int_equal(query("sites=jp"), ERR_BAD);
    assert_non_null(strstr(objection.detail, "there are: from, to, site, country"));
}

static void refuses_what_is_too_long(void **state)
{
    char text[40000] = "q=";
    (void)state;
    memset(text + 2, 'a', 201);
    assert_int_equal(query(text), ERR_BAD);
    memset(text + 2, 'a', sizeof text - 3);
    assert_int_equal(query(text), ERR_BAD);
    memset(text, 'a', sizeof text - 1);
    assert_int_equal(query(text), ERR_BAD);
    assert_true(strlen(objection.field) < sizeof objection.field);
}

static void takes_members(void **state)
{
    static const enum param_id required[] = {B_USER, B_PASSWORD, P_NONE};
    (void)state;
    assert_int_equal(
        body("{\"user\": \"ann\", \"password\": \"correct horse\", \"role\": \"admin\","
             " \"disabled\": false, \"expires_in\": \"90d\"}",
            required),
        OK);
    assert_string_equal(args.value[B_USER].text, "ann");
    assert_int_equal(args.value[B_ROLE].number, 1);
    assert_true(args.value[B_DISABLED].given);
    assert_int_equal(args.value[B_DISABLED].number, 0);
    assert_int_equal(args.value[B_EXPIRES_IN].number, 90 * US_DAY);
}

static void names_wrong_members(void **state)
{
    static const enum param_id required[] = {B_USER, P_NONE};
    static const struct {
        const char *body, *field;
    } rows[] = {
        {"", ""},
        {"[]", ""},
        {"{", ""},
        {"{}", ""},
        {"{\"user\": 1}", "user"},
        {"{\"user\": null}", "user"},
        {"{\"user\": \"a b\"}", "user"},
        {"{\"user\": \"a\\u0000b\"}", ""},
        {"{\"user\": \"a\", \"user\": \"b\"}", ""},
        {"{\"user\": \"a\", \"admin\": true}", "admin"},
        {"{\"user\": \"a\", \"disabled\": \"true\"}", "disabled"},
        {"{\"user\": \"a\", \"disabled\": 1}", "disabled"},
        {"{\"role\": \"viewer\"}", "user"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(body(rows[i].body, required), ERR_BAD);
        assert_string_equal(objection.field, rows[i].field);
        assert_true(strlen(objection.detail) > 5);
    }
}

static void never_repeats_a_secret(void **state)
{
    (void)state;
    assert_int_equal(body("{\"password\": \"hunter2\"}", nothing), ERR_BAD);
    assert_string_equal(objection.field, "password");
    assert_null(strstr(objection.detail, "hunter2"));
}

static const struct CMUnitTest tests[] = {
    SAYS("a query's values are taken by their types", takes_values),
    SAYS("times count back from the newest packet", takes_relative_times),
    SAYS("what is not given has its default, and every default is allowed", sets_defaults),
    SAYS("every wrong parameter is named", names_what_is_wrong),
    SAYS("an objection says what is allowed", says_what_is_allowed),
    SAYS("texts and names beyond their length are refused", refuses_what_is_too_long),
    SAYS("a body's members are taken by their types", takes_members),
    SAYS("every wrong member is named", names_wrong_members),
    SAYS("a wrong password is not repeated in the objection", never_repeats_a_secret),
};
TEST_MAIN(tests)
