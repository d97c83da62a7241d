#include "anon/anon_int.h"

#include "base/clock.h"
#include "record/proto.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 60, /* of a contact's window */
    PORT_REGISTERED = 1024,
    PORT_DYNAMIC = 49152,
};

/* How far back the site's times go: whole hours, so that windows stay windows, or whole minutes
 * where even one hour would be too much. */
static int64_t shift_back(const struct anon_rule *rule, const struct anon_keys *keys)
{
    static const char context[] = "kizashi time shift";
    uint8_t secret[ANON_SECRET];
    uint8_t digest[crypto_generichash_BYTES_MIN];
    uint64_t draw;
    if (rule->method != ANON_SHIFT)
        return 0;
    anon_keys_site(keys, secret);
    crypto_generichash(
        digest, sizeof digest, (const uint8_t *)context, sizeof context, secret, sizeof secret);
    memcpy(&draw, digest, sizeof draw);
    sodium_memzero(secret, sizeof secret);
    int64_t step = rule->us >= 2 * US_HOUR ? US_HOUR : US_MINUTE;
    return step * (int64_t)(1 + draw % (uint64_t)(rule->us / step));
}

enum err anon_new(struct anon **ret_anon, const struct anon_policy *policy,
    struct anon_keys *keys, int64_t window)
{
    struct anon *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->policy = *policy;
    a->keys = keys;
    a->slot = (window ? window : 10 * US_MINUTE) / SLOTS;
    a->back = shift_back(&policy->rule[ANON_TIME], keys);
    *ret_anon = a;
    return OK;
}

void anon_free(struct anon *a)
{
    if (!a)
        return;
    for (unsigned i = 0; i < EPOCHS_OPEN; i++)
        if (a->open[i])
            epoch_close(&a->epoch[i]);
    free(a);
}

const struct anon_policy *anon_policy_of(const struct anon *a)
{
    return &a->policy;
}

int64_t anon_epoch_start(const struct anon *a, int64_t ts)
{
    return a->policy.epoch ? time_floor(ts, a->policy.epoch) : 0;
}

enum err anon_epoch(struct anon *a, int64_t ts, const struct epoch **ret_epoch, struct fault *f)
{
    int64_t start = anon_epoch_start(a, ts);
    for (unsigned i = 0; i < EPOCHS_OPEN; i++)
        if (a->open[i] && a->epoch[i].start == start) {
            a->latest = i;
            *ret_epoch = &a->epoch[i];
            return OK;
        }
    uint8_t secret[ANON_SECRET];
    enum err e =
        anon_keys_epoch(a->keys, a->policy.epoch, a->policy.old_epochs, start, secret, f);
    if (e)
        return e;
    unsigned other = (a->latest + 1) % EPOCHS_OPEN;
    struct epoch fresh;
    e = epoch_open(&fresh, &a->policy, start, secret);
    sodium_memzero(secret, sizeof secret);
    if (e)
        return fault_set(f, e, "anonymisation: %s", err_text(e));
    if (a->open[other])
        epoch_close(&a->epoch[other]);
    a->epoch[other] = fresh;
    sodium_memzero(&fresh, sizeof fresh);
    a->open[other] = true;
    a->latest = other;
    a->counts.epochs++;
    *ret_epoch = &a->epoch[other];
    return OK;
}

int64_t anon_time(const struct anon *a, int64_t ts)
{
    const struct anon_rule *rule = &a->policy.rule[ANON_TIME];
    return rule->method == ANON_ROUND ? time_floor(ts, rule->us) : ts - a->back;
}

uint16_t anon_port(const struct anon *a, enum anon_field field, uint8_t proto, uint16_t port)
{
    enum anon_method method = a->policy.rule[field].method;
    if (method == ANON_KEEP || (proto != PROTO_TCP && proto != PROTO_UDP))
        return port;
    if (method == ANON_DROP || port < PORT_REGISTERED)
        return 0;
    return port < PORT_DYNAMIC ? PORT_REGISTERED : PORT_DYNAMIC;
}

enum err anon_addresses(struct anon *a, enum anon_field field, int64_t ts, struct ip *addresses,
    size_t count, struct fault *f)
{
    assert(field == ANON_SOURCE || field == ANON_DESTINATION);
    const struct epoch *epoch;
    enum err e = anon_epoch(a, ts, &epoch, f);
    if (!e)
        address_map(&epoch->address[field], addresses, count);
    return e;
}

void anon_counts(const struct anon *a, struct anon_counts *ret_counts)
{
    *ret_counts = a->counts;
}
