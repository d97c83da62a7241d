#include "sim/timetable.h"

#include "base/hash.h"
#include "decode/packet.h"
#include "sim/family.h"
#include "sim/service.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TABLES = 3,
    HOSTS = 120,
    ALL_SITES = -1
};

static const struct {
    uint32_t hosts;
    bool full_hour;   /* else at a minute that the seed draws */
    bool listed_port; /* of a service that others ask for as well */
    bool one_site;
    double visits; /* chance that a host comes to a site in an hour */
    int64_t late;  /* at most so much after the timer's minute begins */
} rows[TABLES] = {
    {HOSTS, true, false, false, 0.3, 20 * US_SECOND},
    {80, true, true, true, 0.6, US_MINUTE},
    {60, false, false, true, 0.7, 6 * US_MINUTE},
};

struct table {
    struct host hosts[HOSTS];
    uint16_t port;
    int32_t site;
    int64_t minute; /* of the hour, us */
};

struct timetables {
    struct rng rng;
    struct table tables[TABLES];
};

static void table_draw(struct timetables *t, const struct world *w, size_t i)
{
    struct table *table = &t->tables[i];
    table->port = rows[i].listed_port ? 8443 : service_free_port(PROTO_TCP, &t->rng);
    table->site = rows[i].one_site ? (int32_t)rng_below(&t->rng, w->site_count) : ALL_SITES;
    table->minute = rows[i].full_hour ? 0 : (int64_t)rng_below(&t->rng, 60) * US_MINUTE;
    for (size_t h = 0; h < rows[i].hosts; h++) {
        uint8_t country = places_pick(w->places, &t->rng);
        uint32_t ip = places_address(w->places, country, &t->rng);
        table->hosts[h] = host_make(ip, country, STYLE_LINUX, &t->rng);
        table->hosts[h].label = LABEL_SCANNER;
    }
}

static void table_tell(
    const struct table *table, size_t i, const struct world *w, struct truth *truth)
{
    struct truth_nuisance *said = truth_nuisance_add(truth, "timetable", w->start, w->end);
    said->proto = PROTO_TCP;
    said->port = table->port;
    said->site = table->site;
    snprintf(said->text, sizeof said->text, "%u hosts come at minute %lld of every hour",
        rows[i].hosts, (long long)(table->minute / US_MINUTE));
}

enum err timetables_open(struct timetables **ret_timetables, const struct world *w,
    uint64_t seed, struct truth *truth)
{
    struct timetables *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    rng_seed(&t->rng, hash_two(seed, 6001));
    for (size_t i = 0; i < TABLES; i++) {
        table_draw(t, w, i);
        table_tell(&t->tables[i], i, w, truth);
    }
    *ret_timetables = t;
    return OK;
}

void timetables_close(struct timetables *t)
{
    free(t);
}

static void host_come(struct timetables *t, size_t i, const struct host *host,
    const struct world *w, struct outbox *o)
{
    const struct table *table = &t->tables[i];
    for (size_t s = 0; s < w->site_count; s++) {
        if ((table->site != ALL_SITES && table->site != (int32_t)s) ||
            rng_unit(&t->rng) >= rows[i].visits)
            continue;
        struct probe p = {.ts = w->now + (int64_t)rng_below(&t->rng, (uint64_t)rows[i].late),
            .kind = PROBE_SYN,
            .site = (uint8_t)s,
            .dport = table->port};
        p.dst = world_target(w, p.site, &t->rng);
        probe_stamp(&p, host, &t->rng);
        outbox_put(o, &p);
    }
}

void timetables_tick(void *timetables, const struct world *w, struct outbox *o)
{
    struct timetables *t = timetables;
    for (size_t i = 0; i < TABLES; i++)
        if (w->now - time_floor(w->now, US_HOUR) == t->tables[i].minute)
            for (size_t h = 0; h < rows[i].hosts; h++)
                host_come(t, i, &t->tables[i].hosts[h], w, o);
}
