#ifndef ANON_WORD_H
#define ANON_WORD_H

#include "anon/policy.h"

/* A rule as a person types it: "keep", "truncate:24,48", "first:64", "round:1s", "shift:30d".
 */

enum {
    ANON_WORD = 64
};

/**
 * The word as a document has it, a new reference; NULL: out of memory. Whether the field takes
 * it says anon_policy_read(): measures that are no numbers are passed on as they are. Without a
 * second number the prefix of IPv6 is twice as long as that of IPv4.
 */
json_t *anon_word_json(const char *word);

/* The other way; returns `word`. */
const char *anon_rule_word(const struct anon_rule *r, char word[ANON_WORD]);

#endif
