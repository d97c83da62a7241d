#include "engine/glasso/glasso.h"
#include "engine/graph/graph.h"
#include "engine/growth/growth.h"
#include "engine/nmf/nmf.h"
#include "engine/reach/reach.h"
#include "engine/screen/screen.h"
#include "engine/surge/surge.h"
#include "engine/tensor/tensor.h"

#include "engines.h"

static const struct engine *const engines[] = {&engine_surge, &engine_growth, &engine_graph,
    &engine_glasso, &engine_nmf, &engine_tensor, &engine_screen, &engine_reach};

enum {
    ENGINES = sizeof engines / sizeof *engines
};

static void of_another_engine(void **state)
{
    (void)state;
    for (size_t from = 0; from < ENGINES; from++) {
        struct bench *saver = malloc(sizeof *saver);
        struct buf saved;
        buf_init(&saved, (size_t)1 << 28);
        bench_open(saver, engines[from]);
        assert_int_equal(engines[from]->save(saver->state, &saved), OK);
        for (size_t to = 0; to < ENGINES; to++) {
            struct bench *loader = malloc(sizeof *loader);
            struct fault f = {0};
            bench_open(loader, engines[to]);
            enum err e =
                engines[to]->load(loader->state, bytes_over(saved.data, saved.len), &f);
            assert_int_equal(e, from == to ? OK : ERR_BAD);
            if (e)
                assert_non_null(strstr(f.text, " state: offset "));
            bench_close(loader);
            free(loader);
        }
        bench_close(saver);
        free(saver);
        buf_done(&saved);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("an engine takes its own saved state and that of no other", of_another_engine),
};
TEST_MAIN(tests)
