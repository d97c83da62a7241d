#ifndef STORE_JOURNAL_INT_H
#define STORE_JOURNAL_INT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* The store's memory of which blocks it has, in a SQLite file of its own: what makes "there,
 * once" true. A part of a block (its rows of one day) gets a number before it is inserted; the
 * number stands in every row, so that after a crash the store can ask the table whether the
 * part got in. It is also what rollups are taken up to. */
struct journal;

struct journal_part {
    char id[64];   /* the block's */
    uint32_t part; /* 0.. within the block */
    uint64_t seq;  /* unique, growing */
    char kind[32]; /* record name */
    int64_t day;   /* of its rows: time / 1 day, rounded towards zero */
};

enum {
    JOURNAL_KEEPS = 20000 /* parts: 10,000 blocks, should each span midnight */
};

/* `durable`: fsync at every change. */
enum err journal_open(
    struct journal **ret_journal, const char *path, bool durable, struct fault *f) MUST_CHECK;
void journal_close(struct journal *j);

/* All of it into a file, in which there is nothing yet. */
enum err journal_copy(struct journal *j, const char *path, struct fault *f) MUST_CHECK;

/* Is it of a format before this one? journal_renew() makes it one of today's. */
bool journal_is_before(const struct journal *j, int version);
enum err journal_renew(struct journal *j, struct fault *f) MUST_CHECK;

/* Is this part known as done? */
enum err journal_has(struct journal *j, const char *id, uint32_t part, bool *ret_has,
    struct fault *f) MUST_CHECK;

/* Note that the part is about to be inserted, and give it its number. */
enum err journal_begin(struct journal *j, struct journal_part *p, struct fault *f) MUST_CHECK;

/* Several changes as one, which is durable when journal_together_end() returns OK; if it fails,
 * none of them happened. */
enum err journal_together(struct journal *j, struct fault *f) MUST_CHECK;
enum err journal_together_end(struct journal *j, enum err so_far, struct fault *f) MUST_CHECK;
enum err journal_done(struct journal *j, uint64_t seq, struct fault *f) MUST_CHECK;
enum err journal_drop(struct journal *j, uint64_t seq, struct fault *f) MUST_CHECK;

/* A part that was begun and is neither done nor dropped; ERR_NOTFOUND when there is none. */
enum err journal_open_part(
    struct journal *j, struct journal_part *ret_part, struct fault *f) MUST_CHECK;

/* How far a rollup has come: everything up to `upto` is in it; if `doing` is larger, then the
 * rows up to `doing` were being taken in. A rollup never heard of has 0, 0. */
enum err journal_rollup(struct journal *j, const char *name, uint64_t *ret_upto,
    uint64_t *ret_doing, struct fault *f) MUST_CHECK;
enum err journal_rollup_set(struct journal *j, const char *name, uint64_t upto, uint64_t doing,
    struct fault *f) MUST_CHECK;

/* Units (days or hours) of a rollup that is made from another one, unit by unit; `day` is a
 * unit's number. It is open from when its first contacts come, or later ones, until it is
 * united. journal_day_begin() says whether uniting it was begun before, so that rows may be
 * there. ERR_NOTFOUND: no unit after `after` is open. */
enum err journal_day_changed(
    struct journal *j, const char *name, int64_t day, struct fault *f) MUST_CHECK;
enum err journal_day_begin(struct journal *j, const char *name, int64_t day, bool *ret_begun,
    struct fault *f) MUST_CHECK;
enum err journal_day_united(
    struct journal *j, const char *name, int64_t day, struct fault *f) MUST_CHECK;
/* Of one name nothing is known any more. */
enum err journal_day_forget(struct journal *j, const char *name, struct fault *f) MUST_CHECK;
enum err journal_day_open(struct journal *j, const char *name, int64_t after, int64_t *ret_day,
    struct fault *f) MUST_CHECK;

#endif
