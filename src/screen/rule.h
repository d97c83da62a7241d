#ifndef SCREEN_RULE_H
#define SCREEN_RULE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "screen/feature.h"

#include <stdbool.h>

/* Screening rules that a person can read: an ordered list, of which the first that fits a
 * source decides (docs/formats/screening-rules.md). They are proposed by learning and act when
 * a person has accepted them. */

enum {
    RULES_MAX = 1000,
    RULES_FILE_MAX = 1 << 20, /* bytes */
    RULE_CONDITIONS = 8,
    RULE_THINGS = 12, /* of one condition */
    RULE_TEXT = 200
};

enum condition_kind {
    CONDITION_ONLY,     /* sent nothing within a day but these things */
    CONDITION_SENDS,    /* sent one of these things within a day */
    CONDITION_TOOL,     /* one of its things was made by this tool */
    CONDITION_CLASS,    /* had a packet of this class */
    CONDITION_COUNTRY,  /* is there */
    CONDITION_AT_LEAST, /* feature >= value */
    CONDITION_AT_MOST   /* feature <= value */
};

struct condition {
    enum condition_kind kind;
    bool must_not; /* "unless": the rule fits only where this does not hold */
    enum feature feature;
    double value;
    char word[RECORD_NAME_MAX + 1];
    struct thing_match thing[RULE_THINGS];
    unsigned thing_count;
};

struct rule {
    char name[RECORD_NAME_MAX + 1];  /* unique in its list */
    char label[RECORD_NAME_MAX + 1]; /* what a source is that it fits */
    enum contact_tag tag;            /* TAG_COUNT: none, it only names */
    struct condition condition[RULE_CONDITIONS];
    unsigned condition_count;
    uint32_t support;         /* sources that it was learned from; 0: not learned */
    uint32_t held_out, right; /* sources that it fitted among those kept back, and rightly */
    int64_t proposed;         /* us; 0: not known */
    int64_t accepted;         /* us; 0: nobody has */
    char from[RULE_TEXT];     /* what it was learned from */
    char who[RULE_TEXT];      /* accepted it */
    char why[RULE_TEXT];
};

struct rules {
    struct rule *list; /* owned */
    size_t count, room;
};

void rules_init(struct rules *r);
void rules_done(struct rules *r);
/* A copy of the rule at the end; ERR_EXISTS for a name that is there, ERR_FULL. */
enum err rules_add(struct rules *r, const struct rule *rule) MUST_CHECK;
const struct rule *rules_find(const struct rules *r, const char *name);

/* --- text (rule_text.c) ------------------------------------------------------------------- */

/* All or nothing; the fault begins "name:line: ". */
enum err rules_parse(
    struct rules *r, const char *name, struct bytes text, struct fault *f) MUST_CHECK;
enum err rules_read_file(struct rules *r, const char *path, struct fault *f) MUST_CHECK;
/* The inverse: what is written is read as the same rules. */
void rules_write(const struct rules *r, struct buf *out);
void rule_write(const struct rule *r, struct buf *out);
/* One condition as in the file: "only 23/tcp(size=40), 2323/tcp(size=40)". */
void condition_write(const struct condition *c, struct buf *out);

/* --- use -----------------------------------------------------------------------------------
 */

/* A source as rules see it. */
struct suspect {
    const struct profile *profile;
    const struct words *words;
    thing_key thing[PROFILE_THINGS]; /* of the last day */
    unsigned thing_count;
    double feature[FEATURE_COUNT];
};

void suspect_make(const struct profiles *t, const struct neighbours *n, uint32_t profile,
    uint32_t now, struct suspect *ret_suspect);

bool condition_holds(const struct condition *c, const struct suspect *s);
bool rule_fits(const struct rule *r, const struct suspect *s);
/* Number of the first rule that fits, or r->count. */
size_t rules_first(const struct rules *r, const struct suspect *s);

/* Does the rule speak of this thing? One without things speaks of all that the source sends. */
bool rule_covers(const struct rule *r, thing_key thing, const struct words *words);

#endif
