#include "fleet/watch.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[SITE_STATES] = {
    [SITE_NEW] = "new",
    [SITE_UP] = "up",
    [SITE_DEGRADED] = "degraded",
    [SITE_LATE] = "late",
    [SITE_DOWN] = "down",
    [SITE_UNWATCHED] = "unwatched",
};

const char *site_state_name(enum site_state s)
{
    assert(s < SITE_STATES);
    return state_names[s];
}

enum err site_state_parse(const char *word, enum site_state *ret_state)
{
    for (size_t i = 0; i < SITE_STATES; i++)
        if (strcmp(word, state_names[i]) == 0) {
            *ret_state = (enum site_state)i;
            return OK;
        }
    return ERR_NOTFOUND;
}

void watch_init(struct watch *w, int64_t now)
{
    memset(w, 0, sizeof *w);
    heartbeat_init(&w->last);
    w->state = SITE_NEW;
    w->since = now;
}

void watch_resume(struct watch *w, int64_t now)
{
    watch_init(w, now);
    w->state = SITE_UNWATCHED;
    w->heard = now;
}

/* ---- figures: NAN where it is not known ---- */

static double seconds(int64_t us)
{
    return (double)us / (double)US_SECOND;
}

/* It has read its captures. */
static bool has_read(const struct watch *w)
{
    return strcmp(w->last.mode, "ended") == 0;
}

/* One that has read its captures says nothing more, so what it said of itself and of its
 * machine grows old: what it still holds back for the hub counts, and what became of the
 * captures. */
static bool applies(const struct watch *w, enum watch_reason r)
{
    return !has_read(w) || r == WATCH_BEHIND || r == WATCH_OLD;
}

/* Silence is told in tens of seconds at the usual interval, and longer for slower sites. */
static double silence(const struct watch *w, int64_t now)
{
    int64_t interval = w->last.interval;
    if (interval <= WATCH_INTERVAL_S || interval > 3600)
        interval = WATCH_INTERVAL_S;
    return seconds(now - w->heard) * WATCH_INTERVAL_S / (double)interval;
}

static double behind(const struct watch *w, int64_t now)
{
    if (w->last.oldest_us == HEARTBEAT_UNKNOWN)
        return NAN;
    /* What waited when the heartbeat was sent waits still, until the next one says otherwise.
     */
    return w->last.oldest_us ? seconds(w->last.oldest_us) + seconds(now - w->heard) : 0.0;
}

static double quiet(const struct watch *w, int64_t now)
{
    (void)now;
    /* Captures may be of long ago. */
    if (w->last.newest == HEARTBEAT_UNKNOWN || strcmp(w->last.mode, "replay") == 0)
        return NAN;
    return seconds(w->last.sent - w->last.newest);
}

/* Captures may be older than what the hub keeps: days by which the newest packet is. */
static double old(const struct watch *w, int64_t now)
{
    (void)now;
    if (w->last.newest == HEARTBEAT_UNKNOWN || !w->kept)
        return NAN;
    return (double)(w->kept - w->last.newest) / (double)US_DAY;
}

static double dropping(const struct watch *w, int64_t now)
{
    (void)now;
    return w->drop_percent;
}

static double discarding(const struct watch *w, int64_t now)
{
    (void)now;
    return w->discards ? 1.0 : 0.0;
}

static double used_percent(int64_t used, int64_t size)
{
    if (used == HEARTBEAT_UNKNOWN || size == HEARTBEAT_UNKNOWN || size <= 0)
        return NAN;
    return 100.0 * (double)used / (double)size;
}

static double spool(const struct watch *w, int64_t now)
{
    (void)now;
    return used_percent(w->last.spool_bytes, w->last.spool_cap);
}

static double disk(const struct watch *w, int64_t now)
{
    (void)now;
    return 100.0 - used_percent(w->last.disk_free, w->last.disk_size);
}

static double memory(const struct watch *w, int64_t now)
{
    (void)now;
    return 100.0 - used_percent(w->last.memory_free, w->last.memory_size);
}

static double known(int64_t value)
{
    return value == HEARTBEAT_UNKNOWN ? NAN : (double)value;
}

static double hot(const struct watch *w, int64_t now)
{
    (void)now;
    return known(w->last.temperature);
}

static double smart(const struct watch *w, int64_t now)
{
    (void)now;
    return known(w->last.smart_failing);
}

/* How far the site's clock is ahead of the hub's; 0: not far, or not known. */
static int64_t ahead_of_hub(const struct watch *w)
{
    size_t count = w->ahead_count < WATCH_CLOCK_KEPT ? w->ahead_count : WATCH_CLOCK_KEPT;
    int64_t ahead = INT64_MIN;
    for (size_t i = 0; i < count; i++)
        ahead = w->ahead[i] > ahead ? w->ahead[i] : ahead;
    bool near = ahead >= -WATCH_CLOCK_S * US_SECOND && ahead <= WATCH_CLOCK_S * US_SECOND;
    return count < WATCH_CLOCK_LEAST || near ? 0 : ahead;
}

/* What the site's time source says, or, if that is more, the hub's own clock. */
static double clock_off(const struct watch *w, int64_t now)
{
    (void)now;
    double own = fabs(known(w->last.clock_offset_us)) / (double)US_SECOND;
    return w->ahead_count ? fmax(own, fabs(seconds(ahead_of_hub(w)))) : own;
}

static double service(const struct watch *w, int64_t now)
{
    (void)now;
    return w->last.services_failed[0] ? 1.0 : 0.0;
}

static double restarts(const struct watch *w, int64_t now)
{
    double count = 0.0;
    for (size_t i = 0; i < WATCH_RESTARTS_KEPT; i++)
        if (w->restarts[i] && now - w->restarts[i] <= 15 * US_MINUTE)
            count += 1.0;
    return count;
}

static double config(const struct watch *w, int64_t now)
{
    if (w->last.config_refused[0])
        return 1.0;
    bool has = !w->wanted || w->last.config_version == HEARTBEAT_UNKNOWN ||
               w->last.config_version >= w->wanted;
    return !has && now - w->wanted_at > WATCH_CONFIG_S * US_SECOND ? 1.0 : 0.0;
}

/* ---- the table ---- */

struct reason {
    const char *name;
    enum site_state state;
    double begins, ends;
};

static const struct reason reasons[WATCH_REASON_COUNT] = {
#define X(id, name, state, begins, ends) [id] = {name, state, begins, ends},
    WATCH_REASONS(X)
#undef X
};

static double figure(const struct watch *w, enum watch_reason r, int64_t now)
{
    static double (*const figures[WATCH_REASON_COUNT])(const struct watch *w, int64_t now) = {
        [WATCH_SILENT] = silence,
        [WATCH_MISSED] = silence,
        [WATCH_BEHIND] = behind,
        [WATCH_QUIET] = quiet,
        [WATCH_OLD] = old,
        [WATCH_DROPPING] = dropping,
        [WATCH_DISCARDING] = discarding,
        [WATCH_SPOOL] = spool,
        [WATCH_DISK] = disk,
        [WATCH_MEMORY] = memory,
        [WATCH_HOT] = hot,
        [WATCH_SMART] = smart,
        [WATCH_CLOCK] = clock_off,
        [WATCH_SERVICE] = service,
        [WATCH_RESTARTS] = restarts,
        [WATCH_CONFIG] = config,
    };
    return figures[r](w, now);
}

const char *watch_reason_name(enum watch_reason r)
{
    assert(r < WATCH_REASON_COUNT);
    return reasons[r].name;
}

/* ---- what happens ---- */

static bool restarted(const struct watch *w, const struct heartbeat *h)
{
    return w->last.started != HEARTBEAT_UNKNOWN && h->started != HEARTBEAT_UNKNOWN &&
           h->started > w->last.started;
}

static double count_of(int64_t value)
{
    return value == HEARTBEAT_UNKNOWN ? 0.0 : (double)value;
}

static double lost(const struct heartbeat *h)
{
    return count_of(h->dropped_kernel) + count_of(h->dropped_queue);
}

/* Shares between two heartbeats of one run of the sensor. */
static void compare(struct watch *w, const struct heartbeat *h)
{
    bool counted = w->last.received != HEARTBEAT_UNKNOWN && h->received >= w->last.received &&
                   lost(h) >= lost(&w->last);
    double gone = counted ? lost(h) - lost(&w->last) : 0.0;
    double came = counted ? (double)h->received - (double)w->last.received : 0.0;
    w->drop_percent = gone > 0.0 ? 100.0 * gone / (gone + came) : 0.0;
    w->discards = w->last.spool_lost != HEARTBEAT_UNKNOWN && h->spool_lost > w->last.spool_lost;
}

/* Heartbeats overtake each other by less than a minute; beyond that a clock was set back. */
static bool is_overtaken(const struct watch *w, const struct heartbeat *h)
{
    return w->heard && h->sent < w->last.sent && h->sent >= w->last.sent - US_MINUTE;
}

static void compare_clocks(struct watch *w, const struct heartbeat *h, int64_t now)
{
    w->ahead[w->ahead_count % WATCH_CLOCK_KEPT] = h->sent - now;
    w->ahead_count++;
}

void watch_heartbeat(struct watch *w, const struct heartbeat *h, int64_t now)
{
    bool again = restarted(w, h);
    bool old = !again && is_overtaken(w, h);
    w->heard = now;
    w->ahead_count = again ? 0 : w->ahead_count;
    compare_clocks(w, h, now);
    if (old)
        return;
    if (again && !has_read(w)) { /* it came back without having come to its end */
        memmove(w->restarts, w->restarts + 1, sizeof w->restarts - sizeof *w->restarts);
        w->restarts[WATCH_RESTARTS_KEPT - 1] = now;
    }
    if (again) {
        w->drop_percent = 0.0;
        w->discards = false;
    } else {
        compare(w, h);
    }
    w->last = *h;
}

void watch_wanted(struct watch *w, int64_t version, int64_t now)
{
    if (version == w->wanted)
        return;
    w->wanted = version;
    w->wanted_at = now;
}

enum watch_reason watch_cause(const struct watch *w)
{
    enum watch_reason worst = WATCH_REASON_COUNT;
    for (size_t r = 0; r < WATCH_REASON_COUNT; r++)
        if (w->holds[r] &&
            (worst == WATCH_REASON_COUNT || reasons[r].state > reasons[worst].state))
            worst = (enum watch_reason)r;
    return worst;
}

static void weigh(struct watch *w, enum watch_reason r, int64_t now)
{
    double value = applies(w, r) ? figure(w, r, now) : NAN;
    bool holds = !isnan(value) && value > (w->holds[r] ? reasons[r].ends : reasons[r].begins);
    /* Silence and lateness of heartbeats end with the next heartbeat, not at a lower figure. */
    if (r == WATCH_SILENT || r == WATCH_MISSED)
        holds = value > reasons[r].begins;
    if (holds && !w->holds[r])
        w->held[r] = now;
    w->holds[r] = holds;
}

bool watch_look(struct watch *w, int64_t now)
{
    if (!w->heard)
        return false;
    for (size_t r = 0; r < WATCH_REASON_COUNT; r++)
        weigh(w, (enum watch_reason)r, now);
    enum watch_reason cause = watch_cause(w);
    enum site_state state = reasons[cause == WATCH_REASON_COUNT ? 0 : cause].state;
    if (cause == WATCH_REASON_COUNT || (cause == WATCH_OLD && has_read(w)))
        state = has_read(w) ? SITE_UNWATCHED : w->last.site[0] ? SITE_UP : w->state;
    if (state == w->state)
        return false;
    w->state = state;
    w->since = state == SITE_DOWN || state == SITE_UNWATCHED ? w->heard : now;
    return true;
}

/* ---- telling ---- */

static void tell_old(const struct watch *w, char text[WATCH_SENTENCE])
{
    char newest[TIME_TEXT], kept[TIME_TEXT];
    snprintf(text, WATCH_SENTENCE,
        "its captures end on %.10s, and the hub keeps packets from %.10s on: older ones are "
        "dropped, sums by hour and day stay (--keep-packets at the hub)",
        time_format(w->last.newest, newest), time_format(w->kept, kept));
}

static void tell_config(const struct watch *w, char text[WATCH_SENTENCE])
{
    if (w->last.config_refused[0])
        snprintf(
            text, WATCH_SENTENCE, "the site refused its document: %s", w->last.config_refused);
    else
        snprintf(text, WATCH_SENTENCE,
            "version %lld of its document is not in effect after %d s; it runs version %lld",
            (long long)w->wanted, WATCH_CONFIG_S, (long long)w->last.config_version);
}

static void tell_clock(const struct watch *w, char text[WATCH_SENTENCE])
{
    char span[TIME_TEXT];
    int64_t ahead = ahead_of_hub(w);
    double own = known(w->last.clock_offset_us) / (double)US_SECOND;
    if (!ahead || fabs(own) > fabs(seconds(ahead)))
        snprintf(text, WATCH_SENTENCE, "the clock is %.1f s off", fabs(own));
    else
        snprintf(text, WATCH_SENTENCE, "the clock is %s %s the hub's",
            duration_format(time_floor(ahead > 0 ? ahead : -ahead, US_SECOND), span),
            ahead > 0 ? "ahead of" : "behind");
}

void watch_tell(
    const struct watch *w, enum watch_reason r, int64_t now, char text[WATCH_SENTENCE])
{
    /* What comes before the figure, its decimals, and what comes after it. */
    static const struct sentence {
        const char *before;
        int decimals;
        const char *after;
    } sentences[WATCH_REASON_COUNT] = {
        [WATCH_DROPPING] = {"", 1, " % of the packets were dropped between two heartbeats"},
        [WATCH_SPOOL] = {"the spool is ", 0, " % full"},
        [WATCH_DISK] = {"", 0, " % of the disk are in use"},
        [WATCH_MEMORY] = {"", 0, " % of the memory are in use"},
        [WATCH_HOT] = {"a sensor of the machine shows ", 0, " degrees"},
        [WATCH_SMART] = {"disks that say they will fail: ", 0, ""},
        [WATCH_RESTARTS] = {"the sensor was restarted ", 0, " times in 15 minutes"},
    };
    assert(r < WATCH_REASON_COUNT);
    char span[TIME_TEXT];
    double value = figure(w, r, now);
    const struct sentence *s = &sentences[r];
    if (s->before) {
        snprintf(text, WATCH_SENTENCE, "%s%.*f%s", s->before, s->decimals, value, s->after);
        return;
    }
    switch (r) {
    case WATCH_SILENT:
    case WATCH_MISSED:
        snprintf(text, WATCH_SENTENCE, "nothing heard for %s",
            duration_format(time_floor(now - w->heard, US_SECOND), span));
        return;
    case WATCH_BEHIND:
        snprintf(text, WATCH_SENTENCE, "its oldest record has waited %s for the hub",
            duration_format((int64_t)fmin(value, 1e9) * US_SECOND, span));
        return;
    case WATCH_QUIET:
        snprintf(text, WATCH_SENTENCE, "no packet captured for %s",
            duration_format((int64_t)fmin(value, 1e9) * US_SECOND, span));
        return;
    case WATCH_DISCARDING:
        snprintf(text, WATCH_SENTENCE,
            "the spool is full and records are thrown away: %lld so far",
            (long long)w->last.spool_lost);
        return;
    case WATCH_OLD:
        tell_old(w, text);
        return;
    case WATCH_CLOCK:
        tell_clock(w, text);
        return;
    case WATCH_SERVICE:
        snprintf(text, WATCH_SENTENCE, "not running: %s", w->last.services_failed);
        return;
    default:
        tell_config(w, text);
    }
}
