#ifndef BUS_SPOOL_H
#define BUS_SPOOL_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>

/* What a site has seen and the hub has not yet stored: an append-only queue on the site's disk.
 * Entries are numbered from 1; a number is never given twice in one spool, and a spool has an
 * identity of its own, so that one that was wiped and begun again is not taken for the old one.
 * docs/formats/bus.md tells the files.
 *
 * One thread appends; one thread reads and commits; counts may be asked from any. */
struct spool;

enum {
    SPOOL_KIND_MAX = 15,                /* letters in the name of an entry's kind */
    SPOOL_ENTRY_MAX = (8 << 20) - 1024, /* bytes; what the carrier takes in one message */
};

/* What happens when the cap is reached. */
enum spool_policy {
    SPOOL_DROP_OLDEST, /* the oldest segment goes, and what was in it is counted as lost */
    SPOOL_REFUSE, /* the new entry is refused with ERR_FULL: the caller waits, or drops it */
};

struct spool_options {
    const char *folder; /* made if it is not there; nobody but its owner may read it */
    uint64_t cap;       /* bytes on disk, at least two segments; 0: 8 GiB */
    uint64_t segment;   /* bytes of one file; 0: 16 MiB */
    enum spool_policy policy;
    uint64_t id;   /* of a spool that is new; 0: from the system's randomness */
    bool careless; /* no fsync: for tests and measurements */
    bool together; /* entries are made safe by spool_sync(), several at once, not one by one */
    const struct clock *clock; /* borrowed; NULL: the system's */
};

struct spool_counts {
    uint64_t id;
    uint64_t first, last;            /* numbers of what it holds; first > last: nothing */
    uint64_t next;                   /* the number that the next entry gets */
    uint64_t committed;              /* the hub has stored everything up to here */
    uint64_t bytes;                  /* on disk */
    uint64_t dropped, dropped_items; /* entries, and packets in them, that the cap cost */
    uint64_t damaged; /* entries, at least, whose bytes the disk gave back changed */
    uint64_t cut;     /* bytes of a torn end that were cut when it was opened */
    uint64_t torn;    /* number of the entry that was torn last, cut now or before, as long as
                         the file that it was in is there; 0: none */
};

/**
 * Open or begin a spool, and mend what a crash left: an entry of which only a part was written
 * is cut off.
 *
 * @return OK; ERR_BUSY: another process has it; ERR_BAD: the folder holds something else;
 *         ERR_RANGE: cap and segment; ERR_IO, the fault names the file; ERR_NOMEM.
 */
enum err spool_open(
    struct spool **ret_spool, const struct spool_options *options, struct fault *f) MUST_CHECK;
void spool_close(struct spool *s);

/**
 * Add an entry. When it returns OK the entry survives a crash of the program, and a loss of
 * power if the spool is not synced together.
 *
 * @param kind  1 to SPOOL_KIND_MAX of [a-z0-9_].
 * @param items how many packets or records are in it, for the account of what was lost.
 * @return OK; ERR_FULL: the cap, or the disk; ERR_RANGE: longer than SPOOL_ENTRY_MAX; ERR_IO.
 *         After a failure nothing of it is there.
 * Cost: a copy, a checksum and an fdatasync.
 */
enum err spool_append(struct spool *s, const char *kind, struct bytes data, uint32_t items,
    uint64_t *ret_number, struct fault *f) MUST_CHECK;

/* Everything that was added survives a loss of power from here on: for a spool that is synced
 * together. From the thread that appends. */
enum err spool_sync(struct spool *s, struct fault *f) MUST_CHECK;

struct spool_entry {
    uint64_t number;
    uint64_t previous; /* number of the entry before it that the spool still holds; 0: none */
    int64_t time;      /* when it was appended, us */
    uint32_t items;
    char kind[SPOOL_KIND_MAX + 1];
    struct bytes data; /* borrowed until the next call */
};

/* The first entry with at least this number. ERR_NOTFOUND: there is none. What cannot be read
 * any more is passed over and counted. Cheap when entries are read in order. ERR_NOMEM: the
 * machine is out of memory or of files now; nothing is passed over. */
enum err spool_read(struct spool *s, uint64_t number, struct spool_entry *ret_entry,
    struct fault *f) MUST_CHECK;

/* Everything up to `number` is stored elsewhere: files that hold nothing else are removed. A
 * number beyond the last entry is taken as the last. */
void spool_commit(struct spool *s, uint64_t number);

void spool_counts(struct spool *s, struct spool_counts *ret_counts);

/* --- the form of a segment, for its tests ------------------------------------------------- */

enum {
    SEGMENT_HEADER = 32,
    ENTRY_HEADER = 48
};

/* The header of a segment: identity of the spool and number of its first entry. */
enum err segment_parse(struct bytes *b, uint64_t *ret_id, uint64_t *ret_first) MUST_CHECK;

/* The next entry; `b` is left behind it, or, on failure, where it was. `previous` stays the
 * caller's. ERR_SHORT: bytes end before the entry does; ERR_BAD: its form or checksum. */
enum err entry_parse(struct bytes *b, struct spool_entry *ret_entry) MUST_CHECK;

#endif
