#include "cmd/site_office.h"

#include "base/clock.h"
#include "cmd/site_proof.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SERVERS_MAX = 8,
    SECRET_BYTES = 32,
    USERS_MAX = 4096,
    CONFIG_MAX = 4 << 20
};

static const int64_t certificate_life = 365 * US_DAY;
static const int64_t renewal_overlap = 7 * US_DAY; /* in which two certificates count */
static const int64_t renewal_grace = 30 * US_DAY;  /* after the end of one */
static const int64_t clock_slack = 2 * US_DAY;     /* that a site's clock may be ahead */
static const int64_t own_life = 3650 * US_DAY;

struct site_office {
    char folder[OFFICE_PATH];
    struct catalog *catalog;
    struct authority *authority;
    char servers[SERVERS_MAX][256];
    size_t server_count;
    int64_t life;
    struct clock clock;
    pthread_mutex_t lock; /* enrolments come on several threads */
};

enum err site_office_open(
    struct site_office **ret_office, const char *data, struct catalog *c, struct fault *f)
{
    char path[OFFICE_PATH];
    struct site_office *o = calloc(1, sizeof *o);
    char *whole = realpath(data, NULL);
    if (!o || !whole || sodium_init() < 0) {
        free(o);
        free(whole);
        return fault_set(f, ERR_IO, "%s: %s", data, strerror(errno));
    }
    snprintf(path, sizeof path, "%.4000s/bus", whole);
    free(whole);
    memcpy(o->folder, path, sizeof path);
    o->catalog = c;
    o->life = certificate_life;
    o->clock = clock_system();
    pthread_mutex_init(&o->lock, NULL);
    enum err e = authority_open(&o->authority, o->folder, f);
    if (e) {
        site_office_close(o);
        return e;
    }
    *ret_office = o;
    return OK;
}

void site_office_close(struct site_office *o)
{
    if (!o)
        return;
    authority_close(o->authority);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

const char *site_office_folder(const struct site_office *o)
{
    return o->folder;
}

enum err site_office_servers(
    struct site_office *o, const char *const *servers, size_t count, struct fault *f)
{
    if (count > sizeof o->servers / sizeof *o->servers)
        return fault_set(f, ERR_RANGE, "too many servers");
    for (size_t i = 0; i < count; i++)
        snprintf(o->servers[i], sizeof o->servers[i], "%s", servers[i]);
    o->server_count = count;
    return OK;
}

/* ---- invitations ---- */

static void secret_hash(const char *secret, uint8_t hash[CATALOG_HASH])
{
    _Static_assert(CATALOG_HASH == crypto_hash_sha256_BYTES, "a token's hash is a SHA-256");
    crypto_hash_sha256(hash, (const unsigned char *)secret, strlen(secret));
}

struct census {
    const char *name;
    size_t others;
};

static enum err census_count(void *context, const struct catalog_remote *r)
{
    struct census *c = context;
    c->others += !r->revoked && strcmp(r->name, c->name) != 0;
    return OK;
}

static enum err room_check(struct site_office *o, const char *name, struct fault *f)
{
    struct census c = {.name = name};
    enum err e = catalog_remotes(o->catalog, census_count, &c);
    if (e)
        return fault_set(f, e, "the catalogue cannot be read: %s", err_text(e));
    if (c.others >= SITE_OFFICE_SITES)
        return fault_set(f, ERR_FULL,
            "there are %zu sites, as many as one hub takes: revoke one that is no more "
            "(kizashi site certificates lists them)",
            c.others);
    return OK;
}

enum err site_office_invite(struct site_office *o, const struct catalog_remote *r,
    char ret_token[SITE_TOKEN], struct fault *f)
{
    uint8_t bits[SECRET_BYTES], hash[CATALOG_HASH];
    struct site_token t;
    if (!bus_site_fits(r->name))
        return fault_set(f, ERR_BAD,
            "\"%.64s\" is no name for a site on the bus: 1 to %d of a-z, 0-9, - and _", r->name,
            BUS_SITE_MAX);
    enum err e = room_check(o, r->name, f);
    if (e)
        return e;
    randombytes_buf(bits, sizeof bits);
    sodium_bin2base64(
        t.secret, sizeof t.secret, bits, sizeof bits, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    secret_hash(t.secret, hash);
    authority_fingerprint(o->authority, t.fingerprint);
    site_token_write(&t, ret_token);
    sodium_memzero(bits, sizeof bits);
    sodium_memzero(&t, sizeof t);
    return catalog_remote_invite(o->catalog, r, hash, f);
}

/* ---- certificates ---- */

/* The catalogue hears of a certificate; `shown` NULL: it was given for a token. */
static enum err papers_note(struct site_office *o, const struct authority_grant *g,
    const char *serial, const char *shown, struct fault *f)
{
    struct catalog_remote r = {.enrolled = g->now, .expires = g->until};
    snprintf(r.name, sizeof r.name, "%s", g->name);
    snprintf(r.serial, sizeof r.serial, "%s", serial);
    return shown ? catalog_remote_renewed(o->catalog, &r, shown, g->now + renewal_overlap, f)
                 : catalog_remote_certified(o->catalog, g->name, serial, g->now, g->until, f);
}

struct wanted {
    const char *site, *request;
    const char *shown; /* serial of the certificate that was shown; NULL: it was a token */
    int64_t now;
};

/* The site's papers: its certificate, and what it needs beside it. */
static enum err papers_make(
    struct site_office *o, const struct wanted *w, json_t **ret_papers, struct fault *f)
{
    struct buf certificate, ca;
    char serial[AUTHORITY_SERIAL];
    struct authority_grant grant = {.name = w->site, .now = w->now, .until = w->now + o->life};
    buf_init(&certificate, AUTHORITY_PEM_MAX);
    buf_init(&ca, AUTHORITY_PEM_MAX);
    enum err e = authority_sign(o->authority, w->request, &grant, &certificate, serial, f);
    if (!e)
        e = authority_pem(o->authority, &ca);
    if (!e)
        e = papers_note(o, &grant, serial, w->shown, f);
    json_t *servers = json_array();
    for (size_t i = 0; i < o->server_count; i++)
        json_array_append_new(servers, json_string(o->servers[i]));
    json_t *papers = e ? NULL
                       : json_pack("{s:s, s:s, s:s, s:o, s:O}", "site", w->site, "certificate",
                             (const char *)certificate.data, "ca", (const char *)ca.data,
                             "renew", json_time(grant.until - o->life / 3), "servers", servers);
    json_decref(servers);
    buf_done(&certificate);
    buf_done(&ca);
    if (!e && !papers)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (!e)
        *ret_papers = papers;
    return e;
}

/* Would a request be signed? Asked before a token is used up. */
static enum err request_check(struct site_office *o, const char *request, struct fault *f)
{
    struct buf pem;
    char serial[AUTHORITY_SERIAL];
    struct authority_grant grant = {.name = "nobody", .now = 0, .until = US_DAY};
    buf_init(&pem, AUTHORITY_PEM_MAX);
    enum err e = authority_sign(o->authority, request, &grant, &pem, serial, f);
    buf_done(&pem);
    return e;
}

/* A token that is mistyped, or another hub's, is refused before anything is used up. */
static enum err token_take(
    struct site_office *o, const char *text, uint8_t ret_hash[CATALOG_HASH], struct fault *f)
{
    struct site_token t;
    struct fault why;
    char own[AUTHORITY_FINGERPRINT];
    if (site_token_read(text, &t, &why) != OK)
        return fault_set(f, ERR_DENIED, "%s", why.text);
    authority_fingerprint(o->authority, own);
    if (strcmp(t.fingerprint, own) != 0)
        return fault_set(f, ERR_DENIED,
            "the token is mistyped or another hub's: it names another authority than this "
            "hub's. It is not used up");
    secret_hash(t.secret, ret_hash);
    return OK;
}

static enum err enrol(struct site_office *o, const char *token, const char *request,
    int64_t now, json_t **ret_papers, struct fault *f)
{
    char name[CATALOG_REMOTE_NAME];
    uint8_t hash[CATALOG_HASH];
    enum err e = request_check(o, request, f);
    if (!e)
        e = token_take(o, token, hash, f);
    if (e)
        return e;
    e = catalog_remote_redeem(o->catalog, hash, now, name);
    if (e == ERR_NOTFOUND)
        return fault_set(f, ERR_DENIED,
            "the token is wrong, was used, or is too old: ask the hub's operator for another "
            "(kizashi site add)");
    return e ? fault_set(f, e, "the catalogue cannot be written: %s", err_text(e))
             : papers_make(o, &(struct wanted){name, request, NULL, now}, ret_papers, f);
}

enum err site_office_enrol(struct site_office *o, const char *token, const char *request,
    int64_t now, json_t **ret_papers, struct fault *f)
{
    pthread_mutex_lock(&o->lock);
    enum err e = enrol(o, token, request, now, ret_papers, f);
    pthread_mutex_unlock(&o->lock);
    return e;
}

static enum err renew(struct site_office *o, const struct site_renewal *asked, int64_t now,
    json_t **ret_papers, struct fault *f)
{
    struct proof_holder h;
    struct buf ca;
    buf_init(&ca, AUTHORITY_PEM_MAX);
    enum err e = authority_pem(o->authority, &ca);
    if (!e)
        e = proof_check(
            (const char *)ca.data, asked->certificate, asked->request, asked->proof, &h, f);
    buf_done(&ca);
    if (!e && now > h.until + renewal_grace)
        e = fault_set(f, ERR_DENIED,
            "the certificate ended more than 30 days ago: ask the hub's operator for a token "
            "(kizashi site add)");
    if (!e &&
        now < h.until - o->life / 3 - (clock_slack < o->life / 6 ? clock_slack : o->life / 6))
        e = fault_set(f, ERR_BUSY,
            "it is not yet time to renew by the hub's clock: is that of the site right?");
    return e ? e
             : papers_make(
                   o, &(struct wanted){h.site, asked->request, h.serial, now}, ret_papers, f);
}

enum err site_office_renew(struct site_office *o, const struct site_renewal *asked, int64_t now,
    json_t **ret_papers, struct fault *f)
{
    pthread_mutex_lock(&o->lock);
    enum err e = renew(o, asked, now, ret_papers, f);
    pthread_mutex_unlock(&o->lock);
    return e;
}

void site_office_clock(struct site_office *o, struct clock clock)
{
    o->clock = clock;
}

void site_office_life(struct site_office *o, int64_t life)
{
    o->life = life;
}

/* ---- the message server ---- */

enum err site_office_own(
    struct site_office *o, const char *const *hosts, size_t count, struct fault *f)
{
    struct clock wall = clock_system();
    int64_t now = clock_now(&wall);
    const char *all[AUTHORITY_NAMES_MAX] = {"localhost", "127.0.0.1", "::1"};
    struct authority_grant server = {
        .name = "server", .now = now, .until = now + own_life, .hosts = all, .host_count = 3};
    struct authority_grant hub = {.name = "hub", .now = now, .until = now + own_life};
    if (count > AUTHORITY_NAMES_MAX - 3)
        return fault_set(f, ERR_RANGE, "too many names of the server");
    for (size_t i = 0; i < count; i++)
        all[server.host_count++] = hosts[i];
    enum err e = authority_own(o->authority, o->folder, "server", &server, f);
    return e ? e : authority_own(o->authority, o->folder, "hub", &hub, f);
}

/* The name by which the server knows the hub's certificate. */
static enum err hub_dn(const struct site_office *o, char text[AUTHORITY_DN], struct fault *f)
{
    char path[OFFICE_PATH + 16], unit[64] = "";
    snprintf(path, sizeof path, "%s/hub.pem", o->folder);
    FILE *file = fopen(path, "r");
    X509 *c = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    if (!c)
        return fault_set(f, ERR_IO, "%s: cannot be read", path);
    X509_NAME_get_text_by_NID(
        X509_get_subject_name(c), NID_organizationalUnitName, unit, sizeof unit);
    X509_free(c);
    authority_dn("hub", unit, text);
    return OK;
}

struct users {
    struct broker_user *rows;
    size_t count;
    int64_t now;
};

static enum err user_add(struct users *u, const char *site, const char *serial)
{
    if (u->count == USERS_MAX)
        return ERR_FULL;
    struct broker_user *row = &u->rows[u->count++];
    snprintf(row->site, sizeof row->site, "%s", site);
    authority_dn(site, serial, row->dn);
    return OK;
}

static enum err user_take(void *context, const struct catalog_remote *r)
{
    struct users *u = context;
    if (r->revoked || !r->enrolled)
        return OK;
    enum err e = user_add(u, r->name, r->serial);
    bool both = r->serial_before[0] && u->now < r->before_until;
    return e || !both ? e : user_add(u, r->name, r->serial_before);
}

enum err site_office_broker(
    struct site_office *o, const struct broker_options *b, struct buf *out, struct fault *f)
{
    char dn[AUTHORITY_DN];
    struct broker_options options = *b;
    struct users u = {calloc(USERS_MAX, sizeof *u.rows), 0, clock_now(&o->clock)};
    enum err e = u.rows ? hub_dn(o, dn, f) : fault_set(f, ERR_NOMEM, "out of memory");
    if (!e) {
        e = catalog_remotes(o->catalog, user_take, &u);
        if (e)
            fault_set(f, e, "the catalogue cannot be read: %s", err_text(e));
    }
    options.folder = o->folder;
    options.hub_dn = dn;
    options.users = u.rows;
    options.user_count = u.count;
    if (!e)
        e = broker_config(&options, out, f);
    free(u.rows);
    return e;
}

static bool same_file(const char *path, const struct buf *text)
{
    FILE *file = fopen(path, "r");
    char *have = file ? malloc(text->len + 1) : NULL;
    bool same = have && fread(have, 1, text->len + 1, file) == text->len &&
                memcmp(have, text->data, text->len) == 0;
    free(have);
    if (file)
        fclose(file);
    return same;
}

enum err site_office_broker_write(
    struct site_office *o, const struct broker_options *b, bool *ret_changed, struct fault *f)
{
    char path[OFFICE_PATH + 16], fresh[OFFICE_PATH + 24];
    struct buf text;
    buf_init(&text, CONFIG_MAX);
    enum err e = site_office_broker(o, b, &text, f);
    snprintf(path, sizeof path, "%s/nats.conf", o->folder);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    *ret_changed = !e && !same_file(path, &text);
    if (!e && *ret_changed) {
        int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        bool good = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len;
        if (fd >= 0)
            close(fd);
        if (!good || rename(fresh, path) != 0)
            e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    }
    buf_done(&text);
    return e;
}
