#include "alert/book_int.h"

#include "base/clock.h"
#include "base/hash.h"
#include "record/proto.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPEN_DEFAULT = 4096,
    PENDING_PER_OPEN = 4
};

/* What a timer starts every day is one thing, and told once. */
static const int64_t quiet_usual = 25 * US_HOUR;

enum err alert_book_new(struct alert_book **ret_book, const struct alert_options *options)
{
    struct alert_book *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    b->quiet = options->quiet ? options->quiet : quiet_usual;
    b->most = options->most ? options->most : OPEN_DEFAULT;
    b->hide_hosts = options->hide_hosts;
    snprintf(b->tlp, sizeof b->tlp, "%s", options->tlp ? options->tlp : "amber");
    *ret_book = b;
    return OK;
}

void track_free(struct track *t)
{
    if (t)
        alert_done(&t->alert);
    free(t);
}

void book_clear(struct alert_book *b)
{
    for (size_t i = 0; i < b->count; i++)
        track_free(b->tracks[i]);
    for (size_t i = 0; i < b->pending_count; i++)
        finding_done(&b->pending[i]);
    free(b->tracks);
    free(b->pending);
    b->tracks = NULL;
    b->pending = NULL;
    b->count = b->room = b->pending_count = b->pending_room = 0;
}

void alert_book_free(struct alert_book *b)
{
    if (b)
        book_clear(b);
    free(b);
}

static enum err put(void *context, const struct finding *f)
{
    struct alert_book *b = context;
    if (b->pending_count >= b->most * PENDING_PER_OPEN)
        return ERR_FULL;
    if (b->pending_count == b->pending_room) {
        size_t room = b->pending_room ? b->pending_room * 2 : 16;
        struct finding *grown = realloc(b->pending, room * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        b->pending = grown;
        b->pending_room = room;
    }
    struct finding *kept = &b->pending[b->pending_count];
    *kept = *f;
    kept->evidence = json_incref(f->evidence);
    kept->score = isfinite(f->score) ? fmin(fmax(f->score, 0.0), 300.0) : 0.0;
    b->pending_count++;
    return OK;
}

struct sink alert_book_sink(struct alert_book *b)
{
    return (struct sink){.put = put, .context = b};
}

static bool id_is_taken(const struct alert_book *b, const char *id)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->tracks[i]->alert.id, id) == 0)
            return true;
    return false;
}

/* Day, what it is about, and four digits of a hash of that and the exact time. */
static void make_id(const struct alert_book *b, struct alert *a)
{
    char day[TIME_TEXT];
    time_format(a->time, day);
    char about[16] = "all";
    char word[PROTO_TEXT];
    if (a->proto && a->port_count)
        snprintf(about, sizeof about, "%u%s", a->ports[0], proto_format(a->proto, word));
    else if (a->proto)
        snprintf(about, sizeof about, "%s", proto_format(a->proto, word));
    uint64_t h = hash_bytes(a->kind, strlen(a->kind), (uint64_t)a->time);
    h = hash_bytes(a->ports, a->port_count * sizeof *a->ports, h + a->proto);
    do {
        snprintf(a->id, sizeof a->id, "%.4s%.2s%.2s-%.9s-%04x", day, day + 5, day + 8, about,
            (unsigned)(h & 0xffff));
        h++;
    } while (id_is_taken(b, a->id));
}

enum err book_add(struct alert_book *b, struct track *t)
{
    if (b->count == b->room) {
        size_t room = b->room ? b->room * 2 : 16;
        struct track **grown = realloc(b->tracks, room * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        b->tracks = grown;
        b->room = room;
    }
    b->tracks[b->count++] = t;
    return OK;
}

static enum err begin(struct alert_book *b, const struct finding *f)
{
    struct track *t = malloc(sizeof *t);
    if (!t)
        return ERR_NOMEM;
    enum err e = track_begin(t, f);
    if (!e) {
        memcpy(t->alert.tlp, b->tlp, sizeof t->alert.tlp);
        make_id(b, &t->alert);
        e = book_add(b, t);
    }
    if (e)
        track_free(t);
    return e;
}

static enum err merge(struct alert_book *b, const struct finding *f)
{
    for (size_t i = 0; i < b->count; i++)
        if (track_matches(b->tracks[i], f, b->quiet))
            return track_grow(b->tracks[i], f);
    return begin(b, f);
}

static void close_track(struct track *t)
{
    t->alert.open = false;
    t->changed = true;
}

/* Less worth keeping open: lower severity, then less confidence, then longer silent. */
static bool is_weaker(const struct track *a, const struct track *b)
{
    if (a->alert.severity != b->alert.severity)
        return a->alert.severity < b->alert.severity;
    if (a->alert.confidence < b->alert.confidence || a->alert.confidence > b->alert.confidence)
        return a->alert.confidence < b->alert.confidence;
    return a->last < b->last;
}

static void close_what_is_over(struct alert_book *b, int64_t now)
{
    size_t open = 0;
    for (size_t i = 0; i < b->count; i++) {
        struct track *t = b->tracks[i];
        if (t->alert.open && now - t->last > b->quiet)
            close_track(t);
        open += t->alert.open;
    }
    for (; open > b->most; open--) {
        struct track *weakest = NULL;
        for (size_t i = 0; i < b->count; i++)
            if (b->tracks[i]->alert.open && (!weakest || is_weaker(b->tracks[i], weakest)))
                weakest = b->tracks[i];
        close_track(weakest);
    }
}

/* Only alerts that a person looks at are tied together. */
static bool counts(const struct track *t)
{
    return t->alert.open && t->alert.severity >= SEVERITY_NOTICE;
}

static void relate(struct alert_book *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (!b->tracks[i]->changed || !counts(b->tracks[i]))
            continue;
        for (size_t k = 0; k < b->count; k++)
            if (k != i && counts(b->tracks[k])) {
                track_relate(b->tracks[i], b->tracks[k]);
                track_relate(b->tracks[k], b->tracks[i]);
            }
    }
}

static int by_id(const void *a, const void *b)
{
    const struct track *const *x = a;
    const struct track *const *y = b;
    return strcmp((*x)->alert.id, (*y)->alert.id);
}

/* The evidence without the networks of its blocks' rows; a new reference. */
static json_t *without_hosts(const json_t *evidence)
{
    json_t *copy = json_deep_copy(evidence);
    const char *engine;
    json_t *of_one;
    json_t *block;
    size_t i;
    json_object_foreach(copy, engine, of_one) json_array_foreach(
        json_object_get(of_one, "blocks"), i, block) json_object_del(block, "hosts");
    return copy;
}

static enum err tell(const struct alert_book *b, struct track *t,
    enum err (*changed)(void *context, const struct alert *a), void *context)
{
    struct alert shown = t->alert;
    shown.revision++;
    if (b->hide_hosts) {
        shown.host_sample = 0;
        shown.evidence = without_hosts(t->alert.evidence);
        if (!shown.evidence)
            return ERR_NOMEM;
    }
    enum err e = changed ? changed(context, &shown) : OK;
    if (b->hide_hosts)
        json_decref(shown.evidence);
    if (!e) {
        t->alert.revision++;
        t->changed = false;
    }
    return e;
}

static void drop_closed(struct alert_book *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (b->tracks[i]->alert.open || b->tracks[i]->changed)
            b->tracks[kept++] = b->tracks[i];
        else
            track_free(b->tracks[i]);
    }
    b->count = kept;
}

enum err alert_book_turn(struct alert_book *b, int64_t now,
    enum err (*changed)(void *context, const struct alert *a), void *context)
{
    enum err e = OK;
    for (size_t i = 0; i < b->pending_count; i++) {
        if (!e)
            e = merge(b, &b->pending[i]);
        finding_done(&b->pending[i]);
    }
    b->pending_count = 0;
    if (e)
        return e;
    close_what_is_over(b, now);
    relate(b);
    if (b->count)
        qsort(b->tracks, b->count, sizeof(struct track *), by_id);
    for (size_t i = 0; !e && i < b->count; i++)
        if (b->tracks[i]->changed)
            e = tell(b, b->tracks[i], changed, context);
    drop_closed(b);
    return e;
}
