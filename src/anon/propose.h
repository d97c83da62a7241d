#ifndef ANON_PROPOSE_H
#define ANON_PROPOSE_H

#include "anon/policy.h"
#include "record/need.h"

/* Between what a site demands and what analyses need: the least revealing policy that still
 * serves, and what it costs. */

/* One analysis: an engine or a view. */
struct anon_wish {
    const char *who;
    const struct need *needs; /* ends with a row whose `without` is NULL; may be NULL */
};

/* A need that a policy does not serve. */
struct anon_loss {
    const char *who;
    const struct need *need;
};

enum {
    ANON_LOSSES_MAX = 256,
    ANON_WISHES_MAX = 64
};

struct anon_losses {
    struct anon_loss loss[ANON_LOSSES_MAX];
    size_t count;
    size_t vital; /* of them */
};

/* Does a rule serve a need of its field? */
bool anon_serves(const struct anon_rule *rule, const struct need *need);

/* Does `rule` tell nothing that `most` would not? Not every two rules can be compared: a cut
 * address tells its network, a hashed one which packets belong together, and neither tells
 * less. */
bool anon_within(
    enum anon_field field, const struct anon_rule *rule, const struct anon_rule *most);

/* What no longer works under a policy. At most ANON_LOSSES_MAX are told. */
void anon_losses(const struct anon_policy *policy, const struct anon_wish *wishes, size_t count,
    struct anon_losses *ret_losses);

/**
 * The least revealing policy within what the site demands that serves all wishes; where a field
 * cannot serve all, the site prevails: most vital needs are served, then most needs, then least
 * is told.
 *
 * @param most what the site lets out at most; epoch and keys are taken over from it.
 */
void anon_propose(const struct anon_policy *most, const struct anon_wish *wishes, size_t count,
    struct anon_policy *ret_policy);

/* The rule of one method that gives what the wishes ask of a field, or, where `most` has the
 * method and demands less, that. */
struct anon_rule anon_least(enum anon_field field, enum anon_method method,
    const struct anon_rule *most, const struct anon_wish *wishes, size_t count);

/* "the value itself, within 10s"; returns `text`. */
const char *need_format(const struct need *need, char text[128]);

/* The least revealing rule, whatever the site demands, that serves one need: for the question
 * whether the site would let it out. False: no method does. */
bool anon_rule_for(const struct need *need, struct anon_rule *ret_rule);

#endif
