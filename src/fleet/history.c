#include "fleet/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void history_init(struct history *h)
{
    memset(h, 0, sizeof *h);
}

void history_done(struct history *h)
{
    free(h->states);
    history_init(h);
}

static enum err make_room(struct history *h)
{
    if (h->count < h->room)
        return OK;
    if (h->room == HISTORY_MOST) {
        size_t gone = h->count / 2;
        memmove(h->states, h->states + gone, (h->count - gone) * sizeof *h->states);
        h->count -= gone;
        return OK;
    }
    size_t room = h->room ? h->room * 2 : 16;
    room = room < HISTORY_MOST ? room : HISTORY_MOST;
    struct history_state *states = realloc(h->states, room * sizeof *states);
    if (!states)
        return ERR_NOMEM;
    h->states = states;
    h->room = room;
    return OK;
}

enum err history_add(struct history *h, int64_t since, enum site_state state)
{
    while (h->count && h->states[h->count - 1].start >= since)
        h->count--;
    if (h->count && h->states[h->count - 1].state == state)
        return OK;
    enum err e = make_room(h);
    if (!e)
        h->states[h->count++] = (struct history_state){since, state};
    return e;
}

/* State number i lasts from its start to the next one's, or to the end of the range. */
static int64_t end_of(const struct history *h, size_t i, int64_t to)
{
    return i + 1 < h->count && h->states[i + 1].start < to ? h->states[i + 1].start : to;
}

static int64_t overlap(int64_t a, int64_t b, int64_t from, int64_t to)
{
    int64_t first = a > from ? a : from;
    int64_t last = b < to ? b : to;
    return last > first ? last - first : 0;
}

/* An outage that begins with state number i, through times unwatched; `ret_end` is 0 while it
 * lasts or when nobody saw its end. Returns the number of its last state. */
static size_t outage(const struct history *h, size_t i, int64_t *ret_end)
{
    size_t last = i;
    for (size_t k = i + 1; k < h->count; k++) {
        enum site_state s = h->states[k].state;
        if (s == SITE_DOWN)
            last = k;
        else if (s != SITE_UNWATCHED)
            break;
    }
    bool seen = last + 1 < h->count && h->states[last + 1].state != SITE_UNWATCHED;
    *ret_end = seen ? h->states[last + 1].start : 0;
    return last;
}

static void count_outages(
    const struct history *h, int64_t from, int64_t to, struct history_figures *figures)
{
    int64_t sum = 0;
    for (size_t i = 0; i < h->count && h->states[i].start < to; i++) {
        if (h->states[i].state != SITE_DOWN)
            continue;
        int64_t start = h->states[i].start;
        int64_t end = 0;
        i = outage(h, i, &end);
        int64_t last = end ? end : end_of(h, i, to);
        if (last <= from)
            continue;
        figures->outages++;
        if (!end || end > to)
            continue;
        figures->repaired++;
        sum += end - start;
        if (end - start > figures->repair_longest)
            figures->repair_longest = end - start;
    }
    figures->repair_mean = figures->repaired ? sum / figures->repaired : 0;
}

void history_figures(
    const struct history *h, int64_t from, int64_t to, struct history_figures *ret_figures)
{
    struct history_figures figures = {.available = 100.0, .healthy = 100.0};
    for (size_t i = 0; i < h->count; i++)
        figures.in[h->states[i].state] +=
            overlap(h->states[i].start, end_of(h, i, to), from, to);
    for (size_t s = SITE_UP; s <= SITE_DOWN; s++)
        figures.watched += figures.in[s];
    if (figures.watched) {
        figures.available =
            100.0 - 100.0 * (double)figures.in[SITE_DOWN] / (double)figures.watched;
        figures.healthy = 100.0 * (double)figures.in[SITE_UP] / (double)figures.watched;
    }
    count_outages(h, from, to, &figures);
    *ret_figures = figures;
}

void history_strip(const struct history *h, int64_t from, int64_t to, size_t count, char *cells)
{
    static const char letters[SITE_STATES] = {
        [SITE_NEW] = '.',
        [SITE_UP] = 'u',
        [SITE_DEGRADED] = 'g',
        [SITE_LATE] = 'l',
        [SITE_DOWN] = 'd',
        [SITE_UNWATCHED] = '.',
    };
    assert(count && count <= HISTORY_CELLS && to > from);
    int64_t step = (to - from) / (int64_t)count;
    size_t i = 0;
    for (size_t c = 0; c < count; c++) {
        int64_t start = from + (int64_t)c * step;
        int64_t end = start + step;
        enum site_state worst = SITE_NEW;
        while (i + 1 < h->count && h->states[i + 1].start <= start)
            i++;
        for (size_t k = i; k < h->count && h->states[k].start < end; k++)
            if (h->states[k].state != SITE_UNWATCHED && h->states[k].state > worst)
                worst = h->states[k].state;
        cells[c] = letters[worst];
    }
    cells[count] = 0;
}
