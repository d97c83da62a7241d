#include "test.h"

#include "fake.h"

#include "api/api_int.h"
#include "api/password_int.h"
#include "api/request_int.h"
#include "api/session_int.h"

#include <sodium.h>
#include <string.h>

/* Requests without a network, on a clock that stands still. */

#define NOW (FAKE_LAST + US_HOUR)

struct world {
    struct fake_store store;
    struct fake_clock clock;
    struct catalog *catalog;
    char folder[64];
    struct api *api;
    char cookie[128];
    char csrf[64];
};

static struct request *ask_with(struct world *w, const char *method, const char *target,
    const char *body, const struct headers *headers)
{
    struct request *r;
    assert_int_equal(request_new(&r, w->api), OK);
    r->method = method;
    r->target = target;
    r->in = *headers;
    r->peer = ip_from_v4(0x7f000001);
    if (body)
        buf_str(&r->body, body);
    request_answer(r);
    return r;
}

/* As the one who is signed in. */
static struct request *ask(
    struct world *w, const char *method, const char *target, const char *body)
{
    struct headers headers = {.host = "localhost",
        .cookie = w->cookie,
        .csrf = w->csrf,
        .content_type = body ? "application/json" : NULL};
    return ask_with(w, method, target, body, &headers);
}

static unsigned status_of(struct request *r)
{
    unsigned status = r->reply.status ? r->reply.status : 200;
    request_free(r);
    return status;
}

static json_t *json_of(struct request *r, unsigned status)
{
    assert_int_equal(r->reply.status ? r->reply.status : 200, status);
    json_t *value = json_loadb((const char *)r->reply.body.data, r->reply.body.len, 0, NULL);
    assert_non_null(value);
    request_free(r);
    return value;
}

static void sign_in(struct world *w, const char *user, const char *password)
{
    char body[256];
    w->cookie[0] = w->csrf[0] = 0;
    snprintf(body, sizeof body, "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
    struct request *r = ask(w, "POST", "/api/v1/login", body);
    assert_int_equal(r->reply.status, 200);
    snprintf(w->cookie, sizeof w->cookie, "theme=dark; %.*s",
        (int)strcspn(r->reply.cookie, ";"), r->reply.cookie);
    snprintf(w->csrf, sizeof w->csrf, "%s", r->who.csrf);
    request_free(r);
}

/* With a hash that costs little. */
static void add_user(struct world *w, const char *name, const char *password)
{
    struct catalog_user u = {.role = ROLE_ADMIN, .created = NOW};
    snprintf(u.name, sizeof u.name, "%s", name);
    assert_int_equal(password_hash(password, crypto_pwhash_OPSLIMIT_MIN,
                         crypto_pwhash_MEMLIMIT_MIN, u.password),
        OK);
    assert_int_equal(catalog_user_add(w->catalog, &u, &u.id, NULL), OK);
}

static int setup(void **state)
{
    static struct world w;
    struct api_options options = {.clock = fake_clock_face(&w.clock),
        .password_passes = crypto_pwhash_OPSLIMIT_MIN,
        .password_memory = crypto_pwhash_MEMLIMIT_MIN};
    struct api_parts parts = {.store = fake_store_face(&w.store), .live = fake_live()};
    struct fault f;
    memset(&w, 0, sizeof w);
    w.clock.now = NOW;
    w.catalog = fake_catalog(w.folder);
    parts.catalog = w.catalog;
    assert_int_equal(api_bare_new(&w.api, &options, &parts, &f), OK);
    w.api->loopback = true;
    add_user(&w, "ann", "ann's password");
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    api_bare_free(w->api);
    fake_catalog_done(w->catalog, w->folder);
    return 0;
}

static void sessions_end_when_idle(void **state)
{
    struct world *w = *state;
    sign_in(w, "ann", "ann's password");
    w->clock.now = NOW + 12 * US_HOUR - 1;
    assert_int_equal(status_of(ask(w, "GET", "/api/v1/me", NULL)), 200);
    w->clock.now += 12 * US_HOUR - 1;
    assert_int_equal(status_of(ask(w, "GET", "/api/v1/me", NULL)), 200);
    w->clock.now += 12 * US_HOUR;
    assert_int_equal(status_of(ask(w, "GET", "/api/v1/me", NULL)), 401);
}

static void sessions_end_at_last(void **state)
{
    struct world *w = *state;
    sign_in(w, "ann", "ann's password");
    for (int64_t hour = 1; hour < 7 * 24; hour++) {
        w->clock.now = NOW + hour * US_HOUR;
        assert_int_equal(status_of(ask(w, "GET", "/api/v1/me", NULL)), 200);
    }
    w->clock.now = NOW + 7 * US_DAY;
    assert_int_equal(status_of(ask(w, "GET", "/api/v1/me", NULL)), 401);
}

static void sessions_cannot_be_guessed(void **state)
{
    static const char *const cookies[] = {"kz_session=", "kz_session=x",
        "kz_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "kz_session", "=", ";;;",
        "xkz_session=1",
        "kz_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct world *w = *state;
    sign_in(w, "ann", "ann's password");
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
        struct headers headers = {.host = "localhost", .cookie = cookies[i]};
        assert_int_equal(status_of(ask_with(w, "GET", "/api/v1/me", NULL, &headers)), 401);
    }
    for (int i = 0; i < 2; i++) { /* other lengths of the right one */
        char cookie[160];
        const char *right = strstr(w->cookie, "kz_session");
        struct headers headers = {.host = "localhost", .cookie = cookie};
        snprintf(cookie, sizeof cookie, "%.*s", (int)strlen(right) + (i ? 1 : -1), right);
        if (i)
            snprintf(cookie, sizeof cookie, "%sA", right);
        assert_int_equal(status_of(ask_with(w, "GET", "/api/v1/me", NULL, &headers)), 401);
    }
}

static void passwords_are_kept_as_argon2id(void **state)
{
    struct world *w = *state;
    struct catalog_user u;
    struct fault f;
    assert_int_equal(api_user_add(w->catalog, "eve", "short", ROLE_VIEWER, NOW, &f), ERR_BAD);
    assert_int_equal(
        api_user_add(w->catalog, "eve", "caf\xe9 of the harbour", ROLE_VIEWER, NOW, &f),
        ERR_BAD);
    assert_non_null(strstr(f.text, "not UTF-8"));
    assert_int_equal(
        api_user_add(w->catalog, "eve", "eve's password", ROLE_VIEWER, NOW, &f), OK);
    assert_int_equal(catalog_user_find(w->catalog, "eve", &u), OK);
    assert_int_equal(strncmp(u.password, "$argon2id$v=19$m=65536,t=3,p=1$", 31), 0);
    assert_null(strstr(u.password, "eve's"));
}

static void guesses_are_counted_by_the_clock(void **state)
{
    static const char wrong[] = "{\"user\":\"ann\",\"password\":\"guess\"}";
    struct world *w = *state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(status_of(ask(w, "POST", "/api/v1/login", wrong)), 401);
    assert_int_equal(status_of(ask(w, "POST", "/api/v1/login", wrong)), 429);
    w->clock.now += 60 * US_SECOND; /* the address may again, the account not */
    assert_int_equal(status_of(ask(w, "POST", "/api/v1/login", wrong)), 429);
    assert_int_equal(
        status_of(ask(w, "POST", "/api/v1/login", "{\"user\":\"bob\",\"password\":\"guess\"}")),
        401);
    w->clock.now += 30 * US_SECOND;
    assert_int_equal(status_of(ask(w, "POST", "/api/v1/login", wrong)), 401);
    w->clock.now += US_DAY;
    for (int i = 0; i < 15; i++)
        sign_in(w, "ann", "ann's password");
}

static void disabled_users_are_out(void **state)
{
    struct world *w = *state;
    struct catalog_user u;
    struct fault f;
    add_user(w, "bob", "bob's password");
    sign_in(w, "bob", "bob's password");
    assert_int_equal(catalog_user_find(w->catalog, "bob", &u), OK);
    u.disabled = true;
    assert_int_equal(catalog_user_change(w->catalog, &u, &f), OK);
    assert_int_equal(status_of(ask(w, "GET", "/api/v1/me", NULL)), 401);
    assert_int_equal(status_of(ask(w, "POST", "/api/v1/login",
                         "{\"user\":\"bob\",\"password\":\"bob's password\"}")),
        401);
}

static void spans_reach_the_store(void **state)
{
    struct world *w = *state;
    sign_in(w, "ann", "ann's password");
    assert_int_equal(status_of(ask(w, "GET",
                         "/api/v1/ports?from=-6h&site=jp-01&proto=tcp&port=23&class=-survey"
                         "&country=jp&tool=zmap&asn=64500&src=2001:db8::/32&limit=7",
                         NULL)),
        200);
    const struct ask *a = &w->store.last;
    assert_int_equal(a->what, ASK_PORTS);
    assert_int_equal(a->from, FAKE_LAST + 1 - 6 * US_HOUR);
    assert_int_equal(a->to, FAKE_LAST + 1);
    assert_string_equal(a->site, "jp-01");
    assert_string_equal(a->class, "-survey");
    assert_string_equal(a->country, "jp");
    assert_string_equal(a->tool, "zmap");
    assert_int_equal(a->proto, 6);
    assert_int_equal(a->port, 23);
    assert_int_equal(a->asn, 64500);
    assert_true(a->has_src);
    assert_int_equal(a->src.bits, 32);
    assert_int_equal(a->limit, 7);
    assert_int_equal(
        status_of(ask(w, "GET", "/api/v1/ports?from=-6h&cursor=a~1f~2", NULL)), 200);
    assert_int_equal(a->from, 0xa);
    assert_int_equal(a->to, 0x1f);
    assert_string_equal(a->cursor, "2");
    assert_int_equal(status_of(ask(w, "GET", "/api/v1/movers", NULL)), 200);
    assert_int_equal(a->from, FAKE_LAST + 1 - US_DAY);
    assert_int_equal(status_of(ask(w, "GET", "/api/v1/ports?to=now", NULL)), 200);
    assert_int_equal(a->from, FAKE_FIRST);
    assert_int_equal(a->to, NOW);
    assert_int_equal(a->proto, -1);
    assert_false(a->has_src);
}

static void an_empty_store_is_not_an_error(void **state)
{
    static const char *const paths[] = {"overview", "ports", "series", "sites", "alerts",
        "sources/192.0.2.1", "sites/kr-01", "movers?from=-1h", "victims?format=csv", "status"};
    struct world *w = *state;
    sign_in(w, "ann", "ann's password");
    w->store.empty = true;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char target[64];
        snprintf(target, sizeof target, "/api/v1/%s", paths[i]);
        assert_int_equal(status_of(ask(w, "GET", target, NULL)), 200);
    }
    json_t *overview = json_of(ask(w, "GET", "/api/v1/overview", NULL), 200);
    assert_true(json_is_null(json_object_get(overview, "span")));
    assert_true(json_is_null(json_object_get(json_object_get(overview, "held"), "first")));
    assert_int_equal(json_array_size(json_object_get(overview, "sites")), 2);
    json_decref(overview);
}

static void what_the_store_says_is_mapped(void **state)
{
    static const struct {
        enum err e;
        unsigned status;
    } rows[] = {{ERR_IO, 500}, {ERR_BUSY, 503}, {ERR_FULL, 503}, {ERR_NOMEM, 503},
        {ERR_BAD, 400}, {ERR_STOPPED, 503}};
    struct world *w = *state;
    sign_in(w, "ann", "ann's password");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        w->store.fails = rows[i].e;
        json_t *problem = json_of(ask(w, "GET", "/api/v1/status", NULL), rows[i].status);
        assert_int_equal(
            json_integer_value(json_object_get(problem, "status")), rows[i].status);
        json_decref(problem);
    }
}

static enum err keep_first(void *context, const struct catalog_audit *a)
{
    *(struct catalog_audit *)context = *a;
    return ERR_STOPPED;
}

static struct catalog_audit newest(struct world *w)
{
    struct catalog_audit a = {0};
    assert_int_equal(catalog_audit_list(w->catalog, 0, 1, keep_first, &a), ERR_STOPPED);
    return a;
}

static void changes_are_on_record(void **state)
{
    struct world *w = *state;
    sign_in(w, "ann", "ann's password");
    assert_string_equal(newest(w).what, "login");
    assert_string_equal(newest(w).detail, "from 127.0.0.1");
    assert_int_equal(status_of(ask(w, "POST", "/api/v1/users",
                         "{\"user\":\"bob\",\"password\":\"bob's password\"}")),
        201);
    assert_string_equal(newest(w).what, "user.add");
    assert_string_equal(newest(w).who, "ann");
    assert_string_equal(newest(w).subject, "bob");
    assert_int_equal(
        status_of(ask(w, "POST", "/api/v1/tokens", "{\"label\":\"export\"}")), 201);
    assert_string_equal(newest(w).what, "token.add");
    assert_int_equal(
        status_of(ask(w, "POST", "/api/v1/login", "{\"user\":\"eve\",\"password\":\"guess\"}")),
        401);
    assert_string_equal(newest(w).what, "login.refused");
}

/* The hub's own commands and its sites ask by the address that it listens on. */
static void names_do_not_shut_addresses_out(void **state)
{
    static const struct {
        const char *host;
        unsigned status;
    } cases[] = {{"hub.example.org", 401}, {"HUB.example.org:8480", 401},
        {"10.77.0.1:8480", 401}, {"[2001:db8::1]:8480", 401}, {"evil.example", 421},
        {"10.77.0.1.evil.example", 421}, {"10.77.0", 421}, {"", 421}};
    struct world *w = *state;
    char *old = w->api->hosts[0];
    char name[] = "hub.example.org";
    w->api->loopback = false;
    w->api->hosts[0] = name;
    w->api->options.host_count = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct headers headers = {.host = cases[i].host};
        assert_int_equal(
            status_of(ask_with(w, "GET", "/api/v1/me", NULL, &headers)), cases[i].status);
    }
    w->api->hosts[0] = old;
    w->api->options.host_count = 0;
    w->api->loopback = true;
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("a session that is not used ends, one that is used goes on",
        sessions_end_when_idle, setup, teardown),
    SAYS_WITH("a session ends at last, used or not", sessions_end_at_last, setup, teardown),
    SAYS_WITH("a cookie that is nearly right opens nothing", sessions_cannot_be_guessed, setup,
        teardown),
    SAYS_WITH(
        "passwords are kept as argon2id only", passwords_are_kept_as_argon2id, setup, teardown),
    SAYS_WITH("wrong passwords are limited, right ones are not",
        guesses_are_counted_by_the_clock, setup, teardown),
    SAYS_WITH("a disabled user is out at once", disabled_users_are_out, setup, teardown),
    SAYS_WITH("every filter reaches the store", spans_reach_the_store, setup, teardown),
    SAYS_WITH(
        "an empty store gives empty answers", an_empty_store_is_not_an_error, setup, teardown),
    SAYS_WITH(
        "what goes wrong below has its status", what_the_store_says_is_mapped, setup, teardown),
    SAYS_WITH(
        "where names are given, the hub answers to them and to addresses, and to no other",
        names_do_not_shut_addresses_out, setup, teardown),
    SAYS_WITH("logins and changes are on record", changes_are_on_record, setup, teardown),
};
TEST_MAIN(tests)
