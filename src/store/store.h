#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "record/block.h"
#include "store/ask.h"

/* Where records are kept: chDB in process today, a ClickHouse server later, behind one face.
 * One process owns a data folder at a time, and has one store open at a time. All functions may
 * be called from several threads. A process closes its store before it ends: the engine's
 * threads do not survive exit() (kill -9 harms nothing, it only makes the next start settle
 * what was under way). docs/formats/store.md tells how it is kept. */

struct store;

/* What networks are called: "" if not known. The text lives until the store is closed; it may
 * be any bytes. `of` NULL: nobody knows. Called from the threads that ask. */
struct store_names {
    void *context;
    const char *(*of)(void *context, uint32_t asn);
};

struct store_options {
    const char *library;      /* path of libchdb.so; NULL: the places of store/chdb_find.h */
    int64_t keep_packets;     /* retention, us: raw packets; 0: 30 days */
    int64_t keep_contacts;    /* contacts; 0: 90 days */
    int64_t keep_rollups;     /* sums by hour and day; 0: 5 years */
    bool durable;             /* fsync before store_append() returns */
    bool aside;               /* open the engine on a thread beside the caller's work */
    struct store_names names; /* of networks, for `as_name` in answers */
};

/* Open, or make, the store in folder `data`. ERR_BUSY names the process that owns it. With
 * `aside` the folder is this process's when it returns, and the functions below wait for the
 * engine; if that does not open, each of them fails with the reason. */
enum err store_open(struct store **ret_store, const char *data,
    const struct store_options *options, struct fault *f) MUST_CHECK;
void store_close(struct store *s);

/**
 * Keep a block. When it returns OK the rows are durable, and are there once: a block whose `id`
 * was kept before (the last 10,000 are remembered, also over a restart) changes nothing. A
 * block may span up to 400 days.
 *
 * @param id  up to 63 bytes of [A-Za-z0-9._:-]; the same content must always come with the same
 * id: a sender makes it from site, kind and block_digest().
 * @return ERR_FULL: the disk is full; try the same block again later, what of it is in already
 * is known; ERR_BAD: the id; ERR_RANGE: too many days; ERR_IO; ERR_NOMEM.
 */
enum err store_append(
    struct store *s, const struct block *b, const char *id, struct fault *f) MUST_CHECK;

/* The same for several blocks at once, in any order of kinds: neighbours of one kind and day go
 * in together, which costs much less than one by one. After an error some of them may be in;
 * trying all of them again keeps each once. */
struct store_block {
    const struct block *block;
    const char *id;
};
enum err store_append_all(struct store *s, const struct store_block *blocks, size_t count,
    struct fault *f) MUST_CHECK;

/**
 * Ask. The rows go to `out`: FORMAT_JSON an array of objects, FORMAT_CSV lines with a header.
 * `ret_cursor` (may be NULL) gets the next page's cursor, "" after the last.
 */
enum err store_ask(struct store *s, const struct ask *a, enum ask_format format,
    struct buf *out, char ret_cursor[ASK_CURSOR], struct fault *f) MUST_CHECK;

/* Like store_ask() for answers of any length: `part` is called with successive pieces. */
enum err store_stream(struct store *s, const struct ask *a, enum ask_format format,
    enum err (*part)(void *context, const void *data, size_t len), void *context,
    struct fault *f) MUST_CHECK;

/* Much comes in at once: what the engine does to its files by itself waits for store_upkeep(),
 * or until there are thousands of them. */
void store_hurry(struct store *s);

/* Work that may wait for a quiet moment: one step of it, of some seconds at most for a day of a
 * hundred million packets; `*ret_more` says that there was something to do. Days that are over
 * are made quick to ask. Blocks and questions come and go meanwhile. Nothing is wrong without
 * it, but questions about weeks are slow; when many days wait, store_append() does it. */
enum err store_upkeep(struct store *s, bool *ret_more, struct fault *f) MUST_CHECK;

/* What store_expire() dropped, in whole days. */
struct store_expired {
    uint64_t packets, contacts, sums; /* rows; sums: those by hour and day */
    int64_t from, to; /* us: the days of what was dropped; both 0 if nothing was */
    bool waits;       /* contacts are old that are not summed up yet: to be tried again */
};

/* Drop what is older than the retention, seen from `now` (the newest packet's time). What went
 * before an error is in `ret_expired`, too. */
enum err store_expire(struct store *s, int64_t now, struct store_expired *ret_expired,
    struct fault *f) MUST_CHECK;

/* Copy the store as it is now into `folder`, which is there, empty and on the store's file
 * system: store_open() takes it for one. The parts are links to the store's own files, which
 * never change, so that it takes little time and no room at first; blocks wait meanwhile. One
 * at a time. */
enum err store_snapshot(struct store *s, const char *folder, struct fault *f) MUST_CHECK;

struct store_usage {
    uint64_t disk_bytes, disk_free;
    uint64_t packets, contacts;
    char version[64]; /* of the engine */
};
enum err store_usage(
    struct store *s, struct store_usage *ret_usage, struct fault *f) MUST_CHECK;

#endif
