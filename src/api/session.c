#include "api/session_int.h"

#include "api/api_int.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COOKIE "kz_session"

void session_secret(char ret_text[SESSION_SECRET])
{
    uint8_t bits[32];
    randombytes_buf(bits, sizeof bits);
    sodium_bin2base64(
        ret_text, SESSION_SECRET, bits, sizeof bits, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bits, sizeof bits);
}

void session_hash(const char *text, uint8_t ret_hash[CATALOG_HASH])
{
    crypto_generichash(ret_hash, CATALOG_HASH, (const uint8_t *)text, strlen(text), NULL, 0);
}

struct bytes session_cookie(const char *header, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = header; at && *at;) {
        at += strspn(at, "; ");
        size_t part = strcspn(at, ";");
        if (part > len && memcmp(at, name, len) == 0 && at[len] == '=')
            return bytes_over(at + len + 1, part - len - 1);
        at += part;
    }
    return bytes_over("", 0);
}

static enum err unknown(struct request *r, const char *detail)
{
    reply_problem(r, 401, NULL, NULL, "%s", detail);
    return ERR_DENIED;
}

static int64_t idle_of(const struct api *a)
{
    return a->options.session_idle ? a->options.session_idle : 12 * US_HOUR;
}

static int64_t most_of(const struct api *a)
{
    return a->options.session_most ? a->options.session_most : 7 * US_DAY;
}

/* Put off the end of a session that is used; at most once in a tenth of the idle time, because
 * each is a write. */
static enum err stay_alive(struct request *r, struct catalog_session *s)
{
    int64_t idle = idle_of(r->api);
    int64_t latest = s->created + most_of(r->api);
    int64_t expires = r->now + idle < latest ? r->now + idle : latest;
    if (expires - s->expires < idle / 10)
        return OK;
    s->expires = expires;
    return catalog_session_extend(r->api->parts.catalog, s->hash, expires);
}

static void name_session(
    struct request *r, const struct catalog_session *s, const struct catalog_user *u)
{
    struct identity *who = &r->who;
    who->known = true;
    who->user = u->id;
    who->role = u->role;
    who->created = s->created;
    who->expires = s->created + most_of(r->api);
    memcpy(who->name, u->name, sizeof who->name);
    snprintf(who->label, sizeof who->label, "%s", u->name);
    memcpy(who->csrf, s->csrf, sizeof who->csrf);
    memcpy(who->hash, s->hash, sizeof who->hash);
}

static enum err identify_session(struct request *r, struct bytes value)
{
    char text[SESSION_SECRET];
    struct catalog_session s;
    struct catalog_user u;
    uint8_t hash[CATALOG_HASH];
    if (value.left >= sizeof text)
        return OK; /* not one of ours: as if there were none */
    memcpy(text, value.at, value.left);
    text[value.left] = 0;
    session_hash(text, hash);
    enum err e = catalog_session_find(r->api->parts.catalog, hash, r->now, &s, &u);
    if (e == ERR_NOTFOUND)
        return OK;
    if (!e)
        e = stay_alive(r, &s);
    if (e) {
        reply_error(r, e);
        return e;
    }
    name_session(r, &s, &u);
    return OK;
}

/* The token that a hub leaves in its own folder is used by commands there, for the person at
 * the shell, whose name they say: who may read that file could write the audit log as well. */
static bool says_person(const struct request *r, const struct catalog_token *t)
{
    static const char ours[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-:";
    const char *person = r->in.person;
    return person && strcmp(t->name, API_OWN_TOKEN) == 0 && strcmp(t->by, API_OWN_MAKER) == 0 &&
           *person && strlen(person) < CATALOG_NAME && !person[strspn(person, ours)];
}

static enum err identify_token(struct request *r, const char *text)
{
    struct catalog_token t;
    uint8_t hash[CATALOG_HASH];
    session_hash(text, hash);
    enum err e = catalog_token_find(r->api->parts.catalog, hash, r->now, &t);
    if (e == ERR_NOTFOUND)
        return unknown(r, "the token is not known, was withdrawn, or has expired");
    if (e) {
        reply_error(r, e);
        return e;
    }
    struct identity *who = &r->who;
    who->known = true;
    who->token = true;
    who->role = t.role;
    who->created = t.created;
    who->expires = t.expires;
    memcpy(who->name, t.by, sizeof who->name);
    if (says_person(r, &t))
        snprintf(who->label, sizeof who->label, "%s", r->in.person);
    else
        snprintf(who->label, sizeof who->label, "token:%s", t.name);
    memcpy(who->hash, hash, sizeof who->hash);
    return OK;
}

enum err session_identify(struct request *r)
{
    const char *authorization = r->in.authorization;
    if (authorization) {
        if (strncasecmp(authorization, "Bearer ", 7) != 0 || strlen(authorization) > 128)
            return unknown(r, "Authorization must be: Bearer and a token");
        return identify_token(r, authorization + 7);
    }
    struct bytes cookie = session_cookie(r->in.cookie, COOKIE);
    return cookie.left ? identify_session(r, cookie) : OK;
}

/* The host of an Origin must be the Host that was asked, and of a secure page if we are one. */
static bool same_origin(const struct request *r)
{
    const char *origin = r->in.origin;
    if (!origin)
        return !r->in.fetch_site || strcmp(r->in.fetch_site, "same-origin") == 0 ||
               strcmp(r->in.fetch_site, "none") == 0;
    if (strncmp(origin, "https://", 8) == 0)
        origin += 8;
    else if (!r->secure && strncmp(origin, "http://", 7) == 0)
        origin += 7;
    else
        return false;
    return r->in.host && strcasecmp(origin, r->in.host) == 0;
}

static bool right_csrf(const struct request *r)
{
    const char *have = r->in.csrf;
    size_t len = strlen(r->who.csrf);
    return have && len && strlen(have) == len && sodium_memcmp(have, r->who.csrf, len) == 0;
}

static enum err forbid(struct request *r, const char *detail)
{
    reply_problem(r, 403, NULL, NULL, "%s", detail);
    return ERR_DENIED;
}

static bool open_to_all(const struct api *a)
{
    return a->publication.on && a->publication.to_all;
}

static enum err check_role(struct request *r)
{
    const struct route *route = r->route;
    bool partner = r->who.known && r->who.role == ROLE_PARTNER;
    if (route->audience == FOR_ALL || ((route->flags & ROUTE_PUBLISHED) && open_to_all(r->api)))
        return OK;
    /* Who says that he is a partner is one from whatever address he comes. */
    if ((route->flags & ROUTE_LOCAL) && ip_is_loopback(&r->peer) && !partner)
        return OK;
    if (!r->who.known)
        return unknown(r, "sign in at " API_ROOT "/login, or send a token");
    if (route->audience > FOR_PARTNER && partner)
        return forbid(r, "a partner may see what is published only");
    if (route->audience == FOR_ADMIN && r->who.role != ROLE_ADMIN)
        return forbid(r, "only an admin may do this");
    if ((route->flags & ROUTE_SESSION) && r->who.token)
        return forbid(r, "a token may not do this; sign in");
    return OK;
}

enum err session_may(struct request *r)
{
    enum err e = check_role(r);
    if (e || strcmp(r->route->method, "GET") == 0)
        return e;
    if (!r->who.token && !same_origin(r))
        return forbid(r, "the request comes from a page of another origin");
    if (r->who.known && !r->who.token && r->route->audience != FOR_ALL && !right_csrf(r))
        return forbid(r, "the X-CSRF-Token header must hold the value that GET /me gives");
    return OK;
}

/* "name", "name:port", "[::1]:port" -> length of the name without brackets. */
static struct bytes host_name(const char *host)
{
    if (*host == '[') {
        size_t len = strcspn(host + 1, "]");
        return bytes_over(host + 1, len);
    }
    return bytes_over(host, strcspn(host, ":"));
}

static bool host_is_listed(const struct api *a, struct bytes name)
{
    for (size_t i = 0; i < a->options.host_count; i++) {
        struct bytes own = host_name(a->hosts[i]);
        if (own.left == name.left &&
            strncasecmp((const char *)own.at, (const char *)name.at, name.left) == 0)
            return true;
    }
    return false;
}

/* A page elsewhere that names this hub as its own host can do so by a name only. */
static bool host_is_address(struct bytes name)
{
    char text[IP_TEXT];
    struct ip ip;
    if (name.left >= sizeof text)
        return false;
    memcpy(text, name.at, name.left);
    text[name.left] = 0;
    return ip_parse(text, &ip) == OK;
}

bool session_host_allowed(struct request *r)
{
    const struct api *a = r->api;
    if (!a->loopback && !a->options.host_count)
        return true;
    if (r->in.host) {
        struct bytes name = host_name(r->in.host);
        bool own = a->loopback ? ip_host_is_loopback((const char *)name.at, name.left)
                               : host_is_address(name);
        if (own || host_is_listed(a, name))
            return true;
    }
    reply_problem(r, 421, NULL, NULL,
        "the Host header names no host of this hub; its --host option adds names");
    return false;
}

static void set_cookie(struct request *r, const char *secret, int64_t seconds)
{
    snprintf(r->reply.cookie, sizeof r->reply.cookie,
        COOKIE "=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s", secret,
        (long long)seconds, r->secure ? "; Secure" : "");
}

enum err session_open(struct request *r, const struct catalog_user *u)
{
    char secret[SESSION_SECRET];
    struct catalog_session s = {.user = u->id, .created = r->now};
    int64_t idle = idle_of(r->api);
    int64_t most = most_of(r->api);
    s.expires = r->now + (idle < most ? idle : most);
    session_secret(secret);
    session_hash(secret, s.hash);
    session_secret(s.csrf);
    enum err e = catalog_session_add(r->api->parts.catalog, &s, &r->fault);
    if (e)
        return e;
    name_session(r, &s, u);
    set_cookie(r, secret, most / US_SECOND);
    sodium_memzero(secret, sizeof secret);
    return OK;
}

void session_cookie_clear(struct request *r)
{
    set_cookie(r, "", 0);
}

enum {
    PEER_KEY = 32
};

static void peer_key(const struct request *r, const char *what, uint8_t key[PEER_KEY])
{
    memset(key, 0, PEER_KEY);
    memcpy(key, r->peer.byte, ip_is_v4(&r->peer) ? 16 : 8);
    snprintf((char *)key + 16, PEER_KEY - 16, "%s", what);
}

bool session_throttle_peer(
    struct request *r, const char *what, const struct throttle_rule *rule, int64_t *ret_wait)
{
    uint8_t key[PEER_KEY];
    peer_key(r, what, key);
    return throttle_take(r->api->throttle, key, sizeof key, rule, r->now, ret_wait);
}

void session_throttle_forgive(
    struct request *r, const char *what, const struct throttle_rule *rule)
{
    uint8_t key[PEER_KEY];
    peer_key(r, what, key);
    throttle_give_back(r->api->throttle, key, sizeof key, rule);
}
