#include "sensor/dos_int.h"

#include "base/clock.h"
#include "sensor/classify.h"
#include "sensor/rows_int.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VECTORS_START = 256
};

#define BIN (10 * US_SECOND)

static int64_t bin_of(int64_t ts)
{
    return time_floor(ts, BIN) / BIN;
}

static struct dos_vector fresh(const struct ip *victim, uint8_t proto, int64_t ts)
{
    return (struct dos_vector){
        .victim = *victim, .proto = proto, .start = ts, .end = ts, .bin = bin_of(ts)};
}

static uint64_t hash_of(const struct dos *d, const struct ip *victim, uint8_t proto)
{
    return hash_two(ip_hash(victim) ^ d->secret, proto);
}

static enum err resize(struct dos *d, size_t room)
{
    struct index index;
    struct dos_vector *vector = realloc(d->vector, room * sizeof *vector);
    if (!vector)
        return ERR_NOMEM;
    d->vector = vector;
    if (index_init(&index, room))
        return ERR_NOMEM;
    index_done(&d->index);
    d->index = index;
    d->room = room;
    return OK;
}

/* Note every vector in an empty index. */
static void reindex(struct dos *d)
{
    for (size_t i = 0; i < d->count; i++) {
        uint64_t hash = hash_of(d, &d->vector[i].victim, d->vector[i].proto);
        uint32_t other;
        size_t p = index_first(&d->index, hash);
        while (index_at(&d->index, p, hash, &other))
            p = index_next(&d->index, p);
        enum err e = index_put(&d->index, p, hash, (uint32_t)i);
        assert(!e);
    }
}

enum err dos_init(struct dos *d, const struct sensor_dos_options *options, uint64_t secret,
    const struct geo *geo, const char *site)
{
    *d = (struct dos){.options = *options,
        .cap = options->vectors_max,
        .secret = secret,
        .geo = geo,
        .site = site};
    enum err e = resize(d, d->cap < VECTORS_START ? d->cap : VECTORS_START);
    if (!e)
        e = block_new(&d->out, &record_dos, record_dos.max_rows);
    if (e)
        dos_done(d);
    return e;
}

void dos_done(struct dos *d)
{
    index_done(&d->index);
    free(d->vector);
    block_free(d->out);
    *d = (struct dos){0};
}

void dos_open_window(struct dos *d)
{
    block_clear(d->out);
}

static bool is_attack(const struct dos *d, const struct dos_vector *v)
{
    return v->packets >= d->options.packets && v->end - v->start >= d->options.duration &&
           v->peak >= d->options.rate;
}

/* Estimate of the distinct addresses that were answered: HyperLogLog of 64 registers, standard
 * error 13 %, with linear counting where some register is still empty. */
static uint32_t count_targets(const struct dos_vector *v)
{
    const double m = DOS_REGISTERS;
    double sum = 0, empty = 0;
    for (int i = 0; i < DOS_REGISTERS; i++) {
        sum += ldexp(1, -v->targets[i]);
        empty += v->targets[i] == 0;
    }
    double estimate = 0.709 * m * m / sum;
    if (empty > 0 && estimate < 2.5 * m)
        estimate = m * log(m / empty);
    return estimate < UINT32_MAX ? (uint32_t)(estimate + 0.5) : UINT32_MAX;
}

static uint16_t main_port(const struct dos_vector *v)
{
    const struct dos_port *best = &v->port[0];
    for (int i = 1; i < DOS_PORTS; i++)
        if (v->port[i].count > best->count)
            best = &v->port[i];
    return best->port;
}

static enum err put_row(struct dos *d, struct dos_vector *v)
{
    static const struct row_columns columns = {
        .site = DOS_SITE, .class = SIZE_MAX, .country = DOS_COUNTRY};
    struct block *b = d->out;
    v->changed = false;
    if (b->rows == b->cap)
        return OK;
    struct row_words words;
    struct geo_place place;
    uint16_t country;
    if (v->place.told) {
        place.asn = v->place.asn;
        memcpy(place.country, v->place.country, sizeof place.country);
    } else {
        geo_find(d->geo, &v->victim, &place);
    }
    enum err e = rows_start(&words, b, &columns, d->site);
    if (!e)
        e = rows_country(&words, b, DOS_COUNTRY, place.country, &country);
    if (e)
        return e;
    size_t row = b->rows++;
    block_time(b, DOS_START)[row] = v->start;
    block_time(b, DOS_END)[row] = v->end;
    block_name(b, DOS_SITE)[row] = words.site;
    block_ip(b, DOS_VICTIM)[row] = v->victim;
    block_u8(b, DOS_PROTO)[row] = v->proto;
    block_u16(b, DOS_PORT)[row] = main_port(v);
    block_u64(b, DOS_PACKETS)[row] = v->packets;
    block_u32(b, DOS_PEAK_PPM)[row] = v->peak;
    block_u32(b, DOS_TARGETS)[row] = count_targets(v);
    block_name(b, DOS_COUNTRY)[row] = country;
    block_u32(b, DOS_ASN)[row] = place.asn;
    return OK;
}

/* Drop vectors that ended before `before` with fewer than `packets`; not the attacks whose row
 * is still to be written. */
static void thin(struct dos *d, int64_t before, uint64_t packets)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->count; i++) {
        const struct dos_vector *v = &d->vector[i];
        if ((v->changed && is_attack(d, v)) || v->end >= before || v->packets >= packets)
            d->vector[kept++] = *v;
    }
    d->count = kept;
    index_clear(&d->index);
    reindex(d);
}

/* Room for one more vector: forget those that have ended, then those of few packets that were
 * silent for a minute. False if there is none; then nobody asks again for ten seconds. */
static bool make_room(struct dos *d, int64_t now)
{
    int64_t bin = bin_of(now);
    if (bin == d->thinned)
        return false;
    thin(d, now - d->options.idle, UINT64_MAX);
    if (d->count > d->cap / 4 * 3)
        thin(d, now - US_MINUTE, d->options.packets);
    if (d->count > d->cap / 4 * 3)
        d->thinned = bin;
    return d->count < d->cap;
}

/* The vector of a victim, new if need be; NULL in *ret_vector if there is no room. */
static enum err find_vector(struct dos *d, const struct ip *victim, uint8_t proto, int64_t now,
    struct dos_vector **ret_vector)
{
    uint64_t hash = hash_of(d, victim, proto);
    uint32_t e;
    *ret_vector = NULL;
    for (size_t p = index_first(&d->index, hash); index_at(&d->index, p, hash, &e);
         p = index_next(&d->index, p)) {
        if (e != INDEX_OTHER && d->vector[e].proto == proto &&
            ip_same(&d->vector[e].victim, victim)) {
            *ret_vector = &d->vector[e];
            return OK;
        }
    }
    if (d->count == d->cap && !make_room(d, now))
        return OK;
    if (d->count == d->room) {
        enum err failed = resize(d, d->room * 2 < d->cap ? d->room * 2 : d->cap);
        if (failed)
            return failed;
        reindex(d);
    }
    size_t p = index_first(&d->index, hash);
    while (index_at(&d->index, p, hash, &e))
        p = index_next(&d->index, p);
    enum err failed = index_put(&d->index, p, hash, (uint32_t)d->count);
    if (failed)
        return failed;
    *ret_vector = &d->vector[d->count++];
    **ret_vector = fresh(victim, proto, now);
    return OK;
}

/* Misra-Gries: a port with more than a fifth of the packets is among the four. */
static void count_port(struct dos_vector *v, uint16_t port)
{
    struct dos_port *empty = NULL;
    for (int i = 0; i < DOS_PORTS; i++) {
        if (v->port[i].count && v->port[i].port == port) {
            v->port[i].count++;
            return;
        }
        if (!v->port[i].count && !empty)
            empty = &v->port[i];
    }
    if (empty)
        *empty = (struct dos_port){.port = port, .count = 1};
    else
        for (int i = 0; i < DOS_PORTS; i++)
            v->port[i].count--;
}

static void count_target(struct dos_vector *v, const struct ip *target)
{
    uint64_t hash = ip_hash(target);
    uint8_t rank = (uint8_t)(__builtin_clzll(hash << 6 | 1u << 5) + 1);
    uint8_t *kept = &v->targets[hash >> 58];
    if (rank > *kept)
        *kept = rank;
}

static unsigned bin_place(int64_t bin)
{
    int64_t place = bin % DOS_BINS;
    return (unsigned)(place < 0 ? place + DOS_BINS : place);
}

/* Late packets count into the latest bin. */
static void count_time(struct dos_vector *v, int64_t ts)
{
    int64_t bin = bin_of(ts);
    int64_t passed = bin - v->bin < DOS_BINS ? bin - v->bin : DOS_BINS;
    for (int64_t k = 0; k < passed; k++)
        v->in_bin[bin_place(bin - k)] = 0;
    if (bin > v->bin)
        v->bin = bin;
    v->in_bin[bin_place(v->bin)]++;
    uint32_t sum = 0;
    for (int i = 0; i < DOS_BINS; i++)
        sum += v->in_bin[i];
    if (sum > v->peak)
        v->peak = sum;
    if (ts > v->end)
        v->end = ts;
}

void dos_prefetch(const struct dos *d, const struct packet *p, unsigned step)
{
    struct ip victim = classify_victim(p);
    uint64_t hash = hash_of(d, &victim, p->proto);
    uint32_t e;
    if (step == 0) {
        index_prefetch(&d->index, hash);
        return;
    }
    for (size_t at = index_first(&d->index, hash); index_at(&d->index, at, hash, &e);
         at = index_next(&d->index, at)) {
        if (e == INDEX_OTHER)
            continue;
        const char *vector = (const char *)&d->vector[e];
        for (size_t byte = 0; byte < sizeof d->vector[e]; byte += 64)
            __builtin_prefetch(vector + byte);
        return;
    }
}

enum err dos_add(
    struct dos *d, const struct packet *p, const struct sensor_place *place, int64_t ts)
{
    struct ip victim = classify_victim(p);
    struct dos_vector *v;
    enum err e = find_vector(d, &victim, p->proto, ts, &v);
    if (e)
        return e;
    if (!v) {
        d->missed++;
        return OK;
    }
    if (ts - v->end >= d->options.idle) {
        if (v->changed && is_attack(d, v) && (e = put_row(d, v)))
            return e;
        *v = fresh(&victim, p->proto, ts);
    }
    if (place && place->told && ip_same(&victim, &p->src))
        v->place = *place;
    v->packets++;
    v->changed = true;
    count_port(v, classify_service(p, CLASS_BACKSCATTER));
    count_target(v, &p->dst);
    count_time(v, ts);
    return OK;
}

enum err dos_close_window(struct dos *d, int64_t now)
{
    for (size_t i = 0; i < d->count; i++) {
        struct dos_vector *v = &d->vector[i];
        if (!v->changed || !is_attack(d, v))
            continue;
        enum err e = put_row(d, v);
        if (e)
            return e;
    }
    thin(d, now - d->options.idle, UINT64_MAX);
    return OK;
}
