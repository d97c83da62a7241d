#include "ingest/crew.h"

#include "base/clock.h"
#include "base/steady.h"
#include "engine/shelf.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BEFORE_MOST = 2,                     /* windows that one engine has before it */
    PANES = BEFORE_MOST * CREW_MOST + 1, /* live windows that somebody looks at */
    NOTES_MOST = 16384                   /* findings of one engine in one window */
};

/* What one engine has of one window. */
struct notes {
    enum {
        NOTES_NONE, /* it does not look at it, or what it found has been delivered */
        NOTES_WAITING,
        NOTES_MAKING,
        NOTES_DONE
    } state;
    struct finding *list;
    size_t count, room;
    enum err err;
};

/* A window that engines look at. */
struct pane {
    struct window window;
    bool copied; /* the window is this pane's own */
    struct shelf *shelf;
    size_t left; /* engines that have not finished it */
    struct notes notes[CREW_MOST];
};

struct member {
    struct crew *crew;
    size_t number;
    const struct engine *engine;
    struct engine_state *state;
    struct arena scratch;
    int64_t spent;
    bool threaded;
    pthread_t thread;
};

struct crew {
    pthread_mutex_t lock; /* of states, counts, times and `stop` */
    pthread_cond_t work, done;
    bool stop;
    size_t scratch_cap;
    struct member members[CREW_MOST];
    size_t count;
    struct pane *panes[PANES]; /* NULL: not needed so far */
};

static int64_t cpu_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * US_SECOND + ts.tv_nsec / 1000;
}

/* --- one engine at one window -------------------------------------------------------------
 */

static enum err note(void *context, const struct finding *f)
{
    struct notes *n = context;
    if (n->count == NOTES_MOST)
        return ERR_FULL;
    if (n->count == n->room) {
        size_t room = n->room ? n->room * 2 : 4;
        struct finding *grown = realloc(n->list, room * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        n->list = grown;
        n->room = room;
    }
    n->list[n->count] = *f;
    n->list[n->count++].evidence = json_incref(f->evidence);
    return OK;
}

static void notes_clear(struct notes *n)
{
    for (size_t i = 0; i < n->count; i++)
        finding_done(&n->list[i]);
    n->count = 0;
    n->err = OK;
    n->state = NOTES_NONE;
}

static enum err look(
    struct member *m, const struct window *w, struct sink *sink, int64_t *ret_spent)
{
    int64_t before = cpu_now();
    enum err e = m->engine->step(m->state, w, &m->scratch, sink);
    arena_clear(&m->scratch);
    *ret_spent = cpu_now() - before;
    return e;
}

/* Of those that it has not begun, the oldest. Called with the lock held. */
static struct pane *next_pane(const struct member *m)
{
    struct pane *oldest = NULL;
    for (size_t i = 0; i < PANES; i++) {
        struct pane *p = m->crew->panes[i];
        if (p && p->notes[m->number].state == NOTES_WAITING &&
            (!oldest || p->window.start < oldest->window.start))
            oldest = p;
    }
    return oldest;
}

static void *member_thread(void *context)
{
    struct member *m = context;
    struct crew *c = m->crew;
    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        struct pane *p = next_pane(m);
        if (!p) {
            pthread_cond_wait(&c->work, &c->lock);
            continue;
        }
        struct notes *n = &p->notes[m->number];
        n->state = NOTES_MAKING;
        pthread_mutex_unlock(&c->lock);
        struct sink sink = {note, n};
        int64_t spent;
        enum err e = look(m, &p->window, &sink, &spent);
        pthread_mutex_lock(&c->lock);
        n->err = e;
        n->state = NOTES_DONE;
        m->spent += spent;
        if (--p->left == 0)
            pthread_cond_signal(&c->done);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* --- the whole crew ----------------------------------------------------------------------- */

static enum err member_open(
    struct crew *c, const struct crew_options *o, size_t number, struct fault *f)
{
    struct member *m = &c->members[number];
    *m = (struct member){.crew = c, .number = number, .engine = o->engines[number]};
    enum err e = m->engine->open(&m->state, o->confs[number], o->window, f);
    if (e) {
        fault_prefix(f, m->engine->name);
        return e;
    }
    arena_init(&m->scratch, o->scratch_cap);
    c->count++;
    return OK;
}

/* One engine beside those that tag gains nothing from a thread. */
static enum err threads_start(struct crew *c, struct fault *f)
{
    size_t side_by_side = 0;
    for (size_t i = 0; i < c->count; i++)
        side_by_side += !c->members[i].engine->tags;
    for (size_t i = 0; i < c->count && side_by_side > 1; i++) {
        struct member *m = &c->members[i];
        if (m->engine->tags)
            continue;
        if (pthread_create(&m->thread, NULL, member_thread, m) != 0)
            return fault_set(f, ERR_NOMEM, "no thread for engine %s", m->engine->name);
        m->threaded = true;
    }
    return OK;
}

static void crew_init(struct crew *c, const struct crew_options *o)
{
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    steady_cond_init(&c->done);
    c->scratch_cap = o->scratch_cap;
}

enum err crew_new(struct crew **ret_crew, const struct crew_options *options, struct fault *f)
{
    struct crew *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(f, ERR_NOMEM, "out of memory");
    crew_init(c, options);
    enum err e = OK;
    for (size_t i = 0; !e && options->engines[i]; i++) {
        assert(i < CREW_MOST);
        e = member_open(c, options, i, f);
    }
    if (!e && !options->alone)
        e = threads_start(c, f);
    if (e)
        crew_free(c);
    else
        *ret_crew = c;
    return e;
}

static void pane_free(struct pane *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < CREW_MOST; i++) {
        notes_clear(&p->notes[i]);
        free(p->notes[i].list);
    }
    if (p->copied)
        window_done(&p->window);
    shelf_free(p->shelf);
    free(p);
}

void crew_free(struct crew *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i].threaded)
            pthread_join(c->members[i].thread, NULL);
    for (size_t i = 0; i < c->count; i++) {
        c->members[i].engine->close(c->members[i].state);
        arena_done(&c->members[i].scratch);
    }
    for (size_t i = 0; i < PANES; i++)
        pane_free(c->panes[i]);
    pthread_cond_destroy(&c->work);
    pthread_cond_destroy(&c->done);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* --- showing a window ----------------------------------------------------------------------
 */

/* A free one. There is one, as no engine has more than BEFORE_MOST before it. */
static enum err pane_find(struct crew *c, struct pane **ret_pane)
{
    size_t i = 0;
    while (c->panes[i] && c->panes[i]->window.length)
        i++;
    assert(i < PANES);
    if (c->panes[i]) {
        *ret_pane = c->panes[i];
        return OK;
    }
    struct pane *p = calloc(1, sizeof *p);
    enum err e = p ? shelf_new(&p->shelf, c->scratch_cap) : ERR_NOMEM;
    if (e) {
        free(p);
        return e;
    }
    pthread_mutex_lock(&c->lock);
    *ret_pane = c->panes[i] = p;
    pthread_mutex_unlock(&c->lock);
    return OK;
}

static enum err stopped(
    struct fault *f, enum err e, const struct engine *engine, const struct window *w)
{
    char when[TIME_TEXT];
    return fault_set(f, e, "engine %s stopped at the window of %s: %s", engine->name,
        time_format(w->start, when), err_text(e));
}

/* Those that are not threaded, one after the other; those that tag if `tags`. */
static enum err look_here(
    struct crew *c, struct pane *p, bool tags, const struct crew_show *how, struct fault *f)
{
    for (size_t i = 0; i < c->count; i++) {
        struct member *m = &c->members[i];
        struct sink sink = how->sink;
        int64_t spent;
        if ((m->engine->tags != NULL) != tags || m->threaded)
            continue;
        enum err e = look(m, &p->window, &sink, &spent);
        m->spent += spent;
        if (e)
            return stopped(f, e, m->engine, &p->window);
        if (!tags)
            continue;
        struct tagging tagging = m->engine->tags(m->state);
        p->window.tags = tagging.tags;
        e = how->tagged ? how->tagged(how->context, &p->window, &tagging) : OK;
        if (e)
            return fault_set(f, e, "what was tagged could not be kept: %s", err_text(e));
        shelf_clear(p->shelf); /* what it asked for itself is without tags */
    }
    return OK;
}

/* A live window may be looked at for longer than it is lent. */
static enum err pane_keep(struct pane *p)
{
    struct window own;
    enum err e = window_copy(&own, &p->window);
    if (e)
        return e;
    own.shelf = p->shelf;
    p->window = own;
    p->copied = true;
    return OK;
}

/* Windows that an engine has before it. Called with the lock held. */
static size_t before(const struct crew *c, size_t member)
{
    size_t count = 0;
    for (size_t i = 0; i < PANES; i++)
        count += c->panes[i] && (c->panes[i]->notes[member].state == NOTES_WAITING ||
                                    c->panes[i]->notes[member].state == NOTES_MAKING);
    return count;
}

/* To every threaded engine that is not too far behind. */
static void hand_out(struct crew *c, struct pane *p, const struct crew_show *how)
{
    bool skips[CREW_MOST] = {false};
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count; i++) {
        if (!c->members[i].threaded)
            continue;
        skips[i] = before(c, i) >= BEFORE_MOST;
        if (skips[i])
            continue;
        p->notes[i].state = NOTES_WAITING;
        p->left++;
    }
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < c->count; i++)
        if (skips[i] && how->skipped)
            how->skipped(how->context, &p->window, c->members[i].engine->name);
}

static bool is_idle(const struct crew *c)
{
    for (size_t i = 0; i < PANES; i++)
        if (c->panes[i] && c->panes[i]->left)
            return false;
    return true;
}

/* Until all engines are done; live: with this window, and at most as long as patience lasts. */
static void await(struct crew *c, const struct pane *p, const struct crew_show *how)
{
    int64_t until = steady_now() + how->patience;
    pthread_mutex_lock(&c->lock);
    while (how->live && p->left && steady_wait(&c->done, &c->lock, until))
        ;
    while (!how->live && !is_idle(c))
        pthread_cond_wait(&c->done, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

/* The oldest window after `after` that has something to be delivered. Called with the lock
 * held. */
static struct pane *pane_after(const struct crew *c, int64_t after)
{
    struct pane *oldest = NULL;
    for (size_t i = 0; i < PANES; i++) {
        struct pane *p = c->panes[i];
        if (p && p->window.length && p->window.start > after &&
            (!oldest || p->window.start < oldest->window.start))
            oldest = p;
    }
    return oldest;
}

static enum err pane_deliver(struct crew *c, struct pane *p, struct sink *sink, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; i < c->count; i++) {
        struct notes *n = &p->notes[i];
        if (n->state != NOTES_DONE)
            continue;
        enum err now = n->err;
        for (size_t k = 0; !now && k < n->count; k++)
            now = sink->put(sink->context, &n->list[k]);
        if (now && !e)
            e = stopped(f, now, c->members[i].engine, &p->window);
        notes_clear(n);
    }
    if (p->left)
        return e;
    if (p->copied)
        window_done(&p->window);
    p->copied = false;
    p->window = (struct window){0};
    shelf_clear(p->shelf);
    return e;
}

/* Whatever is done, by window and engine. */
static enum err deliver(struct crew *c, const struct crew_show *how, struct fault *f)
{
    struct sink sink = how->sink;
    enum err e = OK;
    pthread_mutex_lock(&c->lock);
    for (struct pane *p = pane_after(c, INT64_MIN); p;) {
        int64_t start = p->window.start;
        struct fault other;
        enum err now = pane_deliver(c, p, &sink, e ? &other : f);
        e = e ? e : now;
        p = pane_after(c, start);
    }
    pthread_mutex_unlock(&c->lock);
    return e;
}

enum err crew_show(
    struct crew *c, const struct window *w, const struct crew_show *how, struct fault *f)
{
    struct pane *p = NULL;
    enum err e = pane_find(c, &p);
    if (e)
        return fault_set(f, e, "out of memory");
    struct window shown = *w;
    shown.shelf = p->shelf;
    p->window = shown;
    e = look_here(c, p, true, how, f);
    if (!e && !how->live)
        await(
            c, p, how); /* for those that are late from live windows before: none is skipped */
    if (!e && how->live && pane_keep(p) != OK)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (!e)
        hand_out(c, p, how);
    if (!e)
        e = look_here(c, p, false, how, f);
    await(c, p, how);
    struct fault other;
    enum err delivered = deliver(c, how, e ? &other : f);
    return e ? e : delivered;
}

/* --- what is known of the members ----------------------------------------------------------
 */

size_t crew_count(const struct crew *c)
{
    return c->count;
}

const struct engine *crew_engine(const struct crew *c, size_t number)
{
    return c->members[number].engine;
}

int64_t crew_spent(struct crew *c, size_t number)
{
    pthread_mutex_lock(&c->lock);
    int64_t spent = c->members[number].spent;
    pthread_mutex_unlock(&c->lock);
    return spent;
}

struct engine_state *crew_state(struct crew *c, size_t number)
{
    pthread_mutex_lock(&c->lock);
    bool idle = before(c, number) == 0;
    pthread_mutex_unlock(&c->lock);
    return idle ? c->members[number].state : NULL;
}
