/* One service at one site: what was seen of it. */
#include "engine/growth/growth_int.h"

#include "engine/counts.h"
#include "num/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_HOURS = 72,
    DAYS = PAST_HOURS / DAY_HOURS - 1 /* before the last one */
};

struct cell *growth_cell(const struct growth *g, uint32_t service, uint16_t place)
{
    if (!g->cell_of)
        return NULL;
    for (uint32_t at = g->cell_of[service]; at; at = g->cells[at - 1].next)
        if (g->cells[at - 1].site == place)
            return &g->cells[at - 1];
    return NULL;
}

static void chain(struct growth *g, size_t number)
{
    struct cell *c = &g->cells[number];
    c->next = g->cell_of[c->service];
    g->cell_of[c->service] = (uint32_t)(number + 1);
}

static enum err make_room(struct growth *g)
{
    if (g->cell_count < g->cell_room)
        return OK;
    if (g->cell_count >= g->options.cells_max)
        return ERR_FULL;
    size_t room = g->cell_room ? g->cell_room * 2 : 1024;
    room = room < g->options.cells_max ? room : g->options.cells_max;
    struct cell *grown = realloc(g->cells, room * sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    g->cells = grown;
    g->cell_room = room;
    return OK;
}

enum err growth_cell_add(
    struct growth *g, uint32_t service, uint16_t place, double rate, struct cell **ret_cell)
{
    enum err e = make_room(g);
    if (!e && !g->cell_of)
        g->cell_of = calloc(SERVICES, sizeof *g->cell_of);
    if (!e && !g->cell_of)
        e = ERR_NOMEM;
    if (e)
        return e;
    struct cell *c = &g->cells[g->cell_count];
    *c = (struct cell){.service = service, .site = place};
    uint32_t windows = g->places[place].windows;
    for (uint32_t i = 0; i < RECENT; i++)
        c->recent[i] = NAN;
    for (uint32_t k = 1; k < RECENT && k < windows && k < g->now; k++)
        c->recent[(g->now - k) % RECENT] = (float)rate;
    uint32_t hours = windows / g->span[0];
    uint32_t now = g->hour;
    for (uint32_t i = 0; i < PAST_HOURS; i++)
        c->past[i] = NAN;
    for (uint32_t k = 1; k < PAST_HOURS && k <= hours && k <= now; k++)
        c->past[(now - k) % PAST_HOURS] = (float)(rate * g->span[0]);
    for (uint32_t k = 1; k <= DAY_HOURS; k++)
        c->day[(now + DAY_HOURS * PAST_HOURS - k) % DAY_HOURS] =
            k <= hours && k <= now ? (float)(rate * g->span[0]) : NAN;
    c->peak = (float)(rate * g->span[0]);
    chain(g, g->cell_count++);
    *ret_cell = c;
    return OK;
}

/* Of a quiet service's hours most have none. */
static double hours_median(double *hours, unsigned count)
{
    unsigned zeros = 0;
    for (unsigned i = 0; i < count; i++)
        zeros += hours[i] <= 0.0;
    return zeros * 2 > count ? 0.0 : median(hours, count);
}

/* Median of the hours before the span, an hour left between; it changes with the hour only. */
void cell_refresh(const struct growth *g, struct cell *c, unsigned span)
{
    double hours[DAY_HOURS];
    unsigned count = 0;
    uint32_t first = span ? 8 : 3;
    uint32_t at = (g->hour - first) % PAST_HOURS;
    for (uint32_t k = first; k < first + DAY_HOURS && k <= g->hour; k++) {
        double x = (double)c->past[at];
        if (!isnan(x))
            hours[count++] = x;
        at = at ? at - 1 : PAST_HOURS - 1;
    }
    c->before_at[span] = g->hour + 1;
    c->before_hours[span] = (uint8_t)count;
    c->before[span] = count ? (float)hours_median(hours, count) : NAN;
}

/* Sources in a day, of which half must be known; NAN. No single hour makes a rise. */
static double last_day(const struct cell *c)
{
    unsigned known = 0;
    double sum = counts_sum_known(c->day, DAY_HOURS, &known);
    struct top top = counts_top((struct top){0.0F, 0.0F}, c->day, DAY_HOURS);
    if (known > 1)
        sum -= (double)top.most - (double)top.second;
    return known * 2 >= DAY_HOURS ? sum * DAY_HOURS / known : NAN;
}

/* The day that ended `days` days before this hour. */
static double earlier_day(const struct growth *g, const struct cell *c, uint32_t days)
{
    double sum = 0.0;
    unsigned known = 0;
    for (uint32_t k = days * DAY_HOURS + 1; k <= (days + 1) * DAY_HOURS; k++) {
        double x =
            k < PAST_HOURS && k <= g->hour ? (double)c->past[(g->hour - k) % PAST_HOURS] : NAN;
        if (isnan(x))
            continue;
        sum += x;
        known++;
    }
    return known * 2 >= DAY_HOURS ? sum * DAY_HOURS / known : NAN;
}

void cell_refresh_days(const struct growth *g, struct cell *c)
{
    double days[DAYS];
    unsigned count = 0;
    for (uint32_t d = 1; d <= DAYS; d++) {
        double x = earlier_day(g, c, d);
        if (!isnan(x))
            days[count++] = x;
    }
    c->day_at = g->hour + 1;
    c->day_count = (uint8_t)count;
    c->day_seen = (float)last_day(c);
    c->day_usual = count ? (float)median(days, count) : NAN;
}

double cell_sum(const struct cell *c, uint32_t to, uint32_t count, unsigned *ret_known)
{
    uint32_t at = (to + RECENT + 1 - count) % RECENT;
    uint32_t straight = RECENT - at < count ? RECENT - at : count;
    uint32_t rest = count - straight;
    double sum = counts_sum(c->recent + at, straight) + counts_sum(c->recent, rest);
    unsigned known = count;
    if (isnan(sum)) {
        known = 0;
        sum = counts_sum_known(c->recent + at, straight, &known) +
              counts_sum_known(c->recent, rest, &known);
    }
    *ret_known = known;
    return sum;
}

void cell_advance(const struct growth *g, struct cell *c, bool watching, uint32_t skipped)
{
    for (uint32_t k = 1; k <= skipped && k < RECENT; k++)
        c->recent[(g->now - k) % RECENT] = NAN;
    c->recent[g->now % RECENT] = watching ? 0.0F : NAN;
}

void cell_close_hour(const struct growth *g, struct cell *c, uint32_t last_hour, bool strange)
{
    unsigned count;
    double sum = cell_sum(c, g->now - 1, g->span[0], &count);
    bool watched = count * 2 >= g->span[0];
    uint32_t now = g->hour;
    /* Hours that were skipped were watched by nobody. */
    for (uint32_t k = 2; k <= now - last_hour && k <= PAST_HOURS; k++)
        c->past[(now - k) % PAST_HOURS] = NAN;
    float seen = watched ? (float)(sum * g->span[0] / count) : NAN;
    float hour = strange ? NAN : seen;
    c->past[(now - 1) % PAST_HOURS] = hour;
    for (uint32_t k = 2; k <= now - last_hour && k <= DAY_HOURS; k++)
        c->day[(now + DAY_HOURS - k) % DAY_HOURS] = NAN;
    c->day[(now - 1) % DAY_HOURS] = seen;
    c->peak = hour > c->peak ? hour : c->peak;
    c->idle_hours = sum > 0.0 ? 0 : (uint16_t)(c->idle_hours + 1);
}

void cells_thin(struct growth *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->cell_count; i++) {
        if (g->cells[i].idle_hours > IDLE_HOURS)
            continue;
        if (kept != i)
            g->cells[kept] = g->cells[i];
        kept++;
    }
    g->cell_count = kept;
    if (!g->cell_of)
        return;
    memset(g->cell_of, 0, SERVICES * sizeof *g->cell_of);
    for (size_t i = 0; i < kept; i++)
        chain(g, i);
}
