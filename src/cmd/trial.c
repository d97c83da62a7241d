#include "cmd/trial.h"

#include "base/clock.h"
#include "cmd/recording.h"
#include "evaluate/count.h"
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
    ARGS_MAX = 4 * TRUTH_SITES + 64
};

static const char *in_folder(const struct trial *t, const char *name, char path[TRIAL_PATH])
{
    snprintf(path, TRIAL_PATH, "%s/%s", t->folder, name);
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
        "truth.json", "surveys.txt", "labels.csv", "alerts.jsonl", "replay.log"};
    char path[TRIAL_PATH], name[RECORD_NAME_MAX + 16];
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
    char text[2 * TRIAL_PATH];
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

/* A site's capture and the size of its telescope. */
static enum err argument_site(
    struct arguments *a, const struct trial *t, const struct truth_site *site, struct fault *f)
{
    char text[TRIAL_PATH + 2 * RECORD_NAME_MAX];
    snprintf(text, sizeof text, "%s=%s/%s.pcap", site->name, t->folder, site->name);
    enum err e = argument(a, "--site", f);
    if (!e)
        e = argument(a, text, f);
    snprintf(text, sizeof text, "%s=%llu", site->name, (unsigned long long)site->addresses);
    if (!e)
        e = argument(a, "--addresses", f);
    return e ? e : argument(a, text, f);
}

static enum err arguments_make(
    struct arguments *a, const struct trial *t, const struct truth *truth, struct fault *f)
{
    static const char *const head[] = {"kizashi", "replay", "--no-store", "--quiet"};
    char alerts[TRIAL_PATH], surveys[TRIAL_PATH];
    const char *const files[] = {"--alerts", in_folder(t, "alerts.jsonl", alerts),
        "--survey-list", in_folder(t, "surveys.txt", surveys)};
    enum err e = OK;
    for (size_t i = 0; !e && i < sizeof head / sizeof *head; i++)
        e = argument(a, head[i], f);
    for (size_t i = 0; !e && i < sizeof files / sizeof *files; i++)
        e = argument(a, files[i], f);
    for (uint32_t i = 0; !e && i < truth->site_count; i++)
        e = argument_site(a, t, &truth->sites[i], f);
    for (const char *at = t->replay; !e && at && *at;) {
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
    char log[TRIAL_PATH], last[300];
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

/* --- the contest ---------------------------------------------------------------------------
 */

static const struct conf_item sensor_items[] = {SETUP_ITEMS, {.name = NULL}};

/* What the sensors of this run need to know: the surveys and sizes of its own, and what the
 * person gave. */
static enum err sensors_set(
    const struct trial *t, const struct truth *truth, struct conf *sensors, struct fault *f)
{
    static const char *const lists[] = {"signatures", "geo-db"};
    char text[TRIAL_PATH];
    enum err e = conf_set(sensors, "engines", "none", f);
    if (!e)
        e = conf_set(sensors, "survey-list", in_folder(t, "surveys.txt", text), f);
    for (uint32_t i = 0; !e && i < truth->site_count; i++) {
        snprintf(text, sizeof text, "%s=%llu", truth->sites[i].name,
            (unsigned long long)truth->sites[i].addresses);
        e = conf_set(sensors, "addresses", text, f);
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const char *const *values;
        size_t count = conf_list(t->contest->conf, lists[i], &values);
        for (size_t k = 0; !e && k < count; k++)
            e = conf_set(sensors, lists[i], values[k], f);
    }
    return e;
}

static enum err sites_list(
    const struct trial *t, const struct truth *truth, struct site_list *list, struct fault *f)
{
    enum err e = OK;
    for (uint32_t i = 0; !e && i < truth->site_count; i++) {
        char name[RECORD_NAME_MAX + 16], path[TRIAL_PATH];
        snprintf(name, sizeof name, "%s.pcap", truth->sites[i].name);
        char *copy = strdup(in_folder(t, name, path));
        e = copy ? site_list_paths(list, truth->sites[i].name, &copy, 1, f)
                 : fault_set(f, ERR_NOMEM, "out of memory");
        if (e)
            free(copy);
    }
    return e;
}

static void sites_list_done(struct site_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < list->sites[i].count; k++)
            free((void *)(uintptr_t)list->sites[i].paths[k]);
    site_list_done(list);
}

static enum err trial_contest(const struct trial *t, const struct truth *made, struct fault *f)
{
    struct conf *sensors;
    struct setup setup = {0};
    struct site_list list = {0};
    struct tape *tape = NULL;
    if (conf_new(&sensors, sensor_items))
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = sensors_set(t, made, sensors, f);
    if (!e)
        e = setup_open(&setup, sensors, f);
    if (!e)
        e = sites_list(t, made, &list, f);
    if (!e)
        e = recording_make(&setup, &list, &tape, f);
    struct truth *truth = e ? NULL : malloc(sizeof *truth);
    if (truth) {
        *truth = *made;
        e = contest_run(t->contest, t->name, tape, truth, f);
    } else if (!e) {
        e = fault_set(f, ERR_NOMEM, "out of memory");
    }
    tape_free(tape);
    sites_list_done(&list);
    setup_close(&setup);
    conf_free(sensors);
    return e;
}

static enum err trial_score(
    const struct trial *t, const struct truth *made, struct evaluation *ev, struct fault *f)
{
    char path[TRIAL_PATH];
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
    const char *keep = t->keep;
    const char *temporary = getenv("TMPDIR");
    if (keep) {
        t->made = mkdir(keep, 0777) == 0;
        if (!t->made && errno != EEXIST)
            return fault_set(f, ERR_NOTFOUND, "--keep: %s: %s", keep, strerror(errno));
        snprintf(t->folder, sizeof t->folder, "%s/%s", keep, t->name);
        return OK;
    }
    snprintf(t->folder, sizeof t->folder, "%s/kizashi-evaluate-XXXXXX",
        temporary ? temporary : "/tmp");
    return mkdtemp(t->folder) ? OK : fault_set(f, ERR_IO, "%s: %s", t->folder, strerror(errno));
}

enum err trial_run(struct trial *t, struct evaluation *ev, struct fault *f)
{
    struct truth *truth = calloc(1, sizeof *truth);
    if (!truth)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = trial_folder(t, f);
    if (!e) {
        e = trial_simulate(t, truth, f);
        if (!e && t->contest) {
            e = trial_contest(t, truth, f);
        } else if (!e) {
            e = trial_replay(t, truth, f);
            e = e ? e : trial_score(t, truth, ev, f);
        }
        trial_clean(t, truth);
        if (e && t->made)
            rmdir(t->keep); /* if nothing is in it */
    }
    free(truth);
    return e;
}
