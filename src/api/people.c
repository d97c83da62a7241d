#include "api/handler_int.h"

#include "api/api_int.h"
#include "api/password_int.h"
#include "api/session_int.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Sessions, users and tokens. What changes something leaves a row in the audit log. */

static enum err audit(struct request *r, const char *who, const char *what, const char *subject,
    const char *detail)
{
    struct catalog_audit row = {.time = r->now};
    snprintf(row.who, sizeof row.who, "%.63s", who);
    snprintf(row.what, sizeof row.what, "%s", what);
    snprintf(row.subject, sizeof row.subject, "%.63s", subject);
    snprintf(row.detail, sizeof row.detail, "%s", detail);
    return catalog_audit_add(r->api->parts.catalog, &row, &r->fault);
}

static json_t *time_or_null(int64_t us)
{
    return us ? json_time(us) : json_null();
}

static void reply_me(struct request *r)
{
    const struct identity *who = &r->who;
    r->reply.no_store = true;
    reply_json(r, 200,
        json_pack("{s:s, s:s, s:o, s:s, s:o}", "user", who->name, "role", role_name(who->role),
            "csrf", who->token ? json_null() : json_string(who->csrf), "by",
            who->token ? "token" : "session", "expires", time_or_null(who->expires)));
}

enum err handle_me(struct request *r)
{
    reply_me(r);
    return OK;
}

/* Checked before the password is looked at, so that guessing is slow; a right password is not
 * counted. */
static bool login_throttled(struct request *r, const char *account)
{
    struct api *a = r->api;
    char key[CATALOG_NAME + 8];
    int len = snprintf(key, sizeof key, "login %.63s", account);
    int64_t wait = 0;
    if (session_throttle_peer(r, "login", &a->rule_login_address, &wait) &&
        throttle_take(a->throttle, key, (size_t)len, &a->rule_login_account, r->now, &wait))
        return false;
    r->reply.retry_after = (unsigned)(wait / US_SECOND) + 1;
    reply_problem(
        r, 429, NULL, NULL, "too many tries to sign in; wait %u s", r->reply.retry_after);
    atomic_fetch_add(&a->counters.throttled, 1);
    return true;
}

static void login_forgive(struct request *r, const char *account)
{
    char key[CATALOG_NAME + 8];
    int len = snprintf(key, sizeof key, "login %.63s", account);
    throttle_give_back(r->api->throttle, key, (size_t)len, &r->api->rule_login_account);
    session_throttle_forgive(r, "login", &r->api->rule_login_address);
}

static enum err check_password(struct request *r, const char *text, const char *password)
{
    pthread_mutex_lock(&r->api->hashing);
    bool right = password_right(text, password);
    pthread_mutex_unlock(&r->api->hashing);
    return right ? OK : ERR_DENIED;
}

static enum err hash_password(
    struct request *r, const char *password, char ret_text[CATALOG_PASSWORD])
{
    struct api *a = r->api;
    pthread_mutex_lock(&a->hashing);
    enum err e = password_hash(password, a->hash_passes, a->hash_memory, ret_text);
    pthread_mutex_unlock(&a->hashing);
    return e;
}

static enum err refuse_login(struct request *r, const char *account)
{
    char address[IP_TEXT];
    char detail[80];
    atomic_fetch_add(&r->api->counters.logins_refused, 1);
    snprintf(detail, sizeof detail, "from %s", ip_format(&r->peer, address));
    enum err e = audit(r, account, "login.refused", account, detail);
    if (!e)
        reply_problem(r, 401, NULL, NULL, "user or password is wrong");
    return e;
}

/* An unknown or disabled user costs as much time as a wrong password, and is told the same. */
enum err handle_login(struct request *r)
{
    struct api *a = r->api;
    const char *account = arg(r, B_USER)->text;
    const char *password = arg(r, B_SECRET)->text;
    struct catalog_user u;
    char address[IP_TEXT];
    char detail[80];
    r->reply.no_store = true;
    if (login_throttled(r, account))
        return OK;
    enum err e = catalog_user_find(a->parts.catalog, account, &u);
    if (e && e != ERR_NOTFOUND)
        return e;
    bool usable = !e && !u.disabled;
    enum err right = check_password(r, usable ? u.password : a->decoy, password);
    if (!usable || right != OK)
        return refuse_login(r, account);
    login_forgive(r, account);
    u.seen = r->now;
    e = catalog_user_change(a->parts.catalog, &u, &r->fault);
    if (!e)
        e = session_open(r, &u);
    snprintf(detail, sizeof detail, "from %s", ip_format(&r->peer, address));
    if (!e)
        e = audit(r, u.name, "login", u.name, detail);
    if (e)
        return e;
    atomic_fetch_add(&a->counters.logins, 1);
    reply_me(r);
    return OK;
}

enum err handle_logout(struct request *r)
{
    enum err e = catalog_session_end(r->api->parts.catalog, r->who.hash);
    if (!e)
        e = audit(r, r->who.label, "logout", r->who.name, "");
    if (e)
        return e;
    session_cookie_clear(r);
    r->reply.status = 204;
    return OK;
}

enum err handle_password(struct request *r)
{
    struct catalog *c = r->api->parts.catalog;
    struct catalog_user u;
    if (login_throttled(r, r->who.name))
        return OK;
    enum err e = catalog_user_find(c, r->who.name, &u);
    if (e)
        return e;
    if (check_password(r, u.password, arg(r, B_OLD)->text) != OK) {
        reply_problem(r, 403, "old", NULL, "old is not the present password");
        return OK;
    }
    login_forgive(r, r->who.name);
    e = hash_password(r, arg(r, B_NEW)->text, u.password);
    if (!e)
        e = catalog_user_change(c, &u, &r->fault);
    if (!e)
        e = catalog_sessions_end(c, u.id);
    if (!e)
        e = session_open(r, &u);
    if (!e)
        e = audit(r, r->who.label, "user.password", u.name, "");
    r->reply.status = 204;
    return e;
}

static json_t *user_json(const struct catalog_user *u)
{
    return json_pack("{s:s, s:s, s:b, s:o, s:o}", "user", u->name, "role", role_name(u->role),
        "disabled", (int)u->disabled, "created", json_time(u->created), "last_login",
        time_or_null(u->seen));
}

static enum err add_user(void *context, const struct catalog_user *u)
{
    return json_array_append_new(context, user_json(u)) ? ERR_NOMEM : OK;
}

static void reply_rows(struct request *r, json_t *array)
{
    reply_json(r, 200, json_pack("{s:o}", "rows", array));
}

enum err handle_users(struct request *r)
{
    json_t *array = json_array();
    enum err e = catalog_users(r->api->parts.catalog, add_user, array);
    if (e) {
        json_decref(array);
        return e;
    }
    reply_rows(r, array);
    return OK;
}

static enum catalog_role role_asked(const struct request *r)
{
    static const enum catalog_role roles[] = {ROLE_VIEWER, ROLE_ADMIN, ROLE_PARTNER};
    return arg(r, B_ROLE)->given ? roles[arg(r, B_ROLE)->number] : ROLE_VIEWER;
}

enum err handle_user_create(struct request *r)
{
    struct catalog_user u = {.role = role_asked(r), .created = r->now};
    snprintf(u.name, sizeof u.name, "%s", arg(r, B_USER)->text);
    enum err e = hash_password(r, arg(r, B_PASSWORD)->text, u.password);
    if (!e)
        e = catalog_user_add(r->api->parts.catalog, &u, &u.id, &r->fault);
    if (e == ERR_EXISTS) {
        reply_problem(r, 409, "user", NULL, "there is a user %s", u.name);
        return OK;
    }
    if (!e)
        e = audit(r, r->who.label, "user.add", u.name, role_name(u.role));
    if (!e)
        reply_json(r, 201, user_json(&u));
    return e;
}

struct withdrawn {
    const char *by;
    const struct catalog_user *maker; /* NULL: all of them go */
    int64_t ids[256];
    size_t count;
};

static enum err note_token(void *context, const struct catalog_token *t)
{
    struct withdrawn *w = context;
    bool more = !w->maker || !role_covers(w->maker->role, t->role);
    if (!t->revoked && strcmp(t->by, w->by) == 0 && more &&
        w->count < sizeof w->ids / sizeof *w->ids)
        w->ids[w->count++] = t->id;
    return OK;
}

/* Tokens are worth no more than the person who made them. */
static enum err withdraw_tokens(struct request *r, const struct catalog_user *u)
{
    struct catalog *c = r->api->parts.catalog;
    struct withdrawn w = {.by = u->name, .maker = u->disabled ? NULL : u};
    do {
        w.count = 0;
        enum err e = catalog_tokens(c, note_token, &w);
        for (size_t i = 0; i < w.count && !e; i++)
            e = catalog_token_revoke(c, w.ids[i], r->now);
        if (e)
            return e;
    } while (w.count == sizeof w.ids / sizeof *w.ids);
    return OK;
}

static enum err apply_change(struct request *r, struct catalog_user *u)
{
    struct catalog *c = r->api->parts.catalog;
    enum err e = OK;
    if (arg(r, B_ROLE)->given)
        u->role = role_asked(r);
    if (arg(r, B_DISABLED)->given)
        u->disabled = arg(r, B_DISABLED)->number;
    if (arg(r, B_PASSWORD)->given)
        e = hash_password(r, arg(r, B_PASSWORD)->text, u->password);
    if (!e)
        e = catalog_user_change(c, u, &r->fault);
    if (!e)
        e = catalog_sessions_end(c, u->id);
    if (!e)
        e = withdraw_tokens(r, u);
    return e;
}

enum err handle_user_change(struct request *r)
{
    struct catalog_user u;
    char detail[128];
    enum err e = catalog_user_find(r->api->parts.catalog, arg(r, P_USER_NAME)->text, &u);
    if (e == ERR_NOTFOUND) {
        reply_problem(r, 404, NULL, NULL, "there is no user %s", arg(r, P_USER_NAME)->text);
        return OK;
    }
    if (!e)
        e = apply_change(r, &u);
    if (e == ERR_DENIED) {
        reply_problem(r, 409, NULL, NULL, "no admin would be left who can sign in");
        return OK;
    }
    snprintf(detail, sizeof detail, "role=%s disabled=%d%s", role_name(u.role), u.disabled,
        arg(r, B_PASSWORD)->given ? " password" : "");
    if (!e)
        e = audit(r, r->who.label, "user.change", u.name, detail);
    if (!e)
        reply_json(r, 200, user_json(&u));
    return e;
}

/* Nobody removes himself by mistake; a program with a token is nobody's self. */
enum err handle_user_delete(struct request *r)
{
    if (!r->who.token && strcmp(arg(r, P_USER_NAME)->text, r->who.name) == 0) {
        reply_problem(r, 409, NULL, NULL, "another admin must remove you");
        return OK;
    }
    enum err e = catalog_user_remove(
        r->api->parts.catalog, arg(r, P_USER_NAME)->text, r->who.label, r->now, &r->fault);
    if (e == ERR_NOTFOUND || e == ERR_DENIED)
        reply_problem(r, e == ERR_NOTFOUND ? 404 : 409, NULL, NULL, "%s", r->fault.text);
    else if (!e)
        r->reply.status = 204;
    return e == ERR_NOTFOUND || e == ERR_DENIED ? OK : e;
}

struct token_list {
    const struct request *r;
    json_t *array;
    int64_t wanted; /* 0: all; else only see whether this one may be withdrawn */
    bool found;
};

static bool may_see(const struct request *r, const struct catalog_token *t)
{
    return r->who.role == ROLE_ADMIN || strcmp(t->by, r->who.name) == 0;
}

static json_t *token_json(const struct catalog_token *t)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)t->id);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "id", id, "label", t->name, "user",
        t->by, "role", role_name(t->role), "created", json_time(t->created), "last_used",
        time_or_null(t->used), "expires", time_or_null(t->expires));
}

static enum err each_token(void *context, const struct catalog_token *t)
{
    struct token_list *list = context;
    if (t->revoked || !may_see(list->r, t))
        return OK;
    if (list->wanted) {
        list->found = list->found || t->id == list->wanted;
        return OK;
    }
    return json_array_append_new(list->array, token_json(t)) ? ERR_NOMEM : OK;
}

enum err handle_tokens(struct request *r)
{
    struct token_list list = {.r = r, .array = json_array()};
    enum err e = catalog_tokens(r->api->parts.catalog, each_token, &list);
    if (e) {
        json_decref(list.array);
        return e;
    }
    reply_rows(r, list.array);
    return OK;
}

enum err api_token_add(
    struct catalog *c, struct catalog_token *t, char ret_text[API_TOKEN_TEXT], struct fault *f)
{
    char secret[SESSION_SECRET];
    _Static_assert(SESSION_SECRET + 3 <= API_TOKEN_TEXT, "a token fits its text");
    if (sodium_init() < 0)
        return fault_set(f, ERR_IO, "libsodium does not start");
    session_secret(secret);
    snprintf(ret_text, API_TOKEN_TEXT, "kz_%s", secret);
    session_hash(ret_text, t->hash);
    sodium_memzero(secret, sizeof secret);
    return catalog_token_add(c, t, &t->id, f);
}

enum err handle_token_create(struct request *r)
{
    struct catalog_token t = {.role = role_asked(r), .created = r->now};
    char text[API_TOKEN_TEXT];
    if (!role_covers(r->who.role, t.role)) {
        reply_problem(r, 403, "role", "viewer or partner", "only an admin makes admin tokens");
        return OK;
    }
    if (arg(r, B_EXPIRES_IN)->given)
        t.expires = r->now + arg(r, B_EXPIRES_IN)->number;
    snprintf(t.name, sizeof t.name, "%s", arg(r, B_LABEL)->text);
    memcpy(t.by, r->who.name, sizeof t.by);
    enum err e = api_token_add(r->api->parts.catalog, &t, text, &r->fault);
    if (!e)
        e = audit(r, r->who.label, "token.add", t.name, role_name(t.role));
    if (!e) {
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)t.id);
        r->reply.no_store = true;
        reply_json(r, 201, json_pack("{s:s, s:s}", "id", id, "token", text));
    }
    sodium_memzero(text, sizeof text);
    return e;
}

enum err handle_token_delete(struct request *r)
{
    struct token_list list = {.r = r, .wanted = arg(r, P_TOKEN_ID)->number};
    enum err e = catalog_tokens(r->api->parts.catalog, each_token, &list);
    if (e)
        return e;
    if (!list.found) {
        reply_problem(r, 404, NULL, NULL, "there is no such token");
        return OK;
    }
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)list.wanted);
    e = catalog_token_revoke(r->api->parts.catalog, list.wanted, r->now);
    if (!e)
        e = audit(r, r->who.label, "token.withdraw", id, "");
    r->reply.status = 204;
    return e;
}
