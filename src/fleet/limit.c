#include "fleet/limit.h"

#include "anon/propose.h"

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
        if (!anon_within((enum anon_field)i, want, most))
            return fault_set(f, ERR_DENIED,
                "anonymisation.%s: %s reveals more than the site allows, which is %s%s",
                row->name, anon_method_name(want->method), anon_method_name(most->method),
                want->method == most->method ? " with less kept" : "");
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
