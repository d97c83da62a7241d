#include "sim/family.h"

#include <math.h>
#include <stdlib.h>

enum {
    FAMILY_SERVICES = 8,
    HOSTS_MIN = 50,
    HOSTS_MAX = 1 << 18
};

/* What a family asks for, in parts of a hundred. */
struct wants {
    uint8_t kind;
    uint16_t port;
    uint8_t part;
    uint8_t payload;
};

/* The services are those that reports name for malware of that name or kind; windows, paces and
 * parts are made up. */
struct family {
    const char *name;
    uint8_t style;
    uint16_t win;  /* TCP window; 0: the style's */
    double pps;    /* of a host, over all of IPv4 */
    double rhythm; /* amplitude of its day */
    double life_h;
    struct wants wants[FAMILY_SERVICES];
};

#define T PROBE_SYN
#define U PROBE_UDP
static const struct family table[] = {
    {"hajime", STYLE_BARE, 14600, 400, 0.2, 60,
        {{T, 23, 30, 0}, {T, 5358, 30, 0}, {T, 81, 15, 0}, {T, 7547, 15, 0}, {T, 9000, 10, 0}}},
    {"satori", STYLE_MIRAI, 0, 300, 0.2, 48, {{T, 37215, 60, 0}, {T, 52869, 40, 0}}},
    {"adb-miner", STYLE_LINUX, 0, 300, 0.1, 72, {{T, 5555, 100, 0}}},
    {"reaper", STYLE_BARE, 29200, 300, 0.15, 60,
        {{T, 80, 20, 0}, {T, 81, 15, 0}, {T, 82, 15, 0}, {T, 83, 15, 0}, {T, 88, 10, 0},
            {T, 8001, 10, 0}, {T, 8060, 8, 0}, {T, 1080, 7, 0}}},
    {"gpon", STYLE_BARE, 5840, 250, 0.2, 36, {{T, 8080, 55, 0}, {T, 80, 45, 0}}},
    {"rdp-brute", STYLE_WINDOWS, 0, 150, 0.3, 72,
        {{T, 3389, 70, 0}, {T, 3390, 15, 0}, {T, 33890, 15, 0}}},
    {"ssh-brute", STYLE_LINUX, 0, 250, 0.1, 72, {{T, 22, 75, 0}, {T, 2222, 25, 0}}},
    {"cloud-miner", STYLE_LINUX, 0, 400, 0.05, 96,
        {{T, 6379, 40, 0}, {T, 2375, 25, 0}, {T, 2376, 15, 0}, {T, 8088, 20, 0}}},
    {"slammer", STYLE_WINDOWS, 0, 800, 0.05, 200, {{U, 1434, 100, PAYLOAD_LETTERS}}},
    {"mozi", STYLE_BARE, 0, 300, 0.2, 48,
        {{T, 23, 20, 0}, {T, 2323, 10, 0}, {T, 8080, 10, 0}, {T, 37215, 15, 0},
            {T, 49152, 15, 0}, {T, 7574, 10, 0}, {U, 6881, 20, PAYLOAD_RANDOM}}},
    {"upnp-hunter", STYLE_LINUX, 0, 300, 0.1, 60,
        {{T, 5431, 50, 0}, {U, 1900, 50, PAYLOAD_SSDP}}},
    {"hide-seek", STYLE_BARE, 0, 250, 0.2, 48,
        {{T, 23, 25, 0}, {T, 2480, 30, 0}, {T, 5984, 30, 0}, {T, 3000, 15, 0}}},
};
#undef T
#undef U

enum {
    FAMILIES = sizeof table / sizeof *table
};

struct crowd {
    struct host *hosts; /* owned */
    uint32_t count;
    double rate; /* probes to one address in a tick */
    struct rng rng;
    struct swing swing;
};

struct families {
    struct crowd list[FAMILIES];
    uint32_t ticks;
};

const char *label_name(unsigned label)
{
    static const char *const names[LABEL_FAMILY] = {
        "noise", "mirai", "scanner", "survey", "research", "wrong-setting", "victim", "event"};
    if (label < LABEL_FAMILY)
        return names[label];
    return label < LABEL_FAMILY + FAMILIES ? table[label - LABEL_FAMILY].name : NULL;
}

static void host_replace(struct crowd *c, const struct world *w, size_t family, uint32_t i)
{
    uint8_t country = places_pick(w->places, &c->rng);
    uint32_t ip = places_address(w->places, country, &c->rng);
    c->hosts[i] = host_make(ip, country, (enum style)table[family].style, &c->rng);
    c->hosts[i].win = table[family].win;
    c->hosts[i].label = (uint8_t)(LABEL_FAMILY + family);
}

enum err families_open(
    struct families **ret_families, const struct world *w, double rate, uint64_t seed)
{
    struct families *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    for (size_t i = 0; i < FAMILIES; i++) {
        struct crowd *c = &f->list[i];
        double day = rate / FAMILIES;
        double hosts = day * SPACE / (86400.0 * table[i].pps);
        rng_seed(&c->rng, hash_two(seed, 7000 + i));
        c->count = (uint32_t)fmin(fmax(hosts, HOSTS_MIN), HOSTS_MAX);
        c->rate = day * TICK / (double)US_DAY;
        swing_start(&c->swing, 40.0, 0.95, &c->rng);
        c->hosts = malloc(c->count * sizeof *c->hosts);
        if (!c->hosts) {
            families_close(f);
            return ERR_NOMEM;
        }
        for (uint32_t h = 0; h < c->count; h++)
            host_replace(c, w, i, h);
    }
    *ret_families = f;
    return OK;
}

void families_close(struct families *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < FAMILIES; i++)
        free(f->list[i].hosts);
    free(f);
}

static const struct wants *pick(const struct family *f, struct rng *r)
{
    uint64_t at = rng_below(r, 100);
    size_t i = 0;
    while (i + 1 < FAMILY_SERVICES && at >= f->wants[i].part)
        at -= f->wants[i++].part;
    return &f->wants[i];
}

/* Half of the hosts send most: places are drawn by the square of a uniform number. */
static void probe_send(struct crowd *c, size_t family, const struct world *w,
    const struct spread *sites, struct outbox *o)
{
    const struct wants *want = pick(&table[family], &c->rng);
    double u = rng_unit(&c->rng);
    const struct host *h = &c->hosts[(uint32_t)(u * u * c->count)];
    double most = 1.0 + table[family].rhythm;
    if (rng_unit(&c->rng) * most >= 1.0 + table[family].rhythm * w->day[h->country])
        return;
    struct probe p = {.ts = world_moment(w, &c->rng),
        .kind = want->kind,
        .payload = want->payload,
        .site = spread_pick(sites, &c->rng),
        .dport = want->port};
    p.dst = world_target(w, p.site, &c->rng);
    probe_stamp(&p, h, &c->rng);
    outbox_put(o, &p);
}

static void crowd_tick(struct crowd *c, size_t family, const struct world *w,
    const struct spread *sites, struct outbox *o)
{
    double gone = c->count * (TICK / (double)US_HOUR) / table[family].life_h;
    for (uint64_t n = rng_poisson(&c->rng, gone); n; n--)
        host_replace(c, w, family, (uint32_t)rng_below(&c->rng, c->count));
    double mean = c->rate * sites->sum * c->swing.value * (1.0 + table[family].rhythm);
    for (uint64_t n = rng_poisson(&c->rng, mean); n; n--)
        probe_send(c, family, w, sites, o);
}

void families_tick(void *families, const struct world *w, struct outbox *o)
{
    enum {
        SWING_TICKS = 10
    };
    struct families *f = families;
    struct spread sites;
    spread_make(&sites, w, NULL);
    bool swings = ++f->ticks % SWING_TICKS == 0;
    for (size_t i = 0; i < FAMILIES; i++) {
        if (swings)
            swing_step(&f->list[i].swing, &f->list[i].rng);
        crowd_tick(&f->list[i], i, w, &sites, o);
    }
}
