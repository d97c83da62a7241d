#ifndef BUS_SPOOL_INT_H
#define BUS_SPOOL_INT_H

#include "base/buf.h"
#include "bus/spool.h"

#include <pthread.h>

/* One file. */
struct segment {
    uint64_t first; /* number of its first entry, also while it has none */
    uint64_t last;  /* of its last one; first - 1: none */
    uint64_t size;  /* bytes */
};

enum {
    SPOOL_PATH = 4096,
    SEGMENTS_MAX = 1 << 16
};

struct spool {
    struct spool_options options;
    char folder[SPOOL_PATH - 64];
    struct clock clock;
    int lock_fd; /* holds the folder for this process */
    pthread_mutex_t lock;
    struct segment *segments; /* oldest first; the last one is appended to */
    size_t count, room;
    int append_fd;  /* of the last segment */
    uint64_t next;  /* number of the next entry */
    uint64_t total; /* bytes in all segments */
    bool recycling; /* segment_recycle() has begun, and nothing is written before its end */
    struct spool_counts counts;
    /* Reading: where the reader is. */
    int read_fd;         /* -1: none is open */
    uint64_t read_first; /* first number of the segment that is open */
    uint64_t read_at;    /* offset of the next entry in it */
    uint64_t read_last;  /* number of the entry before that offset; 0: none */
    struct buf data;
};

/* The form of the files (spool_form.c). */
void segment_form(struct buf *out, uint64_t id, uint64_t first);
void entry_form(uint8_t header[ENTRY_HEADER], const struct spool_entry *e);
enum err entry_header_parse(struct bytes *b, struct spool_entry *ret_entry, uint32_t *ret_len,
    uint32_t *ret_sum) MUST_CHECK;
bool entry_sum_fits(const uint8_t header[ENTRY_HEADER], struct bytes data, uint32_t sum);
bool spool_kind_fits(const char *kind);

/* Files (spool_files.c). */
void segment_path(const struct spool *s, uint64_t first, char path[SPOOL_PATH]);
enum err spool_recover(struct spool *s, struct fault *f) MUST_CHECK;
/* Begin a segment for the entry `next`, and append to it from now on. */
enum err segment_begin(struct spool *s, struct fault *f) MUST_CHECK;
/* The only segment, of which everything is committed, becomes the one for the entry `next`,
 * under its new name: that takes no room on the disk. Until its new header is written, its name
 * alone says which entries it is for, and those in it are known by their lower numbers. After a
 * failure it is called again, before anything is appended. */
enum err segment_recycle(struct spool *s, struct fault *f) MUST_CHECK;
/* Remove the oldest segment's file. */
void segment_drop(struct spool *s);
/* What is in a segment, as far as the headers of its entries can be read. */
struct tally {
    uint64_t entries, items;
    uint64_t last; /* number of the last entry; first - 1: there is none */
    uint64_t end;  /* offset behind it */
};
struct tally segment_tally(const struct spool *s, const struct segment *g);

#endif
