#include "anon/publication.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void publication_default(struct publication_policy *ret_policy)
{
    *ret_policy = (struct publication_policy){.step = US_HOUR,
        .delay = 2 * US_HOUR,
        .jitter = 2 * US_HOUR,
        .least_sources = 250,
        .least_sites = 3,
        .most_rows = 25,
        .round = 2,
        .noise = 0.1,
        .merge_sites = true};
}

void publication_open(struct publication_policy *ret_policy)
{
    *ret_policy = (struct publication_policy){
        .step = 10 * US_MINUTE, .least_sources = 1, .least_sites = 1};
}

/* A draw of Laplace's distribution that belongs to a secret, a step and a key. */
static double laplace(uint64_t secret, int64_t start, uint32_t key)
{
    struct rng r;
    rng_seed(&r, hash_two(hash_two(secret, (uint64_t)start), key));
    double x = rng_exponential(&r);
    return rng_u64(&r) >> 63 ? x : -x;
}

/* Down to 2^(n / order), as a whole number. */
static uint64_t round_down(double value, uint32_t order)
{
    if (value < 1.0)
        return 0;
    if (!order)
        return (uint64_t)value;
    double exponent = floor(log2(value) * order + 1e-9) / order;
    return (uint64_t)(exp2(exponent) + 0.5);
}

static int larger_first(const void *a, const void *b)
{
    const struct publication_row *x = a, *y = b;
    if (x->sources != y->sources)
        return x->sources < y->sources ? 1 : -1;
    return (x->key > y->key) - (x->key < y->key);
}

size_t publication_rows(const struct publication_policy *p, uint64_t secret, int64_t start,
    struct publication_row *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct publication_row row = rows[i];
        double value = (double)row.sources;
        value += p->noise * value * laplace(secret, start, row.key);
        /* The count and what is told of it must both reach the least: noise lets nobody in. */
        if (row.sources < p->least_sources || value < p->least_sources ||
            row.sites < p->least_sites)
            continue;
        row.sources = round_down(value, p->round);
        rows[kept++] = row;
    }
    qsort(rows, kept, sizeof *rows, larger_first);
    return p->most_rows && kept > p->most_rows ? p->most_rows : kept;
}

int64_t publication_time(const struct publication_policy *p, uint64_t secret, int64_t start)
{
    struct rng r;
    rng_seed(&r, hash_two(hash_two(secret, (uint64_t)start), UINT64_MAX));
    int64_t later = (int64_t)(rng_unit(&r) * (double)p->jitter);
    return start + p->step + p->delay + later;
}

/* Members as rows: name, where, and what is allowed. */
static const struct member {
    const char *name;
    enum {
        MEMBER_DURATION,
        MEMBER_COUNT,
        MEMBER_SHARE,
        MEMBER_FLAG
    } kind;
    size_t offset;
    double least, most;
    const char *allowed;
} members[] = {
#define AT(member) offsetof(struct publication_policy, member)
    {"step", MEMBER_DURATION, AT(step), 60, 86400, "a duration from 1m to 1d"},
    {"delay", MEMBER_DURATION, AT(delay), 0, 31536000, "a duration of at most 365d"},
    {"jitter", MEMBER_DURATION, AT(jitter), 0, 31536000, "a duration of at most 365d"},
    {"least_sources", MEMBER_COUNT, AT(least_sources), 1, 1e6,
        "a whole number from 1 to 1000000"},
    {"least_sites", MEMBER_COUNT, AT(least_sites), 1, 1024, "a whole number from 1 to 1024"},
    {"most_rows", MEMBER_COUNT, AT(most_rows), 0, 1e6,
        "a whole number up to 1000000, 0 for all"},
    {"round", MEMBER_COUNT, AT(round), 0, 16, "a whole number from 0 to 16"},
    {"noise", MEMBER_SHARE, AT(noise), 0, 1, "a number from 0 to 1"},
    {"merge_sites", MEMBER_FLAG, AT(merge_sites), 0, 0, "true or false"},
};

enum {
    MEMBERS = sizeof members / sizeof *members
};

static enum err not_allowed(const struct member *m, struct fault *f)
{
    return fault_set(f, ERR_BAD, "%s: must be %s", m->name, m->allowed);
}

static enum err duration_read(
    void *to, const struct member *m, const json_t *v, struct fault *f)
{
    int64_t us;
    if (!json_is_string(v) || duration_parse(json_string_value(v), &us) != OK ||
        us < (int64_t)m->least * US_SECOND || us > (int64_t)m->most * US_SECOND)
        return not_allowed(m, f);
    memcpy(to, &us, sizeof us);
    return OK;
}

static enum err member_read(
    struct publication_policy *p, const struct member *m, const json_t *v, struct fault *f)
{
    void *to = (char *)p + m->offset;
    double number = json_number_value(v);
    bool inside = number >= m->least && number <= m->most;
    switch (m->kind) {
    case MEMBER_DURATION:
        return duration_read(to, m, v, f);
    case MEMBER_COUNT:
        if (!json_is_integer(v) || !inside)
            return not_allowed(m, f);
        memcpy(to, &(uint32_t){(uint32_t)json_integer_value(v)}, sizeof(uint32_t));
        return OK;
    case MEMBER_SHARE:
        if (!json_is_number(v) || !inside)
            return not_allowed(m, f);
        memcpy(to, &number, sizeof number);
        return OK;
    case MEMBER_FLAG:
        break;
    }
    if (!json_is_boolean(v))
        return not_allowed(m, f);
    p->merge_sites = json_is_true(v);
    return OK;
}

enum err publication_read(
    struct publication_policy *ret_policy, const json_t *document, struct fault *f)
{
    struct publication_policy p;
    const char *name;
    json_t *value;
    publication_default(&p);
    if (!json_is_object(document))
        return fault_set(f, ERR_BAD, "a publication policy must be a JSON object");
    json_object_foreach((json_t *)(uintptr_t)document, name, value)
    {
        size_t i = 0;
        while (i < MEMBERS && strcmp(members[i].name, name) != 0)
            i++;
        enum err e = i < MEMBERS ? member_read(&p, &members[i], value, f)
                                 : fault_set(f, ERR_BAD,
                                       "%.40s: is no member of a publication policy", name);
        if (e)
            return e;
    }
    *ret_policy = p;
    return OK;
}

static json_t *member_json(const struct publication_policy *p, const struct member *m)
{
    const char *at = (const char *)p + m->offset;
    int64_t us;
    uint32_t count;
    switch (m->kind) {
    case MEMBER_DURATION:
        memcpy(&us, at, sizeof us);
        return us % US_SECOND ? json_sprintf("%lldus", (long long)us)
                              : json_sprintf("%llds", (long long)(us / US_SECOND));
    case MEMBER_COUNT:
        memcpy(&count, at, sizeof count);
        return json_integer(count);
    case MEMBER_SHARE:
        return json_real(p->noise);
    case MEMBER_FLAG:
        break;
    }
    return json_boolean(p->merge_sites);
}

json_t *publication_json(const struct publication_policy *p)
{
    json_t *document = json_object();
    for (size_t i = 0; i < MEMBERS; i++)
        json_object_set_new(document, members[i].name, member_json(p, &members[i]));
    return document;
}
