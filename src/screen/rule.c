#include "screen/rule.h"

#include <stdlib.h>
#include <string.h>

void rules_init(struct rules *r)
{
    *r = (struct rules){0};
}

void rules_done(struct rules *r)
{
    free(r->list);
    *r = (struct rules){0};
}

const struct rule *rules_find(const struct rules *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->list[i].name, name) == 0)
            return &r->list[i];
    return NULL;
}

enum err rules_add(struct rules *r, const struct rule *rule)
{
    if (rules_find(r, rule->name))
        return ERR_EXISTS;
    if (r->count == RULES_MAX)
        return ERR_FULL;
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 8;
        struct rule *list = realloc(r->list, room * sizeof *list);
        if (!list)
            return ERR_NOMEM;
        r->list = list;
        r->room = room;
    }
    r->list[r->count++] = *rule;
    return OK;
}

void suspect_make(const struct profiles *t, const struct neighbours *n, uint32_t profile,
    uint32_t now, struct suspect *ret_suspect)
{
    struct suspect *s = ret_suspect;
    s->profile = &t->list[profile];
    s->words = &t->words;
    s->thing_count = 0;
    for (unsigned i = 0; i < s->profile->thing_count; i++)
        if (now - s->profile->thing[i].window < t->day)
            s->thing[s->thing_count++] = s->profile->thing[i].key;
    features_of(t, n, profile, now, s->feature);
}

static bool is_among(const struct condition *c, thing_key thing, const struct words *words)
{
    for (unsigned i = 0; i < c->thing_count; i++)
        if (thing_matches(&c->thing[i], thing, words))
            return true;
    return false;
}

static unsigned count_among(const struct condition *c, const struct suspect *s)
{
    unsigned count = 0;
    for (unsigned i = 0; i < s->thing_count; i++)
        count += is_among(c, s->thing[i], s->words);
    return count;
}

static bool uses_tool(const struct condition *c, const struct suspect *s)
{
    for (unsigned i = 0; i < s->thing_count; i++)
        if (strcmp(s->words->word[thing_tool(s->thing[i])], c->word) == 0)
            return true;
    return false;
}

bool condition_holds(const struct condition *c, const struct suspect *s)
{
    switch (c->kind) {
    case CONDITION_ONLY:
        return s->thing_count && count_among(c, s) == s->thing_count;
    case CONDITION_SENDS:
        return count_among(c, s) > 0;
    case CONDITION_TOOL:
        return uses_tool(c, s);
    case CONDITION_CLASS:
        return s->profile->classes >> class_find(c->word) & 1;
    case CONDITION_COUNTRY:
        return memcmp(s->profile->country, c->word, 2) == 0;
    case CONDITION_AT_LEAST:
        return s->feature[c->feature] >= c->value;
    case CONDITION_AT_MOST:
        return s->feature[c->feature] <= c->value;
    }
    return false;
}

bool rule_fits(const struct rule *r, const struct suspect *s)
{
    for (unsigned i = 0; i < r->condition_count; i++)
        if (condition_holds(&r->condition[i], s) == r->condition[i].must_not)
            return false;
    return r->condition_count > 0;
}

size_t rules_first(const struct rules *r, const struct suspect *s)
{
    size_t i = 0;
    while (i < r->count && !rule_fits(&r->list[i], s))
        i++;
    return i;
}

bool rule_covers(const struct rule *r, thing_key thing, const struct words *words)
{
    bool any = true;
    for (unsigned i = 0; i < r->condition_count; i++) {
        const struct condition *c = &r->condition[i];
        if ((c->kind != CONDITION_ONLY && c->kind != CONDITION_SENDS) || c->must_not)
            continue;
        if (is_among(c, thing, words))
            return true;
        any = false;
    }
    return any;
}
