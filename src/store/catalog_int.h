#ifndef STORE_CATALOG_INT_H
#define STORE_CATALOG_INT_H

#include "store/catalog.h"

#include <pthread.h>
#include <sqlite3.h>

/* One connection and one lock: SQLite would serialise us anyway, and so a transaction never
 * meets another of this process. */
struct catalog {
    sqlite3 *db;
    pthread_mutex_t lock;
};

/* One statement from its text to its end. Failures stick: after the first one every call does
 * nothing, and query_end() returns it. Parameters are bound in order. */
struct query {
    struct catalog *catalog;
    sqlite3_stmt *statement;
    struct fault *fault;
    enum err err;
    int bound;
};

/* Take the lock, or begin a transaction with it. The end gives the lock back; a transaction is
 * committed if `e` is OK, else rolled back, and what came of it is returned. */
void catalog_enter(struct catalog *c);
void catalog_leave(struct catalog *c);
enum err catalog_begin(struct catalog *c, struct fault *f) MUST_CHECK;
enum err catalog_end(struct catalog *c, enum err e, struct fault *f) MUST_CHECK;

/* The lock is held from here on. */
void query_open(struct query *q, struct catalog *c, const char *sql, struct fault *f);
void query_number(struct query *q, int64_t value);
/* NULL becomes SQL's NULL. Borrowed until query_end(). */
void query_text(struct query *q, const char *text);
void query_bytes(struct query *q, const void *data, size_t len);

/* True: a row is there. */
bool query_row(struct query *q);
int64_t query_number_at(const struct query *q, int column);
/* Never NULL; borrowed until the next row. */
const char *query_text_at(const struct query *q, int column);
struct bytes query_bytes_at(const struct query *q, int column);
/* Copy a text that is known to fit; a longer one is cut. */
void query_copy_at(const struct query *q, int column, char *to, size_t len);

/* Stop with a failure of the caller's own. */
void query_fail(struct query *q, enum err e);
enum err query_end(struct query *q) MUST_CHECK;

/* For statements without rows: open, bound by the caller through `q`, then this. */
enum err query_done(struct query *q) MUST_CHECK;

/* How many rows the last statement changed. */
int64_t catalog_changes(const struct catalog *c);

/* A row of the audit log, within the caller's transaction. */
enum err audit_put(
    struct catalog *c, const struct catalog_audit *a, struct fault *f) MUST_CHECK;

/* An engine's state, packed, within the caller's transaction. */
enum err catalog_state_put(
    struct catalog *c, const struct catalog_engine_state *s, struct fault *f) MUST_CHECK;

/* Is a text short enough, and of the characters that names have? The fault says what is
 * allowed. */
enum err text_check(
    const char *what, const char *text, size_t most, struct fault *f) MUST_CHECK;
enum err name_check(const char *what, const char *text, struct fault *f) MUST_CHECK;

#endif
