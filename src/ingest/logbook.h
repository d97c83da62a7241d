#ifndef INGEST_LOGBOOK_H
#define INGEST_LOGBOOK_H

#include "base/bytes.h"
#include "base/clock.h"
#include "bus/bus.h"

/* What sites sent and the engines' kept states may not have seen: the messages of windows that
 * are open, and of LOGBOOK_KEEP before them, in files on the hub's disk, in the order in which
 * they were taken. A hub that was killed reads them again, and so its sensors and engines come
 * to where they were. The files are a spool's (bus/spool.h).
 *
 * One thread adds; one reads and tidies; logbook_covered() and counts are for any. */
struct logbook;

/* How long a message stays after the states that cover it were kept: what sensors remember of
 * sources is made of it again. */
#define LOGBOOK_KEEP (60 * US_MINUTE)

struct logbook_options {
    const char *folder;        /* made if it is not there */
    uint64_t cap;              /* bytes; the oldest messages go; 0: 1 GiB */
    uint64_t segment;          /* bytes of a file; 0: 16 MiB */
    int64_t seen;              /* end of the last window that kept states have seen; 0: none */
    bool careless;             /* no fsync: for tests, and folders that nobody keeps */
    const struct clock *clock; /* borrowed; NULL: the system's */
};

/* Files that are no logbook's, or are damaged beyond their end, are removed, with `ret_fresh`
 * saying so; it may be NULL. ERR_BUSY, ERR_IO, ERR_RANGE, ERR_NOMEM. */
enum err logbook_open(struct logbook **ret_logbook, const struct logbook_options *options,
    bool *ret_fresh, struct fault *f) MUST_CHECK;
void logbook_close(struct logbook *j);

/* Remove what an earlier one left in a folder, and the folder: none is kept any more. Nobody
 * has it open. `*ret_count` files had messages; a folder that is not there has none. ERR_IO:
 * something stays. */
enum err logbook_remove(const char *folder, size_t *ret_count, struct fault *f) MUST_CHECK;

/* A message of a site. */
struct logbook_entry {
    uint64_t at;   /* its number here; grows */
    int64_t time;  /* when it was added */
    uint32_t rows; /* packets in it */
    char site[BUS_SITE_MAX + 1];
    uint64_t spool, number; /* of the site's entry */
    struct bytes data;      /* the entry's; borrowed until the next call */
};

/* Add it; `at` and `time` are found out. ERR_FULL: the disk; ERR_RANGE: it is longer than what
 * fits beside the names of site and spool, as no sensor's is; ERR_IO. */
enum err logbook_add(struct logbook *j, const struct logbook_entry *e, uint64_t *ret_at,
    struct fault *f) MUST_CHECK;
/* What was added survives a loss of power from here on. */
enum err logbook_sync(struct logbook *j, struct fault *f) MUST_CHECK;

/* The first message with at least this number; ERR_NOTFOUND: there is none. */
enum err logbook_read(struct logbook *j, uint64_t at, struct logbook_entry *ret_entry,
    struct fault *f) MUST_CHECK;

/* The engines' states that were kept just now have seen every window that is closed. */
void logbook_covered(struct logbook *j);
/* Let go of what is not needed any more. */
void logbook_tidy(struct logbook *j);

struct logbook_counts {
    uint64_t first, last; /* numbers of what it holds; first > last: nothing */
    uint64_t bytes;
    uint64_t damaged; /* messages, at least, that were there and could not be read */
    bool cut;         /* the cap has cost messages that no kept state covers */
};
void logbook_counts(struct logbook *j, struct logbook_counts *ret_counts);

#endif
