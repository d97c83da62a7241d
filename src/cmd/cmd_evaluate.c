#include "base/clock.h"
#include "cmd/commands.h"
#include "cmd/simulation.h"
#include "evaluate/count.h"
#include "evaluate/evaluation.h"
#include "sim/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SEEDS_MAX = EVALUATION_RUNS / 2,
    PATH_ROOM = 1200,
    ARGS_MAX = 2 * TRUTH_SITES + 64,
    REPLAY_WORDS = 24
};

static const struct conf_item items[] = {
    {"truth", CONF_LIST, "FILE", NULL, 0, 1000, NULL, NULL,
        "The truth.json of the captures that the alerts are about; once for each file of "
        "alerts, "
        "in the same order."},
    {"host-counts", CONF_LIST, "FILE", NULL, 0, 1000, NULL, NULL,
        "Hosts by window, site and port as CSV, for the comparison; once for each file of "
        "alerts."},
    {"simulate", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "Do it all: simulate, replay and score, for every seed."},
    {"seeds", CONF_TEXT, "LIST", NULL, 0, 400, "101-105", NULL,
        "Seeds of the simulated runs: numbers and ranges, 101-105,200."},
    {"null", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "With --simulate: each seed once more without events, for the false alarms alone."},
    SIMULATION_ITEMS,
    {"replay", CONF_TEXT, "OPTIONS", NULL, 0, 1000, NULL, NULL,
        "More options for kizashi replay, separated by spaces; {} stands for the run's "
        "folder."},
    {"keep", CONF_TEXT, "DIR", NULL, 0, 1000, NULL, NULL,
        "With --simulate: keep captures, truth and alerts of every run in this folder."},
    {"severity", CONF_TEXT, "WORD", NULL, 0, 16, "notice", "info|notice|warning|critical",
        "Alerts below it are not looked at."},
    {"slack", CONF_DURATION, "TIME", NULL, 0, 604800, "30m", NULL,
        "How long after an event's end an alert still is about it."},
    {"json", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, "Write the result as JSON."},
    {"html", CONF_TEXT, "FILE", NULL, 0, 1000, NULL, NULL, "Write a report with charts, too."},
    {"min-found", CONF_NUMBER, "PERCENT", "%", 0, 100, NULL, NULL,
        "End with status 1 if fewer of the events that host counts can show are found."},
    {"max-false-alarms", CONF_NUMBER, "RATE", "a day", 0, 1e6, NULL, NULL,
        "End with status 1 if there are more, with or without events."},
    {0},
};

static int complain(const struct fault *f)
{
    fprintf(stderr, "kizashi evaluate: %s\n", f->text);
    switch (f->code) {
    case ERR_NOMEM:
    case ERR_IO:
    case ERR_FULL:
        return EXIT_PROBLEM;
    default:
        return EXIT_USAGE;
    }
}

/* "101-105,200" */
static enum err seeds_parse(
    const char *text, uint64_t seeds[SEEDS_MAX], size_t *ret_count, struct fault *f)
{
    size_t count = 0;
    for (const char *at = text;; at++) {
        char *end;
        errno = 0;
        uint64_t first = strtoull(at, &end, 10), last = first;
        bool good = *at >= '0' && *at <= '9' && !errno;
        if (good && *end == '-') {
            at = end + 1;
            last = strtoull(at, &end, 10);
            good = *at >= '0' && *at <= '9' && !errno && last >= first;
        }
        if (!good || (*end && *end != ','))
            return fault_set(f, ERR_BAD,
                "seeds: \"%s\" is not a list of numbers and ranges such as 101-105,200", text);
        if (last - first >= SEEDS_MAX - count)
            return fault_set(f, ERR_RANGE, "seeds: more than %d", SEEDS_MAX);
        for (uint64_t s = first; s <= last; s++)
            seeds[count++] = s;
        at = end;
        if (!*at)
            break;
    }
    *ret_count = count;
    return OK;
}

/* One simulated run: its folder and what is in it. */
struct trial {
    const struct conf *conf;
    struct telescope_options options;
    char folder[PATH_ROOM - 128];
    char name[96];
    bool keep;
};

static const char *in_folder(const struct trial *t, const char *name, char path[PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%s/%s", t->folder, name);
    return path;
}

static enum err trial_simulate(const struct trial *t, struct truth *ret_truth, struct fault *f)
{
    struct telescope *telescope;
    struct capture_made made;
    const struct capture_plan plan = {.folder = t->folder, .suffix = "pcap", .replace = true};
    enum err e = telescope_open(&telescope, &t->options, f);
    if (e)
        return e;
    e = capture_write(telescope, &plan, &made, f);
    if (!e)
        *ret_truth = *telescope_truth(telescope);
    telescope_close(telescope);
    return e;
}

/* The same run once more, for its host counts. */
static enum err trial_count(const struct trial *t, struct host_counts *h, struct fault *f)
{
    struct telescope *telescope;
    enum err e = telescope_open(&telescope, &t->options, f);
    if (e)
        return e;
    e = count_hosts(telescope, h, f);
    telescope_close(telescope);
    return e;
}

static void trial_clean(const struct trial *t, const struct truth *truth)
{
    static const char *const names[] = {
        "truth.json", "surveys.txt", "alerts.jsonl", "replay.log"};
    char path[PATH_ROOM], name[RECORD_NAME_MAX + 16];
    if (t->keep)
        return;
    for (uint32_t i = 0; i < truth->site_count; i++) {
        snprintf(name, sizeof name, "%s.pcap", truth->sites[i].name);
        unlink(in_folder(t, name, path));
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(t, names[i], path));
    rmdir(t->folder);
}

/* Arguments of the child, owned by one buffer of texts. */
struct arguments {
    char *list[ARGS_MAX + 1];
    size_t count;
};

static enum err argument(struct arguments *a, const char *text, struct fault *f)
{
    char *copy = a->count < ARGS_MAX ? strdup(text) : NULL;
    if (!copy)
        return fault_set(f, ERR_NOMEM, "out of memory");
    a->list[a->count++] = copy;
    return OK;
}

/* A word of --replay, in which {} stands for the run's folder. */
static enum err argument_expand(
    struct arguments *a, const struct trial *t, const char *word, size_t len, struct fault *f)
{
    char text[2 * PATH_ROOM];
    const char *mark = memmem(word, len, "{}", 2);
    size_t before = mark ? (size_t)(mark - word) : len;
    size_t after = mark ? len - before - 2 : 0;
    snprintf(text, sizeof text, "%.*s%s%.*s", (int)before, word, mark ? t->folder : "",
        (int)after, mark ? mark + 2 : "");
    return argument(a, text, f);
}

static void arguments_done(struct arguments *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->list[i]);
}

static enum err arguments_make(
    struct arguments *a, const struct trial *t, const struct truth *truth, struct fault *f)
{
    char path[PATH_ROOM], site[PATH_ROOM + 2 * RECORD_NAME_MAX];
    const char *const head[] = {"kizashi", "replay", "--no-store", "--alerts"};
    enum err e = OK;
    for (size_t i = 0; !e && i < sizeof head / sizeof *head; i++)
        e = argument(a, head[i], f);
    if (!e)
        e = argument(a, in_folder(t, "alerts.jsonl", path), f);
    for (uint32_t i = 0; !e && i < truth->site_count; i++) {
        snprintf(site, sizeof site, "%s=%s/%s.pcap", truth->sites[i].name, t->folder,
            truth->sites[i].name);
        e = argument(a, "--site", f);
        if (!e)
            e = argument(a, site, f);
    }
    const char *more = conf_text(t->conf, "replay");
    for (const char *at = more; !e && at && *at;) {
        size_t len = strcspn(at, " ");
        if (len)
            e = argument_expand(a, t, at, len, f);
        at += len + (at[len] == ' ');
    }
    return e;
}

/* The last line that the child wrote before it gave up. */
static void log_last(const char *path, char *line, size_t room)
{
    FILE *in = fopen(path, "r");
    char text[400];
    *line = 0;
    while (in && fgets(text, sizeof text, in))
        if (text[strspn(text, " \r\n")])
            snprintf(line, room, "%.*s", (int)strcspn(text, "\r\n"), text);
    if (in)
        fclose(in);
}

static enum err trial_replay(const struct trial *t, const struct truth *truth, struct fault *f)
{
    struct arguments a = {0};
    char log[PATH_ROOM], last[300];
    posix_spawn_file_actions_t files;
    pid_t child;
    int status = 0;
    enum err e = arguments_make(&a, t, truth, f);
    if (!e) {
        in_folder(t, "replay.log", log);
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(
            &files, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        int code = posix_spawn(&child, "/proc/self/exe", &files, NULL, a.list, environ);
        posix_spawn_file_actions_destroy(&files);
        if (code)
            e = fault_set(f, ERR_IO, "kizashi replay: %s", strerror(code));
        while (!e && waitpid(child, &status, 0) < 0)
            if (errno != EINTR)
                e = fault_set(f, ERR_IO, "kizashi replay: %s", strerror(errno));
    }
    arguments_done(&a);
    if (!e && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        log_last(log, last, sizeof last);
        e = fault_set(f, ERR_IO, "%s: replay failed: %s", t->name, last);
    }
    return e;
}

static enum err trial_score(
    const struct trial *t, const struct truth *made, struct evaluation *ev, struct fault *f)
{
    char path[PATH_ROOM];
    struct host_counts counts = {.window = TRUTH_WINDOW_S * US_SECOND};
    struct warnings warnings = {0};
    enum err e =
        warnings_read(&warnings, in_folder(t, "alerts.jsonl", path), ev->options.least, f);
    if (!e && made->event_count)
        e = trial_count(t, &counts, f);
    struct truth *truth = malloc(sizeof *truth);
    if (!truth)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (e)
        free(truth);
    else if (truth) {
        *truth = *made;
        e = evaluation_add(ev, t->name, truth, &warnings, counts.count ? &counts : NULL);
        if (e)
            fault_set(f, e, "%s: %s", t->name, err_text(e));
    }
    warnings_done(&warnings);
    host_counts_done(&counts);
    return e;
}

static enum err trial_folder(struct trial *t, struct fault *f)
{
    const char *keep = conf_text(t->conf, "keep");
    const char *temporary = getenv("TMPDIR");
    t->keep = keep != NULL;
    if (keep) {
        if (mkdir(keep, 0777) != 0 && errno != EEXIST)
            return fault_set(f, ERR_NOTFOUND, "keep: %s: %s", keep, strerror(errno));
        snprintf(t->folder, sizeof t->folder, "%s/%s", keep, t->name);
        return OK;
    }
    snprintf(t->folder, sizeof t->folder, "%s/kizashi-evaluate-XXXXXX",
        temporary ? temporary : "/tmp");
    return mkdtemp(t->folder) ? OK : fault_set(f, ERR_IO, "%s: %s", t->folder, strerror(errno));
}

static enum err trial_run(struct trial *t, struct evaluation *ev, struct fault *f)
{
    struct truth *truth = calloc(1, sizeof *truth);
    if (!truth)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = trial_folder(t, f);
    if (!e) {
        e = trial_simulate(t, truth, f);
        if (!e)
            e = trial_replay(t, truth, f);
        if (!e)
            e = trial_score(t, truth, ev, f);
        trial_clean(t, truth);
    }
    free(truth);
    return e;
}

static enum err simulate_all(const struct conf *conf, struct evaluation *ev, struct fault *f)
{
    uint64_t seeds[SEEDS_MAX];
    size_t count = 0;
    enum err e = seeds_parse(conf_text(conf, "seeds"), seeds, &count, f);
    int rounds = conf_flag(conf, "null") ? 2 : 1;
    for (size_t i = 0; !e && i < count; i++)
        for (int round = 0; !e && round < rounds; round++) {
            struct trial t = {.conf = conf};
            simulation_options(&t.options, conf);
            t.options.seed = seeds[i];
            if (round == 1)
                t.options.events = "none";
            snprintf(t.name, sizeof t.name, "seed-%llu%s", (unsigned long long)seeds[i],
                round ? "-none" : "");
            if (isatty(STDERR_FILENO))
                fprintf(
                    stderr, "\r\033[Kkizashi evaluate: %s (%zu of %zu)", t.name, i + 1, count);
            e = trial_run(&t, ev, f);
        }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    return e;
}

static enum err score_one(struct evaluation *ev, const char *alerts, const char *truth_path,
    const char *counts_path, struct fault *f)
{
    struct warnings warnings = {0};
    struct host_counts counts = {.window = TRUTH_WINDOW_S * US_SECOND};
    struct truth *truth = malloc(sizeof *truth);
    if (!truth)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = truth_read(truth_path, truth, f);
    if (!e)
        e = warnings_read(&warnings, alerts, ev->options.least, f);
    if (!e && counts_path)
        e = host_counts_read(&counts, counts_path, f);
    if (!e) {
        e = evaluation_add(ev, alerts, truth, &warnings, counts_path ? &counts : NULL);
        truth = NULL;
        if (e)
            fault_set(f, e, "%s: %s", alerts, err_text(e));
    }
    free(truth);
    warnings_done(&warnings);
    host_counts_done(&counts);
    return e;
}

static enum err score_files(
    const struct conf *conf, size_t count, char **files, struct evaluation *ev, struct fault *f)
{
    const char *const *truths, *const *counts;
    size_t truth_count = conf_list(conf, "truth", &truths);
    size_t counted = conf_list(conf, "host-counts", &counts);
    if (count == 0)
        return fault_set(f, ERR_BAD, "name a file of alerts (JSON lines), or say --simulate");
    if (truth_count != count)
        return fault_set(f, ERR_BAD,
            "truth: given %zu times for %zu files of alerts; each needs its own", truth_count,
            count);
    if (counted != 0 && counted != count)
        return fault_set(f, ERR_BAD,
            "host-counts: given %zu times for %zu files of alerts; each needs its own, or none",
            counted, count);
    enum err e = OK;
    for (size_t i = 0; !e && i < count; i++)
        e = score_one(ev, files[i], truths[i], counted ? counts[i] : NULL, f);
    return e;
}

static enum err file_write(
    const char *path, const char *what, const struct buf *text, struct fault *f)
{
    FILE *out = fopen(path, "wb");
    bool failed = !out || fwrite(text->data, 1, text->len, out) != text->len;
    int code = errno;
    if (out && fclose(out) != 0 && !failed) {
        failed = true;
        code = errno;
    }
    return failed ? fault_set(f, ERR_IO, "%s: %s: %s", what, path, strerror(code)) : OK;
}

static enum err reports_write(const struct conf *conf, struct evaluation *ev, struct fault *f)
{
    struct buf text;
    enum err e = OK;
    buf_init(&text, EVALUATION_BYTES);
    if (conf_flag(conf, "json")) {
        json_t *report = report_json(ev);
        char *dumped =
            report ? json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
        if (dumped)
            puts(dumped);
        else
            e = fault_set(f, ERR_NOMEM, "out of memory");
        free(dumped);
        json_decref(report);
    } else {
        report_text(ev, &text);
        fwrite(text.data, 1, text.len, stdout);
    }
    if (!e && conf_text(conf, "html")) {
        buf_clear(&text);
        report_html(ev, &text);
        e = text.err ? fault_set(f, text.err, "html: %s", err_text(text.err))
                     : file_write(conf_text(conf, "html"), "html", &text, f);
    }
    buf_done(&text);
    return e;
}

/* Are the figures as good as they are asked to be? */
static int verdict(const struct conf *conf, const struct evaluation *ev)
{
    int status = EXIT_DONE;
    struct tally shown = summary_shown(&ev->engines);
    double found = shown.of ? 100.0 * (double)shown.hits / (double)shown.of : 100.0;
    if (conf_given(conf, "min-found") && found < conf_number(conf, "min-found")) {
        fprintf(stderr, "kizashi evaluate: %.1f %% found, below %g\n", found,
            conf_number(conf, "min-found"));
        status = EXIT_PROBLEM;
    }
    const struct summary *both[] = {&ev->engines, &ev->null};
    for (size_t i = 0; conf_given(conf, "max-false-alarms") && i < 2; i++) {
        double rate = both[i]->runs ? (double)both[i]->false_alarms / both[i]->days : 0.0;
        if (rate <= conf_number(conf, "max-false-alarms"))
            continue;
        fprintf(stderr, "kizashi evaluate: %.2f false alarms a day %s events, above %g\n", rate,
            i ? "without" : "with", conf_number(conf, "max-false-alarms"));
        status = EXIT_PROBLEM;
    }
    return status;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct evaluation *ev;
    struct evaluation_options options = {.score.slack = conf_us(conf, "slack")};
    enum err e = severity_parse(conf_text(conf, "severity"), &options.least);
    if (!e)
        e = evaluation_new(&ev, &options);
    if (e) {
        fault_set(&f, e, "%s", err_text(e));
        return complain(&f);
    }
    if (!conf_flag(conf, "simulate"))
        e = score_files(conf, count, operands, ev, &f);
    else if (count)
        e = fault_set(&f, ERR_BAD, "with --simulate no files of alerts are read");
    else
        e = simulate_all(conf, ev, &f);
    if (!e)
        e = reports_write(conf, ev, &f);
    int status = e ? complain(&f) : verdict(conf, ev);
    evaluation_free(ev);
    return status;
}

const struct command cmd_evaluate = {
    .name = "evaluate",
    .text = "score alerts against the stated truth of simulated captures",
    .operands = "[ALERTS...]",
    .items = items,
    .run = run,
    .more =
        "Tells which events were found and how long it took, how many alerts a day are false,\n"
        "what caused them, how many sites were warned before an event reached them, and what\n"
        "plain host counting would have found with as many alerts. Shares and rates come with\n"
        "95 % intervals.\n"
        "\n"
        "ALERTS are JSON lines as kizashi replay writes them (- is standard input), each with\n"
        "the truth.json of its captures. With --simulate, captures are made, replayed and\n"
        "scored for every seed, in a temporary folder.\n"
        "\n"
        "  kizashi evaluate --truth sim/truth.json alerts.jsonl\n"
        "  kizashi evaluate --simulate --seeds 101-105 --null --html report.html\n",
};
