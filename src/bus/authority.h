#ifndef BUS_AUTHORITY_H
#define BUS_AUTHORITY_H

#include "base/buf.h"
#include "bus/bus.h"

#include <stddef.h>
#include <stdint.h>

/* The hub's own certificate authority: it vouches for the hub and for its sites on the bus, and
 * for nothing else. Keys are elliptic (P-256). A site makes its key itself and sends a request;
 * the authority looks at the request's key and signature only, and writes the name that the hub
 * gave the site. */
struct authority;

enum {
    AUTHORITY_SERIAL = 41,      /* text of a serial number, with its NUL */
    AUTHORITY_FINGERPRINT = 65, /* text of a SHA-256, with its NUL */
    AUTHORITY_PEM_MAX = 16 << 10,
    AUTHORITY_NAMES_MAX = 16
};

/* The authority in a folder, made if there is none: ca.pem and ca.key, the key readable by its
 * owner only. */
enum err authority_open(
    struct authority **ret_authority, const char *folder, struct fault *f) MUST_CHECK;
void authority_close(struct authority *a);

/* SHA-256 of its certificate, hexadecimal: what an enrolment token carries, so that a site
 * knows its hub. */
void authority_fingerprint(const struct authority *a, char text[AUTHORITY_FINGERPRINT]);
/* The same of a certificate in PEM. */
enum err certificate_fingerprint(
    const char *pem, char text[AUTHORITY_FINGERPRINT], struct fault *f) MUST_CHECK;

/* When the certificate in a PEM file begins and ends, us. ERR_NOTFOUND: there is none in it. */
enum err certificate_times(const char *path, int64_t *ret_begin, int64_t *ret_end) MUST_CHECK;

/* Its certificate, PEM. */
enum err authority_pem(const struct authority *a, struct buf *out) MUST_CHECK;

struct authority_grant {
    const char *name; /* CN: the site's, or "hub" */
    int64_t now;      /* us; the certificate begins a day before, for clocks that differ */
    int64_t until;
    /* Not NULL-ended: names and addresses under which a server is reached; none: a client. */
    const char *const *hosts;
    size_t host_count;
};

/* Sign a request. ERR_BAD: it is none, its signature is wrong, or its key is too weak. */
enum err authority_sign(const struct authority *a, const char *request,
    const struct authority_grant *grant, struct buf *ret_pem, char ret_serial[AUTHORITY_SERIAL],
    struct fault *f) MUST_CHECK;

/* A certificate for the hub's own use and its key, as NAME.pem and NAME.key in the folder: kept
 * if it is there, names the same hosts and is good for another 30 days. */
enum err authority_own(const struct authority *a, const char *folder, const char *file,
    const struct authority_grant *grant, struct fault *f) MUST_CHECK;

/* A new key and the request for its certificate, both PEM: for the site's side. */
enum err request_make(
    const char *name, struct buf *ret_key, struct buf *ret_request, struct fault *f) MUST_CHECK;

/* The name by which the message server knows the holder of a certificate, as it writes it:
 * "CN=jp-01,OU=3f2a,O=kizashi". OU is the begin of the serial number, so that a certificate
 * that was replaced counts no longer. */
enum {
    AUTHORITY_DN = 160
};
void authority_dn(const char *name, const char *serial, char text[AUTHORITY_DN]);

#endif
