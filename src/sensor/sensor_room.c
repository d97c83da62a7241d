/* Places for sources and contacts, and what happens when there are none left. */
#include "geo/geo.h"
#include "sensor/classify.h"
#include "sensor/sensor_int.h"
#include "sensor/survey.h"

#include <stdlib.h>

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

/* Hang all contacts on their sources again. */
static enum err hang_contacts(struct sensor *s)
{
    for (size_t i = 0; i < s->hosts.count; i++)
        s->hosts.host[i].chain = contact_chain_empty();
    for (size_t i = 0; i < s->contacts.count; i++) {
        struct host *h = &s->hosts.host[contact_host(&s->contacts.contact[i])];
        enum err e = contacts_hang(&s->contacts, &h->chain, (uint32_t)i);
        if (e)
            return e;
    }
    return OK;
}

/* Drop the sources that keep_host() refuses, and their contacts. */
static enum err drop_sources(struct sensor *s, bool present_only)
{
    uint32_t *moved = malloc((s->hosts.count + 1) * sizeof *moved);
    if (!moved)
        return ERR_NOMEM;
    struct keeping k = {.s = s, .present_only = present_only};
    sensor_note_examples(s);
    uint64_t before = contacts_packets(&s->contacts);
    hosts_filter(&s->hosts, keep_host, &k, moved);
    contacts_move(&s->contacts, moved);
    free(moved);
    s->counts.sampled_out += before - contacts_packets(&s->contacts);
    return hang_contacts(s);
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

void sensor_locate(const struct sensor *s, struct host *h)
{
    struct geo_place place;
    geo_find(s->shared.geo, &h->ip, &place);
    h->asn = place.asn;
    memcpy(h->country, place.country, sizeof h->country);
    h->located = true;
}

enum err sensor_find_host(
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
            struct host *h = &s->hosts.host[*ret_host];
            h->survey = s->shared.surveys ? (uint16_t)survey_find(s->shared.surveys, ip) : 0;
        }
        if (e != ERR_FULL)
            return e;
        e = make_room(s);
        if (e)
            return e;
    }
}

enum err sensor_find_contact(struct sensor *s, uint32_t *host, const struct packet *p,
    enum packet_class class, uint32_t *ret_contact)
{
    for (;;) {
        uint64_t key = contact_key(*host, p->proto, classify_service(p, class), class);
        struct host *h = &s->hosts.host[*host];
        if (h->window != s->window) {
            h->window = s->window;
            h->chain = contact_chain_empty();
        }
        enum err e = contacts_find(&s->contacts, &h->chain, key, ret_contact);
        if (e != ERR_FULL)
            return e;
        e = make_room(s);
        if (e)
            return e;
        e = sensor_find_host(s, &p->src, hosts_hash(&s->hosts, &p->src), host);
        if (e || *host == HOST_NONE)
            return e;
    }
}
