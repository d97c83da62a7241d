#include "screen/group_member.h"

#include <stdlib.h>

struct group_options group_options_usual(uint32_t windows, uint32_t hour)
{
    return (struct group_options){.windows = windows < GROUP_WINDOWS ? windows : GROUP_WINDOWS,
        .least = 4,
        .most = 1.0 / 3.0,
        .similar = 0.5,
        .shared = 3,
        .near = 5,
        .shift = hour};
}

enum {
    WORDS = GROUP_WINDOWS / 64
};
_Static_assert((int)GROUP_WINDOWS == (int)PROFILE_DAY, "windows of a profile are a member's");

void group_member_make(
    const struct profile *p, uint32_t now, uint32_t windows, struct group_member *ret_member)
{
    uint32_t silent = now - p->last;
    *ret_member =
        (struct group_member){.network = profile_network(p), .span = now - p->first + 1};
    for (uint32_t i = WORDS; i-- > silent / 64;) {
        uint32_t from = i - silent / 64;
        uint64_t came[2] = {0, 0}; /* in that word of the profile, and the one before it */
        for (uint32_t k = 0; k < 2 && k <= from; k++) {
            uint64_t before = p->active[from - k] >> 1;
            before |= from - k + 1 < WORDS ? p->active[from - k + 1] << 63 : 0;
            came[k] = p->active[from - k] & ~before;
        }
        ret_member->active[i] = came[0] << silent % 64;
        ret_member->active[i] |= silent % 64 ? came[1] >> (64 - silent % 64) : 0;
    }
    group_member_cut(ret_member, windows);
}

static int by_sources(const void *a, const void *b)
{
    const struct group_thing *x = a;
    const struct group_thing *y = b;
    if (x->sources != y->sources)
        return x->sources > y->sources ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

size_t group_things(const struct profiles *t, const uint32_t *of, uint32_t group,
    struct group_thing ret_list[GROUP_THINGS])
{
    size_t count = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct profile *p = &t->list[i];
        for (unsigned k = 0; of[i] == group && k < p->thing_count; k++) {
            size_t at = 0;
            while (at < count && ret_list[at].key != p->thing[k].key)
                at++;
            if (at == GROUP_THINGS)
                continue;
            if (at == count)
                ret_list[count++] = (struct group_thing){.key = p->thing[k].key};
            ret_list[at].sources++;
        }
    }
    qsort(ret_list, count, sizeof *ret_list, by_sources);
    return count;
}
