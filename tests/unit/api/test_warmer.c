#include "test.h"

#include "fake.h"

#include "api/api_int.h"
#include "api/warmer_int.h"

#include <string.h>
#include <unistd.h>

struct world {
    struct fake_store store;
    struct catalog *catalog;
    char folder[64];
    struct api *api;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct fault f = {0};
    assert_non_null(w);
    *state = w;
    w->catalog = fake_catalog(w->folder);
    struct api_options options = {.password_passes = 1, .password_memory = 8192};
    struct api_parts parts = {
        .store = fake_store_face(&w->store), .catalog = w->catalog, .live = fake_live()};
    if (api_bare_new(&w->api, &options, &parts, &f))
        fail_msg("%s", f.text);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    api_bare_free(w->api);
    fake_catalog_done(w->catalog, w->folder);
    free(w);
    return 0;
}

static void wait_for_asks(struct world *w, uint64_t asks)
{
    for (int ms = 0; ms < 20000 && atomic_load(&w->store.asks) < asks; ms++)
        usleep(1000);
    assert_true(atomic_load(&w->store.asks) >= asks);
}

static void asks_the_overview(void **state)
{
    struct world *w = *state;
    struct warmer *warmer;
    assert_int_equal(warmer_start(&warmer, w->api), OK);
    wait_for_asks(w, 4); /* the span, totals twice, the chart ... */
    warmer_stop(warmer);
}

/* The overview is six questions or so; the one that runs is the last. */
static void stop_leaves_the_rest_unasked(void **state)
{
    struct world *w = *state;
    struct warmer *warmer;
    w->store.answer_ms = 300;
    assert_int_equal(warmer_start(&warmer, w->api), OK);
    wait_for_asks(w, 2);
    uint64_t asks = atomic_load(&w->store.asks);
    warmer_stop(warmer);
    assert_true(atomic_load(&w->store.asks) <= asks + 1);
    warmer_stop(NULL);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("the overview is asked before anybody comes", asks_the_overview, setup, teardown),
    SAYS_WITH("stopping waits for one question, not for the whole overview",
        stop_leaves_the_rest_unasked, setup, teardown),
};

TEST_MAIN(tests)
