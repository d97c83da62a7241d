#ifndef ANON_QUESTION_H
#define ANON_QUESTION_H

#include "anon/propose.h"

/* The questionnaire about a policy, in words of people who are no cryptographers: what is asked
 * about each field, and what each answer means. */

/* "Which service was asked?" */
const char *anon_question(enum anon_field field);

/* What leaves of a field by a method, one sentence; NULL: the field does not take it. */
const char *anon_answer(enum anon_field field, enum anon_method method);

/* A method as an answer that is offered: with the measures that the wishes ask for, and where
 * `held` has that method already, with its. */
struct anon_rule anon_offer(enum anon_field field, enum anon_method method,
    const struct anon_rule *held, const struct anon_wish *wishes, size_t count);

#endif
