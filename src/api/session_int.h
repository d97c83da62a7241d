#ifndef API_SESSION_INT_H
#define API_SESSION_INT_H

#include "api/request_int.h"
#include "api/throttle_int.h"

/* Who asks, and may they? Sessions are cookies of 256 random bits, tokens too; the catalogue
 * keeps only their BLAKE2b hashes. */

enum {
    SESSION_SECRET = 48 /* 43 characters of base64url, with room */
};

/* Fills r->who from cookie or Authorization. No credentials: OK, and nobody is known. Wrong
 * ones: the reply holds a 401. */
enum err session_identify(struct request *r) MUST_CHECK;

/* The route's role, and for a session on a method that changes something the CSRF token and the
 * origin. Otherwise the reply holds the problem. */
enum err session_may(struct request *r) MUST_CHECK;

/* Is the Host header one of ours? A page of a stranger that has its name point to our loopback
 * address (DNS rebinding) sends the stranger's. */
bool session_host_allowed(struct request *r);

/* Open a session for a user whose password was right: sets the cookie and fills r->who. */
enum err session_open(struct request *r, const struct catalog_user *u) MUST_CHECK;

/* The cookie that takes the session away from the browser. */
void session_cookie_clear(struct request *r);

/* One more of `what` from the peer's address (IPv6: its /64). */
bool session_throttle_peer(
    struct request *r, const char *what, const struct throttle_rule *rule, int64_t *ret_wait);

/* Uncount the last one. */
void session_throttle_forgive(
    struct request *r, const char *what, const struct throttle_rule *rule);

/* 256 random bits as text, and the hash under which the catalogue knows a text. */
void session_secret(char ret_text[SESSION_SECRET]);
void session_hash(const char *text, uint8_t ret_hash[CATALOG_HASH]);

/* The value of a cookie in a Cookie header; the result is not terminated. */
struct bytes session_cookie(const char *header, const char *name);

#endif
