/* The close of a window, and what the sensor tells of the time since its start. */
#include "geo/geo.h"
#include "sensor/evidence_int.h"
#include "sensor/rows_int.h"
#include "sensor/sensor_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CLOSE_PART = 64 /* contacts whose memory is asked for together */
};

static const struct row_columns contact_columns = {.site = CONTACT_SITE,
    .class = CONTACT_CLASS,
    .tool = CONTACT_TOOL,
    .country = CONTACT_COUNTRY};

const char *sensor_tool_name(const struct sensor *s, unsigned tool)
{
    return tool ? fingerprints_at(s->shared.fingerprints, tool - 1)->tool : "";
}

/* An empty block with room for `rows` as the next of a window. A new one has room for some
 * more, so that a window that is a little larger does not need another. */
static enum err contact_block(struct contact_rows *c, size_t rows, struct block **ret_block)
{
    size_t k = c->count;
    if (k >= c->room) {
        struct block **blocks = realloc(c->blocks, (k + 1) * sizeof *blocks);
        if (!blocks)
            return ERR_NOMEM;
        c->blocks = blocks;
        c->blocks[k] = NULL;
        c->room = k + 1;
    }
    if (!c->blocks[k] || c->blocks[k]->cap < rows) {
        struct block *b;
        size_t room = rows + rows / 4;
        room = room < record_contact.max_rows ? room : record_contact.max_rows;
        enum err e = block_new(&b, &record_contact, room);
        if (e)
            return e;
        block_free(c->blocks[k]);
        c->blocks[k] = b;
    }
    block_clear(c->blocks[k]);
    c->count++;
    *ret_block = c->blocks[k];
    return OK;
}

/* The tool of a contact, rule + 1: its packets', or for probes that came before the evidence
 * was enough, the source's. */
static unsigned contact_tool(
    const struct sensor *s, const struct contact *c, const struct host *h)
{
    static const struct {
        uint8_t proto;
        unsigned scope;
    } scopes[] = {
        {PROTO_TCP, 1u << SCOPE_SYN | 1u << SCOPE_TCP},
        {PROTO_UDP, 1u << SCOPE_UDP},
        {PROTO_ICMP, 1u << SCOPE_ICMP},
        {PROTO_ICMPV6, 1u << SCOPE_ICMP},
    };
    enum packet_class class = contact_class(c);
    if (c->tool || !h->named || class == CLASS_BACKSCATTER || class == CLASS_OTHER)
        return c->tool;
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
        if (scopes[i].proto == contact_proto(c))
            return evidence_of_source(h, s->shared.fingerprints, scopes[i].scope);
    return 0;
}

/* Count a contact that carries a tool; its source with the first of them. */
static void count_tool(
    struct sensor *s, const struct contact *c, struct host_rest *rest, unsigned number)
{
    struct rule_use *use = &s->use[number - 1];
    uint8_t tool = (uint8_t)(use->first + 1);
    use->packets += c->packets;
    size_t i = 0;
    while (i < HOST_TOOLS && rest->told[i] && rest->told[i] != tool)
        i++;
    if (i == HOST_TOOLS || rest->told[i])
        return;
    rest->told[i] = tool;
    use->sources++;
}

/* The columns of a block of contacts, looked up once. */
struct contact_cells {
    int64_t *start, *first, *last;
    struct ip *src;
    uint8_t *proto, *flags;
    uint16_t *site, *dport, *class, *tool, *country, *win;
    uint32_t *asn, *packets;
    uint64_t *bytes, *dsts, *slots;
};

static struct contact_cells cells_of(const struct block *b)
{
    return (struct contact_cells){
        .start = block_time(b, CONTACT_START),
        .first = block_time(b, CONTACT_FIRST),
        .last = block_time(b, CONTACT_LAST),
        .src = block_ip(b, CONTACT_SRC),
        .proto = block_u8(b, CONTACT_PROTO),
        .flags = block_u8(b, CONTACT_FLAGS),
        .site = block_name(b, CONTACT_SITE),
        .dport = block_u16(b, CONTACT_DPORT),
        .class = block_name(b, CONTACT_CLASS),
        .tool = block_name(b, CONTACT_TOOL),
        .country = block_name(b, CONTACT_COUNTRY),
        .win = block_u16(b, CONTACT_WIN),
        .asn = block_u32(b, CONTACT_ASN),
        .packets = block_u32(b, CONTACT_PACKETS),
        .bytes = block_u64(b, CONTACT_BYTES),
        .dsts = block_u64(b, CONTACT_DSTS),
        .slots = block_u64(b, CONTACT_SLOTS),
    };
}

static enum err put_contact(struct sensor *s, struct block *b, const struct contact_cells *to,
    struct row_words *w, const struct contact *c)
{
    size_t row = b->rows;
    const struct host *h = &s->hosts.host[contact_host(c)];
    unsigned number = contact_tool(s, c, h);
    enum err e = rows_country(w, b, CONTACT_COUNTRY, h->country, &to->country[row]);
    if (!e)
        e = rows_tool(w, b, CONTACT_TOOL, number, sensor_tool_name(s, number), &to->tool[row]);
    if (e)
        return e;
    to->start[row] = s->start;
    to->site[row] = w->site;
    to->src[row] = h->ip;
    to->proto[row] = contact_proto(c);
    to->dport[row] = contact_service(c);
    to->class[row] = (uint16_t)contact_class(c);
    to->asn[row] = h->asn;
    to->packets[row] = c->packets;
    to->bytes[row] = c->bytes;
    to->dsts[row] = c->dsts;
    to->slots[row] = c->slots;
    to->first[row] = c->first;
    to->last[row] = c->last;
    to->flags[row] = c->flags;
    to->win[row] = c->win;
    b->rows++;
    if (number)
        count_tool(s, c, &s->hosts.rest[contact_host(c)], number);
    return OK;
}

/* Contacts on their way out: what they need is asked for a part of them at once, and read when
 * the part before has been written. */
struct leaving {
    struct sensor *s;
    struct block *block; /* the one that is being filled; NULL: none yet */
    struct contact_cells to;
    struct row_words words;
    uint64_t src[CLOSE_PART];     /* ip_hash() of the sources of a part */
    uint32_t unknown[CLOSE_PART]; /* sources of a part whose place has to be looked up */
    size_t unknown_count;
};

static size_t part_end(const struct leaving *l, size_t from)
{
    size_t count = l->s->contacts.count;
    return from + CLOSE_PART < count ? from + CLOSE_PART : count;
}

static void ask_sources(const struct leaving *l, size_t from)
{
    const struct sensor *s = l->s;
    for (size_t i = from; i < part_end(l, from); i++) {
        const struct contact *c = &s->contacts.contact[i];
        __builtin_prefetch(&s->hosts.host[contact_host(c)]);
        services_prefetch_place(&s->services, c);
    }
}

/* When the sources have come: what they lead to. */
static void ask_what_follows(struct leaving *l, size_t from)
{
    const struct sensor *s = l->s;
    l->unknown_count = 0;
    for (size_t i = from; i < part_end(l, from); i++) {
        const struct contact *c = &s->contacts.contact[i];
        const struct host *h = &s->hosts.host[contact_host(c)];
        l->src[i - from] = ip_hash(&h->ip);
        services_prefetch(&s->services, c, l->src[i - from]);
        if (!h->located)
            l->unknown[l->unknown_count++] = contact_host(c);
    }
    for (unsigned step = 0; step < GEO_STEPS; step++)
        for (size_t i = 0; i < l->unknown_count; i++)
            geo_prefetch(s->shared.geo, &s->hosts.host[l->unknown[i]].ip, step);
}

/* Have room for the next row. */
static enum err next_row(struct leaving *l, size_t number)
{
    struct sensor *s = l->s;
    if (l->block && l->block->rows < l->block->cap)
        return OK;
    size_t rows = s->contacts.count - number;
    if (rows > record_contact.max_rows)
        rows = record_contact.max_rows;
    enum err e = contact_block(&s->rows[s->turn], rows, &l->block);
    if (!e)
        e = rows_start(&l->words, l->block, &contact_columns, s->site);
    if (!e)
        l->to = cells_of(l->block);
    return e;
}

/* Everything that the contacts of a part leave behind: rows, and their share of the busiest
 * services. */
static enum err close_part(struct leaving *l, size_t from)
{
    struct sensor *s = l->s;
    enum err e = OK;
    for (size_t i = 0; i < l->unknown_count; i++)
        if (!s->hosts.host[l->unknown[i]].located)
            sensor_locate(s, &s->hosts.host[l->unknown[i]]);
    for (size_t i = from; !e && i < part_end(l, from); i++) {
        const struct contact *c = &s->contacts.contact[i];
        services_count(&s->services, c, l->src[i - from], (uint32_t)i);
        e = next_row(l, i);
        if (!e)
            e = put_contact(s, l->block, &l->to, &l->words, c);
    }
    return e;
}

static enum err close_contacts(struct sensor *s)
{
    struct leaving l = {.s = s};
    s->turn = !s->turn;
    s->rows[s->turn].count = 0;
    enum err e = services_begin(&s->services, s->contacts.count);
    ask_sources(&l, 0);
    for (size_t from = 0; !e && from < s->contacts.count; from += CLOSE_PART) {
        ask_what_follows(&l, from);
        ask_sources(&l, from + CLOSE_PART);
        e = close_part(&l, from);
    }
    return e ? e : services_settle(&s->services, &s->contacts, &s->hosts);
}

void sensor_note_examples(struct sensor *s)
{
    const struct fingerprints *set = s->shared.fingerprints;
    for (size_t i = 0; set && i < fingerprints_count(set); i++) {
        struct rule_use *use = &s->use[i];
        if (use->host != HOST_NONE)
            use->tried = (uint32_t)evidence_packets(
                hosts_lines(&s->hosts, use->host), fingerprints_at(set, i));
        use->host = HOST_NONE;
    }
}

enum err sensor_close_window(struct sensor *s, int64_t start, struct window_site *ret_site,
    const struct block *const **ret_blocks, size_t *ret_count, const struct block **ret_dos)
{
    enum err e = sensor_open_window(s, start);
    if (!e)
        e = close_contacts(s);
    if (!e)
        e = dos_close_window(&s->dos, s->start + s->options.window);
    if (e)
        return e;
    sensor_note_examples(s);
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
    *ret_blocks = (const struct block *const *)s->rows[s->turn].blocks;
    *ret_count = s->rows[s->turn].count;
    *ret_dos = s->dos.out;
    return OK;
}

const struct sensor_counts *sensor_counts(const struct sensor *s)
{
    return &s->counts;
}

/* Sources that a rule has met and not proven; where one packet is enough there are none. */
static uint64_t weak_of(const struct sensor *s, size_t rule)
{
    const struct rule_use *use = &s->use[rule];
    return fingerprints_at(s->shared.fingerprints, rule)->chance_bits < EVIDENCE_PACKET_BITS
               ? use->met - use->proven
               : 0;
}

static uint64_t tried_on(const struct sensor *s, const struct signature *rule)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < SCOPE_COUNT; i++)
        if (rule->scopes & 1u << i)
            sum += s->scope_packets[i];
    return sum;
}

/* One line a tool: its rules together, with the evidence of the one that has named most. */
static void tell_tool(const struct sensor *s, size_t first,
    void (*each)(void *context, const struct sensor_tool *tool), void *context)
{
    const struct fingerprints *set = s->shared.fingerprints;
    struct sensor_tool told = {.tool = fingerprints_at(set, first)->tool, .evidence = ""};
    size_t best = first;
    size_t weakest = first;
    for (size_t i = first; i < fingerprints_count(set); i++) {
        if (s->use[i].first != first)
            continue;
        told.sources += s->use[i].sources;
        told.packets += s->use[i].packets;
        best = s->use[i].sources > s->use[best].sources ? i : best;
        weakest = weak_of(s, i) > weak_of(s, weakest) ? i : weakest;
    }
    char text[EVIDENCE_TEXT];
    const struct rule_use *use = &s->use[best];
    if (use->matches)
        told.evidence = fingerprint_evidence_text(
            fingerprints_at(set, best), use->matches, use->tried, text);
    const struct signature *rule = fingerprints_at(set, weakest);
    uint64_t tried = tried_on(s, rule);
    told.weak = weak_of(s, weakest);
    told.by_chance = (double)tried * exp2(-rule->chance_bits);
    told.weak_id = rule->id;
    if (told.sources || (told.weak >= EVIDENCE_MATCHES &&
                            fingerprint_evidence(rule, told.weak, tried) >= EVIDENCE_BITS))
        each(context, &told);
}

void sensor_tools(const struct sensor *s,
    void (*each)(void *context, const struct sensor_tool *tool), void *context)
{
    const struct fingerprints *set = s->shared.fingerprints;
    for (size_t i = 0; set && i < fingerprints_count(set); i++)
        if (s->use[i].first == i)
            tell_tool(s, i, each, context);
}

size_t sensor_top_ports(const struct sensor *s, struct sensor_port *ret_ports, size_t cap)
{
    return services_top(&s->services, ret_ports, cap);
}
