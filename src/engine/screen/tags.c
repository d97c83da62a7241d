#include "engine/screen/screen_int.h"

#include "num/order.h"

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

/* Things of malware that a signature names which are no news: in some pattern that is not
 * novel.
 */
static enum err settled_make(const struct screen *s, struct screen_step *step)
{
    thing_key *list = arena_take(step->scratch, s->book.count * PATTERN_KEYS + 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    size_t count = 0;
    for (size_t i = 0; i < s->book.count; i++) {
        const struct pattern *p = &s->book.list[i];
        for (unsigned k = 0; k < p->key_count && !p->novel; k++)
            if (s->profiles.words.worm[thing_tool(p->key[k])])
                list[count++] = p->key[k];
    }
    qsort(list, count, sizeof *list, compare_u64);
    step->settled = list;
    step->settled_count = count;
    return OK;
}

/* The rule that fits the source, if it speaks of this row. */
static const struct rule *rule_of(
    const struct screen *s, const struct screen_step *step, const struct profile_row *row)
{
    unsigned number = step->rule[row->profile];
    const struct rule *rule = number ? &s->rules.list[number - 1] : NULL;
    return rule && rule_covers(rule, row->key, &s->profiles.words) ? rule : NULL;
}

bool screen_is_known(
    const struct screen *s, const struct screen_step *step, const struct profile_row *row)
{
    const struct rule *rule = rule_of(s, step, row);
    if (rule && rule->tag == TAG_KNOWN)
        return true;
    return s->profiles.words.worm[thing_tool(row->key)] &&
           bsearch(&row->key, step->settled, step->settled_count, sizeof *step->settled,
               compare_u64);
}

/* The service's entry; NULL if there is none. */
static struct screen_use *use_find(const struct screen *s, uint32_t service)
{
    size_t low = 0;
    size_t high = s->use_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->use[middle].service < service)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->use_count && s->use[low].service == service ? &s->use[low] : NULL;
}

static struct screen_use *use_of(struct screen *s, uint32_t service)
{
    struct screen_use *use = use_find(s, service);
    if (use || s->use_count == SCREEN_USES_MAX)
        return use;
    size_t at = s->use_count++;
    for (; at > 0 && s->use[at - 1].service > service; at--)
        s->use[at] = s->use[at - 1];
    s->use[at] = (struct screen_use){.service = service};
    return &s->use[at];
}

/* How much of each service is known, against what it was. */
static void uses_count(struct screen *s, const struct screen_step *step)
{
    for (size_t i = 0; i < s->use_count; i++)
        s->use[i].contacts = 0;
    for (size_t i = 0; i < step->rows.count; i++) {
        const struct profile_row *row = &step->rows.list[i];
        struct screen_use *use =
            screen_is_known(s, step, row) ? use_of(s, thing_service(row->key)) : NULL;
        if (use)
            use->contacts++;
    }
    for (size_t i = 0; i < s->use_count; i++)
        s->use[i].surges =
            amount_take(&s->use[i].amount, s->now, s->book.day, s->use[i].contacts);
}

enum err screen_tag_rows(struct screen *s, struct screen_step *step)
{
    enum err e = tags_clear(s, step->window);
    if (!e)
        e = settled_make(s, step);
    if (e)
        return e;
    uses_count(s, step);
    for (size_t i = 0; i < step->rows.count; i++) {
        const struct profile_row *row = &step->rows.list[i];
        const struct rule *rule = rule_of(s, step, row);
        const struct screen_use *use = use_find(s, thing_service(row->key));
        unsigned tags = 0;
        if (rule && rule->tag == TAG_SURVEY_LIKE)
            tags |= 1u << TAG_SURVEY_LIKE;
        if (use && !use->surges && screen_is_known(s, step, row))
            tags |= 1u << TAG_KNOWN;
        s->tags[row->block].rows[row->row] = (uint8_t)tags;
    }
    return OK;
}

const uint8_t *const *screen_tags(const struct engine_state *st)
{
    const struct screen *s = (const struct screen *)(const void *)st;
    return s->shown;
}
