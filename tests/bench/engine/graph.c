/* How fast `graph` turns contacts into features, beside SuiteSparse GraphBLAS building the
 * traffic matrix of the same contacts (if it was there when this was built). Input: one window
 * of one site, seeded; sources and services by a heavy-tailed law. Arguments: CONTACTS ROUNDS
 * THREADS. With one thread processor time counts, with two time on the wall: GraphBLAS has two
 * then, and two engines look at a window each, side by side, as those of two hubs would.
 */
#include "engine/graph/graph.h"
#include "base/clock.h"
#include "base/rng.h"
#include "bench.h"
#include "record/proto.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#ifdef HAVE_GRAPHBLAS
#include <GraphBLAS.h>
#endif

enum {
    BLOCK = 1 << 16
};

struct input {
    size_t count;
    uint32_t *source; /* IPv4, host order */
    uint32_t *service;
};

/* Half of the contacts are of sources that have several; a tenth of the services has most. */
static struct input input_make(size_t count)
{
    struct input in = {.count = count,
        .source = malloc(count * sizeof *in.source),
        .service = malloc(count * sizeof *in.service)};
    struct rng r;
    rng_seed(&r, 7);
    assert(in.source && in.service);
    for (size_t i = 0; i < count; i++) {
        uint64_t who = (uint64_t)((double)count * pow(rng_unit(&r), 1.5));
        in.source[i] = (uint32_t)hash_u64(who);
        in.service[i] = (uint32_t)fmin(65535.0, rng_pareto(&r, 0.6) * 3.0);
    }
    return in;
}

static void word(struct block *b, size_t column, const char *text)
{
    uint16_t number;
    enum err e = block_word(b, column, text, &number);
    assert(!e && number == 0);
}

static size_t blocks_make(const struct input *in, struct block **blocks)
{
    size_t count = 0;
    for (size_t i = 0; i < in->count; i++) {
        if (i % BLOCK == 0) {
            enum err e = block_new(&blocks[count++], &record_contact, BLOCK);
            assert(!e);
            word(blocks[count - 1], CONTACT_SITE, "s00");
            word(blocks[count - 1], CONTACT_CLASS, "scan");
            word(blocks[count - 1], CONTACT_TOOL, "");
            word(blocks[count - 1], CONTACT_COUNTRY, "");
        }
        struct block *b = blocks[count - 1];
        size_t row = b->rows++;
        block_name(b, CONTACT_SITE)[row] = 0;
        block_name(b, CONTACT_CLASS)[row] = 0;
        block_name(b, CONTACT_TOOL)[row] = 0;
        block_name(b, CONTACT_COUNTRY)[row] = 0;
        block_ip(b, CONTACT_SRC)[row] = ip_from_v4(in->source[i]);
        block_u8(b, CONTACT_PROTO)[row] = PROTO_TCP;
        block_u16(b, CONTACT_DPORT)[row] = (uint16_t)in->service[i];
        block_u32(b, CONTACT_PACKETS)[row] = 1;
        block_u64(b, CONTACT_DSTS)[row] = (uint64_t)1 << (i % 64);
    }
    return count;
}

static enum err drop(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
    return OK;
}

/* One engine on its windows. */
struct work {
    const struct input *in;
    struct block **blocks;
    size_t block_count;
    int rounds;
    pthread_barrier_t *ready; /* when all have looked at a first window; NULL: it is alone */
    struct bench *b;          /* NULL: somebody else takes the time */
};

static void *engine_work(void *context)
{
    const struct work *work = context;
    struct window_site site = {.name = "s00", .watching = true, .kept = 1.0};
    struct conf *conf;
    struct engine_state *st;
    struct fault f;
    struct arena scratch;
    struct sink sink = {.put = drop};
    enum err e = conf_new(&conf, engine_graph.items);
    assert(!e);
    e = engine_graph.open(&st, conf, 10 * US_MINUTE, &f);
    assert(!e);
    arena_init(&scratch, (size_t)1 << 32);
    for (int i = 0; i <= work->rounds; i++) { /* the first asks the system for its memory */
        struct window w = {.start = i * 10 * US_MINUTE,
            .length = 10 * US_MINUTE,
            .sites = &site,
            .site_count = 1,
            .kind = &record_contact,
            .blocks = (const struct block *const *)work->blocks,
            .block_count = work->block_count};
        if (i && work->b)
            bench_begin(work->b);
        e = engine_graph.step(st, &w, &scratch, &sink);
        assert(!e);
        arena_clear(&scratch);
        if (i && work->b)
            bench_end(work->b);
        if (i == 0 && work->ready)
            pthread_barrier_wait(work->ready);
    }
    arena_done(&scratch);
    engine_graph.close(st);
    conf_free(conf);
    return NULL;
}

static void bench_engine(const struct input *in, struct work *work, bool wall)
{
    static struct bench b;
    b.wall = wall;
    work->b = &b;
    engine_work(work);
    work->b = NULL;
    bench_print(&b, "graph: all features, one thread", "contacts", (double)in->count);
}

/* All windows of two engines as one round. */
static void bench_two(const struct input *in, struct work *work)
{
    static struct bench b = {.wall = true};
    pthread_barrier_t ready;
    pthread_t threads[2];
    pthread_barrier_init(&ready, NULL, 3);
    work->ready = &ready;
    for (size_t i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, engine_work, work))
            abort();
    pthread_barrier_wait(&ready);
    bench_begin(&b);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    bench_end(&b);
    work->ready = NULL;
    pthread_barrier_destroy(&ready);
    bench_print(&b, "graph: two engines side by side", "contacts",
        2.0 * work->rounds * (double)in->count);
}

#ifdef HAVE_GRAPHBLAS
static void must(GrB_Info info)
{
    if (info != GrB_SUCCESS) {
        fprintf(stderr, "GraphBLAS: error %d\n", (int)info);
        exit(1);
    }
}

/* The traffic matrix of 2^32 sources by 2^16 services, hypersparse, and its degrees: sums over
 * rows and columns of its pattern. */
static void bench_graphblas(const struct input *in, int rounds, int threads)
{
    GrB_Index *rows = malloc(in->count * sizeof *rows),
              *columns = malloc(in->count * sizeof *rows);
    uint32_t *ones = malloc(in->count * sizeof *ones);
    static struct bench build, degrees;
    build.wall = degrees.wall = threads > 1;
    assert(rows && columns && ones);
    for (size_t i = 0; i < in->count; i++) {
        rows[i] = in->source[i];
        columns[i] = in->service[i];
        ones[i] = 1;
    }
    must(GrB_init(GrB_NONBLOCKING));
    must(GxB_Global_Option_set(GxB_NTHREADS, threads));
    for (int i = 0; i < rounds; i++) {
        GrB_Matrix m;
        GrB_Vector by_row, by_column;
        bench_begin(&build);
        must(GrB_Matrix_new(&m, GrB_UINT32, (GrB_Index)1 << 32, 1 << 16));
        must(GrB_Matrix_build_UINT32(m, rows, columns, ones, in->count, GrB_PLUS_UINT32));
        must(GrB_Matrix_wait(m, GrB_MATERIALIZE));
        bench_end(&build);
        bench_begin(&degrees);
        must(GrB_Vector_new(&by_row, GrB_UINT32, (GrB_Index)1 << 32));
        must(GrB_Vector_new(&by_column, GrB_UINT32, 1 << 16));
        must(GrB_Matrix_reduce_Monoid(by_row, NULL, NULL, GrB_PLUS_MONOID_UINT32, m, NULL));
        must(GrB_Matrix_reduce_Monoid(
            by_column, NULL, NULL, GrB_PLUS_MONOID_UINT32, m, GrB_DESC_T0));
        must(GrB_Vector_wait(by_row, GrB_MATERIALIZE));
        must(GrB_Vector_wait(by_column, GrB_MATERIALIZE));
        bench_end(&degrees);
        must(GrB_Vector_free(&by_row));
        must(GrB_Vector_free(&by_column));
        must(GrB_Matrix_free(&m));
    }
    bench_print(&build, "GraphBLAS: builds the matrix", "contacts", (double)in->count);
    bench_print(&degrees, "GraphBLAS: degrees of both sides", "contacts", (double)in->count);
    must(GrB_finalize());
    free(rows);
    free(columns);
    free(ones);
}
#endif

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    int rounds = argc > 2 ? atoi(argv[2]) : 9;
    int threads = argc > 3 ? atoi(argv[3]) : 1;
    struct input in = input_make(count);
    struct block **blocks = calloc(count / BLOCK + 1, sizeof(struct block *));
    assert(blocks);
    struct work work = {.in = &in, .blocks = blocks, .rounds = rounds};
    work.block_count = blocks_make(&in, blocks);
    bench_engine(&in, &work, threads > 1);
#ifdef HAVE_GRAPHBLAS
    bench_graphblas(&in, rounds, threads);
#else
    printf("GraphBLAS is not installed (libgraphblas-dev)\n");
#endif
    bench_engine(&in, &work, threads > 1);
    if (threads > 1)
        bench_two(&in, &work);
    for (size_t i = 0; i < work.block_count; i++)
        block_free(blocks[i]);
    free(blocks);
    free(in.source);
    free(in.service);
    return 0;
}
