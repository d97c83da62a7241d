#include "sim/event_plan.h"

#include "base/hash.h"
#include "decode/packet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct event_row event_rows[EVENT_KINDS] = {
    [EVENT_WORM_GROWTH] = {"worm-growth",
        "hosts double every six hours, from five (like Morto)", PROBE_SYN, STYLE_WINDOWS,
        PAYLOAD_NONE, 1, {3389}, 4000, 2000, 1.0, 48 * US_HOUR},
    [EVENT_BOTNET_TURN] = {"botnet-turn", "bots of 23/tcp turn to a router's back door",
        PROBE_UDP, STYLE_BARE, PAYLOAD_NETIS, 1, {53413}, 1500, 300, 1.0, 24 * US_HOUR},
    [EVENT_COUNTRY_BOTNET] = {"country-botnet", "a thousand hosts of one country ask two ports",
        PROBE_SYN, STYLE_BARE, PAYLOAD_NONE, 2, {23, 20012}, 1000, 500, 1.0, 14 * US_HOUR},
    [EVENT_IN_STEP] = {"in-step", "few hosts in each of 20 countries, in the same seconds",
        PROBE_UDP, STYLE_LINUX, PAYLOAD_TRACEROUTE, 1, {33434}, 40, 0, 1.0, 36 * US_HOUR},
    [EVENT_SPREADING] = {"spreading", "goes from site to site, hours apart", PROBE_SYN,
        STYLE_LINUX, PAYLOAD_NONE, 1, {5000}, 250, 300, 0.125, 40 * US_HOUR},
    [EVENT_ONE_SITE] = {"one-site", "a port rises at one site alone", PROBE_SYN, STYLE_BARE,
        PAYLOAD_NONE, 1, {9673}, 300, 300, 0.125, 12 * US_HOUR},
};

static enum err kind_find(const char *word, size_t len, uint8_t *ret_kind)
{
    for (uint8_t k = 0; k < (uint8_t)EVENT_KINDS; k++)
        if (strlen(event_rows[k].name) == len && memcmp(event_rows[k].name, word, len) == 0) {
            *ret_kind = k;
            return OK;
        }
    return ERR_NOTFOUND;
}

static enum err list_fault(struct fault *f, const char *entry, size_t len, const char *what)
{
    char known[160] = "";
    for (size_t k = 0; k < EVENT_KINDS; k++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k ? ", " : "",
            event_rows[k].name);
    return fault_set(f, ERR_BAD,
        "--events: \"%.*s\": %s; allowed: all, none, or a list of KIND[@OFFSET][*SIZE] with "
        "kinds %s",
        (int)(len > 60 ? 60 : len), entry, what, known);
}

static enum err wish_parse(
    const char *entry, size_t len, struct event_wish *ret_wish, struct fault *f)
{
    struct event_wish wish = {.size = 1.0};
    char text[64];
    if (len >= sizeof text)
        return list_fault(f, entry, len, "too long");
    memcpy(text, entry, len);
    text[len] = 0;
    char *size = strchr(text, '*');
    if (size) {
        char *end;
        wish.size = strtod(size + 1, &end);
        if (end == size + 1 || *end || !(wish.size >= 0.01 && wish.size <= 100.0))
            return list_fault(f, entry, len, "the size is not a number from 0.01 to 100");
        *size = 0;
    }
    char *offset = strchr(text, '@');
    if (offset) {
        if (duration_parse(offset + 1, &wish.offset) || wish.offset < 0)
            return list_fault(f, entry, len, "the offset is not a duration such as 36h");
        wish.placed = true;
        *offset = 0;
    }
    if (kind_find(text, strlen(text), &wish.kind))
        return list_fault(f, entry, len, "no such kind");
    *ret_wish = wish;
    return OK;
}

enum err event_list_parse(const char *list, struct event_wish wishes[TRUTH_EVENTS],
    size_t *ret_count, struct fault *f)
{
    size_t count = 0;
    if (strcmp(list, "all") == 0) {
        for (; count < EVENT_KINDS; count++)
            wishes[count] = (struct event_wish){.kind = (uint8_t)count, .size = 1.0};
        *ret_count = count;
        return OK;
    }
    if (strcmp(list, "none") == 0) {
        *ret_count = 0;
        return OK;
    }
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");
        if (count == TRUTH_EVENTS)
            return fault_set(f, ERR_FULL, "--events: more than %d", TRUTH_EVENTS);
        enum err e = wish_parse(at, len, &wishes[count], f);
        if (e)
            return e;
        count++;
        at += len;
        if (!*at)
            break;
    }
    *ret_count = count;
    return OK;
}

/* Ports that nobody can have tuned to: busy ones for what must hide in a service's own noise,
 * else ports that no listed service uses. */
static void draw_ports(struct campaign *c)
{
    static const uint16_t busy_tcp[] = {1433, 5900, 3306, 21, 25, 8443, 110};
    static const uint16_t busy_udp[] = {5060, 1900, 53, 123, 161};
    if (c->kind == EVENT_WORM_GROWTH) {
        c->ports[0] = busy_tcp[rng_below(&c->rng, sizeof busy_tcp / sizeof *busy_tcp)];
        return;
    }
    if (c->kind == EVENT_IN_STEP) {
        c->ports[0] = busy_udp[rng_below(&c->rng, sizeof busy_udp / sizeof *busy_udp)];
        return;
    }
    uint8_t proto = probe_proto((enum probe_kind)c->row->kind);
    for (uint8_t i = c->kind == EVENT_COUNTRY_BOTNET; i < c->port_count; i++)
        do
            c->ports[i] = (uint16_t)(1024 + rng_below(&c->rng, 64512));
        while (service_rate(proto, c->ports[i]) > 0.0);
}

static void plan_spreading(struct campaign *c, const struct world *w, int64_t start)
{
    uint8_t order[TELESCOPE_SITES_MAX];
    for (size_t i = 0; i < w->site_count; i++)
        order[i] = (uint8_t)i;
    for (size_t i = w->site_count; i > 1; i--) {
        size_t other = rng_below(&c->rng, i);
        uint8_t kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
    double lags[TELESCOPE_SITES_MAX], sum = 0.0;
    for (size_t i = 0; i < w->site_count; i++) {
        lags[i] = i ? (2.0 + 4.0 * rng_unit(&c->rng)) * (double)US_HOUR : 0.0;
        sum += lags[i];
    }
    double fit = fmin(1.0, 0.65 * (double)(c->end - start) / fmax(sum, 1.0));
    double at = 0.0;
    for (size_t i = 0; i < w->site_count; i++) {
        at += lags[i] * fit;
        c->onset[order[i]] = start + (int64_t)at;
    }
}

/* Each host visits a site in a slot with a chance that adds less than one standard deviation
 * of the background's own host count there, so that counting hosts does not show it. */
static void plan_in_step(struct campaign *c, const struct world *w, int64_t start, double size)
{
    c->slot = (10 + (int64_t)rng_below(&c->rng, 10)) * US_MINUTE;
    c->slot_width = 8 * US_SECOND;
    c->slot_next = start;
    double rate = service_rate(PROTO_UDP, c->ports[0]) * w->scale;
    for (size_t s = 0; s < w->site_count; s++) {
        double usual = rate * w->sites[s].addresses * TRUTH_WINDOW_S / 86400.0;
        double spread = sqrt(usual + usual * usual / 30.0);
        c->visits[s] = fmin(0.9, 0.8 * size * spread / c->host_count);
    }
}

static enum err plan_times(
    struct campaign *c, const struct event_wish *wish, const struct world *w, struct fault *f)
{
    int64_t length = w->end - w->start;
    int64_t lead = length * 2 / 5 < 36 * US_HOUR ? length * 2 / 5 : 36 * US_HOUR;
    int64_t lasts = c->row->length < length - lead ? c->row->length : length - lead;
    int64_t room = length - lead - lasts;
    int64_t offset =
        lead + (room > 0 ? (int64_t)rng_below(&c->rng, (uint64_t)(room / US_MINUTE) + 1) : 0) *
                   US_MINUTE;
    if (wish->placed) {
        if (wish->offset >= length)
            return fault_set(f, ERR_RANGE,
                "--events: %s: begins after the end of the run; allowed: an offset below %lld "
                "s",
                c->row->name, (long long)(length / US_SECOND));
        offset = wish->offset;
    }
    int64_t start = w->start + offset;
    c->end = start + lasts < w->end ? start + lasts : w->end;
    for (size_t s = 0; s < w->site_count; s++)
        c->onset[s] = start;
    return OK;
}

static void plan_shape(struct campaign *c, const struct world *w, int64_t start, double size)
{
    int64_t lasts = c->end - start;
    c->ramp = lasts / 8 < 2 * US_HOUR ? lasts / 8 : 2 * US_HOUR;
    switch ((enum event_kind)c->kind) {
    case EVENT_WORM_GROWTH:
        c->ramp = lasts / 7 < 6 * US_HOUR ? lasts / 7 : 6 * US_HOUR;
        c->first = 5;
        break;
    case EVENT_SPREADING:
        plan_spreading(c, w, start);
        break;
    case EVENT_ONE_SITE: {
        size_t chosen = rng_below(&c->rng, w->site_count);
        for (size_t s = 0; s < w->site_count; s++)
            if (s != chosen)
                c->onset[s] = INT64_MAX;
        break;
    }
    case EVENT_IN_STEP:
        plan_in_step(c, w, start, size);
        break;
    case EVENT_BOTNET_TURN:
    case EVENT_COUNTRY_BOTNET:
    case EVENT_KINDS:
        break;
    }
}

enum err campaign_plan(struct campaign *c, const struct event_wish *wish,
    const struct telescope_options *o, const struct world *w, struct fault *f)
{
    c->kind = wish->kind;
    c->row = &event_rows[wish->kind];
    c->port_count = c->row->port_count;
    memcpy(c->ports, c->row->ports, sizeof c->row->ports);
    enum err e = plan_times(c, wish, w, f);
    if (e)
        return e;
    int64_t start = c->onset[0];
    /* A larger crowd, except in step: there the size is how far it stands out. */
    double crowd = c->kind == EVENT_IN_STEP ? 1.0 : wish->size;
    c->host_count = (uint32_t)fmax(1.0, c->row->hosts * crowd);
    if (o->random_ports)
        draw_ports(c);
    plan_shape(c, w, start, wish->size);
    return OK;
}

uint32_t campaign_active(const struct campaign *c, size_t site, int64_t now)
{
    if (now < c->onset[site] || now >= c->end)
        return 0;
    double since = (double)(now - c->onset[site]) / (double)(c->ramp > 0 ? c->ramp : 1);
    double active =
        c->first ? c->first * exp2(fmin(since, 40.0)) : c->host_count * fmin(1.0, since);
    return (uint32_t)fmin(active, c->host_count);
}

void campaign_tell(const struct campaign *c, const struct world *w, struct truth_event *e)
{
    const struct event_row *row = c->row;
    snprintf(e->id, sizeof e->id, "%s-%u", row->name, (unsigned)c->number);
    snprintf(e->kind, sizeof e->kind, "%s", row->name);
    e->proto = probe_proto((enum probe_kind)row->kind);
    e->port_count = c->port_count;
    memcpy(e->ports, c->ports, sizeof e->ports);
    e->start = INT64_MAX;
    e->end = c->end;
    for (uint32_t s = 0; s < w->site_count; s++) {
        if (c->onset[s] == INT64_MAX)
            continue;
        e->sites[e->site_count++] = (struct truth_presence){.site = s, .onset = c->onset[s]};
        e->start = c->onset[s] < e->start ? c->onset[s] : e->start;
    }
    struct truth_parameter *list = e->parameters;
    uint32_t *count = &e->parameter_count;
    truth_parameter_add(list, count, "hosts_planned", c->host_count, "hosts");
    if (c->kind == EVENT_IN_STEP) {
        truth_parameter_add(list, count, "slot", (double)c->slot / US_SECOND, "s");
        truth_parameter_add(list, count, "slot_width", (double)c->slot_width / US_SECOND, "s");
        return;
    }
    truth_parameter_add(
        list, count, "probes_per_host", row->pps, "packets/s over the space searched");
    truth_parameter_add(list, count, "space_searched", row->share, "share of IPv4");
    truth_parameter_add(
        list, count, c->first ? "doubling_time" : "ramp", (double)c->ramp / US_SECOND, "s");
    if (c->first)
        truth_parameter_add(list, count, "hosts_at_start", c->first, "hosts");
}
