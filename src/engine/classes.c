#include "engine/classes.h"

#include "record/record.h"

#include <stdio.h>
#include <string.h>

_Static_assert(
    (int)CLASS_COUNT <= (int)LEAVE_OUT_TAGS, "classes and tags have bits of their own");
_Static_assert((int)TAG_COUNT <= 8, "tags fit a byte");

static bool is_word(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && strncmp(name, word, len) == 0;
}

/* 0: there is no such word. */
static unsigned bit_of(const char *word, size_t len)
{
    for (unsigned k = 0; k < CLASS_COUNT; k++)
        if (is_word(word, len, class_name((enum packet_class)k)))
            return 1u << k;
    for (unsigned k = 0; k < TAG_COUNT; k++)
        if (is_word(word, len, tag_name((enum contact_tag)k)))
            return 1u << (LEAVE_OUT_TAGS + k);
    return 0;
}

static enum err unknown(const char *word, size_t len, struct fault *f)
{
    char names[256] = "";
    size_t used = 0;
    for (unsigned k = 0; k < CLASS_COUNT; k++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", k ? ", " : "",
            class_name((enum packet_class)k));
    for (unsigned k = 0; k < TAG_COUNT; k++)
        used += (size_t)snprintf(
            names + used, sizeof names - used, ", %s", tag_name((enum contact_tag)k));
    return fault_set(f, ERR_RANGE,
        "leave-out: \"%.*s\" is neither a class nor a tag; there are %s", (int)len, word,
        names);
}

enum err classes_parse(const char *list, unsigned *ret_bits, struct fault *f)
{
    unsigned bits = 0;
    for (const char *at = list; *at && strcmp(list, "none") != 0;) {
        size_t len = strcspn(at, ",");
        unsigned bit = bit_of(at, len);
        if (!bit)
            return unknown(at, len, f);
        bits |= bit;
        at += len + (at[len] == ',');
    }
    *ret_bits = bits | LEAVE_OUT_UNWATCHED;
    return OK;
}

void classes_counted(const struct block *b, unsigned leave_out, bool ret_counts[NAMES_MAX])
{
    const struct names *classes = &b->column[CONTACT_CLASS].names;
    for (size_t i = 0; i < classes->count; i++) {
        enum packet_class class = class_find(classes->word[i]);
        ret_counts[i] = !(leave_out & 1u << (class < CLASS_COUNT ? class : CLASS_OTHER));
    }
}
