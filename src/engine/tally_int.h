#ifndef ENGINE_TALLY_INT_H
#define ENGINE_TALLY_INT_H

#include "engine/tally.h"

/* tally_build() without a look at the window's shelf. */
enum err tally_make(struct tally *ret_tally, const struct window *w, unsigned leave_out,
    struct arena *memory) MUST_CHECK;

#endif
