#include "cmd/anonymize.h"

#include "base/index.h"
#include "cmd/output.h"
#include "sensor/capture_writer.h"
#include "sensor/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAMES = 256,
    PLACES_MAX = 1 << 22,
};

/* The file of countries and networks: a line for each source as it comes out, looked up by what
 * it was. */
struct places {
    struct output to;
    struct index index;
    struct ip *seen;
};

struct work {
    const struct anonymize_job *job;
    struct anonymize_counts *counts;
    struct output to; /* holds the file that the writer writes */
    struct capture_writer *writer;
    struct places places;
    uint8_t *room;
};

static enum err places_open(struct places *p, const char *path, struct fault *f)
{
    p->seen = malloc(PLACES_MAX * sizeof *p->seen);
    if (!p->seen || index_init(&p->index, PLACES_MAX) != OK)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = output_open(&p->to, "--places", path, f);
    if (!e)
        fputs("source,country,asn\r\n", p->to.file);
    return e;
}

static enum err places_close(struct places *p, enum err run, struct fault *f)
{
    index_done(&p->index);
    free(p->seen);
    return output_close(&p->to, run, f);
}

/* True the first time. A table that is full forgets nothing: what comes then is not told. */
static bool is_new(struct places *p, const struct ip *ip)
{
    uint64_t hash = ip_hash(ip);
    uint32_t e;
    size_t at = index_first(&p->index, hash);
    for (; index_at(&p->index, at, hash, &e); at = index_next(&p->index, at))
        if (e != INDEX_OTHER && ip_same(&p->seen[e], ip))
            return false;
    uint32_t number = (uint32_t)p->index.used;
    if (index_put(&p->index, at, hash, number) != OK)
        return false;
    p->seen[number] = *ip;
    return true;
}

static void place_tell(struct work *w, const struct anon_frame *frame)
{
    struct geo_place place;
    char text[IP_TEXT];
    enum anon_method method = anon_policy_of(w->job->anon)->rule[ANON_PLACE].method;
    geo_find(w->job->geo, &frame->src, &place);
    bool known = place.country[0] || place.asn;
    if (method == ANON_DROP || !known || !is_new(&w->places, &frame->mapped_src))
        return;
    w->counts->places++;
    fprintf(w->places.to.file, "%s,%.2s,", ip_format(&frame->mapped_src, text), place.country);
    if (method == ANON_KEEP && place.asn)
        fprintf(w->places.to.file, "%u", place.asn);
    fputs("\r\n", w->places.to.file);
}

static enum err frame_change(struct work *w, const struct frame *frame, struct fault *f)
{
    const struct anon_captured in = {.ts = frame->ts,
        .link = frame->link,
        .wire_len = frame->wire_len,
        .bytes = bytes_over(frame->data, frame->len)};
    struct anon_frame out = {.data = w->room};
    enum anon_frame_result result;
    enum err e = anon_frame(w->job->anon, &in, &out, &result, f);
    if (e)
        return e;
    if (result != ANON_FRAME_WRITTEN) {
        w->counts->frames[result]++;
        return OK;
    }
    e = capture_writer_put(w->writer, out.ts, out.data, out.len, out.wire_len);
    if (e == ERR_RANGE) {
        w->counts->misdated++;
        return OK;
    }
    if (e)
        return e;
    w->counts->frames[result]++;
    if (w->places.to.file)
        place_tell(w, &out);
    return OK;
}

static bool is_of_input(enum err e)
{
    return e == ERR_BAD || e == ERR_SHORT || e == ERR_NOTFOUND;
}

static enum err frames_change(struct work *w, struct source *source, struct fault *f)
{
    struct frame frames[FRAMES];
    size_t n;
    for (;;) {
        enum err e = source_next(source, frames, FRAMES, 0, &n, f);
        if (e && is_of_input(e) && e != ERR_NOTFOUND)
            anonymize_broken(w->counts, f);
        if (e)
            return is_of_input(e) ? OK : e;
        for (size_t i = 0; i < n; i++)
            if ((e = frame_change(w, &frames[i], f)) != OK)
                return e;
    }
}

static enum err file_change(struct work *w, const char *path, struct fault *f)
{
    struct source *source;
    enum err e = source_open_file(&source, path, f);
    if (e && is_of_input(e)) {
        anonymize_broken(w->counts, f);
        return OK;
    }
    if (e)
        return e;
    e = frames_change(w, source, f);
    source_close(source);
    return e;
}

/* The first failure is told, and both files go with it. */
static enum err all_close(struct work *w, enum err e, struct fault *f)
{
    if (e)
        capture_writer_drop(w->writer);
    else
        e = capture_writer_close(w->writer, f);
    e = places_close(&w->places, e, f);
    return output_close(&w->to, e, f);
}

enum err anonymize_captures(
    const struct anonymize_job *job, struct anonymize_counts *counts, struct fault *f)
{
    struct work w = {.job = job, .counts = counts, .room = malloc(ANON_FRAME_ROOM)};
    enum err e = w.room ? OK : fault_set(f, ERR_NOMEM, "out of memory");
    if (!e)
        e = output_open(&w.to, "--output", job->output, f);
    if (!e && job->places)
        e = places_open(&w.places, job->places, f);
    if (!e)
        e = capture_writer_open(&w.writer, job->output, LINK_RAW, 0, f);
    for (size_t i = 0; i < job->file_count && !e; i++)
        e = file_change(&w, job->files[i], f);
    bool broken = !e && counts->broken.code;
    if (broken) {
        *f = counts->broken;
        e = counts->frames[ANON_FRAME_WRITTEN] ? OK : f->code;
    }
    e = all_close(&w, e, f);
    free(w.room);
    return !e && broken ? ERR_SHORT : e;
}
