#ifndef CMD_SITE_PROOF_H
#define CMD_SITE_PROOF_H

#include "base/err.h"
#include "bus/bus.h"
#include "store/catalog_remote.h"

#include <stdint.h>

/* How the holder of a certificate shows, without a connection that it belongs to, that he has
 * its key: he signs a text (ECDSA with SHA-256). */

enum {
    PROOF_TEXT = 200 /* base64, NUL included */
};

enum err proof_make(const char *key_pem, const char *text, char ret_proof[PROOF_TEXT],
    struct fault *f) MUST_CHECK;

struct proof_holder {
    char site[BUS_SITE_MAX + 1];
    char serial[CATALOG_SERIAL]; /* lower-case hexadecimal */
    int64_t until;               /* end of the certificate, us */
};

/* Who signed the text? ERR_DENIED: the certificate is not of this authority, or the signature
 * not of its key. Whether it has ended or was revoked is the caller's to look at. */
enum err proof_check(const char *ca_pem, const char *certificate_pem, const char *text,
    const char *proof, struct proof_holder *ret_holder, struct fault *f) MUST_CHECK;

/* Is this a certificate of the authority for this key? ERR_DENIED otherwise. */
enum err certificate_fits(const char *ca_pem, const char *certificate_pem, const char *key_pem,
    int64_t *ret_until, struct fault *f) MUST_CHECK;

#endif
