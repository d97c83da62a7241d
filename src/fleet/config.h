#ifndef FLEET_CONFIG_H
#define FLEET_CONFIG_H

#include "fleet/document.h"
#include "fleet/fleet.h"
#include "fleet/push.h"

/* Documents of sites at the hub: each change is checked, kept as a version with who and why,
 * noted in the audit log, pushed, and answered by the site with the time it took. */

struct fleet_change_wanted {
    const char *site;
    const struct site_document *document;
    int64_t base; /* the version that was changed; 0: any */
    const char *who;
    const char *note; /* why; "" for nothing */
};

struct fleet_changed {
    int64_t version;
    bool same;          /* nothing differs from the newest, so there is no new version */
    bool pushed;        /* false: it is tried again until it is */
    struct fault fault; /* why not */
};

/* Who pushes; NULL: nobody yet, what is changed waits. `push` is copied. Everything that the
 * catalogue holds is pushed by the next look. */
void fleet_push_by(struct fleet *fleet, const struct fleet_push *push);

/**
 * Make a document the site's newest.
 *
 * @return OK, also when it could not be pushed yet; ERR_NOTFOUND: no such site; ERR_EXISTS:
 * `base` is not the newest any more, somebody else was faster; ERR_DENIED: as fleet_check(); or
 * what the catalogue says.
 */
enum err fleet_configure(struct fleet *fleet, const struct fleet_change_wanted *wanted,
    int64_t now, struct fleet_changed *ret_changed, struct fault *f) MUST_CHECK;

/* What a site said that it does by itself: its version 0, and what it lets out at most. */
enum err fleet_own(struct fleet *fleet, const char *site, const struct site_document *own,
    int64_t now, struct fault *f) MUST_CHECK;

/**
 * Would the site take it, as far as the site has said?
 *
 * @return OK; ERR_DENIED: it reveals more than the site allows, or asks for bytes of payloads
 * that its anonymisation cuts off, which it did not before; or what the catalogue says.
 */
enum err fleet_check(struct fleet *fleet, const char *site, const struct site_document *wanted,
    struct fault *f) MUST_CHECK;

/* The newest version of a site's document. A site of the fleet without any has as version 0
 * what it does by itself, or the default if it has not said so yet. ERR_NOTFOUND: no such site.
 */
enum err fleet_newest(struct fleet *fleet, const char *site, struct site_document *ret_document,
    int64_t *ret_version, struct fault *f) MUST_CHECK;
/* One version of it; 0: what the site does by itself, or the default if it has not said so yet.
 * ERR_NOTFOUND: there is none. */
enum err fleet_version(struct fleet *fleet, const char *site, int64_t version,
    struct site_document *ret_document, struct fault *f) MUST_CHECK;

/* The newest document and the versions, newest first, each with what it changed: a new
 * reference that fits SiteConfig of openapi.yaml. */
enum err fleet_config(
    struct fleet *fleet, const char *site, json_t **ret_config, struct fault *f) MUST_CHECK;

/**
 * Ask a site to do something to itself. It is in the catalogue and the audit log before it is
 * pushed; `id` of `action` and its time are set here.
 *
 * @return OK: the bus has it, and the site answers within minutes; ERR_NOTFOUND: no such site;
 * ERR_BUSY: it has yet to answer the one before; ERR_IO: the bus does not take it.
 */
struct fleet_asked {
    const char *site;
    const struct site_action *action;
    const char *who;
};
enum err fleet_act(struct fleet *fleet, const struct fleet_asked *asked, int64_t now,
    int64_t *ret_id, struct fault *f) MUST_CHECK;

/* What was done to a site from afar, newest first: a new reference that fits SiteActions. */
enum err fleet_actions(struct fleet *fleet, const char *site, json_t **ret_actions) MUST_CHECK;

/* Push again what could not be pushed. Called by fleet_look(). */
void fleet_push_pending(struct fleet *fleet, int64_t now);

#endif
