#include "fleet/apply.h"

#include "fleet/limit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct applier {
    char site[64];
    struct applier_options options;
    struct anon_policy limit;
    struct site_document own;
    struct applied *now;            /* the capturing thread's */
    _Atomic(struct applied *) next; /* compiled, waits for the border */
    /* What heartbeats say. */
    pthread_mutex_t lock;
    int64_t newest;     /* version that was last compiled */
    int64_t offered_at; /* when it came */
    int64_t in_effect, took, heartbeat;
    uint64_t changes;
    char refused[HEARTBEAT_TEXT];
};

void applied_drop(struct applied *applied)
{
    if (!applied || atomic_fetch_sub(&applied->holders, 1) != 1)
        return;
    filter_free(applied->filter);
    anon_free(applied->anon);
    free(applied);
}

static enum err compile(const struct applier *a, int64_t version,
    const struct site_document *document, struct applied **ret_applied, struct fault *f)
{
    struct applied *applied = calloc(1, sizeof *applied);
    if (!applied)
        return fault_set(f, ERR_NOMEM, "out of memory");
    atomic_init(&applied->holders, 1);
    applied->version = version;
    applied->document = *document;
    applied->secret = a->options.secret;
    enum err e = filter_new(&applied->filter, document->filter, f);
    if (!e && a->options.keys &&
        anon_new(
            &applied->anon, &document->anonymisation, a->options.keys, a->options.window) != OK)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (e)
        applied_drop(applied);
    else
        *ret_applied = applied;
    return e;
}

enum err applier_new(
    struct applier **ret_applier, const struct applier_options *options, struct fault *f)
{
    struct applier *a = calloc(1, sizeof *a);
    struct site_document first;
    if (!a)
        return fault_set(f, ERR_NOMEM, "out of memory");
    a->options = *options;
    snprintf(a->site, sizeof a->site, "%s", options->site);
    pthread_mutex_init(&a->lock, NULL);
    document_default(&first);
    if (options->first)
        first = *options->first;
    a->options.first = NULL;
    if (options->limit) {
        a->limit = *options->limit;
        a->options.limit = &a->limit;
        first.anonymisation = a->limit;
    }
    a->own = first;
    a->heartbeat = first.heartbeat;
    enum err e = compile(a, 0, &first, &a->now, f);
    if (e)
        applier_free(a);
    else
        *ret_applier = a;
    return e;
}

void applier_free(struct applier *a)
{
    if (!a)
        return;
    applied_drop(a->now);
    applied_drop(atomic_load(&a->next));
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* ---- what comes ---- */

static enum err refuse(struct applier *a, enum err e, const struct fault *f)
{
    pthread_mutex_lock(&a->lock);
    snprintf(a->refused, sizeof a->refused, "%.127s", f->text);
    a->changes++;
    pthread_mutex_unlock(&a->lock);
    return e;
}

static bool is_new(struct applier *a, int64_t version)
{
    pthread_mutex_lock(&a->lock);
    bool new = version > a->newest;
    pthread_mutex_unlock(&a->lock);
    return new;
}

static void offer(struct applier *a, struct applied *applied, int64_t now)
{
    pthread_mutex_lock(&a->lock);
    a->newest = applied->version;
    a->offered_at = now;
    a->refused[0] = 0;
    pthread_mutex_unlock(&a->lock);
    /* One that never took effect was overtaken. */
    applied_drop(atomic_exchange(&a->next, applied));
}

enum err applier_offer(struct applier *a, struct bytes parcel, int64_t now, struct fault *f)
{
    struct site_document document;
    struct applied *applied = NULL;
    int64_t version = 0;
    struct fault own;
    f = f ? f : &own;
    enum err e = document_parcel_read(parcel, a->site, &version, &document, f);
    if (!e && !is_new(a, version))
        return OK;
    if (!e && a->options.limit)
        e = limit_check(a->options.limit, &document.anonymisation, f);
    if (!e)
        e = compile(a, version, &document, &applied, f);
    if (e)
        return refuse(a, e, f);
    offer(a, applied, now);
    return OK;
}

/* ---- the border ---- */

bool applier_has_news(const struct applier *a)
{
    return atomic_load_explicit(&a->next, memory_order_relaxed) != NULL;
}

bool applier_turn(struct applier *a, int64_t now)
{
    if (!applier_has_news(a))
        return false;
    struct applied *next = atomic_exchange(&a->next, NULL);
    if (!next)
        return false;
    applied_drop(a->now);
    a->now = next;
    pthread_mutex_lock(&a->lock);
    a->in_effect = next->version;
    a->took = now - a->offered_at;
    a->heartbeat = next->document.heartbeat;
    a->changes++;
    pthread_mutex_unlock(&a->lock);
    return true;
}

struct applied *applier_hold(struct applier *a)
{
    atomic_fetch_add(&a->now->holders, 1);
    return a->now;
}

const struct applied *applier_now(const struct applier *a)
{
    return a->now;
}

void applier_report(struct applier *a, struct heartbeat *h)
{
    pthread_mutex_lock(&a->lock);
    h->config_version = a->in_effect;
    h->config_took_us = a->in_effect ? a->took : HEARTBEAT_UNKNOWN;
    snprintf(h->config_refused, sizeof h->config_refused, "%s", a->refused);
    pthread_mutex_unlock(&a->lock);
    int64_t since = 0, until = 0;
    if (a->options.keys)
        anon_keys_current(a->options.keys, &since, &until);
    h->keys_since = until ? since : HEARTBEAT_UNKNOWN;
    h->keys_until = until ? until : HEARTBEAT_UNKNOWN;
}

const struct site_document *applier_own(const struct applier *a)
{
    return &a->own;
}

uint64_t applier_changes(struct applier *a)
{
    pthread_mutex_lock(&a->lock);
    uint64_t changes = a->changes;
    pthread_mutex_unlock(&a->lock);
    return changes;
}

int64_t applier_heartbeat(struct applier *a)
{
    pthread_mutex_lock(&a->lock);
    int64_t us = a->heartbeat;
    pthread_mutex_unlock(&a->lock);
    return us;
}
