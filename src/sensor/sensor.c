#include "base/clock.h"
#include "sensor/classify.h"
#include "sensor/evidence_int.h"
#include "sensor/rows_int.h"
#include "sensor/sensor_int.h"
#include "sensor/survey.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    SOURCES_DEFAULT = 1 << 20,
    CONTACTS_DEFAULT = 1 << 21,
    VECTORS_DEFAULT = 1 << 16,
    PAYLOAD_MOST = 256,
    LOOK_AHEAD = 64, /* packets that are looked at before they are taken */
    STEP = 16,       /* packets that go through each step together */
    STEPS = 4,
};

static const struct row_columns packet_columns = {
    .site = PACKET_SITE, .class = PACKET_CLASS, .tool = PACKET_TOOL, .country = PACKET_COUNTRY};

/* Options at their defaults where they are 0. */
static struct sensor_options complete(const struct sensor_options *given)
{
    struct sensor_options o = *given;
    if (!o.window)
        o.window = 10 * US_MINUTE;
    if (!o.sources_max)
        o.sources_max = SOURCES_DEFAULT;
    if (!o.contacts_max)
        o.contacts_max = CONTACTS_DEFAULT;
    if (o.payload_keep > PAYLOAD_MOST)
        o.payload_keep = PAYLOAD_MOST;
    if (!o.dos.packets)
        o.dos.packets = 25;
    if (!o.dos.duration)
        o.dos.duration = US_MINUTE;
    if (!o.dos.rate)
        o.dos.rate = 30;
    if (!o.dos.idle)
        o.dos.idle = 5 * US_MINUTE;
    if (!o.dos.vectors_max)
        o.dos.vectors_max = VECTORS_DEFAULT;
    return o;
}

/* Nothing has been seen of any rule. */
static void begin_use(struct sensor *s)
{
    const struct fingerprints *set = s->shared.fingerprints;
    for (size_t i = 0; i < SIGNATURES_MAX; i++)
        s->use[i].host = HOST_NONE;
    for (size_t i = 0; set && i < fingerprints_count(set); i++) {
        size_t first = 0;
        while (strcmp(fingerprints_at(set, first)->tool, fingerprints_at(set, i)->tool) != 0)
            first++;
        s->use[i].first = (uint8_t)first;
    }
}

enum err sensor_new(struct sensor **ret_sensor, const char *site,
    const struct sensor_shared *shared, const struct sensor_options *options)
{
    struct sensor *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    snprintf(s->site, sizeof s->site, "%s", site);
    s->shared = *shared;
    s->options = complete(options);
    uint64_t secret = s->options.secret;
    if (!secret && getrandom(&secret, sizeof secret, 0) != sizeof secret) {
        sensor_free(s);
        return ERR_IO;
    }
    enum err e = hosts_init(&s->hosts, s->options.sources_max, secret);
    if (!e)
        e = contacts_init(&s->contacts, s->options.contacts_max, hash_u64(secret));
    if (!e)
        e = services_init(&s->services);
    s->use = calloc(SIGNATURES_MAX, sizeof *s->use);
    if (!e && !s->use)
        e = ERR_NOMEM;
    if (!e)
        begin_use(s);
    if (!e)
        e = dos_init(&s->dos, &s->options.dos, hash_u64(secret + 1), shared->geo, s->site);
    if (!e)
        e = misconfig_init(&s->misconfig, s->options.addresses);
    if (e) {
        sensor_free(s);
        return e;
    }
    *ret_sensor = s;
    return OK;
}

void sensor_free(struct sensor *s)
{
    if (!s)
        return;
    hosts_done(&s->hosts);
    contacts_done(&s->contacts);
    services_done(&s->services);
    free(s->use);
    for (size_t turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < s->rows[turn].room; i++)
            block_free(s->rows[turn].blocks[i]);
        free(s->rows[turn].blocks);
    }
    dos_done(&s->dos);
    misconfig_done(&s->misconfig);
    free(s);
}

void sensor_addresses(struct sensor *s, uint64_t addresses)
{
    s->options.addresses = addresses;
    misconfig_addresses(&s->misconfig, addresses);
}

enum err sensor_open_window(struct sensor *s, int64_t ts)
{
    if (s->open)
        return OK;
    if (s->closed) {
        enum err e = contacts_clear(&s->contacts);
        if (e)
            return e;
        s->closed = false;
    }
    s->start = time_floor(ts, s->options.window);
    s->hosts.share = UINT32_MAX;
    dos_open_window(&s->dos);
    misconfig_advance(&s->misconfig, s->start);
    s->window++;
    s->window_packets = 0;
    s->open = true;
    return OK;
}

/* A packet with what is found out about it. */
struct seen {
    const struct packet *packet;
    const struct sensor_place *place; /* NULL: nobody has told it */
    struct fingerprint_hits hits;
    enum packet_class class;
    unsigned tool;                  /* rule + 1 */
    unsigned scope;                 /* of the rules: fingerprint_scope() */
    uint64_t hash;                  /* of its source, in the table */
    uint32_t host;                  /* HOST_NONE: left out */
    struct misconfig_target target; /* what it asks for, if it is a scan */
};

/* Also keeps what the class misconfiguration is found from: who reached which address first. */
static void count_contact(struct sensor *s, struct contact *c, const struct seen *seen)
{
    const struct packet *p = seen->packet;
    uint64_t dst = UINT64_C(1) << (seen->target.dst_hash & 63);
    int64_t into = p->ts < s->start ? 0 : p->ts - s->start;
    int64_t slot = into * CONTACT_SLOTS_COUNT / s->options.window;
    if (!c->packets) {
        c->first = c->last = p->ts;
        c->win = p->tcp_win;
    }
    c->win = c->win == p->tcp_win ? c->win : 0;
    c->flags |= p->tcp_flags;
    if (p->ts < c->first)
        c->first = p->ts;
    if (p->ts > c->last)
        c->last = p->ts;
    if (c->packets < UINT32_MAX)
        c->packets++;
    c->bytes += p->ip_len;
    c->slots |= UINT64_C(1) << slot;
    if (c->dsts & dst)
        return;
    c->dsts |= dst;
    enum packet_class class = contact_class(c);
    if (class == CLASS_SCAN || class == CLASS_MISCONFIGURATION)
        misconfig_note(&s->misconfig, ip_hash(&p->src), &seen->target, c->dsts == dst);
}

static void count_packet(struct sensor *s, const struct packet *p)
{
    s->counts.packets++;
    s->counts.bytes += p->ip_len;
    s->counts.decode[DECODE_OK]++;
    if (p->quirks & QUIRK_SNAPPED)
        s->counts.snapped++;
    if (p->ts < s->start)
        s->counts.late++;
    s->window_packets++;
}

/* Remember, for each rule, the source with most matches. */
static void note_example(struct rule_use *use, struct host_lines l, uint32_t host)
{
    uint64_t matches = evidence_matches(l);
    if (matches <= use->matches)
        return;
    use->matches = (uint32_t)matches;
    use->host = host;
}

/* Count the packet into its source's evidence, and find its tool. A source may use several:
 * what a packet matches itself goes before what its source is named, and what a host answers to
 * others is not made by the tool that it scans with. */
static void note_tool(struct sensor *s, struct seen *seen)
{
    const struct fingerprints *set = s->shared.fingerprints;
    if (!set)
        return;
    if (seen->hits.count)
        seen->tool = evidence_of_packet(set, &seen->hits);
    if (seen->host == HOST_NONE)
        return;
    struct host_lines l = hosts_lines(&s->hosts, seen->host);
    const struct host *h = l.host;
    const struct evidence_packet evidence = {
        seen->packet, seen->target.dst_hash, seen->scope, &seen->hits};
    s->scope_packets[seen->scope]++;
    evidence_add(l, set, &evidence, s->use);
    if (!h->named)
        return;
    if (seen->hits.count)
        note_example(&s->use[h->named - 1], l, seen->host);
    if (!seen->tool && seen->hits.count)
        seen->tool = evidence_of_match(l, &seen->hits);
    if (!seen->tool && seen->class == CLASS_SCAN)
        seen->tool = evidence_of_source(h, set, 1u << seen->scope);
}

/* Has the source, in this window, asked another address for the service? */
static bool asks_elsewhere(const struct sensor *s, const struct seen *seen)
{
    const struct packet *p = seen->packet;
    if (seen->host == HOST_NONE)
        return false;
    const struct host *h = &s->hosts.host[seen->host];
    uint64_t key = contact_key(seen->host, p->proto, p->dport, CLASS_SCAN);
    uint32_t contact = h->window == s->window ? contacts_peek(&s->contacts, &h->chain, key)
                                              : (uint32_t)CONTACT_NONE;
    return contact != CONTACT_NONE &&
           s->contacts.contact[contact].dsts != UINT64_C(1) << (seen->target.dst_hash & 63);
}

static uint32_t survey_of(const struct sensor *s, const struct seen *seen)
{
    if (seen->host != HOST_NONE)
        return s->hosts.host[seen->host].survey;
    return s->shared.surveys ? survey_find(s->shared.surveys, &seen->packet->src) : 0;
}

/* What a scan is more exactly: malware that spreads is told by its tool, whoever owns the
 * address; then come those who announce themselves; then wrong settings. */
static enum packet_class refine_scan(const struct sensor *s, const struct seen *seen)
{
    if (seen->tool &&
        fingerprints_at(s->shared.fingerprints, seen->tool - 1)->kind == SIGNATURE_WORM)
        return CLASS_WORM;
    if (survey_of(s, seen))
        return CLASS_SURVEY;
    if (misconfig_marked(&s->misconfig, &seen->target) && !asks_elsewhere(s, seen))
        return CLASS_MISCONFIGURATION;
    return CLASS_SCAN;
}

/* The source: nearly always the one that was found on the way. */
static inline enum err find_host(struct sensor *s, struct seen *seen)
{
    const struct ip *ip = &seen->packet->src;
    if (seen->host < s->hosts.count && ip_same(&s->hosts.host[seen->host].ip, ip))
        return OK;
    return sensor_find_host(s, ip, seen->hash, &seen->host);
}

/* The contact: nearly always one that hangs on the source, or a new one. */
static inline enum err find_contact(struct sensor *s, struct seen *seen, uint32_t *ret_contact)
{
    const struct packet *p = seen->packet;
    const struct host *h = &s->hosts.host[seen->host];
    uint64_t key =
        contact_key(seen->host, p->proto, classify_service(p, seen->class), seen->class);
    if (h->window == s->window && h->chain.first != CONTACT_NONE &&
        s->contacts.contact[h->chain.first].key == key) {
        *ret_contact = h->chain.first;
        return OK;
    }
    return sensor_find_contact(s, &seen->host, p, seen->class, ret_contact);
}

/* What was told goes before what the address, which may be a mask, would give. */
static void note_place(struct sensor *s, const struct seen *seen)
{
    const struct sensor_place *place = seen->place;
    if (!place->told || seen->host == HOST_NONE || s->hosts.host[seen->host].located)
        return;
    struct host *h = &s->hosts.host[seen->host];
    h->asn = place->asn;
    memcpy(h->country, place->country, sizeof h->country);
    h->located = true;
}

static enum err take_packet(struct sensor *s, struct seen *seen)
{
    const struct packet *p = seen->packet;
    count_packet(s, p);
    enum err e = find_host(s, seen);
    if (e)
        return e;
    if (seen->place)
        note_place(s, seen);
    note_tool(s, seen);
    if (seen->class == CLASS_SCAN)
        seen->class = refine_scan(s, seen);
    s->counts.class[seen->class]++;
    if (seen->class == CLASS_BACKSCATTER)
        e = dos_add(&s->dos, p, seen->place, p->ts < s->start ? s->start : p->ts);
    if (e)
        return e;
    uint32_t contact = CONTACT_NONE;
    if (seen->host != HOST_NONE)
        e = find_contact(s, seen, &contact);
    if (e)
        return e;
    if (seen->host == HOST_NONE) {
        s->counts.sampled_out++;
        return OK;
    }
    struct contact *c = &s->contacts.contact[contact];
    count_contact(s, c, seen);
    if (seen->tool)
        c->tool = (uint8_t)seen->tool;
    return OK;
}

static enum err put_row(
    struct sensor *s, struct block *out, struct row_words *words, const struct seen *seen)
{
    static const char nowhere[2];
    struct host *h = seen->host == HOST_NONE ? NULL : &s->hosts.host[seen->host];
    if (h && !h->located)
        sensor_locate(s, h);
    struct row_tags tags = {.class = seen->class, .asn = h ? h->asn : 0};
    enum err e =
        rows_country(words, out, PACKET_COUNTRY, h ? h->country : nowhere, &tags.country);
    if (!e)
        e = rows_tool(
            words, out, PACKET_TOOL, seen->tool, sensor_tool_name(s, seen->tool), &tags.tool);
    if (!e)
        e = rows_put_packet(out, words, seen->packet, &tags, s->options.payload_keep);
    return e;
}

/* The class that a packet of a known source will most likely get. */
static enum packet_class likely_class(
    const struct sensor *s, const struct seen *seen, const struct host *h)
{
    if (seen->class != CLASS_SCAN)
        return seen->class;
    if (h->named &&
        fingerprints_at(s->shared.fingerprints, h->named - 1u)->kind == SIGNATURE_WORM)
        return CLASS_WORM;
    return h->survey ? CLASS_SURVEY : CLASS_SCAN;
}

void sensor_look(
    const struct sensor_shared *shared, const struct packet *p, struct sensor_look *ret_look)
{
    ret_look->hits = (struct fingerprint_hits){0};
    ret_look->class = classify_packet(p);
    if (shared->fingerprints)
        fingerprints_match(shared->fingerprints, p, &ret_look->hits);
}

/* Packets on their way into the sensor: each step asks for the memory that the next one reads,
 * and comes so much later that it has arrived. */
struct line {
    const struct packet *packets;
    const struct sensor_look *looks;
    const struct sensor_place *places; /* NULL: nobody has told any */
    size_t count;
    struct seen seen[STEPS * STEP]; /* by number, modulo its length */
};

static struct seen *line_at(struct line *l, size_t number)
{
    return &l->seen[number % (STEPS * STEP)];
}

/* First step: where the source and the target will be looked for. */
static void step_ask(const struct sensor *s, struct line *l, size_t number)
{
    const struct packet *p = &l->packets[number];
    const struct sensor_look *look = &l->looks[number];
    struct seen *seen = line_at(l, number);
    __builtin_prefetch(p + STEP);
    __builtin_prefetch((const char *)(p + STEP) + 64);
    __builtin_prefetch(look + STEP);
    seen->packet = p;
    seen->place = l->places ? &l->places[number] : NULL;
    seen->hits = look->hits;
    seen->class = look->class;
    seen->tool = 0;
    seen->scope = fingerprint_scope(p);
    seen->hash = hosts_hash(&s->hosts, &p->src);
    hosts_prefetch_index(&s->hosts, seen->hash);
    seen->target =
        misconfig_target(&p->dst, ip_hash(&p->dst), service_code(p->proto, p->dport));
    misconfig_prefetch(&s->misconfig, &seen->target);
    if (seen->class == CLASS_BACKSCATTER)
        dos_prefetch(&s->dos, p, 0);
}

/* Second step: the source. */
static void step_source(const struct sensor *s, struct line *l, size_t number)
{
    struct seen *seen = line_at(l, number);
    seen->host = hosts_prefetch(&s->hosts, seen->hash);
}

/* Third step: what the source leads to. */
static void step_contact(const struct sensor *s, struct line *l, size_t number)
{
    const struct seen *seen = line_at(l, number);
    const struct packet *p = seen->packet;
    misconfig_reach(&s->misconfig, &seen->target);
    if (seen->class == CLASS_BACKSCATTER)
        dos_prefetch(&s->dos, p, 1);
    if (seen->host == HOST_NONE || seen->host >= s->hosts.count)
        return;
    const struct host *h = &s->hosts.host[seen->host];
    if (seen->hits.count || seen->scope != SCOPE_SYN)
        hosts_prefetch_rest(&s->hosts, seen->host);
    if (h->window != s->window)
        return;
    enum packet_class class = likely_class(s, seen, h);
    contacts_prefetch(&s->contacts, &h->chain,
        contact_key(seen->host, p->proto, classify_service(p, class), class));
}

/* Last step: the packet is taken. */
static enum err step_take(
    struct sensor *s, struct line *l, size_t number, struct block *out, struct row_words *words)
{
    struct seen *seen = line_at(l, number);
    assert(seen->packet->ts < s->start + s->options.window);
    enum err e = take_packet(s, seen);
    return e || !out ? e : put_row(s, out, words, seen);
}

/* The packets that begin at `from` and go through a step together; none where it is past the
 * ends. */
struct part {
    size_t at, end;
};

static struct part part_of(const struct line *l, size_t at, size_t steps)
{
    if (at < steps * STEP)
        return (struct part){0};
    size_t from = at - steps * STEP;
    return (struct part){from, from + STEP < l->count ? from + STEP : l->count};
}

/* All packets through all steps, STEP of them at once. */
static enum err line_run(
    struct sensor *s, struct line *l, struct block *out, struct row_words *words)
{
    enum err e = OK;
    for (size_t at = 0; !e && at < l->count + (STEPS - 1) * STEP; at += STEP) {
        for (struct part p = part_of(l, at, 0); p.at < p.end; p.at++)
            step_ask(s, l, p.at);
        for (struct part p = part_of(l, at, 1); p.at < p.end; p.at++)
            step_source(s, l, p.at);
        for (struct part p = part_of(l, at, 2); p.at < p.end; p.at++)
            step_contact(s, l, p.at);
        for (struct part p = part_of(l, at, 3); !e && p.at < p.end; p.at++)
            e = step_take(s, l, p.at, out, words);
    }
    return e;
}

enum err sensor_take_looked(struct sensor *s, const struct packet *packets,
    const struct sensor_look *looks, size_t count, struct block *out)
{
    return sensor_take_placed(s, packets, looks, NULL, count, out);
}

enum err sensor_take_placed(struct sensor *s, const struct packet *packets,
    const struct sensor_look *looks, const struct sensor_place *places, size_t count,
    struct block *out)
{
    struct row_words words;
    struct line line;
    if (!count)
        return OK;
    if (out && out->cap - out->rows < count)
        return ERR_FULL;
    enum err e = sensor_open_window(s, packets[0].ts);
    if (!e && out)
        e = rows_start(&words, out, &packet_columns, s->site);
    line.packets = packets;
    line.looks = looks;
    line.places = places;
    line.count = count;
    return e ? e : line_run(s, &line, out, &words);
}

enum err sensor_take(
    struct sensor *s, const struct packet *packets, size_t count, struct block *out)
{
    struct sensor_look looks[LOOK_AHEAD];
    if (out && out->cap - out->rows < count)
        return ERR_FULL;
    enum err e = OK;
    for (size_t at = 0; !e && at < count; at += LOOK_AHEAD) {
        size_t n = count - at < LOOK_AHEAD ? count - at : LOOK_AHEAD;
        for (size_t i = 0; i < n; i++)
            sensor_look(&s->shared, &packets[at + i], &looks[i]);
        e = sensor_take_looked(s, packets + at, looks, n, out);
    }
    return e;
}

void sensor_keep_payload(struct sensor *s, size_t bytes)
{
    s->options.payload_keep = bytes < PAYLOAD_MOST ? bytes : PAYLOAD_MOST;
}

void sensor_frames_failed(struct sensor *s, enum decode_result why, uint64_t count)
{
    s->counts.decode[why] += count;
}
