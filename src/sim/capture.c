#include "sim/capture.h"

#include "base/json.h"
#include "sensor/capture_writer.h"
#include "sim/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_ROOM = 1200,
    RUN = 512,                 /* frames taken at once */
    SURVEYS_BYTES = 64 * 1024, /* longest list of surveys */
    LABELS_BYTES = 1 << 30,
    PROGRESS_RUNS = 256
};

struct job {
    struct telescope *telescope;
    const struct capture_plan *plan;
    const struct truth *truth;
    struct capture_writer *writers[TRUTH_SITES];
    struct labels *labels;
    struct capture_made made;
    bool new_folder; /* it was not there before */
};

static enum err path_make(
    const struct job *j, char path[PATH_ROOM], const char *name, struct fault *f)
{
    int len = snprintf(path, PATH_ROOM, "%s/%s", j->plan->folder, name);
    return len < PATH_ROOM ? OK : fault_set(f, ERR_RANGE, "--out: the path is too long");
}

static enum err site_path(
    const struct job *j, char path[PATH_ROOM], uint32_t site, struct fault *f)
{
    char name[RECORD_NAME_MAX + 16];
    snprintf(name, sizeof name, "%s.%s", j->truth->sites[site].name, j->plan->suffix);
    return path_make(j, path, name, f);
}

static const char *const lists[] = {"surveys.txt", "labels.csv"};

/* Remove what an earlier run left, by its own account. */
static enum err old_remove(const struct job *j, const struct truth *old, struct fault *f)
{
    static const char *const suffixes[] = {"pcap", "pcap.gz", "pcap.zst"};
    char path[PATH_ROOM];
    enum err e = OK;
    for (uint32_t i = 0; !e && i < old->site_count; i++)
        for (size_t s = 0; !e && s < sizeof suffixes / sizeof *suffixes; s++) {
            char name[RECORD_NAME_MAX + 16];
            snprintf(name, sizeof name, "%s.%s", old->sites[i].name, suffixes[s]);
            e = strchr(name, '/') ? fault_set(f, ERR_BAD, "--out: truth.json: a site \"%s\"",
                                        old->sites[i].name)
                                  : path_make(j, path, name, f);
            if (!e)
                unlink(path);
        }
    for (size_t i = 0; !e && i < sizeof lists / sizeof *lists; i++) {
        e = path_make(j, path, lists[i], f);
        if (!e)
            unlink(path);
    }
    if (!e)
        e = path_make(j, path, "truth.json", f);
    if (!e && unlink(path) != 0)
        e = fault_set(f, ERR_IO, "--out: %s: %s", path, strerror(errno));
    return e;
}

static bool has_site(const struct truth *t, const char *name)
{
    for (uint32_t i = 0; i < t->site_count; i++)
        if (strcmp(t->sites[i].name, name) == 0)
            return true;
    return false;
}

static enum err free_check(const char *path, struct fault *f)
{
    struct stat there;
    return lstat(path, &there) != 0
               ? OK
               : fault_set(f, ERR_EXISTS,
                     "--out: %s is there already and is not of a simulation; name another "
                     "folder",
                     path);
}

/* Nothing that is to be written is there, but for what is of the simulation that is replaced;
 * `old` NULL: there is none. */
static enum err all_free_check(const struct job *j, const struct truth *old, struct fault *f)
{
    char path[PATH_ROOM];
    enum err e = OK;
    for (uint32_t i = 0; !e && i < j->truth->site_count; i++) {
        e = site_path(j, path, i, f);
        if (!e && !(old && has_site(old, j->truth->sites[i].name)))
            e = free_check(path, f);
    }
    for (size_t i = 0; !e && !old && i < sizeof lists / sizeof *lists; i++) {
        e = path_make(j, path, lists[i], f);
        if (!e)
            e = free_check(path, f);
    }
    return e;
}

/* A truth.json that is none is left alone, with all that is there. */
static enum err simulation_replace(const struct job *j, const char *truth_path, struct fault *f)
{
    struct truth *old = calloc(1, sizeof *old);
    if (!old)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = truth_read(truth_path, old, f);
    if (!e)
        e = all_free_check(j, old, f);
    if (!e)
        e = old_remove(j, old, f);
    free(old);
    return e;
}

static enum err folder_make(struct job *j, struct fault *f)
{
    char path[PATH_ROOM];
    j->new_folder = mkdir(j->plan->folder, 0777) == 0;
    if (!j->new_folder && errno != EEXIST)
        return fault_set(f, ERR_NOTFOUND, "--out: %s: %s", j->plan->folder, strerror(errno));
    enum err e = path_make(j, path, "truth.json", f);
    if (e)
        return e;
    if (access(path, F_OK) != 0)
        return all_free_check(j, NULL, f);
    if (!j->plan->replace)
        return fault_set(f, ERR_EXISTS,
            "--out: %s holds a simulation already; name another folder or say --replace",
            j->plan->folder);
    return simulation_replace(j, path, f);
}

static enum err writers_open(struct job *j, uint32_t link, struct fault *f)
{
    for (uint32_t i = 0; i < j->truth->site_count; i++) {
        char path[PATH_ROOM];
        enum err e = site_path(j, path, i, f);
        if (!e)
            e = capture_writer_open(&j->writers[i], path, link, 0, f);
        if (e)
            return e;
    }
    return OK;
}

static enum err writers_close(struct job *j, struct fault *f)
{
    enum err first = OK;
    for (uint32_t i = 0; i < j->truth->site_count; i++) {
        enum err e = capture_writer_close(j->writers[i], first ? NULL : f);
        first = first ? first : e;
        j->writers[i] = NULL;
    }
    return first;
}

static enum err progress_tell(const struct job *j, int64_t ts)
{
    if (!j->plan->progress)
        return OK;
    double done = (double)(ts - j->truth->start) / (double)(j->truth->end - j->truth->start);
    return j->plan->progress(j->plan->context, done);
}

static enum err frames_write(struct job *j, struct fault *f)
{
    struct telescope_frame frames[RUN];
    for (size_t runs = 0;; runs++) {
        size_t count;
        enum err e = telescope_next(j->telescope, INT64_MAX, frames, RUN, &count);
        if (e == ERR_NOTFOUND)
            return OK;
        for (size_t i = 0; !e && i < count; i++) {
            const struct frame *frame = &frames[i].frame;
            e = capture_writer_put(j->writers[frames[i].site], frame->ts, frame->data,
                frame->len, frame->wire_len);
            if (!e)
                e = labels_add(j->labels, frames[i].src, frames[i].label, frames[i].event);
            j->made.packets++;
            j->made.bytes += frame->len;
        }
        if (!e && runs % PROGRESS_RUNS == 0)
            e = progress_tell(j, frames[0].frame.ts);
        if (e)
            return fault_set(f, e, "simulator: %s", err_text(e));
    }
}

static enum err text_write(
    const struct job *j, const char *name, const void *text, size_t len, struct fault *f)
{
    char path[PATH_ROOM];
    enum err e = path_make(j, path, name, f);
    if (e)
        return e;
    FILE *out = fopen(path, "wb");
    bool failed = !out || fwrite(text, 1, len, out) != len;
    int code = errno;
    if (out && fclose(out) != 0 && !failed) {
        failed = true;
        code = errno;
    }
    return failed ? fault_set(f, ERR_IO, "--out: %s: %s", path, strerror(code)) : OK;
}

static enum err labels_file(const struct job *j, struct fault *f)
{
    struct buf text;
    buf_init(&text, LABELS_BYTES);
    enum err e = labels_write(j->labels, j->truth, &text);
    if (e)
        fault_set(f, e, "labels: %s", err_text(e));
    else
        e = text_write(j, "labels.csv", text.data, text.len, f);
    buf_done(&text);
    return e;
}

static enum err lists_write(const struct job *j, struct fault *f)
{
    struct buf surveys;
    buf_init(&surveys, SURVEYS_BYTES);
    enum err e = telescope_surveys(j->telescope, &surveys);
    if (e)
        fault_set(f, e, "surveys: %s", err_text(e));
    else
        e = text_write(j, "surveys.txt", surveys.data, surveys.len, f);
    buf_done(&surveys);
    if (e)
        return e;
    e = labels_file(j, f);
    if (e)
        return e;
    json_t *truth = truth_json(j->truth);
    char *text = truth ? json_dumps(truth, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    e = text ? text_write(j, "truth.json", text, strlen(text), f)
             : fault_set(f, ERR_NOMEM, "out of memory");
    free(text);
    json_decref(truth);
    return e;
}

static void files_remove(const struct job *j)
{
    char path[PATH_ROOM];
    for (uint32_t i = 0; i < j->truth->site_count; i++)
        if (!site_path(j, path, i, NULL))
            unlink(path);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!path_make(j, path, lists[i], NULL))
            unlink(path);
    if (!path_make(j, path, "truth.json", NULL))
        unlink(path);
    if (j->new_folder)
        rmdir(j->plan->folder);
}

enum err capture_write(struct telescope *t, const struct capture_plan *plan,
    struct capture_made *ret_made, struct fault *f)
{
    struct job j = {.telescope = t, .plan = plan, .truth = telescope_truth(t)};
    enum err e = folder_make(&j, f);
    if (e)
        return e;
    e = labels_new(&j.labels);
    if (e)
        return fault_set(f, e, "%s", err_text(e));
    e = writers_open(&j, telescope_link(t), f);
    if (!e)
        e = frames_write(&j, f);
    enum err closed = writers_close(&j, e ? NULL : f);
    e = e ? e : closed;
    if (!e)
        e = lists_write(&j, f);
    labels_free(j.labels);
    if (e)
        files_remove(&j);
    else
        *ret_made = j.made;
    return e;
}
