#include "geo/ranges_int.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

enum {
    SLOTS = 65536,
    NESTING_MAX = 129,
    ADDED_FIRST = 4096
};

void ranges_init(struct ranges *r)
{
    *r = (struct ranges){0};
}

static void added_free(struct ranges *r)
{
    memory_free(r->added4, r->added4_room * sizeof *r->added4);
    memory_free(r->added6, r->added6_room * sizeof *r->added6);
    r->added4 = NULL;
    r->added6 = NULL;
    r->added4_count = r->added4_room = 0;
    r->added6_count = r->added6_room = 0;
}

void ranges_done(struct ranges *r)
{
    added_free(r);
    memory_free(r->range4, r->room4 * sizeof *r->range4);
    memory_free(r->range6, r->room6 * sizeof *r->range6);
    free(r->slot4);
    free(r->slot6);
    *r = (struct ranges){0};
}

/* An array with room for one more; NULL: no memory, and all is as it was. */
static void *added_room(void *added, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return added;
    size_t more = *room ? *room * 2 : ADDED_FIRST;
    void *larger = memory_resize(added, *room * size, more * size);
    if (larger)
        *room = more;
    return larger;
}

static enum err add4(
    struct ranges *r, const struct range_span *span, uint32_t value, uint32_t order)
{
    struct range_added4 *added =
        added_room(r->added4, r->added4_count, &r->added4_room, sizeof *added);
    if (!added)
        return ERR_NOMEM;
    r->added4 = added;
    added[r->added4_count++] = (struct range_added4){
        (uint32_t)span->first.low, (uint32_t)span->last.low, value, order};
    return OK;
}

static enum err add6(
    struct ranges *r, const struct range_span *span, uint32_t value, uint32_t order)
{
    struct range_added6 *added =
        added_room(r->added6, r->added6_count, &r->added6_room, sizeof *added);
    if (!added)
        return ERR_NOMEM;
    r->added6 = added;
    added[r->added6_count++] = (struct range_added6){span->first, span->last, value, order};
    return OK;
}

enum err ranges_add_span(struct ranges *r, const struct range_span *span, uint32_t value)
{
    assert(value != RANGES_NONE && !r->slot4);
    if (range_key_before(span->last, span->first))
        return ERR_RANGE;
    size_t order = r->added4_count + r->added6_count;
    if (order == RANGES_MAX)
        return ERR_FULL;
    return span->v4 ? add4(r, span, value, (uint32_t)order)
                    : add6(r, span, value, (uint32_t)order);
}

bool range_span_of(const struct ip *first, const struct ip *last, struct range_span *ret_span)
{
    bool v4 = ip_is_v4(first);
    if (v4 != ip_is_v4(last) || ip_compare(first, last) > 0)
        return false;
    *ret_span = v4 ? (struct range_span){{.low = ip_v4(first)}, {.low = ip_v4(last)}, true}
                   : (struct range_span){range_key_of(first), range_key_of(last), false};
    return true;
}

enum err ranges_add(
    struct ranges *r, const struct ip *first, const struct ip *last, uint32_t value)
{
    struct range_span span;
    return range_span_of(first, last, &span) ? ranges_add_span(r, &span, value) : ERR_RANGE;
}

/* ---- sorting: outer ranges before those within; of equal ones, the first added first ---- */

static int order_of(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int outer_first4(const void *a, const void *b)
{
    const struct range_added4 *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->last != y->last)
        return x->last > y->last ? -1 : 1;
    return order_of(x->order, y->order);
}

static int key_order(struct range_key a, struct range_key b)
{
    return range_key_before(a, b) ? -1 : range_key_before(b, a);
}

static int outer_first6(const void *a, const void *b)
{
    const struct range_added6 *x = a, *y = b;
    int c = key_order(x->first, y->first);
    if (!c)
        c = key_order(y->last, x->last);
    return c ? c : order_of(x->order, y->order);
}

/* Files are sorted already, nearly always; then this is one pass. */
static void sort_outer_first(
    void *added, size_t count, size_t size, int (*order)(const void *, const void *))
{
    const char *at = added;
    for (size_t i = 1; i < count; i++, at += size)
        if (order(at, at + size) > 0) {
            qsort(added, count, size, order);
            return;
        }
}

/* ---- laying out ---- */

/* A range that is open: later ones may lie within. */
struct open_range {
    struct range_key first, last;
    uint32_t value, order;
};

/* Intervals while they are laid out. The family is a constant wherever this is used, so that
 * IPv4 is done in 32 bits. */
struct layout {
    struct ranges *r;
    size_t count;
    struct open_range open[NESTING_MAX]; /* each within the one before it */
    size_t depth;
};

static inline void begin(struct layout *l, bool v4, struct range_key start, uint32_t value)
{
    l->count = v4 ? range4_put(l->r->range4, l->count, (uint32_t)start.low, value)
                  : range6_put(l->r->range6, l->count, start, value);
}

/* The address after a key; false if there is none. */
static inline bool step(bool v4, struct range_key *key)
{
    key->low++;
    if (v4)
        return key->low <= UINT32_MAX;
    if (!key->low)
        key->high++;
    return key->low || key->high;
}

static inline void close_last(struct layout *l, bool v4)
{
    struct range_key after = l->open[--l->depth].last;
    if (step(v4, &after))
        begin(l, v4, after, l->depth ? l->open[l->depth - 1].value : RANGES_NONE);
}

/* Open the next range in the order of sorting. */
static inline enum err open_next(
    struct layout *l, bool v4, const struct open_range *next, size_t ret_crossing[2])
{
    while (l->depth && range_key_before(l->open[l->depth - 1].last, next->first))
        close_last(l, v4);
    const struct open_range *outer = l->depth ? &l->open[l->depth - 1] : NULL;
    if (outer && range_key_before(outer->last, next->last)) {
        ret_crossing[0] = outer->order;
        ret_crossing[1] = next->order;
        return ERR_BAD;
    }
    /* An equal range that was added before wins. */
    if (outer && key_order(outer->first, next->first) == 0 &&
        key_order(outer->last, next->last) == 0)
        return OK;
    if (l->depth == NESTING_MAX)
        return ERR_FULL;
    begin(l, v4, next->first, next->value);
    l->open[l->depth++] = *next;
    return OK;
}

static inline enum err lay_out(struct ranges *r, bool v4, size_t ret_crossing[2])
{
    static const struct range_key zero;
    struct layout l = {.r = r};
    size_t count = v4 ? r->added4_count : r->added6_count;
    enum err e = OK;
    begin(&l, v4, zero, RANGES_NONE);
    for (size_t i = 0; !e && i < count; i++) {
        struct open_range next;
        if (v4) {
            const struct range_added4 *a = &r->added4[i];
            next = (struct open_range){{.low = a->first}, {.low = a->last}, a->value, a->order};
        } else {
            const struct range_added6 *a = &r->added6[i];
            next = (struct open_range){a->first, a->last, a->value, a->order};
        }
        e = open_next(&l, v4, &next, ret_crossing);
    }
    while (!e && l.depth)
        close_last(&l, v4);
    *(v4 ? &r->count4 : &r->count6) = l.count;
    return e;
}

/* For each slot the last interval that begins at or before the slot's first address, and for
 * one slot past the end the last interval. */
static void fill_slots4(struct ranges *r)
{
    size_t at = 0;
    for (uint32_t s = 0; s < SLOTS; s++) {
        while (at + 1 < r->count4 && r->range4[at + 1].start <= s << 16)
            at++;
        r->slot4[s] = (uint32_t)at;
    }
    r->slot4[SLOTS] = (uint32_t)(r->count4 - 1);
}

static void fill_slots6(struct ranges *r)
{
    size_t at = 0;
    for (uint64_t s = 0; s < SLOTS; s++) {
        struct range_key slot = {.high = s << 48};
        while (at + 1 < r->count6) {
            struct range_key start = {r->range6[at + 1].high, r->range6[at + 1].low};
            if (range_key_before(slot, start))
                break;
            at++;
        }
        r->slot6[s] = (uint32_t)at;
    }
    r->slot6[SLOTS] = (uint32_t)(r->count6 - 1);
}

static enum err build4(struct ranges *r, size_t ret_crossing[2])
{
    enum err e = OK;
    r->slot4 = malloc((SLOTS + 1) * sizeof *r->slot4);
    if (!r->slot4)
        return ERR_NOMEM;
    if (!r->count4) {
        size_t room = 2 * r->added4_count + 2;
        r->range4 = memory_resize(NULL, 0, room * sizeof *r->range4);
        if (!r->range4)
            return ERR_NOMEM;
        r->room4 = room;
        sort_outer_first(r->added4, r->added4_count, sizeof *r->added4, outer_first4);
        e = lay_out(r, true, ret_crossing);
    }
    if (!e)
        fill_slots4(r);
    return e;
}

static enum err build6(struct ranges *r, size_t ret_crossing[2])
{
    enum err e = OK;
    r->slot6 = malloc((SLOTS + 1) * sizeof *r->slot6);
    if (!r->slot6)
        return ERR_NOMEM;
    if (!r->count6) {
        size_t room = 2 * r->added6_count + 2;
        r->range6 = memory_resize(NULL, 0, room * sizeof *r->range6);
        if (!r->range6)
            return ERR_NOMEM;
        r->room6 = room;
        sort_outer_first(r->added6, r->added6_count, sizeof *r->added6, outer_first6);
        e = lay_out(r, false, ret_crossing);
    }
    if (!e)
        fill_slots6(r);
    return e;
}

enum err ranges_build(struct ranges *r, size_t ret_crossing[2])
{
    enum err e = build4(r, ret_crossing);
    if (!e)
        e = build6(r, ret_crossing);
    added_free(r);
    if (e)
        ranges_done(r);
    return e;
}

uint32_t ranges_find6(const struct ranges *r, const struct ip *ip)
{
    if (!r->count6)
        return RANGES_NONE;
    struct range_key key = range_key_of(ip);
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
