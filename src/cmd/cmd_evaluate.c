#include "base/clock.h"
#include "cmd/commands.h"
#include "cmd/contest.h"
#include "cmd/ending.h"
#include "cmd/output.h"
#include "cmd/recording.h"
#include "cmd/simulation.h"
#include "cmd/stop.h"
#include "cmd/trial.h"
#include "sensor/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SEEDS_MAX = EVALUATION_RUNS / 2
};

static const struct conf_item items[] = {
    {"truth", CONF_FILES, "FILE", NULL, 0, 1000, NULL, NULL,
        "The truth.json of the captures that the alerts are about; once for each file of "
        "alerts, "
        "in the same order."},
    {"host-counts", CONF_FILES, "FILE", NULL, 0, 1000, NULL, NULL,
        "Hosts by window, site and port as CSV, for the comparison; once for each file of "
        "alerts."},
    {"site", CONF_LIST, "NAME=FILE", NULL, 0, 0, NULL, NULL,
        "A capture of this site, or a folder of them, that engines are run over."},
    {"nict", CONF_LIST, "NAME=FILE", NULL, 0, 0, NULL, NULL,
        "The same from CSV in the form of the NICT Darknet Dataset 2022."},
    {"simulate", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "Do it all: simulate, replay and score, for every seed."},
    {"seeds", CONF_TEXT, "LIST", NULL, 0, 400, "101-105", NULL,
        "Seeds of the simulated runs: numbers and ranges, 101-105,200."},
    {"null", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "With --simulate: each seed once more without events, for the false alarms alone."},
    SIMULATION_ITEMS,
    CONTEST_ITEMS,
    SETUP_ITEMS,
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
    {"html", CONF_TEXT, "FILE", NULL, 0, 1000, NULL, NULL,
        "Write a report with charts, too; a file that is there is not written over."},
    {"min-found", CONF_NUMBER, "PERCENT", "%", 0, 100, NULL, NULL,
        "End with status 1 if fewer of the events that host counts can show are found."},
    {"max-false-alarms", CONF_NUMBER, "RATE", "a day", 0, 1e6, NULL, NULL,
        "End with status 1 if there are more, with or without events."},
    {0},
};

static int complain(const struct fault *f)
{
    return ending("evaluate", f->code, f);
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
                "--seeds: \"%s\" is not a list of numbers and ranges such as 101-105,200",
                text);
        if (last - first >= SEEDS_MAX - count)
            return fault_set(f, ERR_RANGE, "--seeds: more than %d", SEEDS_MAX);
        for (uint64_t s = first; s <= last; s++)
            seeds[count++] = s;
        at = end;
        if (!*at)
            break;
    }
    *ret_count = count;
    return OK;
}

static enum err simulate_all(const struct conf *conf, size_t files, struct evaluation *ev,
    struct contest *contest, struct fault *f)
{
    if (files)
        return fault_set(f, ERR_BAD, "with --simulate no files of alerts are read");
    if (contest && conf_given(conf, "replay"))
        return fault_set(f, ERR_BAD,
            "replay: not together with engines, set, each, shuffles or plant: these run the "
            "engines here, not in kizashi replay");
    uint64_t seeds[SEEDS_MAX];
    size_t count = 0;
    enum err e = seeds_parse(conf_text(conf, "seeds"), seeds, &count, f);
    int rounds = conf_flag(conf, "null") ? 2 : 1;
    for (size_t i = 0; !e && i < count; i++)
        for (int round = 0; !e && round < rounds; round++) {
            struct trial t = {
                .keep = conf_text(conf, "keep"),
                .replay = conf_text(conf, "replay"),
                .contest = contest,
            };
            if (contest) /* crowds are planted where nothing else happens, if there is that */
                contest->plant_now = rounds == 1 || round == 1;
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

/* Captures are not alerts, and easily named where alerts belong. Pipes are not looked into. */
static bool is_capture(const char *path)
{
    struct stat st;
    struct fault f = {0};
    struct source *source;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || source_open_file(&source, path, &f))
        return false;
    source_close(source);
    return true;
}

static enum err score_files(
    const struct conf *conf, size_t count, char **files, struct evaluation *ev, struct fault *f)
{
    const char *const *truths, *const *counts;
    size_t truth_count = conf_list(conf, "truth", &truths);
    size_t counted = conf_list(conf, "host-counts", &counts);
    if (count == 0)
        return fault_set(f, ERR_BAD, "name a file of alerts (JSON lines), or say --simulate");
    for (size_t i = 0; i < count; i++)
        if (is_capture(files[i]))
            return fault_set(f, ERR_BAD,
                "%s is a capture, where alerts belong (JSON lines); --site NAME=FILE runs "
                "engines over "
                "it",
                files[i]);
    if (truth_count != count)
        return fault_set(f, ERR_BAD,
            "--truth: given %zu times, for %zu of ALERTS; each file of alerts needs its own",
            truth_count, count);
    if (counted != 0 && counted != count)
        return fault_set(f, ERR_BAD,
            "--host-counts: given %zu times, for %zu of ALERTS; each file of alerts needs its "
            "own, or "
            "none",
            counted, count);
    enum err e = OK;
    for (size_t i = 0; !e && i < count; i++)
        e = score_one(ev, files[i], truths[i], counted ? counts[i] : NULL, f);
    return e;
}

static enum err tape_make(
    const struct conf *conf, const struct setup *setup, struct tape **ret_tape, struct fault *f)
{
    const char *const *sites, *const *nict;
    size_t site_count = conf_list(conf, "site", &sites);
    size_t nict_count = conf_list(conf, "nict", &nict);
    if (site_count && nict_count)
        return fault_set(f, ERR_BAD, "--site and --nict exclude each other");
    if (nict_count)
        return recording_nict(nict, nict_count, setup->window, ret_tape, f);
    struct site_list list = {0};
    enum err e = site_list_pairs(&list, sites, site_count, f);
    if (!e)
        e = recording_make(setup, &list, ret_tape, f);
    site_list_done(&list);
    return e;
}

/* Engines over captures of one's own. */
static enum err captures_run(
    const struct conf *conf, size_t files, struct contest *contest, struct fault *f)
{
    const char *const *truths;
    size_t truth_count = conf_list(conf, "truth", &truths);
    if (files)
        return fault_set(f, ERR_BAD, "with --site or --nict no files of alerts are read");
    if (truth_count > 1)
        return fault_set(f, ERR_BAD, "--truth: given %zu times for one run", truth_count);
    if (!truth_count && !conf_count(conf, "shuffles") && !conf_flag(conf, "plant"))
        return fault_set(
            f, ERR_BAD, "nothing to tell: give --truth FILE, --shuffles N or --plant");
    struct truth *truth = truth_count ? malloc(sizeof *truth) : NULL;
    if (truth_count && !truth)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct tape *tape;
    enum err e = truth ? truth_read(truths[0], truth, f) : OK;
    if (!e)
        e = tape_make(conf, &contest->setup, &tape, f);
    if (e) {
        free(truth);
        return e;
    }
    contest->plant_now = true;
    e = contest_run(contest, "captures", tape, truth, f);
    tape_free(tape);
    return e;
}

/* Whatever the options ask for. */
static enum err all_run(const struct conf *conf, size_t count, char **operands,
    struct evaluation *ev, struct fault *f)
{
    bool captures = conf_given(conf, "site") || conf_given(conf, "nict");
    bool simulate = conf_flag(conf, "simulate"), wanted = captures || contest_wanted(conf);
    if (captures && simulate)
        return fault_set(f, ERR_BAD, "--simulate and --site or --nict exclude each other");
    if (wanted && !captures && !simulate)
        return fault_set(f, ERR_BAD,
            "--engines, --set, --each, --shuffles and --plant need captures: give --site "
            "NAME=FILE, --nict NAME=FILE or --simulate");
    if (!wanted)
        return simulate ? simulate_all(conf, count, ev, NULL, f)
                        : score_files(conf, count, operands, ev, f);
    struct contest contest;
    enum err e = contest_open(&contest, conf, ev, f);
    if (e)
        return e;
    e = simulate ? simulate_all(conf, count, ev, &contest, f)
                 : captures_run(conf, count, &contest, f);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    contest_close(&contest);
    return e;
}

static enum err reports_write(
    const struct conf *conf, struct evaluation *ev, struct output *html, struct fault *f)
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
    if (!e && html->file) {
        buf_clear(&text);
        report_html(ev, &text);
        e = output_write(html, &text, f);
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

/* What says how to simulate says nothing of files. */
static enum err simulate_only_check(const struct conf *conf, struct fault *f)
{
    static const char *const only[] = {"null", "keep", "replay"};
    for (size_t i = 0; i < sizeof only / sizeof *only; i++)
        if (conf_given(conf, only[i]))
            return fault_set(f, ERR_BAD, "--%s goes with --simulate only", only[i]);
    return OK;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct output html = {0};
    struct evaluation *ev;
    struct evaluation_options options = {.score.slack = conf_us(conf, "slack")};
    enum err e = severity_parse(conf_text(conf, "severity"), &options.least);
    if (!e)
        e = evaluation_new(&ev, &options);
    if (e) {
        fault_set(&f, e, "%s", err_text(e));
        return complain(&f);
    }
    stop_install();
    /* A report that cannot be written is better known before hours of work than after. */
    if (conf_text(conf, "html"))
        e = output_open(&html, "--html", conf_text(conf, "html"), &f);
    if (!e && !conf_flag(conf, "simulate"))
        e = simulate_only_check(conf, &f);
    if (!e)
        e = all_run(conf, count, operands, ev, &f);
    if (!e)
        e = reports_write(conf, ev, &html, &f);
    e = output_close(&html, e, &f);
    int status = e ? complain(&f) : verdict(conf, ev);
    evaluation_free(ev);
    return status;
}

const struct command cmd_evaluate = {
    .name = "evaluate",
    .text = "Score alerts, or engines on captures, against a stated truth.",
    .operands = "[ALERTS...]",
    .items = items,
    .run = run,
    .more =
        "Tells which events were found and how long it took, how many alerts a day are false,\n"
        "what caused them, how many sites were warned before an event reached them, and what\n"
        "plain host counting would have found with as many alerts. Shares and rates come with\n"
        "95 % intervals.\n"
        "\n"
        "With --site or --nict, engines are run over captures of one's own: all together and\n"
        "(--each) alone, on windows that were shuffled so that nothing happens together\n"
        "(--shuffles), and on windows with planted crowds that act in step (--plant).\n"
        "\n"
        "ALERTS are JSON lines as kizashi replay writes them (- is standard input), each with\n"
        "the truth.json of its captures. With --simulate, captures are made, replayed and\n"
        "scored for every seed, in a temporary folder.\n"
        "\n"
        "  kizashi evaluate --truth sim/truth.json alerts.jsonl\n"
        "  kizashi evaluate --simulate --seeds 101-105 --null --html report.html\n"
        "  kizashi evaluate --site jp-01=a.pcap --truth truth.json --engines surge,graph "
        "--each\n",
};
