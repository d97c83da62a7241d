#include "anon/policy.h"

#include "base/clock.h"

#include <string.h>

#define METHODS(...)                                                                           \
    .methods = (const enum anon_method[]){__VA_ARGS__},                                        \
    .method_count = sizeof(const enum anon_method[]){__VA_ARGS__} / sizeof(enum anon_method)

const struct anon_field_row anon_fields[ANON_FIELDS] = {
    [ANON_SOURCE] = {.name = "source",
        .text = "Addresses of who sent.",
        METHODS(ANON_KEEP, ANON_TRUNCATE, ANON_PREFIX, ANON_HASH, ANON_DROP)},
    [ANON_DESTINATION] = {.name = "destination",
        .text = "Addresses of the telescope.",
        METHODS(ANON_KEEP, ANON_TRUNCATE, ANON_PREFIX, ANON_HASH, ANON_DROP)},
    [ANON_SOURCE_PORT] = {.name = "source_port",
        .text = "Ports that were sent from.",
        METHODS(ANON_KEEP, ANON_CLASS, ANON_DROP)},
    [ANON_DESTINATION_PORT] = {.name = "destination_port",
        .text = "Ports that were asked.",
        METHODS(ANON_KEEP, ANON_CLASS, ANON_DROP)},
    [ANON_TIME] = {.name = "time",
        .text = "When packets came.",
        METHODS(ANON_KEEP, ANON_ROUND, ANON_SHIFT)},
    [ANON_PAYLOAD] = {.name = "payload",
        .text = "What packets carry.",
        METHODS(ANON_KEEP, ANON_FIRST, ANON_HASH, ANON_LENGTH, ANON_DROP)},
    [ANON_NUMBERS] = {.name = "numbers",
        .text = "IP identification and TCP sequence numbers, into which tools write the "
                "destination.",
        METHODS(ANON_KEEP, ANON_RELATION, ANON_DROP)},
    [ANON_PLACE] = {.name = "place",
        .text = "Country and network of the source.",
        METHODS(ANON_KEEP, ANON_COUNTRY, ANON_DROP)},
    [ANON_DNS] = {.name = "dns",
        .text = "Names in DNS logs and messages.",
        METHODS(ANON_KEEP, ANON_DOMAIN, ANON_HASH, ANON_DROP)},
    [ANON_URL] = {.name = "url",
        .text = "URLs in logs.",
        METHODS(ANON_KEEP, ANON_DROP_QUERY, ANON_PATH_HASH, ANON_HOST, ANON_DROP)},
};

const char *anon_method_name(enum anon_method m)
{
    static const char *const names[ANON_METHODS] = {
        [ANON_KEEP] = "keep",
        [ANON_PREFIX] = "prefix",
        [ANON_HASH] = "hash",
        [ANON_TRUNCATE] = "truncate",
        [ANON_CLASS] = "class",
        [ANON_ROUND] = "round",
        [ANON_SHIFT] = "shift",
        [ANON_FIRST] = "first",
        [ANON_LENGTH] = "length",
        [ANON_RELATION] = "relation",
        [ANON_COUNTRY] = "country",
        [ANON_DOMAIN] = "domain",
        [ANON_DROP_QUERY] = "drop-query",
        [ANON_PATH_HASH] = "path-hash",
        [ANON_HOST] = "host",
        [ANON_DROP] = "drop",
    };
    return m < ANON_METHODS ? names[m] : "";
}

void anon_policy_open(struct anon_policy *ret_policy)
{
    *ret_policy = (struct anon_policy){.epoch = 7 * US_DAY, .old_epochs = 1};
}

void anon_policy_default(struct anon_policy *ret_policy)
{
    anon_policy_open(ret_policy);
    ret_policy->rule[ANON_DESTINATION].method = ANON_HASH;
    ret_policy->rule[ANON_NUMBERS].method = ANON_RELATION;
    ret_policy->rule[ANON_PAYLOAD] = (struct anon_rule){.method = ANON_FIRST, .bytes = 64};
    ret_policy->rule[ANON_DNS].method = ANON_HASH;
    ret_policy->rule[ANON_URL].method = ANON_PATH_HASH;
}

bool anon_policy_same(const struct anon_policy *a, const struct anon_policy *b)
{
    for (size_t i = 0; i < ANON_FIELDS; i++) {
        const struct anon_rule *x = &a->rule[i], *y = &b->rule[i];
        if (x->method != y->method || x->ipv4 != y->ipv4 || x->ipv6 != y->ipv6 ||
            x->bytes != y->bytes || x->us != y->us)
            return false;
    }
    return a->one_key == b->one_key && a->epoch == b->epoch && a->old_epochs == b->old_epochs;
}
