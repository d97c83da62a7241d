#ifndef SCREEN_BUILTIN_H
#define SCREEN_BUILTIN_H

#include "screen/rule.h"

/* Add the rules by which surveys are told that no list names. */
enum err rules_builtin(struct rules *r, struct fault *f) MUST_CHECK;

#endif
