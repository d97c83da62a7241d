/* What the whole step of glasso costs on one large window of one site: 210,000 packets from
 * 29,600 networks of /16 in ten minutes, 60 % of them on 16 busy ports, activity of networks
 * Pareto with index 1.1. Three ways: as it is; one graph across all services; as published
 * (12 slots, 1,000 networks at random, penalties 0.9 to 0.4).
 *
 *     bench_glasso_window [PACKETS NETWORKS SEED] */
#include "base/clock.h"
#include "bench.h"
#include "engine/glasso/glasso_int.h"
#include "telescope.h"

#include <assert.h>
#include <math.h>

enum {
    BLOCKS_MAX = 256
};

struct packet_seen {
    uint32_t network;
    uint16_t port;
    uint8_t slot;
};

static int by_contact(const void *a, const void *b)
{
    const struct packet_seen *x = a;
    const struct packet_seen *y = b;
    if (x->network != y->network)
        return x->network < y->network ? -1 : 1;
    return (x->port > y->port) - (x->port < y->port);
}

/* Networks have a rate each; every one sends at least once. */
static struct packet_seen *draw(size_t packets, uint32_t networks, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    double *sum = calloc(networks + 1, sizeof *sum);
    struct packet_seen *seen = calloc(packets, sizeof *seen);
    assert(sum && seen && packets >= networks);
    for (uint32_t i = 0; i < networks; i++)
        sum[i + 1] = sum[i] + fmin(rng_pareto(&r, 1.1), 300.0);
    for (size_t k = 0; k < packets; k++) {
        uint32_t low = (uint32_t)k;
        if (k >= networks) {
            double u = rng_unit(&r) * sum[networks];
            low = 0;
            for (uint32_t step = 1u << 30; step; step >>= 1)
                if (low + step < networks && sum[low + step] <= u)
                    low += step;
        }
        seen[k] = (struct packet_seen){
            .network = low, .port = telescope_port(&r), .slot = (uint8_t)rng_below(&r, 60)};
    }
    free(sum);
    qsort(seen, packets, sizeof *seen, by_contact);
    return seen;
}

static void put_words(struct block *b, size_t i)
{
    telescope_check(block_word(b, CONTACT_SITE, "site", &block_name(b, CONTACT_SITE)[i]));
    telescope_check(block_word(b, CONTACT_CLASS, "scan", &block_name(b, CONTACT_CLASS)[i]));
    telescope_check(block_word(b, CONTACT_TOOL, "", &block_name(b, CONTACT_TOOL)[i]));
    telescope_check(block_word(b, CONTACT_COUNTRY, "", &block_name(b, CONTACT_COUNTRY)[i]));
}

/* Into as many blocks as it takes; returns how many. */
static size_t fill(struct block **blocks, const struct packet_seen *seen, size_t packets)
{
    size_t count = 0;
    struct block *b = NULL;
    for (size_t k = 0; k < packets; k++) {
        bool same = k && by_contact(&seen[k], &seen[k - 1]) == 0;
        if (!same && (!b || b->rows == b->cap)) {
            assert(count < BLOCKS_MAX);
            telescope_check(block_new(&b, &record_contact, 1 << 14));
            blocks[count++] = b;
        }
        size_t i = same ? b->rows - 1 : b->rows;
        if (!same) {
            put_words(b, i);
            block_ip(b, CONTACT_SRC)[i] = ip_from_v4(seen[k].network << 16 | 1);
            block_u8(b, CONTACT_PROTO)[i] = 6;
            block_u16(b, CONTACT_DPORT)[i] = seen[k].port;
            block_u32(b, CONTACT_PACKETS)[i] = 0;
            block_u64(b, CONTACT_SLOTS)[i] = 0;
            block_u8(b, CONTACT_FLAGS)[i] = 2;
            block_u16(b, CONTACT_WIN)[i] = 0;
            block_u64(b, CONTACT_DSTS)[i] = 1;
            b->rows++;
        }
        block_u32(b, CONTACT_PACKETS)[i]++;
        block_u64(b, CONTACT_SLOTS)[i] |= UINT64_C(1) << seen[k].slot;
    }
    return count;
}

static enum err drop(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
    return OK;
}

static void run(const char *name, const char *const *settings, const struct window *w)
{
    struct conf *conf;
    struct fault f;
    struct arena scratch;
    struct sink sink = {.put = drop};
    struct bench bench = {0};
    struct sync tell;
    double density[PENALTIES_MOST] = {0};
    telescope_check(conf_new(&conf, engine_glasso.items));
    for (; *settings; settings += 2)
        telescope_check(conf_set(conf, settings[0], settings[1], &f));
    arena_init(&scratch, (size_t)1 << 30);
    for (unsigned round = 0; round < 3; round++) {
        struct engine_state *state;
        telescope_check(engine_glasso.open(&state, conf, w->length, &f));
        bench_begin(&bench);
        telescope_check(engine_glasso.step(state, w, &scratch, &sink));
        bench_end(&bench);
        arena_clear(&scratch);
        tell = *(const struct sync *)(const void *)state;
        for (size_t k = 0; k < tell.options.penalty_count; k++)
            density[k] = pow(10.0, (double)tell.views[1].densities[k].ring[1]);
        engine_glasso.close(state);
    }
    qsort(bench.round, bench.count, sizeof bench.round[0], bench_compare);
    printf("%-40s %7.3f s a window, best %.3f; %llu times a component was too large; density",
        name, bench.round[1], bench.round[0], (unsigned long long)tell.left_out);
    for (size_t k = 0; k < tell.options.penalty_count; k++)
        printf(" %.2g at %g%s", density[k], tell.options.penalties[k],
            k + 1 < tell.options.penalty_count ? "," : "\n");
    arena_done(&scratch);
    conf_free(conf);
}

int main(int argc, char **argv)
{
    size_t packets = argc > 1 ? strtoul(argv[1], NULL, 10) : 210000;
    uint32_t networks = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 29600;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    struct block *blocks[BLOCKS_MAX];
    const struct block *borrowed[BLOCKS_MAX];
    struct packet_seen *seen = draw(packets, networks, seed);
    size_t count = fill(blocks, seen, packets);
    size_t contacts = 0;
    for (size_t i = 0; i < count; i++) {
        borrowed[i] = blocks[i];
        contacts += blocks[i]->rows;
    }
    struct window_site site = {.name = "site", .watching = true, .kept = 1.0};
    struct window w = {.start = 10 * US_MINUTE,
        .length = 10 * US_MINUTE,
        .sites = &site,
        .site_count = 1,
        .kind = &record_contact,
        .blocks = borrowed,
        .block_count = count};
    printf("%zu packets, %u networks, %zu contacts\n", packets, networks, contacts);
    run("a graph a service, all networks", (const char *[]){NULL}, &w);
    run("one graph, all networks, 60 slots",
        (const char *[]){"across", NULL, "penalties", "0.70,0.65,0.60,0.56,0.52,0.48",
            "active-most", "60", "component-max", "2000", NULL},
        &w);
    run("one graph, 1,000 networks, 12 slots",
        (const char *[]){"across", NULL, "penalties", "0.9,0.8,0.7,0.6,0.5,0.4", "active-most",
            "12", "component-max", "1000", "slots", "12", "hosts-most", "1000", NULL},
        &w);
    free(seen);
    for (size_t i = 0; i < count; i++)
        block_free(blocks[i]);
    return 0;
}
