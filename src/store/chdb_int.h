#ifndef STORE_CHDB_INT_H
#define STORE_CHDB_INT_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

/* ClickHouse as a library, in this process. The library is opened by hand, so the program runs
 * without it where no store is wanted; the few declarations needed stand in chdb.c.
 *
 * The engine has one data folder per process. A connection runs one statement at a time: there
 * are two for writing, one for keeping house and a few for reading; who finds all of a sort
 * taken waits. */

enum {
    CHDB_WRITERS = 2, /* packets and contacts go in side by side */
    CHDB_READERS = 4
};

struct chdb;

struct chdb_options {
    const char *library; /* path of libchdb.so */
    const char *folder;  /* of the data; made if missing */
    size_t memory;       /* bytes: what the whole engine may take; 0: 900 MB */
};

/* ERR_IO if the library does not load or the engine refuses the folder. */
enum err chdb_open(
    struct chdb **ret_chdb, const struct chdb_options *options, struct fault *f) MUST_CHECK;
void chdb_close(struct chdb *d);

/* Of the ClickHouse inside: "26.7.2.1". */
const char *chdb_engine(const struct chdb *d);

/* Run one statement on a writing connection. ERR_FULL: no space left on the disk. */
enum err chdb_write(struct chdb *d, const char *sql, struct fault *f) MUST_CHECK;

/* The same on a connection for work that takes long: inserts do not wait for it. */
enum err chdb_keep(struct chdb *d, const char *sql, struct fault *f) MUST_CHECK;

/* Insert `len` bytes in `format`; `sql` is the INSERT up to where FORMAT would come. */
enum err chdb_insert(struct chdb *d, const char *sql, const char *format, const void *data,
    size_t len, struct fault *f) MUST_CHECK;

/* Run one statement and append its rows to `out` as tab-separated values. */
enum err chdb_read(
    struct chdb *d, const char *sql, struct buf *out, struct fault *f) MUST_CHECK;

/* The same in any format and for answers of any length: `part` gets it piece by piece, whole
 * lines or whole blocks. */
enum err chdb_read_parts(struct chdb *d, const char *sql, const char *format,
    enum err (*part)(void *context, const char *data, size_t len), void *context,
    struct fault *f) MUST_CHECK;

#endif
