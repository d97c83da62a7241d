#include "base/clock.h"
#include "base/hash.h"
#include "decode/packet.h"
#include "sim/service.h"
#include "sim/telescope.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum {
    RUN = 256
};

/* One packet of a run, reduced to what the tests compare. */
struct seen {
    int64_t ts;
    uint64_t digest;
    uint32_t site, src, dst;
    uint16_t dport;
    uint8_t proto, flags;
};

struct traffic {
    struct seen *list;
    size_t count;
    struct truth *truth;
};

static struct telescope_options small(uint64_t seed, const char *events)
{
    struct telescope_options o;
    telescope_options_init(&o);
    o.seed = seed;
    o.start = INT64_C(1785715200) * US_SECOND; /* 2026-08-03, a Monday */
    o.length = 6 * US_HOUR;
    o.sites = 3;
    o.prefix = 24;
    o.events = events;
    return o;
}

static struct seen look(const struct telescope_frame *f)
{
    struct packet p;
    struct bytes bytes = bytes_over(f->frame.data, f->frame.len);
    assert_int_equal(decode_packet(f->frame.link, bytes, f->frame.wire_len, &p), DECODE_OK);
    return (struct seen){
        .ts = f->frame.ts,
        .digest = hash_bytes(f->frame.data, f->frame.len, f->site),
        .site = f->site,
        .src = ip_v4(&p.src),
        .dst = ip_v4(&p.dst),
        .dport = p.dport,
        .proto = p.proto,
        .flags = p.tcp_flags,
    };
}

static struct traffic capture(const struct telescope_options *o)
{
    struct traffic made = {0};
    size_t room = 0;
    struct telescope_frame frames[RUN];
    struct telescope *t;
    struct fault f = {0};
    if (telescope_open(&t, o, &f))
        fail_msg("%s", f.text);
    enum err e;
    size_t count;
    while (!(e = telescope_next(t, INT64_MAX, frames, RUN, &count)))
        for (size_t i = 0; i < count; i++) {
            if (made.count == room) {
                room = room ? room * 2 : 4096;
                made.list = realloc(made.list, room * sizeof *made.list);
                assert_non_null(made.list);
            }
            made.list[made.count++] = look(&frames[i]);
        }
    assert_int_equal(e, ERR_NOTFOUND);
    made.truth = malloc(sizeof *made.truth);
    assert_non_null(made.truth);
    *made.truth = *telescope_truth(t);
    telescope_close(t);
    return made;
}

static void release(struct traffic *t)
{
    free(t->list);
    free(t->truth);
}

static uint64_t digest(const struct traffic *t)
{
    uint64_t all = 0;
    for (size_t i = 0; i < t->count; i++)
        all = hash_two(hash_two(all, t->list[i].digest), (uint64_t)t->list[i].ts);
    return all;
}

static void same_seed(void **state)
{
    (void)state;
    struct telescope_options a = small(1, "all"), b = small(2, "all");
    struct traffic first = capture(&a), again = capture(&a), other = capture(&b);
    assert_true(first.count > 1000);
    assert_int_equal(first.count, again.count);
    assert_int_equal(digest(&first), digest(&again));
    assert_int_not_equal(digest(&first), digest(&other));
    release(&first);
    release(&again);
    release(&other);
}

static void order(void **state)
{
    (void)state;
    struct telescope_options o = small(3, "all");
    struct traffic t = capture(&o);
    uint64_t packets[TRUTH_SITES] = {0};
    for (size_t i = 0; i < t.count; i++) {
        const struct seen *s = &t.list[i];
        assert_true(i == 0 || s->ts >= t.list[i - 1].ts);
        assert_true(s->ts >= t.truth->start && s->ts < t.truth->end);
        struct prefix home;
        assert_int_equal(prefix_parse(t.truth->sites[s->site].prefix, false, &home), OK);
        struct ip dst = ip_from_v4(s->dst);
        assert_true(prefix_holds(&home, &dst));
        packets[s->site]++;
    }
    for (uint32_t i = 0; i < t.truth->site_count; i++)
        assert_int_equal(packets[i], t.truth->sites[i].packets);
    release(&t);
}

static void pieces(void **state)
{
    (void)state;
    struct telescope_options o = small(4, "all");
    struct traffic whole = capture(&o);
    struct telescope_frame frames[7];
    struct telescope *t;
    struct fault f;
    size_t at = 0, count = 0;
    assert_int_equal(telescope_open(&t, &o, &f), OK);
    enum err e = OK;
    for (int64_t until = whole.truth->start; !e; until += 77 * US_SECOND)
        while (!(e = telescope_next(t, until, frames, 7, &count)) && count)
            for (size_t i = 0; i < count; i++, at++) {
                assert_true(frames[i].frame.ts < until);
                assert_int_equal(look(&frames[i]).digest, whole.list[at].digest);
            }
    assert_int_equal(e, ERR_NOTFOUND);
    assert_int_equal(at, whole.count);
    telescope_close(t);
    release(&whole);
}

/* Walks both runs at once; what only `with` has is the events' own. */
static size_t only_in(
    const struct traffic *with, const struct traffic *without, struct seen *ret_own)
{
    size_t own = 0, at = 0;
    for (size_t i = 0; i < with->count; i++) {
        bool both = at < without->count && with->list[i].digest == without->list[at].digest &&
                    with->list[i].ts == without->list[at].ts;
        if (both)
            at++;
        else
            ret_own[own++] = with->list[i];
    }
    assert_int_equal(at, without->count); /* the background lacks nothing */
    return own;
}

static bool is_of(const struct truth_event *e, const struct seen *s)
{
    for (uint32_t i = 0; i < e->port_count; i++)
        if (e->proto == s->proto && e->ports[i] == s->dport)
            return true;
    return false;
}

static const struct truth_presence *presence(const struct truth_event *e, uint32_t site)
{
    uint32_t i = 0;
    while (i + 1 < e->site_count && e->sites[i].site != site)
        i++;
    assert_int_equal(e->sites[i].site, site);
    return &e->sites[i];
}

static int by_source(const void *a, const void *b)
{
    uint32_t x = ((const struct seen *)a)->src, y = ((const struct seen *)b)->src;
    return x < y ? -1 : x > y;
}

static void truth_holds(void **state)
{
    (void)state;
    struct telescope_options o = small(5, "all"), none = small(5, "none");
    struct traffic with = capture(&o), without = capture(&none);
    struct seen *own = calloc(with.count, sizeof *own);
    struct seen *mine = calloc(with.count, sizeof *mine);
    assert_non_null(own);
    assert_non_null(mine);
    size_t count = only_in(&with, &without, own), told = 0;
    for (uint32_t i = 0; i < with.truth->event_count; i++) {
        const struct truth_event *e = &with.truth->events[i];
        uint64_t hosts = 0, at_sites = 0;
        size_t n = 0;
        for (size_t k = 0; k < count; k++)
            if (is_of(e, &own[k]))
                mine[n++] = own[k];
        for (size_t k = 0; k < n; k++) {
            const struct truth_presence *p = presence(e, mine[k].site);
            assert_in_range(mine[k].ts, p->first, p->last);
            assert_true(mine[k].ts >= p->onset && mine[k].ts < e->end);
        }
        qsort(mine, n, sizeof *mine, by_source);
        for (size_t k = 0; k < n; k++)
            hosts += k == 0 || mine[k].src != mine[k - 1].src;
        for (uint32_t s = 0; s < e->site_count; s++)
            at_sites += e->sites[s].packets;
        assert_true(n > 0);
        assert_int_equal(hosts, e->hosts);
        assert_int_equal(n, at_sites);
        told += n;
    }
    assert_int_equal(told, count);
    free(own);
    free(mine);
    release(&with);
    release(&without);
}

static void volume(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct telescope_options o = small(seed, "none");
        o.quiet = true;
        o.length = US_DAY;
        struct traffic t = capture(&o);
        double rate = (double)t.count / (3 * 256.0);
        assert_true(rate > 420.0 && rate < 800.0);
        assert_int_equal(t.truth->nuisance_count, 0);
        assert_int_equal(t.truth->event_count, 0);
        release(&t);
    }
}

/* Made-up ranges put the i-th country of the table at (16 + i).0.0.0/8; Korea is the eighth. */
static void rhythm(void **state)
{
    (void)state;
    struct telescope_options o = small(6, "none");
    o.quiet = true;
    o.length = 2 * US_DAY;
    o.prefix = 22;
    struct traffic t = {0};
    o.scale = 0.5;
    t = capture(&o);
    double day = 0, night = 0;
    for (size_t i = 0; i < t.count; i++) {
        const struct seen *s = &t.list[i];
        if (s->proto != PROTO_TCP || (s->dport != 445 && s->dport != 23))
            continue;
        int64_t hour = (s->ts % US_DAY) / US_HOUR;
        uint32_t country = s->src >> 24;
        if (country != 23 && country != 16 && country != 22) /* kr, cn, tw: UTC+8, +9 */
            continue;
        day += hour >= 3 && hour < 10;
        night += hour >= 15 && hour < 22;
    }
    assert_true(day > 1000);
    assert_true(day > 1.25 * night);
    release(&t);
}

static void heavy_tail(void **state)
{
    (void)state;
    struct telescope_options o = small(7, "none");
    o.quiet = true;
    struct traffic t = capture(&o);
    qsort(t.list, t.count, sizeof *t.list, by_source);
    size_t sources = 0, busy = 0, run = 0;
    for (size_t i = 0; i < t.count; i++) {
        run++;
        if (i + 1 < t.count && t.list[i + 1].src == t.list[i].src)
            continue;
        sources++;
        busy += run >= 20 ? run : 0;
        run = 0;
    }
    assert_true(sources > t.count / 8);
    assert_true(busy > t.count / 6); /* a few sources send much of it */
    release(&t);
}

static const struct truth_nuisance *nuisance(const struct truth *t, const char *kind)
{
    for (uint32_t i = 0; i < t->nuisance_count; i++)
        if (strcmp(t->nuisances[i].kind, kind) == 0)
            return &t->nuisances[i];
    fail_msg("no nuisance %s", kind);
    return NULL;
}

static void nuisances(void **state)
{
    (void)state;
    struct telescope_options o = small(8, "none");
    o.length = US_DAY;
    struct traffic t = capture(&o);
    const struct truth_nuisance *outage = nuisance(t.truth, "outage");
    const struct truth_nuisance *loud = nuisance(t.truth, "noisy-host");
    const struct truth_nuisance *research = nuisance(t.truth, "research-scan");
    uint32_t loud_src = 0, research_net = 0, loud_packets = 0, research_packets = 0;
    for (size_t i = 0; i < t.count; i++) {
        const struct seen *s = &t.list[i];
        bool dead =
            (int32_t)s->site == outage->site && s->ts >= outage->start && s->ts < outage->end;
        assert_false(dead);
        if (s->proto == PROTO_TCP && s->dport == loud->port && s->flags == TCP_SYN &&
            (int32_t)s->site == loud->site && s->ts >= loud->start && s->ts < loud->end) {
            loud_packets += loud_src == 0 || s->src == loud_src;
            loud_src = s->src;
        }
        if (s->dport == research->port && s->flags == TCP_SYN && s->ts >= research->start &&
            s->ts < research->end) {
            research_net = research_net ? research_net : s->src >> 8;
            research_packets += s->src >> 8 == research_net;
        }
    }
    assert_true(loud_packets > 50000);
    assert_true(research_packets > 100);
    release(&t);
}

/* Every hour as many as in any other, and none at another minute. */
static void timetable(void **state)
{
    (void)state;
    struct telescope_options o = small(9, "none");
    o.length = US_DAY;
    struct traffic t = capture(&o);
    const struct truth_nuisance *n = nuisance(t.truth, "timetable");
    uint32_t hours[24] = {0}, late = 0;
    for (size_t i = 0; i < t.count; i++) {
        if (t.list[i].dport != n->port || t.list[i].proto != PROTO_TCP)
            continue;
        hours[(t.list[i].ts - t.truth->start) / US_HOUR]++;
        late += (t.list[i].ts - t.truth->start) % US_HOUR >= US_MINUTE;
    }
    for (size_t h = 0; h < 24; h++)
        assert_in_range(hours[h], 20, 400); /* one of three sites may be out */
    assert_in_range(late, 0, 24);
    release(&t);
}

/* Which events host counts show, over seeds and both sets of ports. */
static void shown(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 14; seed++) {
        struct telescope_options o = small(seed, "all");
        o.length = 2 * US_DAY;
        o.prefix = 23;
        o.random_ports = seed > 12;
        struct traffic t = capture(&o);
        for (uint32_t i = 0; i < t.truth->event_count; i++) {
            const struct truth_event *e = &t.truth->events[i];
            if (e->shown == (strcmp(e->kind, "in-step") == 0))
                fail_msg("seed %d: %s", (int)seed, e->id);
            for (uint32_t k = 0; o.random_ports && k < e->port_count; k++)
                if (strcmp(e->kind, "in-step") != 0 && strcmp(e->kind, "worm-growth") != 0 &&
                    !(strcmp(e->kind, "country-botnet") == 0 && k == 0))
                    assert_true(service_rate(e->proto, e->ports[k]) <= 0.0);
        }
        release(&t);
    }
}

static void in_step(void **state)
{
    (void)state;
    struct telescope_options o = small(9, "in-step@1h"), none = small(9, "none");
    struct traffic with = capture(&o), without = capture(&none);
    struct seen *own = calloc(with.count, sizeof *own);
    assert_non_null(own);
    size_t count = only_in(&with, &without, own), slots = 0;
    int64_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || own[i].ts - own[i - 1].ts > 60 * US_SECOND) {
            begin = own[i].ts;
            slots++;
        }
        assert_true(own[i].ts - begin <= 8 * US_SECOND);
    }
    assert_true(slots >= 8); /* periods are 10 to 20 minutes, over almost four hours */
    assert_int_equal(with.truth->events[0].country_count, 20);
    free(own);
    release(&with);
    release(&without);
}

static void growth(void **state)
{
    (void)state;
    struct telescope_options o = small(10, "worm-growth@12h"), none = small(10, "none");
    o.length = none.length = 2 * US_DAY;
    o.scale = none.scale = 0.1;
    struct traffic with = capture(&o), without = capture(&none);
    struct seen *own = calloc(with.count, sizeof *own);
    assert_non_null(own);
    size_t count = only_in(&with, &without, own);
    const struct truth_event *e = &with.truth->events[0];
    assert_int_equal(e->start, with.truth->start + 12 * US_HOUR);
    double doubling = 0.0;
    for (uint32_t i = 0; i < e->parameter_count; i++)
        if (strcmp(e->parameters[i].name, "doubling_time") == 0)
            doubling = e->parameters[i].value * (double)US_SECOND;
    assert_true(doubling > 0.0);
    size_t early = 0, late = 0;
    int64_t middle = e->end - (int64_t)(2 * doubling), last = e->end - (int64_t)doubling;
    for (size_t i = 0; i < count; i++) {
        early += own[i].ts >= middle && own[i].ts < last;
        late += own[i].ts >= last && own[i].ts < e->end - US_HOUR;
    }
    double share = (doubling - (double)US_HOUR) / doubling; /* the last hour fades */
    double ratio = (double)late / share / (double)early;
    assert_true(ratio > 1.6 && ratio < 2.3);
    free(own);
    release(&with);
    release(&without);
}

static void spreading(void **state)
{
    (void)state;
    struct telescope_options o = small(15, "spreading");
    o.length = 2 * US_DAY;
    o.sites = 6;
    struct traffic t = capture(&o);
    const struct truth_event *e = &t.truth->events[0];
    int64_t last = 0;
    assert_int_equal(e->site_count, 6);
    for (uint32_t i = 0; i < e->site_count; i++) {
        assert_true(e->sites[i].first >= e->sites[i].onset);
        last = e->sites[i].onset > last ? e->sites[i].onset : last;
    }
    assert_true(last - e->start > 5 * US_HOUR);
    release(&t);
}

static void endless(void **state)
{
    (void)state;
    struct telescope_options o = small(16, "none");
    o.length = US_HOUR;
    o.endless = true;
    struct telescope_frame frames[RUN];
    struct telescope *t;
    struct fault f;
    size_t count;
    assert_int_equal(telescope_open(&t, &o, &f), OK);
    int64_t until = o.start + 3 * US_HOUR, last = 0;
    while (!telescope_next(t, until, frames, RUN, &count) && count)
        last = frames[count - 1].frame.ts;
    assert_true(last > until - US_MINUTE);
    assert_int_equal(telescope_next(t, until, frames, RUN, &count), OK);
    assert_int_equal(count, 0);
    telescope_close(t);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *events;
        enum err err;
        const char *says;
    } rows[] = {
        {"", ERR_BAD, "no such kind"},
        {"worm", ERR_BAD, "worm-growth"},
        {"one-site,", ERR_BAD, "no such kind"},
        {"one-site@x", ERR_BAD, "36h"},
        {"one-site*0", ERR_BAD, "0.01 to 100"},
        {"one-site*1x", ERR_BAD, "0.01 to 100"},
        {"one-site@9000h", ERR_RANGE, "21600 s"},
    };
    struct telescope *t = NULL;
    struct fault f;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct telescope_options o = small(1, rows[i].events);
        assert_int_equal(telescope_open(&t, &o, &f), rows[i].err);
        assert_non_null(strstr(f.text, rows[i].says));
    }
    struct telescope_options o = small(1, "none");
    o.sites = TELESCOPE_SITES_MAX + 1;
    assert_int_equal(telescope_open(&t, &o, &f), ERR_RANGE);
    o = small(1, "none");
    o.geoip = "/no/such/file";
    assert_int_equal(telescope_open(&t, &o, &f), ERR_IO);
    assert_non_null(strstr(f.text, "/no/such/file"));
    assert_null(t);
}

static int by_digest(const void *a, const void *b)
{
    uint64_t x = ((const struct seen *)a)->digest;
    uint64_t y = ((const struct seen *)b)->digest;
    return (x > y) - (x < y);
}

/* Each packet of the background is there again, and the families' beside them. */
static void families_come_on_top(void **state)
{
    (void)state;
    struct telescope_options o = small(8, "none");
    struct traffic without = capture(&o);
    o.malware = 120.0;
    struct traffic with = capture(&o);
    qsort(without.list, without.count, sizeof *without.list, by_digest);
    qsort(with.list, with.count, sizeof *with.list, by_digest);
    size_t at = 0;
    for (size_t i = 0; i < without.count; i++, at++) {
        while (at < with.count && with.list[at].digest != without.list[i].digest)
            at++;
        assert_true(at < with.count);
    }
    double more = (double)(with.count - without.count);
    double expected = 120.0 * 3 * 256 / 4.0;
    assert_true(more > 0.7 * expected && more < 1.3 * expected);
    assert_non_null(strstr(with.truth->command, "--malware 120"));
    release(&without);
    release(&with);
}

static const struct CMUnitTest tests[] = {
    SAYS("families of malware come on top of the background", families_come_on_top),
    SAYS("the same seed gives the same bytes, another seed others", same_seed),
    SAYS("frames come in time order, each within its site's prefix", order),
    SAYS("frames pulled in pieces are the same frames", pieces),
    SAYS("the truth counts what the frames hold, and events leave the background as it is",
        truth_holds),
    SAYS("the background has the stated volume", volume),
    SAYS("hosts in East Asia are busier in their afternoon than at night", rhythm),
    SAYS("few sources send much, most send little", heavy_tail),
    SAYS("a silent site is silent, a noisy host is one host, a research scan one network",
        nuisances),
    SAYS("hosts that a timer starts come every hour, at the same minute", timetable),
    SAYS("host counts can show every event but the one in step", shown),
    SAYS("hosts in step come within eight seconds, from twenty countries", in_step),
    SAYS("the worm doubles in its doubling time", growth),
    SAYS("what spreads reaches no site before its onset", spreading),
    SAYS(
        "an endless run goes on past its length, and waits at the moment it is given", endless),
    SAYS("wrong options are refused with what is allowed", refused),
};

TEST_MAIN(tests)
