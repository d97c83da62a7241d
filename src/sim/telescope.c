#include "sim/telescope.h"

#include "base/hash.h"
#include "decode/packet.h"
#include "sim/answer.h"
#include "sim/event.h"
#include "sim/family.h"
#include "sim/nuisance.h"
#include "sim/pool.h"
#include "sim/scanner.h"
#include "sim/service.h"
#include "sim/timetable.h"
#include "sim/tracker.h"
#include "sim/world_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTS = 8,
    FRAMES = 1024, /* handed out at once */
    DIGIT = 13     /* bits of a pass of the sort; two passes cover a minute of microseconds */
};
_Static_assert((int64_t)TICK < INT64_C(1) << (2 * DIGIT), "two digits hold a tick");

/* Benchmarking space, which nothing on the Internet comes from (RFC 2544). */
#define DARKNET_FIRST 0xc6120000u
#define DARKNET_SIZE  131072u

struct order {
    uint32_t at;    /* us into the tick */
    uint32_t probe; /* place in outbox.now */
};

struct telescope {
    struct telescope_options options;
    char events_text[TELESCOPE_TEXT];
    struct truth *truth; /* owned, as all below */
    struct world world;
    struct places *places;
    struct pools *pools;
    struct scanners *scanners;
    struct surveys *surveys;
    struct answers *answers;
    struct families *families;   /* NULL: none */
    struct nuisances *nuisances; /* NULL: none */
    struct timetables *timetables;
    struct events *events;
    struct tracker *tracker;
    struct part parts[PARTS];
    struct outbox out;
    struct order *order, *spare; /* of this tick's probes, by time */
    size_t order_room, order_count, order_next;
    uint32_t *digits;
    uint8_t (*frames)[PROBE_FRAME_MAX];
    bool ended;
};

void telescope_options_init(struct telescope_options *o)
{
    *o = (struct telescope_options){
        .seed = 1,
        .length = 4 * US_DAY,
        .sites = 8,
        .scale = 1.0,
        .link = LINK_RAW,
        .events = "all",
    };
}

static enum err options_check(const struct telescope_options *o, struct fault *f)
{
    if (o->sites < 1 || o->sites > TELESCOPE_SITES_MAX)
        return fault_set(
            f, ERR_RANGE, "sites: %zu is outside 1..%d", o->sites, TELESCOPE_SITES_MAX);
    if (o->length < US_HOUR || o->length > 400 * US_DAY)
        return fault_set(f, ERR_RANGE, "days: the length is outside 1h..400d");
    if (o->prefix != 0 && (o->prefix < 21 || o->prefix > 28))
        return fault_set(f, ERR_RANGE, "prefix: %u is outside 21..28", o->prefix);
    if (!(o->scale >= 0.001 && o->scale <= 1000.0))
        return fault_set(f, ERR_RANGE, "scale: %g is outside 0.001..1000", o->scale);
    if (!(o->malware >= 0.0 && o->malware <= 100000.0))
        return fault_set(f, ERR_RANGE, "malware: %g is outside 0..100000", o->malware);
    if (o->link != LINK_RAW && o->link != LINK_ETHERNET)
        return fault_set(f, ERR_RANGE, "link: is neither raw nor ethernet");
    if (strlen(o->events) >= TELESCOPE_TEXT)
        return fault_set(f, ERR_RANGE, "--events: longer than %d bytes", TELESCOPE_TEXT - 1);
    return OK;
}

/* Sites are named after countries, one after the other; a darknet each. */
static void sites_plan(struct telescope *t, struct rng *r)
{
    static const char *const countries[] = {"jp", "kr", "th", "id", "us", "de", "fr", "br"};
    const size_t names = sizeof countries / sizeof *countries;
    const uint32_t room = DARKNET_SIZE / TELESCOPE_SITES_MAX;
    for (size_t i = 0; i < t->options.sites; i++) {
        uint64_t drawn = rng_below(r, 8); /* /24 3, /23 2, /22 2, /21 1 of 8 */
        uint8_t mixed = drawn < 3 ? 24 : drawn < 5 ? 23 : drawn < 7 ? 22 : 21;
        uint8_t bits = t->options.prefix ? t->options.prefix : mixed;
        struct world_site *s = &t->world.sites[i];
        *s = (struct world_site){DARKNET_FIRST + (uint32_t)i * room, 1u << (32 - bits), 1.0};
        t->world.addresses += s->addresses;
        struct truth_site *said = &t->truth->sites[i];
        struct ip base = ip_from_v4(s->base);
        char text[IP_TEXT];
        snprintf(
            said->name, sizeof said->name, "%s-%02zu", countries[i % names], i / names + 1);
        snprintf(said->prefix, sizeof said->prefix, "%s/%u", ip_format(&base, text), bits);
        said->addresses = s->addresses;
    }
    t->world.site_count = t->options.sites;
    t->truth->site_count = (uint32_t)t->options.sites;
}

static void command_tell(struct telescope *t)
{
    const struct telescope_options *o = &t->options;
    char start[TIME_TEXT], prefix[24] = "", geoip[512] = "", malware[40] = "";
    if (o->prefix)
        snprintf(prefix, sizeof prefix, " --prefix %u", o->prefix);
    if (o->malware > 0.0)
        snprintf(malware, sizeof malware, " --malware %.10g", o->malware);
    snprintf(geoip, sizeof geoip, " --geoip %s", o->geoip ? o->geoip : "none");
    snprintf(t->truth->command, sizeof t->truth->command,
        "kizashi simulate telescope --out DIR --seed %llu --start %s --days %.10g --sites %zu "
        "--scale "
        "%.10g"
        "%s%s%s --link %s --events %.300s%s%s",
        (unsigned long long)o->seed, time_format(t->world.start, start),
        (double)o->length / (double)US_DAY, o->sites, o->scale, prefix, geoip, malware,
        o->link == LINK_ETHERNET ? "ethernet" : "raw", o->events,
        o->random_ports ? " --ports random" : "", o->quiet ? " --no-nuisances" : "");
}

static void background_tell(struct telescope *t)
{
    struct truth *truth = t->truth;
    truth_parameter_add(truth->background, &truth->background_count, "background_rate",
        BACKGROUND_DAY * t->options.scale, "packets/address/day");
    static const struct {
        const char *name;
        double share;
    } shares[] = {{"share_slow_hosts", SHARE_POOLS}, {"share_fast_scanners", SHARE_SCANNERS},
        {"share_surveys", SHARE_SURVEYS}, {"share_backscatter", SHARE_ANSWERS}};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        truth_parameter_add(truth->background, &truth->background_count, shares[i].name,
            shares[i].share, "share of the rate");
}

static enum err parts_open(struct telescope *t, struct fault *f)
{
    const struct world *w = &t->world;
    uint64_t seed = t->options.seed;
    enum err e = pools_open(&t->pools, w, seed);
    if (!e)
        e = scanners_open(&t->scanners, w, seed);
    if (!e)
        e = surveys_open(&t->surveys, w, seed);
    if (!e)
        e = answers_open(&t->answers, w, seed);
    if (!e && t->options.malware > 0.0)
        e = families_open(&t->families, w, t->options.malware * t->options.scale, seed);
    if (!e && !t->options.quiet)
        e = nuisances_open(&t->nuisances, w, seed, t->truth);
    if (!e && !t->options.quiet)
        e = timetables_open(&t->timetables, w, seed, t->truth);
    if (e)
        return fault_set(f, e, "simulator: %s", err_text(e));
    e = events_open(&t->events, &t->options, w, t->pools, t->truth, f);
    if (e)
        return e;
    e = tracker_new(&t->tracker, t->truth);
    if (e)
        return fault_set(f, e, "simulator: %s", err_text(e));
    size_t n = 0;
    t->parts[n++] = (struct part){t->pools, pools_tick};
    t->parts[n++] = (struct part){t->scanners, scanners_tick};
    t->parts[n++] = (struct part){t->surveys, surveys_tick};
    t->parts[n++] = (struct part){t->answers, answers_tick};
    t->parts[n++] = (struct part){t->events, events_tick};
    if (t->nuisances)
        t->parts[n++] = (struct part){t->nuisances, nuisances_tick};
    if (t->timetables)
        t->parts[n++] = (struct part){t->timetables, timetables_tick};
    if (t->families)
        t->parts[n++] = (struct part){t->families, families_tick};
    return OK;
}

static enum err world_open(struct telescope *t, struct fault *f)
{
    const struct telescope_options *o = &t->options;
    enum err e = places_open(&t->places, o->geoip, f);
    if (e)
        return e;
    struct rng r;
    rng_seed(&r, hash_two(o->seed, 1));
    t->world.places = t->places;
    t->world.scale = o->scale;
    t->world.start = time_floor(o->start, TICK);
    t->world.end = t->world.start + time_floor(o->length, TICK);
    t->world.now = t->world.start - TICK;
    t->truth->start = t->world.start;
    t->truth->end = t->world.end;
    t->truth->seed = o->seed;
    t->truth->scale = o->scale;
    snprintf(t->truth->geo, sizeof t->truth->geo, "%s", places_origin(t->places));
    sites_plan(t, &r);
    command_tell(t);
    background_tell(t);
    return OK;
}

enum err telescope_open(
    struct telescope **ret_telescope, const struct telescope_options *o, struct fault *f)
{
    enum err e = options_check(o, f);
    if (e)
        return e;
    struct telescope *t = calloc(1, sizeof *t);
    if (!t)
        return fault_set(f, ERR_NOMEM, "out of memory");
    t->options = *o;
    memcpy(t->events_text, o->events, strlen(o->events) + 1);
    t->options.events = t->events_text;
    t->truth = calloc(1, sizeof *t->truth);
    t->digits = calloc((size_t)1 << DIGIT, sizeof *t->digits);
    t->frames = calloc(FRAMES, sizeof *t->frames);
    if (!t->truth || !t->digits || !t->frames)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (!e)
        e = world_open(t, f);
    if (!e)
        e = parts_open(t, f);
    if (e) {
        telescope_close(t);
        return e;
    }
    t->options.geoip = NULL; /* borrowed from the caller, no longer needed */
    *ret_telescope = t;
    return OK;
}

void telescope_close(struct telescope *t)
{
    if (!t)
        return;
    pools_close(t->pools);
    scanners_close(t->scanners);
    surveys_close(t->surveys);
    answers_close(t->answers);
    families_close(t->families);
    nuisances_close(t->nuisances);
    timetables_close(t->timetables);
    event_list_close(t->events);
    tracker_free(t->tracker);
    places_close(t->places);
    outbox_done(&t->out);
    free(t->truth);
    free(t->order);
    free(t->spare);
    free(t->digits);
    free(t->frames);
    free(t);
}

static enum err order_reserve(struct telescope *t, size_t count)
{
    if (count <= t->order_room)
        return OK;
    struct order *order = realloc(t->order, count * sizeof *order);
    if (order)
        t->order = order;
    struct order *spare = realloc(t->spare, count * sizeof *spare);
    if (spare)
        t->spare = spare;
    if (!order || !spare)
        return ERR_NOMEM;
    t->order_room = count;
    return OK;
}

/* One stable pass over one digit. */
static void sort_pass(struct telescope *t, const struct order *from, struct order *to,
    size_t count, unsigned shift)
{
    const uint32_t mask = (1u << DIGIT) - 1;
    memset(t->digits, 0, ((size_t)mask + 1) * sizeof *t->digits);
    for (size_t i = 0; i < count; i++)
        t->digits[from[i].at >> shift & mask]++;
    uint32_t before = 0;
    for (size_t d = 0; d <= mask; d++) {
        uint32_t here = t->digits[d];
        t->digits[d] = before;
        before += here;
    }
    for (size_t i = 0; i < count; i++)
        to[t->digits[from[i].at >> shift & mask]++] = from[i];
}

/* Put the tick's probes into time order; equal times keep the order in which they were made. */
static enum err tick_sort(struct telescope *t)
{
    enum err e = order_reserve(t, t->out.now_count);
    if (e)
        return e;
    size_t count = 0;
    for (size_t i = 0; i < t->out.now_count; i++) {
        const struct probe *p = &t->out.now[i];
        if (!nuisances_silent(t->nuisances, p->site, p->ts))
            t->order[count++] = (struct order){(uint32_t)(p->ts - t->world.now), (uint32_t)i};
    }
    sort_pass(t, t->order, t->spare, count, 0);
    sort_pass(t, t->spare, t->order, count, DIGIT);
    t->order_count = count;
    t->order_next = 0;
    for (size_t i = 0; i < count; i++)
        if ((e = tracker_take(t->tracker, &t->out.now[t->order[i].probe])))
            return e;
    return OK;
}

static enum err tick_make(struct telescope *t)
{
    struct world *w = &t->world;
    w->now += TICK;
    /* 1970-01-01 was a Thursday. */
    w->weekend = (time_floor(w->now, US_DAY) / US_DAY + 3) % 7 >= 5;
    for (size_t i = 0; i < places_count(t->places); i++)
        w->day[i] = places_day(t->places, i, w->now);
    for (size_t i = 0; i < w->site_count; i++)
        w->sites[i].strength = nuisances_strength(t->nuisances, i, w->now);
    outbox_turn(&t->out, w->now + TICK);
    for (size_t i = 0; i < PARTS; i++)
        if (t->parts[i].tick)
            t->parts[i].tick(t->parts[i].state, w, &t->out);
    return t->out.err ? t->out.err : tick_sort(t);
}

static void frame_fill(struct telescope *t, struct telescope_frame *to, size_t place)
{
    const struct probe *p = &t->out.now[t->order[t->order_next].probe];
    uint32_t len = (uint32_t)probe_frame(p, t->options.link, t->frames[place]);
    *to = (struct telescope_frame){
        .site = p->site,
        .src = p->src,
        .label = p->label,
        .event = p->event,
        .frame = {.ts = p->ts,
            .link = t->options.link,
            .wire_len = len,
            .len = len,
            .data = t->frames[place]},
    };
    t->order_next++;
}

enum err telescope_next(struct telescope *t, int64_t until, struct telescope_frame *frames,
    size_t cap, size_t *ret_count)
{
    size_t most = cap < FRAMES ? cap : FRAMES;
    while (t->order_next == t->order_count) {
        int64_t next = t->world.now + TICK;
        if (t->ended || (!t->options.endless && next >= t->world.end)) {
            if (!t->ended)
                tracker_finish(t->tracker);
            t->ended = true;
            return ERR_NOTFOUND;
        }
        if (next >= until) {
            *ret_count = 0;
            return OK;
        }
        enum err e = tick_make(t);
        if (e)
            return e;
    }
    size_t count = 0;
    while (count < most && t->order_next < t->order_count &&
           t->world.now + t->order[t->order_next].at < until) {
        frame_fill(t, &frames[count], count);
        count++;
    }
    *ret_count = count;
    return OK;
}

const struct truth *telescope_truth(const struct telescope *t)
{
    return t->truth;
}

uint32_t telescope_link(const struct telescope *t)
{
    return t->options.link;
}

enum err telescope_surveys(const struct telescope *t, struct buf *out)
{
    for (size_t i = 0; i < SURVEYS; i++) {
        struct ip base = ip_from_v4(surveys_prefix(t->surveys, i));
        char text[IP_TEXT];
        buf_printf(out, "# simulated survey %zu\n%s/26\n", i + 1, ip_format(&base, text));
    }
    return out->err;
}

bool telescope_is_survey(const struct telescope *t, const struct ip *ip)
{
    for (size_t i = 0; i < SURVEYS; i++)
        if (ip_is_v4(ip) && (ip_v4(ip) & ~63u) == surveys_prefix(t->surveys, i))
            return true;
    return false;
}
