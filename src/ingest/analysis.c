#include "ingest/analysis.h"

#include "base/clock.h"
#include "engine/shelf.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

enum {
    ENGINES_MAX = 16,
    OTHER_PARTS = 2 /* the lead, the book */
};

struct analysis {
    const struct engine *engines[ENGINES_MAX];
    struct engine_state *states[ENGINES_MAX];
    int64_t spent[ENGINES_MAX + OTHER_PARTS];
    size_t count;
    struct lead *lead;
    struct alert_book *book;
    struct arena scratch;
    struct shelf *shelf;
};

enum err analysis_new(
    struct analysis **ret_analysis, const struct analysis_options *options, struct fault *f)
{
    struct analysis *a = calloc(1, sizeof *a);
    if (!a)
        return fault_set(f, ERR_NOMEM, "out of memory");
    arena_init(&a->scratch, options->scratch_cap ? options->scratch_cap : (size_t)512 << 20);
    enum err e = shelf_new(&a->shelf, a->scratch.cap);
    if (!e)
        e = alert_book_new(&a->book, &options->alerts);
    if (!e)
        e = lead_new(&a->lead, &options->lead);
    if (e)
        fault_set(f, e, "%s", err_text(e));
    for (size_t i = 0; !e && options->engines[i]; i++) {
        assert(i < ENGINES_MAX);
        a->engines[i] = options->engines[i];
        e = a->engines[i]->open(&a->states[i], options->confs[i], options->window, f);
        if (e)
            fault_prefix(f, a->engines[i]->name);
        else
            a->count++;
    }
    if (e) {
        analysis_free(a);
        return e;
    }
    *ret_analysis = a;
    return OK;
}

void analysis_free(struct analysis *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++)
        a->engines[i]->close(a->states[i]);
    lead_free(a->lead);
    alert_book_free(a->book);
    arena_done(&a->scratch);
    shelf_free(a->shelf);
    free(a);
}

static int64_t cpu_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * US_SECOND + ts.tv_nsec / 1000;
}

static enum err engine_step(
    struct analysis *a, size_t i, const struct window *w, struct sink *sink, struct fault *f)
{
    int64_t before = cpu_now();
    enum err e = a->engines[i]->step(a->states[i], w, &a->scratch, sink);
    arena_clear(&a->scratch);
    a->spent[i] += cpu_now() - before;
    char when[TIME_TEXT];
    return e ? fault_set(f, e, "engine %s stopped at the window of %s: %s", a->engines[i]->name,
                   time_format(w->start, when), err_text(e))
             : OK;
}

/* Those that tag first, so that the others see the tags. */
static enum err engines_step(
    struct analysis *a, const struct window *w, struct sink *sink, struct fault *f)
{
    struct window tagged = *w;
    tagged.shelf = a->shelf;
    enum err e = OK;
    for (int tags = 1; tags >= 0; tags--)
        for (size_t i = 0; i < a->count && !e; i++) {
            if ((a->engines[i]->tags != NULL) != tags)
                continue;
            e = engine_step(a, i, &tagged, sink, f);
            if (e || !tags)
                continue;
            tagged.tags = a->engines[i]->tags(a->states[i]);
            shelf_clear(a->shelf); /* what it asked for itself is without tags */
        }
    shelf_clear(a->shelf);
    return e;
}

/* Alerts go to whoever asked, and tell the forecasts whose they are. */
struct telling {
    struct lead *lead;
    const struct analysis_events *events;
};

static enum err on_alert(void *context, const struct alert *alert)
{
    struct telling *t = context;
    lead_know(t->lead, alert);
    return t->events->alert ? t->events->alert(t->events->context, alert) : OK;
}

static enum err turn(struct analysis *a, const struct window *w,
    const struct analysis_events *events, struct fault *f)
{
    struct telling telling = {a->lead, events};
    int64_t before = cpu_now();
    enum err e = lead_turn(a->lead, w, a->book);
    int64_t between = cpu_now();
    if (!e)
        e = alert_book_turn(a->book, window_end(w), on_alert, &telling);
    if (!e)
        e = lead_tell(a->lead, events->forecast, events->context);
    a->spent[a->count] += between - before;
    a->spent[a->count + 1] += cpu_now() - between;
    return e ? fault_set(f, e, "alerts could not be merged: %s", err_text(e)) : OK;
}

enum err analysis_step(struct analysis *a, const struct window *w,
    const struct analysis_events *events, struct fault *f)
{
    struct sink sink = lead_sink(a->lead, a->book);
    enum err e = engines_step(a, w, &sink, f);
    return e ? e : turn(a, w, events, f);
}

size_t analysis_parts(const struct analysis *a)
{
    return a->count + OTHER_PARTS;
}

const char *analysis_part_name(const struct analysis *a, size_t part)
{
    return part < a->count ? a->engines[part]->name : part == a->count ? "lead" : "alerts";
}

enum err analysis_save(const struct analysis *a, size_t part, struct buf *out)
{
    if (part < a->count)
        return a->engines[part]->save(a->states[part], out);
    return part == a->count ? lead_save(a->lead, out) : alert_book_save(a->book, out);
}

enum err analysis_load(struct analysis *a, size_t part, struct bytes saved, struct fault *f)
{
    if (part < a->count)
        return a->engines[part]->load(a->states[part], saved, f);
    return part == a->count ? lead_load(a->lead, saved, f) : alert_book_load(a->book, saved, f);
}

int64_t analysis_spent(const struct analysis *a, size_t part)
{
    return a->spent[part];
}
