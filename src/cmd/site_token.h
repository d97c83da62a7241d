#ifndef CMD_SITE_TOKEN_H
#define CMD_SITE_TOKEN_H

#include "base/err.h"
#include "bus/authority.h"

/* What a site shows once to get its certificate: kz2.SECRET.FINGERPRINT.CHECK. The secret is
 * for the hub; the fingerprint, of the hub's authority, is for the site; the check is over all
 * before it, so that a mistyped token is found where it is typed and costs no invitation.
 * Tokens kz1.SECRET.FINGERPRINT, of earlier versions, have no check and are taken, too. */

enum {
    SITE_TOKEN = 128,
    SITE_TOKEN_SECRET = 44 /* 32 bytes in base64, and the 0 */
};

struct site_token {
    char secret[SITE_TOKEN_SECRET];
    char fingerprint[AUTHORITY_FINGERPRINT];
};

void site_token_write(const struct site_token *t, char ret_text[SITE_TOKEN]);

/* ERR_BAD: it is no token, or not as it was made; the fault says which. */
enum err site_token_read(
    const char *text, struct site_token *ret_token, struct fault *f) MUST_CHECK;

#endif
