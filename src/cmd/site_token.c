#include "cmd/site_token.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    BEGIN = 4, /* "kz2." */
    SECRET = SITE_TOKEN_SECRET - 1,
    PRINT = AUTHORITY_FINGERPRINT - 1,
    CHECK_BYTES = 4,
    CHECK = 2 * CHECK_BYTES,
    UNCHECKED = BEGIN + SECRET + 1 + PRINT, /* as long as kz1 is, and as what is checked */
    CHECKED = UNCHECKED + 1 + CHECK
};

_Static_assert((int)CHECKED < (int)SITE_TOKEN, "a token has room");

static const char hex_digits[] = "0123456789abcdef";

/* The first bytes of the SHA-256 of what comes before them: no secret, a checksum. */
static void check_of(const char *text, char ret_check[CHECK + 1])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text, UNCHECKED);
    sodium_bin2hex(ret_check, CHECK + 1, hash, CHECK_BYTES);
}

void site_token_write(const struct site_token *t, char ret_text[SITE_TOKEN])
{
    char check[CHECK + 1];
    snprintf(ret_text, SITE_TOKEN, "kz2.%s.%s", t->secret, t->fingerprint);
    check_of(ret_text, check);
    snprintf(ret_text + UNCHECKED, SITE_TOKEN - UNCHECKED, ".%s", check);
}

/* As long as one of its version, with points where they belong, and hex where that belongs. */
static bool has_form(const char *text)
{
    bool checked = strncmp(text, "kz2.", BEGIN) == 0;
    if ((!checked && strncmp(text, "kz1.", BEGIN) != 0) ||
        strlen(text) != (checked ? CHECKED : UNCHECKED))
        return false;
    const char *print = text + BEGIN + SECRET + 1;
    return print[-1] == '.' && strspn(print, hex_digits) == PRINT &&
           (!checked ||
               (text[UNCHECKED] == '.' && strspn(text + UNCHECKED + 1, hex_digits) == CHECK));
}

/* Is what it says last what is made of the rest? */
static bool is_as_made(const char *text)
{
    char check[CHECK + 1];
    if (strncmp(text, "kz1.", BEGIN) == 0)
        return true;
    check_of(text, check);
    return strcmp(text + UNCHECKED + 1, check) == 0;
}

enum err site_token_read(const char *text, struct site_token *ret_token, struct fault *f)
{
    bool form = has_form(text);
    if (!form && strncmp(text, "kz2.", BEGIN) != 0)
        return fault_set(
            f, ERR_BAD, "that is no token: it has the form kz2.SECRET.FINGERPRINT.CHECK");
    if (!form || !is_as_made(text))
        return fault_set(f, ERR_BAD,
            "the token is not as it was made: mistyped, or not the whole of its %d characters",
            CHECKED);
    memcpy(ret_token->secret, text + BEGIN, SECRET);
    ret_token->secret[SECRET] = 0;
    memcpy(ret_token->fingerprint, text + BEGIN + SECRET + 1, PRINT);
    ret_token->fingerprint[PRINT] = 0;
    return OK;
}
