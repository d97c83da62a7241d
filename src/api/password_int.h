#ifndef API_PASSWORD_INT_H
#define API_PASSWORD_INT_H

#include "base/err.h"
#include "store/catalog.h"

#include <stdbool.h>

/* argon2id with 3 passes over 64 MiB: the second recommended choice of RFC 9106, section 4,
 * but for its four lanes, which libsodium does not have. */
enum {
    PASSWORD_PASSES = 3,
    PASSWORD_MEMORY = 64 << 20
};

/* ERR_NOMEM. The text goes into the catalogue. */
enum err password_hash(const char *password, unsigned long long passes, size_t memory,
    char ret_text[CATALOG_PASSWORD]) MUST_CHECK;

bool password_right(const char *text, const char *password);

#endif
