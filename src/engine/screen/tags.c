#include "engine/screen/screen_int.h"

#include "base/hash.h"
#include "num/order.h"

#include <stdlib.h>
#include <string.h>

/* Places for so many blocks. */
static enum err blocks_room(struct screen *s, size_t count)
{
    if (count <= s->tag_room)
        return OK;
    struct screen_tags *tags = realloc(s->tags, count * sizeof *tags);
    s->tags = tags ? tags : s->tags;
    const uint8_t **shown = tags ? realloc(s->shown, count * sizeof *shown) : NULL;
    s->shown = shown ? shown : s->shown;
    const uint16_t(**why)[TAG_COUNT] = shown ? realloc(s->why, count * sizeof *why) : NULL;
    if (!why)
        return ERR_NOMEM;
    s->why = why;
    memset(&s->tags[s->tag_room], 0, (count - s->tag_room) * sizeof *tags);
    s->tag_room = count;
    return OK;
}

static enum err rows_room(struct screen_tags *t, size_t rows)
{
    if (rows <= t->room)
        return OK;
    uint8_t *more = realloc(t->rows, rows);
    t->rows = more ? more : t->rows;
    uint16_t(*why)[TAG_COUNT] = more ? realloc(t->why, rows * sizeof *why) : NULL;
    if (!why)
        return ERR_NOMEM;
    t->why = why;
    t->room = rows;
    return OK;
}

/* Arrays of zeros for all rows of the window. */
static enum err tags_clear(struct screen *s, const struct window *w)
{
    enum err e = blocks_room(s, w->block_count);
    for (size_t i = 0; !e && i < w->block_count; i++) {
        size_t rows = w->blocks[i]->rows + 1;
        e = rows_room(&s->tags[i], rows);
        if (e)
            break;
        memset(s->tags[i].rows, 0, rows);
        memset(s->tags[i].why, 0, rows * sizeof *s->tags[i].why);
        s->shown[i] = s->tags[i].rows;
        s->why[i] = (const uint16_t(*)[TAG_COUNT])s->tags[i].why;
    }
    return e;
}

static int by_thing(const void *a, const void *b)
{
    const struct settled *x = a;
    const struct settled *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->pattern > y->pattern) - (x->pattern < y->pattern);
}

/* Things of malware that a signature names which are no news: in some pattern that is not
 * novel. Of several that have a thing, the one that most sources share stands for it. */
static enum err settled_make(const struct screen *s, struct screen_step *step)
{
    struct settled *list =
        arena_take(step->scratch, s->book.count * PATTERN_KEYS + 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    size_t count = 0;
    for (size_t i = 0; i < s->book.count; i++) {
        const struct pattern *p = &s->book.list[i];
        for (unsigned k = 0; k < p->key_count && !p->novel; k++)
            if (s->profiles.words.worm[thing_tool(p->key[k])])
                list[count++] = (struct settled){p->key[k], (uint32_t)i};
    }
    qsort(list, count, sizeof *list, by_thing);
    for (size_t i = 0; i < count; i++) {
        struct settled *last = step->settled_count ? &list[step->settled_count - 1] : NULL;
        if (!last || last->key != list[i].key)
            list[step->settled_count++] = list[i];
        else if (s->book.list[list[i].pattern].sources > s->book.list[last->pattern].sources)
            last->pattern = list[i].pattern;
    }
    step->settled = list;
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

static const struct settled *settled_of(
    const struct screen *s, const struct screen_step *step, thing_key key)
{
    size_t low = 0;
    size_t high = s->profiles.words.worm[thing_tool(key)] ? step->settled_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (step->settled[middle].key == key)
            return &step->settled[middle];
        if (step->settled[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool screen_is_settled(const struct screen *s, const struct screen_step *step, thing_key key)
{
    return settled_of(s, step, key) != NULL;
}

bool screen_is_known(
    const struct screen *s, const struct screen_step *step, const struct profile_row *row)
{
    const struct rule *rule = rule_of(s, step, row);
    return (rule && rule->tag == TAG_KNOWN) || settled_of(s, step, row->key);
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

/* Of a surge only what is more than usual is in view: if all of it were, what had been left out
 * until then would look like a rise to those who count. Which sources stay out is told by a
 * hash, the same at all sites. */
static bool is_usual(const struct screen_use *use, uint64_t source)
{
    if (!use->surges)
        return true;
    double at = (double)(hash_two(source, use->service) >> 11) * 0x1p-53;
    return at * use->contacts < amount_usual(&use->amount);
}

static void row_tag(
    const struct screen *s, const struct profile_row *row, enum contact_tag tag, size_t reason)
{
    struct screen_tags *t = &s->tags[row->block];
    t->rows[row->row] |= (uint8_t)(1u << tag);
    t->why[row->row][tag] = (uint16_t)(reason < s->reasons.count ? reason : 0);
}

enum err screen_tag_rows(struct screen *s, struct screen_step *step)
{
    enum err e = tags_clear(s, step->window);
    if (!e)
        e = settled_make(s, step);
    if (!e)
        e = screen_reasons_make(s, step);
    if (e)
        return e;
    uses_count(s, step);
    for (size_t i = 0; i < step->rows.count; i++) {
        const struct profile_row *row = &step->rows.list[i];
        const struct rule *rule = rule_of(s, step, row);
        const struct screen_use *use = use_find(s, thing_service(row->key));
        size_t number = rule ? (size_t)(rule - s->rules.list) : 0;
        if (rule && rule->tag == TAG_SURVEY_LIKE)
            row_tag(s, row, TAG_SURVEY_LIKE, number);
        if (!use || !is_usual(use, s->profiles.list[row->profile].hash))
            continue;
        const struct settled *thing = settled_of(s, step, row->key);
        if (rule && rule->tag == TAG_KNOWN)
            row_tag(s, row, TAG_KNOWN, number);
        else if (thing)
            row_tag(s, row, TAG_KNOWN, s->rules.count + (size_t)(thing - step->settled));
    }
    return OK;
}

struct tagging screen_tags(const struct engine_state *st)
{
    const struct screen *s = (const struct screen *)(const void *)st;
    return (struct tagging){s->shown, s->why, s->reasons.list, s->reasons.count};
}
