#include "ingest/tagged.h"

#include <stdlib.h>
#include <string.h>

/* Who names the blocks: no site has this name. */
static const char sender[] = "screen.";

struct tagged_rows {
    struct writer *writer;
    const struct window *window;
    const struct tagging *tagging;
    struct block *out; /* NULL: none is open */
    uint32_t *counts;  /* contacts, by reason and tag; owned */
};

static enum err send(struct tagged_rows *t)
{
    struct block *b = t->out;
    if (!b)
        return OK;
    t->out = NULL;
    enum err e = writer_put(t->writer, b, sender, true);
    if (e)
        block_free(b);
    return e;
}

static enum err words_copy(struct block *to, const struct block *from, size_t row)
{
    static const struct {
        size_t to, from;
    } words[] = {
        {TAGGED_SITE, CONTACT_SITE},
        {TAGGED_CLASS, CONTACT_CLASS},
        {TAGGED_TOOL, CONTACT_TOOL},
        {TAGGED_COUNTRY, CONTACT_COUNTRY},
    };
    enum err e = OK;
    for (size_t i = 0; !e && i < sizeof words / sizeof *words; i++)
        e = block_word(to, words[i].to, block_word_at(from, words[i].from, row),
            &block_name(to, words[i].to)[to->rows]);
    return e;
}

static enum err row_add(struct tagged_rows *t, const struct block *from, size_t row,
    enum contact_tag tag, const struct tag_reason *reason)
{
    struct block *to = t->out;
    size_t at = to->rows;
    enum err e = words_copy(to, from, row);
    if (!e)
        e = block_word(to, TAGGED_TAG, tag_name(tag), &block_name(to, TAGGED_TAG)[at]);
    if (!e)
        e = block_word(to, TAGGED_REASON, reason->name, &block_name(to, TAGGED_REASON)[at]);
    if (e)
        return e;
    block_time(to, TAGGED_START)[at] = block_time(from, CONTACT_START)[row];
    block_ip(to, TAGGED_SRC)[at] = block_ip(from, CONTACT_SRC)[row];
    block_u8(to, TAGGED_PROTO)[at] = block_u8(from, CONTACT_PROTO)[row];
    block_u16(to, TAGGED_DPORT)[at] = block_u16(from, CONTACT_DPORT)[row];
    block_u32(to, TAGGED_ASN)[at] = block_u32(from, CONTACT_ASN)[row];
    block_u32(to, TAGGED_PACKETS)[at] = block_u32(from, CONTACT_PACKETS)[row];
    to->rows++;
    return OK;
}

/* A block that is full of rows or words is sent, and the row begins the next one. */
static enum err row_take(struct tagged_rows *t, const struct block *from, size_t row,
    enum contact_tag tag, unsigned reason)
{
    enum err e = ERR_FULL;
    if (t->out && t->out->rows < t->out->cap)
        e = row_add(t, from, row, tag, &t->tagging->reasons[reason]);
    if (e == ERR_FULL) {
        e = send(t);
        t->out = e ? NULL : writer_block(t->writer, &record_tagged);
        if (!e)
            e = t->out ? row_add(t, from, row, tag, &t->tagging->reasons[reason]) : ERR_NOMEM;
    }
    t->counts[reason * TAG_COUNT + tag] += !e;
    return e;
}

static enum err contacts_take(struct tagged_rows *t)
{
    const struct window *w = t->window;
    enum err e = OK;
    for (size_t i = 0; !e && i < w->block_count; i++)
        for (size_t row = 0; !e && row < w->blocks[i]->rows; row++) {
            unsigned tags = t->tagging->tags[i][row];
            for (unsigned tag = 0; !e && tag < TAG_COUNT; tag++)
                if (tags >> tag & 1)
                    e = row_take(t, w->blocks[i], row, (enum contact_tag)tag,
                        t->tagging->why[i][row][tag]);
        }
    return e ? e : send(t);
}

static enum err screening_add(struct tagged_rows *t, const char *tag, const char *reason,
    const char *what, uint32_t contacts)
{
    struct block *to = t->out;
    size_t at = to->rows;
    enum err e = block_word(to, SCREENING_TAG, tag, &block_name(to, SCREENING_TAG)[at]);
    if (!e)
        e = block_word(to, SCREENING_REASON, reason, &block_name(to, SCREENING_REASON)[at]);
    if (!e)
        e = block_bytes_add(to, SCREENING_WHAT, what, strlen(what));
    block_time(to, SCREENING_START)[at] = t->window->start;
    block_u32(to, SCREENING_CONTACTS)[at] = contacts;
    to->rows += !e;
    return e;
}

/* The window itself, and the reasons that tagged anything in it. Of more than a block has words
 * for, the first. */
static enum err reasons_take(struct tagged_rows *t)
{
    size_t contacts = 0;
    for (size_t i = 0; i < t->window->block_count; i++)
        contacts += t->window->blocks[i]->rows;
    t->out = writer_block(t->writer, &record_screening);
    enum err e = t->out ? screening_add(t, "", "", "",
                              contacts < UINT32_MAX ? (uint32_t)contacts : UINT32_MAX)
                        : ERR_NOMEM;
    for (size_t i = 0; !e && i < t->tagging->reason_count; i++)
        for (unsigned tag = 0; !e && tag < TAG_COUNT; tag++)
            if (t->counts[i * TAG_COUNT + tag])
                e = screening_add(t, tag_name((enum contact_tag)tag),
                    t->tagging->reasons[i].name, t->tagging->reasons[i].what,
                    t->counts[i * TAG_COUNT + tag]);
    if (e == ERR_FULL)
        e = OK;
    return e ? e : send(t);
}

enum err tagged_keep(
    struct writer *w, const struct window *window, const struct tagging *tagging)
{
    struct tagged_rows t = {.writer = w, .window = window, .tagging = tagging};
    if (!window->block_count)
        return OK; /* nothing to screen */
    t.counts = calloc(tagging->reason_count * TAG_COUNT + 1, sizeof *t.counts);
    enum err e = t.counts ? contacts_take(&t) : ERR_NOMEM;
    if (!e)
        e = reasons_take(&t);
    block_free(t.out);
    free(t.counts);
    return e;
}
