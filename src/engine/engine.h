#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/conf.h"
#include "base/err.h"
#include "record/finding.h"
#include "record/need.h"
#include "record/window.h"

struct engine;

/* What an engine keeps between windows. Each room has its own struct with this as the first
 * member; every entry point asserts that `of` is its own engine before it looks further. */
struct engine_state {
    const struct engine *of;
};

enum {
    TAG_WHAT = 256 /* bytes */
};

/* For what a row is tagged: the words of TAG_LIST say as what. */
struct tag_reason {
    char name[RECORD_NAME_MAX + 1]; /* of the rule, or of the thing of known malware */
    char what[TAG_WHAT];            /* the same in words, ASCII without quotes */
};

/* What an engine that tags says of the rows of a window. */
struct tagging {
    const uint8_t *const *tags; /* what window.tags is to be */
    /* For each block and row the number of the reason of each tag; 0 where it is not set. */
    const uint16_t (*const *why)[TAG_COUNT];
    const struct tag_reason *reasons;
    size_t reason_count;
};

/* One analysis. An engine eats closed windows in time order and emits findings; it opens no
 * file or socket, reads no clock, starts no thread, logs nothing and knows no other engine: its
 * caller does. Deterministic: same windows, same seed, same findings, byte for byte; randomness
 * is seeded from (site, window). Memory is bounded by its options, whatever arrives. */
struct engine {
    const char *name;              /* "surge": its folder, configuration section, man page */
    const char *text;              /* what it finds, one sentence */
    const char *source;            /* the paper or note it follows */
    const struct conf_item *items; /* its options, a NULL name at the end */
    const struct record *eats;     /* what its windows hold */
    const struct need *needs;      /* what of it must survive anonymisation; ends with a row
                                      whose `without` is NULL */

    /* On success *ret_state is the caller's and goes back through close(). `window` is the
     * length of all windows to come. */
    enum err (*open)(struct engine_state **ret_state, const struct conf *conf, int64_t window,
        struct fault *f);

    /* Look at one window. `scratch` is empty on entry and cleared by the caller afterwards. */
    enum err (*step)(struct engine_state *st, const struct window *w, struct arena *scratch,
        struct sink *out);

    /* Write or read everything that step() depends on, so that a restarted engine gives the
     * same findings. load() gets untrusted bytes; it takes all or nothing. */
    enum err (*save)(const struct engine_state *st, struct buf *out);
    enum err (*load)(struct engine_state *st, struct bytes saved, struct fault *f);

    /* NULL for an engine that tags nothing. Else what it says of the window that step() looked
     * at last; valid until the next step() or load(). Engines that tag are shown a window
     * first, and the others see their tags. */
    struct tagging (*tags)(const struct engine_state *st);

    void (*close)(struct engine_state *st); /* NULL is fine */
};

#endif
