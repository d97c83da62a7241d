#include "ingest/analysis.h"

#include "base/clock.h"
#include "ingest/crew.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

/* Parts after the engines. */
enum {
    PART_LEAD,
    PART_BOOK,
    OTHER_PARTS
};

struct analysis {
    struct crew *crew;
    struct lead *lead;
    struct alert_book *book;
    int64_t patience;
    int64_t spent[OTHER_PARTS];
};

static enum err crew_open(
    struct analysis *a, const struct analysis_options *options, struct fault *f)
{
    struct crew_options crew = {
        .engines = options->engines,
        .confs = options->confs,
        .window = options->window,
        .scratch_cap = options->scratch_cap ? options->scratch_cap : (size_t)512 << 20,
        .alone = options->alone,
    };
    return crew_new(&a->crew, &crew, f);
}

enum err analysis_new(
    struct analysis **ret_analysis, const struct analysis_options *options, struct fault *f)
{
    struct analysis *a = calloc(1, sizeof *a);
    if (!a)
        return fault_set(f, ERR_NOMEM, "out of memory");
    a->patience = options->patience ? options->patience : options->window / 4;
    enum err e = alert_book_new(&a->book, &options->alerts);
    if (!e)
        e = lead_new(&a->lead, &options->lead);
    if (e)
        fault_set(f, e, "%s", err_text(e));
    else
        e = crew_open(a, options, f);
    if (e)
        analysis_free(a);
    else
        *ret_analysis = a;
    return e;
}

void analysis_free(struct analysis *a)
{
    if (!a)
        return;
    crew_free(a->crew);
    lead_free(a->lead);
    alert_book_free(a->book);
    free(a);
}

static int64_t cpu_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * US_SECOND + ts.tv_nsec / 1000;
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
    a->spent[PART_LEAD] += between - before;
    a->spent[PART_BOOK] += cpu_now() - between;
    return e ? fault_set(f, e, "alerts could not be merged: %s", err_text(e)) : OK;
}

enum err analysis_step(struct analysis *a, const struct window *w, bool live,
    const struct analysis_events *events, struct fault *f)
{
    struct crew_show how = {
        .live = live,
        .patience = a->patience,
        .sink = lead_sink(a->lead, a->book),
        .skipped = events->skipped,
        .tagged = events->tagged,
        .context = events->context,
    };
    enum err e = crew_show(a->crew, w, &how, f);
    return e ? e : turn(a, w, events, f);
}

/* --- parts --------------------------------------------------------------------------------
 */

size_t analysis_parts(const struct analysis *a)
{
    return crew_count(a->crew) + OTHER_PARTS;
}

const char *analysis_part_name(const struct analysis *a, size_t part)
{
    static const char *const others[OTHER_PARTS] = {"lead", "alerts"};
    size_t engines = crew_count(a->crew);
    return part < engines ? crew_engine(a->crew, part)->name : others[part - engines];
}

bool analysis_is_settled(const struct analysis *a, size_t part)
{
    return part >= crew_count(a->crew) || crew_state(a->crew, part);
}

enum err analysis_save(const struct analysis *a, size_t part, struct buf *out)
{
    size_t engines = crew_count(a->crew);
    if (part >= engines)
        return part == engines + PART_LEAD ? lead_save(a->lead, out)
                                           : alert_book_save(a->book, out);
    const struct engine_state *state = crew_state(a->crew, part);
    assert(state);
    return crew_engine(a->crew, part)->save(state, out);
}

enum err analysis_load(struct analysis *a, size_t part, struct bytes saved, struct fault *f)
{
    size_t engines = crew_count(a->crew);
    if (part >= engines)
        return part == engines + PART_LEAD ? lead_load(a->lead, saved, f)
                                           : alert_book_load(a->book, saved, f);
    struct engine_state *state = crew_state(a->crew, part);
    assert(state);
    return crew_engine(a->crew, part)->load(state, saved, f);
}

int64_t analysis_spent(const struct analysis *a, size_t part)
{
    size_t engines = crew_count(a->crew);
    return part < engines ? crew_spent(a->crew, part) : a->spent[part - engines];
}
