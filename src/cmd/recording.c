#include "cmd/recording.h"

#include "alert/lead.h"
#include "cmd/stop.h"
#include "evaluate/nict.h"
#include "ingest/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct recording {
    struct tape *tape;
    struct fault fault;   /* of the tape */
    struct fault trouble; /* of the first capture that broke */
    atomic_bool broken;
};

static enum err on_window(void *context, const struct window *w)
{
    struct recording *r = context;
    return tape_add(r->tape, w, &r->fault);
}

static void on_trouble(void *context, const char *site, const struct fault *f)
{
    struct recording *r = context;
    if (!atomic_exchange(&r->broken, true)) {
        r->trouble = *f;
        fault_prefix(&r->trouble, site);
    }
}

static enum err site_open(const struct setup *setup, const struct site_captures *c,
    size_t site_count, struct site **ret_site, struct fault *f)
{
    struct site_options options = {.shared = &setup->shared};
    struct feed *feed;
    enum err e = setup_sensor_options(setup, c->name, site_count, &options.sensor, f);
    if (!e)
        e = feed_open_files(&feed, c->paths, c->count, f);
    if (e)
        return e;
    e = site_new(ret_site, c->name, feed, &options);
    if (e) {
        feed_close(feed);
        fault_set(f, e, "site %s: %s", c->name, err_text(e));
    }
    return e;
}

static enum err run(struct recording *r, const struct setup *setup, struct site **sites,
    size_t count, struct fault *f)
{
    struct pipeline *pipeline;
    struct pipeline_options options = {
        .window = setup->window,
        .stop = stop_flag(),
        .events = {.context = r, .window = on_window, .trouble = on_trouble},
    };
    enum err e = pipeline_new(&pipeline, sites, count, &options, f);
    if (e)
        return e;
    e = pipeline_run(pipeline, f);
    pipeline_free(pipeline);
    if (e && r->fault.text[0])
        *f = r->fault;
    if (!e && atomic_load(&r->broken)) {
        *f = r->trouble;
        e = ERR_IO;
        f->code = e;
    }
    return e;
}

enum err recording_make(const struct setup *setup, const struct site_list *list,
    struct tape **ret_tape, struct fault *f)
{
    struct recording r = {0};
    struct site **sites = calloc(list->count + 1, sizeof(struct site *));
    size_t opened = 0;
    enum err e = sites ? tape_new(&r.tape, f) : fault_set(f, ERR_NOMEM, "out of memory");
    while (!e && opened < list->count) {
        e = site_open(setup, &list->sites[opened], list->count, &sites[opened], f);
        opened += !e;
    }
    if (!e)
        e = run(&r, setup, sites, opened, f);
    if (!e && tape_count(r.tape) == 0)
        e = fault_set(f, ERR_BAD, "the captures hold no packets");
    for (size_t i = 0; i < opened; i++)
        site_free(sites[i]);
    free(sites);
    if (e)
        tape_free(r.tape);
    else
        *ret_tape = r.tape;
    return e;
}

static enum err pair_parse(const char *pair, char *name, struct nict_file *ret, struct fault *f)
{
    const char *equals = strchr(pair, '=');
    if (!equals || !equals[1] || (size_t)(equals - pair) > RECORD_NAME_MAX)
        return fault_set(f, ERR_BAD, "--nict: \"%.200s\" is not of the form NAME=FILE", pair);
    snprintf(name, RECORD_NAME_MAX + 1, "%.*s", (int)(equals - pair), pair);
    enum err e = site_name_check(name, f);
    if (e)
        fault_prefix(f, "--nict");
    else if (access(equals + 1, R_OK) != 0)
        e = fault_set(f, ERR_NOTFOUND, "--nict %.200s: %s", pair, strerror(errno));
    *ret = (struct nict_file){name, equals + 1};
    return e;
}

enum err recording_nict(const char *const *pairs, size_t count, int64_t window,
    struct tape **ret_tape, struct fault *f)
{
    struct nict_file *files = calloc(count, sizeof *files);
    char(*names)[RECORD_NAME_MAX + 1] = calloc(count, sizeof *names);
    struct tape *tape = NULL;
    enum err e = files && names ? tape_new(&tape, f) : fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; !e && i < count; i++)
        e = pair_parse(pairs[i], names[i], &files[i], f);
    if (!e)
        e = nict_record(tape, files, count, window, f);
    if (!e && tape_count(tape) == 0)
        e = fault_set(f, ERR_BAD, "--nict: the files hold no rows");
    free(files);
    free(names);
    if (e)
        tape_free(tape);
    else
        *ret_tape = tape;
    return e;
}

/* --- alerts --------------------------------------------------------------------------------
 */

/* A book and the file that its alerts go to. */
struct ledger {
    struct alert_book *book;
    struct lead *lead;
    FILE *out;
    char path[1024];
};

struct hearing {
    struct tape *tape;
    struct engine_state *states[ENGINES_MAX];
    struct ledger ledgers[ENGINES_MAX + 1]; /* all together, then each alone */
    size_t engine_count, ledger_count;
    size_t speaker; /* the engine that is looking */
    struct arena scratch;
};

static enum err ledger_open(struct ledger *l, struct fault *f)
{
    const char *folder = getenv("TMPDIR");
    const struct alert_options options = {0};
    const struct lead_options lead = {0};
    if (alert_book_new(&l->book, &options) || lead_new(&l->lead, &lead))
        return fault_set(f, ERR_NOMEM, "out of memory");
    snprintf(l->path, sizeof l->path, "%s/kizashi-alerts-XXXXXX", folder ? folder : "/tmp");
    int fd = mkstemp(l->path);
    l->out = fd < 0 ? NULL : fdopen(fd, "wb");
    if (l->out)
        return OK;
    enum err e = fault_set(f, ERR_IO, "%s: %s", l->path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(l->path);
    }
    return e;
}

static void ledger_close(struct ledger *l)
{
    lead_free(l->lead);
    alert_book_free(l->book);
    if (l->out) {
        fclose(l->out);
        unlink(l->path);
    }
}

/* A finding goes into the book of all, and into the speaker's own. */
static enum err on_finding(void *context, const struct finding *finding)
{
    struct hearing *h = context;
    size_t own = h->speaker + 1;
    struct sink all = lead_sink(h->ledgers[0].lead, h->ledgers[0].book);
    enum err e = all.put(all.context, finding);
    if (!e && own < h->ledger_count) {
        struct sink alone = lead_sink(h->ledgers[own].lead, h->ledgers[own].book);
        e = alone.put(alone.context, finding);
    }
    return e;
}

static enum err on_alert(void *context, const struct alert *a)
{
    struct ledger *l = context;
    lead_know(l->lead, a);
    struct buf line;
    buf_init(&line, (size_t)16 << 20);
    json_t *json = alert_json(a);
    if (json)
        json_write(&line, json);
    json_decref(json);
    enum err e = json ? line.err : ERR_NOMEM;
    if (!e &&
        (fwrite(line.data, 1, line.len, l->out) != line.len || fputc('\n', l->out) == EOF))
        e = ERR_IO;
    buf_done(&line);
    return e;
}

static enum err window_hear(struct hearing *h, const struct engine_choice *engines,
    const struct window *w, struct fault *f)
{
    struct sink sink = {on_finding, h};
    for (size_t i = 0; i < h->engine_count; i++) {
        h->speaker = i;
        enum err e = engines->engines[i]->step(h->states[i], w, &h->scratch, &sink);
        arena_clear(&h->scratch);
        if (e)
            return fault_set(f, e, "%s: %s", engines->engines[i]->name, err_text(e));
    }
    for (size_t i = 0; i < h->ledger_count; i++) {
        struct ledger *l = &h->ledgers[i];
        enum err e = lead_turn(l->lead, w, l->book);
        if (!e)
            e = alert_book_turn(l->book, window_end(w), on_alert, l);
        if (!e)
            e = lead_tell(l->lead, NULL, NULL);
        if (e)
            return fault_set(f, e, "alerts: %s", err_text(e));
    }
    return OK;
}

static enum err hear_all(
    struct hearing *h, const struct engine_choice *engines, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; !e && i < tape_count(h->tape); i++) {
        const struct window *w;
        e = tape_read(h->tape, i, &w, f);
        if (!e)
            e = window_hear(h, engines, w, f);
        if (!e && atomic_load(stop_flag()))
            e = fault_set(f, ERR_STOPPED, "stopped");
    }
    for (size_t i = 0; !e && i < h->ledger_count; i++)
        if (fflush(h->ledgers[i].out) != 0)
            e = fault_set(f, ERR_IO, "%s: %s", h->ledgers[i].path, strerror(errno));
    return e;
}

enum err recording_alerts(struct tape *t, const struct engine_choice *engines, bool each,
    enum severity least, struct warnings *ret_warnings, struct fault *f)
{
    struct hearing *h = calloc(1, sizeof *h);
    size_t wanted = each ? engines->count + 1 : 1;
    enum err e = h ? OK : fault_set(f, ERR_NOMEM, "out of memory");
    if (e)
        return e;
    h->tape = t;
    arena_init(&h->scratch, (size_t)1 << 31);
    while (!e && h->engine_count < engines->count) {
        size_t i = h->engine_count;
        e = engines->engines[i]->open(&h->states[i], engines->confs[i], tape_length(t), f);
        h->engine_count += !e;
    }
    while (!e && h->ledger_count < wanted)
        e = ledger_open(&h->ledgers[h->ledger_count++], f);
    if (!e)
        e = hear_all(h, engines, f);
    for (size_t i = 0; !e && i < wanted; i++)
        e = warnings_read(&ret_warnings[i], h->ledgers[i].path, least, f);
    for (size_t i = 0; i < h->engine_count; i++)
        engines->engines[i]->close(h->states[i]);
    for (size_t i = 0; i < h->ledger_count; i++)
        ledger_close(&h->ledgers[i]);
    arena_done(&h->scratch);
    free(h);
    return e;
}
