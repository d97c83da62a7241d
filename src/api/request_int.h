#ifndef API_REQUEST_INT_H
#define API_REQUEST_INT_H

#include "api/param_int.h"
#include "api/route_int.h"
#include "base/buf.h"
#include "base/ip.h"
#include "store/ask.h"
#include "store/catalog.h"

#include <stdatomic.h>

struct api;
struct MHD_Connection;
struct MHD_Response;

/* Who asks. */
struct identity {
    bool known;
    bool token;                   /* by a token, not by a session */
    char name[CATALOG_NAME];      /* the user; of a token, its maker */
    char label[CATALOG_NAME + 8]; /* in the audit log: user, "token:name", "shell:name" */
    int64_t user;                 /* 0 for a token */
    enum catalog_role role;
    char csrf[CATALOG_CSRF];
    uint8_t hash[CATALOG_HASH];
    int64_t created, expires; /* expires 0: never */
};

/* The request's headers that matter, borrowed; NULL where there is none. */
struct headers {
    const char *host, *origin, *fetch_site, *cookie, *authorization, *csrf, *accept;
    const char *accept_encoding, *if_none_match, *content_type, *forwarded_for;
    const char *forwarded_proto, *person;
};

/* What goes back. Handlers fill status, type and body, and what else applies. */
struct reply {
    unsigned status;  /* 0: 200 */
    const char *type; /* NULL: application/json */
    struct buf body;
    struct MHD_Response *stream; /* instead of a body; owned */
    char cookie[256];            /* Set-Cookie; "" for none */
    char next[ASK_CURSOR];       /* for the Link header */
    char allow[64];              /* 405 */
    unsigned retry_after;        /* 429 and 503, seconds; 0: none */
    bool no_store;               /* holds a secret: never to be kept */
};

struct request {
    struct api *api;
    struct MHD_Connection *connection; /* NULL in tests without a server */
    const struct route *route;
    const char *method; /* borrowed */
    const char *target; /* path and query as they came; borrowed */
    struct headers in;
    struct ip peer; /* the browser's address; behind a proxy, as that says */
    bool secure;    /* the browser came by TLS */
    struct buf body;
    struct args args;
    struct identity who;
    int64_t now;
    const atomic_bool *stop; /* true: the store is asked nothing more; NULL: never */
    struct fault fault;      /* why a handler returned an error */
    struct reply reply;
};

enum err request_new(struct request **ret_request, struct api *a) MUST_CHECK;
void request_free(struct request *r);

/* The whole of a request that does not stream: route, who, may they, parameters, handler. Fills
 * the reply in every case; needs method, target, in, peer, secure and body. */
void request_answer(struct request *r);

/* Only the first part, without an api: the route and the parameters of a method, target and
 * body. On error the reply holds the problem. */
enum err request_parse(struct request *r) MUST_CHECK;

/* Path of a target, without query. */
struct bytes target_path(const char *target);
struct bytes target_query(const char *target);

/* The parameter's value. */
static inline const struct value *arg(const struct request *r, enum param_id id)
{
    return &r->args.value[id];
}

/* A problem document instead of an answer. `field` and `allowed` may be NULL. */
void reply_problem(struct request *r, unsigned status, const char *field, const char *allowed,
    const char *format, ...) PRINTF(5, 6);

/* The problem for what a room below returned; `fault` text is passed on for what the asker can
 * mend, and kept back otherwise. */
void reply_error(struct request *r, enum err e);

/* A JSON value, which is taken. NULL (no memory) gives the problem for that. */
void reply_json(struct request *r, unsigned status, json_t *value);

/* A field of a CSV line, in quotes where it needs them (RFC 4180). */
void reply_csv_text(struct buf *out, const char *text);

/* Does the asker want CSV, by parameter or by Accept? */
bool request_wants_csv(const struct request *r, enum param_id format);

#endif
