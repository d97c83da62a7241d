#ifndef FLEET_LIMIT_H
#define FLEET_LIMIT_H

#include "anon/policy.h"

/**
 * A site's own limit: the most that it lets out, whoever asks. A document from the hub may hide
 * more than the limit, never less.
 *
 * @return OK; ERR_DENIED: the fault names the first member that would reveal more, and what the
 * site allows.
 */
enum err limit_check(const struct anon_policy *limit, const struct anon_policy *wanted,
    struct fault *f) MUST_CHECK;

#endif
