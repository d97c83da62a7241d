#include "test.h"

#include "published_world.h"

#include "api/session_int.h"
#include "audit/locate.h"
#include "store/catalog_published.h"

#include <string.h>

/* What leaves for partners and the public: only what the policy lets out, and once. */

static struct api_publication ours(void)
{
    struct api_publication p = {.on = true, .secret = 7, .keep = 30 * US_DAY};
    publication_default(&p.policy);
    return p;
}

static void put_row(
    struct published_world *w, uint32_t proto, uint32_t port, uint64_t sources, uint32_t sites)
{
    w->rows[w->count++] =
        (struct publication_row){.key = proto << 16 | port, .sources = sources, .sites = sites};
}

/* Busy everywhere; busy at two sites; few sources everywhere. */
static void put_usual(struct published_world *w)
{
    w->count = 0;
    put_row(w, 6, 23, 8000, 12);
    put_row(w, 6, 2323, 5000, 2);
    put_row(w, 17, 53413, 200, 12);
}

static size_t rows_of(struct published_world *w, const char *target)
{
    json_t *answer = published_world_get(w, target);
    size_t rows = json_array_size(json_object_get(answer, "rows"));
    json_decref(answer);
    return rows;
}

static unsigned status_as(struct published_world *w, const char *method, const char *target,
    const char *authorization)
{
    struct request *r;
    assert_int_equal(request_new(&r, w->api), OK);
    r->method = method;
    r->target = target;
    r->in = (struct headers){.host = "localhost", .authorization = authorization};
    r->peer = ip_from_v4(0x7f000001);
    request_answer(r);
    unsigned status = r->reply.status ? r->reply.status : 200;
    request_free(r);
    return status;
}

/* A route's path with something in the place of its parameters that each of them may be. */
static void path_of(const struct route *route, char path[128])
{
    size_t used = (size_t)snprintf(path, 128, "%s", route->flags & ROUTE_ROOT ? "" : API_ROOT);
    for (const char *at = route->path; *at; at++) {
        const char *value = strncmp(at, "{address}", 9) == 0 ? "192.0.2.7" : "1";
        if (*at == '{') {
            used += (size_t)snprintf(path + used, 128 - used, "%s", value);
            at += strcspn(at, "}");
        } else
            path[used++] = *at;
    }
    path[used] = 0;
}

static void partners_get_nothing_else(void **state)
{
    struct api_publication p = ours();
    char authorization[API_TOKEN_TEXT + 8], path[128];
    size_t refused = 0;
    (void)state;
    struct published_world *w = published_world_open(&p);
    snprintf(authorization, sizeof authorization, "Bearer %s", w->token);
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        path_of(route, path);
        unsigned as_partner = status_as(w, route->method, path, authorization);
        unsigned as_nobody = status_as(w, route->method, path, NULL);
        if (route->audience > FOR_PARTNER) {
            assert_int_equal(as_partner, 403);
            refused++;
        } else if (route->audience == FOR_PARTNER)
            assert_int_equal(as_partner, route->flags & ROUTE_SESSION ? 403 : 200);
        if (route->audience != FOR_ALL && !(route->flags & ROUTE_LOCAL))
            assert_int_equal(as_nobody, 401);
    }
    assert_true(refused > 40);
    published_world_close(w);
}

static void only_two_paths_are_for_partners(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        bool own = strcmp(route->id, "me") == 0 || strcmp(route->id, "logout") == 0 ||
                   strcmp(route->id, "password") == 0;
        bool published = strncmp(route->path, "/published", 10) == 0;
        assert_int_equal(route->audience == FOR_PARTNER, own || published);
        assert_int_equal((route->flags & ROUTE_PUBLISHED) != 0, published);
    }
}

static void nothing_is_published_unasked(void **state)
{
    struct api_publication off = {.on = false, .to_all = true};
    char authorization[API_TOKEN_TEXT + 8];
    (void)state;
    struct published_world *w = published_world_open(&off);
    snprintf(authorization, sizeof authorization, "Bearer %s", w->token);
    assert_int_equal(status_as(w, "GET", "/api/v1/published/ports", authorization), 404);
    assert_int_equal(status_as(w, "GET", "/api/v1/published", authorization), 404);
    assert_int_equal(status_as(w, "GET", "/api/v1/published/ports", NULL), 401);
    published_world_close(w);
}

static void the_public_gets_it_where_asked(void **state)
{
    struct api_publication p = ours();
    (void)state;
    p.to_all = true;
    struct published_world *w = published_world_open(&p);
    assert_int_equal(status_as(w, "GET", "/api/v1/published/ports", NULL), 200);
    assert_int_equal(status_as(w, "GET", "/api/v1/published", NULL), 200);
    assert_int_equal(status_as(w, "GET", "/api/v1/ports", NULL), 401);
    assert_int_equal(status_as(w, "GET", "/api/v1/me", NULL), 401);
    published_world_close(w);
}

static void steps_come_out_late(void **state)
{
    struct api_publication p = ours();
    (void)state;
    struct published_world *w = published_world_open(&p);
    put_usual(w);
    w->first = FAKE_FIRST;
    w->last = FAKE_FIRST + 3 * US_HOUR - 1; /* nobody knows whether all of it is there */
    w->clock.now = FAKE_FIRST + 10 * US_HOUR;
    assert_int_equal(published_world_pass(w), 0);
    w->last = FAKE_FIRST + 3 * US_HOUR;
    int64_t due = publication_time(&p.policy, p.secret, FAKE_FIRST);
    assert_true(due >= FAKE_FIRST + 3 * US_HOUR && due <= FAKE_FIRST + 5 * US_HOUR);
    w->clock.now = due - 1;
    assert_int_equal(published_world_pass(w), 0);
    assert_int_equal(rows_of(w, "/api/v1/published/ports"), 0);
    w->clock.now = due;
    assert_int_equal(published_world_pass(w), 1);
    assert_int_equal(rows_of(w, "/api/v1/published/ports"), 1);
    published_world_close(w);
}

static void rows_pass_the_policy(void **state)
{
    struct api_publication p = ours();
    (void)state;
    struct published_world *w = published_world_open(&p);
    put_usual(w);
    w->first = FAKE_FIRST;
    w->last = FAKE_FIRST + 3 * US_HOUR;
    w->clock.now = FAKE_FIRST + US_DAY;
    assert_int_equal(published_world_pass(w), 1);
    json_t *answer = published_world_get(w, "/api/v1/published/ports");
    const json_t *row = json_array_get(json_object_get(answer, "rows"), 0);
    assert_int_equal(json_array_size(json_object_get(answer, "rows")), 1);
    assert_int_equal(json_object_size(row), 6); /* no site, no address, no packets */
    assert_string_equal(json_string_value(json_object_get(row, "proto")), "tcp");
    assert_int_equal(json_integer_value(json_object_get(row, "port")), 23);
    struct publication_row same = {.key = 6u << 16 | 23, .sources = 8000, .sites = 12};
    assert_int_equal(publication_rows(&p.policy, p.secret, FAKE_FIRST, &same, 1), 1);
    assert_int_equal(json_integer_value(json_object_get(row, "sources")), same.sources);
    assert_int_not_equal(same.sources, 8000);
    json_decref(answer);
    published_world_close(w);
}

static void what_is_out_stays(void **state)
{
    struct api_publication p = ours();
    (void)state;
    struct published_world *w = published_world_open(&p);
    put_usual(w);
    w->first = FAKE_FIRST;
    w->last = FAKE_FIRST + 3 * US_HOUR;
    w->clock.now = FAKE_FIRST + US_DAY;
    assert_int_equal(published_world_pass(w), 1);
    json_t *before = published_world_get(w, "/api/v1/published/ports");
    put_row(w, 6, 445, 90000, 12); /* came in too late */
    assert_int_equal(published_world_pass(w), 0);
    w->api->publication.policy.least_sources = 1; /* and another policy does not go back */
    assert_int_equal(published_world_pass(w), 0);
    json_t *after = published_world_get(w, "/api/v1/published/ports");
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    published_world_close(w);
}

static void a_store_that_fails_costs_no_step(void **state)
{
    struct api_publication p = ours();
    (void)state;
    struct published_world *w = published_world_open(&p);
    put_usual(w);
    w->first = FAKE_FIRST;
    w->last = FAKE_FIRST + 5 * US_HOUR;
    w->clock.now = FAKE_FIRST + US_DAY;
    w->fails = ERR_IO;
    assert_int_equal(published_world_pass(w), 0);
    w->fails = OK;
    assert_int_equal(published_world_pass(w), 3);
    published_world_close(w);
}

static void old_steps_go(void **state)
{
    struct api_publication p = ours();
    (void)state;
    p.keep = US_DAY;
    struct published_world *w = published_world_open(&p);
    put_usual(w);
    w->first = FAKE_FIRST;
    w->last = FAKE_FIRST + 42 * US_HOUR;
    w->clock.now = FAKE_FIRST + 46 * US_HOUR; /* the first 22 hours are too long ago */
    assert_int_equal(published_world_pass(w), 18);
    w->clock.now += US_HOUR;
    assert_int_equal(published_world_pass(w), 0);
    struct catalog_published_span span;
    assert_int_equal(catalog_published_span(w->catalog, &span), OK);
    assert_int_equal(span.first, FAKE_FIRST + 23 * US_HOUR);
    assert_int_equal(span.steps, 17);
    published_world_close(w);
}

static void pages_fit_together(void **state)
{
    struct api_publication p = ours();
    char target[128] = "/api/v1/published/ports?limit=2";
    size_t rows = 0, pages = 0;
    (void)state;
    struct published_world *w = published_world_open(&p);
    w->count = 0;
    for (uint32_t i = 0; i < 5; i++)
        put_row(w, 6, 23 + i, 8000, 12);
    put_row(w, 17, 23, 8000, 12);
    w->first = FAKE_FIRST;
    w->last = FAKE_FIRST + 4 * US_HOUR;
    w->clock.now = FAKE_FIRST + US_DAY;
    assert_int_equal(published_world_pass(w), 2);
    for (; pages < 20; pages++) {
        json_t *answer = published_world_get(w, target);
        const char *next = json_string_value(json_object_get(answer, "next"));
        rows += json_array_size(json_object_get(answer, "rows"));
        if (next)
            snprintf(target, sizeof target, "/api/v1/published/ports?limit=2&cursor=%s", next);
        json_decref(answer);
        if (!next)
            break;
    }
    assert_int_equal(rows, 12);
    assert_int_equal(pages, 5);
    assert_int_equal(rows_of(w, "/api/v1/published/ports?port=23"), 4);
    assert_int_equal(rows_of(w, "/api/v1/published/ports?port=23&proto=udp"), 2);
    assert_int_equal(rows_of(w, "/api/v1/published/ports?proto=tcp"), 10);
    assert_int_equal(rows_of(w, "/api/v1/published/ports?from=-1h"), 6);
    published_world_close(w);
}

static unsigned located(const struct api_publication *p, uint32_t sources, unsigned trials)
{
    struct locate_result r;
    struct published_world *w = published_world_open(p);
    const struct locate_options o = {.policy = &p->policy,
        .seed = 1,
        .trials = trials,
        .sites = 12,
        .steps = 720,
        .keys = 1000,
        .sources = sources,
        .background = locate_background,
        .background_count = 64,
        .publisher = {w, published_world_step}};
    assert_int_equal(locate_run(&o, &r), OK);
    published_world_close(w);
    return r.located;
}

static void nobody_is_located(void **state)
{
    struct api_publication p = ours(), careless = ours();
    (void)state;
    publication_open(&careless.policy);
    careless.policy.merge_sites = true;
    assert_int_equal(located(&careless, 1, 3), 3);
    assert_int_equal(located(&p, 200, 5), 0);
}

static const struct CMUnitTest tests[] = {
    SAYS("a partner gets what is published, and is refused at every other route",
        partners_get_nothing_else),
    SAYS("only what is published and one's own session is for partners",
        only_two_paths_are_for_partners),
    SAYS("nothing is published where nobody asked for it", nothing_is_published_unasked),
    SAYS("the public gets it without signing in where the hub says so",
        the_public_gets_it_where_asked),
    SAYS("a step comes out when it is over, late, at a moment that is drawn",
        steps_come_out_late),
    SAYS("rows come out merged, rounded and with noise, or not at all", rows_pass_the_policy),
    SAYS("what is out stays as it is", what_is_out_stays),
    SAYS("a store that does not answer costs no step", a_store_that_fails_costs_no_step),
    SAYS("steps that are too old go, and are not made", old_steps_go),
    SAYS("pages fit together and can be narrowed", pages_fit_together),
    SAYS("who looks for sensors in the answers finds them only where the policy is careless",
        nobody_is_located),
};
TEST_MAIN(tests)
