#include "store/catalog_int.h"

#include <string.h>

/* ---- sites ---- */

enum err catalog_site_put(struct catalog *c, const struct catalog_site *s, struct fault *f)
{
    enum err e = text_check("note", s->note, CATALOG_NOTE, f);
    if (!e && !s->name[0])
        e = fault_set(f, ERR_BAD, "a site needs a name");
    if (e)
        return e;
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "INSERT INTO site (name, first_seen, addresses, source, note) VALUES (?1, ?2, ?3, ?4, "
        "?5)"
        " ON CONFLICT (name) DO UPDATE SET first_seen = min(first_seen, ?2), addresses = ?3,"
        " source = ?4, note = ?5",
        f);
    query_text(&q, s->name);
    query_number(&q, s->first_seen);
    query_number(&q, (int64_t)s->addresses);
    query_text(&q, s->source);
    query_text(&q, s->note);
    e = query_done(&q);
    catalog_leave(c);
    return e;
}

enum err catalog_sites(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_site *s), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT name, first_seen, addresses, source, note FROM site ORDER BY name", NULL);
    while (query_row(&q)) {
        struct catalog_site s = {0};
        query_copy_at(&q, 0, s.name, sizeof s.name);
        s.first_seen = query_number_at(&q, 1);
        s.addresses = (uint64_t)query_number_at(&q, 2);
        query_copy_at(&q, 3, s.source, sizeof s.source);
        query_copy_at(&q, 4, s.note, sizeof s.note);
        query_fail(&q, each(context, &s));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

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

enum err catalog_imports(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_import *i), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT site, digest, file, size, finished, rows FROM import"
        " ORDER BY finished DESC, site, file",
        NULL);
    while (query_row(&q)) {
        struct catalog_import i;
        import_read(&q, &i);
        query_fail(&q, each(context, &i));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

/* ---- data sets ---- */

enum err catalog_dataset_put(
    struct catalog *c, const struct catalog_dataset *d, struct fault *f)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "INSERT INTO dataset (name, origin, dated, rows, loaded) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (name) DO UPDATE SET origin = ?2, dated = ?3, rows = ?4, loaded = ?5",
        f);
    query_text(&q, d->name);
    query_text(&q, d->origin);
    query_text(&q, d->dated);
    query_number(&q, (int64_t)d->rows);
    query_number(&q, d->loaded);
    enum err e = query_done(&q);
    catalog_leave(c);
    return e;
}

enum err catalog_datasets(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_dataset *d), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(
        &q, c, "SELECT name, origin, dated, rows, loaded FROM dataset ORDER BY name", NULL);
    while (query_row(&q)) {
        struct catalog_dataset d = {0};
        query_copy_at(&q, 0, d.name, sizeof d.name);
        query_copy_at(&q, 1, d.origin, sizeof d.origin);
        query_copy_at(&q, 2, d.dated, sizeof d.dated);
        d.rows = (uint64_t)query_number_at(&q, 3);
        d.loaded = query_number_at(&q, 4);
        query_fail(&q, each(context, &d));
    }
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
