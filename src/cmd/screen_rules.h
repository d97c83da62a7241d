#ifndef CMD_SCREEN_RULES_H
#define CMD_SCREEN_RULES_H

#include "base/conf.h"
#include "base/err.h"

#include <stddef.h>

/* Screening rules on captures: what `screen rules` does with them. */

/* Learn rules from captures and labels, write them to --out, and say how they do. */
enum err screen_rules_propose(
    const struct conf *conf, size_t count, char **operands, struct fault *f) MUST_CHECK;

/* How many sources each rule of --try fits, and with labels, how often rightly. */
enum err screen_rules_try(
    const struct conf *conf, size_t count, char **operands, struct fault *f) MUST_CHECK;

#endif
