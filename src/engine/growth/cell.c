/* One service at one site: its past, and what that makes one expect of now. */
#include "engine/growth/growth_int.h"

#include "num/order.h"
#include "num/tail.h"

#include <math.h>
#include <stdlib.h>

enum {
    DAY_HOURS = 24,
    DAYS = PAST_HOURS / DAY_HOURS,
    IDLE_HOURS = 72
};

static const double prior_dispersion[SPANS] = {0.10, 0.15};
static const double prior_weight = 50.0;
static const double least_dispersion = 0.02;
static const double outlier = 4.0;
/* No past of the same hour: rhythm is not known, so much more is normal. */
static const double blind_dispersion = 0.6;

static uint64_t key_hash(uint32_t service, uint16_t place)
{
    return hash_u64((uint64_t)service << 16 | place);
}

struct cell *growth_cell(const struct growth *g, uint32_t service, uint16_t place)
{
    if (!g->cell_count)
        return NULL;
    uint64_t h = key_hash(service, place);
    uint32_t e;
    for (size_t p = index_first(&g->cell_index, h); index_at(&g->cell_index, p, h, &e);
         p = index_next(&g->cell_index, p))
        if (e != INDEX_OTHER && g->cells[e].service == service && g->cells[e].site == place)
            return &g->cells[e];
    return NULL;
}

static enum err index_cell(struct growth *g, uint32_t number)
{
    uint64_t h = key_hash(g->cells[number].service, g->cells[number].site);
    uint32_t e;
    size_t p = index_first(&g->cell_index, h);
    while (index_at(&g->cell_index, p, h, &e))
        p = index_next(&g->cell_index, p);
    return index_put(&g->cell_index, p, h, number);
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
    if (!e && !g->cell_index.slots)
        e = index_init(&g->cell_index, g->options.cells_max);
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
    uint32_t now = growth_hour(g, g->now);
    for (uint32_t i = 0; i < PAST_HOURS; i++)
        c->past[i] = NAN;
    for (uint32_t k = 1; k < PAST_HOURS && k <= hours && k <= now; k++)
        c->past[(now - k) % PAST_HOURS] = (float)(rate * g->span[0]);
    cell_refresh(g, c);
    e = index_cell(g, (uint32_t)g->cell_count);
    if (e)
        return e;
    g->cell_count++;
    *ret_cell = c;
    return OK;
}

/* The hours in which the span lies, of the day `days` before: their sum, scaled to the span. */
static double same_hours(
    const struct growth *g, const struct cell *c, unsigned span, unsigned days)
{
    uint32_t now = growth_hour(g, g->now);
    uint32_t hours = span ? 6 : 1;
    /* How far into its last hour the span reaches: the rest lies in the hour before its first.
     */
    double into =
        (double)(growth_time(g, g->now + 1) - time_floor(growth_time(g, g->now), US_HOUR)) /
        (double)US_HOUR;
    double sum = 0.0;
    for (uint32_t k = 0; k <= hours; k++) {
        double part = k == 0 ? into : k == hours ? 1.0 - into : 1.0;
        if (part < 1e-9)
            continue;
        uint32_t back = days * DAY_HOURS + k;
        if (back > now || back >= PAST_HOURS)
            return NAN;
        sum += part * (double)c->past[(now - back) % PAST_HOURS];
    }
    return sum;
}

/* Median of the hours before each span, an hour left between; it changes with the hour only. */
void cell_refresh(const struct growth *g, struct cell *c)
{
    uint32_t now = growth_hour(g, g->now);
    for (unsigned span = 0; span < SPANS; span++) {
        double hours[DAY_HOURS];
        unsigned count = 0;
        uint32_t first = span ? 8 : 3;
        for (uint32_t k = first; k < first + DAY_HOURS && k <= now; k++) {
            double x = (double)c->past[(now - k) % PAST_HOURS];
            if (!isnan(x))
                hours[count++] = x;
        }
        c->before_hours[span] = (uint8_t)count;
        c->before[span] = count ? (float)median(hours, count) : NAN;
    }
}

/* Median of at most DAYS values. */
static double middle_of(double *values, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        for (unsigned k = i; k > 0 && values[k - 1] > values[k]; k--) {
            double other = values[k];
            values[k] = values[k - 1];
            values[k - 1] = other;
        }
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

static double dispersion_of(const struct place *place, unsigned span)
{
    double d = (place->spread[span] + prior_dispersion[span] * prior_weight) /
               (place->weight[span] + prior_weight);
    return fmax(d, least_dispersion);
}

static double sum_recent(const struct growth *g, const struct cell *c, unsigned span)
{
    double sum = 0.0;
    double most = 0.0;
    double second = 0.0;
    unsigned count = 0;
    for (uint32_t k = 0; k < g->span[span] && k < g->now; k++) {
        double x = (double)c->recent[(g->now - k) % RECENT];
        if (isnan(x))
            continue;
        sum += x;
        second = fmax(second, fmin(x, most));
        most = fmax(most, x);
        count++;
    }
    if (count * 2 <= g->span[span])
        return NAN;
    sum -= count > 1 ? most - second : 0.0; /* no single window makes a rise */
    return sum * g->span[span] / count;
}

struct sight cell_sight(const struct growth *g, const struct cell *c, unsigned span)
{
    struct sight s = {.seen = NAN, .expected = NAN, .span = span};
    double seen = sum_recent(g, c, span);
    double days[DAYS];
    unsigned count = 0;
    for (unsigned d = 1; d < DAYS; d++) {
        double x = same_hours(g, c, span, d);
        if (!isnan(x))
            days[count++] = x;
    }
    unsigned hours = c->before_hours[span];
    double before = (double)c->before[span] * (span ? 6.0 : 1.0);
    double dispersion = dispersion_of(&g->places[c->site], span);
    double expected;
    if (count) {
        expected = middle_of(days, count);
        if (hours)
            expected = fmax(expected, before);
        dispersion *= 1.0 + 1.57 / count; /* a median of few days is itself uncertain */
    } else if (hours >= 3) {
        expected = before;
        dispersion = fmax(dispersion, blind_dispersion);
    } else {
        return s;
    }
    /* As many more sources as would be known of a service that is hardly ever reached. */
    double least = quiet_rate(0.0, g->places[c->site].windows) * g->span[span];
    expected = fmax(expected, least);
    dispersion += 1.0 / (0.5 + expected * fmax(count, 1.0));
    if (isnan(seen))
        return s;
    s.blind = !count;
    s.seen = (float)seen;
    s.expected = (float)expected;
    s.dispersion = (float)dispersion;
    double n = round(seen);
    if (n > expected)
        s.log_p = (float)(-log_tail_negbin(n, expected, dispersion) / M_LN10);
    else
        s.log_p = 0.3F;
    return s;
}

void cell_advance(const struct growth *g, struct cell *c, bool watching, uint32_t skipped)
{
    for (uint32_t k = 1; k <= skipped && k < RECENT; k++)
        c->recent[(g->now - k) % RECENT] = NAN;
    c->recent[g->now % RECENT] = watching ? 0.0F : NAN;
}

void cell_close_hour(const struct growth *g, struct cell *c, uint32_t last_hour, bool strange)
{
    double sum = 0.0;
    unsigned count = 0;
    for (uint32_t k = 1; k <= g->span[0] && k < g->now; k++) {
        double x = (double)c->recent[(g->now - k) % RECENT];
        if (isnan(x))
            continue;
        sum += x;
        count++;
    }
    bool known = count * 2 >= g->span[0] && !strange;
    uint32_t now = growth_hour(g, g->now);
    /* Hours that were skipped were watched by nobody. */
    for (uint32_t k = 2; k <= now - last_hour && k <= PAST_HOURS; k++)
        c->past[(now - k) % PAST_HOURS] = NAN;
    c->past[(now - 1) % PAST_HOURS] = known ? (float)(sum * g->span[0] / count) : NAN;
    c->idle_hours = sum > 0.0 ? 0 : (uint16_t)(c->idle_hours + 1);
    cell_refresh(g, c);
}

/* Dispersion of a site from all its busy services, at the end of each hour. */
void cells_learn(struct growth *g)
{
    for (size_t i = 0; i < g->cell_count; i++) {
        const struct cell *c = &g->cells[i];
        struct place *place = &g->places[c->site];
        for (unsigned span = 0; span < SPANS; span++) {
            if (span && growth_hour(g, g->now) % 6 != 0)
                continue;
            struct sight s = cell_sight(g, c, span);
            double m = (double)s.expected;
            if (isnan(s.seen) || m < 5.0)
                continue;
            double d = (double)s.dispersion;
            double bound = outlier * sqrt(m + d * m * m);
            double error = fmin(fmax((double)s.seen - m, -bound), bound);
            double weight = m / (m + 10.0);
            place->spread[span] += weight * weight * (error * error - m) / (m * m);
            place->weight[span] += weight * weight;
        }
    }
    for (size_t k = 0; k < g->place_count; k++)
        for (unsigned span = 0; span < SPANS; span++)
            if (g->places[k].weight[span] > 1e5) {
                g->places[k].weight[span] *= 0.5;
                g->places[k].spread[span] *= 0.5;
            }
}

enum err cells_index(struct growth *g)
{
    if (!g->cell_index.slots) {
        enum err e = index_init(&g->cell_index, g->options.cells_max);
        if (e)
            return e;
    }
    index_clear(&g->cell_index);
    for (size_t i = 0; i < g->cell_count; i++) {
        enum err e = index_cell(g, (uint32_t)i);
        if (e)
            return e;
    }
    return OK;
}

enum err cells_thin(struct growth *g)
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
    return cells_index(g);
}
