#include "fleet/limit.h"

#include "base/clock.h"

/* Methods stand in their row the most revealing first. */
static size_t rank(const struct anon_field_row *row, enum anon_method method)
{
    size_t i = 0;
    while (i < row->method_count && row->methods[i] != method)
        i++;
    return i;
}

/* The same method with more of what it keeps. */
static bool keeps_more(const struct anon_rule *limit, const struct anon_rule *wanted)
{
    switch (wanted->method) {
    case ANON_TRUNCATE:
        return wanted->ipv4 > limit->ipv4 || wanted->ipv6 > limit->ipv6;
    case ANON_FIRST:
        return wanted->bytes > limit->bytes;
    case ANON_ROUND:
    case ANON_SHIFT:
        return wanted->us < limit->us;
    default:
        return false;
    }
}

/* 0 is for ever. */
static bool longer(int64_t limit, int64_t wanted)
{
    return limit && (!wanted || wanted > limit);
}

enum err limit_check(
    const struct anon_policy *limit, const struct anon_policy *wanted, struct fault *f)
{
    for (size_t i = 0; i < ANON_FIELDS; i++) {
        const struct anon_field_row *row = &anon_fields[i];
        const struct anon_rule *most = &limit->rule[i];
        const struct anon_rule *want = &wanted->rule[i];
        size_t allowed = rank(row, most->method);
        size_t asked = rank(row, want->method);
        if (asked < allowed || (asked == allowed && keeps_more(most, want)))
            return fault_set(f, ERR_DENIED,
                "anonymisation.%s: %s reveals more than the site allows, which is %s%s",
                row->name, anon_method_name(want->method), anon_method_name(most->method),
                asked == allowed ? " with less kept" : "");
    }
    if (wanted->one_key && !limit->one_key)
        return fault_set(f, ERR_DENIED,
            "anonymisation.one_key: the site keeps the keys of both sides apart");
    if (longer(limit->epoch, wanted->epoch))
        return fault_set(
            f, ERR_DENIED, "anonymisation.epoch: the site changes its keys more often");
    if (wanted->old_epochs > limit->old_epochs)
        return fault_set(
            f, ERR_DENIED, "anonymisation.old_epochs: the site keeps fewer old keys");
    return OK;
}
