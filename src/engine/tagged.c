#include "engine/tagged.h"

#include "engine/classes.h"
#include "engine/service.h"

#include <stdio.h>
#include <string.h>

static bool is_here(const struct block *b, size_t row, const char *site)
{
    const struct names *sites = &b->column[CONTACT_SITE].names;
    return !site || strcmp(sites->word[block_name(b, CONTACT_SITE)[row]], site) == 0;
}

/* What its class leaves out is not left out for its tags. */
static void block_count(const struct block *b, const uint8_t *tags, uint32_t service,
    const char *site, unsigned leave_out, uint64_t counts[TAG_COUNT])
{
    bool in[NAMES_MAX];
    classes_counted(b, leave_out, in);
    for (size_t i = 0; i < b->rows; i++) {
        unsigned why = tags[i] & leave_out >> LEAVE_OUT_TAGS;
        if (!why || !in[block_name(b, CONTACT_CLASS)[i]] ||
            service_of(block_u8(b, CONTACT_PROTO)[i], block_u16(b, CONTACT_DPORT)[i]) !=
                service ||
            !is_here(b, i, site))
            continue;
        counts[__builtin_ctz(why)]++;
    }
}

void tagged_tell(const struct window *w, uint32_t service, const char *site, unsigned leave_out,
    char ret_text[TAGGED_TEXT])
{
    uint64_t counts[TAG_COUNT] = {0};
    uint64_t all = 0;
    int used = 0;
    ret_text[0] = 0;
    for (size_t i = 0; i < w->block_count; i++)
        if (window_tags(w, i))
            block_count(w->blocks[i], window_tags(w, i), service, site, leave_out, counts);
    for (size_t k = 0; k < TAG_COUNT; k++)
        all += counts[k];
    for (size_t k = 0; k < TAG_COUNT && all >= TAGGED_LEAST; k++)
        if (counts[k])
            used += snprintf(ret_text + used, TAGGED_TEXT - (size_t)used, "%s %llu %s",
                used ? ","
                     : " Not counted are contacts with it in this window that are tagged:",
                (unsigned long long)counts[k], tag_name((enum contact_tag)k));
    if (used)
        snprintf(ret_text + used, TAGGED_TEXT - (size_t)used, ".");
}
