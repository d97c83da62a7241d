#include "store/catalog_remote.h"

#include "store/catalog_int.h"

#include <stdio.h>
#include <string.h>

enum {
    POSITIONS_KEPT = 4 /* of one site */
};

enum err catalog_remote_invite(struct catalog *c, const struct catalog_remote *r,
    const uint8_t hash[CATALOG_HASH], struct fault *f)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "INSERT INTO remote_site (name, added, addresses, token, token_expires)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET"
        " addresses = CASE WHEN ?3 > 0 THEN ?3 ELSE addresses END, token = ?4,"
        " token_expires = ?5",
        f);
    query_text(&q, r->name);
    query_number(&q, r->added);
    query_number(&q, (int64_t)r->addresses);
    query_bytes(&q, hash, CATALOG_HASH);
    query_number(&q, r->token_expires);
    enum err e = query_done(&q);
    catalog_leave(c);
    return e;
}

static enum err token_find(
    struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t now, char *ret_name)
{
    struct query q;
    enum err found = ERR_NOTFOUND;
    query_open(
        &q, c, "SELECT name FROM remote_site WHERE token = ? AND token_expires > ?", NULL);
    query_bytes(&q, hash, CATALOG_HASH);
    query_number(&q, now);
    if (query_row(&q)) {
        query_copy_at(&q, 0, ret_name, CATALOG_REMOTE_NAME);
        found = OK;
    }
    enum err e = query_end(&q);
    return e ? e : found;
}

enum err catalog_remote_redeem(struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t now,
    char ret_name[CATALOG_REMOTE_NAME])
{
    char name[CATALOG_REMOTE_NAME];
    struct query q;
    enum err e = catalog_begin(c, NULL);
    if (e)
        return e;
    e = token_find(c, hash, now, name);
    if (!e) {
        query_open(&q, c,
            "UPDATE remote_site SET token = NULL, token_expires = 0, revoked = 0"
            " WHERE name = ?",
            NULL);
        query_text(&q, name);
        e = query_done(&q);
    }
    e = catalog_end(c, e, NULL);
    if (!e)
        memcpy(ret_name, name, sizeof name);
    return e;
}

/* One row was meant; none is there. */
static enum err changed_one(struct catalog *c, const char *name, struct fault *f)
{
    return catalog_changes(c) ? OK : fault_set(f, ERR_NOTFOUND, "there is no site %s", name);
}

enum err catalog_remote_certified(struct catalog *c, const char *name, const char *serial,
    int64_t now, int64_t expires, struct fault *f)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "UPDATE remote_site SET enrolled = ?, expires = ?, serial = ?, serial_before = '',"
        " before_until = 0 WHERE name = ?",
        f);
    query_number(&q, now);
    query_number(&q, expires);
    query_text(&q, serial);
    query_text(&q, name);
    enum err e = query_done(&q);
    if (!e)
        e = changed_one(c, name, f);
    catalog_leave(c);
    return e;
}

/* Of two answers to the same certificate only the later counts beside it: a site that asks
 * again has not got the first. */
enum err catalog_remote_renewed(struct catalog *c, const struct catalog_remote *r,
    const char *shown, int64_t overlap, struct fault *f)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "UPDATE remote_site SET"
        " before_until = CASE WHEN serial = ?2 THEN ?3 ELSE before_until END,"
        " serial = ?4, serial_before = ?2, enrolled = ?5, expires = ?6"
        " WHERE name = ?1 AND revoked = 0 AND enrolled > 0 AND"
        " (serial = ?2 OR (serial_before = ?2 AND before_until > ?5))",
        f);
    query_text(&q, r->name);
    query_text(&q, shown);
    query_number(&q, overlap);
    query_text(&q, r->serial);
    query_number(&q, r->enrolled);
    query_number(&q, r->expires);
    enum err e = query_done(&q);
    if (!e && !catalog_changes(c))
        e = fault_set(f, ERR_DENIED,
            "the certificate of %s was revoked or replaced: ask the hub's operator for a token "
            "(kizashi site add)",
            r->name);
    catalog_leave(c);
    return e;
}

enum err catalog_remote_revoke(
    struct catalog *c, const char *name, int64_t now, struct fault *f)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "UPDATE remote_site SET revoked = ?, token = NULL, token_expires = 0 WHERE name = ?",
        f);
    query_number(&q, now);
    query_text(&q, name);
    enum err e = query_done(&q);
    if (!e)
        e = changed_one(c, name, f);
    catalog_leave(c);
    return e;
}

enum err catalog_remotes(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_remote *r), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT name, added, addresses, token_expires, enrolled, expires, serial, revoked,"
        " serial_before, before_until"
        " FROM remote_site ORDER BY name",
        NULL);
    while (query_row(&q)) {
        struct catalog_remote r = {0};
        query_copy_at(&q, 0, r.name, sizeof r.name);
        r.added = query_number_at(&q, 1);
        r.addresses = (uint64_t)query_number_at(&q, 2);
        r.token_expires = query_number_at(&q, 3);
        r.enrolled = query_number_at(&q, 4);
        r.expires = query_number_at(&q, 5);
        query_copy_at(&q, 6, r.serial, sizeof r.serial);
        r.revoked = query_number_at(&q, 7);
        query_copy_at(&q, 8, r.serial_before, sizeof r.serial_before);
        r.before_until = query_number_at(&q, 9);
        query_fail(&q, each(context, &r));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

/* ---- positions ---- */

static enum err position_put(
    struct catalog *c, const struct catalog_position *p, struct fault *f)
{
    struct query q;
    query_open(&q, c,
        "INSERT INTO bus_position (site, spool, committed, lost, used) VALUES (?1, ?2, ?3, ?4, "
        "?5) ON CONFLICT (site, spool) DO UPDATE SET committed = max(committed, ?3), lost = ?4,"
        " used = ?5",
        f);
    query_text(&q, p->site);
    query_number(&q, (int64_t)p->spool);
    query_number(&q, (int64_t)p->committed);
    query_number(&q, (int64_t)p->lost);
    query_number(&q, p->used);
    enum err e = query_done(&q);
    if (e)
        return e;
    query_open(&q, c,
        "DELETE FROM bus_position WHERE site = ?1 AND spool NOT IN (SELECT spool FROM"
        " bus_position WHERE site = ?1 ORDER BY used DESC LIMIT ?2)",
        f);
    query_text(&q, p->site);
    query_number(&q, POSITIONS_KEPT);
    return query_done(&q);
}

enum err catalog_positions_put(
    struct catalog *c, const struct catalog_position *positions, size_t count, struct fault *f)
{
    enum err e = catalog_begin(c, f);
    if (e)
        return e;
    for (size_t i = 0; i < count && !e; i++)
        e = position_put(c, &positions[i], f);
    return catalog_end(c, e, f);
}

enum err catalog_positions(struct catalog *c, const char *site,
    enum err (*each)(void *context, const struct catalog_position *p), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT site, spool, committed, lost, used FROM bus_position WHERE site = ?"
        " ORDER BY used DESC",
        NULL);
    query_text(&q, site);
    while (query_row(&q)) {
        struct catalog_position p = {0};
        query_copy_at(&q, 0, p.site, sizeof p.site);
        p.spool = (uint64_t)query_number_at(&q, 1);
        p.committed = (uint64_t)query_number_at(&q, 2);
        p.lost = (uint64_t)query_number_at(&q, 3);
        p.used = query_number_at(&q, 4);
        query_fail(&q, each(context, &p));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}
