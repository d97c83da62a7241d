#include "bus/spool_int.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const uint64_t cap_default = UINT64_C(8) << 30;
static const uint64_t segment_default = UINT64_C(16) << 20;

static enum err options_take(
    struct spool *s, const struct spool_options *options, struct fault *f)
{
    s->options = *options;
    s->clock = options->clock ? *options->clock : clock_system();
    if (!s->options.cap)
        s->options.cap = cap_default;
    if (!s->options.segment)
        s->options.segment = segment_default;
    if (s->options.cap < 2 * s->options.segment)
        return fault_set(f, ERR_RANGE,
            "a spool of %llu bytes is too small for two files of %llu bytes",
            (unsigned long long)s->options.cap, (unsigned long long)s->options.segment);
    if (snprintf(s->folder, sizeof s->folder, "%s", options->folder) >= (int)sizeof s->folder)
        return fault_set(f, ERR_RANGE, "%.100s...: path too long", options->folder);
    return OK;
}

/* The folder is ours while its lock file is locked: the kernel lets go of it however we end. */
static enum err folder_take(struct spool *s, struct fault *f)
{
    char path[SPOOL_PATH];
    if (mkdir(s->folder, 0700) != 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "%s: %s", s->folder, strerror(errno));
    snprintf(path, sizeof path, "%s/lock", s->folder);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fault_set(f, ERR_BUSY, "%s: another process has this spool", s->folder);
    return OK;
}

static enum err identity_make(struct spool *s, struct fault *f)
{
    while (!s->counts.id) {
        s->counts.id = s->options.id;
        if (!s->counts.id &&
            getrandom(&s->counts.id, sizeof s->counts.id, 0) != sizeof s->counts.id)
            return fault_set(f, ERR_IO, "no randomness: %s", strerror(errno));
    }
    return OK;
}

/* The first of the numbers that were passed over last: after an entry that was torn. A process
 * that ended after it had cut the entry, and did nothing more, leaves them to the next. */
static uint64_t torn_find(const struct spool *s)
{
    for (size_t i = s->count; i-- > 1;)
        if (s->segments[i - 1].last + 1 < s->segments[i].first)
            return s->segments[i - 1].last + 1;
    return 0;
}

enum err spool_open(
    struct spool **ret_spool, const struct spool_options *options, struct fault *f)
{
    struct spool *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->lock_fd = s->append_fd = s->read_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    buf_init(&s->data, ENTRY_HEADER + SPOOL_ENTRY_MAX + 1);
    enum err e = options_take(s, options, f);
    if (!e)
        e = folder_take(s, f);
    if (!e)
        e = spool_recover(s, f);
    if (!e)
        e = identity_make(s, f);
    /* Numbers were passed over, or no file is left to go on in: go on in one whose name says
     * where. */
    if (!e && (s->append_fd < 0 || s->segments[s->count - 1].last + 1 != s->next))
        e = segment_begin(s, f);
    if (e) {
        spool_close(s);
        return e;
    }
    s->counts.torn = torn_find(s);
    s->counts.first = s->segments[0].first;
    s->counts.committed = s->counts.last = s->counts.first - 1;
    for (size_t i = 0; i < s->count; i++)
        if (s->segments[i].last >= s->segments[i].first)
            s->counts.last = s->segments[i].last;
    *ret_spool = s;
    return OK;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    int *const all[] = {&s->append_fd, &s->read_fd, &s->lock_fd};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (*all[i] >= 0)
            close(*all[i]);
    buf_done(&s->data);
    free(s->segments);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Make room for `len` bytes. The segment that is written to never goes. */
static enum err room_make(struct spool *s, uint64_t len, struct fault *f)
{
    while (s->total + len > s->options.cap) {
        if (s->options.policy == SPOOL_REFUSE || s->count < 2)
            return fault_set(f, ERR_FULL, "%s: the spool holds its %llu bytes", s->folder,
                (unsigned long long)s->options.cap);
        struct tally t = segment_tally(s, &s->segments[0]);
        s->counts.dropped += t.entries;
        s->counts.dropped_items += t.items;
        segment_drop(s);
        s->counts.first = s->segments[0].first;
    }
    return OK;
}

/* Write the entry behind the others; what was written of a failed one is taken back. */
static enum err entry_write(struct spool *s, const struct spool_entry *e, struct fault *f)
{
    uint8_t header[ENTRY_HEADER];
    struct segment *g = &s->segments[s->count - 1];
    entry_form(header, e);
    struct iovec parts[2] = {{header, sizeof header}};
    parts[1].iov_len = e->data.left;
    memcpy(&parts[1].iov_base, &e->data.at, sizeof e->data.at);
    size_t len = ENTRY_HEADER + e->data.left;
    ssize_t wrote = pwritev(s->append_fd, parts, 2, (off_t)g->size);
    if (wrote == (ssize_t)len)
        return OK;
    int why = wrote < 0 ? errno : ENOSPC;
    if (ftruncate(s->append_fd, (off_t)g->size) != 0)
        why = errno;
    return fault_set(f, why == ENOSPC || why == EDQUOT ? ERR_FULL : ERR_IO, "%s: %s", s->folder,
        strerror(why));
}

static enum err entry_place(struct spool *s, const struct spool_entry *e, struct fault *f)
{
    uint64_t len = ENTRY_HEADER + e->data.left;
    const struct segment *g = &s->segments[s->count - 1];
    enum err r = OK;
    if (g->last >= g->first && g->size + len > s->options.segment)
        r = segment_begin(s, f);
    if (!r)
        r = room_make(s, len, f);
    return r ? r : entry_write(s, e, f);
}

/* Does the file that is written to hold only what is stored elsewhere? */
static bool is_idle(const struct spool *s)
{
    const struct segment *g = &s->segments[s->count - 1];
    return s->count == 1 && g->last >= g->first && g->last <= s->counts.committed;
}

/* Files that hold only what is stored elsewhere, but for the one that is written to. */
static void stored_drop(struct spool *s)
{
    while (s->count > 1 && s->segments[0].last <= s->counts.committed)
        segment_drop(s);
    s->counts.first = s->segments[0].first;
}

/* Where the disk is full, what the hub has makes room: a file before the one that is written
 * to, which was begun just now, or that one. */
static enum err entry_prepare(struct spool *s, const struct spool_entry *e, struct fault *f)
{
    enum err r = s->recycling ? ERR_FULL : entry_place(s, e, f);
    if (r != ERR_FULL)
        return r;
    size_t before = s->count;
    stored_drop(s);
    bool emptied = s->count < before;
    if (!emptied && !s->recycling && !is_idle(s))
        return r;
    r = emptied ? OK : segment_recycle(s, f);
    s->counts.first = s->segments[0].first;
    return r ? r : entry_place(s, e, f);
}

enum err spool_append(struct spool *s, const char *kind, struct bytes data, uint32_t items,
    uint64_t *ret_number, struct fault *f)
{
    assert(spool_kind_fits(kind));
    if (data.left > SPOOL_ENTRY_MAX)
        return fault_set(f, ERR_RANGE, "an entry of %zu bytes; at most %d are allowed",
            data.left, SPOOL_ENTRY_MAX);
    struct spool_entry e = {.items = items, .data = data, .time = clock_now(&s->clock)};
    memcpy(e.kind, kind, strlen(kind));
    pthread_mutex_lock(&s->lock);
    e.number = s->next;
    enum err r = entry_prepare(s, &e, f);
    int fd = s->append_fd;
    pthread_mutex_unlock(&s->lock);
    /* The reader goes on meanwhile: it does not see the entry before it is safe. */
    bool safe = !r && (s->options.careless || s->options.together || fdatasync(fd) == 0);
    if (!r &&
        !safe) /* it is written anew when it is tried again, so that a full disk may pass */
        r = fault_set(f, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO,
            "%s: fdatasync: %s", s->folder, strerror(errno));
    pthread_mutex_lock(&s->lock);
    if (!r) {
        struct segment *g = &s->segments[s->count - 1];
        g->size += ENTRY_HEADER + data.left;
        g->last = e.number;
        s->total += ENTRY_HEADER + data.left;
        s->counts.last = e.number;
        s->next++;
        *ret_number = e.number;
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

enum err spool_sync(struct spool *s, struct fault *f)
{
    pthread_mutex_lock(&s->lock);
    int fd = s->append_fd;
    pthread_mutex_unlock(&s->lock);
    if (s->options.careless || fdatasync(fd) == 0)
        return OK;
    /* Also when the disk was full: what was to be written may be gone, and a second try would
     * not tell. */
    return fault_set(f, ERR_IO, "%s: fdatasync: %s", s->folder, strerror(errno));
}

/* ---- reading ---- */

/* The segment in which the first entry with at least this number is; NULL: none. */
static struct segment *segment_of(const struct spool *s, uint64_t number)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->segments[middle].last < number)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < s->count && s->segments[low].last < s->segments[low].first)
        low++;
    return low < s->count ? &s->segments[low] : NULL;
}

/* The machine is out of something now; the file is not to blame. */
static bool is_short(void)
{
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
}

static enum err reader_place(struct spool *s, const struct segment *g, uint64_t number)
{
    char path[SPOOL_PATH];
    bool onward = s->read_fd >= 0 && s->read_first == g->first && s->read_last < number;
    if (onward)
        return OK;
    if (s->read_fd >= 0 && s->read_first != g->first) {
        close(s->read_fd);
        s->read_fd = -1;
    }
    if (s->read_fd < 0) {
        segment_path(s, g->first, path);
        s->read_fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    s->read_first = g->first;
    s->read_at = SEGMENT_HEADER;
    s->read_last = 0;
    return s->read_fd >= 0 ? OK : is_short() ? ERR_NOMEM : ERR_IO;
}

/* The entry at the reader's place: its header, and its data if its number is wanted. */
static enum err entry_load(struct spool *s, uint64_t number, struct spool_entry *ret_entry)
{
    uint32_t len, sum;
    buf_clear(&s->data);
    uint8_t *to = buf_reserve(&s->data, ENTRY_HEADER);
    if (!to)
        return ERR_NOMEM;
    ssize_t got = pread(s->read_fd, to, ENTRY_HEADER, (off_t)s->read_at);
    struct bytes b = bytes_over(to, got > 0 ? (size_t)got : 0);
    struct spool_entry e;
    if (entry_header_parse(&b, &e, &len, &sum) != OK)
        return ERR_BAD;
    if (e.number < number) {
        *ret_entry = e;
        ret_entry->data.left = len;
        return OK;
    }
    s->data.len = ENTRY_HEADER;
    to = buf_reserve(&s->data, len);
    if (!to)
        return ERR_NOMEM;
    got = pread(s->read_fd, to, len, (off_t)(s->read_at + ENTRY_HEADER));
    if (got != (ssize_t)len)
        return ERR_BAD;
    e.data = bytes_over(to, len);
    if (!entry_sum_fits(s->data.data, e.data, sum))
        return ERR_BAD;
    *ret_entry = e;
    return OK;
}

/* The number of the entry before the reader's place, as the spool holds them; 0: none. */
static uint64_t number_before(const struct spool *s, const struct segment *g)
{
    if (s->read_last)
        return s->read_last;
    while (g-- > s->segments)
        if (g->last >= g->first)
            return g->last;
    return 0;
}

/* What is left of a segment cannot be read: it ends before. Where the file ends there, too,
 * numbers were passed over, and nothing is lost. */
static void segment_give_up(struct spool *s, struct segment *g)
{
    uint64_t last = s->read_last ? s->read_last : g->first - 1;
    if (s->read_at < g->size)
        s->counts.damaged += g->last - last;
    s->read_at = g->size;
    g->last = last;
}

/* The next entry of a segment with at least this number; ERR_BAD: what is left of it cannot be
 * read. */
static enum err segment_find(
    struct spool *s, const struct segment *g, uint64_t number, struct spool_entry *ret_entry)
{
    enum err e = reader_place(s, g, number);
    while (!e && s->read_last < g->last) {
        struct spool_entry entry;
        e = entry_load(s, number, &entry);
        if (e)
            break;
        entry.previous = number_before(s, g);
        s->read_at += ENTRY_HEADER + entry.data.left;
        s->read_last = entry.number;
        if (entry.number < number)
            continue;
        *ret_entry = entry;
        return OK;
    }
    return e == ERR_NOMEM ? e : ERR_BAD;
}

static enum err entry_find(struct spool *s, uint64_t number, struct spool_entry *ret_entry)
{
    for (;;) {
        struct segment *g = segment_of(s, number);
        if (!g)
            return ERR_NOTFOUND;
        enum err e = segment_find(s, g, number, ret_entry);
        if (e != ERR_BAD)
            return e;
        number = g->last + 1;
        segment_give_up(s, g);
    }
}

enum err spool_read(
    struct spool *s, uint64_t number, struct spool_entry *ret_entry, struct fault *f)
{
    pthread_mutex_lock(&s->lock);
    enum err e = entry_find(s, number ? number : 1, ret_entry);
    pthread_mutex_unlock(&s->lock);
    return e && e != ERR_NOTFOUND ? fault_set(f, e, "%s: %s", s->folder, err_text(e)) : e;
}

void spool_commit(struct spool *s, uint64_t number)
{
    pthread_mutex_lock(&s->lock);
    if (number > s->counts.last)
        number = s->counts.last;
    if (number > s->counts.committed)
        s->counts.committed = number;
    stored_drop(s);
    pthread_mutex_unlock(&s->lock);
}

void spool_counts(struct spool *s, struct spool_counts *ret_counts)
{
    pthread_mutex_lock(&s->lock);
    *ret_counts = s->counts;
    ret_counts->bytes = s->total;
    ret_counts->next = s->next;
    pthread_mutex_unlock(&s->lock);
}
