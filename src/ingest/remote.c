#include "ingest/remote.h"

#include "base/clock.h"
#include "base/steady.h"
#include "ingest/ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARCELS_MAX = 1024,
    WAIT_MS = 100,
    RUN_MOST = 256
};

/* A site that replays and says nothing for so long does not hold up the others. */
static const int64_t replay_patience = 15 * US_SECOND;

/* A parcel that nobody has taken yet. */
struct waiting {
    struct waiting *next;
    struct parcel_rows rows;
    bool past; /* the hub had it before */
};

struct remote {
    struct remote_options options;
    struct clock clock;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct waiting *first, *last;
    size_t count;
    size_t rows;                    /* that wait */
    const struct remote_past *past; /* NULL: there is none */
    bool heard, replay, ended;
    int64_t until;               /* all before this time has come */
    int64_t heard_at;            /* by the hub's clock */
    int64_t came_at;             /* the same, or what the past has lived: the latest parcel */
    int64_t made;                /* the same */
    int64_t asked;               /* end of the window that was asked for last; 0: none */
    struct source_counts source; /* of what was given out */
    struct remote_counts counts;
    /* The taker's. */
    int64_t closed; /* windows before this time are closed */
    struct parcel_rows now;
    bool now_past; /* the hub had it before */
    size_t at;
    bool told; /* the account of `now` has been given */
    struct packet packets[RUN_MOST];
    struct sensor_place places[RUN_MOST];
};

enum err remote_new(struct remote **ret_remote, const struct remote_options *options)
{
    struct remote *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->options = *options;
    r->clock = options->clock ? *options->clock : clock_system();
    r->closed = INT64_MIN;
    r->made = clock_now(&r->clock);
    pthread_mutex_init(&r->lock, NULL);
    steady_cond_init(&r->changed);
    *ret_remote = r;
    return OK;
}

/* The next parcel becomes the one that is given out. With the lock held. */
static bool parcel_next(struct remote *r)
{
    struct waiting *w = r->first;
    if (!w)
        return false;
    parcel_rows_done(&r->now);
    r->now = w->rows;
    r->now_past = w->past;
    r->first = w->next;
    r->count--;
    r->rows -= r->now.packets->rows;
    if (r->options.rows_all)
        atomic_fetch_sub(r->options.rows_all, r->now.packets->rows);
    r->at = 0;
    r->told = false;
    free(w);
    return true;
}

void remote_free(struct remote *r)
{
    if (!r)
        return;
    while (parcel_next(r))
        ;
    parcel_rows_done(&r->now);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* ---- putting ---- */

static bool is_past(const struct remote *r)
{
    return r->past && atomic_load(&r->past->going);
}

bool remote_has_room(struct remote *r, size_t parcels, size_t rows)
{
    pthread_mutex_lock(&r->lock);
    size_t count = r->count + parcels;
    size_t all = r->options.rows_all ? atomic_load(r->options.rows_all) : 0;
    bool room = !count || (count < PARCELS_MAX && r->rows + rows < REMOTE_ROWS &&
                              all + rows < REMOTE_ROWS_ALL);
    pthread_mutex_unlock(&r->lock);
    return room;
}

/* With the lock held. */
static void alive(struct remote *r, bool replay)
{
    r->heard = true;
    r->replay = replay;
    r->heard_at = clock_now(&r->clock);
    pthread_cond_broadcast(&r->changed);
}

static void news_tell(const struct remote *r)
{
    if (r->options.news.tell)
        r->options.news.tell(r->options.news.context);
}

enum err remote_put(struct remote *r, struct parcel_rows *p)
{
    struct waiting *w = malloc(sizeof *w);
    if (!w)
        return ERR_NOMEM;
    *w = (struct waiting){.rows = *p};
    size_t rows = p->packets->rows;
    const struct parcel_account account = p->account;
    *p = (struct parcel_rows){0};
    pthread_mutex_lock(&r->lock);
    if (r->first)
        r->last->next = w;
    else
        r->first = w;
    r->last = w;
    w->past = is_past(r);
    r->count++;
    r->rows += rows;
    if (r->options.rows_all)
        atomic_fetch_add(r->options.rows_all, rows);
    r->ended = account.end;
    if (account.until > r->until)
        r->until = account.until;
    alive(r, account.replay);
    r->came_at = is_past(r) ? atomic_load(&r->past->lived) : r->heard_at;
    pthread_mutex_unlock(&r->lock);
    news_tell(r);
    return OK;
}

/* What the site is now tells nothing of what comes of its past. */
void remote_alive(struct remote *r, bool replay)
{
    pthread_mutex_lock(&r->lock);
    if (!is_past(r))
        alive(r, replay);
    pthread_mutex_unlock(&r->lock);
}

void remote_begin_past(struct remote *r, const struct remote_past *past)
{
    pthread_mutex_lock(&r->lock);
    r->past = past;
    pthread_mutex_unlock(&r->lock);
}

void remote_look_past(struct remote *r)
{
    pthread_mutex_lock(&r->lock);
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    news_tell(r);
}

void remote_counts(struct remote *r, struct remote_counts *ret_counts)
{
    pthread_mutex_lock(&r->lock);
    *ret_counts = r->counts;
    ret_counts->waiting = r->rows;
    ret_counts->heard = r->heard;
    pthread_mutex_unlock(&r->lock);
}

/* ---- taking ---- */

static void wait_change(struct remote *r)
{
    steady_wait(&r->changed, &r->lock, steady_now() + WAIT_MS * INT64_C(1000));
}

static bool now_has_rows(const struct remote *r)
{
    return r->now.packets && r->at < r->now.packets->rows;
}

static int64_t row_time(const struct remote *r, size_t row)
{
    return block_time(r->now.packets, PACKET_TS)[row];
}

/* Does the site hold up the time: is there more to come of its captures? With the lock held. */
static bool is_replaying(const struct remote *r)
{
    if (!r->heard || !r->replay || r->ended)
        return false;
    return is_past(r) ? !atomic_load(&r->past->stuck)
                      : clock_now(&r->clock) - r->heard_at < replay_patience;
}

/* Of nobody is known how far they were before the first of the past has come. */
static bool is_unknown(const struct remote *r)
{
    return is_past(r) && !atomic_load(&r->past->now);
}

/* The time of a site that has nothing now. With the lock held. */
static int64_t time_now(const struct remote *r)
{
    if (r->heard && r->replay)
        return INT64_MAX;
    if (is_past(r))
        return atomic_load(&r->past->now);
    return r->heard ? clock_now(&r->clock) : INT64_MAX;
}

static int64_t remote_peek(void *context)
{
    struct remote *r = context;
    int64_t peek = INT64_MAX;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!now_has_rows(r) && parcel_next(r))
            ;
        if (now_has_rows(r)) {
            peek = row_time(r, r->at);
            break;
        }
        bool waits = is_replaying(r) || is_unknown(r);
        if (!waits || atomic_load(r->options.stop)) {
            peek = time_now(r);
            break;
        }
        wait_change(r);
    }
    pthread_mutex_unlock(&r->lock);
    return peek;
}

/* What the site's account says was received, before the packets that it goes with. */
static void account_give(struct remote *r, struct ahead_run *run)
{
    const struct parcel_account *a = &r->now.account;
    if (r->told)
        return;
    r->told = true;
    r->source.frames += a->frames;
    r->source.bytes += a->bytes;
    r->source.dropped_kernel += a->dropped_kernel;
    r->source.dropped_interface += a->dropped_queue;
    memcpy(run->failed, a->failed, sizeof run->failed);
}

static void unseen_count(struct remote *r, int64_t ts)
{
    struct remote_counts *c = &r->counts;
    if (!c->unseen || ts < c->unseen_first)
        c->unseen_first = ts;
    if (ts > c->unseen_last)
        c->unseen_last = ts;
    c->unseen++;
}

/* Pass over packets whose window is closed, also if that was by a hub before this one. What
 * that hub had itself, its engines have seen, or it was counted there. */
static void unseen_skip(struct remote *r)
{
    int64_t seen = r->now_past ? INT64_MIN : r->options.seen;
    for (; now_has_rows(r); r->at++) {
        int64_t ts = row_time(r, r->at);
        if (ts >= r->closed && ts >= seen)
            return;
        if (!r->now_past || ts >= r->options.seen)
            unseen_count(r, ts);
    }
}

/* Where the packet's source is, as the site found it before it hid the address. A site that
 * hides nothing and has told nothing may have no data of its own: then the hub looks it up. */
static struct sensor_place place_of(const struct remote *r, size_t row)
{
    const struct block *b = r->now.packets;
    const char *country = block_word_at(b, PACKET_COUNTRY, row);
    struct sensor_place place = {.asn = block_u32(b, PACKET_ASN)[row]};
    if (country[0] && country[1])
        memcpy(place.country, country, sizeof place.country);
    place.told = r->now.account.masked || place.asn || place.country[0];
    return place;
}

/* Of masked sources the hub cannot tell itself which are surveys. */
static void class_keep(struct remote *r, size_t row)
{
    struct sensor_look *look = &r->now.looks[row];
    if (look->class == CLASS_SCAN &&
        strcmp(block_word_at(r->now.packets, PACKET_CLASS, row), class_name(CLASS_SURVEY)) == 0)
        look->class = CLASS_SURVEY;
}

static size_t run_make(struct remote *r, int64_t until, struct ahead_run *run)
{
    size_t n = 0;
    size_t rows = r->now.packets->rows;
    while (n < RUN_MOST && r->at + n < rows && row_time(r, r->at + n) < until) {
        parcel_packet(&r->now, r->at + n, &r->packets[n]);
        r->places[n] = place_of(r, r->at + n);
        if (r->now.account.masked)
            class_keep(r, r->at + n);
        n++;
    }
    *run = (struct ahead_run){
        .packets = r->packets, .looks = r->now.looks + r->at, .places = r->places, .count = n};
    if (!n)
        return 0;
    run->first = r->packets[0].ts;
    run->last = r->packets[n - 1].ts;
    account_give(r, run);
    r->at += n;
    return n;
}

/* Since when the site could have been heard by this hub. */
static int64_t begun(const struct remote *r)
{
    int64_t over = r->past ? atomic_load(&r->past->over) : 0;
    return over > r->made ? over : r->made;
}

/* Is a window of the past over, in which nothing more has come for the grace? */
static bool past_is_over(const struct remote *r, int64_t until)
{
    const struct remote_past *p = r->past;
    int64_t born = atomic_load(&p->born);
    int64_t from = r->came_at > born ? r->came_at : born;
    return atomic_load(&p->stuck) || (atomic_load(&p->now) >= until + REMOTE_GRACE &&
                                         atomic_load(&p->lived) >= from + REMOTE_GRACE);
}

/* From when on the grace of a window that ends at `until` is counted: if it was over before the
 * hub began, from the last that the site had kept meanwhile. */
static int64_t grace_from(const struct remote *r, int64_t until)
{
    int64_t start = begun(r);
    if (until > start)
        return until;
    int64_t from = r->came_at > start ? r->came_at : start;
    return from < start + REMOTE_BACKLOG ? from : start + REMOTE_BACKLOG;
}

/* Is the window that ends at `until` over, as far as this site goes? With the lock held and
 * nothing waiting. */
static bool window_is_over(const struct remote *r, int64_t until)
{
    if (r->until >= until || r->ended)
        return true;
    if (r->replay)
        return !is_replaying(r);
    if (is_past(r))
        return past_is_over(r, until);
    return !r->heard || clock_now(&r->clock) >= grace_from(r, until) + REMOTE_GRACE;
}

static enum feed_state remote_run(void *context, int64_t until, struct ahead_run *ret_run)
{
    struct remote *r = context;
    enum feed_state state = FEED_QUIET;
    *ret_run = (struct ahead_run){0};
    if (r->closed < until - r->options.window)
        r->closed = until - r->options.window;
    pthread_mutex_lock(&r->lock);
    r->asked = until;
    for (;;) {
        unseen_skip(r);
        if (now_has_rows(r)) {
            state = run_make(r, until, ret_run) ? FEED_FRAMES : FEED_WINDOW;
            break;
        }
        if (parcel_next(r))
            continue;
        if (window_is_over(r, until))
            state = r->ended ? FEED_ENDED : FEED_WINDOW;
        break; /* nothing now: whoever asks does not wait for this site alone */
    }
    pthread_mutex_unlock(&r->lock);
    if (state == FEED_WINDOW || state == FEED_ENDED)
        r->closed = until;
    return state;
}

static void remote_source(void *context, struct source_counts *ret_counts)
{
    struct remote *r = context;
    *ret_counts = r->source;
}

static bool remote_live(void *context)
{
    struct remote *r = context;
    pthread_mutex_lock(&r->lock);
    bool behind = r->asked && r->asked <= begun(r);
    bool live = r->heard && !r->replay && !is_past(r) && !behind;
    pthread_mutex_unlock(&r->lock);
    return live;
}

enum err remote_feed(struct remote *r, struct feed **ret_feed)
{
    struct feed_maker maker = {.run = remote_run,
        .peek = remote_peek,
        .counts = remote_source,
        .live = remote_live,
        .context = r};
    return feed_open_maker(ret_feed, &maker);
}
