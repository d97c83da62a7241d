#include "cmd/hub_people.h"

#include "base/clock.h"
#include "cmd/hub_client.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err password_write(const char *path, const char *password, struct fault *f)
{
    mode_t old = umask(077);
    FILE *file = fopen(path, "w");
    umask(old);
    if (!file || fprintf(file, "%s\n", password) < 0 || fclose(file) != 0)
        return fault_set(f, ERR_IO, "%s: cannot be written", path);
    return OK;
}

enum err first_user_make(struct catalog *c, const char *data,
    char password[API_PASSWORD_MAX + 1], bool show, struct fault *f)
{
    uint64_t users = 0;
    char path[4200];
    struct clock wall = clock_system();
    enum err e = catalog_user_count(c, &users);
    if (e || users)
        return e ? fault_set(f, e, "the catalogue cannot be read") : OK;
    bool given = password[0] != 0;
    snprintf(path, sizeof path, "%s/admin-password", data);
    if (!given) {
        api_password_random(password);
        e = password_write(path, password, f);
    }
    if (!e)
        e = api_user_add(c, "admin", password, ROLE_ADMIN, clock_now(&wall), f);
    if (!e && given)
        printf("First user: admin, with the password of --admin-password-file\n");
    else if (!e && show)
        printf("First user: admin, password: %s\n(also in %s; change it in the portal)\n",
            password, path);
    else if (!e)
        printf("First user: admin, with the password in %s; change it in the portal\n", path);
    return e;
}

void portal_tell(const char *address, const char *name)
{
    static const char *const any[] = {"://0.0.0.0:", "://[::]:"};
    char own[256] = "";
    if (!name && gethostname(own, sizeof own - 1) == 0)
        name = own;
    for (size_t i = 0; i < sizeof any / sizeof *any && name && name[0]; i++) {
        const char *at = strstr(address, any[i]);
        if (!at)
            continue;
        printf("Portal: %.*s://%s:%s/ (all addresses of this machine)\n", (int)(at - address),
            address, name, at + strlen(any[i]));
        return;
    }
    printf("Portal: %s/\n", address);
}

struct token_name {
    const char *name;
    int64_t ids[64];
    size_t count;
};

static enum err token_named(void *context, const struct catalog_token *t)
{
    struct token_name *n = context;
    if (!t->revoked && strcmp(t->name, n->name) == 0 &&
        n->count < sizeof n->ids / sizeof *n->ids)
        n->ids[n->count++] = t->id;
    return OK;
}

enum err address_leave(
    struct catalog *c, const char *data, const char *address_url, struct fault *f)
{
    struct clock wall = clock_system();
    int64_t now = clock_now(&wall);
    struct token_name old = {.name = API_OWN_TOKEN};
    enum err e = catalog_tokens(c, token_named, &old);
    for (size_t i = 0; i < old.count && !e; i++)
        e = catalog_token_revoke(c, old.ids[i], now);
    /* Who can read the file can write the catalogue beside it: an admin already. */
    struct catalog_token t = {.role = ROLE_ADMIN, .created = now};
    struct hub_address address;
    snprintf(t.name, sizeof t.name, "%s", old.name);
    snprintf(t.by, sizeof t.by, API_OWN_MAKER);
    snprintf(address.url, sizeof address.url, "%s", address_url);
    if (!e)
        e = api_token_add(c, &t, address.token, f);
    return e ? fault_set(f, e, "no token for the command line: %s", err_text(e))
             : hub_address_write(data, &address, f);
}
