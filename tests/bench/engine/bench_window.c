/* All engines on windows of a large telescope: packets, sources and contacts as below, at one
 * site, every window with sources of its own. The engines run side by side, as in the hub; one
 * line a window: time on the wall, CPU time of the process, the largest memory so far. Making
 * the contacts is not counted. bench_window [WINDOWS [ENGINES]]. */
#include "base/clock.h"
#include "base/rng.h"
#include "cmd/engines.h"
#include "ingest/analysis.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum {
    SOURCES = 100000,
    PACKETS = 2500000, /* about */
    SERVICES_MEAN = 5, /* of a source */
    POPULAR = 3000,    /* ports that most ask for, the first of them most */
    BLOCKS = 256
};

static double seconds_of(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Zipf over the popular ports; one in ten anywhere. */
static uint16_t draw_port(struct rng *r)
{
    if (rng_below(r, 10) == 0)
        return (uint16_t)rng_below(r, 65536);
    return (uint16_t)(exp(rng_unit(r) * log(POPULAR)) * 7.0);
}

/* One to twelve of the sixtieths. */
static uint64_t draw_slots(struct rng *r)
{
    uint64_t slots = 0;
    for (uint64_t count = 1 + rng_below(r, 3) * rng_below(r, 6); count; count--)
        slots |= UINT64_C(1) << rng_below(r, 60);
    return slots;
}

static void add_contact(struct block *b, const uint16_t words[4], uint32_t src, struct rng *r)
{
    size_t i = b->rows++;
    block_name(b, CONTACT_SITE)[i] = words[0];
    block_name(b, CONTACT_CLASS)[i] = words[1];
    block_name(b, CONTACT_TOOL)[i] = words[2];
    block_name(b, CONTACT_COUNTRY)[i] = words[3];
    block_ip(b, CONTACT_SRC)[i] = ip_from_v4(src);
    block_u8(b, CONTACT_PROTO)[i] = rng_below(r, 8) ? 6 : 17;
    block_u16(b, CONTACT_DPORT)[i] = draw_port(r);
    block_u64(b, CONTACT_SLOTS)[i] = draw_slots(r);
    block_u64(b, CONTACT_DSTS)[i] = draw_slots(r);
    block_u32(b, CONTACT_PACKETS)[i] =
        1 + (uint32_t)rng_below(r, 2 * PACKETS / (SOURCES * SERVICES_MEAN) - 1);
}

struct contacts {
    struct block *blocks[BLOCKS];
    size_t blocks_used, rows;
    uint64_t packets;
};

static struct block *next_block(struct contacts *c, uint16_t words[4])
{
    static const char *const texts[4] = {"large", "scan", "", "kr"};
    static const size_t columns[4] = {
        CONTACT_SITE, CONTACT_CLASS, CONTACT_TOOL, CONTACT_COUNTRY};
    struct block *b;
    assert(c->blocks_used < BLOCKS);
    enum err e = block_new(&b, &record_contact, record_contact.max_rows);
    for (size_t i = 0; !e && i < 4; i++)
        e = block_word(b, columns[i], texts[i], &words[i]);
    assert(!e);
    return c->blocks[c->blocks_used++] = b;
}

static void make_contacts(struct contacts *c, struct rng *r)
{
    uint16_t words[4];
    struct block *b = next_block(c, words);
    for (uint32_t i = 0; i < SOURCES; i++) {
        uint32_t src = rng_u32(r);
        for (uint64_t k = rng_below(r, 2 * SERVICES_MEAN - 1) + 1; k; k--) {
            if (b->rows == record_contact.max_rows)
                b = next_block(c, words);
            add_contact(b, words, src, r);
            c->packets += block_u32(b, CONTACT_PACKETS)[b->rows - 1];
            c->rows++;
        }
    }
}

static void show(struct analysis *a, int number, struct rng *r)
{
    struct contacts c = {.rows = 0};
    make_contacts(&c, r);
    struct window_site site = {.name = "large",
        .watching = true,
        .packets = c.packets,
        .addresses = 1 << 24,
        .kept = 1.0};
    struct window w = {.start = number * 10 * US_MINUTE,
        .length = 10 * US_MINUTE,
        .sites = &site,
        .site_count = 1,
        .kind = &record_contact,
        .blocks = (const struct block *const *)c.blocks,
        .block_count = c.blocks_used};
    struct fault f = {0};
    double wall = seconds_of(CLOCK_MONOTONIC);
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    enum err e = analysis_step(a, &w, false, &(struct analysis_events){0}, &f);
    wall = seconds_of(CLOCK_MONOTONIC) - wall;
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (e) {
        fprintf(stderr, "bench_window: %s\n", f.text);
        exit(1);
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("window %d: %llu packets, %d sources, %zu contacts: %.2f s, %.2f s of CPU, %ld MB\n",
        number, (unsigned long long)c.packets, SOURCES, c.rows, wall, cpu,
        used.ru_maxrss / 1024);
    fflush(stdout);
    for (size_t i = 0; i < c.blocks_used; i++)
        block_free(c.blocks[i]);
}

int main(int argc, char **argv)
{
    int windows = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 8;
    struct engine_choice engines = {0};
    struct fault f = {0};
    struct analysis *a = NULL;
    struct rng r;
    rng_seed(&r, 1);
    enum err e = engines_choose(&engines, argc > 2 ? argv[2] : "all", NULL, 0, &f);
    struct analysis_options options = {.engines = engines.engines,
        .confs = (const struct conf *const *)engines.confs,
        .window = 10 * US_MINUTE};
    if (!e)
        e = analysis_new(&a, &options, &f);
    if (e) {
        fprintf(stderr, "bench_window: %s\n", f.text);
        return 1;
    }
    for (int i = 1; i <= windows; i++)
        show(a, i, &r);
    for (size_t i = 0; i < analysis_parts(a); i++)
        printf("%-10s %.2f s a window\n", analysis_part_name(a, i),
            (double)analysis_spent(a, i) / (double)US_SECOND / windows);
    analysis_free(a);
    engines_done(&engines);
    return 0;
}
