#include "fleet/power_int.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const names[POWER_ACTION_COUNT] = {
#define X(id, word, sentence) [id] = word,
    POWER_ACTIONS(X)
#undef X
};

const char *power_action_name(enum power_action a)
{
    assert(a < POWER_ACTION_COUNT);
    return names[a];
}

enum err power_action_parse(const char *word, enum power_action *ret_action)
{
    for (int i = 0; i < POWER_ACTION_COUNT; i++)
        if (strcmp(names[i], word) == 0) {
            *ret_action = (enum power_action)i;
            return OK;
        }
    return ERR_NOTFOUND;
}

static enum err secret_read(
    const char *path, char ret_secret[POWER_SECRET_MAX], struct fault *f)
{
    struct stat s;
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0); /* no copy of it stays in a buffer */
    enum err e = OK;
    if (fstat(fileno(file), &s) != 0 || !S_ISREG(s.st_mode) || (s.st_mode & 077))
        e = fault_set(
            f, ERR_DENIED, "%s: must be a file that only its owner may read: chmod 600", path);
    else if (!fgets(ret_secret, POWER_SECRET_MAX, file))
        e = fault_set(f, ERR_BAD, "%s: holds no password", path);
    fclose(file);
    if (!e)
        ret_secret[strcspn(ret_secret, "\r\n")] = 0;
    if (!e && !ret_secret[0])
        e = fault_set(f, ERR_BAD, "%s: its first line is empty", path);
    return e;
}

static bool is_loopback_http(const char *address)
{
    static const char *const fine[] = {
        "http://127.0.0.1:", "http://127.0.0.1/", "http://[::1]:", "http://localhost:"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        if (strncmp(address, fine[i], strlen(fine[i])) == 0)
            return true;
    return false;
}

/* The digest of one key. To curl what does not begin so is a file of the hub. */
static bool is_pin(const char *text)
{
    static const char kind[] = "sha256//";
    uint8_t digest[crypto_hash_sha256_BYTES];
    size_t len = 0;
    const char *end = NULL;
    return strncmp(text, kind, strlen(kind)) == 0 &&
           sodium_base642bin(digest, sizeof digest, text + strlen(kind),
               strlen(text + strlen(kind)), NULL, &len, &end,
               sodium_base64_VARIANT_ORIGINAL) == 0 &&
           len == sizeof digest && !*end;
}

static enum err redfish_check(const char *address, struct fault *f)
{
    const char *pin = strchr(address, '#');
    if ((strncmp(address, "https://", 8) != 0 && !is_loopback_http(address)) ||
        strchr(address, '@'))
        return fault_set(f, ERR_BAD,
            "%.80s: Redfish is asked at an address such as https://192.0.2.7", address);
    if (pin && !is_pin(pin + 1))
        return fault_set(f, ERR_BAD,
            "%.80s: a pin is sha256// and the 44 characters of base64 that say 32 bytes",
            pin + 1);
    return OK;
}

static enum err door_check(const struct power_door *door, struct fault *f)
{
    bool redfish = strcmp(door->kind, "redfish") == 0;
    if (!redfish && strcmp(door->kind, "ipmi") != 0)
        return fault_set(
            f, ERR_BAD, "\"%.40s\" is no kind of power switch: ipmi or redfish", door->kind);
    if (redfish)
        return redfish_check(door->address, f);
    if (!door->address[0] || strpbrk(door->address, "/ @") || strlen(door->address) > 200)
        return fault_set(f, ERR_BAD,
            "\"%.80s\" is no address of a management controller, such as 192.0.2.7",
            door->address);
    return OK;
}

enum err power_check(const struct power_door *door, struct fault *f)
{
    char secret[POWER_SECRET_MAX];
    enum err e = door_check(door, f);
    if (!e)
        e = secret_read(door->secret, secret, f);
    sodium_memzero(secret, sizeof secret);
    return e;
}

enum err power_run(const struct power_door *door, enum power_action action, const char *helper,
    bool *ret_on, struct fault *f)
{
    char secret[POWER_SECRET_MAX];
    enum err e = door_check(door, f);
    if (!e)
        e = secret_read(door->secret, secret, f);
    if (!e)
        e = strcmp(door->kind, "ipmi") == 0
                ? power_ipmi(door, secret, action, helper, ret_on, f)
                : power_redfish(door, secret, action, ret_on, f);
    sodium_memzero(secret, sizeof secret);
    return e;
}
