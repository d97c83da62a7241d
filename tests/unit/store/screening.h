#ifndef TESTS_UNIT_STORE_SCREENING_H
#define TESTS_UNIT_STORE_SCREENING_H

#include "telescope.h"

#include "record/block.h"

#include <string.h>

/* What screening says of contacts, as rows. */

static inline void word_put(struct block *b, size_t column, const char *word)
{
    telescope_check(block_word(b, column, word, &block_name(b, column)[b->rows]));
}

static inline void tag_put(
    struct block *to, const struct block *from, size_t row, const char *tag, const char *reason)
{
    size_t at = to->rows;
    block_time(to, TAGGED_START)[at] = block_time(from, CONTACT_START)[row];
    word_put(to, TAGGED_SITE, block_word_at(from, CONTACT_SITE, row));
    word_put(to, TAGGED_CLASS, block_word_at(from, CONTACT_CLASS, row));
    word_put(to, TAGGED_TOOL, block_word_at(from, CONTACT_TOOL, row));
    word_put(to, TAGGED_COUNTRY, block_word_at(from, CONTACT_COUNTRY, row));
    word_put(to, TAGGED_TAG, tag);
    word_put(to, TAGGED_REASON, reason);
    block_ip(to, TAGGED_SRC)[at] = block_ip(from, CONTACT_SRC)[row];
    block_u8(to, TAGGED_PROTO)[at] = block_u8(from, CONTACT_PROTO)[row];
    block_u16(to, TAGGED_DPORT)[at] = block_u16(from, CONTACT_DPORT)[row];
    block_u32(to, TAGGED_ASN)[at] = block_u32(from, CONTACT_ASN)[row];
    block_u32(to, TAGGED_PACKETS)[at] = block_u32(from, CONTACT_PACKETS)[row];
    to->rows++;
}

static inline void screening_put(
    struct block *to, int64_t start, const char *tag, const char *reason, const char *what)
{
    word_put(to, SCREENING_TAG, tag);
    word_put(to, SCREENING_REASON, reason);
    telescope_check(block_bytes_add(to, SCREENING_WHAT, what, strlen(what)));
    block_time(to, SCREENING_START)[to->rows] = start;
    block_u32(to, SCREENING_CONTACTS)[to->rows] = 1;
    to->rows++;
}

#endif
