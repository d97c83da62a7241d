#ifndef API_THROTTLE_INT_H
#define API_THROTTLE_INT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits the rate of many keys in a table of fixed size (the generic cell rate algorithm: one
 * number a key). When a bucket of the table is full, the key that is least limited gives way,
 * so that a flood of new keys cannot free one that is being held back. */
struct throttle;

struct throttle_rule {
    int64_t interval; /* us between two of a steady stream */
    int64_t burst;    /* how many may come at once, >= 1 */
};

/* Room for `keys` keys (rounded up to a power of two). */
enum err throttle_new(struct throttle **ret_throttle, size_t keys) MUST_CHECK;
void throttle_free(struct throttle *t);

/* Count one more for a key (any bytes; hashed with a secret). False: too many; then it is not
 * counted, and *ret_wait says for how many microseconds. Thread-safe. */
bool throttle_take(struct throttle *t, const void *key, size_t len,
    const struct throttle_rule *rule, int64_t now, int64_t *ret_wait);

/* Uncount one: it did not deserve to be. */
void throttle_give_back(
    struct throttle *t, const void *key, size_t len, const struct throttle_rule *rule);

#endif
