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
    *t = (struct services){0};
}

static enum err add_entry(struct services *t, uint32_t code)
{
    if (t->count == t->room) {
        size_t room = t->room ? t->room * 2 : 64;
        struct service *entry = realloc(t->entry, room * sizeof *entry);
        if (!entry)
            return ERR_NOMEM;
        t->entry = entry;
        t->room = room;
    }
    t->entry[t->count] = (struct service){.code = code};
    t->number[code] = (uint16_t)++t->count;
    return OK;
}

static double sources_of(const struct service *s)
{
    return s->stale ? distinct_count(&s->distinct) : s->sources;
}

static size_t least_entry(struct services *t)
{
    size_t least = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct service *s = &t->entry[i];
        s->sources = sources_of(s);
        s->stale = false;
        if (s->sources < t->entry[least].sources)
            least = i;
    }
    t->least = t->entry[least].sources;
    return least;
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
}

/* Give every service of the window that deserves one a place in the table. */
static enum err place_services(struct services *t, const struct contacts *contacts)
{
    for (size_t i = 0; i < contacts->count; i++) {
        const struct contact *c = &contacts->contact[i];
        uint32_t code = service_code(contact_proto(c), contact_service(c));
        if (contact_class(c) == CLASS_BACKSCATTER || t->number[code])
            continue;
        enum err e = t->count < SERVICES_MAX ? add_entry(t, code) : OK;
        if (e)
            return e;
        if (!t->number[code] && t->window[code] > t->least)
            replace_least(t, code);
    }
    return OK;
}

enum err services_add(struct services *t, const struct contacts *contacts)
{
    for (size_t i = 0; i < contacts->count; i++) {
        const struct contact *c = &contacts->contact[i];
        if (contact_class(c) != CLASS_BACKSCATTER)
            t->window[service_code(contact_proto(c), contact_service(c))]++;
    }
    enum err e = place_services(t, contacts);
    for (size_t i = 0; i < contacts->count; i++) {
        const struct contact *c = &contacts->contact[i];
        uint32_t code = service_code(contact_proto(c), contact_service(c));
        t->window[code] = 0;
        if (contact_class(c) == CLASS_BACKSCATTER || !t->number[code])
            continue;
        struct service *s = &t->entry[t->number[code] - 1];
        s->packets += c->packets;
        distinct_add(&s->distinct, c->src);
        s->stale = true;
    }
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
        order[i] = (struct ranked){&t->entry[i], sources_of(&t->entry[i])};
    qsort(order, t->count, sizeof *order, busier_first);
    size_t count = t->count < cap ? t->count : cap;
    for (size_t i = 0; i < count; i++)
        ret_ports[i] = port_of(&order[i]);
    free(order);
    return count;
}
