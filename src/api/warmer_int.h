#ifndef API_WARMER_INT_H
#define API_WARMER_INT_H

#include "base/err.h"

/* A thread that asks for the overview whenever the store has something new, at most twice a
 * minute, so that the first page is there when a person comes. */

struct api;
struct warmer;

enum err warmer_start(struct warmer **ret_warmer, struct api *a) MUST_CHECK;
/* NULL is fine. Returns when the question to the store that is under way is answered; the
 * overview is made of several, and the rest are not asked. */
void warmer_stop(struct warmer *w);

#endif
