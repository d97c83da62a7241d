#include "store/catalog.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A catalogue in memory, for tests that need many sign-ins a second and no disk. */
enum {
    MOST = 128
};

struct kept_alert {
    struct catalog_alert row;
    char *json;
};

struct catalog {
    pthread_mutex_t lock;
    struct catalog_user users[MOST];
    size_t user_count;
    struct catalog_session sessions[MOST];
    size_t session_count;
    struct catalog_token tokens[MOST];
    size_t token_count;
    struct kept_alert alerts[MOST];
    size_t alert_count;
    struct catalog_audit audit[1024];
    size_t audit_count;
};

enum err catalog_open(struct catalog **ret_catalog, const char *path, struct fault *f)
{
    (void)path;
    (void)f;
    struct catalog *c = calloc(1, sizeof *c);
    assert(c);
    pthread_mutex_init(&c->lock, NULL);
    *ret_catalog = c;
    return OK;
}

void catalog_close(struct catalog *c)
{
    for (size_t i = 0; i < c->alert_count; i++)
        free(c->alerts[i].json);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

const char *role_name(enum catalog_role r)
{
    return r == ROLE_ADMIN ? "admin" : "viewer";
}

const char *state_name(enum catalog_state s)
{
    static const char *const names[] = {
#define X(id, name) name,
        ALERT_STATES(X)
#undef X
    };
    return names[s];
}

static enum err unlock(struct catalog *c, enum err e)
{
    pthread_mutex_unlock(&c->lock);
    return e;
}

static struct catalog_user *user_at(struct catalog *c, int64_t id)
{
    return id > 0 && (size_t)id <= c->user_count ? &c->users[id - 1] : NULL;
}

enum err catalog_user_find(struct catalog *c, const char *name, struct catalog_user *ret_user)
{
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->user_count; i++) {
        if (strcmp(c->users[i].name, name) == 0) {
            *ret_user = c->users[i];
            return unlock(c, OK);
        }
    }
    return unlock(c, ERR_NOTFOUND);
}

enum err catalog_user_add(
    struct catalog *c, const struct catalog_user *u, int64_t *ret_id, struct fault *f)
{
    struct catalog_user found;
    if (catalog_user_find(c, u->name, &found) == OK)
        return fault_set(f, ERR_EXISTS, "taken");
    pthread_mutex_lock(&c->lock);
    assert(c->user_count < MOST);
    c->users[c->user_count] = *u;
    c->users[c->user_count].id = (int64_t)c->user_count + 1;
    *ret_id = (int64_t)++c->user_count;
    return unlock(c, OK);
}

static enum err end_sessions(struct catalog *c, int64_t user)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->session_count; i++)
        if (c->sessions[i].user != user)
            c->sessions[kept++] = c->sessions[i];
    c->session_count = kept;
    return OK;
}

enum err catalog_user_change(struct catalog *c, const struct catalog_user *u, struct fault *f)
{
    pthread_mutex_lock(&c->lock);
    struct catalog_user *old = user_at(c, u->id);
    size_t admins = 0;
    for (size_t i = 0; i < c->user_count; i++) {
        const struct catalog_user *now = &c->users[i] == old ? u : &c->users[i];
        admins += now->role == ROLE_ADMIN && !now->disabled;
    }
    if (!old)
        return unlock(c, ERR_NOTFOUND);
    if (!admins)
        return unlock(c, fault_set(f, ERR_DENIED, "no admin left"));
    *old = *u;
    if (u->disabled)
        end_sessions(c, u->id);
    return unlock(c, OK);
}

enum err catalog_users(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_user *u), void *context)
{
    enum err e = OK;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->user_count && !e; i++)
        e = each(context, &c->users[i]);
    return unlock(c, e);
}

enum err catalog_user_count(struct catalog *c, uint64_t *ret_count)
{
    *ret_count = c->user_count;
    return OK;
}

enum err catalog_session_add(
    struct catalog *c, const struct catalog_session *s, struct fault *f)
{
    pthread_mutex_lock(&c->lock);
    if (c->session_count == MOST)
        return unlock(c, fault_set(f, ERR_FULL, "full"));
    c->sessions[c->session_count++] = *s;
    return unlock(c, OK);
}

static struct catalog_session *session_at(struct catalog *c, const uint8_t *hash)
{
    for (size_t i = 0; i < c->session_count; i++)
        if (memcmp(c->sessions[i].hash, hash, CATALOG_HASH) == 0)
            return &c->sessions[i];
    return NULL;
}

enum err catalog_session_find(struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t now,
    struct catalog_session *ret_session, struct catalog_user *ret_user)
{
    pthread_mutex_lock(&c->lock);
    struct catalog_session *s = session_at(c, hash);
    const struct catalog_user *u = s ? user_at(c, s->user) : NULL;
    if (!u || s->expires <= now || u->disabled)
        return unlock(c, ERR_NOTFOUND);
    *ret_session = *s;
    *ret_user = *u;
    return unlock(c, OK);
}

enum err catalog_session_extend(
    struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t expires)
{
    pthread_mutex_lock(&c->lock);
    struct catalog_session *s = session_at(c, hash);
    if (s)
        s->expires = expires;
    return unlock(c, s ? OK : ERR_NOTFOUND);
}

enum err catalog_session_end(struct catalog *c, const uint8_t hash[CATALOG_HASH])
{
    pthread_mutex_lock(&c->lock);
    struct catalog_session *s = session_at(c, hash);
    if (s)
        *s = c->sessions[--c->session_count];
    return unlock(c, OK);
}

enum err catalog_sessions_end(struct catalog *c, int64_t user)
{
    pthread_mutex_lock(&c->lock);
    return unlock(c, end_sessions(c, user));
}

enum err catalog_token_add(
    struct catalog *c, const struct catalog_token *t, int64_t *ret_id, struct fault *f)
{
    pthread_mutex_lock(&c->lock);
    if (c->token_count == MOST)
        return unlock(c, fault_set(f, ERR_FULL, "full"));
    c->tokens[c->token_count] = *t;
    c->tokens[c->token_count].id = (int64_t)c->token_count + 1;
    *ret_id = (int64_t)++c->token_count;
    return unlock(c, OK);
}

enum err catalog_token_find(struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t now,
    struct catalog_token *ret_token)
{
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->token_count; i++) {
        struct catalog_token *t = &c->tokens[i];
        if (memcmp(t->hash, hash, CATALOG_HASH) != 0 || t->revoked ||
            (t->expires && t->expires <= now))
            continue;
        t->used = now;
        *ret_token = *t;
        return unlock(c, OK);
    }
    return unlock(c, ERR_NOTFOUND);
}

enum err catalog_token_revoke(struct catalog *c, int64_t id, int64_t now)
{
    pthread_mutex_lock(&c->lock);
    if (id < 1 || (size_t)id > c->token_count)
        return unlock(c, ERR_NOTFOUND);
    c->tokens[id - 1].revoked = now;
    return unlock(c, OK);
}

enum err catalog_tokens(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_token *t), void *context)
{
    enum err e = OK;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->token_count && !e; i++)
        e = each(context, &c->tokens[i]);
    return unlock(c, e);
}

static struct kept_alert *alert_at(struct catalog *c, const char *id)
{
    for (size_t i = 0; i < c->alert_count; i++)
        if (strcmp(c->alerts[i].row.id, id) == 0)
            return &c->alerts[i];
    return NULL;
}

enum err catalog_alert_put(struct catalog *c, const struct catalog_alert *a, struct fault *f)
{
    (void)f;
    pthread_mutex_lock(&c->lock);
    assert(c->alert_count < MOST && !alert_at(c, a->id));
    struct kept_alert *kept = &c->alerts[c->alert_count++];
    kept->row = *a;
    kept->json = strndup(a->json, a->json_len);
    kept->row.json = kept->json;
    return unlock(c, OK);
}

enum err catalog_alert_find(struct catalog *c, const char *id,
    enum err (*each)(void *context, const struct catalog_alert *a), void *context)
{
    pthread_mutex_lock(&c->lock);
    struct kept_alert *kept = alert_at(c, id);
    return unlock(c, kept ? each(context, &kept->row) : ERR_NOTFOUND);
}

enum err catalog_alert_mark(struct catalog *c, const char *id, enum catalog_state state,
    const char *note, const char *by, int64_t now, struct fault *f)
{
    (void)f;
    pthread_mutex_lock(&c->lock);
    struct kept_alert *kept = alert_at(c, id);
    if (!kept)
        return unlock(c, ERR_NOTFOUND);
    kept->row.state = state;
    if (note)
        snprintf(kept->row.note, sizeof kept->row.note, "%s", note);
    snprintf(kept->row.by, sizeof kept->row.by, "%s", by);
    kept->row.changed = now;
    return unlock(c, OK);
}

void catalog_alert_query_init(struct catalog_alert_query *q)
{
    *q = (struct catalog_alert_query){.proto = -1, .port = -1, .state = -1, .open = -1};
}

static bool wanted(const struct catalog_alert_query *q, const struct catalog_alert *a)
{
    return a->severity >= q->least && (q->open < 0 || a->open == (q->open == 1)) &&
           (q->state < 0 || (int)a->state == q->state) &&
           (!q->kind || strcmp(q->kind, a->kind) == 0) &&
           (!q->words || strcasestr(a->json, q->words)) && (!q->to || a->start < q->to) &&
           (!q->from || a->end >= q->from);
}

/* The cursor is the place of the next alert. */
enum err catalog_alerts(struct catalog *c, const struct catalog_alert_query *q,
    enum err (*each)(void *context, const struct catalog_alert *a), void *context,
    char ret_cursor[CATALOG_CURSOR], struct fault *f)
{
    char *end = NULL;
    size_t at = q->cursor ? strtoul(q->cursor, &end, 10) : 0;
    size_t limit = q->limit ? q->limit : 100;
    enum err e = OK;
    if (end && *end)
        return fault_set(f, ERR_BAD, "no cursor");
    pthread_mutex_lock(&c->lock);
    for (; at < c->alert_count && limit && !e; at++) {
        if (!wanted(q, &c->alerts[at].row))
            continue;
        e = each(context, &c->alerts[at].row);
        limit--;
    }
    if (ret_cursor)
        ret_cursor[0] = '\0';
    if (ret_cursor && at < c->alert_count)
        snprintf(ret_cursor, CATALOG_CURSOR, "%zu", at);
    return unlock(c, e);
}

enum err catalog_audit_add(struct catalog *c, const struct catalog_audit *a, struct fault *f)
{
    (void)f;
    pthread_mutex_lock(&c->lock);
    c->audit[c->audit_count++ % 1024] = *a;
    return unlock(c, OK);
}

enum err catalog_audit_list(struct catalog *c, int64_t before, size_t limit,
    enum err (*each)(void *context, const struct catalog_audit *a), void *context)
{
    (void)before;
    enum err e = OK;
    pthread_mutex_lock(&c->lock);
    for (size_t i = c->audit_count; i-- > 0 && limit-- && !e;)
        e = each(context, &c->audit[i % 1024]);
    return unlock(c, e);
}
