#include "sensor/sensor.h"

#include "base/clock.h"
#include "geo/geo.h"
#include "sensor/classify.h"
#include "sensor/contacts_int.h"
#include "sensor/dos_int.h"
#include "sensor/evidence_int.h"
#include "sensor/misconfig_int.h"
#include "sensor/rows_int.h"
#include "sensor/services_int.h"
#include "sensor/sources_int.h"
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
    CLOSE_AHEAD = 16,
};

/* What has been seen of one rule since the start. */
struct rule_use {
    uint64_t sources; /* named by it */
    uint64_t packets; /* of those sources */
    uint32_t matches; /* the evidence of the source that had most matches, with `tried` */
    uint32_t tried;
};

struct sensor {
    char site[RECORD_NAME_MAX + 1];
    struct sensor_shared shared;
    struct sensor_options options;
    struct sensor_counts counts;
    struct hosts hosts;
    struct contacts contacts;
    struct services services;
    struct rule_use *use; /* by rule; SIGNATURES_MAX of them */
    bool open;            /* a window is open */
    bool closed;          /* the tables still hold the window that was closed last */
    int64_t start;        /* of the window */
    uint32_t window;
    uint64_t window_packets;
    struct block **blocks; /* contact rows of the window that was closed last */
    size_t block_count;    /* in use */
    size_t block_room;
    struct dos dos;
    struct misconfig misconfig;
};

static const struct row_columns packet_columns = {
    .site = PACKET_SITE, .class = PACKET_CLASS, .tool = PACKET_TOOL, .country = PACKET_COUNTRY};
static const struct row_columns contact_columns = {.site = CONTACT_SITE,
    .class = CONTACT_CLASS,
    .tool = CONTACT_TOOL,
    .country = CONTACT_COUNTRY};

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
    for (size_t i = 0; i < s->block_room; i++)
        block_free(s->blocks[i]);
    free(s->blocks);
    dos_done(&s->dos);
    misconfig_done(&s->misconfig);
    free(s);
}

/* Make the tables ready for the window that holds `ts`, if none is open. */
static enum err open_window(struct sensor *s, int64_t ts)
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

struct keeping {
    const struct sensor *s;
    bool present_only; /* forget what the open window has not seen */
};

static bool keep_host(void *context, const struct host *h)
{
    const struct keeping *k = context;
    if (k->present_only && h->window != k->s->window)
        return false;
    return hosts_keeps(&k->s->hosts, &h->ip);
}

static uint64_t contacts_packets(const struct contacts *t)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < t->count; i++)
        sum += t->contact[i].packets;
    return sum;
}

/* Drop the sources that keep_host() refuses, and their contacts. */
static enum err drop_sources(struct sensor *s, bool present_only)
{
    uint32_t *moved = malloc((s->hosts.count + 1) * sizeof *moved);
    if (!moved)
        return ERR_NOMEM;
    struct keeping k = {.s = s, .present_only = present_only};
    uint64_t before = contacts_packets(&s->contacts);
    hosts_filter(&s->hosts, keep_host, &k, moved);
    contacts_move(&s->contacts, moved);
    for (size_t i = 0; i < s->hosts.count; i++)
        s->hosts.host[i].contact = CONTACT_UNKNOWN;
    s->counts.sampled_out += before - contacts_packets(&s->contacts);
    free(moved);
    return OK;
}

/* A table is full: forget idle sources first, then leave out half of all addresses. Whether a
 * source is kept follows from its address alone, so the kept ones are counted whole. */
static enum err make_room(struct sensor *s)
{
    bool contacts_full = s->contacts.count >= s->contacts.cap;
    enum err e = drop_sources(s, true);
    if (e)
        return e;
    if (contacts_full || s->hosts.count > s->hosts.cap / 4 * 3) {
        s->hosts.share /= 2;
        e = drop_sources(s, true);
    }
    return e;
}

/* The entry of a packet's source, new if need be; HOST_NONE if the source is left out. */
static enum err find_host(
    struct sensor *s, const struct ip *ip, uint64_t hash, uint32_t *ret_host)
{
    for (;;) {
        if (!hosts_keeps(&s->hosts, ip)) {
            *ret_host = HOST_NONE;
            return OK;
        }
        *ret_host = hosts_find(&s->hosts, ip, hash);
        if (*ret_host != HOST_NONE)
            return OK;
        enum err e = hosts_add(&s->hosts, ip, hash, ret_host);
        if (!e) {
            struct geo_place place;
            geo_find(s->shared.geo, ip, &place);
            struct host *h = &s->hosts.host[*ret_host];
            h->asn = place.asn;
            memcpy(h->country, place.country, sizeof h->country);
            h->survey = s->shared.surveys ? (uint16_t)survey_find(s->shared.surveys, ip) : 0;
        }
        if (e != ERR_FULL)
            return e;
        e = make_room(s);
        if (e)
            return e;
    }
}

/* The contact of a source and service, new if need be; false in *ret_kept if making room for it
 * has left the source out. */
static enum err find_contact(struct sensor *s, uint32_t *host, const struct packet *p,
    enum packet_class class, uint32_t *ret_contact)
{
    for (;;) {
        uint64_t key = contact_key(*host, p->proto, classify_service(p, class), class);
        struct host *h = &s->hosts.host[*host];
        if (h->window == s->window && h->contact != CONTACT_UNKNOWN &&
            s->contacts.contact[h->contact].key == key) {
            *ret_contact = h->contact;
            return OK;
        }
        h->window = s->window;
        enum err e = contacts_find(&s->contacts, key, ret_contact);
        if (!e)
            h->contact = *ret_contact;
        if (e != ERR_FULL)
            return e;
        e = make_room(s);
        if (e)
            return e;
        e = find_host(s, &p->src, hosts_hash(&s->hosts, &p->src), host);
        if (e || *host == HOST_NONE)
            return e;
    }
}

/* Also keeps what the class misconfiguration is found from: who reached which address first. */
static void count_contact(struct sensor *s, struct contact *c, const struct packet *p)
{
    uint64_t dst = UINT64_C(1) << (ip_hash(&p->dst) & 63);
    int64_t into = p->ts < s->start ? 0 : p->ts - s->start;
    int64_t slot = into * CONTACT_SLOTS_COUNT / s->options.window;
    if (!c->packets || p->ts < c->first)
        c->first = p->ts;
    if (!c->packets || p->ts > c->last)
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

/* Count the packet into its source's evidence, and find its tool. */
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
    uint64_t packets = 1;
    if (!known) {
        use->sources++;
        packets = 0;
        for (unsigned i = 0; i < SCOPE_COUNT; i++)
            packets += h->packets[i];
    }
    use->packets += packets;
    if (!seen->tool)
        seen->tool = h->named;
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
    enum err e = find_host(s, &p->src, seen->hash, &seen->host);
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
        e = find_contact(s, &seen->host, p, seen->class, &contact);
    if (e)
        return e;
    if (seen->host == HOST_NONE)
        s->counts.sampled_out++;
    else
        count_contact(s, &s->contacts.contact[contact], p);
    return OK;
}

static const char *tool_name(const struct sensor *s, unsigned tool)
{
    return tool ? fingerprints_at(s->shared.fingerprints, tool - 1)->tool : "";
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
            words, out, PACKET_TOOL, seen->tool, tool_name(s, seen->tool), &tags.tool);
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

/* Before packets are taken one by one, ask for all the memory that they will need: each look-up
 * waits for memory only once in a batch, not once a packet. */
static void prepare(
    const struct sensor *s, const struct packet *packets, struct seen *seen, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        seen[i] = (struct seen){.packet = p, .hash = hosts_hash(&s->hosts, &p->src)};
        hosts_prefetch_index(&s->hosts, seen[i].hash);
    }
    for (size_t i = 0; i < count; i++) {
        seen[i].class = classify_packet(seen[i].packet);
        seen[i].host = hosts_prefetch(&s->hosts, seen[i].hash);
        if (s->shared.fingerprints)
            fingerprints_match(s->shared.fingerprints, seen[i].packet, &seen[i].hits);
    }
    for (size_t i = 0; i < count; i++) {
        const struct packet *p = seen[i].packet;
        if (seen[i].host == HOST_NONE)
            continue;
        const struct host *h = &s->hosts.host[seen[i].host];
        enum packet_class class = likely_class(s, &seen[i], h);
        seen[i].key = contact_key(seen[i].host, p->proto, classify_service(p, class), class);
        contacts_prefetch_index(&s->contacts, seen[i].key);
    }
    for (size_t i = 0; i < count; i++)
        if (seen[i].host != HOST_NONE)
            contacts_prefetch(&s->contacts, seen[i].key);
}

enum err sensor_take(
    struct sensor *s, const struct packet *packets, size_t count, struct block *out)
{
    struct row_words words;
    struct seen seen[TAKE_AHEAD];
    if (!count)
        return OK;
    if (out && out->cap - out->rows < count)
        return ERR_FULL;
    enum err e = open_window(s, packets[0].ts);
    if (!e && out)
        e = rows_start(&words, out, &packet_columns, s->site);
    for (size_t at = 0; !e && at < count; at += TAKE_AHEAD) {
        size_t n = count - at < TAKE_AHEAD ? count - at : TAKE_AHEAD;
        prepare(s, packets + at, seen, n);
        for (size_t i = 0; !e && i < n; i++) {
            assert(seen[i].packet->ts < s->start + s->options.window);
            e = take_packet(s, &seen[i]);
            if (!e && out)
                e = put_row(s, out, &words, &seen[i]);
        }
    }
    return e;
}

void sensor_frame_failed(struct sensor *s, enum decode_result why)
{
    s->counts.decode[why]++;
}

/* An empty block with room for `rows` as the k-th contact block. */
static enum err contact_block(struct sensor *s, size_t k, size_t rows, struct block **ret_block)
{
    if (k >= s->block_room) {
        struct block **blocks = realloc(s->blocks, (k + 1) * sizeof *blocks);
        if (!blocks)
            return ERR_NOMEM;
        s->blocks = blocks;
        s->blocks[k] = NULL;
        s->block_room = k + 1;
    }
    if (!s->blocks[k] || s->blocks[k]->cap < rows) {
        struct block *b;
        enum err e = block_new(&b, &record_contact, rows);
        if (e)
            return e;
        block_free(s->blocks[k]);
        s->blocks[k] = b;
    }
    block_clear(s->blocks[k]);
    *ret_block = s->blocks[k];
    return OK;
}

static enum err put_contact(
    struct sensor *s, struct block *b, struct row_words *w, const struct contact *c)
{
    size_t row = b->rows;
    const struct host *h = &s->hosts.host[contact_host(c)];
    uint16_t country, tool;
    enum err e = rows_country(w, b, CONTACT_COUNTRY, h->country, &country);
    if (!e)
        e = rows_tool(w, b, CONTACT_TOOL, h->named, tool_name(s, h->named), &tool);
    if (e)
        return e;
    block_time(b, CONTACT_START)[row] = s->start;
    block_name(b, CONTACT_SITE)[row] = w->site;
    block_ip(b, CONTACT_SRC)[row] = h->ip;
    block_u8(b, CONTACT_PROTO)[row] = contact_proto(c);
    block_u16(b, CONTACT_DPORT)[row] = contact_service(c);
    block_name(b, CONTACT_CLASS)[row] = (uint16_t)contact_class(c);
    block_name(b, CONTACT_TOOL)[row] = tool;
    block_name(b, CONTACT_COUNTRY)[row] = country;
    block_u32(b, CONTACT_ASN)[row] = h->asn;
    block_u32(b, CONTACT_PACKETS)[row] = c->packets;
    block_u64(b, CONTACT_BYTES)[row] = c->bytes;
    block_u64(b, CONTACT_DSTS)[row] = c->dsts;
    block_u64(b, CONTACT_SLOTS)[row] = c->slots;
    block_time(b, CONTACT_FIRST)[row] = c->first;
    block_time(b, CONTACT_LAST)[row] = c->last;
    b->rows++;
    return OK;
}

static enum err put_contacts(struct sensor *s)
{
    struct row_words words;
    s->block_count = 0;
    for (size_t from = 0; from < s->contacts.count;) {
        size_t rows = s->contacts.count - from;
        if (rows > record_contact.max_rows)
            rows = record_contact.max_rows;
        struct block *b;
        enum err e = contact_block(s, s->block_count, rows, &b);
        if (!e)
            e = rows_start(&words, b, &contact_columns, s->site);
        for (size_t i = 0; !e && i < rows; i++) {
            const struct contact *c = &s->contacts.contact[from + i];
            if (i + CLOSE_AHEAD < rows)
                __builtin_prefetch(&s->hosts.host[contact_host(c + CLOSE_AHEAD)]);
            e = put_contact(s, b, &words, c);
        }
        if (e)
            return e;
        from += rows;
        s->block_count++;
    }
    return OK;
}

/* Remember, for each rule, the source with most matches. Sources may be forgotten; what has
 * been said about them is not. */
static void note_examples(struct sensor *s)
{
    for (size_t i = 0; i < s->hosts.count; i++) {
        const struct host *h = &s->hosts.host[i];
        if (!h->named || h->window != s->window)
            continue;
        struct rule_use *use = &s->use[h->named - 1];
        uint64_t matches = evidence_matches(h);
        if (matches <= use->matches)
            continue;
        use->matches = (uint32_t)matches;
        use->tried = (uint32_t)evidence_packets(
            h, fingerprints_at(s->shared.fingerprints, h->named - 1u));
    }
}

enum err sensor_close_window(struct sensor *s, int64_t start, struct window_site *ret_site,
    const struct block *const **ret_blocks, size_t *ret_count, const struct block **ret_dos)
{
    enum err e = open_window(s, start);
    if (!e)
        e = put_contacts(s);
    if (!e)
        e = services_add(&s->services, &s->contacts, &s->hosts);
    if (!e)
        e = dos_close_window(&s->dos, s->start + s->options.window);
    if (e)
        return e;
    note_examples(s);
    struct window_site site = {
        .watching = true,
        .packets = s->window_packets,
        .addresses = s->options.addresses,
        .kept = ((double)s->hosts.share + 1) / 4294967296.0,
    };
    snprintf(site.name, sizeof site.name, "%s", s->site);
    s->counts.dos_missed = s->dos.missed;
    s->open = false;
    s->closed = true;
    *ret_site = site;
    *ret_blocks = (const struct block *const *)s->blocks;
    *ret_count = s->block_count;
    *ret_dos = s->dos.out;
    return OK;
}

const struct sensor_counts *sensor_counts(const struct sensor *s)
{
    return &s->counts;
}

/* One line a tool: its rules together, with the evidence of the one that has named most. */
static void tell_tool(const struct sensor *s, size_t first,
    void (*each)(void *context, const char *tool, uint64_t sources, uint64_t packets,
        const char *evidence),
    void *context)
{
    const struct fingerprints *set = s->shared.fingerprints;
    const char *tool = fingerprints_at(set, first)->tool;
    uint64_t sources = 0, packets = 0;
    size_t best = first;
    for (size_t i = first; i < fingerprints_count(set); i++) {
        if (strcmp(fingerprints_at(set, i)->tool, tool) != 0)
            continue;
        sources += s->use[i].sources;
        packets += s->use[i].packets;
        if (s->use[i].sources > s->use[best].sources)
            best = i;
    }
    char text[EVIDENCE_TEXT];
    if (sources)
        each(context, tool, sources, packets,
            fingerprint_evidence_text(
                fingerprints_at(set, best), s->use[best].matches, s->use[best].tried, text));
}

void sensor_tools(const struct sensor *s,
    void (*each)(void *context, const char *tool, uint64_t sources, uint64_t packets,
        const char *evidence),
    void *context)
{
    const struct fingerprints *set = s->shared.fingerprints;
    for (size_t i = 0; set && i < fingerprints_count(set); i++) {
        size_t first = 0;
        while (strcmp(fingerprints_at(set, first)->tool, fingerprints_at(set, i)->tool) != 0)
            first++;
        if (first == i)
            tell_tool(s, i, each, context);
    }
}

size_t sensor_top_ports(const struct sensor *s, struct sensor_port *ret_ports, size_t cap)
{
    return services_top(&s->services, ret_ports, cap);
}
