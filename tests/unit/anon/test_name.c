#include "anon/name.h"

#include "test.h"

static const uint8_t secret[ANON_SECRET] = "a secret of thirty-two bytes...";

struct site {
    struct anon_keys *keys;
    struct anon *anon;
};

static struct site site_with(const char *document)
{
    struct site s;
    struct anon_policy p;
    struct fault f = {0};
    if (anon_policy_parse(&p, bytes_over(document, strlen(document)), &f) != OK)
        fail_msg("%s", f.text);
    assert_int_equal(anon_keys_from(&s.keys, secret), OK);
    assert_int_equal(anon_new(&s.anon, &p, s.keys, 0), OK);
    return s;
}

static void site_done(struct site *s)
{
    anon_free(s->anon);
    anon_keys_close(s->keys);
}

static const char *named(const struct site *s, const char *name, char out[ANON_NAME_ROOM])
{
    struct fault f;
    assert_int_equal(anon_name(s->anon, 0, name, out, &f), OK);
    return out;
}

static void suffixes(void **state)
{
    (void)state;
    struct site s = site_with("{\"dns\": \"hash\"}");
    char a[ANON_NAME_ROOM], b[ANON_NAME_ROOM];
    named(&s, "www.example.co.uk", a);
    assert_int_equal(strlen(a), strlen("co.uk") + 2 * 13);
    assert_string_equal(a + 26, "co.uk");
    named(&s, "Mail.Example.co.uk.", b);
    assert_string_equal(a + 13, b + 13);
    assert_int_not_equal(strncmp(a, b, 12), 0);
    named(&s, "www.example.com", b);
    assert_int_not_equal(strncmp(a, b, 12), 0);
    assert_string_equal(named(&s, "com", b), "com");
    site_done(&s);
}

static void inner_names(void **state)
{
    (void)state;
    struct site s = site_with("{\"dns\": \"hash\"}");
    char a[ANON_NAME_ROOM];
    /* No public list knows "corp" or "lan": not even the last label stays. */
    named(&s, "printer.office.corp", a);
    assert_null(strstr(a, "corp"));
    assert_int_equal(strlen(a), 3 * 12 + 2);
    assert_int_equal(strlen(named(&s, "localhost", a)), 12);
    site_done(&s);
}

static void domains(void **state)
{
    (void)state;
    struct site s = site_with("{\"dns\": \"domain\"}");
    char a[ANON_NAME_ROOM];
    assert_string_equal(named(&s, "a.b.example.co.uk", a), "example.co.uk");
    assert_string_equal(named(&s, "example.com", a), "example.com");
    assert_string_equal(named(&s, "com.", a), "com");
    assert_null(strstr(named(&s, "host.lan", a), "lan"));
    site_done(&s);
}

static void addresses(void **state)
{
    (void)state;
    struct site s = site_with("{\"dns\": \"hash\", \"source\": {\"method\": \"truncate\","
                              "\"ipv4\": 24, \"ipv6\": 32}}");
    char a[ANON_NAME_ROOM];
    assert_string_equal(named(&s, "7.2.0.192.in-addr.arpa", a), "0.2.0.192.in-addr.arpa");
    assert_string_equal(named(&s, "192.0.2.7", a), "192.0.2.0");
    assert_string_equal(named(&s,
                            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
                            "ip6.arpa",
                            a),
        "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    site_done(&s);
}

static void nothing(void **state)
{
    (void)state;
    struct site s = site_with("{\"dns\": \"drop\"}");
    char a[ANON_NAME_ROOM], longer[400];
    assert_string_equal(named(&s, "www.example.com", a), "");
    site_done(&s);
    s = site_with("{\"dns\": \"keep\"}");
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_string_equal(named(&s, longer, a), "");
    assert_string_equal(named(&s, "", a), "");
    assert_string_equal(named(&s, "WWW.example.com.", a), "www.example.com");
    longer[255] = '\0';
    assert_int_equal(strlen(named(&s, longer, a)), 255);
    site_done(&s);
}

/* 127 labels of one letter are the most that a name has. */
static void longest(void **state)
{
    (void)state;
    struct site s = site_with("{\"dns\": \"hash\"}");
    char name[256], a[ANON_NAME_ROOM];
    for (size_t i = 0; i < 255; i++)
        name[i] = i % 2 ? '.' : 'a';
    name[255] = '\0';
    assert_int_equal(strlen(named(&s, name, a)), 128 * 13 - 1);
    site_done(&s);
}

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *method, *url, *expected;
    } rows[] = {
        {"keep", "http://u:p@example.com/a?b#c", "http://u:p@example.com/a?b#c"},
        {"drop-query", "http://u:p@example.com:8080/a/b?c=d#e", "http://example.com:8080/a/b"},
        {"drop-query", "http://example.com?x=@y", "http://example.com"},
        {"drop-query", "/cgi-bin/x?y", "/cgi-bin/x"},
        {"host", "https://user@example.com/secret", "https://example.com/"},
        {"host", "http://192.0.2.9/bin", "http://192.0.2.0/"},
        {"host", "http://[2001:db8::1]:80/bin", "http://[2001::]:80/"},
        {"host", "/secret", "/"},
        {"path-hash", "http://example.com/", "http://example.com/"},
        {"drop", "http://example.com/", ""},
        {"host", "mailto:somebody@example.com", ""},
        {"host", "://", ""},
        {"host", "http://", ""},
        {"host", "http:///path", ""},
        {"host", "http://[::1", ""},
        {"host", "http://example.com:port/", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char document[200], out[ANON_URL_ROOM];
        struct fault f;
        snprintf(document, sizeof document,
            "{\"url\": \"%s\", \"dns\": \"keep\", \"source\": {\"method\": \"truncate\","
            "\"ipv4\": 24, \"ipv6\": 16}}",
            rows[i].method);
        struct site s = site_with(document);
        assert_int_equal(anon_url(s.anon, 0, rows[i].url, out, &f), OK);
        assert_string_equal(out, rows[i].expected);
        site_done(&s);
    }
}

static void path_hashes(void **state)
{
    (void)state;
    struct site s = site_with("{\"url\": \"path-hash\", \"dns\": \"keep\"}");
    char a[ANON_URL_ROOM], b[ANON_URL_ROOM], c[ANON_URL_ROOM];
    struct fault f;
    assert_int_equal(anon_url(s.anon, 0, "http://a.com/bin?x=1", a, &f), OK);
    assert_int_equal(anon_url(s.anon, 0, "http://b.com/bin?x=1", b, &f), OK);
    assert_int_equal(anon_url(s.anon, 0, "http://a.com/bin?x=2", c, &f), OK);
    assert_int_equal(strlen(a), strlen("http://a.com/") + 16);
    assert_string_equal(a + 13, b + 13);
    assert_string_not_equal(a, c);
    site_done(&s);
}

static const struct CMUnitTest tests[] = {
    SAYS("names that end alike still end alike, and the public suffix stays", suffixes),
    SAYS("a name under no public suffix is hashed whole", inner_names),
    SAYS("what somebody has registered stays, and no more", domains),
    SAYS("names that spell an address get it as sources are", addresses),
    SAYS("a name that is dropped, empty or too long is empty", nothing),
    SAYS("a name of the most labels fits", longest),
    SAYS("a URL keeps what its method says, never who used it", urls),
    SAYS("equal paths have equal hashes, and the query counts", path_hashes),
};
TEST_MAIN(tests)
