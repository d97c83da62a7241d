#ifndef ENGINE_TAGGED_H
#define ENGINE_TAGGED_H

#include "record/window.h"

/* What an engine does not count for its tags, of a service that it tells of: a rise of 23/tcp
 * above a hundredth of a source is one of what no known malware sends, and says so. */

enum {
    TAGGED_TEXT = 128, /* bytes of the sentence */
    TAGGED_LEAST = 10  /* contacts that are worth one */
};

/**
 * The sentence, with a space before it: " Not counted are contacts with it in this window that
 * are tagged: 1240 known, 12 survey-like." It is "" if there are few, or nobody screens.
 *
 * @param site  NULL: all sites.
 *
 * Cost: a pass over the window's rows.
 */
void tagged_tell(const struct window *w, uint32_t service, const char *site, unsigned leave_out,
    char ret_text[TAGGED_TEXT]);

#endif
