#ifndef STORE_CATALOG_REMOTE_H
#define STORE_CATALOG_REMOTE_H

#include "store/catalog.h"

/* What the catalogue keeps of sites that send over the bus: who may, and how far the hub is
 * with each of their spools. As in catalog.h every function is one transaction and durable when
 * it returns OK. */

enum {
    CATALOG_REMOTE_NAME = 33, /* with its NUL */
    CATALOG_SERIAL = 48
};

/* A site that may use the bus, or is about to. */
struct catalog_remote {
    char name[CATALOG_REMOTE_NAME];
    int64_t added;
    uint64_t addresses;                 /* size of its telescope; 0: not known */
    int64_t token_expires;              /* of the enrolment token that is open; 0: none is */
    int64_t enrolled;                   /* when it got its latest certificate; 0: never */
    int64_t expires;                    /* of that certificate */
    char serial[CATALOG_SERIAL];        /* of it, hexadecimal */
    int64_t revoked;                    /* 0: it is not */
    char serial_before[CATALOG_SERIAL]; /* of the certificate before a renewal; "": none */
    int64_t before_until;               /* that one counts until then */
};

/* Add a site, or open a new token for one that is there; the token is known by its hash only.
 * A site that was revoked may come back with it. */
enum err catalog_remote_invite(struct catalog *c, const struct catalog_remote *r,
    const uint8_t hash[CATALOG_HASH], struct fault *f) MUST_CHECK;

/* Use up a token: once, and before it expires. ERR_NOTFOUND: no such token, or too late. */
enum err catalog_remote_redeem(struct catalog *c, const uint8_t hash[CATALOG_HASH], int64_t now,
    char ret_name[CATALOG_REMOTE_NAME]) MUST_CHECK;

/* The site has got a certificate. */
enum err catalog_remote_certified(struct catalog *c, const char *name, const char *serial,
    int64_t now, int64_t expires, struct fault *f) MUST_CHECK;

/* It has got another by showing one that counts, which goes on counting until `overlap`: the
 * answer may not have reached it. `r` says name, serial, enrolled and expires; `shown` is the
 * serial that it showed. ERR_DENIED: that one does not count (any more). */
enum err catalog_remote_renewed(struct catalog *c, const struct catalog_remote *r,
    const char *shown, int64_t overlap, struct fault *f) MUST_CHECK;

/* Its certificate and its token count no longer. ERR_NOTFOUND: no such site. */
enum err catalog_remote_revoke(
    struct catalog *c, const char *name, int64_t now, struct fault *f) MUST_CHECK;

/* All of them, by name. */
enum err catalog_remotes(struct catalog *c,
    enum err (*each)(void *context, const struct catalog_remote *r), void *context) MUST_CHECK;

/* --- how far the hub is --------------------------------------------------------------------
 */

struct catalog_position {
    char site[CATALOG_REMOTE_NAME];
    uint64_t spool;
    uint64_t committed; /* everything up to this number is in the store */
    uint64_t lost;      /* numbers that the site had to give up */
    int64_t used;       /* when it last moved */
};

/* All at once; of each site the four spools used last are kept. */
enum err catalog_positions_put(struct catalog *c, const struct catalog_position *positions,
    size_t count, struct fault *f) MUST_CHECK;
/* Of one site, the one used last first. */
enum err catalog_positions(struct catalog *c, const char *site,
    enum err (*each)(void *context, const struct catalog_position *p),
    void *context) MUST_CHECK;

#endif
