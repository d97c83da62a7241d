#include "test.h"

#include "base/clock.h"
#include "fleet/document.h"

static enum err parse(const char *text, struct site_document *d, struct fault *f)
{
    return document_parse(d, bytes_over(text, strlen(text)), f);
}

static void defaults(void **state)
{
    (void)state;
    struct site_document d, empty;
    struct fault f;
    document_default(&d);
    assert_string_equal(d.filter, "");
    assert_int_equal(d.sample, 1);
    assert_int_equal(d.payload, 64);
    assert_int_equal(d.batch, US_SECOND);
    assert_int_equal(d.heartbeat, 10 * US_SECOND);
    assert_int_equal(parse("{}", &empty, &f), OK);
    assert_true(document_same(&d, &empty));
}

static void round_trip(void **state)
{
    (void)state;
    struct site_document d, again;
    struct fault f = {0};
    assert_int_equal(
        parse("{\"filter\":\"dst net 198.51.100.0/24 and tcp\",\"sample\":16,\"payload\":0,"
              "\"batch\":\"1500ms\",\"heartbeat\":\"2m\",\"anonymisation\":{\"source\":"
              "\"prefix\",\"time\":{\"method\":\"round\",\"to\":\"1s\"}}}",
            &d, &f),
        OK);
    json_t *object = document_json(&d);
    assert_int_equal(document_read(&again, object, &f), OK);
    assert_true(document_same(&d, &again));
    assert_string_equal(json_string_value(json_object_get(object, "batch")), "1500ms");
    assert_string_equal(json_string_value(json_object_get(object, "heartbeat")), "2m");
    json_decref(object);
}

static void named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        enum err e;
    } wrong[] = {
        {"{\"payload\":257}", "payload: must be a whole number from 0 to 256", ERR_RANGE},
        {"{\"payload\":\"64\"}", "payload: must be a whole number from 0 to 256", ERR_BAD},
        {"{\"batch\":\"10ms\"}", "batch: must be a duration from 100ms to 1m, such as \"10s\"",
            ERR_RANGE},
        {"{\"batch\":5}", "batch: must be a duration", ERR_BAD},
        {"{\"filter\":7}", "filter: must be a text of at most 4095 bytes", ERR_BAD},
        {"{\"filter\":\"tcp and and udp\"}", "filter: ", ERR_BAD},
        {"{\"filter\":\"host www.example.com\"}",
            "filter: \"www.example.com\" is no word of pcap-filter(7)", ERR_BAD},
        {"{\"colour\":1}", "colour: no such member; there are filter, sample, payload, batch,",
            ERR_BAD},
        {"{\"anonymisation\":{\"source\":\"rot13\"}}", "anonymisation", ERR_BAD},
        {"{\"anonymisation\":{\"source\":\"rot13\"}}", "\"rot13\" is not one of keep", ERR_BAD},
        {"[]", "the document is not a JSON object", ERR_BAD},
        {"{\"payload\":1,}", "line 1, column", ERR_BAD},
        {"{\"payload\":1,\"payload\":2}", "not JSON", ERR_BAD},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct site_document d = {.sample = 77};
        struct fault f = {0};
        assert_int_equal(parse(wrong[i].text, &d, &f), wrong[i].e);
        if (!strstr(f.text, wrong[i].says))
            fail_msg("%s: \"%s\"", wrong[i].text, f.text);
        assert_int_equal(d.sample, 77);
    }
}

static void sets(void **state)
{
    (void)state;
    struct site_document d;
    struct fault f = {0};
    document_default(&d);
    assert_int_equal(document_set(&d, "payload=128", &f), OK);
    assert_int_equal(document_set(&d, "filter=tcp and dst port 23", &f), OK);
    assert_int_equal(document_set(&d, "heartbeat=30s", &f), OK);
    assert_int_equal(document_set(&d, "anonymisation.source=prefix", &f), OK);
    assert_int_equal(
        document_set(&d,
            "anonymisation.destination={\"method\":\"truncate\",\"ipv4\":16,\"ipv6\":48}", &f),
        OK);
    assert_int_equal(document_set(&d, "anonymisation.destination.ipv4=8", &f), OK);
    assert_int_equal(d.payload, 128);
    assert_string_equal(d.filter, "tcp and dst port 23");
    assert_int_equal(d.heartbeat, 30 * US_SECOND);
    assert_int_equal(d.anonymisation.rule[ANON_SOURCE].method, ANON_PREFIX);
    assert_int_equal(d.anonymisation.rule[ANON_DESTINATION].ipv4, 8);
    assert_int_equal(document_set(&d, "anonymisation.destination=truncate:20,40", &f), OK);
    assert_int_equal(d.anonymisation.rule[ANON_DESTINATION].ipv4, 20);
    assert_int_equal(d.anonymisation.rule[ANON_DESTINATION].ipv6, 40);
    assert_int_equal(document_set(&d, "anonymisation.destination=truncate:16", &f), OK);
    assert_int_equal(d.anonymisation.rule[ANON_DESTINATION].ipv6, 32);
    assert_int_equal(document_set(&d, "anonymisation.time=round:1m", &f), OK);
    assert_int_equal(d.anonymisation.rule[ANON_TIME].us, US_MINUTE);
    assert_int_equal(document_set(&d, "anonymisation.payload=first:16", &f), OK);
    assert_int_equal(d.anonymisation.rule[ANON_PAYLOAD].bytes, 16);
    static const char *const wrong[] = {"payload", "=5", "anonymisation.destination=truncate",
        "anonymisation.destination=truncate:", "anonymisation.destination=truncate:x",
        "anonymisation.destination=truncate:40", "anonymisation.destination=truncate:24,4x",
        "anonymisation.payload=first:", "anonymisation.payload=hash:1",
        "anonymisation.time=round:soon", "payload=", "payload=300", "nothing=1",
        "anonymisation.nothing=1", "anonymisation.source.deep.er=1", "filter.x=1", ".=1",
        "anonymisation=keep"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct site_document before = d;
        enum err e = document_set(&d, wrong[i], &f);
        if (!e)
            fail_msg("%s was taken", wrong[i]);
        assert_true(document_same(&before, &d));
    }
}

static void differs(void **state)
{
    (void)state;
    struct site_document a, b;
    struct fault f;
    document_default(&a);
    b = a;
    json_t *rows = document_diff(&a, &b);
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
    assert_int_equal(document_set(&b, "payload=1", &f), OK);
    assert_int_equal(document_set(&b, "anonymisation.place=drop", &f), OK);
    rows = document_diff(&a, &b);
    struct buf text;
    buf_init(&text, 4096);
    json_write(&text, rows);
    assert_string_equal((const char *)text.data,
        "[{\"member\":\"payload\",\"before\":64,\"after\":1},"
        "{\"member\":\"anonymisation.place\",\"before\":\"keep\",\"after\":\"drop\"}]");
    buf_done(&text);
    json_decref(rows);
}

static void parcels(void **state)
{
    (void)state;
    struct site_document d, again;
    struct fault f;
    struct buf text;
    int64_t version = 0;
    document_default(&d);
    assert_int_equal(document_set(&d, "payload=3", &f), OK);
    buf_init(&text, DOCUMENT_MAX);
    document_parcel_write(&text, "jp-01", 17, &d, NULL);
    struct bytes in = bytes_over(text.data, text.len);
    assert_int_equal(document_parcel_read(in, "jp-01", &version, &again, &f), OK);
    assert_int_equal(version, 17);
    assert_true(document_same(&d, &again));
    assert_int_equal(document_parcel_read(in, "kr-01", &version, &again, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "for the site jp-01"));
    for (size_t len = 0; len < text.len; len++)
        assert_int_equal(
            document_parcel_read(bytes_over(text.data, len), "jp-01", &version, &again, &f),
            ERR_BAD);
    buf_done(&text);
}

static void schema(void **state)
{
    (void)state;
    json_t *schema = document_schema();
    struct site_document d;
    document_default(&d);
    json_t *object = document_json(&d);
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        assert_non_null(json_object_get(json_object_get(schema, "properties"), name));
    }
    json_decref(object);
    json_decref(schema);
}

static enum err own_of(const char *beat, struct site_document *d, struct fault *f)
{
    return document_own_read(bytes_over(beat, strlen(beat)), d, f);
}

static void own(void **state)
{
    (void)state;
    struct site_document d, again;
    struct fault f = {0};
    struct buf text;
    json_t *beat = json_pack("{s:s}", "site", "jp-01");
    document_default(&d);
    d.payload = 17;
    assert_int_equal(document_own_write(beat, &d), OK);
    buf_init(&text, DOCUMENT_MAX);
    json_write(&text, beat);
    json_decref(beat);
    assert_int_equal(document_own_read(bytes_over(text.data, text.len), &again, &f), OK);
    assert_true(document_same(&d, &again));
    buf_done(&text);
    assert_int_equal(own_of("{\"site\":\"jp-01\"}", &again, &f), ERR_NOTFOUND);
    assert_int_equal(own_of("[]", &again, &f), ERR_NOTFOUND);
    assert_int_equal(own_of("{\"own_document\":7}", &again, &f), ERR_BAD);
    assert_int_equal(own_of("{\"own_document\":{\"payload\":999}}", &again, &f), ERR_RANGE);
    assert_int_equal(own_of("{\"own_document\":{\"filter\":\"tcp\"}}", &again, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "no filter"));
    assert_true(document_same(&d, &again));
}

static const struct CMUnitTest tests[] = {
    SAYS("what a document does not say has its default", defaults),
    SAYS("a document is the same after writing and reading", round_trip),
    SAYS("what is wrong is named in one sentence, and nothing is taken", named),
    SAYS("one member is set by its path; the whole is checked", sets),
    SAYS("two documents differ in the members that differ", differs),
    SAYS("a parcel is for one site, and whole", parcels),
    SAYS("what a site does by itself is beside its heartbeat, and has no filter", own),
    SAYS("the schema knows every member", schema),
};
TEST_MAIN(tests)
