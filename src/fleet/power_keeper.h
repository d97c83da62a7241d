#ifndef FLEET_POWER_KEEPER_H
#define FLEET_POWER_KEEPER_H

#include "base/clock.h"
#include "fleet/power.h"
#include "store/catalog.h"

/* A process of its own that talks to management controllers, for a hub that may start no
 * program: it is begun before the hub gives that up, does one thing at a time when the hub asks
 * for it, and ends with the hub. */
struct power_keeper;

/* As this user if the caller is root (NULL: the caller's): it must be able to read the secrets'
 * files. Before the caller has threads. `helper` as power_run() wants it; may be NULL. */
enum err power_keeper_start(struct power_keeper **ret_keeper, const char *helper,
    const char *user, struct fault *f) MUST_CHECK;
/* NULL is fine. */
void power_keeper_stop(struct power_keeper *k);

/* As power_run(), from any thread; ERR_BUSY: something else is being switched. */
enum err power_keeper_run(struct power_keeper *k, const struct power_door *door,
    enum power_action action, bool *ret_on, struct fault *f) MUST_CHECK;

/* --- with who asked on record -------------------------------------------------------------
 */

struct power_asked {
    const char *site;
    enum power_action action;
    const char *who;
    struct clock clock;
    /* Who does it. */
    void *context;
    enum err (*run)(void *context, const struct power_door *door, enum power_action action,
        bool *ret_on, struct fault *f);
};

/* Everything but status is in the catalogue and its audit log before it is done, with its
 * result after. ERR_NOTFOUND: nobody said where the site's power is switched; else what `run`
 * returns. */
enum err power_switch(struct catalog *c, const struct power_asked *asked, bool *ret_on,
    struct fault *f) MUST_CHECK;

#endif
