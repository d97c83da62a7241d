#ifndef STORE_CATALOG_FLEET_H
#define STORE_CATALOG_FLEET_H

#include "store/catalog.h"

/* What the catalogue keeps of sites that run by themselves: how they were, the versions of
 * their documents, what was done to them from afar, and where their power is switched. As in
 * catalog.h every function is one transaction and durable when it returns OK. */

enum {
    CATALOG_SITE = RECORD_NAME_MAX + 1,
    CATALOG_WORD = 16,
    CATALOG_SENTENCE = 256,
    CATALOG_DOCUMENT = 64 << 10, /* bytes of a site's document */
    CATALOG_SITE_EVENTS = 20000  /* kept of one site; the oldest go first */
};

/* --- how sites were ------------------------------------------------------------------------
 */

struct catalog_site_event {
    int64_t seq;   /* given by the catalogue */
    int64_t time;  /* when it was noticed */
    int64_t since; /* when it began: an outage begins when the site was last heard */
    char site[CATALOG_SITE];
    char state[CATALOG_WORD];
    char reason[CATALOG_WORD]; /* "" for none */
    char detail[CATALOG_SENTENCE];
};

enum err catalog_site_event_add(
    struct catalog *c, const struct catalog_site_event *e, struct fault *f) MUST_CHECK;
/* Of one site, in order of seq: the last that was noticed before `from`, and all later ones. */
enum err catalog_site_events(struct catalog *c, const char *site, int64_t from,
    enum err (*each)(void *context, const struct catalog_site_event *e),
    void *context) MUST_CHECK;
/* The last of every site. */
enum err catalog_site_states(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_site_event *e),
    void *context) MUST_CHECK;

/* When a site was last heard. */
struct catalog_heard {
    char site[CATALOG_SITE];
    int64_t time;
};

/* When somebody last watched (0: never), and when sites were last heard by then; those that are
 * not named keep what they had. What happened between then and now is not known. */
enum err catalog_fleet_watched_put(struct catalog *c, int64_t time,
    const struct catalog_heard *heard, size_t count) MUST_CHECK;
enum err catalog_fleet_watched(struct catalog *c, int64_t *ret_time) MUST_CHECK;
/* In order of name. */
enum err catalog_sites_heard(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_heard *h), void *context) MUST_CHECK;

/* --- documents of sites --------------------------------------------------------------------
 */

struct catalog_config {
    char site[CATALOG_SITE];
    int64_t version; /* 1, 2, ... */
    int64_t time;
    char who[CATALOG_NAME];
    char note[CATALOG_SENTENCE];
    int64_t applied; /* when the site said so, by the hub's clock; 0: not yet */
    int64_t took;    /* us from the push to the site's word, as seen from the hub */
    char refused[CATALOG_SENTENCE]; /* why the site did not take it; "" */
    const char *document;           /* JSON; borrowed */
    size_t document_len;
};

/* Goes into the audit log, too. ERR_EXISTS: there is such a version already. */
enum err catalog_config_add(
    struct catalog *c, const struct catalog_config *config, struct fault *f) MUST_CHECK;
/* Version 0: the newest. `each` is called once. ERR_NOTFOUND. */
enum err catalog_config_find(struct catalog *c, const char *site, int64_t version,
    enum err (*each)(void *context, const struct catalog_config *config),
    void *context) MUST_CHECK;
/* Newest first; at most `limit`. */
enum err catalog_configs(struct catalog *c, const char *site, size_t limit,
    enum err (*each)(void *context, const struct catalog_config *config),
    void *context) MUST_CHECK;
/* The newest of every site. */
enum err catalog_configs_newest(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_config *config),
    void *context) MUST_CHECK;
/* What a site said that it does by itself, without any document: version 0, which is the newest
 * only while there is no other. Replaces what it said before; not in the audit log. */
enum err catalog_config_own_put(
    struct catalog *c, const struct catalog_config *config, struct fault *f) MUST_CHECK;
/* `each` is called once. ERR_NOTFOUND: it has not said so yet. */
enum err catalog_config_own(struct catalog *c, const char *site,
    enum err (*each)(void *context, const struct catalog_config *config),
    void *context) MUST_CHECK;
/* What the site made of a version. Not an error if there is none. */
enum err catalog_config_answer(
    struct catalog *c, const struct catalog_config *config, struct fault *f) MUST_CHECK;

/* --- where a site's power is switched ------------------------------------------------------
 */

struct catalog_power {
    char site[CATALOG_SITE];
    char kind[CATALOG_WORD]; /* "ipmi", "redfish" */
    char address[CATALOG_SENTENCE];
    char user[CATALOG_NAME];
    char secret[CATALOG_SENTENCE]; /* path of the file with the password: never the password */
};

enum err catalog_power_put(
    struct catalog *c, const struct catalog_power *p, struct fault *f) MUST_CHECK;
enum err catalog_power_find(
    struct catalog *c, const char *site, struct catalog_power *ret_power) MUST_CHECK;
/* Not an error if there is none. */
enum err catalog_power_remove(struct catalog *c, const char *site) MUST_CHECK;

/* --- what was done from afar ----------------------------------------------------------------
 */

struct catalog_action {
    int64_t id; /* given by the catalogue, growing */
    char site[CATALOG_SITE];
    char what[CATALOG_WORD];    /* "restart", "power-cycle" */
    char subject[CATALOG_NAME]; /* the service; "" */
    char who[CATALOG_NAME];
    int64_t asked;
    int64_t finished;              /* 0: not yet */
    char result[CATALOG_SENTENCE]; /* "" when it was done as asked; else why not */
};

/* Goes into the audit log, too. */
enum err catalog_action_add(struct catalog *c, const struct catalog_action *a, int64_t *ret_id,
    struct fault *f) MUST_CHECK;
/* Finished once: a second end changes nothing. */
enum err catalog_action_finish(
    struct catalog *c, int64_t id, int64_t time, const char *result) MUST_CHECK;
/* Newest first; at most `limit`. */
enum err catalog_actions(struct catalog *c, const char *site, size_t limit,
    enum err (*each)(void *context, const struct catalog_action *a), void *context) MUST_CHECK;

#endif
