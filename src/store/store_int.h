#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include "store/chdb_find.h"
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
    STORE_GROUP_MAX = 64, /* blocks of one insert, and their rows */
    STORE_GROUP_ROWS = 3 << 17,
    STORE_WIRE_MAX = 1 << 28, /* bytes of one insert */
    STORE_SQL_MAX = 1 << 20,
    HURRY_MOST = 2000,    /* inserts while merges wait */
    BEHIND_MOST = 1 << 24 /* contacts that the rollups may lack: questions read all of them */
};

/* How a table is filled from contacts that waited. */
enum roll_how {
    ROLL_SUMS,     /* a rollup */
    ROLL_BUSIEST,  /* the busiest sources of each hour */
    ROLL_BY_SOURCE /* the contacts once more, in another order */
};
struct roll {
    const char *name;
    enum roll_how how;
    const struct rollup *rollup; /* ROLL_SUMS */
    uint64_t upto;               /* contacts with block <= upto are in it */
    uint64_t doing;              /* > upto: an insert of those up to here may have got in */
};

/* What is made when an hour or a day is over. Rows of an open unit, if there are any, are old:
 * questions read what they are made from. */
enum united_how {
    UNITED_SUMS,      /* a rollup from another one */
    UNITED_SOURCES,   /* all about the busiest sources, from contacts by source */
    UNITED_BY_SOURCE, /* one part of the contacts by source; rows are never old */
    UNITED_TAGS,      /* all that is by tags and hour, from contacts that were screened */
    UNITED_TAG_DAYS   /* the same by day, from the hours */
};
struct united {
    const char *name;
    enum united_how how;
    const struct rollup *rollup; /* UNITED_SUMS */
    int64_t unit;                /* us: US_HOUR or US_DAY */
    int64_t *open;               /* numbers of units (time / unit), ascending */
    size_t open_count;
};

/* What questions have to know of how far things are. A question takes a copy when it begins,
 * and asks every table for rows up to there: it waits for nobody, and what comes in meanwhile
 * changes nothing. */
struct view {
    int64_t first_start, last_start; /* of all contacts ever; first > last: none */
    uint64_t contact_last;           /* largest block of a contact */
    struct roll rolls[ROLLUPS_MAX + 2];
    size_t roll_count;
    struct united unites[ROLLUPS_MAX + 4];
    size_t united_count;
    int64_t screened_last; /* start of the last window that was screened; INT64_MIN: none */
};

struct store {
    struct chdb *chdb;
    struct journal *journal;
    struct dialect dialect;
    struct store_options options;
    char folder[4096];
    char library[CHDB_PATH];
    int lock_file;

    pthread_mutex_t opening; /* of the following, until `ready` */
    pthread_cond_t opened;
    pthread_t opener;
    bool opener_runs;
    bool ready;          /* the engine is open, or `failed` to */
    bool hurry_asked;    /* before that */
    struct fault failed; /* code OK: it is open */

    /* Packets change nothing but their table and the journal: while they go in, `append` is
     * free for contacts. One call with packets at a time, which takes this lock first. */
    pthread_mutex_t packets;
    struct buf packet_wire;

    pthread_mutex_t append; /* one writer: guards what follows, and every change of `view` */
    bool flying;           /* packets are going in; the journal does not know yet if they are */
    pthread_cond_t landed; /* no longer */
    struct buf wire;
    struct rolling rolling;
    struct order order;
    struct block *joined, *sorted; /* room for contacts on their way, a batch each */
    uint64_t *numbers;             /* of the rows of `joined` */
    struct record batch;           /* contacts, in a block larger than those that come in */
    struct block *waiting;         /* contacts not yet rolled, a batch; all of one day */
    int64_t waiting_day;
    uint64_t behind_rows; /* contacts that wait in their table: about how many */
    bool behind;          /* some do (behind.c), and `waiting` is empty */
    bool stale;           /* `waiting` is not what it should be: read it back */
    bool unresolved; /* the journal has parts of which it is not known whether they are in */

    bool hurry;       /* the engine's merges wait */
    unsigned hurried; /* inserts since then */

    /* The time that is being united, while `append` is free. */
    const struct united *uniting;
    int64_t uniting_from, uniting_to;
    bool spoiled; /* contacts of it have come in meanwhile */

    pthread_rwlock_t viewing; /* guards `view` against its readers */
    struct view view;
    /* Held for reading while a question runs, for writing while rows are removed. */
    pthread_rwlock_t removal;
};

/* store.c: every function of store.h begins with it. Waits until the store is open; why it is
 * not. */
enum err store_ready(struct store *s, struct fault *f) MUST_CHECK;
/* Is it not open yet? Then the hurry begins with it. */
bool store_hurry_later(struct store *s);

/* view.c */

/* A copy for a question, which view_done() frees. */
enum err view_take(struct store *s, struct view *ret_view) MUST_CHECK;
void view_done(struct view *v);
/* Changes; the caller holds `append`. */
void view_widen(struct store *s, int64_t first, int64_t last, uint64_t contact_last);
void view_screened(struct store *s, int64_t last);
void view_rolled(struct store *s, struct roll *r, uint64_t upto);
void view_open_unit(struct store *s, struct united *u, int64_t unit);
void view_close_unit(struct store *s, struct united *u, int64_t unit);
bool view_is_open(const struct united *u, int64_t unit);
const struct roll *view_roll(const struct view *v, enum roll_how how);
const struct united *view_united(const struct view *v, enum united_how how);

/* append.c: wait until no packets are going in; the caller holds `append`, which is free
 * meanwhile. */
void store_land(struct store *s);

/* snapshot.c: what a crash may have left of a snapshot keeps files that the store has done
 * with.
 */
enum err store_snapshot_clear(const struct store *s, struct fault *f) MUST_CHECK;

/* "ALTER TABLE kz.NAME HOW" on every table of rows, or on those that `where`, which begins with
 * " AND", narrows to. */
enum err store_tables_alter(
    struct store *s, const char *where, const char *how, struct fault *f) MUST_CHECK;

/* What a crash may have left: settle every part and rollup that was under way. */
enum err store_recover(struct store *s, struct fault *f) MUST_CHECK;

/* roll.c; the caller holds `append`. */

/* Take all that waits, which are the contacts of inserts up to `upto`, into the rollups. */
enum err store_roll(struct store *s, uint64_t upto, struct fault *f) MUST_CHECK;
/* The same, or, where there is no time for it, let them wait in their table. */
enum err store_roll_or_wait(struct store *s, struct fault *f) MUST_CHECK;
/* Did an intake fail half way? */
bool store_half_rolled(const struct store *s);
/* Make sure that `rows` contacts of this day may come and wait. */
enum err store_make_way(struct store *s, size_t rows, int64_t day, struct fault *f) MUST_CHECK;
/* Contacts are in their table as insert `seq`: let them wait for the rollups. If that fails,
 * what waits is `stale`. */
void store_wait(struct store *s, const struct block *contacts, uint64_t seq);
enum err store_find_span(struct store *s, struct fault *f) MUST_CHECK;
enum err store_settle_rolls(struct store *s, struct fault *f) MUST_CHECK;

/* behind.c; the caller holds `append`. */

/* May the rollups fall behind, by `rows` more? */
bool behind_may_grow(const struct store *s, size_t rows);
/* What waits in memory waits in its table from now on. */
void store_fall_behind(struct store *s);
/* One intake of what waits there, if anything does; then `*ret_more` is set. */
enum err store_catch_up(struct store *s, bool *ret_more, struct fault *f) MUST_CHECK;
/* Find out from the tables what waits: read it back, or know that the rollups are behind. */
enum err store_find_waiting(struct store *s, struct fault *f) MUST_CHECK;

/* hurry.c; the caller holds `append`. */

void store_hurry_begin(struct store *s);
/* The rows in `wire` on their way in, counted where that matters. */
enum err store_insert(struct store *s, const char *table, struct fault *f) MUST_CHECK;
/* The same in two steps, the second of which needs no lock. */
void store_insert_count(struct store *s);
enum err store_insert_wire(
    struct store *s, const char *table, const struct buf *wire, struct fault *f) MUST_CHECK;
enum err store_hurry_end(struct store *s, struct fault *f) MUST_CHECK;

/* unite.c; the caller holds `append`. */

enum {
    OPEN_DAYS_MAX = 8192, /* 22 years */
    LATE_DAYS = 8         /* that are over and wait for a quiet moment */
};
/* Rows of `kind`, contacts or what screening says of them, of these hours of a day (bit h: hour
 * h) are about to come in. ERR_FULL: more than OPEN_DAYS_MAX days are open. */
enum err store_open_hours(struct store *s, const struct record *kind, int64_t day,
    uint32_t hours, struct fault *f) MUST_CHECK;
/* The hours of the day in which the rows start; they are all of one day. */
uint32_t store_hours_of(const struct block *rows);
/* Unite some hours or a day of one table, if they are over and all their contacts are rolled;
 * `late_only`: only if more than LATE_DAYS are. The lock is given back while the engine works.
 */
enum err store_unite(
    struct store *s, bool late_only, bool *ret_done, struct fault *f) MUST_CHECK;
enum err store_find_open_units(struct store *s, struct fault *f) MUST_CHECK;
bool store_is_of_tags(const struct united *u);
/* Is no hour of the day open in what is united by tags? */
bool store_tags_are_united(const struct store *s, int64_t day);

/* upgrade.c: a folder of format 3 or 4 becomes one of this format. What is united otherwise now
 * is made anew, from the rollups that are as they were: its tables go before the others are
 * made (store_upgrade_begin()), and is open then (store_upgrade_end()). A crash in between
 * begins it again. */
enum err store_upgrade_begin(struct store *s, struct fault *f) MUST_CHECK;
enum err store_upgrade_end(struct store *s, struct fault *f) MUST_CHECK;

/* `count` numbers from a line of tab-separated values; ERR_BAD if it does not hold just these.
 */
enum err store_numbers(const char *line, int64_t *ret_values, size_t count) MUST_CHECK;

/* The number in the only row and column of an answer; `otherwise` if there is no row. */
enum err store_number(struct store *s, const char *sql, int64_t otherwise, int64_t *ret_value,
    struct fault *f) MUST_CHECK;

#endif
