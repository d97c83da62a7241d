#ifndef API_HUB_INT_H
#define API_HUB_INT_H

#include "api/request_int.h"

/* What the hub tells of itself; new references. */
json_t *hub_datasets(struct request *r);
enum err hub_store_usage(struct request *r, json_t **ret_usage) MUST_CHECK;

#endif
