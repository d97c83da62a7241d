#include "ingest/logbook.h"

#include "base/buf.h"
#include "bus/spool.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOGBOOK_PATH = 4096,
    HEAD = 8 + 8 + 1 + BUS_SITE_MAX, /* before an entry's message, at most */
    MARKS = 96
};

static const uint64_t cap_default = UINT64_C(1) << 30;
static const int64_t mark_apart = LOGBOOK_KEEP / 32;

/* Everything up to `number` had been added by `time`. */
struct mark {
    int64_t time;
    uint64_t number;
};

struct logbook {
    struct spool *spool;
    struct clock clock;
    struct buf entry; /* the adding thread's */
    pthread_mutex_t lock;
    struct mark marks[MARKS]; /* oldest first */
    size_t count;
    int64_t seen;       /* end of the last window that states kept before have seen */
    int64_t covered_at; /* when states were kept last; 0: not yet */
    uint64_t covered;   /* what had been added by then */
};

/* How many there were. */
static size_t files_remove(const char *folder)
{
    char path[LOGBOOK_PATH];
    size_t count = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        const char *dot = strrchr(e->d_name, '.');
        bool ours = dot && strcmp(dot, ".spool") == 0;
        if (ours && snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < (int)sizeof path)
            count += unlink(path) == 0;
    }
    if (d)
        closedir(d);
    return count;
}

enum err logbook_open(struct logbook **ret_logbook, const struct logbook_options *options,
    bool *ret_fresh, struct fault *f)
{
    struct logbook *j = calloc(1, sizeof *j);
    if (!j)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct spool_options o = {.folder = options->folder,
        .cap = options->cap ? options->cap : cap_default,
        .segment = options->segment,
        .policy = SPOOL_DROP_OLDEST,
        .careless = options->careless,
        .together = true,
        .clock = options->clock};
    j->clock = options->clock ? *options->clock : clock_system();
    j->seen = options->seen;
    pthread_mutex_init(&j->lock, NULL);
    buf_init(&j->entry, HEAD + SPOOL_ENTRY_MAX);
    enum err e = spool_open(&j->spool, &o, f);
    bool damaged = e == ERR_BAD;
    if (damaged) {
        files_remove(options->folder);
        e = spool_open(&j->spool, &o, f);
    }
    if (e) {
        logbook_close(j);
        return e;
    }
    if (ret_fresh)
        *ret_fresh = damaged;
    *ret_logbook = j;
    return OK;
}

enum err logbook_remove(const char *folder, size_t *ret_count, struct fault *f)
{
    char path[LOGBOOK_PATH];
    *ret_count = files_remove(folder);
    if (snprintf(path, sizeof path, "%s/lock", folder) < (int)sizeof path)
        unlink(path);
    if (rmdir(folder) == 0 || errno == ENOENT)
        return OK;
    return fault_set(f, ERR_IO, "%s: cannot be removed: %s", folder, strerror(errno));
}

void logbook_close(struct logbook *j)
{
    if (!j)
        return;
    spool_close(j->spool);
    buf_done(&j->entry);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

/* Note how far it had come by now, by the time that the next mark is due; with more marks than
 * there is room for, messages are only let go of later. */
static void mark_note(struct logbook *j, uint64_t number)
{
    int64_t time = (clock_now(&j->clock) / mark_apart + 1) * mark_apart;
    pthread_mutex_lock(&j->lock);
    struct mark *last = j->count ? &j->marks[j->count - 1] : NULL;
    if (!last || (last->time < time && j->count < MARKS)) {
        j->marks[j->count++] = (struct mark){time, number};
    } else {
        last->time = time > last->time ? time : last->time;
        last->number = number > last->number ? number : last->number;
    }
    pthread_mutex_unlock(&j->lock);
}

enum err logbook_add(
    struct logbook *j, const struct logbook_entry *e, uint64_t *ret_at, struct fault *f)
{
    size_t name = strlen(e->site);
    uint64_t at = 0;
    buf_clear(&j->entry);
    buf_le64(&j->entry, e->spool);
    buf_le64(&j->entry, e->number);
    buf_u8(&j->entry, (uint8_t)name);
    buf_put(&j->entry, e->site, name);
    buf_put(&j->entry, e->data.at, e->data.left);
    if (j->entry.err)
        return fault_set(f, j->entry.err, "a message of %zu bytes could not be kept: %s",
            e->data.left, err_text(j->entry.err));
    enum err r = spool_append(
        j->spool, "packet", bytes_over(j->entry.data, j->entry.len), e->rows, &at, f);
    if (r)
        return r;
    mark_note(j, at);
    *ret_at = at;
    return OK;
}

enum err logbook_sync(struct logbook *j, struct fault *f)
{
    return spool_sync(j->spool, f);
}

/* False: it is none. */
static bool entry_take(const struct spool_entry *kept, struct logbook_entry *ret_entry)
{
    struct bytes b = kept->data;
    struct logbook_entry e = {.at = kept->number, .time = kept->time, .rows = kept->items};
    e.spool = bytes_le64(&b);
    e.number = bytes_le64(&b);
    struct bytes name = bytes_take(&b, bytes_u8(&b));
    if (b.cut || name.left > BUS_SITE_MAX)
        return false;
    memcpy(e.site, name.at, name.left);
    e.data = b;
    *ret_entry = e;
    return bus_site_fits(e.site);
}

/* What was there before the last window ended that the kept states have seen. */
static void seen_note(struct logbook *j, int64_t time, uint64_t number)
{
    pthread_mutex_lock(&j->lock);
    if (time <= j->seen && number > j->covered)
        j->covered = number;
    pthread_mutex_unlock(&j->lock);
}

enum err logbook_read(
    struct logbook *j, uint64_t at, struct logbook_entry *ret_entry, struct fault *f)
{
    for (;; at++) {
        struct spool_entry kept;
        enum err e = spool_read(j->spool, at, &kept, f);
        if (e)
            return e;
        at = kept.number;
        /* As if it came now: the states that will cover it are yet to be kept. */
        mark_note(j, at);
        seen_note(j, kept.time, at);
        if (entry_take(&kept, ret_entry))
            return OK;
    }
}

void logbook_covered(struct logbook *j)
{
    struct spool_counts c;
    spool_counts(j->spool, &c);
    pthread_mutex_lock(&j->lock);
    j->covered_at = clock_now(&j->clock);
    j->covered = c.last;
    pthread_mutex_unlock(&j->lock);
}

void logbook_tidy(struct logbook *j)
{
    uint64_t number = 0;
    size_t old = 0;
    pthread_mutex_lock(&j->lock);
    while (
        j->covered_at && old < j->count && j->marks[old].time <= j->covered_at - LOGBOOK_KEEP)
        number = j->marks[old++].number;
    memmove(j->marks, j->marks + old, (j->count - old) * sizeof *j->marks);
    j->count -= old;
    pthread_mutex_unlock(&j->lock);
    if (number)
        spool_commit(j->spool, number);
}

void logbook_counts(struct logbook *j, struct logbook_counts *ret_counts)
{
    struct spool_counts c;
    spool_counts(j->spool, &c);
    pthread_mutex_lock(&j->lock);
    *ret_counts = (struct logbook_counts){.first = c.first,
        .last = c.last,
        .bytes = c.bytes,
        .damaged = c.damaged,
        .cut = c.dropped && c.first > j->covered + 1};
    pthread_mutex_unlock(&j->lock);
}
