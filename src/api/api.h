#ifndef API_API_H
#define API_API_H

#include "anon/propose.h"
#include "anon/publication.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "fleet/fleet.h"
#include "fleet/power.h"
#include "sensor/fingerprint.h"
#include "store/ask.h"
#include "store/catalog.h"
#include "store/catalog_fleet.h"
#include "store/store.h"

#include <stdbool.h>

/* The hub over HTTP: /api/v1 after openapi.yaml, /metrics, /healthz, and the portal's files at
 * every other path. Runs on threads of its own between api_start() and api_stop(); every
 * function here may be called from any thread. */

struct api;

enum {
    API_BODY_MAX = 64 << 10,   /* of a request */
    API_ANSWER_MAX = 64 << 20, /* of an answer that is not a stream */
    API_EVENT_CLIENTS = 4096,
    API_EVENT_QUEUE = 128, /* events that wait for one slow reader before it is cut off */
    API_STREAMS = 4,       /* exports at once */
    API_HOSTS = 16
};

/* What leaves the hub for partners, or for all; off where this is all zero. */
struct api_publication {
    bool on;
    bool to_all; /* nobody needs to sign in for it */
    struct publication_policy policy;
    uint64_t secret; /* of its noise and jitter */
    int64_t keep;    /* us: steps are kept, and made of what the store holds, so long */
};

struct api_options {
    const char *listen;   /* "ADDR:PORT", "[ADDR]:PORT"; port 0: any; NULL: 127.0.0.1:8480 */
    const char *tls_cert; /* PEM files; both or neither */
    const char *tls_key;
    /* Names under which browsers may reach the hub, beside addresses of loopback when it is
     * bound there. Empty and not on loopback: any name. */
    const char *hosts[API_HOSTS];
    size_t host_count;
    /* Prefix of a proxy in front: its X-Forwarded-For and X-Forwarded-Proto are believed. NULL:
     * none. */
    const char *proxy;
    bool no_portal;
    int64_t session_idle; /* us; 0: 12 hours */
    int64_t session_most; /* us; 0: 7 days */
    /* Requests a second of one session, token or, without either, address; a burst may be
     * five times that. 0: 50. */
    unsigned rate;
    unsigned connections;             /* 0: 4,096 */
    unsigned connections_per_address; /* 0: 512; not kept when there is a proxy */
    unsigned threads;                 /* that answer questions; 0: 4 */
    /* Cost of hashing a password that is set over HTTP; 0: 3 passes over 64 MiB. */
    unsigned password_passes;
    size_t password_memory;
    int64_t keep_packets, keep_contacts, keep_rollups; /* us, only shown */
    const char *version;                               /* only shown; NULL: "unknown" */
    struct api_publication publication;
    struct clock clock; /* now_us NULL: the system's */
};

/* How questions reach the store; tests put a fake here. */
struct api_store {
    void *context;
    enum err (*ask)(void *context, const struct ask *a, enum ask_format format, struct buf *out,
        char ret_cursor[ASK_CURSOR], struct fault *f);
    enum err (*stream)(void *context, const struct ask *a, enum ask_format format,
        enum err (*part)(void *context, const void *data, size_t len), void *part_context,
        struct fault *f);
    enum err (*usage)(void *context, struct store_usage *ret_usage, struct fault *f);
};

/* The real one; `s` is borrowed. */
struct api_store api_store_over(struct store *s);

/* What only the running hub knows. Each function gives a new reference that fits the schema of
 * openapi.yaml named beside it, or NULL for lack of memory. A NULL function stands for "none".
 */
struct api_live {
    void *context;
    json_t *(*sites)(void *context);    /* array of SiteLive */
    json_t *(*datasets)(void *context); /* array of Dataset */
    json_t *(*health)(void *context);   /* array of Health.reasons; empty when all is well */
    /* Figures in Prometheus text form, appended to those of the API itself. */
    void (*metrics)(void *context, struct buf *out);
};

struct api_renewal {
    const char *certificate, *request, *proof; /* PEM, PEM, base64 */
};

/* Where sites get their certificates. */
struct api_office {
    void *context;
    /* A new reference to an Enrolment of openapi.yaml. ERR_DENIED: the token; ERR_BAD: the
     * request for a certificate. NULL: this hub admits no sites. */
    enum err (*enrol)(void *context, const char *token, const char *request, int64_t now,
        json_t **ret_papers, struct fault *f);
    /* The same for who shows a certificate that counts: `proof` is the request signed with its
     * key. ERR_DENIED; ERR_BUSY: it is too early. */
    enum err (*renew)(void *context, const struct api_renewal *asked, int64_t now,
        json_t **ret_papers, struct fault *f);
};

/* Who talks to management controllers; `run` as power_keeper_run(), NULL: nobody. With it the
 * others: keep a password in a new file that `run` can read, and tell its path; remove a file
 * that `keep` made, and no other. */
struct api_power {
    void *context;
    enum err (*run)(void *context, const struct power_door *door, enum power_action action,
        bool *ret_on, struct fault *f);
    enum err (*keep)(void *context, const char *site, const char *password,
        char ret_path[CATALOG_SENTENCE], struct fault *f);
    void (*drop)(void *context, const char *path);
};

/* Who makes backups, in a place that who asks knows. NULL: nobody. One at a time. With
 * `turn_is_held` who asks sees to it that no other is made or taken away; else the maker does
 * while it makes it, and ERR_BUSY says that there is another. */
struct api_backup {
    void *context;
    enum err (*make)(void *context, bool turn_is_held, struct fault *f);
};

/* An engine or a view, and what it needs of the data that a site lets out. */
struct api_analysis {
    const char *name;
    const char *text; /* one sentence */
    bool view;        /* else an engine */
    bool usual;       /* asked to go on working unless somebody says otherwise */
    const struct need *needs;
};

/* All borrowed until api_stop() returns. */
struct api_parts {
    struct api_store store;
    struct catalog *catalog;
    struct api_live live;
    struct fleet *fleet; /* NULL: no site runs by itself */
    struct api_office office;
    struct api_power power;
    struct api_backup backup;
    const struct api_analysis *analyses;
    size_t analysis_count;                   /* at most ANON_WISHES_MAX */
    const struct fingerprints *fingerprints; /* the tools that there are; NULL: any name is */
};

/* Bind and answer. The fault names the option that is wrong, or the address that is taken
 * (ERR_BUSY). */
enum err api_start(struct api **ret_api, const struct api_options *options,
    const struct api_parts *parts, struct fault *f) MUST_CHECK;

/* Take no more requests, let running ones finish, tell event readers goodbye, close. NULL is
 * fine. */
void api_stop(struct api *a);

/* For `doctor`: could api_start() listen at this address now? ERR_BAD, ERR_BUSY or ERR_IO with
 * the sentence that it would give; and was the portal built into this program? */
enum err api_listen_check(const char *listen, struct fault *f) MUST_CHECK;
bool api_has_portal(void);

/* The address that it listens on, "http://127.0.0.1:8480". */
const char *api_address(const struct api *a);

/* Are these options that api_start() would take? Opens nothing but the PEM files; the fault
 * names what is wrong. */
enum err api_options_check(const struct api_options *options, struct fault *f) MUST_CHECK;

/* Do passwords and answers leave this machine without TLS, and without a proxy that was named?
 */
bool api_in_clear(const struct api *a);

/* Send an event to every reader of /events; `data` is borrowed. ERR_FULL if it is larger than
 * 256 KiB. */
enum err api_publish(struct api *a, const char *event, const json_t *data) MUST_CHECK;

/* Send the `alert` event for an alert that the catalogue holds. */
enum err api_publish_alert(struct api *a, const char *id) MUST_CHECK;

/* --- people ------------------------------------------------------------------------------ */

enum {
    API_PASSWORD_MIN = 12,
    API_PASSWORD_MAX = 256,
    API_PASSWORD_RANDOM = 25
};

/* Add a user; the password is kept as argon2id (3 passes over 64 MiB, after RFC 9106). */
enum err api_user_add(struct catalog *c, const char *name, const char *password,
    enum catalog_role role, int64_t now, struct fault *f) MUST_CHECK;

/* Give a user another password; all sessions of the user end, and the audit log says that `by`
 * did it. ERR_NOTFOUND. */
enum err api_user_password(struct catalog *c, const char *name, const char *password,
    const char *by, int64_t now, struct fault *f) MUST_CHECK;

enum {
    API_TOKEN_TEXT = 96
};

/* The token that a hub leaves for commands on its own data folder: its name and its maker. */
#define API_OWN_TOKEN "command-line"
#define API_OWN_MAKER "system"

/* Make an API token; `t` says for what (name, role, by, created, expires). The text is nowhere
 * else: the catalogue keeps its hash. */
enum err api_token_add(struct catalog *c, struct catalog_token *t,
    char ret_text[API_TOKEN_TEXT], struct fault *f) MUST_CHECK;

/* 120 bits from the system's randomness, in letters and digits that are not taken for one
 * another. */
void api_password_random(char ret_password[API_PASSWORD_RANDOM]);

/* The first line of a file that nobody but its owner may read; ERR_DENIED if others may. */
enum err api_password_file(
    const char *path, char ret_password[API_PASSWORD_MAX + 1], struct fault *f) MUST_CHECK;

#endif
