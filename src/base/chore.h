#ifndef BASE_CHORE_H
#define BASE_CHORE_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

/* Work that is done again and again, in turns, on a thread of its own. */
struct chore;

/* One turn, on the chore's thread. Returns how long to pause before the next, in microseconds
 * of a steady clock; 0 or less: none. `stop` becomes true when chore_stop() begins, and a turn
 * that takes long looks at it. */
typedef int64_t (*chore_turn)(void *context, const atomic_bool *stop);

/* The first turn comes after `pause` microseconds. What `context` points to is complete before
 * the call, and stays until chore_stop() has returned. ERR_NOMEM: no memory, or no thread. */
enum err chore_start(
    struct chore **ret_chore, chore_turn turn, void *context, int64_t pause) MUST_CHECK;

/* Ends a pause at once, waits for the end of a turn, and frees the chore; no turn begins after
 * it. Not from a turn. NULL is fine. */
void chore_stop(struct chore *c);

#endif
