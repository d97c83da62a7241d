#include "anon/log.h"

#include "test.h"

static const uint8_t secret[ANON_SECRET] = "a secret of thirty-two bytes...";

static const char policy[] = "{\"source\": {\"method\": \"truncate\", \"ipv4\": 24, \"ipv6\": "
                             "48}, \"destination\": \"drop\","
                             "\"time\": {\"method\": \"round\", \"to\": \"1m\"}, \"dns\": "
                             "\"domain\", \"url\": \"drop-query\","
                             "\"source_port\": \"class\"}";

/* Lines of `text` through a log of a form; what comes out is in `out`. */
static struct anon_log_counts pass(
    const char *document, enum anon_log_form form, const char *text, char out[8192])
{
    struct anon_policy p;
    struct anon_keys *keys;
    struct anon *a;
    struct anon_log *l;
    struct anon_log_counts counts;
    struct fault f = {0};
    struct buf b;
    if (anon_policy_parse(&p, bytes_over(document, strlen(document)), &f) != OK)
        fail_msg("%s", f.text);
    assert_int_equal(anon_keys_from(&keys, secret), OK);
    assert_int_equal(anon_new(&a, &p, keys, 0), OK);
    assert_int_equal(anon_log_new(&l, a, form), OK);
    buf_init(&b, 8191);
    while (*text) {
        size_t len = strcspn(text, "\n");
        assert_int_equal(anon_log_line(l, bytes_over(text, len), &b, &f), OK);
        text += len + (text[len] == '\n');
    }
    snprintf(out, 8192, "%s", b.data ? (const char *)b.data : "");
    anon_log_counts(l, &counts);
    buf_done(&b);
    anon_log_free(l);
    anon_free(a);
    anon_keys_close(keys);
    return counts;
}

static void zeek(void **state)
{
    (void)state;
    char out[8192];
    struct anon_log_counts c = pass(policy, ANON_LOG_AUTO,
        "#separator \\x09\n#open\t2026-11-22-08-00-00\n"
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tquery\tqtype_name\tanswers\n"
        "#types\ttime\tstring\taddr\tport\taddr\tstring\tstring\tvector[string]\n"
        "1763798461.500000\tC1\t192.0.2.7\t4000\t198.51.100.1\twww.a.example.co.uk\tA\t"
        "cdn.example.net,203.0.113.9\n"
        "1763798461.500000\tC2\t-\t-\t-\t-\tTXT\t(empty)\n",
        out);
    assert_string_equal(out,
        "#separator \\x09\n"
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tquery\tqtype_name\tanswers\n"
        "#types\ttime\tstring\taddr\tport\taddr\tstring\tstring\tvector[string]\n"
        "1763798460.000000\t-\t192.0.2.0\t1024\t0.0.0.0\texample.co.uk\tA\texample.net,203.0."
        "113.0\n"
        "1763798460.000000\t-\t-\t-\t-\t-\tTXT\t-\n");
    assert_int_equal(c.written, 2);
    assert_int_equal(c.lines, 6);
}

static void plain(void **state)
{
    (void)state;
    char out[8192];
    pass(policy, ANON_LOG_AUTO,
        "time\tclient\tqname\tpassword\r\n2025-11-22T08:01:02.5Z\t2001:db8:1:2::3\tA.Example."
        "com.\tsecret\n",
        out);
    assert_string_equal(out, "time\tclient\tqname\tpassword\n2025-11-22T08:01:00.0Z\t2001:db8:"
                             "1::\texample.com\t-\n");
}

static void json(void **state)
{
    (void)state;
    char out[8192];
    struct anon_log_counts c = pass(policy, ANON_LOG_AUTO,
        "{\"ts\":1763798461.5,\"id.orig_h\":\"192.0.2.7\",\"id.orig_p\":80,\"query\":\"x."
        "example.com\","
        "\"uid\":\"C1\",\"TTLs\":[60.0],\"answers\":[\"a.example.net\",\"203.0.113.9\"],"
        "\"AA\":false,\"deep\":{\"query\":\"x\"},\"uri\":\"/a?b\"}\n"
        "{\"ts\": broken\n[1]\n{\"query\":\"no.time.example.com\"}\n",
        out);
    assert_string_equal(out, "{\"ts\":1763798460.0,\"id.orig_h\":\"192.0.2.0\",\"id.orig_p\":0,"
                             "\"query\":\"example.com\","
                             "\"TTLs\":[60.0],\"answers\":[\"example.net\",\"203.0.113.0\"],"
                             "\"AA\":false,\"uri\":\"/a\"}\n");
    assert_int_equal(c.broken, 2);
    assert_int_equal(c.untimed, 1);
    assert_int_equal(c.written, 1);
}

static void named(void **state)
{
    (void)state;
    char out[8192];
    struct anon_log_counts c = pass(policy, ANON_LOG_AUTO,
        "23-Nov-2026 08:00:10.123 queries: info: client @0x7f01 192.0.2.7#53422 "
        "(www.example.com): "
        "view internal: query: www.example.com IN A +E(0)K (10.0.0.1)\n"
        "2026-11-23T08:00:10.123Z client 192.0.2.7#500 (.): query: . IN NS +\n"
        "23-Nov-2026 08:00:11.000 general: info: reloading\n",
        out);
    assert_string_equal(out,
        "2026-11-23T08:00:00.000Z client 192.0.2.0#49152 (example.com): query: "
        "example.com IN A +E(0)K "
        "(0.0.0.0)\n"
        "2026-11-23T08:00:00.000Z client 192.0.2.0#0 (.): query: . IN NS +\n");
    assert_int_equal(c.broken, 1);
}

static void untimed(void **state)
{
    (void)state;
    char out[8192];
    struct anon_log_counts c =
        pass("{\"dns\": \"keep\"}", ANON_LOG_TSV, "qname\ttype\nexample.com\tA\n", out);
    assert_string_equal(out, "qname\ttype\n");
    assert_int_equal(c.untimed, 1);
    c = pass("{\"dns\": \"keep\", \"epoch\": \"never\"}", ANON_LOG_TSV,
        "qname\ttype\nexample.com\tA\n", out);
    assert_string_equal(out, "qname\ttype\nexample.com\t-\n");
    assert_int_equal(c.untimed, 0);
}

static const struct CMUnitTest tests[] = {
    SAYS("a log of Zeek keeps its form, and what is not known by name is unset", zeek),
    SAYS("lines with tabs take their columns from the first", plain),
    SAYS("objects keep what is known by name, in the type it had", json),
    SAYS("named's queries come out as queries, without views and pointers", named),
    SAYS("a line without a time needs a key that never ends", untimed),
};
TEST_MAIN(tests)
