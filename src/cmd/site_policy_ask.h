#ifndef CMD_SITE_POLICY_ASK_H
#define CMD_SITE_POLICY_ASK_H

#include "anon/propose.h"

/* The questionnaire: for each field what may leave at most, and, where that is less than the
 * analyses need, whether the site lets out more or they do without. Questions go to standard
 * error, answers come from standard input; an empty answer takes what stands in brackets, and
 * the end of the input takes it for all that is left. */
enum err site_policy_ask(const struct anon_policy *start, const struct anon_wish *wishes,
    size_t count, struct anon_policy *ret_policy, struct fault *f) MUST_CHECK;

/* What must go on working, of whoever did not say so by --for. Room for ANON_WISHES_MAX. */
void site_policy_ask_for(struct anon_wish *wishes, size_t *ret_count);

/* "truncate:24,48" as the rule of a field; the fault says what is allowed. */
enum err site_policy_word(
    struct anon_policy *p, enum anon_field field, const char *word, struct fault *f) MUST_CHECK;

/* "7d" or "never" as the time that a key is used. */
enum err site_policy_epoch(struct anon_policy *p, const char *word, struct fault *f) MUST_CHECK;

/* One line a loss, on standard error, with what the site would have to let out against it. */
void site_policy_losses(const struct anon_losses *losses, bool json);

#endif
