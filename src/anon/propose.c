#include "anon/propose.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>

static_assert((int)NEED_SOURCE == (int)ANON_SOURCE && (int)NEED_TIME == (int)ANON_TIME &&
                  (int)NEED_PLACE == (int)ANON_PLACE && (int)NEED_URL == (int)ANON_URL &&
                  (int)NEED_FIELDS == (int)ANON_FIELDS,
    "needs are about the fields of policies, in their order");

/* What survives a rule: relations, and how much where they have a measure. */
struct gives {
    unsigned relations;
    uint8_t ipv4, ipv6;
    uint16_t bytes;
    int64_t resolution; /* us */
    int64_t moved;      /* times: how far at most, us */
};

enum {
    EVERYTHING = NEED_VALUE | NEED_EQUAL | NEED_PREFIX | NEED_ORDER | NEED_PART | NEED_ACROSS,
    IPV4_BITS = 32,
    IPV6_BITS = 128,
    PAYLOAD_BYTES = 256,
};

static const unsigned relations_of[ANON_METHODS] = {
    [ANON_KEEP] = EVERYTHING,
    [ANON_TRUNCATE] = NEED_PART,
    [ANON_PREFIX] = NEED_EQUAL | NEED_PREFIX,
    [ANON_HASH] = NEED_EQUAL,
    [ANON_CLASS] = NEED_PART,
    [ANON_ROUND] = NEED_VALUE | NEED_ORDER | NEED_ACROSS,
    [ANON_SHIFT] = NEED_ORDER,
    [ANON_FIRST] = NEED_EQUAL | NEED_ORDER | NEED_PART,
    [ANON_LENGTH] = NEED_ORDER,
    [ANON_RELATION] = NEED_EQUAL,
    [ANON_COUNTRY] = NEED_PART | NEED_ACROSS,
    [ANON_DOMAIN] = NEED_PART | NEED_ACROSS,
    [ANON_DROP_QUERY] = NEED_PART | NEED_PREFIX,
    [ANON_PATH_HASH] = NEED_PART | NEED_EQUAL,
    [ANON_HOST] = NEED_PART,
    [ANON_DROP] = 0,
};

static struct gives gives_of(enum anon_field field, const struct anon_rule *r)
{
    bool all = r->method == ANON_KEEP;
    struct gives g = {.relations = relations_of[r->method], .resolution = 1};
    if (r->method == ANON_HASH && field == ANON_PAYLOAD)
        g.relations |= NEED_ORDER; /* the length is told beside it */
    if (r->method == ANON_HASH && field == ANON_DNS)
        g.relations |= NEED_PREFIX;
    if (r->method == ANON_ROUND)
        g.resolution = r->us;
    if (r->method == ANON_SHIFT)
        g.moved = r->us;
    g.ipv4 = all ? IPV4_BITS : r->ipv4;
    g.ipv6 = all ? IPV6_BITS : r->ipv6;
    g.bytes = all ? PAYLOAD_BYTES : r->bytes;
    return g;
}

bool anon_serves(const struct anon_rule *rule, const struct need *need)
{
    struct gives g = gives_of((enum anon_field)need->field, rule);
    if (need->relations & ~g.relations)
        return false;
    if (need->field == NEED_TIME && need->resolution && g.resolution > need->resolution)
        return false;
    return g.ipv4 >= need->ipv4 && g.ipv6 >= need->ipv6 && g.bytes >= need->bytes;
}

bool anon_within(
    enum anon_field field, const struct anon_rule *rule, const struct anon_rule *most)
{
    struct gives a = gives_of(field, rule), b = gives_of(field, most);
    return !(a.relations & ~b.relations) && a.ipv4 <= b.ipv4 && a.ipv6 <= b.ipv6 &&
           a.bytes <= b.bytes && a.resolution >= b.resolution && a.moved >= b.moved;
}

static bool ends(const struct need *need)
{
    return !need || !need->without;
}

void anon_losses(const struct anon_policy *policy, const struct anon_wish *wishes, size_t count,
    struct anon_losses *ret_losses)
{
    *ret_losses = (struct anon_losses){.count = 0};
    for (size_t i = 0; i < count; i++)
        for (const struct need *need = wishes[i].needs; !ends(need); need++) {
            if (anon_serves(&policy->rule[need->field], need) ||
                ret_losses->count == ANON_LOSSES_MAX)
                continue;
            ret_losses->loss[ret_losses->count++] =
                (struct anon_loss){.who = wishes[i].who, .need = need};
            ret_losses->vital += need->vital;
        }
}

/* How much all needs of a field ask for together, where that has a measure. */
struct measure {
    uint8_t ipv4, ipv6;
    uint16_t bytes;
    int64_t resolution;
};

static void measure_add(struct measure *m, const struct need *need)
{
    m->ipv4 = need->ipv4 > m->ipv4 ? need->ipv4 : m->ipv4;
    m->ipv6 = need->ipv6 > m->ipv6 ? need->ipv6 : m->ipv6;
    m->bytes = need->bytes > m->bytes ? need->bytes : m->bytes;
    if (need->resolution && need->resolution < m->resolution)
        m->resolution = need->resolution;
}

static struct measure measure_of(
    enum anon_field field, const struct anon_wish *wishes, size_t count)
{
    struct measure m = {.resolution = US_DAY};
    for (size_t i = 0; i < count; i++)
        for (const struct need *need = wishes[i].needs; !ends(need); need++)
            if ((enum anon_field)need->field == field)
                measure_add(&m, need);
    return m;
}

/* A rule of a method that gives what is asked for, or, where the site demands less, that. */
static struct anon_rule rule_of(
    enum anon_method method, const struct measure *m, const struct anon_rule *most)
{
    struct anon_rule r = {.method = method};
    bool same = most->method == method;
    if (method == ANON_TRUNCATE) {
        r.ipv4 = same && most->ipv4 < m->ipv4 ? most->ipv4 : m->ipv4;
        r.ipv6 = same && most->ipv6 < m->ipv6 ? most->ipv6 : m->ipv6;
    }
    if (method == ANON_FIRST) {
        r.bytes = m->bytes ? m->bytes : 1;
        r.bytes = same && most->bytes < r.bytes ? most->bytes : r.bytes;
    }
    if (method == ANON_ROUND)
        r.us = same && most->us > m->resolution ? most->us : m->resolution;
    if (method == ANON_SHIFT)
        r.us = same ? most->us : 30 * US_DAY;
    return r;
}

/* How well a rule serves: vital needs count before all others. */
static size_t served(const struct anon_rule *rule, enum anon_field field,
    const struct anon_wish *wishes, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        for (const struct need *need = wishes[i].needs; !ends(need); need++)
            if ((enum anon_field)need->field == field && anon_serves(rule, need))
                sum += need->vital ? 1000 : 1;
    return sum;
}

void anon_propose(const struct anon_policy *most, const struct anon_wish *wishes, size_t count,
    struct anon_policy *ret_policy)
{
    struct anon_policy p = *most;
    for (enum anon_field field = 0; field < ANON_FIELDS; field++) {
        const struct anon_field_row *row = &anon_fields[field];
        struct measure m = measure_of(field, wishes, count);
        size_t best = served(&most->rule[field], field, wishes, count);
        /* From the most revealing on: a later one that serves as well is taken instead. */
        for (size_t i = 0; i < row->method_count; i++) {
            struct anon_rule r = rule_of(row->methods[i], &m, &most->rule[field]);
            size_t now = served(&r, field, wishes, count);
            if (!anon_within(field, &r, &most->rule[field]) || now < best)
                continue;
            best = now;
            p.rule[field] = r;
        }
    }
    p.one_key = most->one_key && p.rule[ANON_SOURCE].method == p.rule[ANON_DESTINATION].method;
    *ret_policy = p;
}

struct anon_rule anon_least(enum anon_field field, enum anon_method method,
    const struct anon_rule *most, const struct anon_wish *wishes, size_t count)
{
    struct measure m = measure_of(field, wishes, count);
    return rule_of(method, &m, most);
}

bool anon_rule_for(const struct need *need, struct anon_rule *ret_rule)
{
    static const struct anon_rule keep = {.method = ANON_KEEP};
    const struct anon_field_row *row = &anon_fields[need->field];
    struct measure m = {.resolution = US_DAY};
    measure_add(&m, need);
    for (size_t i = row->method_count; i-- > 0;) {
        struct anon_rule r = rule_of(row->methods[i], &m, &keep);
        if (!anon_serves(&r, need))
            continue;
        *ret_rule = r;
        return true;
    }
    return false;
}

const char *need_format(const struct need *need, char text[128])
{
    static const struct {
        unsigned relation;
        const char *text;
    } rows[] = {
        {NEED_VALUE, "the value itself"},
        {NEED_EQUAL, "equality"},
        {NEED_PREFIX, "common prefixes"},
        {NEED_ORDER, "order and distance"},
        {NEED_PART, "its coarser part"},
        {NEED_ACROSS, "equality across sites"},
    };
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (need->relations & rows[i].relation)
            used += (size_t)snprintf(
                text + used, 128 - used, "%s%s", used ? ", " : "", rows[i].text);
    char step[TIME_TEXT];
    if (need->resolution)
        snprintf(
            text + used, 128 - used, " within %s", duration_format(need->resolution, step));
    else if (need->bytes)
        snprintf(text + used, 128 - used, " (%u bytes)", need->bytes);
    else if (need->ipv4 || need->ipv6)
        snprintf(text + used, 128 - used, " (/%u, /%u)", need->ipv4, need->ipv6);
    return text;
}
