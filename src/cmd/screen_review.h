#ifndef CMD_SCREEN_REVIEW_H
#define CMD_SCREEN_REVIEW_H

#include "base/conf.h"
#include "base/err.h"

/* Screening rules before a person's eyes: what `screen rules` does without captures. */

/* Print the rules of --rules, or those built in. */
enum err screen_review_list(const struct conf *conf, struct fault *f) MUST_CHECK;

/* Move rules of --accept into the file --rules, with who, when and why. A file that is not
 * there is made; one that is there is replaced whole or stays as it is. */
enum err screen_review_accept(const struct conf *conf, struct fault *f) MUST_CHECK;

#endif
