#include "anon/policy.h"

#include "base/clock.h"
#include "test.h"

static enum err parse(const char *text, struct anon_policy *p, struct fault *f)
{
    return anon_policy_parse(p, bytes_over(text, strlen(text)), f);
}

static void defaults(void **state)
{
    (void)state;
    struct anon_policy p, expected;
    struct fault f;
    anon_policy_default(&expected);
    assert_int_equal(parse("{}", &p, &f), OK);
    assert_true(anon_policy_same(&p, &expected));
    assert_int_equal(p.rule[ANON_SOURCE].method, ANON_KEEP);
    assert_int_equal(p.rule[ANON_DESTINATION].method, ANON_HASH);
    assert_int_equal(p.rule[ANON_NUMBERS].method, ANON_RELATION);
}

static void all_members(void **state)
{
    (void)state;
    struct anon_policy p;
    struct fault f;
    assert_int_equal(
        parse("{\"version\": 1, \"source\": {\"method\": \"prefix\"},"
              "\"destination\": {\"method\": \"truncate\", \"ipv4\": 24, \"ipv6\": 48},"
              "\"source_port\": \"drop\", \"destination_port\": \"class\","
              "\"time\": {\"method\": \"round\", \"to\": \"1s\"},"
              "\"payload\": {\"method\": \"first\", \"bytes\": 32},"
              "\"numbers\": \"drop\", \"place\": \"country\", \"dns\": \"domain\","
              "\"url\": \"host\", \"epoch\": \"1d\", \"old_epochs\": 3}",
            &p, &f),
        OK);
    assert_int_equal(p.rule[ANON_SOURCE].method, ANON_PREFIX);
    assert_int_equal(p.rule[ANON_DESTINATION].ipv4, 24);
    assert_int_equal(p.rule[ANON_DESTINATION].ipv6, 48);
    assert_int_equal(p.rule[ANON_TIME].us, US_SECOND);
    assert_int_equal(p.rule[ANON_PAYLOAD].bytes, 32);
    assert_int_equal(p.rule[ANON_URL].method, ANON_HOST);
    assert_int_equal(p.epoch, US_DAY);
    assert_int_equal(p.old_epochs, 3);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *document, *says;
    } rows[] = {
        {"[]", "an anonymisation policy must be a JSON object"},
        {"{", "line 1, column 1"},
        {"{\"source\": \"keep\", \"source\": \"drop\"}", "duplicate"},
        {"{\"sorce\": \"keep\"}", "sorce: is no member"},
        {"{\"version\": 2}", "version: must be 1"},
        {"{\"source\": \"class\"}",
            "source.method: \"class\" is not one of keep, truncate, prefix, hash or drop"},
        {"{\"source\": 1}", "source.method: must be one of keep"},
        {"{\"source\": {}}", "source.method: must be one of keep"},
        {"{\"destination\": \"truncate\"}",
            "destination.ipv4: is missing; the method truncate needs a whole number of bits"},
        {"{\"destination\": {\"method\": \"truncate\", \"ipv4\": 33, \"ipv6\": 1}}",
            "destination.ipv4: must be a whole number of bits from 0 to 32"},
        {"{\"destination\": {\"method\": \"truncate\", \"ipv4\": \"24\", \"ipv6\": 1}}",
            "destination.ipv4: must be"},
        {"{\"destination\": {\"method\": \"hash\", \"ipv4\": 24}}",
            "destination.ipv4: the method hash has no such member"},
        {"{\"payload\": {\"method\": \"first\", \"bytes\": 0}}", "payload.bytes: must be"},
        {"{\"time\": {\"method\": \"round\", \"to\": \"2d\"}}", "time.to: must be a duration"},
        {"{\"time\": {\"method\": \"round\", \"to\": 5}}", "time.to: must be a duration"},
        {"{\"time\": \"shift\"}", "time.most: is missing"},
        {"{\"epoch\": \"1m\"}", "epoch: must be \"never\""},
        {"{\"epoch\": 7}", "epoch: must be \"never\""},
        {"{\"old_epochs\": -1}", "old_epochs: must be a whole number from 0 to 1024"},
        {"{\"one_key\": 1}", "one_key: must be true or false"},
        {"{\"one_key\": true, \"source\": \"prefix\"}", "one_key: source and destination"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct anon_policy p, before;
        struct fault f = {0};
        anon_policy_open(&p);
        before = p;
        assert_int_not_equal(parse(rows[i].document, &p, &f), OK);
        if (!strstr(f.text, rows[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].document, f.text, rows[i].says);
        assert_true(anon_policy_same(&p, &before));
    }
}

static void set_all(struct anon_rule *r, enum anon_method m)
{
    *r = (struct anon_rule){.method = m};
    if (m == ANON_TRUNCATE)
        r->ipv4 = 20, r->ipv6 = 40;
    if (m == ANON_FIRST)
        r->bytes = 256;
    if (m == ANON_ROUND)
        r->us = 1500000;
    if (m == ANON_SHIFT)
        r->us = 36 * US_HOUR;
}

static void round_trip(void **state)
{
    (void)state;
    for (size_t field = 0; field < ANON_FIELDS; field++)
        for (size_t m = 0; m < anon_fields[field].method_count; m++) {
            struct anon_policy p, again;
            struct fault f;
            anon_policy_default(&p);
            set_all(&p.rule[field], anon_fields[field].methods[m]);
            p.epoch = m ? (int64_t)m * US_HOUR : 0;
            json_t *document = anon_policy_json(&p);
            assert_int_equal(anon_policy_read(&again, document, &f), OK);
            assert_true(anon_policy_same(&p, &again));
            json_decref(document);
        }
}

/* What the project publishes is what the program says. */
static void schema_file(void **state)
{
    (void)state;
    char path[512];
    json_error_t error;
    json_t *file = json_load_file(
        test_source("docs/formats/anonymisation-policy.schema.json", path), 0, &error);
    assert_non_null(file);
    json_t *own = anon_policy_schema();
    assert_true(json_equal(file, own));
    json_decref(file);
    json_decref(own);
}

static const struct CMUnitTest tests[] = {
    SAYS("what a document does not name is as the default has it", defaults),
    SAYS("every member is read", all_members),
    SAYS("a refusal names the member, says what is allowed, and leaves the policy as it was",
        refusals),
    SAYS("each method of each field survives being written and read", round_trip),
    SAYS("the schema in docs is the program's", schema_file),
};
TEST_MAIN(tests)
