#include "evaluate/tape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct piece {
    int64_t offset;
    uint32_t len;
    uint32_t next; /* piece of the same window, + 1; 0: none */
};

struct spot {
    int64_t start;
    struct window_site *sites; /* owned */
    size_t site_count;
    uint32_t first, last; /* pieces, + 1 */
    uint32_t pieces;
};

struct tape {
    FILE *file;
    int64_t end; /* of the file */
    int64_t length;
    struct spot *spots; /* owned */
    size_t count, room;
    struct piece *pieces; /* owned */
    size_t piece_count, piece_room;
    struct window shown;
    struct block **blocks; /* of the window that is shown; owned */
    size_t block_count;
    struct buf packed;
};

enum err tape_new(struct tape **ret_tape, struct fault *f)
{
    char path[1024];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/kizashi-tape-XXXXXX", folder ? folder : "/tmp");
    struct tape *t = calloc(1, sizeof *t);
    if (!t)
        return fault_set(f, ERR_NOMEM, "out of memory");
    int fd = mkstemp(path);
    t->file = fd < 0 ? NULL : fdopen(fd, "w+b");
    if (!t->file) {
        enum err e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        free(t);
        return e;
    }
    unlink(path);
    buf_init(&t->packed, block_encoded_max(&record_contact));
    *ret_tape = t;
    return OK;
}

static void blocks_drop(struct tape *t)
{
    for (size_t i = 0; i < t->block_count; i++)
        block_free(t->blocks[i]);
    free(t->blocks);
    t->blocks = NULL;
    t->block_count = 0;
}

void tape_free(struct tape *t)
{
    if (!t)
        return;
    blocks_drop(t);
    for (size_t i = 0; i < t->count; i++)
        free(t->spots[i].sites);
    free(t->spots);
    free(t->pieces);
    buf_done(&t->packed);
    fclose(t->file);
    free(t);
}

size_t tape_count(const struct tape *t)
{
    return t->count;
}

int64_t tape_start(const struct tape *t, size_t window)
{
    return t->spots[window].start;
}

int64_t tape_length(const struct tape *t)
{
    return t->length;
}

static enum err piece_room(struct tape *t)
{
    if (t->piece_count < t->piece_room)
        return OK;
    size_t room = t->piece_room ? t->piece_room * 2 : 4096;
    struct piece *more = room > TAPE_BLOCKS ? NULL : realloc(t->pieces, room * sizeof *more);
    if (!more)
        return room > TAPE_BLOCKS ? ERR_FULL : ERR_NOMEM;
    t->pieces = more;
    t->piece_room = room;
    return OK;
}

enum err tape_add_block(struct tape *t, size_t window, const struct block *b, struct fault *f)
{
    struct spot *s = &t->spots[window];
    if (b->rows == 0)
        return OK;
    buf_clear(&t->packed);
    enum err e = block_pack(b, TAPE_PACK_LEVEL, &t->packed);
    if (!e)
        e = piece_room(t);
    if (!e && t->packed.len > UINT32_MAX)
        e = ERR_FULL;
    if (!e && t->end > TAPE_BYTES)
        e = ERR_FULL;
    if (e)
        return fault_set(f, e, "recording windows: %s", err_text(e));
    if (fseeko(t->file, t->end, SEEK_SET) != 0 ||
        fwrite(t->packed.data, 1, t->packed.len, t->file) != t->packed.len)
        return fault_set(f, ERR_IO, "recording windows: %s", strerror(errno));
    t->pieces[t->piece_count++] =
        (struct piece){.offset = t->end, .len = (uint32_t)t->packed.len};
    uint32_t number = (uint32_t)t->piece_count;
    if (s->last)
        t->pieces[s->last - 1].next = number;
    else
        s->first = number;
    s->last = number;
    s->pieces++;
    t->end += (int64_t)t->packed.len;
    return OK;
}

/* A window without rows. */
static enum err spot_add(struct tape *t, int64_t start, const struct window_site *sites,
    size_t site_count, struct fault *f)
{
    if (t->count == TAPE_WINDOWS)
        return fault_set(f, ERR_FULL, "more than %d windows", TAPE_WINDOWS);
    if (t->count == t->room) {
        size_t room = t->room ? t->room * 2 : 1024;
        struct spot *more = realloc(t->spots, room * sizeof *more);
        if (!more)
            return fault_set(f, ERR_NOMEM, "out of memory");
        t->spots = more;
        t->room = room;
    }
    struct window_site *copy = malloc((site_count ? site_count : 1) * sizeof *copy);
    if (!copy)
        return fault_set(f, ERR_NOMEM, "out of memory");
    if (site_count)
        memcpy(copy, sites, site_count * sizeof *copy);
    t->spots[t->count++] =
        (struct spot){.start = start, .sites = copy, .site_count = site_count};
    return OK;
}

enum err tape_add(struct tape *t, const struct window *w, struct fault *f)
{
    if (w->kind != &record_contact || (t->length && w->length != t->length) ||
        (t->count && w->start <= t->spots[t->count - 1].start))
        return fault_set(f, ERR_RANGE, "windows do not follow each other");
    enum err e = spot_add(t, w->start, w->sites, w->site_count, f);
    t->length = w->length;
    for (size_t i = 0; !e && i < w->block_count; i++)
        e = tape_add_block(t, t->count - 1, w->blocks[i], f);
    return e;
}

static enum err piece_read(struct tape *t, const struct piece *p, struct fault *f)
{
    buf_clear(&t->packed);
    uint8_t *to = buf_reserve(&t->packed, p->len);
    if (!to)
        return fault_set(f, ERR_NOMEM, "out of memory");
    if (fseeko(t->file, p->offset, SEEK_SET) != 0 || fread(to, 1, p->len, t->file) != p->len)
        return fault_set(f, ERR_IO, "reading recorded windows: %s",
            ferror(t->file) ? strerror(errno) : "the file is short");
    enum err e =
        block_unpack(&t->blocks[t->block_count], &record_contact, bytes_over(to, p->len), f);
    t->block_count += !e;
    return e;
}

enum err tape_read(
    struct tape *t, size_t window, const struct window **ret_window, struct fault *f)
{
    const struct spot *s = &t->spots[window];
    blocks_drop(t);
    t->blocks = calloc(s->pieces + 1, sizeof(struct block *));
    if (!t->blocks)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = OK;
    for (uint32_t p = s->first; !e && p; p = t->pieces[p - 1].next)
        e = piece_read(t, &t->pieces[p - 1], f);
    t->shown = (struct window){.start = s->start,
        .length = t->length,
        .sites = s->sites,
        .site_count = s->site_count,
        .kind = &record_contact,
        .blocks = (const struct block *const *)t->blocks,
        .block_count = t->block_count};
    if (!e)
        *ret_window = &t->shown;
    return e;
}

/* --- shuffling -----------------------------------------------------------------------------
 */

enum {
    ROUNDS = 4,
    GATHER = 1024 /* rows that a window gathers before they are packed */
};

/* A permutation of 0..count-1 that `key` draws: a Feistel network over the next even power of
 * two, walked until it is back in range. */
static size_t permute(size_t value, size_t count, uint64_t key)
{
    unsigned half = 1;
    while ((size_t)1 << 2 * half < count)
        half++;
    const uint64_t mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = value >> half, right = value & mask;
        for (unsigned i = 0; i < ROUNDS; i++) {
            uint64_t next = left ^ (hash_two(key + i, right) & mask);
            left = right;
            right = next;
        }
        value = (size_t)(left << half | right);
    } while (value >= count);
    return value;
}

struct shuffle {
    struct tape *to;
    uint64_t seed;
    size_t count;
    struct block **open; /* one a window: rows that are not on the tape yet */
    uint32_t *rows;      /* of a block, ordered by the window that they go to */
    uint32_t *first;     /* count + 1 */
};

static enum err flush(struct shuffle *s, size_t window, struct fault *f)
{
    enum err e = tape_add_block(s->to, window, s->open[window], f);
    block_clear(s->open[window]);
    return e;
}

/* Rows first[window] to first[window + 1] of the list into that window. */
static enum err gather(
    struct shuffle *s, size_t window, const struct block *b, int64_t shift, struct fault *f)
{
    const uint32_t *rows = s->rows + s->first[window];
    size_t count = s->first[window + 1] - s->first[window];
    enum err e = OK;
    if (!s->open[window])
        e = block_new(&s->open[window], &record_contact, GATHER);
    for (size_t i = 0; !e && i < count;) {
        struct block *to = s->open[window];
        size_t room = to->cap - to->rows, part = count - i < room ? count - i : room;
        e = part ? block_gather(to, b, rows + i, part) : ERR_FULL;
        if (e == ERR_FULL && to->rows) { /* of rows or of words */
            e = flush(s, window, f);
            continue;
        }
        for (size_t k = to->rows - (e ? 0 : part); !e && k < to->rows; k++) {
            block_time(to, CONTACT_START)[k] += shift;
            block_time(to, CONTACT_FIRST)[k] += shift;
            block_time(to, CONTACT_LAST)[k] += shift;
        }
        i += part;
    }
    return e ? fault_set(f, e, "shuffling: %s", err_text(e)) : OK;
}

static enum err shuffle_block(
    struct shuffle *s, size_t window, const struct block *b, struct fault *f)
{
    const struct ip *src = block_ip(b, CONTACT_SRC);
    uint32_t *target = malloc((b->rows + 1) * sizeof *target);
    free(s->rows);
    s->rows = malloc((b->rows + 1) * sizeof *s->rows);
    if (!target || !s->rows) {
        free(target);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    memset(s->first, 0, (s->count + 2) * sizeof *s->first);
    for (size_t i = 0; i < b->rows; i++) {
        target[i] = (uint32_t)permute(window, s->count, hash_two(s->seed, ip_hash(&src[i])));
        s->first[target[i] + 2]++;
    }
    for (size_t i = 0; i < s->count; i++)
        s->first[i + 2] += s->first[i + 1];
    for (size_t i = 0; i < b->rows; i++)
        s->rows[s->first[target[i] + 1]++] = (uint32_t)i;
    free(target);
    enum err e = OK;
    for (size_t w = 0; !e && w < s->count; w++)
        if (s->first[w + 1] > s->first[w])
            e = gather(s, w, b, tape_start(s->to, w) - tape_start(s->to, window), f);
    return e;
}

static enum err shuffle_all(struct tape *t, struct shuffle *s, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; !e && i < t->count; i++)
        e = spot_add(s->to, t->spots[i].start, t->spots[i].sites, t->spots[i].site_count, f);
    s->to->length = t->length;
    for (size_t i = 0; !e && i < t->count; i++) {
        const struct window *w;
        e = tape_read(t, i, &w, f);
        for (size_t k = 0; !e && k < w->block_count; k++)
            e = shuffle_block(s, i, w->blocks[k], f);
    }
    for (size_t i = 0; !e && i < t->count; i++)
        if (s->open[i])
            e = flush(s, i, f);
    return e;
}

enum err tape_shuffle(
    struct tape *t, uint64_t seed, struct tape **ret_shuffled, struct fault *f)
{
    struct shuffle s = {.seed = seed, .count = t->count};
    enum err e = tape_new(&s.to, f);
    if (e)
        return e;
    s.open = calloc(t->count + 1, sizeof(struct block *));
    s.first = calloc(t->count + 3, sizeof *s.first);
    e = s.open && s.first ? shuffle_all(t, &s, f) : fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; s.open && i < t->count; i++)
        block_free(s.open[i]);
    free(s.open);
    free(s.first);
    free(s.rows);
    if (e)
        tape_free(s.to);
    else
        *ret_shuffled = s.to;
    return e;
}
