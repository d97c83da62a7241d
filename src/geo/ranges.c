#include "geo/ranges.h"

#include <assert.h>
#include <stdlib.h>

enum {
    SLOTS = 65536,
    NESTING_MAX = 129
};

void ranges_init(struct ranges *r)
{
    *r = (struct ranges){0};
}

void ranges_done(struct ranges *r)
{
    free(r->added);
    free(r->range4);
    free(r->slot4);
    free(r->range6);
    free(r->slot6);
    *r = (struct ranges){0};
}

enum err ranges_add(
    struct ranges *r, const struct ip *first, const struct ip *last, uint32_t value)
{
    assert(value != RANGES_NONE && !r->slot4);
    if (ip_is_v4(first) != ip_is_v4(last) || ip_compare(first, last) > 0)
        return ERR_RANGE;
    if (r->added_count == RANGES_MAX)
        return ERR_FULL;
    if (r->added_count == r->added_room) {
        size_t room = r->added_room ? r->added_room * 2 : 1024;
        struct range *added = realloc(r->added, room * sizeof *added);
        if (!added)
            return ERR_NOMEM;
        r->added = added;
        r->added_room = room;
    }
    r->added[r->added_count] = (struct range){
        .first = *first, .last = *last, .value = value, .order = (uint32_t)r->added_count};
    r->added_count++;
    return OK;
}

/* Outer ranges before those within; of equal ones, the first added last, so that it wins. */
static int outer_first(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    int c = ip_compare(&x->first, &y->first);
    if (c)
        return c;
    c = ip_compare(&y->last, &x->last);
    if (c)
        return c;
    return x->order > y->order ? -1 : 1;
}

/* Intervals while they are laid out. Starts rise strictly; neighbours differ in value. */
struct layout {
    struct ip *start;
    uint32_t *value;
    size_t count;
};

static void begin(struct layout *l, const struct ip *start, uint32_t value)
{
    if (l->count && ip_same(&l->start[l->count - 1], start))
        l->count--;
    if (l->count && l->value[l->count - 1] == value)
        return;
    l->start[l->count] = *start;
    l->value[l->count] = value;
    l->count++;
}

/* The address after `ip`; false if there is none. */
static bool step(struct ip *ip)
{
    for (int i = 15; i >= 0; i--)
        if (++ip->byte[i])
            return true;
    return false;
}

/* Close the ranges on the stack that end before `next` (all of them if NULL): after each, its
 * outer one goes on. */
static void close_before(
    struct layout *l, const struct range **stack, size_t *depth, const struct ip *next)
{
    while (*depth && (!next || ip_compare(&stack[*depth - 1]->last, next) < 0)) {
        struct ip after = stack[*depth - 1]->last;
        --*depth;
        if (step(&after))
            begin(l, &after, *depth ? stack[*depth - 1]->value : RANGES_NONE);
    }
}

static enum err lay_out(
    struct layout *l, const struct range *sorted, size_t count, size_t ret_crossing[2])
{
    const struct range **stack = malloc(NESTING_MAX * sizeof(const struct range *));
    if (!stack)
        return ERR_NOMEM;
    size_t depth = 0;
    enum err e = OK;
    for (size_t i = 0; !e && i < count; i++) {
        const struct range *r = &sorted[i];
        close_before(l, stack, &depth, &r->first);
        if (depth && ip_compare(&stack[depth - 1]->last, &r->last) < 0) {
            ret_crossing[0] = stack[depth - 1]->order;
            ret_crossing[1] = r->order;
            e = ERR_BAD;
        } else {
            begin(l, &r->first, r->value);
            /* An equal range is replaced, so that the stack is no deeper than prefixes nest. */
            if (depth && ip_same(&stack[depth - 1]->first, &r->first) &&
                ip_same(&stack[depth - 1]->last, &r->last))
                depth--;
            if (depth == NESTING_MAX)
                e = ERR_FULL;
            else
                stack[depth++] = r;
        }
    }
    close_before(l, stack, &depth, NULL);
    free(stack);
    return e;
}

static struct range6 key_of(const struct ip *ip, uint32_t value)
{
    struct range6 k = {.value = value};
    for (int i = 0; i < 8; i++) {
        k.high = k.high << 8 | ip->byte[i];
        k.low = k.low << 8 | ip->byte[i + 8];
    }
    return k;
}

/* For each slot the last interval that begins at or before the slot's first address, and for
 * one slot past the end the last interval. */
static void fill_slots(uint32_t *slot, size_t count,
    bool (*begins_by)(const void *start, size_t i, uint32_t slot), const void *start)
{
    size_t at = 0;
    for (uint32_t s = 0; s < SLOTS; s++) {
        while (at + 1 < count && begins_by(start, at + 1, s))
            at++;
        slot[s] = (uint32_t)at;
    }
    slot[SLOTS] = (uint32_t)(count - 1);
}

static bool begins_by4(const void *start, size_t i, uint32_t slot)
{
    return ((const struct range4 *)start)[i].start <= slot << 16;
}

static bool begins_by6(const void *start, size_t i, uint32_t slot)
{
    const struct range6 *k = (const struct range6 *)start + i;
    uint64_t high = (uint64_t)slot << 48;
    return k->high < high || (k->high == high && k->low == 0);
}

static enum err store4(struct ranges *r, const struct layout *l)
{
    r->range4 = malloc((l->count + 1) * sizeof *r->range4);
    r->slot4 = malloc((SLOTS + 1) * sizeof *r->slot4);
    if (!r->range4 || !r->slot4)
        return ERR_NOMEM;
    size_t n = 0;
    if (!l->count || ip_v4(&l->start[0]) != 0)
        r->range4[n++] = (struct range4){0, RANGES_NONE};
    /* What follows the last address of IPv4 belongs to IPv6. */
    for (size_t i = 0; i < l->count; i++)
        if (ip_is_v4(&l->start[i]))
            r->range4[n++] = (struct range4){ip_v4(&l->start[i]), l->value[i]};
    r->count4 = n;
    fill_slots(r->slot4, n, begins_by4, r->range4);
    return OK;
}

static enum err store6(struct ranges *r, const struct layout *l)
{
    static const struct ip zero;
    r->range6 = malloc((l->count + 1) * sizeof *r->range6);
    r->slot6 = malloc((SLOTS + 1) * sizeof *r->slot6);
    if (!r->range6 || !r->slot6)
        return ERR_NOMEM;
    size_t n = 0;
    if (!l->count || !ip_same(&l->start[0], &zero))
        r->range6[n++] = key_of(&zero, RANGES_NONE);
    for (size_t i = 0; i < l->count; i++)
        r->range6[n++] = key_of(&l->start[i], l->value[i]);
    r->count6 = n;
    fill_slots(r->slot6, n, begins_by6, r->range6);
    return OK;
}

/* IPv4 before IPv6, then outer_first(). */
static int v4_first(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    bool p = ip_is_v4(&x->first), q = ip_is_v4(&y->first);
    if (p != q)
        return p ? -1 : 1;
    return outer_first(a, b);
}

/* Files are sorted already, nearly always; then this is one pass. */
static void sort_v4_first(struct range *range, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (v4_first(&range[i - 1], &range[i]) > 0) {
            qsort(range, count, sizeof *range, v4_first);
            return;
        }
}

enum err ranges_build(struct ranges *r, size_t ret_crossing[2])
{
    size_t count = r->added_count;
    size_t most = 2 * count + 1;
    struct layout l = {
        .start = malloc(most * sizeof *l.start), .value = malloc(most * sizeof *l.value)};
    size_t v4 = 0;
    enum err e = l.start && l.value ? OK : ERR_NOMEM;
    if (!e)
        sort_v4_first(r->added, count);
    while (v4 < count && ip_is_v4(&r->added[v4].first))
        v4++;
    if (!e)
        e = lay_out(&l, r->added, v4, ret_crossing);
    if (!e)
        e = store4(r, &l);
    l.count = 0;
    if (!e && v4 < count)
        e = lay_out(&l, r->added + v4, count - v4, ret_crossing);
    if (!e)
        e = store6(r, &l);
    free(l.start);
    free(l.value);
    free(r->added);
    r->added = NULL;
    r->added_count = r->added_room = 0;
    if (e)
        ranges_done(r);
    return e;
}

uint32_t ranges_find6(const struct ranges *r, const struct ip *ip)
{
    if (!r->count6)
        return RANGES_NONE;
    struct range6 key = key_of(ip, 0);
    uint64_t slot = key.high >> 48;
    uint32_t low = r->slot6[slot], n = r->slot6[slot + 1] - low + 1;
    const struct range6 *at = r->range6 + low;
    while (n > 1) {
        uint32_t half = n / 2;
        const struct range6 *other = at + half;
        bool before =
            other->high < key.high || (other->high == key.high && other->low <= key.low);
        at = before ? other : at;
        n -= half;
    }
    return at->value;
}
