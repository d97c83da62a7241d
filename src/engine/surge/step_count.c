#include "engine/counts.h"
#include "engine/surge/step_int.h"

#include <math.h>
#include <string.h>

enum {
    PROMOTE_SOURCES = 3, /* in one window make a service worth a series of its own */
    IDLE_DAYS = 3
};
static const double promote_hits = 15.0; /* or this many, of which a day forgets a half */

static unsigned pool_of(uint32_t service)
{
    return service < SERVICE_UDP ? 0 : service < SERVICE_ICMP ? 1 : 2;
}

static const double pool_size[POOLS] = {65536.0, 65536.0, SERVICES - SERVICE_ICMP};

static enum err map_sites(struct surge *s, struct step *step, struct arena *scratch)
{
    const struct window *w = step->window;
    step->site_of = arena_take(scratch, w->site_count + 1, sizeof *step->site_of);
    step->site_at = arena_take(scratch, s->options.sites_max, sizeof *step->site_at);
    if (!step->site_of || !step->site_at)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->site_count; i++) {
        size_t k = 0;
        while (k < s->site_count && strcmp(s->sites[k].name, w->sites[i].name) != 0)
            k++;
        if (k == s->site_count) {
            struct site *site;
            enum err e = surge_site_add(s, w->sites[i].name, &site);
            if (e == ERR_FULL) {
                s->left_out++;
                continue;
            }
            if (e)
                return e;
        }
        step->site_of[i] = (uint16_t)(k + 1);
        step->site_at[k] = &w->sites[i];
        s->sites[k].windows += w->sites[i].watching;
        s->sites[k].addresses = w->sites[i].addresses;
    }
    return OK;
}

static bool is_watching(const struct step *step, size_t site)
{
    return step->site_at[site] && step->site_at[site]->watching;
}

/* Open the rings for the window in hand; those that were skipped were watched by nobody. */
static void advance(struct surge *s, const struct step *step)
{
    uint32_t last = s->now;
    if (!last)
        s->origin = step->window->start - s->window;
    s->now = (uint32_t)((step->window->start - s->origin) / s->window);
    uint32_t skipped = s->now - last - 1;
    skipped = skipped < RING ? skipped : RING;
    for (uint32_t k = 0; k <= skipped && k < RING && k < s->now; k++)
        model_slot(s, s->now - k);
    for (size_t i = 0; i < s->series_count; i++) {
        struct series *p = &s->series[i];
        for (uint32_t k = 1; k <= skipped; k++) {
            set_seen(p, s->now - k, NAN);
            set_held(p, s->now - k, false);
        }
        set_seen(p, s->now, is_watching(step, p->site) ? 0.0F : NAN);
        set_held(p, s->now, false);
    }
}

/* Give a service a series, with the past that its hits tell: their rate under a prior of half a
 * hit in five windows, so that none is never. */
static enum err promote(
    struct surge *s, size_t site_number, uint32_t service, double hits, float seen)
{
    enum err e = surge_series_room(s);
    if (e)
        return e;
    struct site *site = &s->sites[site_number];
    struct series *p = &s->series[s->series_count];
    *p = (struct series){.service = service, .site = (uint16_t)site_number};
    uint32_t days = (uint32_t)((int64_t)(site->windows - 1) * s->window / US_DAY);
    double rate = quiet_rate(hits, site->windows);
    rate = fmax(rate, site->pool_rate[pool_of(service)]);
    model_begin(s, p, rate, quiet_windows(site->windows), days);
    set_seen(p, s->now, seen);
    site->quiet[service] = (struct quiet){0};
    site->series_of[service] = (uint32_t)++s->series_count;
    return OK;
}

/* The series of each group; what count_group() is going to touch is asked for. */
static void find_series(struct surge *s, struct step *step)
{
    for (size_t i = 0; i < step->tally.group_count; i++) {
        const struct tally_group *g = &step->tally.groups[i];
        size_t k = step->site_of[g->site];
        if (!k)
            continue;
        const struct site *site = &s->sites[k - 1];
        uint32_t number = site->series_of[g->service];
        step->series_of[i] = number;
        if (number)
            __builtin_prefetch(&s->series[number - 1].ring[s->now % RING], 1);
        else
            __builtin_prefetch(&site->quiet[g->service], 1);
    }
}

/* One group into a ring, or into the rate of a quiet service. */
static enum err count_group(
    struct surge *s, struct step *step, size_t group, double quiet_seen[])
{
    const struct tally_group *g = &step->tally.groups[group];
    size_t k = step->site_of[g->site];
    if (!k || !is_watching(step, k - 1))
        return OK;
    struct site *site = &s->sites[k - 1];
    double kept = step->site_at[k - 1]->kept;
    float seen = (float)(g->count / (kept > 0.0 ? kept : 1.0));
    uint32_t number = step->series_of[group];
    if (number) {
        set_seen(&s->series[number - 1], s->now, seen);
        s->series[number - 1].idle_days = 0;
        return OK;
    }
    struct quiet *q = &site->quiet[g->service];
    double before = quiet_hits_by(q, s->now, s->powers);
    double hits = before + (double)seen;
    quiet_seen[(k - 1) * POOLS + pool_of(g->service)] += smaller((double)seen, 10.0);
    if (seen >= (float)PROMOTE_SOURCES || hits >= promote_hits) {
        enum err e = promote(s, k - 1, g->service, before, seen);
        if (!e)
            step->series_of[group] = (uint32_t)s->series_count;
        if (e != ERR_FULL)
            return e;
        s->left_out++;
    }
    *q = (struct quiet){.hits = (float)hits, .window = s->now};
    return OK;
}

/* Series that nobody reached for days make room. Order is kept, so that it never matters when
 * the state was saved. */
static void drop_idle(struct surge *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->series_count; i++) {
        struct series *p = &s->series[i];
        struct site *site = &s->sites[p->site];
        p->idle_days++;
        if (p->idle_days > IDLE_DAYS && !p->suspect) {
            site->series_of[p->service] = 0;
            continue;
        }
        if (kept != i)
            s->series[kept] = *p;
        site->series_of[p->service] = (uint32_t)++kept;
        if (p->suspect)
            s->episodes[p->suspect - 1].series = (uint32_t)(kept - 1);
    }
    s->series_count = kept;
}

static void turn_calendar(struct surge *s, const struct step *step)
{
    int64_t start = step->window->start;
    if (s->now > 1 && start % US_HOUR == 0)
        for (size_t i = 0; i < s->series_count; i++) {
            model_close_hour(s, &s->series[i]);
            beat_learn(s, &s->series[i]);
        }
    if (s->now > 1 && start % US_DAY == 0) {
        drop_idle(s);
        for (size_t i = 0; i < s->site_count; i++)
            for (unsigned h = 0; h < HORIZONS; h++)
                tail_decay(&s->sites[i].tails[h]);
    }
}

static void learn_pools(struct surge *s, const struct step *step, const double quiet_seen[])
{
    for (size_t k = 0; k < s->site_count; k++) {
        if (!is_watching(step, k))
            continue;
        struct site *site = &s->sites[k];
        double gain = fmax(1.0 / site->windows, 0.01);
        for (unsigned i = 0; i < POOLS; i++)
            site->pool_rate[i] +=
                gain * (quiet_seen[k * POOLS + i] / pool_size[i] - site->pool_rate[i]);
    }
}

/* Which of its addresses a site has ever been reached at, in 64 bits; a sample of rows does. */
static void learn_targets(struct surge *s, const struct step *step)
{
    const struct tally *t = &step->tally;
    for (size_t i = 0; i < t->source_count; i += 1 + t->source_count / 4096) {
        size_t site = step->site_of[t->sources[i].key & (WINDOW_SITES_MAX - 1)];
        if (!site || s->sites[site - 1].targets == UINT64_MAX)
            continue;
        size_t row;
        const struct block *b = tally_row(t, &t->sources[i], &row);
        s->sites[site - 1].targets |= block_u64(b, CONTACT_DSTS)[row];
    }
}

enum err step_count(struct surge *s, struct step *step, struct arena *scratch)
{
    enum err e = tally_build(&step->tally, step->window, s->options.leave_out, scratch);
    if (!e)
        e = map_sites(s, step, scratch);
    if (e)
        return e;
    double *quiet_seen = arena_take(scratch, s->site_count * POOLS + 1, sizeof *quiet_seen);
    step->series_of = arena_take(scratch, step->tally.group_count + 1, sizeof *step->series_of);
    if (!quiet_seen || !step->series_of)
        return ERR_NOMEM;
    advance(s, step);
    turn_calendar(s, step);
    find_series(s, step);
    for (size_t g = 0; !e && g < step->tally.group_count; g++)
        e = count_group(s, step, g, quiet_seen);
    learn_pools(s, step, quiet_seen);
    learn_targets(s, step);
    return e;
}
