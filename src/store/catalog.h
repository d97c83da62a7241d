#ifndef STORE_CATALOG_H
#define STORE_CATALOG_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "record/finding.h"
#include "record/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is small and must never be half written: people and their keys, alerts and what was
 * decided about them, imports, engine states, the audit log. One SQLite file beside the
 * store (write-ahead log, fsync at every commit), brought to the newest schema when it is
 * opened.
 *
 * Every function may be called from several threads; each is one transaction and durable when
 * it returns OK. Times are parameters. Failures: ERR_NOTFOUND and ERR_EXISTS as the names say,
 * ERR_BAD for a text that is too long or not allowed, ERR_FULL when the disk is, ERR_IO for
 * what else the system refuses. Structs that are read hold copies; nothing is borrowed. */

struct catalog;

/* ERR_BAD: not a catalogue, or one of a newer program. */
enum err catalog_open(
    struct catalog **ret_catalog, const char *path, struct fault *f) MUST_CHECK;
void catalog_close(struct catalog *c);

/* A consistent copy of the whole, written to a new file while others go on working.
 * ERR_EXISTS if `path` is there. */
enum err catalog_backup(struct catalog *c, const char *path, struct fault *f) MUST_CHECK;

/* A list calls `each` row by row; what it returns other than OK ends the list and is passed up.
 * It must not call the catalogue. */

/* --- people ------------------------------------------------------------------------------ */

/* The numbers stand in catalogues. */
enum catalog_role {
    ROLE_VIEWER = 0,  /* sees everything of the hub but other people */
    ROLE_ADMIN = 1,   /* and changes it */
    ROLE_PARTNER = 2, /* of another house: sees what is published, and nothing else */
    ROLE_COUNT
};
const char *role_name(enum catalog_role r);
/* May `r` do all that `other` may? */
bool role_covers(enum catalog_role r, enum catalog_role other);

enum {
    CATALOG_NAME = 64, /* [A-Za-z0-9._@-], 1 to 63 bytes */
    CATALOG_PASSWORD = 160,
    CATALOG_NOTE = 1024,
    CATALOG_HASH = 32,
    CATALOG_CSRF = 48
};

struct catalog_user {
    int64_t id;
    char name[CATALOG_NAME];
    enum catalog_role role;
    char password[CATALOG_PASSWORD]; /* hash text of the caller's making (argon2id) */
    int64_t created;
    int64_t seen; /* last login; 0: never */
    bool disabled;
};

/* `id` and `seen` of `u` are not looked at. ERR_EXISTS: the name is taken. */
enum err catalog_user_add(struct catalog *c, const struct catalog_user *u, int64_t *ret_id,
    struct fault *f) MUST_CHECK;
enum err catalog_user_find(
    struct catalog *c, const char *name, struct catalog_user *ret_user) MUST_CHECK;
/* Role, password, seen and disabled as in `u`, found by its id. Disabling a user ends all
 * sessions. ERR_DENIED if no enabled admin would be left. */
enum err catalog_user_change(
    struct catalog *c, const struct catalog_user *u, struct fault *f) MUST_CHECK;
/* With the sessions, and without the tokens that the user made: they are revoked. Goes into the
 * audit log. ERR_NOTFOUND; ERR_DENIED if no enabled admin would be left. */
enum err catalog_user_remove(struct catalog *c, const char *name, const char *by, int64_t now,
    struct fault *f) MUST_CHECK;
enum err catalog_users(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_user *u), void *context) MUST_CHECK;
enum err catalog_user_count(struct catalog *c, uint64_t *ret_count) MUST_CHECK;

/* Sessions and tokens are found by a hash of the secret; the secret itself is never here. */
struct catalog_session {
    uint8_t hash[CATALOG_HASH];
    int64_t user;
    char csrf[CATALOG_CSRF];
    int64_t created, expires;
};

enum err catalog_session_add(
    struct catalog *c, const struct catalog_session *s, struct fault *f) MUST_CHECK;
/* ERR_NOTFOUND also if it expired by `now` or its user is disabled. */
enum err catalog_session_find(struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t now,
    struct catalog_session *ret_session, struct catalog_user *ret_user) MUST_CHECK;
enum err catalog_session_extend(
    struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t expires) MUST_CHECK;
/* Not an error if there is none. */
enum err catalog_session_end(struct catalog *c, const uint8_t hash[CATALOG_HASH]) MUST_CHECK;
enum err catalog_sessions_end(struct catalog *c, int64_t user) MUST_CHECK;

struct catalog_token {
    int64_t id;
    uint8_t hash[CATALOG_HASH];
    char name[CATALOG_NAME]; /* what it is for */
    enum catalog_role role;
    char by[CATALOG_NAME]; /* the user who made it */
    int64_t created;
    int64_t used;    /* 0: never; kept to the minute */
    int64_t expires; /* 0: never */
    int64_t revoked; /* 0: not */
};

enum err catalog_token_add(struct catalog *c, const struct catalog_token *t, int64_t *ret_id,
    struct fault *f) MUST_CHECK;
/* Notes the use. ERR_NOTFOUND also if it expired by `now` or is revoked. */
enum err catalog_token_find(struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t now,
    struct catalog_token *ret_token) MUST_CHECK;
enum err catalog_token_revoke(struct catalog *c, int64_t id, int64_t now) MUST_CHECK;
enum err catalog_tokens(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_token *t), void *context) MUST_CHECK;

/* --- alerts ------------------------------------------------------------------------------ */

/* What a person has made of it. */
#define ALERT_STATES(X)                                                                        \
    X(STATE_NEW, "new")                                                                        \
    X(STATE_SEEN, "seen")                                                                      \
    X(STATE_KNOWN, "known")                                                                    \
    X(STATE_RIGHT, "right")                                                                    \
    X(STATE_WRONG, "wrong")

enum catalog_state {
#define X(id, name) id,
    ALERT_STATES(X)
#undef X
    STATE_COUNT
};
const char *state_name(enum catalog_state s);
enum err state_parse(const char *word, enum catalog_state *ret_state) MUST_CHECK;

enum {
    CATALOG_ALERT_ID = 64,
    CATALOG_ALERT_JSON = 1 << 20
};

struct catalog_alert {
    char id[CATALOG_ALERT_ID];
    int64_t time, start, end;
    enum severity severity;
    char kind[32];
    bool open;
    uint32_t revision;
    const char *json; /* borrowed: the caller's when written, the catalogue's when listed */
    size_t json_len;
    /* What people added; catalog_alert_put() leaves it alone. */
    enum catalog_state state;
    char note[CATALOG_NOTE];
    char by[CATALOG_NAME]; /* who set the state last */
    int64_t changed;       /* when */
    int64_t rule;          /* the suppression that covers it; 0: it is shown */
    char back[160];        /* why it came back from one; "" if it did not */
    int64_t seq;           /* grows with every change of any alert: for event streams */
};

/* Written or written over; a revision that is not newer changes nothing, so the same alert may
 * come again. */
enum err catalog_alert_put(
    struct catalog *c, const struct catalog_alert *a, struct fault *f) MUST_CHECK;

/* `each` is called once, with the alert. */
enum err catalog_alert_find(struct catalog *c, const char *id,
    enum err (*each)(void *context, const struct catalog_alert *a), void *context) MUST_CHECK;

struct catalog_mark {
    enum catalog_state state;
    const char *note; /* NULL leaves the note */
    const char *by;
    int64_t time;
};

/* ERR_NOTFOUND. Goes into the audit log. */
enum err catalog_alert_mark(struct catalog *c, const char *id, const struct catalog_mark *mark,
    struct fault *f) MUST_CHECK;

struct catalog_alert_query {
    int64_t from, to;    /* alerts whose [start, end] meets [from, to); both 0: any */
    enum severity least; /* SEVERITY_INFO: any */
    const char *kind;    /* NULL: any */
    const char *engine;  /* NULL: any; one of its "engine" */
    const char *site;    /* NULL: any; a site in the alert's "sites" */
    const char *country; /* NULL: any; one of its "countries" */
    const char *words;   /* NULL: any; text that title or explanation holds, in either case */
    int proto, port;     /* -1: any; a number in its "ports", and its "proto" */
    int state;           /* -1: any; else enum catalog_state */
    int open;            /* -1: any; 0 closed, 1 open */
    int suppressed;      /* -1: any; 0 shown, 1 suppressed: catalog_rules.h */
    int64_t after_seq;   /* > 0: those with a larger seq, in order of seq */
    size_t limit;        /* 0: 100; at most 1,000 */
    const char *cursor;  /* NULL or "": first page; else what the last answer gave */
};

void catalog_alert_query_init(struct catalog_alert_query *q);

enum {
    CATALOG_CURSOR = 128
};

/* Newest `time` first (but see after_seq). `ret_cursor` (may be NULL) gets the next page's
 * cursor, "" after the last. ERR_BAD: a cursor that is none. */
enum err catalog_alerts(struct catalog *c, const struct catalog_alert_query *wanted,
    enum err (*each)(void *context, const struct catalog_alert *a), void *context,
    char ret_cursor[CATALOG_CURSOR], struct fault *f) MUST_CHECK;

/* --- the close of a window: alerts and engine states, all or nothing ---------------------- */

struct catalog_engine_state {
    const char *engine; /* name, 1 to 63 bytes */
    int64_t window_end; /* of the last window it has seen */
    const void *data;
    size_t len; /* at most 256 MiB */
};

enum err catalog_window_put(struct catalog *c, const struct catalog_alert *alerts,
    size_t alert_count, const struct catalog_engine_state *states, size_t state_count,
    struct fault *f) MUST_CHECK;

/* Into `out`, which the caller clears; ERR_NOTFOUND; ERR_BAD: it is damaged. States are kept
 * packed. */
enum err catalog_engine_state(
    struct catalog *c, const char *engine, struct buf *out, int64_t *ret_window_end) MUST_CHECK;

/* --- imports: captures that were taken in --------------------------------------------------
 */

struct catalog_import {
    char site[RECORD_NAME_MAX + 1];
    char file[512];               /* as the user named it */
    uint8_t digest[CATALOG_HASH]; /* of the content: what makes it the same file */
    uint64_t size;
    int64_t finished; /* wall clock */
    uint64_t rows;
};

/* ERR_EXISTS: this site has had this content. */
enum err catalog_import_add(
    struct catalog *c, const struct catalog_import *i, struct fault *f) MUST_CHECK;
enum err catalog_import_find(struct catalog *c, const char *site,
    const uint8_t digest[CATALOG_HASH], struct catalog_import *ret_import) MUST_CHECK;

/* --- audit log: who did what; rows are added and read, never changed ---------------------- */

struct catalog_audit {
    int64_t seq; /* given by the catalogue */
    int64_t time;
    char who[CATALOG_NAME];  /* user, "token:name" or "system" */
    char what[CATALOG_NAME]; /* "login", "alert.mark", "user.add" */
    char subject[CATALOG_NAME];
    char detail[CATALOG_NOTE];
};

enum err catalog_audit_add(
    struct catalog *c, const struct catalog_audit *a, struct fault *f) MUST_CHECK;
/* Newest first, those with seq < `before` (0: all), at most `limit`. */
enum err catalog_audit_list(struct catalog *c, int64_t before, size_t limit,
    enum err (*each)(void *context, const struct catalog_audit *a), void *context) MUST_CHECK;

#endif
