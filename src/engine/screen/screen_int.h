#ifndef ENGINE_SCREEN_SCREEN_INT_H
#define ENGINE_SCREEN_SCREEN_INT_H

#include "engine/screen/screen.h"
#include "screen/group_member.h"
#include "screen/pattern.h"
#include "screen/rule.h"

struct screen_settings {
    size_t sources_max;
    double min_networks;
    int64_t learn;
    int64_t groups; /* us between looks for groups that move together; 0: none */
    uint32_t group_networks;
    unsigned group_rounds;
    size_t group_sources;
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

/* A group that was seen to move together, by the numbers that profiles keep of theirs. */
struct moving {
    uint32_t id;          /* rises; never given twice */
    uint32_t first, last; /* windows in which it was looked at */
    uint32_t fired;       /* first window in which it was no chance; 0: none yet */
    uint32_t chance;      /* networks of the largest group of the null, at the last such look */
    uint8_t history;      /* bit k: k looks ago it was there, and no chance */
};
enum {
    SCREEN_MOVING_MAX = 256 /* of more, those that were not seen for longest are forgotten */
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
    struct moving moving[SCREEN_MOVING_MAX];
    size_t moving_count;
    uint32_t moving_next;              /* id */
    uint32_t first_look;               /* window of the first look for groups; 0: none yet */
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
    uint32_t before; /* number of the window that was taken before it */
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

/* Is it malware's that a signature names, where that is no news? */
bool screen_is_settled(const struct screen *s, const struct screen_step *step, thing_key key);
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

/* --- moving.c ------------------------------------------------------------------------------
 */

/* One group of this look. */
struct screen_group {
    const struct group_found *found;
    const struct moving *moving;
    const struct group_member *members; /* by profile */
    const uint32_t *of;                 /* by profile: its group */
    uint32_t number;
    unsigned rounds;
    size_t looked_at;
    uint32_t sample; /* one network of so many was looked at */
    double score;
};

/* Every so many windows: groups of sources that move together, and findings of the new ones. */
enum err screen_groups(struct screen *s, const struct screen_step *step) MUST_CHECK;

/* The known group that at least half of a group's members were in, by the `count` >= 1 numbers
 * that their profiles keep; NULL: it is new. Sorts `ids`. */
struct moving *screen_moving_of(struct screen *s, uint32_t *ids, size_t count);
/* Did two of the three looks before the present one find it to be no chance? */
bool screen_moving_is_sure(const struct moving *m);

/* --- moving_report.c -----------------------------------------------------------------------
 */

enum err screen_group_tell(const struct screen *s, const struct screen_step *step,
    const struct screen_group *g) MUST_CHECK;

/* --- state.c, screen.c -------------------------------------------------------------------- */

enum err screen_save(const struct engine_state *st, struct buf *out) MUST_CHECK;
enum err screen_load(struct engine_state *st, struct bytes saved, struct fault *f) MUST_CHECK;
/* Empty tables. */
enum err screen_begin(struct screen *s) MUST_CHECK;
void screen_end(struct screen *s);

#endif
