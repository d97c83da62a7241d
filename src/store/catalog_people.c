#include "store/catalog_int.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned height; /* a higher one may do all that a lower one may */
} roles[ROLE_COUNT] = {
    [ROLE_PARTNER] = {"partner", 0},
    [ROLE_VIEWER] = {"viewer", 1},
    [ROLE_ADMIN] = {"admin", 2},
};

const char *role_name(enum catalog_role r)
{
    return roles[r].name;
}

bool role_covers(enum catalog_role r, enum catalog_role other)
{
    return roles[r].height >= roles[other].height;
}

/* A number that this program does not know is the role that may least. */
static enum catalog_role role_of(int64_t number)
{
    return number >= 0 && number < ROLE_COUNT ? (enum catalog_role)number : ROLE_PARTNER;
}

/* ---- users ---- */

#define USER_COLUMNS                                                                           \
    "user.id, user.name, user.role, user.password, user.created, user.seen, user.disabled"

static void user_read(const struct query *q, int first, struct catalog_user *u)
{
    u->id = query_number_at(q, first);
    query_copy_at(q, first + 1, u->name, sizeof u->name);
    u->role = role_of(query_number_at(q, first + 2));
    query_copy_at(q, first + 3, u->password, sizeof u->password);
    u->created = query_number_at(q, first + 4);
    u->seen = query_number_at(q, first + 5);
    u->disabled = query_number_at(q, first + 6) != 0;
}

enum err catalog_user_add(
    struct catalog *c, const struct catalog_user *u, int64_t *ret_id, struct fault *f)
{
    enum err e = name_check("name", u->name, f);
    if (!e)
        e = text_check("password", u->password, CATALOG_PASSWORD, f);
    if (e)
        return e;
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "INSERT INTO user (name, role, password, created, disabled) VALUES (?, ?, ?, ?, ?)", f);
    query_text(&q, u->name);
    query_number(&q, u->role);
    query_text(&q, u->password);
    query_number(&q, u->created);
    query_number(&q, u->disabled);
    e = query_done(&q);
    if (!e && ret_id)
        *ret_id = sqlite3_last_insert_rowid(c->db);
    catalog_leave(c);
    return e == ERR_EXISTS ? fault_set(f, e, "there is a user %s already", u->name) : e;
}

enum err catalog_user_find(struct catalog *c, const char *name, struct catalog_user *ret_user)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "SELECT " USER_COLUMNS " FROM user WHERE name = ?", NULL);
    query_text(&q, name);
    if (query_row(&q))
        user_read(&q, 0, ret_user);
    else
        query_fail(&q, ERR_NOTFOUND);
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

/* Within a transaction: is there an enabled admin? */
static enum err admin_left(struct catalog *c, struct fault *f)
{
    struct query q;
    query_open(&q, c, "SELECT count(*) FROM user WHERE role = 1 AND disabled = 0", f);
    bool left = query_row(&q) && query_number_at(&q, 0) > 0;
    enum err e = query_end(&q);
    return e || left ? e : fault_set(f, ERR_DENIED, "the last enabled admin stays");
}

static enum err by_id(struct catalog *c, const char *sql, int64_t id, struct fault *f)
{
    struct query q;
    query_open(&q, c, sql, f);
    query_number(&q, id);
    return query_done(&q);
}

enum err catalog_user_change(struct catalog *c, const struct catalog_user *u, struct fault *f)
{
    enum err e = text_check("password", u->password, CATALOG_PASSWORD, f);
    if (!e)
        e = catalog_begin(c, f);
    if (e)
        return e;
    struct query q;
    query_open(&q, c,
        "UPDATE user SET role = ?, password = ?, seen = ?, disabled = ? WHERE id = ?", f);
    query_number(&q, u->role);
    query_text(&q, u->password);
    query_number(&q, u->seen);
    query_number(&q, u->disabled);
    query_number(&q, u->id);
    e = query_done(&q);
    if (!e && catalog_changes(c) == 0)
        e = fault_set(f, ERR_NOTFOUND, "there is no such user");
    if (!e)
        e = admin_left(c, f);
    if (!e && u->disabled)
        e = by_id(c, "DELETE FROM session WHERE user = ?", u->id, f);
    return catalog_end(c, e, f);
}

/* Tokens are worth no more than the person who made them. */
static enum err tokens_end(struct catalog *c, const char *by, int64_t now, struct fault *f)
{
    struct query q;
    query_open(&q, c, "UPDATE token SET revoked = ? WHERE made_by = ? AND revoked = 0", f);
    query_number(&q, now);
    query_text(&q, by);
    return query_done(&q);
}

static enum err user_delete(struct catalog *c, const char *name, struct fault *f)
{
    struct query q;
    query_open(&q, c, "DELETE FROM user WHERE name = ?", f);
    query_text(&q, name);
    enum err e = query_done(&q);
    if (!e && catalog_changes(c) == 0)
        e = fault_set(f, ERR_NOTFOUND, "there is no user %.63s", name);
    return e ? e : admin_left(c, f);
}

enum err catalog_user_remove(
    struct catalog *c, const char *name, const char *by, int64_t now, struct fault *f)
{
    struct catalog_audit row = {.time = now, .what = "user.remove"};
    snprintf(row.who, sizeof row.who, "%s", by);
    snprintf(row.subject, sizeof row.subject, "%s", name);
    enum err e = catalog_begin(c, f);
    if (e)
        return e;
    e = user_delete(c, name, f);
    if (!e)
        e = tokens_end(c, name, now, f);
    if (!e)
        e = audit_put(c, &row, f);
    return catalog_end(c, e, f);
}

enum err catalog_users(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_user *u), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "SELECT " USER_COLUMNS " FROM user ORDER BY name", NULL);
    while (query_row(&q)) {
        struct catalog_user u;
        user_read(&q, 0, &u);
        query_fail(&q, each(context, &u));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

enum err catalog_user_count(struct catalog *c, uint64_t *ret_count)
{
    struct query q;
    uint64_t count = 0;
    catalog_enter(c);
    query_open(&q, c, "SELECT count(*) FROM user", NULL);
    if (query_row(&q))
        count = (uint64_t)query_number_at(&q, 0);
    enum err e = query_end(&q);
    catalog_leave(c);
    if (!e)
        *ret_count = count;
    return e;
}

/* ---- sessions ---- */

enum err catalog_session_add(
    struct catalog *c, const struct catalog_session *s, struct fault *f)
{
    enum err e = text_check("csrf", s->csrf, CATALOG_CSRF, f);
    if (!e)
        e = catalog_begin(c, f);
    if (e)
        return e;
    e = by_id(c, "DELETE FROM session WHERE expires <= ?", s->created, f);
    if (!e) {
        struct query q;
        query_open(&q, c,
            "INSERT INTO session (hash, user, csrf, created, expires) VALUES (?, ?, ?, ?, ?)",
            f);
        query_bytes(&q, s->hash, CATALOG_HASH);
        query_number(&q, s->user);
        query_text(&q, s->csrf);
        query_number(&q, s->created);
        query_number(&q, s->expires);
        e = query_done(&q);
    }
    return catalog_end(c, e, f);
}

enum err catalog_session_find(struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t now,
    struct catalog_session *ret_session, struct catalog_user *ret_user)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT session.user, session.csrf, session.created, session.expires, " USER_COLUMNS
        " FROM session JOIN user ON user.id = session.user"
        " WHERE session.hash = ? AND session.expires > ? AND user.disabled = 0",
        NULL);
    query_bytes(&q, hash, CATALOG_HASH);
    query_number(&q, now);
    if (query_row(&q)) {
        memcpy(ret_session->hash, hash, CATALOG_HASH);
        ret_session->user = query_number_at(&q, 0);
        query_copy_at(&q, 1, ret_session->csrf, sizeof ret_session->csrf);
        ret_session->created = query_number_at(&q, 2);
        ret_session->expires = query_number_at(&q, 3);
        user_read(&q, 4, ret_user);
    } else
        query_fail(&q, ERR_NOTFOUND);
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

enum err catalog_session_extend(
    struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t expires)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "UPDATE session SET expires = ? WHERE hash = ?", NULL);
    query_number(&q, expires);
    query_bytes(&q, hash, CATALOG_HASH);
    enum err e = query_done(&q);
    if (!e && catalog_changes(c) == 0)
        e = ERR_NOTFOUND;
    catalog_leave(c);
    return e;
}

enum err catalog_session_end(struct catalog *c, const uint8_t hash[CATALOG_HASH])
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "DELETE FROM session WHERE hash = ?", NULL);
    query_bytes(&q, hash, CATALOG_HASH);
    enum err e = query_done(&q);
    catalog_leave(c);
    return e;
}

enum err catalog_sessions_end(struct catalog *c, int64_t user)
{
    catalog_enter(c);
    enum err e = by_id(c, "DELETE FROM session WHERE user = ?", user, NULL);
    catalog_leave(c);
    return e;
}

/* ---- tokens ---- */

#define TOKEN_COLUMNS "id, hash, name, role, made_by, created, used, expires, revoked"

static void token_read(const struct query *q, struct catalog_token *t)
{
    struct bytes hash = query_bytes_at(q, 1);
    memset(t, 0, sizeof *t);
    t->id = query_number_at(q, 0);
    if (hash.left == CATALOG_HASH)
        memcpy(t->hash, hash.at, CATALOG_HASH);
    query_copy_at(q, 2, t->name, sizeof t->name);
    t->role = role_of(query_number_at(q, 3));
    query_copy_at(q, 4, t->by, sizeof t->by);
    t->created = query_number_at(q, 5);
    t->used = query_number_at(q, 6);
    t->expires = query_number_at(q, 7);
    t->revoked = query_number_at(q, 8);
}

enum err catalog_token_add(
    struct catalog *c, const struct catalog_token *t, int64_t *ret_id, struct fault *f)
{
    enum err e = text_check("name", t->name, CATALOG_NAME, f);
    if (e)
        return e;
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "INSERT INTO token (hash, name, role, made_by, created, expires) VALUES (?, ?, ?, ?, "
        "?, ?)",
        f);
    query_bytes(&q, t->hash, CATALOG_HASH);
    query_text(&q, t->name);
    query_number(&q, t->role);
    query_text(&q, t->by);
    query_number(&q, t->created);
    query_number(&q, t->expires);
    e = query_done(&q);
    if (!e && ret_id)
        *ret_id = sqlite3_last_insert_rowid(c->db);
    catalog_leave(c);
    return e;
}

enum {
    USED_GRAIN_US = 60000000
};

enum err catalog_token_find(struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t now,
    struct catalog_token *ret_token)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT " TOKEN_COLUMNS " FROM token"
        " WHERE hash = ? AND revoked = 0 AND (expires = 0 OR expires > ?)",
        NULL);
    query_bytes(&q, hash, CATALOG_HASH);
    query_number(&q, now);
    if (query_row(&q))
        token_read(&q, ret_token);
    else
        query_fail(&q, ERR_NOTFOUND);
    enum err e = query_end(&q);
    if (!e && now - ret_token->used >= USED_GRAIN_US) {
        query_open(&q, c, "UPDATE token SET used = ? WHERE id = ?", NULL);
        query_number(&q, now);
        query_number(&q, ret_token->id);
        /* A token stays good on a full disk; only its last use is then not noted. */
        if (query_done(&q) == OK)
            ret_token->used = now;
    }
    catalog_leave(c);
    return e;
}

enum err catalog_token_revoke(struct catalog *c, int64_t id, int64_t now)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "UPDATE token SET revoked = ? WHERE id = ? AND revoked = 0", NULL);
    query_number(&q, now);
    query_number(&q, id);
    enum err e = query_done(&q);
    if (!e && catalog_changes(c) == 0)
        e = ERR_NOTFOUND;
    catalog_leave(c);
    return e;
}

enum err catalog_tokens(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_token *t), void *context)
{
    struct query q;
    catalog_enter(c);
    query_open(&q, c, "SELECT " TOKEN_COLUMNS " FROM token ORDER BY id", NULL);
    while (query_row(&q)) {
        struct catalog_token t;
        token_read(&q, &t);
        query_fail(&q, each(context, &t));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}
