#ifndef ENGINE_SCREEN_SCREEN_INT_H
#define ENGINE_SCREEN_SCREEN_INT_H

#include "engine/screen/screen.h"
#include "screen/pattern.h"
#include "screen/rule.h"

struct screen_settings {
    size_t sources_max;
    double min_networks;
    int64_t learn;
};

/* How much of a service is known: contacts in a window that would be tagged so. */
struct screen_use {
    uint32_t service;
    struct amount amount;
    uint32_t contacts; /* in the present window */
    bool surges;
};

enum {
    SCREEN_USES_MAX = 1024 /* services; of more, nothing is tagged as known */
};

/* Tags of one block. */
struct screen_tags {
    uint8_t *rows;              /* owned */
    uint16_t (*why)[TAG_COUNT]; /* owned */
    size_t room;
};

/* Why rows of the last window were tagged: first the rules in their order, then the settled
 * things in theirs. */
struct screen_reasons {
    struct tag_reason *list; /* owned */
    size_t count, room;
};
enum {
    SCREEN_REASONS_MAX = UINT16_MAX
};

/* A thing of malware that a signature names which is no news, and a pattern that has it. */
struct settled {
    thing_key key;
    uint32_t pattern;
};

struct screen {
    struct engine_state state; /* first */
    struct screen_settings options;
    int64_t window;
    int64_t origin;
    uint32_t now;
    struct rules rules;     /* those that act, in their order */
    struct screen_use *use; /* SCREEN_USES_MAX, by service; owned */
    size_t use_count;
    struct profiles profiles;
    struct pattern_book book;
    struct screen_tags *tags;          /* owned */
    const uint8_t **shown;             /* tags[i].rows; owned */
    const uint16_t (**why)[TAG_COUNT]; /* tags[i].why; owned */
    struct screen_reasons reasons;
    size_t tag_room;
};

static inline int64_t screen_window_start(const struct screen *s, uint32_t number)
{
    return s->origin + (int64_t)number * s->window;
}

/* --- step.c ------------------------------------------------------------------------------- */

/* What one window shows. */
struct screen_step {
    const struct window *window;
    struct arena *scratch;
    struct sink *out;
    struct profile_rows rows;
    struct pattern_strings strings;
    uint16_t *rule;                /* by profile number: number of the rule that fits + 1 */
    const struct settled *settled; /* by key, each once */
    size_t settled_count;
};

enum err screen_step(struct engine_state *st, const struct window *w, struct arena *scratch,
    struct sink *out) MUST_CHECK;
struct tagging screen_tags(const struct engine_state *st);

/* --- tags.c ------------------------------------------------------------------------------- */

/* Would the row be tagged as known, if its service did not surge? */
bool screen_is_known(
    const struct screen *s, const struct screen_step *step, const struct profile_row *row);
/* Which rows of the window get which tags. */
enum err screen_tag_rows(struct screen *s, struct screen_step *step) MUST_CHECK;

/* --- reason.c ----------------------------------------------------------------------------- */

/* Name the reasons for which rows of the window may be tagged. */
enum err screen_reasons_make(struct screen *s, const struct screen_step *step) MUST_CHECK;

/* --- report.c ----------------------------------------------------------------------------- */

/* Findings: new patterns that many networks share, and known ones in a new amount. */
enum err screen_report(struct screen *s, const struct screen_step *step) MUST_CHECK;

/* --- state.c, screen.c -------------------------------------------------------------------- */

enum err screen_save(const struct engine_state *st, struct buf *out) MUST_CHECK;
enum err screen_load(struct engine_state *st, struct bytes saved, struct fault *f) MUST_CHECK;
/* Empty tables. */
enum err screen_begin(struct screen *s) MUST_CHECK;
void screen_end(struct screen *s);

#endif
