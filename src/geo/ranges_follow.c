/* Ranges that come in order: they are laid out as they come. */
#include "geo/ranges_int.h"

#include "base/memory.h"

#include <assert.h>

enum {
    FOLLOW_FIRST = 1 << 18 /* many, so that they lie in large pages */
};

/* Room for three more. */
static inline enum err intervals_room(void **array, size_t count, size_t *room, size_t size)
{
    if (count + 3 <= *room)
        return OK;
    if (count >= RANGES_MAX)
        return ERR_FULL;
    size_t more = *room ? *room * 2 : FOLLOW_FIRST;
    void *larger = memory_resize(*array, *room * size, more * size);
    if (!larger)
        return ERR_NOMEM;
    *array = larger;
    *room = more;
    return OK;
}

static inline enum err room4(struct ranges *r)
{
    void *array = r->range4;
    enum err e = intervals_room(&array, r->count4, &r->room4, sizeof *r->range4);
    r->range4 = array;
    return e;
}

static inline enum err room6(struct ranges *r)
{
    void *array = r->range6;
    enum err e = intervals_room(&array, r->count6, &r->room6, sizeof *r->range6);
    r->range6 = array;
    return e;
}

enum err ranges_from4(struct ranges *r, uint32_t start, uint32_t value)
{
    enum err e = room4(r);
    if (!e)
        r->count4 = range4_put(r->range4, r->count4, start, value);
    return e;
}

enum err ranges_from6(struct ranges *r, struct range_key start, uint32_t value)
{
    enum err e = room6(r);
    if (!e)
        r->count6 = range6_put(r->range6, r->count6, start, value);
    return e;
}

static enum err follow4(struct ranges *r, uint32_t first, uint32_t last, uint32_t value)
{
    size_t count = r->count4;
    if (r->full4 || (count && first < r->range4[count - 1].start))
        return ERR_RANGE;
    enum err e = room4(r);
    if (e)
        return e;
    count = range4_put(r->range4, count, first, value);
    r->full4 = last == UINT32_MAX;
    r->count4 = r->full4 ? count : range4_put(r->range4, count, last + 1, RANGES_NONE);
    return OK;
}

static enum err follow6(struct ranges *r, const struct range_span *span, uint32_t value)
{
    size_t count = r->count6;
    struct range_key after = span->last;
    if (count) {
        const struct range6 *last = &r->range6[count - 1];
        struct range_key end = {last->high, last->low};
        if (r->full6 || range_key_before(span->first, end))
            return ERR_RANGE;
    }
    enum err e = room6(r);
    if (e)
        return e;
    count = range6_put(r->range6, count, span->first, value);
    after.low++;
    after.high += !after.low;
    r->full6 = !after.low && !after.high;
    r->count6 = r->full6 ? count : range6_put(r->range6, count, after, RANGES_NONE);
    return OK;
}

enum err ranges_follow(struct ranges *r, const struct range_span *span, uint32_t value)
{
    assert(value != RANGES_NONE && !r->slot4);
    if (range_key_before(span->last, span->first))
        return ERR_RANGE;
    return span->v4 ? follow4(r, (uint32_t)span->first.low, (uint32_t)span->last.low, value)
                    : follow6(r, span, value);
}
