#ifndef API_LOSSES_INT_H
#define API_LOSSES_INT_H

#include "api/api.h"

/* What does not work under a site's policy, as answers tell it. */

/* A need that is not served: fits Need of openapi.yaml, with who has it. */
json_t *loss_json(const struct anon_loss *loss);

/* The same with what the site would have to let out for it to be served: fits Loss. */
json_t *loss_remedy_json(const struct anon_loss *loss);

/**
 * An array of Loss: what of the usual analyses does not work under a policy.
 *
 * @param before what does not work under this one, either, is left out; NULL: all are told.
 */
json_t *losses_json(const struct api_parts *parts, const struct anon_policy *policy,
    const struct anon_policy *before);

#endif
