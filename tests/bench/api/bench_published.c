#include "published_world.h"

#include "audit/locate.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* The attack of `kizashi anonymize --audit locate` against the answers that a partner gets:
 * each step goes in through the store and is read from /api/v1/published/ports.
 *
 *     bench_published [--trials N] [--sources N] [--steps N] */

static void attack(const char *name, const struct publication_policy *p, unsigned trials,
    unsigned steps, uint32_t sources)
{
    const struct api_publication publication = {
        .on = true, .secret = 7, .keep = 60 * US_DAY, .policy = *p};
    struct locate_result r;
    struct published_world *w = published_world_open(&publication);
    const struct locate_options o = {.policy = p,
        .seed = 1,
        .trials = trials,
        .sites = 12,
        .steps = steps,
        .keys = 1000,
        .sources = sources,
        .background = locate_background,
        .background_count = 64,
        .publisher = {w, published_world_step}};
    enum err e = locate_run(&o, &r);
    published_world_close(w);
    if (e)
        exit(1);
    printf("policy=%s sources=%u steps=%u trials=%u located=%u at_most=%.2f%% rows=%.1f\n",
        name, sources, steps, r.trials, r.located, 100 * r.upper, r.rows);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"trials", required_argument, NULL, 't'},
        {"sources", required_argument, NULL, 's'}, {"steps", required_argument, NULL, 'n'},
        {0}};
    unsigned trials = 20, steps = 720;
    uint32_t sources = 200;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 't')
            trials = (unsigned)atoi(optarg);
        else if (c == 's')
            sources = (uint32_t)atoi(optarg);
        else if (c == 'n')
            steps = (unsigned)atoi(optarg);
        else
            return 2;
    }
    struct publication_policy careless, ours;
    publication_open(&careless);
    careless.merge_sites = true;
    publication_default(&ours);
    attack("none", &careless, trials, steps, 1);
    attack("default", &ours, trials, steps, sources);
    return 0;
}
