#ifndef ENGINE_CLASSES_H
#define ENGINE_CLASSES_H

#include "base/err.h"
#include "record/window.h"

/* What does not count for an engine, as a set: bit k stands for enum packet_class k, bit
 * LEAVE_OUT_TAGS + k for enum contact_tag k. */
enum {
    LEAVE_OUT_TAGS = 16
};
/* Whatever is left out, so is what a site heard in a window for the whole of which it did not
 * watch: classes_parse() always says so. */
#define LEAVE_OUT_UNWATCHED (1u << 31)

/* The option by which engines are told so. */
#define LEAVE_OUT_ITEM                                                                         \
    {                                                                                          \
        .name = "leave-out", .type = CONF_TEXT, .arg = "CLASSES",                              \
        .initial = "survey,backscatter,misconfiguration,known,survey-like",                    \
        .text = "Classes and tags of traffic that do not count, separated by commas, or none." \
    }

/* "survey,backscatter,known" or "none". The fault names the word that is neither class nor tag.
 */
enum err classes_parse(const char *list, unsigned *ret_bits, struct fault *f) MUST_CHECK;

/* Which words of a block of contacts for classes count. A word that is no class is "other". */
void classes_counted(const struct block *b, unsigned leave_out, bool ret_counts[NAMES_MAX]);

/* The tags of a block's rows; NULL if nobody screens. */
static inline const uint8_t *window_tags(const struct window *w, size_t block)
{
    return w->tags ? w->tags[block] : NULL;
}

/* Does row `row` not count, for its tags? */
static inline bool tags_leave_out(const uint8_t *tags, size_t row, unsigned leave_out)
{
    return tags && tags[row] & leave_out >> LEAVE_OUT_TAGS;
}

#endif
