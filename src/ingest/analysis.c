#include "ingest/analysis.h"

#include "base/clock.h"
#include "engine/shelf.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

enum {
    ENGINES_MAX = 16
};

struct analysis {
    const struct engine *engines[ENGINES_MAX];
    struct engine_state *states[ENGINES_MAX];
    int64_t spent[ENGINES_MAX + 1];
    size_t count;
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

enum err analysis_step(struct analysis *a, const struct window *w,
    enum err (*changed)(void *context, const struct alert *a), void *context, struct fault *f)
{
    struct sink sink = alert_book_sink(a->book);
    enum err e = engines_step(a, w, &sink, f);
    if (e)
        return e;
    int64_t before = cpu_now();
    e = alert_book_turn(a->book, window_end(w), changed, context);
    a->spent[a->count] += cpu_now() - before;
    if (e)
        fault_set(f, e, "alerts could not be merged: %s", err_text(e));
    return e;
}

size_t analysis_parts(const struct analysis *a)
{
    return a->count + 1;
}

const char *analysis_part_name(const struct analysis *a, size_t part)
{
    return part < a->count ? a->engines[part]->name : "alerts";
}

enum err analysis_save(const struct analysis *a, size_t part, struct buf *out)
{
    return part < a->count ? a->engines[part]->save(a->states[part], out)
                           : alert_book_save(a->book, out);
}

enum err analysis_load(struct analysis *a, size_t part, struct bytes saved, struct fault *f)
{
    return part < a->count ? a->engines[part]->load(a->states[part], saved, f)
                           : alert_book_load(a->book, saved, f);
}

int64_t analysis_spent(const struct analysis *a, size_t part)
{
    return a->spent[part];
}
