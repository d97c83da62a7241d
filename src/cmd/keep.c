#include "cmd/keep.h"

#include "base/tree.h"
#include "cmd/folder.h"
#include "ingest/tagged.h"
#include "store/catalog_forecasts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATE_CAP = 256 << 20,
    PARTS_MAX = 18
};

struct noted {
    struct catalog_alert row;
    struct buf json;
};

struct foreseen {
    struct catalog_forecast row;
    struct buf json;
};

struct keep {
    char *data; /* the folder's path from the root */
    bool made;  /* it was not there before */
    struct store *store;
    struct catalog *catalog;
    struct writer *writer;
    struct noted *noted;
    size_t noted_count, noted_room;
    struct foreseen *foreseen; /* forecasts that changed in the window */
    size_t foreseen_count, foreseen_room;
    int64_t
        states_end; /* of the last window that the engines' kept states have seen; 0: none */
};

enum err keep_open(struct keep **ret_keep, const struct keep_options *options, struct fault *f)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/catalog.sqlite", options->data) >= (int)sizeof path)
        return fault_set(f, ERR_RANGE, "%.100s...: path too long", options->data);
    struct keep *k = calloc(1, sizeof *k);
    if (!k)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = folder_make(options->data, &k->made, f);
    if (!e && !(k->data = realpath(options->data, NULL))) /* the store's engine wants it so */
        e = fault_set(f, ERR_IO, "%s: %s", options->data, strerror(errno));
    if (!e)
        e = store_open(&k->store, k->data, &options->store, f);
    if (!e)
        e = catalog_open(&k->catalog, path, f);
    if (!e) {
        e = writer_new(&k->writer, k->store, &options->events, options->stop);
        if (e)
            fault_set(f, e, "%s", err_text(e));
    }
    if (e) {
        keep_discard(k);
        return e;
    }
    *ret_keep = k;
    return OK;
}

static void noted_clear(struct keep *k)
{
    for (size_t i = 0; i < k->noted_count; i++)
        buf_done(&k->noted[i].json);
    for (size_t i = 0; i < k->foreseen_count; i++)
        buf_done(&k->foreseen[i].json);
    k->noted_count = k->foreseen_count = 0;
}

void keep_close(struct keep *k)
{
    if (!k)
        return;
    writer_free(k->writer);
    noted_clear(k);
    free(k->noted);
    free(k->foreseen);
    if (k->catalog)
        catalog_close(k->catalog);
    if (k->store)
        store_close(k->store);
    free(k->data);
    free(k);
}

void keep_discard(struct keep *k)
{
    char *made = k && k->made ? k->data : NULL;
    if (made)
        k->data = NULL;
    keep_close(k);
    enum err removed = made ? tree_remove(made, NULL) : OK;
    (void)removed; /* what was wrong before is told */
    free(made);
}

struct writer *keep_writer(struct keep *k)
{
    return k->writer;
}

struct store *keep_store(struct keep *k)
{
    return k->store;
}

struct catalog *keep_catalog(struct keep *k)
{
    return k->catalog;
}

static struct noted *noted_new(struct keep *k)
{
    if (k->noted_count == k->noted_room) {
        size_t room = k->noted_room ? k->noted_room * 2 : 64;
        struct noted *more = realloc(k->noted, room * sizeof *more);
        if (!more)
            return NULL;
        k->noted = more;
        k->noted_room = room;
    }
    struct noted *n = &k->noted[k->noted_count++];
    memset(n, 0, sizeof *n);
    buf_init(&n->json, CATALOG_ALERT_JSON);
    return n;
}

enum err keep_tagged(struct keep *k, const struct window *w, const struct tagging *tagging)
{
    return tagged_keep(k->writer, w, tagging);
}

enum err keep_alert(struct keep *k, const struct alert *a)
{
    json_t *json = alert_json(a);
    struct noted *n = json ? noted_new(k) : NULL;
    if (!n) {
        json_decref(json);
        return ERR_NOMEM;
    }
    json_write(&n->json, json);
    json_decref(json);
    n->row = (struct catalog_alert){
        .time = a->time,
        .start = a->start,
        .end = a->end,
        .severity = a->severity,
        .open = a->open,
        .revision = a->revision,
    };
    snprintf(n->row.id, sizeof n->row.id, "%s", a->id);
    snprintf(n->row.kind, sizeof n->row.kind, "%s", a->kind);
    return n->json.err;
}

static struct foreseen *foreseen_new(struct keep *k)
{
    if (k->foreseen_count == k->foreseen_room) {
        size_t room = k->foreseen_room ? k->foreseen_room * 2 : 64;
        struct foreseen *more = realloc(k->foreseen, room * sizeof *more);
        if (!more)
            return NULL;
        k->foreseen = more;
        k->foreseen_room = room;
    }
    struct foreseen *n = &k->foreseen[k->foreseen_count++];
    memset(n, 0, sizeof *n);
    buf_init(&n->json, CATALOG_FORECAST_JSON);
    return n;
}

enum err keep_forecast(struct keep *k, const struct forecast *f)
{
    if (!f->alert[0])
        return OK; /* its alert was never told */
    json_t *json = forecast_json(f);
    struct foreseen *n = json ? foreseen_new(k) : NULL;
    if (!n) {
        json_decref(json);
        return ERR_NOMEM;
    }
    json_write(&n->json, json);
    json_decref(json);
    n->row.made = f->first.made;
    snprintf(n->row.alert, sizeof n->row.alert, "%s", f->alert);
    snprintf(n->row.site, sizeof n->row.site, "%s", f->site);
    snprintf(n->row.state, sizeof n->row.state, "%s", forecast_state_name(f->state));
    return n->json.err;
}

/* Before the engines' states, which say that they have been told: one that comes twice does no
 * harm. */
static enum err forecasts_put(struct keep *k, struct fault *f)
{
    if (!k->foreseen_count)
        return OK;
    struct catalog_forecast *rows = calloc(k->foreseen_count, sizeof *rows);
    if (!rows)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < k->foreseen_count; i++) {
        rows[i] = k->foreseen[i].row;
        rows[i].json = (const char *)k->foreseen[i].json.data;
        rows[i].json_len = k->foreseen[i].json.len;
    }
    enum err e = catalog_forecasts_put(k->catalog, rows, k->foreseen_count, f);
    free(rows);
    return e;
}

static enum err states_save(const struct analysis *analysis, int64_t end, struct buf *bufs,
    struct catalog_engine_state *states, size_t *ret_count)
{
    size_t count = analysis ? analysis_parts(analysis) : 0;
    if (count > PARTS_MAX)
        return ERR_FULL;
    size_t saved = 0;
    for (size_t i = 0; i < count; i++) {
        if (!analysis_is_settled(analysis, i))
            continue;
        enum err e = analysis_save(analysis, i, &bufs[i]);
        if (!e)
            e = bufs[i].err;
        if (e)
            return e;
        states[saved++] = (struct catalog_engine_state){
            analysis_part_name(analysis, i), end, bufs[i].data, bufs[i].len};
    }
    *ret_count = saved;
    return OK;
}

enum err keep_window(
    struct keep *k, int64_t end, const struct analysis *analysis, struct fault *f)
{
    /* Older captures that are taken in later teach nothing to engines that are ahead of them.
     */
    if (end < k->states_end)
        analysis = NULL;
    if (!k->noted_count && !k->foreseen_count && !analysis)
        return OK;
    struct buf bufs[PARTS_MAX];
    struct catalog_engine_state states[PARTS_MAX];
    size_t state_count = 0;
    for (size_t i = 0; i < PARTS_MAX; i++)
        buf_init(&bufs[i], STATE_CAP);
    struct catalog_alert *rows = calloc(k->noted_count + 1, sizeof *rows);
    enum err e = rows ? states_save(analysis, end, bufs, states, &state_count) : ERR_NOMEM;
    if (e)
        fault_set(f, e, "engine states could not be saved: %s", err_text(e));
    for (size_t i = 0; rows && i < k->noted_count; i++) {
        rows[i] = k->noted[i].row;
        rows[i].json = (const char *)k->noted[i].json.data;
        rows[i].json_len = k->noted[i].json.len;
    }
    if (!e)
        e = forecasts_put(k, f);
    if (!e)
        e = catalog_window_put(k->catalog, rows, k->noted_count, states, state_count, f);
    free(rows);
    for (size_t i = 0; i < PARTS_MAX; i++)
        buf_done(&bufs[i]);
    if (!e && analysis)
        k->states_end = end;
    if (!e)
        noted_clear(k);
    return e;
}

int64_t keep_seen(const struct keep *k)
{
    return k->states_end;
}

enum err keep_restore(
    struct keep *k, struct analysis *analysis, int64_t *ret_end, struct fault *f)
{
    int64_t newest = 0;
    enum err e = OK;
    for (size_t i = 0; i < analysis_parts(analysis); i++) {
        struct buf saved;
        int64_t end = 0;
        buf_init(&saved, STATE_CAP);
        enum err one =
            catalog_engine_state(k->catalog, analysis_part_name(analysis, i), &saved, &end);
        if (one && one != ERR_NOTFOUND && !e)
            e = fault_set(f, one, "the state of %s cannot be read: %s",
                analysis_part_name(analysis, i), err_text(one));
        else if (!one && !e)
            e = analysis_load(analysis, i, bytes_over(saved.data, saved.len), f);
        newest = end > newest ? end : newest;
        buf_done(&saved);
    }
    k->states_end = newest;
    if (!e)
        *ret_end = newest;
    return e;
}
