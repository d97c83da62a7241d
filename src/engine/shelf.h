#ifndef ENGINE_SHELF_H
#define ENGINE_SHELF_H

#include "engine/tally.h"

/* What several engines need of one window, worked out by the first that asks and borrowed by
 * the others, which may be on other threads. Whoever shows a window puts an empty shelf beside
 * it, and clears it when all engines have looked; an engine sees it through tally_build() only.
 */
struct shelf;

/* `cap`: bytes that it may hold. */
enum err shelf_new(struct shelf **ret_shelf, size_t cap) MUST_CHECK;
void shelf_free(struct shelf *s);
/* No engine looks at the window any more. */
void shelf_clear(struct shelf *s);

/* The window's tally without these classes. ERR_NOMEM, also past the cap or if there are too
 * many kinds of tallies: the engine makes its own then. */
enum err shelf_tally(struct shelf *s, const struct window *w, unsigned leave_out,
    struct tally *ret_tally) MUST_CHECK;

#endif
