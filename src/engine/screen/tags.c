#include "engine/screen/screen_int.h"

#include <stdlib.h>
#include <string.h>

/* Arrays of zeros for all rows of the window. */
static enum err tags_clear(struct screen *s, const struct window *w)
{
    if (w->block_count > s->tag_room) {
        struct screen_tags *tags = realloc(s->tags, w->block_count * sizeof *tags);
        if (!tags)
            return ERR_NOMEM;
        s->tags = tags;
        const uint8_t **shown = realloc(s->shown, w->block_count * sizeof *shown);
        if (!shown)
            return ERR_NOMEM;
        s->shown = shown;
        memset(&s->tags[s->tag_room], 0, (w->block_count - s->tag_room) * sizeof *tags);
        s->tag_room = w->block_count;
    }
    for (size_t i = 0; i < w->block_count; i++) {
        size_t rows = w->blocks[i]->rows + 1;
        if (rows > s->tags[i].room) {
            uint8_t *more = realloc(s->tags[i].rows, rows);
            if (!more)
                return ERR_NOMEM;
            s->tags[i].rows = more;
            s->tags[i].room = rows;
        }
        memset(s->tags[i].rows, 0, rows);
        s->shown[i] = s->tags[i].rows;
    }
    return OK;
}

static int by_number(const void *a, const void *b)
{
    thing_key x = *(const thing_key *)a;
    thing_key y = *(const thing_key *)b;
    return (x > y) - (x < y);
}

/* Things of signature-named malware that are no news: in some pattern that is not novel. */
struct settled {
    thing_key *list; /* rising; in the arena */
    size_t count;
};

static enum err settled_make(const struct screen *s, struct arena *scratch, struct settled *ret)
{
    struct settled out = {
        .list = arena_take(scratch, s->book.count * PATTERN_KEYS + 1, sizeof *out.list)};
    if (!out.list)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->book.count; i++) {
        const struct pattern *p = &s->book.list[i];
        for (unsigned k = 0; k < p->key_count && !p->novel && !p->surges; k++)
            if (s->profiles.words.worm[thing_tool(p->key[k])])
                out.list[out.count++] = p->key[k];
    }
    qsort(out.list, out.count, sizeof *out.list, by_number);
    *ret = out;
    return OK;
}

/* Known by its signature: malware that is at what it always does. */
static bool is_settled(const struct screen *s, const struct settled *settled,
    const struct profile_row *row, const struct screen_step *step)
{
    if (!s->profiles.words.worm[thing_tool(row->key)])
        return false;
    uint32_t pattern = step->pattern[row->profile];
    if (pattern != PATTERN_NONE && s->book.list[pattern].surges)
        return false;
    return bsearch(&row->key, settled->list, settled->count, sizeof *settled->list,
               by_number) != NULL;
}

/* What the rule that fits the source says of this row. */
static unsigned tags_by_rule(
    const struct screen *s, const struct profile_row *row, const struct screen_step *step)
{
    unsigned number = step->rule[row->profile];
    if (!number)
        return 0;
    const struct rule *rule = &s->rules.list[number - 1];
    if (rule->tag == TAG_COUNT || (rule->tag == TAG_KNOWN && s->use[number - 1].surges) ||
        !rule_covers(rule, row->key, &s->profiles.words))
        return 0;
    return 1u << rule->tag;
}

enum err screen_tag_rows(struct screen *s, const struct screen_step *step)
{
    struct settled settled;
    enum err e = tags_clear(s, step->window);
    if (!e)
        e = settled_make(s, step->scratch, &settled);
    for (size_t i = 0; !e && i < step->rows.count; i++) {
        const struct profile_row *row = &step->rows.list[i];
        unsigned tags = tags_by_rule(s, row, step);
        if (is_settled(s, &settled, row, step))
            tags |= 1u << TAG_KNOWN;
        s->tags[row->block].rows[row->row] = (uint8_t)tags;
    }
    return e;
}

const uint8_t *const *screen_tags(const struct engine_state *st)
{
    const struct screen *s = (const struct screen *)(const void *)st;
    return s->shown;
}
