#include "sensor/services_int.h"

#include <stdlib.h>

struct ranked {
    const struct service *service;
    double sources;
};

static struct sensor_port port_of(const struct ranked *r)
{
    const struct service *s = r->service;
    struct sensor_port p = {.packets = s->packets, .sources = (uint64_t)(r->sources + 0.5)};
    p.port = (uint16_t)(s->code < 131072 ? s->code : s->code & 0xff);
    p.proto = s->code < 65536    ? PROTO_TCP
              : s->code < 131072 ? PROTO_UDP
              : s->code < 131328 ? PROTO_ICMP
              : s->code < 131584 ? PROTO_ICMPV6
                                 : (uint8_t)p.port;
    if (s->code >= 131584)
        p.port = 0;
    return p;
}

enum err services_init(struct services *t)
{
    *t = (struct services){
        .number = calloc(SERVICE_CODES, sizeof *t->number),
        .window = calloc(SERVICE_CODES, sizeof *t->window),
    };
    if (t->number && t->window)
        return OK;
    services_done(t);
    return ERR_NOMEM;
}

void services_done(struct services *t)
{
    free(t->number);
    free(t->window);
    free(t->entry);
    free(t->distinct);
    free(t->other);
    *t = (struct services){0};
}

static enum err grow(struct services *t)
{
    size_t room = t->room ? t->room * 2 : 64;
    struct service *entry = realloc(t->entry, room * sizeof *entry);
    if (entry)
        t->entry = entry;
    struct distinct *distinct = realloc(t->distinct, room * sizeof *distinct);
    if (distinct)
        t->distinct = distinct;
    if (!entry || !distinct)
        return ERR_NOMEM;
    t->room = room;
    return OK;
}

static enum err add_entry(struct services *t, uint32_t code)
{
    enum err e = t->count == t->room ? grow(t) : OK;
    if (e)
        return e;
    t->entry[t->count] = (struct service){.code = code};
    t->distinct[t->count] = (struct distinct){{0}};
    t->number[code] = (uint16_t)++t->count;
    return OK;
}

static double sources_of(const struct services *t, size_t i)
{
    return t->entry[i].stale ? distinct_count(&t->distinct[i]) : t->entry[i].sources;
}

static void refresh(struct services *t, size_t i)
{
    t->entry[i].sources = sources_of(t, i);
    t->entry[i].stale = false;
}

static inline double fewer(double a, double b)
{
    return a < b ? a : b;
}

/* The first of those with the fewest sources, as far as they are known. In four lanes, as each
 * comparison waits for the one before. */
static size_t least_known(const struct services *t)
{
    const struct service *s = t->entry;
    double least = s[0].sources, b = least, c = least, d = least;
    size_t i = 0;
    for (; i + 4 <= t->count; i += 4) {
        least = fewer(s[i].sources, least);
        b = fewer(s[i + 1].sources, b);
        c = fewer(s[i + 2].sources, c);
        d = fewer(s[i + 3].sources, d);
    }
    for (; i < t->count; i++)
        least = fewer(s[i].sources, least);
    least = fewer(fewer(least, b), fewer(c, d));
    for (i = 0; s[i].sources > least;)
        i++;
    return i;
}

/* An entry with the fewest sources. Counts only grow, so that an old one is a lower bound, and
 * few have to be made anew; and as many services have equally few, the search goes on where the
 * last one ended, and begins again only when there are none of these left. */
static size_t least_entry(struct services *t)
{
    for (; t->hand < t->count; t->hand++) {
        struct service *s = &t->entry[t->hand];
        if (s->sources <= t->least && s->stale)
            refresh(t, t->hand);
        if (s->sources <= t->least)
            return t->hand;
    }
    for (;;) {
        size_t least = least_known(t);
        t->least = t->entry[least].sources;
        t->hand = least;
        if (!t->entry[least].stale)
            return least;
        refresh(t, least);
    }
}

/* Give a service that had more sources in this window than the least of a full table has in
 * all the place of that one. */
static void replace_least(struct services *t, uint32_t code)
{
    size_t least = least_entry(t);
    if (t->window[code] <= t->entry[least].sources)
        return;
    t->number[t->entry[least].code] = 0;
    t->number[code] = (uint16_t)(least + 1);
    t->entry[least] = (struct service){.code = code, .sources = t->window[code]};
    t->distinct[least] = (struct distinct){{0}};
}

static uint32_t code_of(const struct contact *c)
{
    return service_code(contact_proto(c), contact_service(c));
}

/* Give every service of the window that has no place and deserves one a place in the table. */
static enum err place_services(struct services *t)
{
    for (size_t i = 0; i < t->other_count; i++) {
        uint32_t code = t->other[i].code;
        if (t->number[code])
            continue;
        enum err e = t->count < SERVICES_MAX ? add_entry(t, code) : OK;
        if (e)
            return e;
        if (!t->number[code] && t->window[code] > t->least)
            replace_least(t, code);
    }
    return OK;
}

static void count_known(struct services *t, const struct contact *c, uint64_t src)
{
    size_t i = t->number[code_of(c)] - 1u;
    t->entry[i].packets += c->packets;
    t->entry[i].stale = true;
    distinct_add(&t->distinct[i], src);
}

void services_prefetch_place(const struct services *t, const struct contact *c)
{
    __builtin_prefetch(&t->number[code_of(c)]);
}

void services_prefetch(const struct services *t, const struct contact *c, uint64_t src)
{
    unsigned number = t->number[code_of(c)];
    if (number)
        __builtin_prefetch(distinct_place(&t->distinct[number - 1], src));
}

enum err services_begin(struct services *t, size_t contacts)
{
    t->other_count = 0;
    if (contacts <= t->other_room)
        return OK;
    struct service_other *other = realloc(t->other, contacts * sizeof *other);
    if (!other)
        return ERR_NOMEM;
    t->other = other;
    t->other_room = contacts;
    return OK;
}

void services_count(struct services *t, const struct contact *c, uint64_t src, uint32_t number)
{
    if (contact_class(c) == CLASS_BACKSCATTER)
        return;
    uint32_t code = code_of(c);
    if (t->number[code]) {
        count_known(t, c, src);
        return;
    }
    t->window[code]++;
    t->other[t->other_count++] = (struct service_other){number, code};
}

enum err services_settle(
    struct services *t, const struct contacts *contacts, const struct hosts *hosts)
{
    enum err e = place_services(t);
    for (size_t i = 0; i < t->other_count; i++) {
        const struct service_other *other = &t->other[i];
        t->window[other->code] = 0;
        if (!t->number[other->code])
            continue;
        const struct contact *c = &contacts->contact[other->contact];
        count_known(t, c, ip_hash(&hosts->host[contact_host(c)].ip));
    }
    t->other_count = 0;
    return e;
}

/* Most sources first, then most packets, then by number: one order for one content. */
static int busier_first(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->sources != y->sources)
        return x->sources > y->sources ? -1 : 1;
    if (x->service->packets != y->service->packets)
        return x->service->packets > y->service->packets ? -1 : 1;
    return x->service->code < y->service->code ? -1 : 1;
}

size_t services_top(const struct services *t, struct sensor_port *ret_ports, size_t cap)
{
    struct ranked *order = malloc((t->count + 1) * sizeof *order);
    if (!order)
        return 0;
    for (size_t i = 0; i < t->count; i++)
        order[i] = (struct ranked){&t->entry[i], sources_of(t, i)};
    qsort(order, t->count, sizeof *order, busier_first);
    size_t count = t->count < cap ? t->count : cap;
    for (size_t i = 0; i < count; i++)
        ret_ports[i] = port_of(&order[i]);
    free(order);
    return count;
}
