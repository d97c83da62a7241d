#include "test.h"

#include "base/clock.h"
#include "fleet/apply.h"
#include "fleet/limit.h"

#include <pthread.h>
#include <stdatomic.h>

static struct applier *applier_of(struct anon_keys *keys, const struct anon_policy *limit)
{
    struct applier *a = NULL;
    struct fault f;
    struct applier_options options = {
        .site = "jp-01", .secret = 5, .keys = keys, .limit = limit};
    assert_int_equal(applier_new(&a, &options, &f), OK);
    return a;
}

static enum err offer(
    struct applier *a, int64_t version, const char *assignment, int64_t now, struct fault *f)
{
    struct site_document d;
    struct buf text;
    document_default(&d);
    assert_int_equal(document_set(&d, assignment, f), OK);
    buf_init(&text, DOCUMENT_MAX);
    document_parcel_write(&text, "jp-01", version, &d, NULL);
    enum err e = applier_offer(a, bytes_over(text.data, text.len), now, f);
    buf_done(&text);
    return e;
}

static struct heartbeat report(struct applier *a)
{
    struct heartbeat h;
    heartbeat_init(&h);
    applier_report(a, &h);
    return h;
}

static void at_the_border(void **state)
{
    (void)state;
    struct applier *a = applier_of(NULL, NULL);
    struct fault f;
    assert_int_equal(applier_now(a)->version, 0);
    assert_false(applier_turn(a, 1));
    assert_int_equal(offer(a, 3, "payload=5", 1000, &f), OK);
    assert_int_equal(applier_now(a)->document.payload, 64);
    assert_int_equal(report(a).config_version, 0);
    assert_true(applier_turn(a, 1700));
    assert_int_equal(applier_now(a)->document.payload, 5);
    struct heartbeat h = report(a);
    assert_int_equal(h.config_version, 3);
    assert_int_equal(h.config_took_us, 700);
    assert_false(applier_turn(a, 1800));
    applier_free(a);
}

static void old_news(void **state)
{
    (void)state;
    struct applier *a = applier_of(NULL, NULL);
    struct fault f;
    assert_int_equal(offer(a, 3, "payload=5", 0, &f), OK);
    assert_int_equal(
        offer(a, 4, "payload=6", 0, &f), OK); /* overtakes what never took effect */
    assert_int_equal(offer(a, 2, "payload=7", 0, &f), OK);
    assert_true(applier_turn(a, 1));
    assert_int_equal(applier_now(a)->document.payload, 6);
    assert_int_equal(offer(a, 4, "payload=9", 0, &f), OK);
    assert_false(applier_turn(a, 2));
    applier_free(a);
}

static void refused(void **state)
{
    (void)state;
    struct applier *a = applier_of(NULL, NULL);
    struct fault f;
    static const char bad[] =
        "{\"site\":\"jp-01\",\"version\":9,\"document\":{\"filter\":\"tcp and\"}}";
    assert_int_equal(offer(a, 3, "payload=5", 0, &f), OK);
    assert_true(applier_turn(a, 0));
    assert_int_equal(applier_offer(a, bytes_over(bad, sizeof bad - 1), 0, &f), ERR_BAD);
    assert_false(applier_turn(a, 1));
    struct heartbeat h = report(a);
    assert_int_equal(h.config_version, 3);
    assert_non_null(strstr(h.config_refused, "filter: "));
    assert_int_equal(offer(a, 10, "payload=6", 0, &f), OK);
    assert_true(applier_turn(a, 1));
    assert_string_equal(report(a).config_refused, "");
    applier_free(a);
}

static void the_limit(void **state)
{
    (void)state;
    struct anon_policy limit;
    struct fault f = {0};
    anon_policy_default(&limit);
    limit.rule[ANON_SOURCE].method = ANON_PREFIX;
    limit.rule[ANON_PAYLOAD] = (struct anon_rule){.method = ANON_FIRST, .bytes = 32};
    struct applier *a = applier_of(NULL, &limit);
    /* Before the hub has said anything, the limit holds. */
    assert_int_equal(
        applier_now(a)->document.anonymisation.rule[ANON_SOURCE].method, ANON_PREFIX);
    assert_int_equal(offer(a, 1, "anonymisation.source=keep", 0, &f), ERR_DENIED);
    assert_string_equal(f.text,
        "anonymisation.source: keep reveals more than the site allows, which is prefix");
    assert_non_null(strstr(report(a).config_refused, "anonymisation.source"));
    struct site_document d;
    document_default(&d);
    assert_int_equal(document_set(&d, "anonymisation.source=drop", &f), OK);
    assert_int_equal(limit_check(&limit, &d.anonymisation, &f), ERR_DENIED); /* 64 bytes */
    assert_non_null(strstr(f.text, "anonymisation.payload"));
    assert_int_equal(
        document_set(&d, "anonymisation.payload={\"method\":\"first\",\"bytes\":32}", &f), OK);
    assert_int_equal(limit_check(&limit, &d.anonymisation, &f), OK);
    assert_int_equal(document_set(&d, "anonymisation.epoch=never", &f), OK);
    assert_int_equal(limit_check(&limit, &d.anonymisation, &f), ERR_DENIED);
    assert_non_null(strstr(f.text, "anonymisation.epoch"));
    assert_int_equal(document_set(&d, "anonymisation.epoch=1d", &f), OK);
    assert_int_equal(limit_check(&limit, &d.anonymisation, &f), OK);
    assert_int_equal(document_set(&d, "anonymisation.source=hash", &f), OK);
    assert_int_equal(document_set(&d, "anonymisation.one_key=true", &f), OK);
    assert_int_equal(limit_check(&limit, &d.anonymisation, &f), ERR_DENIED);
    applier_free(a);
}

static void samples(void **state)
{
    (void)state;
    struct applier *a = applier_of(NULL, NULL);
    struct fault f;
    size_t kept = 0;
    assert_int_equal(offer(a, 1, "sample=8", 0, &f), OK);
    assert_true(applier_turn(a, 0));
    for (uint32_t i = 0; i < 80000; i++) {
        struct ip ip = {{0}};
        memcpy(ip.byte, &i, sizeof i);
        bool is = applied_samples(applier_now(a), &ip);
        assert_int_equal(is, applied_samples(applier_now(a), &ip));
        kept += is;
    }
    assert_in_range(kept, 9500, 10500); /* 10,000 +- 5 sigma */
    applier_free(a);
}

/* A thread offers one version after the other while another captures: every packet sees one
 * whole document. In version n the payload is n % 257 and the sampling 1 + n % 65536. */
struct race {
    struct applier *applier;
    int64_t versions;
    _Atomic bool done;
};

static void *offering(void *context)
{
    struct race *r = context;
    struct site_document d;
    struct fault f;
    document_default(&d);
    for (int64_t v = 1; v <= r->versions; v++) {
        struct buf text;
        d.payload = v % 257;
        d.sample = 1 + v % 65536;
        snprintf(d.filter, sizeof d.filter, "tcp dst port %d", (int)(v % 65536));
        buf_init(&text, DOCUMENT_MAX);
        document_parcel_write(&text, "jp-01", v, &d, NULL);
        enum err e = applier_offer(r->applier, bytes_over(text.data, text.len), 0, &f);
        assert_int_equal(e, OK);
        buf_done(&text);
    }
    atomic_store(&r->done, true);
    return NULL;
}

static void one_whole(void **state)
{
    (void)state;
    uint8_t secret[ANON_SECRET] = {1};
    struct anon_keys *keys;
    assert_int_equal(anon_keys_from(&keys, secret), OK);
    struct race r = {.applier = applier_of(keys, NULL), .versions = 2000};
    pthread_t thread;
    int64_t packets = 0, seen = 0, last = 0;
    assert_int_equal(pthread_create(&thread, NULL, offering, &r), 0);
    for (bool end = false; !end;) {
        end = atomic_load(&r.done);
        seen += applier_turn(r.applier, 0);
        const struct applied *now = applier_now(r.applier);
        for (int i = 0; i < 64; i++, packets++) {
            struct ip ip = {{(uint8_t)i}};
            assert_true(now->version >= last);
            assert_int_equal(now->document.payload, now->version ? now->version % 257 : 64);
            assert_int_equal(now->document.sample, 1 + now->version % 65536);
            (void)applied_samples(now, &ip);
        }
        last = now->version;
    }
    pthread_join(thread, NULL);
    assert_int_equal(last, 2000);
    assert_true(seen > 0 && packets > 0);
    applier_free(r.applier);
    anon_keys_close(keys);
}

static const struct CMUnitTest tests[] = {
    SAYS("a document takes effect at the border of a batch, and the time it took is told",
        at_the_border),
    SAYS("versions only grow; one that was overtaken never takes effect", old_news),
    SAYS("what is refused leaves everything as it was, and the heartbeat says why", refused),
    SAYS("the hub cannot make a site reveal more than its own limit", the_limit),
    SAYS("one source in so many is collected, always the same", samples),
    SAYS("two thousand changes under capture: each packet sees one whole document", one_whole),
};
TEST_MAIN(tests)
