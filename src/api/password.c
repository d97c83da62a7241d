#include "api/password_int.h"

#include "api/api.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char not_text[] = "the password is not UTF-8, so no browser can send it";

_Static_assert(CATALOG_PASSWORD >= crypto_pwhash_STRBYTES, "a hash fits the catalogue");

enum err password_hash(const char *password, unsigned long long passes, size_t memory,
    char ret_text[CATALOG_PASSWORD])
{
    char text[crypto_pwhash_STRBYTES];
    if (crypto_pwhash_str(text, password, strlen(password), passes, memory) != 0)
        return ERR_NOMEM;
    memcpy(ret_text, text, sizeof text);
    return OK;
}

bool password_right(const char *text, const char *password)
{
    return crypto_pwhash_str_verify(text, password, strlen(password)) == 0;
}

/* Whole characters of UTF-8: what a browser or JSON can carry. */
static bool is_text(const char *password)
{
    const uint8_t *p = (const uint8_t *)password;
    size_t left = strlen(password);
    for (size_t step; left; p += step, left -= step)
        if (!(step = utf8_sequence(p, left)))
            return false;
    return true;
}

static enum err password_keep(
    const char *password, char ret_text[CATALOG_PASSWORD], struct fault *f)
{
    if (sodium_init() < 0)
        return fault_set(f, ERR_IO, "libsodium does not start");
    size_t len = strlen(password);
    if (!is_text(password))
        return fault_set(f, ERR_BAD, not_text);
    if (len < API_PASSWORD_MIN || len > API_PASSWORD_MAX)
        return fault_set(f, ERR_BAD, "the password has %zu bytes; %d to %d are allowed", len,
            API_PASSWORD_MIN, API_PASSWORD_MAX);
    if (password_hash(password, PASSWORD_PASSES, PASSWORD_MEMORY, ret_text) != OK)
        return fault_set(f, ERR_NOMEM, "no memory to hash a password (64 MiB are needed)");
    return OK;
}

enum err api_user_add(struct catalog *c, const char *name, const char *password,
    enum catalog_role role, int64_t now, struct fault *f)
{
    struct catalog_user u = {.role = role, .created = now};
    int64_t id;
    if (strlen(name) >= sizeof u.name)
        return fault_set(f, ERR_BAD, "the name has %zu bytes; at most %zu are allowed",
            strlen(name), sizeof u.name - 1);
    memcpy(u.name, name, strlen(name) + 1);
    enum err e = password_keep(password, u.password, f);
    return e ? e : catalog_user_add(c, &u, &id, f);
}

enum err api_user_password(struct catalog *c, const char *name, const char *password,
    const char *by, int64_t now, struct fault *f)
{
    struct catalog_user u;
    enum err e = catalog_user_find(c, name, &u);
    if (e)
        return fault_set(
            f, e, e == ERR_NOTFOUND ? "there is no user %s" : "%s: %s", name, err_text(e));
    e = password_keep(password, u.password, f);
    if (!e)
        e = catalog_user_change(c, &u, f);
    if (!e)
        e = catalog_sessions_end(c, u.id);
    struct catalog_audit row = {.time = now, .what = "user.password"};
    snprintf(row.who, sizeof row.who, "%s", by);
    snprintf(row.subject, sizeof row.subject, "%s", u.name);
    return e ? e : catalog_audit_add(c, &row, f);
}

void api_password_random(char ret_password[API_PASSWORD_RANDOM])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32: 5 bits each */
    _Static_assert(sizeof letters == 33, "each letter is as likely as the others");
    for (int i = 0; i < API_PASSWORD_RANDOM - 1; i++)
        ret_password[i] = letters[randombytes_uniform(32)];
    ret_password[API_PASSWORD_RANDOM - 1] = 0;
}

static enum err read_line(
    int file, const char *path, char ret_password[API_PASSWORD_MAX + 1], struct fault *f)
{
    char text[API_PASSWORD_MAX + 2];
    struct stat about;
    if (fstat(file, &about) != 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return fault_set(f, ERR_BAD, "%s: not a file", path);
    if (about.st_mode & 077)
        return fault_set(f, ERR_DENIED,
            "%s: others may read it (mode %03o); mode 600 is wanted", path,
            (unsigned)(about.st_mode & 0777));
    ssize_t got = read(file, text, sizeof text - 1);
    if (got < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    text[got] = 0;
    size_t len = strcspn(text, "\r\n");
    if (len < API_PASSWORD_MIN || len > API_PASSWORD_MAX)
        return fault_set(f, ERR_BAD, "%s: its first line must have %d to %d bytes", path,
            API_PASSWORD_MIN, API_PASSWORD_MAX);
    text[len] = 0;
    if (!is_text(text))
        return fault_set(f, ERR_BAD, "%s: %s", path, not_text);
    memcpy(ret_password, text, len + 1);
    sodium_memzero(text, sizeof text);
    return OK;
}

enum err api_password_file(
    const char *path, char ret_password[API_PASSWORD_MAX + 1], struct fault *f)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    enum err e = read_line(file, path, ret_password, f);
    close(file);
    return e;
}
