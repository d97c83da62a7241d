#include "cmd/anonymize.h"

#include "cmd/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum {
    CHUNK = 1 << 16,
    OUT_CAP = 4 * ANON_LOG_LINE_MAX,
};

/* Lines are gathered in `in`, whole ones go through. */
struct work {
    struct anon_log *log;
    struct anonymize_counts *counts;
    struct buf in, out;
    struct output to;
};

static enum err line_change(struct work *w, struct bytes line, struct fault *f)
{
    buf_clear(&w->out);
    enum err e = anon_log_line(w->log, line, &w->out, f);
    if (!e && w->out.len && fwrite(w->out.data, 1, w->out.len, w->to.file) != w->out.len)
        e = fault_set(f, ERR_IO, "the output cannot be written: %s", strerror(errno));
    return e;
}

/* Whole lines of what is there; the rest moves to the front. `last`: what is left is a line. */
static enum err lines_change(struct work *w, bool last, struct fault *f)
{
    struct bytes in = bytes_over(w->in.data, w->in.len);
    enum err e = OK;
    while (in.left && !e) {
        const uint8_t *end = memchr(in.at, '\n', in.left);
        if (!end && !last)
            break;
        struct bytes line = bytes_take(&in, end ? (size_t)(end - in.at) : in.left);
        bytes_skip(&in, end ? 1 : 0);
        e = line_change(w, line, f);
    }
    if (in.left)
        memmove(w->in.data, in.at, in.left);
    w->in.len = in.left;
    return e;
}

/* ERR_BAD: the input is at fault, and the fault names it. */
static enum err lines_read(struct work *w, gzFile file, const char *path, struct fault *f)
{
    int got = 1;
    while (got > 0) {
        uint8_t *room = buf_reserve(&w->in, CHUNK);
        if (!room)
            return fault_set(
                f, ERR_BAD, "%s: a line is longer than %d bytes", path, ANON_LOG_LINE_MAX);
        got = gzread(file, room, CHUNK);
        if (got < 0)
            return fault_set(f, ERR_BAD, "%s: cannot be read, or is no whole gzip file", path);
        w->in.len += (size_t)got;
        enum err e = lines_change(w, got == 0, f);
        if (e)
            return e;
    }
    return OK;
}

/* A file of which no line came out is no such log, or the policy cannot be kept with it. */
static enum err written_check(const struct work *w, const struct anon_log_counts *before,
    const char *path, struct fault *f)
{
    struct anon_log_counts now;
    anon_log_counts(w->log, &now);
    uint64_t broken = now.broken - before->broken, untimed = now.untimed - before->untimed;
    if (now.written > before->written || !(broken + untimed))
        return OK;
    return fault_set(f, ERR_BAD,
        "%s: --log: of %llu lines none could be written: %llu are of another form, %llu have "
        "no time",
        path, (unsigned long long)(now.lines - before->lines), (unsigned long long)broken,
        (unsigned long long)untimed);
}

static enum err file_change(struct work *w, const char *path, struct fault *f)
{
    struct anon_log_counts before;
    gzFile file = strcmp(path, "-") == 0 ? gzdopen(0, "rb") : gzopen(path, "rb");
    buf_clear(&w->in);
    anon_log_counts(w->log, &before);
    enum err e = file ? lines_read(w, file, path, f)
                      : fault_set(f, ERR_BAD, "%s: %s", path, strerror(errno));
    if (!e)
        e = written_check(w, &before, path, f);
    if (file)
        gzclose(file);
    if (e != ERR_BAD)
        return e;
    anonymize_broken(w->counts, f);
    return OK;
}

enum err anonymize_logs(
    const struct anonymize_job *job, struct anonymize_counts *counts, struct fault *f)
{
    struct work w = {.counts = counts};
    enum err e = anon_log_new(&w.log, job->anon, job->form);
    if (e)
        return fault_set(f, e, "out of memory");
    buf_init(&w.in, ANON_LOG_LINE_MAX + 2 * CHUNK);
    buf_init(&w.out, OUT_CAP);
    e = output_open(&w.to, "--output", job->output, f);
    for (size_t i = 0; i < job->file_count && !e; i++)
        e = file_change(&w, job->files[i], f);
    anon_log_counts(w.log, &counts->log);
    bool broken = !e && counts->broken.code;
    if (broken) {
        *f = counts->broken;
        e = counts->log.written ? OK : f->code;
    }
    e = output_close(&w.to, e, f);
    buf_done(&w.in);
    buf_done(&w.out);
    anon_log_free(w.log);
    return !e && broken ? ERR_SHORT : e;
}
