/* The spool's files: found, mended, begun and removed. */
#include "bus/spool_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err io_fault(struct fault *f, const char *path)
{
    enum err e = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    return fault_set(f, e, "%s: %s", path, strerror(errno));
}

void segment_path(const struct spool *s, uint64_t first, char path[SPOOL_PATH])
{
    snprintf(path, SPOOL_PATH, "%s/%020" PRIu64 ".spool", s->folder, first);
}

static enum err folder_sync(const struct spool *s, struct fault *f)
{
    if (s->options.careless)
        return OK;
    int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    enum err e = good ? OK : io_fault(f, s->folder);
    if (fd >= 0)
        close(fd);
    return e;
}

static enum err segment_note(struct spool *s, const struct segment *g)
{
    if (s->count == SEGMENTS_MAX)
        return ERR_FULL;
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 16;
        struct segment *more = realloc(s->segments, room * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        s->segments = more;
        s->room = room;
    }
    s->segments[s->count++] = *g;
    s->total += g->size;
    return OK;
}

enum err segment_begin(struct spool *s, struct fault *f)
{
    char path[SPOOL_PATH];
    struct buf header;
    struct segment g = {.first = s->next, .last = s->next - 1, .size = SEGMENT_HEADER};
    segment_path(s, s->next, path);
    buf_init(&header, SEGMENT_HEADER);
    segment_form(&header, s->counts.id, s->next);
    /* What is synced together is not left behind unsynced. */
    bool late = s->options.together && !s->options.careless && s->append_fd >= 0;
    if (late && fdatasync(s->append_fd) != 0) {
        buf_done(&header);
        return io_fault(f, s->folder);
    }
    int fd = header.err ? -1 : open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, header.data, header.len) == (ssize_t)header.len &&
                (s->options.careless || fdatasync(fd) == 0);
    enum err e = good ? folder_sync(s, f) : io_fault(f, path);
    buf_done(&header);
    if (!e && segment_note(s, &g) != OK)
        e = fault_set(f, ERR_FULL, "%s: more than %d files", s->folder, SEGMENTS_MAX);
    if (e) {
        if (fd >= 0)
            close(fd);
        unlink(path);
        return e;
    }
    if (s->append_fd >= 0)
        close(s->append_fd);
    s->append_fd = fd;
    return OK;
}

/* Nothing is in the file any more, and it is for the entries from its name's number on. */
static enum err segment_clear(
    struct spool *s, struct segment *g, int fd, const char *path, struct fault *f)
{
    struct buf header;
    buf_init(&header, SEGMENT_HEADER);
    segment_form(&header, s->counts.id, g->first);
    bool good = !header.err && ftruncate(fd, SEGMENT_HEADER) == 0;
    if (good) {
        s->total -= g->size - SEGMENT_HEADER;
        g->size = SEGMENT_HEADER;
        good = pwrite(fd, header.data, header.len, 0) == (ssize_t)header.len &&
               (s->options.careless || fdatasync(fd) == 0);
    }
    buf_done(&header);
    return good ? OK : io_fault(f, path);
}

static void reader_leave(struct spool *s)
{
    if (s->read_fd >= 0)
        close(s->read_fd);
    s->read_fd = -1;
}

enum err segment_recycle(struct spool *s, struct fault *f)
{
    char from[SPOOL_PATH], to[SPOOL_PATH];
    struct segment *g = &s->segments[s->count - 1];
    segment_path(s, g->first, from);
    segment_path(s, s->next, to);
    if (!s->recycling && rename(from, to) != 0)
        return io_fault(f, to);
    s->recycling = true;
    g->first = s->next;
    g->last = s->next - 1;
    reader_leave(s);
    enum err e = folder_sync(s, f);
    if (!e)
        e = segment_clear(s, g, s->append_fd, to, f);
    s->recycling = e != OK;
    return e;
}

void segment_drop(struct spool *s)
{
    char path[SPOOL_PATH];
    segment_path(s, s->segments[0].first, path);
    if (s->read_first == s->segments[0].first)
        reader_leave(s); /* a file that is open keeps its room on the disk */
    unlink(path);        /* one that stays is found again at the next start, and dropped then */
    s->total -= s->segments[0].size;
    memmove(s->segments, s->segments + 1, --s->count * sizeof *s->segments);
}

/* Of the file that is open. */
static struct tally tally_take(const struct segment *g, int fd)
{
    uint8_t header[ENTRY_HEADER];
    struct tally t = {.last = g->first - 1, .end = SEGMENT_HEADER};
    while (t.end < g->size) {
        struct spool_entry e;
        uint32_t len, sum;
        struct bytes b = bytes_over(header, sizeof header);
        if (pread(fd, header, sizeof header, (off_t)t.end) != (ssize_t)sizeof header ||
            entry_header_parse(&b, &e, &len, &sum) != OK || e.number <= t.last)
            break;
        t.last = e.number;
        t.entries++;
        t.items += e.items;
        t.end += ENTRY_HEADER + len;
    }
    return t;
}

struct tally segment_tally(const struct spool *s, const struct segment *g)
{
    char path[SPOOL_PATH];
    segment_path(s, g->first, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct tally t = tally_take(g, fd);
    if (fd >= 0)
        close(fd);
    return t;
}

/* ---- recovery ---- */

static int by_number(const void *a, const void *b)
{
    const struct segment *x = a;
    const struct segment *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Segments by their names; what they hold is looked at later. */
static enum err segments_list(struct spool *s, struct fault *f)
{
    DIR *d = opendir(s->folder);
    if (!d)
        return io_fault(f, s->folder);
    enum err e = OK;
    for (struct dirent *entry; !e && (entry = readdir(d));) {
        char *end;
        uint64_t first = strtoull(entry->d_name, &end, 10);
        if (end != entry->d_name + 20 || strcmp(end, ".spool") != 0 || !first)
            continue;
        struct segment g = {.first = first};
        e = segment_note(s, &g);
        if (e)
            e = fault_set(f, e, "%s: %s", s->folder, err_text(e));
    }
    closedir(d);
    if (s->count)
        qsort(s->segments, s->count, sizeof *s->segments, by_number);
    return e;
}

/* Read the header: whose spool is it? */
static enum err segment_head(
    struct spool *s, struct segment *g, int fd, const char *path, struct fault *f)
{
    uint8_t header[SEGMENT_HEADER];
    struct stat st;
    uint64_t id, first;
    ssize_t got = pread(fd, header, sizeof header, 0);
    if (got < 0 || fstat(fd, &st) != 0)
        return io_fault(f, path);
    struct bytes b = bytes_over(header, (size_t)got);
    enum err e = segment_parse(&b, &id, &first);
    if (e == ERR_SHORT)
        return e; /* a crash came before its header was whole */
    /* A crash came after segment_recycle() had given the file its new name. */
    bool recycled = !e && first < g->first && g == &s->segments[s->count - 1];
    if (e || (first != g->first && !recycled))
        return fault_set(f, ERR_BAD, "%s: not a file of a spool", path);
    if (s->counts.id && id != s->counts.id)
        return fault_set(f, ERR_BAD, "%s: belongs to another spool than its neighbours", path);
    s->counts.id = id;
    g->size = (uint64_t)st.st_size;
    s->total += g->size;
    return recycled ? segment_clear(s, g, fd, path, f) : OK;
}

/* Walk the entries of the newest segment and cut what is torn. The numbers of what is cut are
 * not given again: should the disk have changed bytes that were published, the hub knows those
 * numbers. */
static enum err segment_mend(struct spool *s, struct segment *g, int fd, struct fault *f)
{
    struct buf data;
    char path[SPOOL_PATH];
    segment_path(s, g->first, path);
    buf_init(&data, ENTRY_HEADER + SPOOL_ENTRY_MAX + 1);
    uint64_t at = SEGMENT_HEADER;
    g->last = g->first - 1;
    enum err e = OK;
    while (!e && at < g->size) {
        uint64_t left = g->size - at;
        size_t want = left < ENTRY_HEADER + SPOOL_ENTRY_MAX ? (size_t)left
                                                            : ENTRY_HEADER + SPOOL_ENTRY_MAX;
        buf_clear(&data);
        uint8_t *to = buf_reserve(&data, want);
        if (!to) {
            e = fault_set(f, ERR_NOMEM, "out of memory");
            break;
        }
        ssize_t got = pread(fd, to, want, (off_t)at);
        if (got < 0) {
            e = io_fault(f, path);
            break;
        }
        struct bytes b = bytes_over(to, (size_t)got);
        struct spool_entry entry;
        while (entry_parse(&b, &entry) == OK && entry.number > g->last)
            g->last = entry.number;
        uint64_t step = (uint64_t)(b.at - to);
        if (!step)
            break;
        at += step;
    }
    buf_done(&data);
    if (!e && at < g->size) {
        s->counts.cut = g->size - at;
        s->total -= s->counts.cut;
        if (ftruncate(fd, (off_t)at) != 0 || (!s->options.careless && fdatasync(fd) != 0))
            e = io_fault(f, path);
        g->size = at;
    }
    s->next = g->last + 1 + (s->counts.cut + ENTRY_HEADER - 1) / ENTRY_HEADER;
    return e;
}

/* A torn end was cut when the next file was begun: what cannot be read of an older one is
 * damage, of all numbers up to the next file's at most. */
static void segment_count(struct spool *s, struct segment *g, int fd)
{
    struct tally t = tally_take(g, fd);
    g->last = t.last;
    if (t.end < g->size)
        s->counts.damaged += g[1].first - 1 - t.last;
}

static enum err segment_look(struct spool *s, size_t i, struct fault *f)
{
    char path[SPOOL_PATH];
    struct segment *g = &s->segments[i];
    bool newest = i + 1 == s->count;
    segment_path(s, g->first, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return io_fault(f, path);
    enum err e = segment_head(s, g, fd, path, f);
    if (!e && newest)
        e = segment_mend(s, g, fd, f);
    else if (!e)
        segment_count(s, g, fd);
    if (e == ERR_SHORT && newest) {
        close(fd);
        unlink(path);
        s->next = g->first; /* none of its entries ever was */
        s->count--;
        return OK;
    }
    if (e == ERR_SHORT)
        e = fault_set(f, ERR_BAD, "%s: not a file of a spool", path);
    if (!e && newest && lseek(fd, (off_t)g->size, SEEK_SET) >= 0)
        s->append_fd = fd;
    else
        close(fd);
    return e;
}

enum err spool_recover(struct spool *s, struct fault *f)
{
    s->next = 1;
    enum err e = segments_list(s, f);
    for (size_t i = 0, all = s->count; i < all && !e; i++)
        e = segment_look(s, i, f);
    return e;
}
