#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include "store/chdb_int.h"
#include "store/journal_int.h"
#include "store/rollup_int.h"
#include "store/schema_int.h"
#include "store/store.h"

#include <pthread.h>

/* The open store, shared by the files of this room. */

enum {
    ROLL_ROWS = 1 << 19, /* contacts that wait before they are taken into the rollups */
    WAITING_MAX = 2 * ROLL_ROWS,
    STORE_GROUP_MAX = 16, /* blocks of one insert, and their rows */
    STORE_GROUP_ROWS = 1 << 19,
    STORE_WIRE_MAX = 1 << 28, /* bytes of one insert */
    STORE_SQL_MAX = 1 << 20
};

/* Every table that is filled from contacts: the rollups, then contacts by source. */
struct roll {
    const char *name;
    const struct rollup *rollup; /* NULL: contacts by source */
    uint64_t upto;               /* contacts with block <= upto are in it */
    uint64_t doing;              /* > upto: an insert of those up to here may have got in */
};

/* A rollup that is made from another one when a day is over. Its rows of an open day, if there
 * are any, are old: questions read the rollup that it is made from. */
struct united {
    const struct rollup *rollup;
    int64_t *open; /* days, ascending */
    size_t open_count;
};

struct store {
    struct chdb *chdb;
    struct journal *journal;
    struct dialect dialect;
    struct store_options options;
    char folder[4096];
    int lock_file;

    pthread_mutex_t append; /* one writer: guards what follows, but for rolls[].upto */
    struct buf wire;
    bool unresolved; /* the journal has parts of which it is not known whether they are in */
    struct record batch;   /* contacts, in a block larger than those that come in */
    struct block *waiting; /* contacts not yet rolled, a batch; all of one day */
    int64_t waiting_day;
    bool stale;            /* `waiting` is not what it should be: read it back */
    uint64_t contact_last; /* largest block of a contact */

    /* Held for writing while a rollup takes rows in: a question sees them either as contacts
     * or in the rollup. */
    pthread_rwlock_t rolling;
    int64_t first_start, last_start; /* of all contacts ever; first > last: none */
    struct roll rolls[ROLLUPS_MAX + 1];
    size_t roll_count;
    struct united unites[ROLLUPS_MAX];
    size_t united_count;
};

/* What a crash may have left: settle every part and rollup that was under way. */
enum err store_recover(struct store *s, struct fault *f) MUST_CHECK;

/* roll.c; the caller holds `append`. */

/* Take all that waits into the rollups. */
enum err store_roll(struct store *s, struct fault *f) MUST_CHECK;
/* Make sure that `rows` contacts of this day may come and wait. */
enum err store_make_way(struct store *s, size_t rows, int64_t day, struct fault *f) MUST_CHECK;
/* Contacts are in their table as insert `seq`: let them wait for the rollups. If that fails,
 * what waits is `stale`. */
void store_wait(struct store *s, const struct block *contacts, uint64_t seq);
/* Read what waits back from the tables. */
enum err store_find_waiting(struct store *s, struct fault *f) MUST_CHECK;
enum err store_find_span(struct store *s, struct fault *f) MUST_CHECK;
enum err store_settle_rolls(struct store *s, struct fault *f) MUST_CHECK;

/* unite.c; the caller holds `append`. */

enum {
    OPEN_DAYS_MAX = 8192 /* 22 years */
};
/* Contacts of this day are about to come in. ERR_FULL: more than OPEN_DAYS_MAX days are open.
 */
enum err store_open_day(struct store *s, int64_t day, struct fault *f) MUST_CHECK;
/* Unite one day of one rollup, if one is over and all its contacts are rolled. */
enum err store_unite(struct store *s, struct fault *f) MUST_CHECK;
enum err store_find_open_days(struct store *s, struct fault *f) MUST_CHECK;

/* `count` numbers from a line of tab-separated values; ERR_BAD if it does not hold just these.
 */
enum err store_numbers(const char *line, int64_t *ret_values, size_t count) MUST_CHECK;

/* The number in the only row and column of an answer; `otherwise` if there is no row. */
enum err store_number(struct store *s, const char *sql, int64_t otherwise, int64_t *ret_value,
    struct fault *f) MUST_CHECK;

#endif
