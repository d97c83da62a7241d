#ifndef API_ROUTE_INT_H
#define API_ROUTE_INT_H

#include "api/param_int.h"
#include "base/bytes.h"

struct request;

/* Whom a route answers; each may what those before it may. */
enum audience {
    FOR_ALL,     /* without signing in */
    FOR_PARTNER, /* what has passed the publication policy, and one's own session */
    FOR_VIEWER,
    FOR_ADMIN
};

enum route_flag {
    ROUTE_QUICK = 1 << 0,     /* never waits: answered on the network thread */
    ROUTE_SESSION = 1 << 1,   /* not by token */
    ROUTE_ROOT = 1 << 2,      /* stands at the root, not under /api/v1 */
    ROUTE_LOCAL = 1 << 3,     /* from loopback nobody needs to sign in */
    ROUTE_STREAM = 1 << 4,    /* gets a stream, not a body */
    ROUTE_SHARED = 1 << 5,    /* the same for everybody: kept for a moment */
    ROUTE_PUBLISHED = 1 << 6, /* for all where the hub publishes to the public */
};

/* One thing that can be asked. The rows stand in route.c; openapi.yaml tells people the same,
 * and a test holds one against the other. */
struct route {
    const char *id;     /* operationId */
    const char *method; /* "GET" also answers HEAD */
    const char *path;   /* "/alerts/{alert}" */
    enum audience audience;
    unsigned flags;
    enum err (*run)(struct request *r);
    enum param_id params[PARAM_ROUTE_MAX];
    enum param_id required[6]; /* members that the body must have */
};

extern const struct route routes[];
extern const size_t route_count;

/* The route for a method and an escaped path, with the path's parameters taken into `args`.
 * ERR_NOTFOUND: no such path; ERR_DENIED: the path is there, but not with this method, and
 * `ret_allow` lists those it has; ERR_BAD: a part of the path is not what it must be. */
enum err route_find(const char *method, struct bytes path, struct args *args,
    const struct route **ret_route, char ret_allow[64],
    struct objection *ret_objection) MUST_CHECK;

#define API_ROOT "/api/v1"

#endif
