#ifndef STORE_CATALOG_RULES_INT_H
#define STORE_CATALOG_RULES_INT_H

#include "store/catalog_int.h"
#include "store/catalog_rules.h"

/* The rules that are in force, for as long as one transaction lasts. */
struct rule_list {
    struct rule_kept *list; /* owned */
    size_t count, room;
};

enum err suppressions_load(
    struct catalog *c, struct rule_list *rules, struct fault *f) MUST_CHECK;
void suppressions_done(struct rule_list *rules);

/* Within a transaction, after an alert was written: find the rule that covers it, or let it
 * come back. */
enum err suppressions_apply(struct catalog *c, const struct rule_list *rules, const char *id,
    int64_t now, struct fault *f) MUST_CHECK;

#endif
