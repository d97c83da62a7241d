/* Groups of sources that move together: what a look costs, how often planted groups are found,
 * and how often there is one where none is.
 *
 *     bench_groups cost [SOURCES...]       milliseconds for a round
 *     bench_groups find [SEEDS [ROUNDS]]   planted groups in a made-up day of 4,000 sources
 */
#include "screen/group_member.h"

#include "base/hash.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WINDOWS = 144,
    USUAL = 4000,
    PLANTED_MOST = 100
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void set(struct group_member *m, uint32_t window)
{
    m->active[window / 64] |= UINT64_C(1) << window % 64;
}

/* Sources that come in 1 to 22 % of the windows, more by day than by night. */
static void crowd_make(struct group_member *list, size_t count, struct rng *r)
{
    memset(list, 0, count * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        double rate = 0.02 + 0.1 * rng_unit(r);
        list[i].network = hash_u64(i);
        for (uint32_t w = 0; w < WINDOWS; w++)
            if (rng_unit(r) < rate * (1.0 + 0.8 * sin(2.0 * 3.14159265 * w / WINDOWS)))
                set(&list[i], w);
    }
}

/* As many networks that come in the same windows, each missing one in five, and in two or so of
 * their own. */
static void group_plant(struct group_member *list, size_t size, uint32_t windows, struct rng *r)
{
    uint32_t together[WINDOWS];
    memset(list, 0, size * sizeof *list);
    for (uint32_t i = 0; i < windows; i++)
        together[i] = (uint32_t)(rng_unit(r) * WINDOWS);
    for (size_t i = 0; i < size; i++) {
        list[i].network = hash_u64(((uint64_t)1 << 32) + i);
        for (uint32_t k = 0; k < windows; k++)
            if (rng_unit(r) < 0.8)
                set(&list[i], together[k]);
        for (unsigned k = 0; k < 2; k++)
            set(&list[i], (uint32_t)(rng_unit(r) * WINDOWS));
    }
}

static int fail(enum err e)
{
    fprintf(stderr, "bench_groups: %s\n", err_text(e));
    return 1;
}

static int cost(size_t count)
{
    enum {
        ROUNDS = 10
    };
    struct group_options o = group_options_usual(WINDOWS, 6);
    struct group_member *list = malloc((count + 1) * sizeof *list);
    struct groups_chance chance = {0};
    struct rng r;
    rng_seed(&r, 1);
    if (!list)
        return fail(ERR_NOMEM);
    o.rounds = ROUNDS;
    crowd_make(list, count, &r);
    double from = seconds();
    enum err e = groups_chance(list, count, &o, UINT32_MAX, &chance);
    if (e)
        return fail(e);
    printf("groups_round_%zu %.1f ms, largest of chance %u\n", count,
        1e3 * (seconds() - from) / chance.rounds, chance.networks);
    free(list);
    return 0;
}

/* Members of the best group that are planted ones, and others in it. */
struct score {
    unsigned found;
    size_t members, planted, others;
};

static enum err try_one(const struct group_member *list, size_t size,
    const struct group_options *o, struct score *s)
{
    struct groups_result found;
    enum err e = groups_find(list, USUAL + size, o, &found);
    if (e)
        return e;
    struct groups_chance chance = {.networks = UINT32_MAX};
    if (found.count)
        e = groups_chance(list, USUAL + size, o, found.list[0].networks, &chance);
    if (!e && found.count && found.list[0].networks > chance.networks) {
        size_t planted = 0;
        for (size_t i = USUAL; i < USUAL + size; i++)
            planted += found.of[i] == 0;
        s->found++;
        s->planted += planted;
        s->members += size;
        s->others += found.list[0].members - planted;
    }
    free(found.of);
    free(found.list);
    return e;
}

static int find(unsigned seeds, unsigned rounds)
{
    static const struct {
        size_t size;
        uint32_t windows;
    } cases[] = {{15, 6}, {15, 10}, {15, 16}, {20, 6}, {30, 10}, {100, 10}, {0, 0}};
    struct group_member list[USUAL + PLANTED_MOST];
    struct group_options o = group_options_usual(WINDOWS, 6);
    o.rounds = rounds;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct score s = {0};
        double from = seconds();
        for (unsigned seed = 1; seed <= seeds; seed++) {
            struct rng r;
            rng_seed(&r, 1000 * c + seed);
            o.seed = seed;
            crowd_make(list, USUAL, &r);
            group_plant(&list[USUAL], cases[c].size, cases[c].windows, &r);
            enum err e = try_one(list, cases[c].size, &o, &s);
            if (e)
                return fail(e);
        }
        printf("groups_find of %zu in %u windows: %u of %u, %.0f %% of the members, precision "
               "%.2f, %.0f ms\n",
            cases[c].size, cases[c].windows, s.found, seeds,
            s.members ? 100.0 * (double)s.planted / (double)s.members : 0.0,
            s.planted + s.others ? (double)s.planted / (double)(s.planted + s.others) : 0.0,
            1e3 * (seconds() - from) / seeds);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int bad = 0;
    if (argc > 1 && strcmp(argv[1], "find") == 0)
        return find(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20,
            argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 299);
    for (int i = 2; i < argc; i++)
        bad |= cost(strtoul(argv[i], NULL, 10));
    if (argc <= 2)
        bad = cost(4000) | cost(16384) | cost(65536);
    return bad;
}
