#ifndef FLEET_ACTION_H
#define FLEET_ACTION_H

#include "base/bytes.h"
#include "base/json.h"

#include <stdint.h>

/* What a site is asked to do to itself. It travels beside the site's document; the sensor puts
 * it into a file, and a unit of the site's own, which the site may leave off, does it.
 *
 * X(id, word, sentence) */
#define SITE_ACTIONS(X)                                                                        \
    X(ACTION_RESTART, "restart", "Restart a service of kizashi.")                              \
    X(ACTION_UPGRADE, "upgrade", "Bring the package kizashi to the newest version.")           \
    X(ACTION_REBOOT, "reboot", "Start the machine again.")

enum site_action_kind {
#define X(id, word, sentence) id,
    SITE_ACTIONS(X)
#undef X
    SITE_ACTION_KINDS
};

enum {
    SITE_ACTION_SERVICE = 64,
    SITE_ACTION_WAIT_S = 300 /* how long after it was asked for it may begin */
};

struct site_action {
    int64_t id; /* growing; 0: none */
    enum site_action_kind kind;
    char service[SITE_ACTION_SERVICE]; /* ACTION_RESTART: "kizashi-..." */
    int64_t until;                     /* not to be begun after this */
};

const char *site_action_name(enum site_action_kind k);
/* ERR_BAD: no such action; a restart without a service of kizashi, or another with one. */
enum err site_action_parse(const char *word, const char *service,
    struct site_action *ret_action, struct fault *f) MUST_CHECK;

/* {"id": 7, "what": "restart", "service": "kizashi-sensor", "until": "..."}: a new reference.
 */
json_t *site_action_json(const struct site_action *a);
enum err site_action_read(
    const json_t *value, struct site_action *ret_action, struct fault *f) MUST_CHECK;

#endif
