#ifndef STORE_CATALOG_RULES_H
#define STORE_CATALOG_RULES_H

#include "base/json.h"
#include "store/catalog.h"

/* Suppressions: what a person has called wrong or known is not shown again until a date. An
 * alert that a rule covers stays in the catalogue, marked with the rule's number; one that
 * grows out of every rule (a higher severity, a site or port or engine more, the date) comes
 * back as new, with the reason.
 *
 * A rule's scope is a JSON object with any of these members, of which there must be one:
 *   kind     the alert's kind is this
 *   engine   no other engine found it ("lead" apart)
 *   proto    the alert's protocol is this ...
 *   ports    ... and it has no other ports
 *   sites    it is at no other sites
 *   network  all of its sample of hosts lie in this prefix; never true where hosts are hidden
 */

enum {
    CATALOG_SCOPE = 6144, /* bytes of a scope */
    CATALOG_RULES = 1000, /* that are not revoked */
    CATALOG_BACK = 160
};

enum rule_part {
    RULE_KIND = 1,
    RULE_ENGINE = 2,
    RULE_PORT = 4,
    RULE_SITE = 8
};

/* "kind,port,site": names of parts with commas between them. */
enum err rule_parts_parse(const char *text, unsigned *ret_parts) MUST_CHECK;

/* The scope that covers this alert as it is, by these parts (bits), and the network if one is
 * given; a new reference. NULL: nothing is left to tell it by, or out of memory. */
json_t *rule_scope(const json_t *alert, unsigned among, const char *network);

struct catalog_rule {
    int64_t id;                   /* given by the catalogue */
    char alert[CATALOG_ALERT_ID]; /* that it was made for */
    char scope[CATALOG_SCOPE];
    enum severity severity;   /* it covers no higher one */
    enum catalog_state state; /* STATE_KNOWN or STATE_WRONG */
    char why[CATALOG_NOTE];
    char by[CATALOG_NAME];
    int64_t made;    /* wall clock */
    int64_t until;   /* alerts that last longer are shown */
    int64_t revoked; /* 0: not */
    char revoked_by[CATALOG_NAME];
    uint64_t alerts; /* that it covers now */
};

/* Takes effect on all alerts that are there, except those that somebody called right or has in
 * hand. Goes into the audit log. ERR_BAD: a scope that says nothing, no reason, or a date that
 * is not after `made`; ERR_FULL. */
enum err catalog_rule_add(struct catalog *c, const struct catalog_rule *r, int64_t *ret_id,
    struct fault *f) MUST_CHECK;

/* What it covered comes back, unless another rule covers it. ERR_NOTFOUND: no such rule, or it
 * is revoked. */
enum err catalog_rule_revoke(
    struct catalog *c, int64_t id, const char *by, int64_t now, struct fault *f) MUST_CHECK;

/* Newest first; revoked ones too. */
enum err catalog_rules(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_rule *r), void *context) MUST_CHECK;

#endif
