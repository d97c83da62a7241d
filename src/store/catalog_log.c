/* What was taken in, and who did what. */
#include "store/catalog_int.h"

#include <string.h>

/* ---- imports ---- */

static void import_read(const struct query *q, struct catalog_import *i)
{
    struct bytes digest = query_bytes_at(q, 1);
    memset(i, 0, sizeof *i);
    query_copy_at(q, 0, i->site, sizeof i->site);
    if (digest.left == CATALOG_HASH)
        memcpy(i->digest, digest.at, CATALOG_HASH);
    query_copy_at(q, 2, i->file, sizeof i->file);
    i->size = (uint64_t)query_number_at(q, 3);
    i->finished = query_number_at(q, 4);
    i->rows = (uint64_t)query_number_at(q, 5);
}

enum err catalog_import_add(struct catalog *c, const struct catalog_import *i, struct fault *f)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "INSERT INTO import (site, digest, file, size, finished, rows) VALUES (?, ?, ?, ?, ?, "
        "?)",
        f);
    query_text(&q, i->site);
    query_bytes(&q, i->digest, CATALOG_HASH);
    query_text(&q, i->file);
    query_number(&q, (int64_t)i->size);
    query_number(&q, i->finished);
    query_number(&q, (int64_t)i->rows);
    enum err e = query_done(&q);
    catalog_leave(c);
    return e;
}

enum err catalog_import_find(struct catalog *c, const char *site,
    const uint8_t digest[CATALOG_HASH], struct catalog_import *ret_import)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT site, digest, file, size, finished, rows FROM import"
        " WHERE site = ? AND digest = ?",
        NULL);
    query_text(&q, site);
    query_bytes(&q, digest, CATALOG_HASH);
    if (query_row(&q))
        import_read(&q, ret_import);
    else
        query_fail(&q, ERR_NOTFOUND);
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

/* ---- audit log ---- */

enum err audit_put(struct catalog *c, const struct catalog_audit *a, struct fault *f)
{
    struct query q;
    query_open(&q, c,
        "INSERT INTO audit (time, who, what, subject, detail) VALUES (?, ?, ?, ?, ?)", f);
    query_number(&q, a->time);
    query_text(&q, a->who);
    query_text(&q, a->what);
    query_text(&q, a->subject);
    query_text(&q, a->detail);
    return query_done(&q);
}

enum err catalog_audit_add(struct catalog *c, const struct catalog_audit *a, struct fault *f)
{
    catalog_enter(c);
    enum err e = audit_put(c, a, f);
    catalog_leave(c);
    return e;
}

enum err catalog_audit_list(struct catalog *c, int64_t before, size_t limit,
    enum err (*each)(void *context, const struct catalog_audit *a), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT seq, time, who, what, subject, detail FROM audit"
        " WHERE ?1 = 0 OR seq < ?1 ORDER BY seq DESC LIMIT ?2",
        NULL);
    query_number(&q, before);
    query_number(&q, (int64_t)limit);
    while (query_row(&q)) {
        struct catalog_audit a = {0};
        a.seq = query_number_at(&q, 0);
        a.time = query_number_at(&q, 1);
        query_copy_at(&q, 2, a.who, sizeof a.who);
        query_copy_at(&q, 3, a.what, sizeof a.what);
        query_copy_at(&q, 4, a.subject, sizeof a.subject);
        query_copy_at(&q, 5, a.detail, sizeof a.detail);
        query_fail(&q, each(context, &a));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}
