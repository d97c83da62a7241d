#include "store/catalog_int.h"

#include <stdio.h>
#include <string.h>

static enum err code_meaning(int code)
{
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_TOOBIG:
        return ERR_BAD;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    default:
        return ERR_IO;
    }
}

static void sqlite_fail(struct query *q)
{
    if (q->err)
        return;
    q->err = code_meaning(sqlite3_extended_errcode(q->catalog->db));
    fault_set(q->fault, q->err, "catalogue: %s", sqlite3_errmsg(q->catalog->db));
}

void catalog_enter(struct catalog *c)
{
    pthread_mutex_lock(&c->lock);
}

void catalog_leave(struct catalog *c)
{
    pthread_mutex_unlock(&c->lock);
}

enum err catalog_begin(struct catalog *c, struct fault *f)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "BEGIN IMMEDIATE", f);
    enum err e = query_done(&q);
    if (e)
        catalog_leave(c);
    return e;
}

enum err catalog_end(struct catalog *c, enum err e, struct fault *f)
{
    struct query q;
    if (!e) {
        query_open(&q, c, "COMMIT", f);
        e = query_done(&q);
    }
    if (e && !sqlite3_get_autocommit(c->db))
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    catalog_leave(c);
    return e;
}

void query_open(struct query *q, struct catalog *c, const char *sql, struct fault *f)
{
    *q = (struct query){.catalog = c, .fault = f};
    if (sqlite3_prepare_v2(c->db, sql, -1, &q->statement, NULL) != SQLITE_OK)
        sqlite_fail(q);
}

void query_number(struct query *q, int64_t value)
{
    if (!q->err && sqlite3_bind_int64(q->statement, ++q->bound, value) != SQLITE_OK)
        sqlite_fail(q);
}

void query_text(struct query *q, const char *text)
{
    if (!q->err &&
        sqlite3_bind_text(q->statement, ++q->bound, text, -1, SQLITE_STATIC) != SQLITE_OK)
        sqlite_fail(q);
}

void query_bytes(struct query *q, const void *data, size_t len)
{
    if (!q->err && sqlite3_bind_blob64(q->statement, ++q->bound, data ? data : "", len,
                       SQLITE_STATIC) != SQLITE_OK)
        sqlite_fail(q);
}

bool query_row(struct query *q)
{
    if (q->err)
        return false;
    int code = sqlite3_step(q->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        sqlite_fail(q);
    return code == SQLITE_ROW;
}

int64_t query_number_at(const struct query *q, int column)
{
    return sqlite3_column_int64(q->statement, column);
}

const char *query_text_at(const struct query *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q->statement, column);
    return text ? (const char *)text : "";
}

struct bytes query_bytes_at(const struct query *q, int column)
{
    const void *data = sqlite3_column_blob(q->statement, column);
    return bytes_over(data, data ? (size_t)sqlite3_column_bytes(q->statement, column) : 0);
}

void query_copy_at(const struct query *q, int column, char *to, size_t len)
{
    snprintf(to, len, "%s", query_text_at(q, column));
}

void query_fail(struct query *q, enum err e)
{
    if (!q->err)
        q->err = e;
}

enum err query_end(struct query *q)
{
    sqlite3_finalize(q->statement);
    q->statement = NULL;
    return q->err;
}

enum err query_done(struct query *q)
{
    while (query_row(q)) {
    }
    return query_end(q);
}

int64_t catalog_changes(const struct catalog *c)
{
    return sqlite3_changes64(c->db);
}

enum err text_check(const char *what, const char *text, size_t most, struct fault *f)
{
    if (strlen(text) >= most)
        return fault_set(f, ERR_BAD, "%s: longer than the %zu bytes allowed", what, most - 1);
    return OK;
}

enum err name_check(const char *what, const char *text, struct fault *f)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";
    size_t len = strlen(text);
    if (len < 1 || len >= CATALOG_NAME || strspn(text, allowed) != len)
        return fault_set(f, ERR_BAD,
            "%s: 1 to %d of A-Z, a-z, 0-9, '.', '_', '@' and '-' are allowed", what,
            CATALOG_NAME - 1);
    return OK;
}
