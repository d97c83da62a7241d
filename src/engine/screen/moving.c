/* Which sources move together, which groups of them are new, and whether they are chance. */
#include "engine/screen/screen_int.h"

#include "base/hash.h"
#include "num/order.h"
#include "record/record.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double least_ratio = 1.25; /* to the largest group of chance, which is a model */

/* One look. */
struct look {
    struct group_options options;
    struct group_member *members; /* by profile; those not looked at have no windows */
    uint32_t sample;              /* one network of so many is looked at */
    struct groups_result found;   /* goes back by free() */
    struct moving **known;        /* by group: which one it is; NULL: too small to tell */
};

/* Windows between two looks; 0: there are none. */
static uint32_t look_every(const struct screen *s)
{
    return (uint32_t)(s->options.groups / s->window);
}

/* --- who is looked at --------------------------------------------------------------------- */

/* Surveys on a list; what a rule covers as a whole; malware doing what it is known for. */
static bool is_no_news(const struct screen *s, const struct screen_step *step,
    const struct neighbours *n, uint32_t number)
{
    const struct profile *p = &s->profiles.list[number];
    struct suspect suspect;
    if (p->classes >> CLASS_SURVEY & 1)
        return true;
    suspect_make(&s->profiles, n, number, s->now, &suspect);
    size_t rule = rules_first(&s->rules, &suspect);
    if (rule < s->rules.count && s->rules.list[rule].tag == TAG_SURVEY_LIKE)
        return true;
    for (unsigned i = 0; i < suspect.thing_count; i++) {
        thing_key thing = suspect.thing[i];
        bool known = rule < s->rules.count && s->rules.list[rule].tag == TAG_KNOWN &&
                     rule_covers(&s->rules.list[rule], thing, &s->profiles.words);
        if (!known && !screen_is_settled(s, step, thing))
            return false;
    }
    return true;
}

static bool is_in_sample(uint64_t network, uint32_t sample)
{
    return hash_u64(network) % sample == 0;
}

/* The least power of two of which one network each may be looked at. */
static uint32_t sample_of(const struct look *l, size_t count, size_t most)
{
    enum {
        DEEPEST = 20
    };
    size_t deep[DEEPEST + 1] = {0};
    for (size_t i = 0; i < count; i++) {
        const struct group_member *m = &l->members[i];
        if (!group_windows(m->active))
            continue;
        uint64_t h = hash_u64(m->network);
        unsigned zeros = h ? (unsigned)__builtin_ctzll(h) : DEEPEST;
        deep[zeros < DEEPEST ? zeros : DEEPEST]++;
    }
    size_t in = 0;
    unsigned level = DEEPEST + 1;
    while (level > 0 && in + deep[level - 1] <= most)
        in += deep[--level];
    return UINT32_C(1) << (level > DEEPEST ? DEEPEST : level);
}

static enum err members_take(
    const struct screen *s, const struct screen_step *step, uint32_t windows, struct look *l)
{
    size_t count = s->profiles.count;
    struct neighbours n;
    uint32_t since = s->now > windows ? s->now - windows : 0;
    l->members = arena_take(step->scratch, count + 1, sizeof *l->members);
    if (!l->members)
        return ERR_NOMEM;
    enum err e = neighbours_count(&s->profiles, s->now, since, step->scratch, &n);
    for (uint32_t i = 0; !e && i < count; i++) {
        struct group_member m;
        group_member_make(&s->profiles.list[i], s->now, windows, &m);
        if (group_is_looked_at(&m, &l->options) && !is_no_news(s, step, &n, i))
            l->members[i] = m;
    }
    if (e)
        return e;
    l->sample = sample_of(l, count, s->options.group_sources);
    for (size_t i = 0; i < count; i++)
        if (!is_in_sample(l->members[i].network, l->sample))
            l->members[i] = (struct group_member){0};
    return OK;
}

/* --- which group it is -------------------------------------------------------------------- */

static struct moving *moving_find(struct screen *s, uint32_t id)
{
    for (size_t i = 0; i < s->moving_count; i++)
        if (s->moving[i].id == id)
            return &s->moving[i];
    return NULL;
}

/* A place for a new one; of a full list, that of the one which was not seen for longest. */
static struct moving *moving_new(struct screen *s)
{
    struct moving *m = &s->moving[0];
    if (s->moving_count < SCREEN_MOVING_MAX)
        m = &s->moving[s->moving_count++];
    else
        for (size_t i = 1; i < s->moving_count; i++)
            if (s->moving[i].last < m->last)
                m = &s->moving[i];
    *m = (struct moving){.id = ++s->moving_next, .first = s->now, .last = s->now};
    return m;
}

/* What half of them have is one of the two in the middle; of two that half have, the older. */
struct moving *screen_moving_of(struct screen *s, uint32_t *ids, size_t count)
{
    assert(count > 0);
    qsort(ids, count, sizeof *ids, compare_u32);
    for (size_t at = (count - 1) / 2; at <= count / 2; at++) {
        size_t same = 0;
        for (size_t i = 0; i < count; i++)
            same += ids[i] == ids[at];
        struct moving *m = ids[at] && 2 * same >= count ? moving_find(s, ids[at]) : NULL;
        if (m)
            return m;
    }
    return NULL;
}

/* Which group of before it is; if none, it is new. `ids` has room for all members. */
static struct moving *moving_take(
    struct screen *s, const struct look *l, uint32_t group, uint32_t *ids)
{
    size_t count = 0;
    for (size_t i = 0; i < s->profiles.count; i++)
        if (l->found.of[i] == group)
            ids[count++] = s->profiles.list[i].group;
    struct moving *m = screen_moving_of(s, ids, count);
    return m ? m : moving_new(s);
}

/* Two groups of one look may come of one of before; they share its number. */
static enum err moving_name(struct screen *s, const struct screen_step *step, struct look *l)
{
    uint32_t *ids = arena_take(step->scratch, s->profiles.count + 1, sizeof *ids);
    l->known = arena_take(step->scratch, l->found.count + 1, sizeof *l->known);
    if (!ids || !l->known)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->moving_count; i++)
        s->moving[i].history = (uint8_t)(s->moving[i].history << 1);
    size_t told =
        l->found.count < SCREEN_MOVING_MAX / 2 ? l->found.count : SCREEN_MOVING_MAX / 2;
    for (uint32_t g = 0; g < told; g++) {
        if (l->found.list[g].networks * l->sample < s->options.group_networks)
            break;
        l->known[g] = moving_take(s, l, g, ids);
        l->known[g]->last = s->now;
    }
    assert(l->found.of);
    for (size_t i = 0; i < s->profiles.count; i++) {
        uint32_t g = l->found.of[i];
        if (g != GROUP_NONE && g < told && l->known[g])
            s->profiles.list[i].group = l->known[g]->id;
    }
    return OK;
}

/* --- what is new, and no chance ----------------------------------------------------------- */

/* It was not there in the time of learning, nor at the first look, before which nobody knows
 * what there was; nor has it been told for a day. */
static bool is_new(const struct screen *s, const struct moving *m)
{
    return m && m->first > s->book.learn && m->first > s->first_look &&
           (!m->fired || s->now - m->fired < s->book.day);
}

/* It is asked about no more whether it is chance. Bit 0 is of the present look. */
bool screen_moving_is_sure(const struct moving *m)
{
    return __builtin_popcount(m->history >> 1 & 7) >= 2;
}

static enum err tell_new(
    struct screen *s, const struct screen_step *step, const struct look *l, uint32_t chance)
{
    enum err e = OK;
    double looks = (double)s->book.day / look_every(s);
    for (uint32_t g = 0; !e && g < l->found.count; g++) {
        struct moving *m = l->known[g];
        if (!is_new(s, m))
            continue;
        if (!screen_moving_is_sure(m))
            m->chance = chance;
        if (l->found.list[g].networks <= least_ratio * m->chance)
            continue;
        m->fired = m->fired ? m->fired : s->now;
        m->history |= 1;
        e = screen_group_tell(s, step,
            &(struct screen_group){.found = &l->found.list[g],
                .moving = m,
                .members = l->members,
                .of = l->found.of,
                .number = g,
                .rounds = l->options.rounds,
                .looked_at = l->found.looked_at,
                .sample = l->sample,
                .score = log10((l->options.rounds + 1.0) / looks)});
    }
    return e;
}

/* Rounds are run only if there is something new to tell of which it is not sure, and only until
 * one has a group as large as the largest such. */
static enum err judge(struct screen *s, const struct screen_step *step, const struct look *l)
{
    struct groups_chance chance = {.networks = UINT32_MAX};
    for (size_t g = 0; g < l->found.count; g++) {
        if (!is_new(s, l->known[g]) || screen_moving_is_sure(l->known[g]))
            continue;
        uint32_t enough = (uint32_t)ceil(l->found.list[g].networks / least_ratio);
        enum err e = groups_chance(l->members, s->profiles.count, &l->options, enough, &chance);
        if (e)
            return e;
        break;
    }
    return tell_new(s, step, l, chance.networks);
}

/* The window in which a look is due may be missing; then the next one has it. */
static bool is_due(const struct screen *s, const struct screen_step *step)
{
    uint32_t every = look_every(s);
    return every && s->now / every != step->before / every;
}

enum err screen_groups(struct screen *s, const struct screen_step *step)
{
    uint32_t windows = s->now < s->book.day ? s->now : s->book.day;
    if (!is_due(s, step) || !group_windows_suffice(windows, s->profiles.hour))
        return OK;
    s->first_look = s->first_look ? s->first_look : s->now;
    struct look l = {.options = group_options_usual(windows, s->profiles.hour)};
    l.options.rounds = s->options.group_rounds;
    l.options.seed = hash_u64(s->now);
    enum err e = members_take(s, step, windows, &l);
    if (!e)
        e = groups_find(l.members, s->profiles.count, &l.options, &l.found);
    if (!e)
        e = moving_name(s, step, &l);
    if (!e)
        e = judge(s, step, &l);
    free(l.found.of);
    free(l.found.list);
    return e;
}
