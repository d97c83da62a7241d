#ifndef TESTS_UNIT_INGEST_LINK_H
#define TESTS_UNIT_INGEST_LINK_H

/* A message server and two links in memory: one site, one hub. Everything that may go wrong
 * with them does when it is asked to: links are cut, messages and words are lost, doubled and
 * overtaken, the server forgets all that it had. Time is a number that the test moves. */
#include "base/clock.h"
#include "base/rng.h"
#include "bus/bus.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINK_MESSAGES = 4096,
    LINK_EVENTS = 4096
};

struct link_message {
    uint8_t *data;
    size_t len;
    char id[96];
    bool out; /* with the hub, which has not said that it is done with it */
};

struct link_event {
    enum bus_event_kind kind;
    uint64_t tag;
    uint8_t *data;
    size_t len;
    struct link_message *message; /* BUS_BLOCK */
};

/* What waits for one end. */
struct link_queue {
    struct link_event events[LINK_EVENTS];
    size_t first, count;
    bool up;
};

struct link {
    struct rng rng;
    int64_t now;
    unsigned lose, twice, swap; /* of 100 */
    bool deaf;                  /* the hub cannot be made to receive */
    struct link_message *messages[LINK_MESSAGES];
    size_t count;
    struct link_queue site, hub;
    struct bus site_bus, hub_bus;
};

static inline bool link_happens(struct link *l, unsigned percent)
{
    return percent && rng_below(&l->rng, 100) < percent;
}

static inline void link_push(
    struct link_queue *q, enum bus_event_kind kind, uint64_t tag, struct bytes data)
{
    if (q->count == LINK_EVENTS)
        return;
    struct link_event *e = &q->events[(q->first + q->count++) % LINK_EVENTS];
    *e = (struct link_event){.kind = kind, .tag = tag, .len = data.left};
    e->data = malloc(data.left + 1);
    if (data.left)
        memcpy(e->data, data.at, data.left);
}

static inline void link_next(struct link_queue *q, struct bus_event *ret_event)
{
    *ret_event = (struct bus_event){.kind = BUS_NOTHING};
    if (!q->count)
        return;
    struct link_event *e = malloc(sizeof *e);
    *e = q->events[q->first];
    q->first = (q->first + 1) % LINK_EVENTS;
    q->count--;
    ret_event->kind = e->kind;
    ret_event->tag = e->tag;
    ret_event->data = bytes_over(e->data, e->len);
    ret_event->own = e;
    strcpy(ret_event->site, "jp-01");
}

static inline void link_forget(struct link_queue *q)
{
    while (q->count) {
        free(q->events[q->first].data);
        q->first = (q->first + 1) % LINK_EVENTS;
        q->count--;
    }
}

/* The way of one end opens or closes; what was on it is lost. */
static inline void link_set(struct link_queue *q, bool up)
{
    if (q->up == up)
        return;
    link_forget(q);
    q->up = up;
    link_push(q, up ? BUS_CONNECTED : BUS_DISCONNECTED, 0, bytes_over(NULL, 0));
}

static inline void link_wipe(struct link *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->messages[i]->data);
        free(l->messages[i]);
    }
    l->count = 0;
}

/* ---- the site's end ---- */

static inline void link_site_next(void *context, int wait_ms, struct bus_event *ret_event)
{
    struct link *l = context;
    (void)wait_ms;
    link_next(&l->site, ret_event);
}

static inline void link_site_release(void *context, struct bus_event *event, bool done)
{
    struct link_event *e = event->own;
    (void)context;
    (void)done;
    if (e)
        free(e->data);
    free(e);
}

static inline void link_store(struct link *l, const struct bus_message *m)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->messages[i]->id, m->id) == 0)
            return; /* a copy, as the server takes it */
    if (l->count == LINK_MESSAGES)
        return;
    struct link_message *made = calloc(1, sizeof *made);
    made->data = malloc(m->data.left + 1);
    made->len = m->data.left;
    memcpy(made->data, m->data.at, m->data.left);
    snprintf(made->id, sizeof made->id, "%s", m->id);
    size_t at = l->count;
    if (at && link_happens(l, l->swap))
        at--;
    memmove(l->messages + at + 1, l->messages + at, (l->count - at) * sizeof *l->messages);
    l->messages[at] = made;
    l->count++;
}

static inline enum err link_publish(void *context, const struct bus_message *m, struct fault *f)
{
    struct link *l = context;
    (void)f;
    if (!l->site.up)
        return ERR_BUSY;
    if (link_happens(l, l->lose)) {
        if (link_happens(l, 50))
            link_push(&l->site, BUS_REFUSED, m->tag, bytes_over(NULL, 0));
        return OK; /* lost on the way there, with or without a word */
    }
    link_store(l, m);
    if (!link_happens(l, l->lose))
        link_push(&l->site, BUS_TAKEN, m->tag, bytes_over(NULL, 0));
    return OK;
}

static inline void link_beat(void *context, struct bytes text)
{
    struct link *l = context;
    if (l->site.up && l->hub.up && !link_happens(l, l->lose))
        link_push(&l->hub, BUS_BEAT, 0, text);
}

static inline bool link_site_up(void *context)
{
    return ((struct link *)context)->site.up;
}

/* ---- the hub's end ---- */

static inline void link_hub_next(void *context, int wait_ms, struct bus_event *ret_event)
{
    struct link *l = context;
    (void)wait_ms;
    for (size_t i = 0; l->hub.up && !l->hub.count && i < l->count; i++) {
        struct link_message *m = l->messages[i];
        if (m->out)
            continue;
        m->out = true;
        struct bytes data = bytes_over(m->data, m->len);
        link_push(&l->hub, BUS_BLOCK, 0, data);
        if (link_happens(l, l->twice))
            link_push(&l->hub, BUS_BLOCK, 0, data);
        break;
    }
    link_next(&l->hub, ret_event);
}

static inline void link_hub_release(void *context, struct bus_event *event, bool done)
{
    struct link *l = context;
    struct link_event *e = event->own;
    for (size_t i = 0; e && done && e->kind == BUS_BLOCK && i < l->count; i++) {
        struct link_message *m = l->messages[i];
        if (!m->out || m->len != e->len || memcmp(m->data, e->data, e->len) != 0)
            continue;
        free(m->data);
        free(m);
        memmove(l->messages + i, l->messages + i + 1, (--l->count - i) * sizeof *l->messages);
        break;
    }
    link_site_release(context, event, done);
}

/* What the hub has and is not done with is brought again. */
static inline enum err link_watch(void *context, const char *site, struct fault *f)
{
    struct link *l = context;
    (void)site;
    if (!l->hub.up || l->deaf)
        return fault_set(f, ERR_IO, "no way");
    for (size_t i = 0; i < l->count; i++)
        l->messages[i]->out = false;
    return OK;
}

static inline void link_unwatch(void *context, const char *site)
{
    (void)context;
    (void)site;
}

static inline void link_say(void *context, const char *site, struct bytes text)
{
    struct link *l = context;
    (void)site;
    if (l->site.up && l->hub.up && !link_happens(l, l->lose))
        link_push(&l->site, BUS_WORD, 0, text);
}

static inline bool link_hub_up(void *context)
{
    return ((struct link *)context)->hub.up;
}

static inline int64_t link_now(void *context)
{
    return ((struct link *)context)->now;
}

static const struct bus_ops link_site_ops = {.next = link_site_next,
    .release = link_site_release,
    .publish = link_publish,
    .beat = link_beat,
    .is_connected = link_site_up};
static const struct bus_ops link_hub_ops = {.next = link_hub_next,
    .release = link_hub_release,
    .watch = link_watch,
    .unwatch = link_unwatch,
    .say = link_say,
    .is_connected = link_hub_up};

static inline void link_init(struct link *l, uint64_t seed)
{
    memset(l, 0, sizeof *l);
    rng_seed(&l->rng, seed);
    l->now = INT64_C(1790000000) * US_SECOND;
    l->site_bus = (struct bus){&link_site_ops, l};
    l->hub_bus = (struct bus){&link_hub_ops, l};
    link_set(&l->site, true);
    link_set(&l->hub, true);
}

static inline void link_done(struct link *l)
{
    link_wipe(l);
    link_forget(&l->site);
    link_forget(&l->hub);
}

#endif
