#include "cmd/commands.h"

#include "base/clock.h"
#include "cmd/alert_tally.h"
#include "cmd/count_file.h"
#include "cmd/ending.h"
#include "cmd/engines.h"
#include "cmd/imports.h"
#include "cmd/keep.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/resume.h"
#include "cmd/setup.h"
#include "cmd/site_list.h"
#include "cmd/stop.h"
#include "cmd/summary.h"
#include "cmd/table.h"
#include "ingest/pipeline.h"
#include "sensor/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct conf_item replay_items[] = {
    {.name = "site",
        .type = CONF_LIST,
        .arg = "NAME=FILE",
        .text =
            "A capture of this site; a folder stands for the captures in it, - for standard "
            "input. Several captures of one site may be given in any order."},
    {.name = "alerts",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text =
            "Write alerts here as JSON lines, each when it is new, has grown or has closed; - "
            "for standard output. A file that is there is not written over."},
    {.name = "data",
        .type = CONF_TEXT,
        .arg = "DIR",
        .text =
            "Keep packets, contacts and alerts in this folder, which kizashi hub --data DIR "
            "then serves."},
    {.name = "again",
        .type = CONF_FLAG,
        .text = "Read captures once more that the data folder has; what of them is stored is "
                "not stored twice."},
    {.name = "no-store", .type = CONF_FLAG, .text = "Keep nothing (as without --data)."},
    SETUP_ITEMS,
    {.name = "host-counts",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text = "Write distinct scanning sources of every window, site and port as CSV: what "
                "plain host counting would work on. A file that is there is not written over."},
    {.name = "json", .type = CONF_FLAG, .text = "The summary as JSON on standard error."},
    {.name = "quiet", .type = CONF_FLAG, .text = "No progress and no summary."},
    {.name = NULL},
};

struct replay {
    const struct conf *conf;
    struct setup setup;
    struct site_list list;
    struct site **sites;
    size_t site_count;
    struct keep *keep; /* NULL: nothing is stored */
    struct analysis *analysis;
    struct pipeline *pipeline;
    struct output alerts;
    struct count_file *count_file;
    struct progress *progress;
    struct alert_tally *tally;
    int64_t first;      /* us: time of the first frame */
    atomic_bool broken; /* a capture could not be read to its end */
};

static enum err on_alert(void *context, const struct alert *a)
{
    struct replay *r = context;
    alert_tally_add(r->tally, a);
    FILE *out = r->alerts.file;
    if (out) {
        struct buf line;
        buf_init(&line, CATALOG_ALERT_JSON);
        json_t *json = alert_json(a);
        if (json)
            json_write(&line, json);
        json_decref(json);
        enum err e = json ? line.err : ERR_NOMEM;
        if (!e && (fwrite(line.data, 1, line.len, out) != line.len || fputc('\n', out) == EOF ||
                      fflush(out) != 0))
            e = ERR_IO;
        buf_done(&line);
        if (e)
            return e;
    }
    return r->keep ? keep_alert(r->keep, a) : OK;
}

static enum err on_forecast(void *context, const struct forecast *f)
{
    struct replay *r = context;
    return r->keep ? keep_forecast(r->keep, f) : OK;
}

static enum err on_tagged(void *context, const struct window *w, const struct tagging *tagging)
{
    struct replay *r = context;
    return r->keep ? keep_tagged(r->keep, w, tagging) : OK;
}

static enum err on_window(void *context, const struct window *w)
{
    struct replay *r = context;
    struct fault f;
    progress_show(r->progress, window_end(w));
    enum err e = setup_settle(&r->setup, &f); /* replay_run() tells what is wrong */
    if (e)
        return e;
    if (r->count_file && count_file_add(r->count_file, w, &f) != OK)
        return ERR_IO;
    return r->keep ? keep_window(r->keep, window_end(w), NULL, &f) : OK;
}

static void on_trouble(void *context, const char *site, const struct fault *f)
{
    struct replay *r = context;
    atomic_store(&r->broken, true);
    progress_clear(r->progress);
    fprintf(stderr, "kizashi replay: site %s: %s\n", site, f->text);
}

static void on_store_trouble(void *context, const struct fault *f, bool waiting)
{
    struct replay *r = context;
    progress_clear(r->progress);
    if (waiting)
        fprintf(stderr, "kizashi replay: %s; waiting for room, nothing is lost\n", f->text);
    else
        fprintf(stderr, "kizashi replay: the store takes packets again\n");
}

static enum err alerts_open(struct replay *r, struct fault *f)
{
    const char *path = conf_text(r->conf, "alerts");
    return path ? output_open(&r->alerts, "--alerts", path, f) : OK;
}

/* A size is of a site that there is: a name that was mistyped would change nothing unseen. */
static enum err addresses_check(const struct replay *r, struct fault *f)
{
    const char *const *pairs;
    size_t count = conf_list(r->conf, "addresses", &pairs);
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(pairs[i], "=");
        size_t k = 0;
        while (k < r->list.count && (strlen(r->list.sites[k].name) != len ||
                                        strncmp(r->list.sites[k].name, pairs[i], len) != 0))
            k++;
        if (k == r->list.count)
            return fault_set(f, ERR_NOTFOUND,
                "--addresses: there is no site \"%.*s\"; the first one is %.63s",
                (int)(len > 63 ? 63 : len), pairs[i], r->list.sites[0].name);
    }
    return OK;
}

static enum err site_open(struct replay *r, const struct site_captures *c, struct fault *f)
{
    struct site_options options = {.shared = &r->setup.shared};
    struct feed *feed;
    if (r->keep)
        options.writer = keep_writer(r->keep);
    enum err e = setup_sensor_options(&r->setup, c->name, r->list.count, &options.sensor, f);
    if (!e)
        e = feed_open_files(&feed, c->paths, c->count, f);
    if (e)
        return e;
    e = site_new(&r->sites[r->site_count], c->name, feed, &options);
    if (e) {
        feed_close(feed);
        return fault_set(f, e, "site %s: %s", c->name, err_text(e));
    }
    r->site_count++;
    return OK;
}

/* A site of which no file is a capture is told, and the others are read. */
static enum err sites_open(struct replay *r, struct fault *f)
{
    struct fault first = {0};
    const char *first_site = NULL;
    r->sites = calloc(r->list.count, sizeof *r->sites);
    if (!r->sites)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < r->list.count; i++) {
        struct fault broken = {0};
        enum err e = site_open(r, &r->list.sites[i], &broken);
        if (e && e != ERR_BAD && e != ERR_SHORT) {
            *f = broken;
            return e;
        }
        if (e && first.code)
            on_trouble(r, r->list.sites[i].name, &broken);
        else if (e) {
            first = broken;
            first_site = r->list.sites[i].name;
        }
    }
    if (!r->site_count) {
        *f = first;
        return first.code;
    }
    if (first.code)
        on_trouble(r, first_site, &first);
    return OK;
}

static void note_left_out(const char *site, const char *text)
{
    fprintf(stderr, "kizashi replay: site %s: %s\n", site, text);
}

/* Captures that the data folder has had are not taken in twice. */
static enum err known_leave_out(struct replay *r, struct fault *f)
{
    size_t left = 0;
    if (conf_flag(r->conf, "again"))
        return OK;
    for (size_t i = 0; i < r->list.count; i++) {
        imports_leave_out(&r->list.sites[i], keep_catalog(r->keep), note_left_out);
        if (r->list.sites[i].count)
            r->list.sites[left++] = r->list.sites[i];
        else
            site_captures_done(&r->list.sites[i]);
    }
    r->list.count = left;
    return left ? OK
                : fault_set(f, ERR_EXISTS,
                      "all captures are in the data folder already: kizashi alerts lists what "
                      "was found, --no-store runs them without it, --again reads them once "
                      "more");
}

static enum err analysis_open(struct replay *r, struct fault *f)
{
    char why[480];
    int64_t seen;
    if (!r->keep)
        return setup_analysis(&r->setup, &r->analysis, f);
    enum err e = resume_analysis(&(struct resume){&r->setup, r->keep, r->sites, r->site_count},
        &r->analysis, &seen, why, f);
    if (!e && why[0])
        fprintf(stderr, "kizashi replay: engines begin afresh: %s\n", why);
    return e;
}

/* The store, which is in a hurry, without the captures that it knows. */
static enum err store_begin(struct replay *r, struct fault *f)
{
    struct keep_options options = {.data = conf_text(r->conf, "data"),
        .store = {.aside = true},
        .events = {on_store_trouble, r},
        .stop = stop_flag()};
    enum err e = keep_open(&r->keep, &options, f);
    if (e)
        return e;
    writer_hurry(keep_writer(r->keep));
    return known_leave_out(r, f);
}

/* What a folder that was made for this is kept for. */
static enum err parts_open(struct replay *r, struct fault *f)
{
    enum err e = conf_text(r->conf, "data") ? store_begin(r, f) : OK;
    if (!e)
        e = sites_open(r, f);
    if (!e)
        e = analysis_open(r, f);
    if (!e && r->keep)
        e = setup_settle(&r->setup, f); /* what is stored stays */
    return e;
}

static enum err replay_open(struct replay *r, size_t count, char **operands, struct fault *f)
{
    const char *const *pairs;
    size_t pair_count = conf_list(r->conf, "site", &pairs);
    if (!pair_count && !count)
        return fault_set(f, ERR_BAD, "no captures: give --site NAME=FILE or files");
    if (conf_flag(r->conf, "no-store") && conf_text(r->conf, "data"))
        return fault_set(f, ERR_BAD, "--data and --no-store exclude each other");
    if (conf_flag(r->conf, "again") && !conf_text(r->conf, "data"))
        return fault_set(f, ERR_BAD, "--again needs --data: without it nothing is kept");
    if (conf_flag(r->conf, "quiet") && conf_flag(r->conf, "json"))
        return fault_set(f, ERR_BAD,
            "--quiet and --json exclude each other: one leaves the summary out, the "
            "other is its form");
    enum err e = alert_tally_new(&r->tally);
    if (e)
        return fault_set(f, e, "%s", err_text(e));
    e = site_list_pairs(&r->list, pairs, pair_count, f);
    if (!e)
        e = site_list_paths(&r->list, "telescope", operands, count, f);
    if (!e)
        e = addresses_check(r, f);
    if (!e)
        e = setup_open_behind(&r->setup, r->conf, f);
    if (!e)
        e = alerts_open(r, f);
    if (!e && conf_text(r->conf, "host-counts"))
        e = count_file_open(&r->count_file, conf_text(r->conf, "host-counts"), f);
    if (!e)
        e = parts_open(r, f);
    if (e)
        return e;
    struct pipeline_options options = {
        .window = r->setup.window,
        .analysis = r->analysis,
        .stop = stop_flag(),
        .events = {.context = r,
            .alert = on_alert,
            .forecast = on_forecast,
            .window = on_window,
            .tagged = on_tagged,
            .trouble = on_trouble},
    };
    e = pipeline_new(&r->pipeline, r->sites, r->site_count, &options, f);
    bool show = isatty(STDERR_FILENO) && !conf_flag(r->conf, "quiet");
    if (!e)
        progress_open(&r->progress, show ? stderr : NULL, r->sites, r->site_count);
    return e;
}

/* What was written stays if the captures were begun (`opened` is OK). Returns what is wrong
 * with it, or `opened`. */
static enum err replay_close(struct replay *r, enum err opened, struct fault *f)
{
    enum err e = output_close(&r->alerts, opened, f);
    e = count_file_close(r->count_file, e, f);
    progress_close(r->progress);
    alert_tally_free(r->tally);
    pipeline_free(r->pipeline);
    for (size_t i = 0; i < r->site_count; i++)
        site_free(r->sites[i]);
    free(r->sites);
    if (opened)
        keep_discard(r->keep);
    else
        keep_close(r->keep);
    analysis_free(r->analysis);
    setup_close(&r->setup);
    site_list_done(&r->list);
    return e;
}

static void summary_show(const struct replay *r, int64_t took)
{
    struct summary sum = {.sites = r->sites,
        .count = r->site_count,
        .seconds = (double)took / (double)US_SECOND,
        .first = time_floor(r->first, conf_us(r->conf, "window")),
        .last = pipeline_time(r->pipeline),
        .engines = strcmp(conf_text(r->conf, "engines"), "none") != 0,
        .lists = survey_count(r->setup.surveys)};
    for (size_t i = 0; i < sum.lists; i++)
        sum.list_prefixes += survey_at(r->setup.surveys, i)->prefixes;
    alert_tally_read(r->tally, sum.alerts_by_severity);
    if (conf_flag(r->conf, "quiet"))
        return;
    if (!conf_flag(r->conf, "json")) {
        summary_print(stderr, &sum);
        return;
    }
    json_t *json = summary_json(&sum);
    table_line(stderr, json);
    json_decref(json);
}

/* What is left when the captures have been read: the engines' states, while the writer goes on,
 * and then, when all is stored, which captures that was. */
static enum err run_keep(struct replay *r, enum err ran, struct fault *f)
{
    struct clock wall = clock_system();
    struct fault unwritten = {0};
    enum err e = OK;
    if (!ran)
        e = keep_window(r->keep, pipeline_time(r->pipeline), r->analysis, f);
    if (writer_flush(keep_writer(r->keep), &unwritten)) {
        *f = unwritten; /* goes before what came of it */
        return unwritten.code;
    }
    if (!e && !ran) /* also of one that is broken: what it gave is there */
        e = imports_note(&r->list, keep_catalog(r->keep), clock_now(&wall), f);
    return e;
}

/* The whole run; what was queued is stored before it returns. */
static enum err replay_run(struct replay *r, struct fault *f)
{
    struct fault other = {0};
    enum err e = pipeline_run(r->pipeline, f);
    enum err settled = setup_settle(&r->setup, &other);
    if (settled) {
        e = settled;
        *f = other;
    }
    enum err kept = r->keep ? run_keep(r, e, &other) : OK;
    if (kept) {
        e = kept;
        *f = other;
    }
    progress_clear(r->progress);
    return e;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct replay r = {.conf = conf};
    struct fault f = {0};
    struct clock wall = clock_system();
    stop_install();
    enum err e = replay_open(&r, count, operands, &f);
    if (e) {
        int status = ending("replay", e, &f);
        e = replay_close(&r, e, &f);
        return e == ERR_STOPPED ? EXIT_DONE : status;
    }
    int64_t began = clock_now(&wall);
    r.first = resume_first(r.sites, r.site_count);
    e = replay_run(&r, &f);
    summary_show(&r, clock_now(&wall) - began);
    if (e == ERR_STOPPED)
        fprintf(stderr, "kizashi replay: stopped before the end of the captures\n");
    else if (e)
        ending_tell("replay", e, &f);
    bool broken = atomic_load(&r.broken);
    enum err closed = replay_close(&r, OK, &f);
    if (closed && !e)
        ending_tell("replay", closed, &f);
    return e || closed || broken ? EXIT_PROBLEM : EXIT_DONE;
}

const struct command cmd_replay = {
    .name = "replay",
    .text = "Run captures through the whole pipeline as fast as the machine allows.",
    .operands = "[FILE...]",
    .items = replay_items,
    .run = run,
    .more =
        "Captures are pcap or pcapng, plain or compressed with gzip or zstd. Those of all "
        "sites are "
        "taken together in time order, packets are tagged, windows go through the engines, and "
        "alerts come out as they would have live. A capture without a name belongs to the site "
        "\"telescope\".\n\n"
        "A capture that is broken, or is none, gives one error that names file and offset; "
        "what came before is kept, the others are read to their end, and the exit status is 1. "
        "If one is not there, or none is a capture, nothing is read and it is 2.\n\n"
        "Example:\n"
        "  kizashi replay --site jp-01=a.pcap --site kr-01=b.pcap.zst --alerts -\n",
};
