#include "base/clock.h"
#include "geo/geo.h"
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
    TAKE_AHEAD = 48, /* packets whose memory is asked for together */
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
    for (size_t i = 0; !e && i < SIGNATURES_MAX; i++)
        s->use[i].host = HOST_NONE;
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

/* Also keeps what the class misconfiguration is found from: who reached which address first. */
static void count_contact(struct sensor *s, struct contact *c, const struct packet *p)
{
    uint64_t dst = UINT64_C(1) << (ip_hash(&p->dst) & 63);
    int64_t into = p->ts < s->start ? 0 : p->ts - s->start;
    int64_t slot = into * CONTACT_SLOTS_COUNT / s->options.window;
    if (!c->packets) {
        c->src = ip_hash(&p->src);
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
        misconfig_note(&s->misconfig, &p->src, &p->dst,
            service_code(contact_proto(c), contact_service(c)), c->dsts == dst);
}

/* A packet with what is found out about it. */
struct seen {
    const struct packet *packet;
    struct fingerprint_hits hits;
    enum packet_class class;
    unsigned tool; /* rule + 1 */
    uint64_t hash; /* of its source, in the table */
    uint32_t host; /* HOST_NONE: left out */
    uint64_t key;  /* of its contact, as far as can be told before; only to fetch memory */
};

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
static void note_example(struct rule_use *use, const struct host *h, uint32_t host)
{
    uint64_t matches = evidence_matches(h);
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
    seen->tool = evidence_of_packet(set, &seen->hits);
    if (seen->host == HOST_NONE)
        return;
    struct host *h = &s->hosts.host[seen->host];
    bool known = h->named;
    evidence_add(h, set, seen->packet, &seen->hits);
    if (!h->named)
        return;
    struct rule_use *use = &s->use[h->named - 1];
    if (seen->hits.count)
        note_example(use, h, seen->host);
    uint64_t packets = 1;
    if (!known) {
        use->sources++;
        packets = 0;
        for (unsigned i = 0; i < SCOPE_COUNT; i++)
            packets += h->packets[i];
    }
    use->packets += packets;
    if (!seen->tool)
        seen->tool = evidence_of_match(h, &seen->hits);
    if (!seen->tool && seen->class == CLASS_SCAN)
        seen->tool = evidence_of_source(h, set, 1u << fingerprint_scope(seen->packet));
}

/* Has the source, in this window, asked another address for the service? */
static bool asks_elsewhere(const struct sensor *s, const struct seen *seen)
{
    const struct packet *p = seen->packet;
    if (seen->host == HOST_NONE)
        return false;
    uint64_t key = contact_key(seen->host, p->proto, p->dport, CLASS_SCAN);
    uint32_t contact = contacts_peek(&s->contacts, key);
    return contact != CONTACT_UNKNOWN &&
           s->contacts.contact[contact].dsts != UINT64_C(1) << (ip_hash(&p->dst) & 63);
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
    const struct packet *p = seen->packet;
    if (seen->tool &&
        fingerprints_at(s->shared.fingerprints, seen->tool - 1)->kind == SIGNATURE_WORM)
        return CLASS_WORM;
    if (survey_of(s, seen))
        return CLASS_SURVEY;
    if (misconfig_marked(&s->misconfig, &p->dst, service_code(p->proto, p->dport)) &&
        !asks_elsewhere(s, seen))
        return CLASS_MISCONFIGURATION;
    return CLASS_SCAN;
}

static enum err take_packet(struct sensor *s, struct seen *seen)
{
    const struct packet *p = seen->packet;
    count_packet(s, p);
    enum err e = sensor_find_host(s, &p->src, seen->hash, seen->host, &seen->host);
    if (e)
        return e;
    note_tool(s, seen);
    if (seen->class == CLASS_SCAN)
        seen->class = refine_scan(s, seen);
    s->counts.class[seen->class]++;
    if (seen->class == CLASS_BACKSCATTER)
        e = dos_add(&s->dos, p, p->ts < s->start ? s->start : p->ts);
    if (e)
        return e;
    uint32_t contact = CONTACT_UNKNOWN;
    if (seen->host != HOST_NONE)
        e = sensor_find_contact(s, &seen->host, p, seen->class, &contact);
    if (e)
        return e;
    if (seen->host == HOST_NONE) {
        s->counts.sampled_out++;
        return OK;
    }
    struct contact *c = &s->contacts.contact[contact];
    count_contact(s, c, p);
    if (seen->tool)
        c->tool = (uint8_t)seen->tool;
    return OK;
}

static enum err put_row(
    struct sensor *s, struct block *out, struct row_words *words, const struct seen *seen)
{
    static const char nowhere[2];
    const struct host *h = seen->host == HOST_NONE ? NULL : &s->hosts.host[seen->host];
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

/* The contact that a packet will most likely be counted into; `host` may be a source that has
 * no entry yet. */
static void guess_contact(const struct sensor *s, struct seen *seen, uint32_t host)
{
    static const struct host fresh;
    const struct packet *p = seen->packet;
    const struct host *h = host < s->hosts.count ? &s->hosts.host[host] : &fresh;
    enum packet_class class = likely_class(s, seen, h);
    seen->key = contact_key(host, p->proto, classify_service(p, class), class);
    contacts_prefetch_index(&s->contacts, seen->key);
}

void sensor_look(
    const struct sensor_shared *shared, const struct packet *p, struct sensor_look *ret_look)
{
    ret_look->hits = (struct fingerprint_hits){0};
    ret_look->class = classify_packet(p);
    if (shared->fingerprints)
        fingerprints_match(shared->fingerprints, p, &ret_look->hits);
}

/* Before packets are taken one by one, ask for all the memory that they will need: each look-up
 * waits for memory only once in a batch, not once a packet. Sources that are not in the table
 * will be numbered as they come. */
static void prepare(const struct sensor *s, const struct packet *packets,
    const struct sensor_look *looks, struct seen *seen, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        seen[i].packet = p;
        seen[i].hits = looks[i].hits;
        seen[i].class = looks[i].class;
        seen[i].tool = 0;
        seen[i].hash = hosts_hash(&s->hosts, &p->src);
        hosts_prefetch_index(&s->hosts, seen[i].hash);
        misconfig_prefetch(&s->misconfig, service_code(p->proto, p->dport));
    }
    for (size_t i = 0; i < count; i++) {
        seen[i].host = hosts_prefetch(&s->hosts, seen[i].hash);
        if (seen[i].host == HOST_NONE)
            geo_prefetch(s->shared.geo, &seen[i].packet->src, 0);
    }
    size_t next = s->hosts.count;
    for (size_t i = 0; i < count; i++) {
        if (seen[i].host == HOST_NONE)
            geo_prefetch(s->shared.geo, &seen[i].packet->src, 1);
        guess_contact(s, &seen[i], seen[i].host == HOST_NONE ? (uint32_t)next++ : seen[i].host);
    }
    for (size_t i = 0; i < count; i++)
        if (seen[i].host != HOST_NONE)
            contacts_prefetch(&s->contacts, seen[i].key);
}

enum err sensor_take_looked(struct sensor *s, const struct packet *packets,
    const struct sensor_look *looks, size_t count, struct block *out)
{
    struct row_words words;
    struct seen seen[TAKE_AHEAD];
    if (!count)
        return OK;
    if (out && out->cap - out->rows < count)
        return ERR_FULL;
    enum err e = sensor_open_window(s, packets[0].ts);
    if (!e && out)
        e = rows_start(&words, out, &packet_columns, s->site);
    for (size_t at = 0; !e && at < count; at += TAKE_AHEAD) {
        size_t n = count - at < TAKE_AHEAD ? count - at : TAKE_AHEAD;
        prepare(s, packets + at, looks + at, seen, n);
        for (size_t i = 0; !e && i < n; i++) {
            assert(seen[i].packet->ts < s->start + s->options.window);
            e = take_packet(s, &seen[i]);
            if (!e && out)
                e = put_row(s, out, &words, &seen[i]);
        }
    }
    return e;
}

enum err sensor_take(
    struct sensor *s, const struct packet *packets, size_t count, struct block *out)
{
    struct sensor_look looks[TAKE_AHEAD];
    if (out && out->cap - out->rows < count)
        return ERR_FULL;
    enum err e = OK;
    for (size_t at = 0; !e && at < count; at += TAKE_AHEAD) {
        size_t n = count - at < TAKE_AHEAD ? count - at : TAKE_AHEAD;
        for (size_t i = 0; i < n; i++)
            sensor_look(&s->shared, &packets[at + i], &looks[i]);
        e = sensor_take_looked(s, packets + at, looks, n, out);
    }
    return e;
}

void sensor_frames_failed(struct sensor *s, enum decode_result why, uint64_t count)
{
    s->counts.decode[why] += count;
}
