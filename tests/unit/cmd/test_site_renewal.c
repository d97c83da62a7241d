#include "test.h"

#include "base/json.h"
#include "cmd/site_identity.h"
#include "cmd/site_office.h"
#include "cmd/site_proof.h"
#include "cmd/site_renew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Certificates of sites from their first to their last day, on clocks that are moved. Both ends
 * are here: the hub's office, and what a site has in its folder. */

#define START (INT64_C(1795219200) * US_SECOND) /* 2026-11-21 */

struct world {
    char folder[64], site[96];
    struct catalog *catalog;
    struct site_office *office;
    int64_t now;       /* of the hub */
    char *certificate; /* of the site */
    struct buf key, next_key;
    int64_t renew;
};

static int64_t world_now(void *context)
{
    return ((struct world *)context)->now;
}

/* The papers' certificate becomes the site's, with the key that was made for it. */
static void take(struct world *w, json_t *papers)
{
    free(w->certificate);
    w->certificate = strdup(json_string_value(json_object_get(papers, "certificate")));
    assert_int_equal(
        time_parse(json_string_value(json_object_get(papers, "renew")), &w->renew), OK);
    buf_clear(&w->key);
    buf_put(&w->key, w->next_key.data, w->next_key.len);
    json_decref(papers);
}

static void make_request(struct world *w, struct buf *ret_request)
{
    struct fault f;
    buf_init(ret_request, AUTHORITY_PEM_MAX);
    buf_clear(&w->next_key);
    assert_int_equal(request_make("site", &w->next_key, ret_request, &f), OK);
}

/* Ask to renew with what the site has; the papers are given, and taken only by take(). */
static enum err ask(struct world *w, json_t **ret_papers)
{
    struct buf request;
    char proof[PROOF_TEXT];
    struct fault f = {0};
    make_request(w, &request);
    assert_int_equal(
        proof_make((const char *)w->key.data, (const char *)request.data, proof, &f), OK);
    const struct site_renewal asked = {w->certificate, (const char *)request.data, proof};
    enum err e = site_office_renew(w->office, &asked, w->now, ret_papers, &f);
    buf_done(&request);
    return e;
}

static void enrol(struct world *w)
{
    struct buf request;
    char token[SITE_TOKEN];
    struct fault f;
    json_t *papers;
    struct catalog_remote r = {
        .name = "jp-01", .added = w->now, .token_expires = w->now + US_DAY};
    assert_int_equal(site_office_invite(w->office, &r, token, &f), OK);
    make_request(w, &request);
    assert_int_equal(
        site_office_enrol(w->office, token, (const char *)request.data, w->now, &papers, &f),
        OK);
    buf_done(&request);
    take(w, papers);
}

/* How many certificates of the site the message server would let in now. */
static unsigned let_in(struct world *w)
{
    struct buf text;
    struct fault f;
    struct broker_options b = {.listen = "127.0.0.1:4222"};
    unsigned count = 0;
    buf_init(&text, 1 << 20);
    assert_int_equal(site_office_broker(w->office, &b, &text, &f), OK);
    for (const char *at = (const char *)text.data; (at = strstr(at, "CN=jp-01,")); at++)
        count++;
    buf_done(&text);
    return count;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char path[96];
    struct fault f = {0};
    assert_non_null(w);
    snprintf(w->folder, sizeof w->folder, "/tmp/kizashi-renewal-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(path, sizeof path, "%s/catalog.sqlite", w->folder);
    snprintf(w->site, sizeof w->site, "%s/site", w->folder);
    w->now = START;
    buf_init(&w->key, AUTHORITY_PEM_MAX);
    buf_init(&w->next_key, AUTHORITY_PEM_MAX);
    assert_int_equal(catalog_open(&w->catalog, path, &f), OK);
    assert_int_equal(site_office_open(&w->office, w->folder, w->catalog, &f), OK);
    assert_int_equal(site_office_own(w->office, NULL, 0, &f), OK);
    site_office_clock(w->office, (struct clock){.now_us = world_now, .context = w});
    enrol(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[128];
    site_office_close(w->office);
    catalog_close(w->catalog);
    buf_done(&w->key);
    buf_done(&w->next_key);
    free(w->certificate);
    snprintf(command, sizeof command, "rm -r %s", w->folder);
    free(w);
    return system(command) == 0 ? 0 : 1; /* NOLINT(cert-env33-c): a fixed command */
}

static void renewed_in_time(void **state)
{
    struct world *w = *state;
    json_t *papers = NULL;
    int64_t third = 365 * US_DAY / 3;
    assert_int_equal(w->renew, START + 365 * US_DAY - third);
    struct site_identity id = {.certificate = "there", .renew = w->renew};
    assert_false(site_renew_due(&id, w->renew - 1));
    assert_true(site_renew_due(&id, w->renew));
    w->now = w->renew;
    assert_int_equal(ask(w, &papers), OK);
    take(w, papers);
    assert_int_equal(w->renew, w->now + 365 * US_DAY - third);
    for (int year = 0; year < 5; year++) { /* and again, without anybody */
        w->now = w->renew;
        assert_int_equal(ask(w, &papers), OK);
        take(w, papers);
    }
}

static void both_count_for_a_week(void **state)
{
    struct world *w = *state;
    json_t *papers = NULL;
    assert_int_equal(let_in(w), 1);
    w->now = w->renew;
    assert_int_equal(ask(w, &papers), OK);
    take(w, papers);
    assert_int_equal(let_in(w), 2);
    w->now += 7 * US_DAY - 1;
    assert_int_equal(let_in(w), 2);
    w->now += 1;
    assert_int_equal(let_in(w), 1);
}

static void a_lost_answer_locks_nobody_out(void **state)
{
    struct world *w = *state;
    json_t *papers = NULL;
    w->now = w->renew;
    assert_int_equal(ask(w, &papers), OK);
    json_decref(papers); /* never arrived */
    w->now += US_HOUR;
    assert_int_equal(ask(w, &papers), OK);
    assert_int_equal(let_in(w), 2);
    json_decref(papers);
    w->now += 7 * US_DAY; /* the old one has ended its second life, too */
    assert_int_equal(ask(w, &papers), ERR_DENIED);
}

static void revoked_ones_are_refused(void **state)
{
    struct world *w = *state;
    json_t *papers = NULL;
    struct fault f;
    w->now = w->renew;
    assert_int_equal(catalog_remote_revoke(w->catalog, "jp-01", w->now, &f), OK);
    assert_int_equal(ask(w, &papers), ERR_DENIED);
    assert_int_equal(let_in(w), 0);
    enrol(w); /* let in again, with another certificate */
    assert_int_equal(let_in(w), 1);
}

static void replaced_ones_are_refused(void **state)
{
    struct world *w = *state;
    json_t *papers = NULL;
    char *old = strdup(w->certificate);
    struct buf key;
    buf_init(&key, AUTHORITY_PEM_MAX);
    buf_put(&key, w->key.data, w->key.len);
    enrol(w); /* on another machine */
    free(w->certificate);
    w->certificate = old;
    buf_clear(&w->key);
    buf_put(&w->key, key.data, key.len);
    buf_done(&key);
    w->now = w->renew;
    assert_int_equal(ask(w, &papers), ERR_DENIED);
}

static void clocks_may_differ(void **state)
{
    struct world *w = *state;
    json_t *papers = NULL;
    w->now = w->renew - 2 * US_DAY - 1; /* the site is ahead by more */
    assert_int_equal(ask(w, &papers), ERR_BUSY);
    w->now = w->renew - 2 * US_DAY;
    assert_int_equal(ask(w, &papers), OK);
    json_decref(papers);
}

static void ended_ones_have_a_month(void **state)
{
    struct world *w = *state;
    json_t *papers = NULL;
    w->now = START + (365 + 30) * US_DAY + 1;
    assert_int_equal(ask(w, &papers), ERR_DENIED);
    w->now -= 1;
    assert_int_equal(ask(w, &papers), OK);
    take(w, papers);
}

static void others_are_refused(void **state)
{
    struct world *w = *state;
    struct buf request;
    char proof[PROOF_TEXT];
    struct fault f;
    json_t *papers = NULL;
    w->now = w->renew;
    make_request(w, &request);
    struct site_renewal asked = {w->certificate, (const char *)request.data, "AAAA"};
    assert_int_equal(site_office_renew(w->office, &asked, w->now, &papers, &f), ERR_DENIED);
    /* Signed with the new key, which anybody has. */
    assert_int_equal(
        proof_make((const char *)w->next_key.data, (const char *)request.data, proof, &f), OK);
    asked.proof = proof;
    assert_int_equal(site_office_renew(w->office, &asked, w->now, &papers, &f), ERR_DENIED);
    /* Rightly signed, but another request. */
    assert_int_equal(proof_make((const char *)w->key.data, "another", proof, &f), OK);
    assert_int_equal(site_office_renew(w->office, &asked, w->now, &papers, &f), ERR_DENIED);
    asked.certificate = "no certificate";
    assert_int_equal(site_office_renew(w->office, &asked, w->now, &papers, &f), ERR_DENIED);
    buf_done(&request);
}

static void put(const struct world *w, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", w->site, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool holds(const struct world *w, const char *name, const char *text)
{
    char path[160], held[64] = "";
    snprintf(path, sizeof path, "%s/%s", w->site, name);
    FILE *file = fopen(path, "r");
    if (!file)
        return !text;
    (void)!fgets(held, sizeof held, file);
    fclose(file);
    return text && strcmp(held, text) == 0;
}

static void a_crash_leaves_a_pair(void **state)
{
    struct world *w = *state;
    struct site_identity id = {.site = "jp-01",
                             .servers = {"tls://127.0.0.1:1"},
                             .server_count = 1,
                             .renew = START},
                         read;
    const struct site_papers one = {"ca", "certificate 1", "key 1"};
    struct fault f;
    assert_int_equal(site_identity_write(&id, &one, w->site, &f), OK);
    put(w, "key.pem.next", "key 2"); /* before the certificate was written */
    assert_int_equal(site_identity_read(&read, w->site, &f), OK);
    assert_true(holds(w, "key.pem", "key 1") && holds(w, "certificate.pem", "certificate 1"));
    assert_true(holds(w, "key.pem.next", NULL));
    put(w, "key.pem.next", "key 2"); /* before either was renamed */
    put(w, "certificate.pem.next", "certificate 2");
    assert_int_equal(site_identity_read(&read, w->site, &f), OK);
    assert_true(holds(w, "key.pem", "key 2") && holds(w, "certificate.pem", "certificate 2"));
    put(w, "key.pem", "key 3"); /* between the two */
    put(w, "certificate.pem.next", "certificate 3");
    assert_int_equal(site_identity_read(&read, w->site, &f), OK);
    assert_true(holds(w, "certificate.pem", "certificate 3"));
    assert_int_equal(read.renew, START);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH(
        "a site's certificate is renewed when a third of its life is left, year after year",
        renewed_in_time, setup, teardown),
    SAYS_WITH(
        "the one before counts for a week longer", both_count_for_a_week, setup, teardown),
    SAYS_WITH("a site that did not get the answer asks again", a_lost_answer_locks_nobody_out,
        setup, teardown),
    SAYS_WITH(
        "a revoked certificate is not renewed", revoked_ones_are_refused, setup, teardown),
    SAYS_WITH("nor one that was replaced by another enrolment", replaced_ones_are_refused,
        setup, teardown),
    SAYS_WITH(
        "a site's clock may be ahead by two days, no more", clocks_may_differ, setup, teardown),
    SAYS_WITH(
        "what has ended is renewed for a month", ended_ones_have_a_month, setup, teardown),
    SAYS_WITH("a request that its holder has not signed is refused", others_are_refused, setup,
        teardown),
    SAYS_WITH("a crash in the middle leaves key and certificate that belong together",
        a_crash_leaves_a_pair, setup, teardown),
};
TEST_MAIN(tests)
