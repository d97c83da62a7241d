#ifndef INGEST_WRITER_H
#define INGEST_WRITER_H

#include "base/err.h"
#include "record/block.h"

#include <stdatomic.h>

struct store;

/* Two threads that take blocks to the store, one packets and one the rest, from a queue of
 * fixed length; blocks of one kind stay in order. When the disk is full it says so, waits and
 * tries the same block again: nothing that was queued is lost while the program runs, and
 * nothing is stored twice. */
struct writer;

struct writer_events {
    /* The store refused a block (`waiting`: it will be tried again) or takes blocks again
     * (f->code == OK). From a writer's thread. */
    void (*trouble)(void *context, const struct fault *f, bool waiting);
    void *context;
};

struct writer_counts {
    uint64_t blocks, rows;
    uint64_t retries;
    size_t queued;
};

/* `stop` (borrowed, may be NULL) ends waits for a full disk. */
enum err writer_new(struct writer **ret_writer, struct store *store,
    const struct writer_events *events, const atomic_bool *stop) MUST_CHECK;

/* All there is comes as fast as it is taken, and then no more: no upkeep from now on, it is
 * left to the next process that opens the store. */
void writer_hurry(struct writer *w);

/* An empty block of this kind with room for its largest number of rows; give it to writer_put()
 * or block_free(). NULL: out of memory. */
struct block *writer_block(struct writer *w, const struct record *kind);

/* Queue a block, which is taken; waits while the queue is full. `site` makes its id. ERR_BUSY
 * if `wait` is false and the queue is full: the block stays the caller's. After a failure that
 * cannot mend (not a full disk) the writer's error is returned. */
enum err writer_put(struct writer *w, struct block *b, const char *site, bool wait) MUST_CHECK;

/* Wait until all that was queued is durable; the writer's error, if any. */
enum err writer_flush(struct writer *w, struct fault *f) MUST_CHECK;
void writer_counts(struct writer *w, struct writer_counts *ret_counts);

/* What is still queued is written first, unless the writer has failed. */
void writer_free(struct writer *w);

#endif
