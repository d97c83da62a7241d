#include "cmd/commands.h"

#include "api/api.h"
#include "base/clock.h"
#include "cmd/confirm.h"
#include "cmd/ending.h"
#include "cmd/holder.h"
#include "cmd/options.h"
#include "cmd/table.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Who may sign in: user list, user add, user password, user remove. */

/* ---- list ---- */

static const struct conf_item list_items[] = {
    DATA_ITEM(DATA_TOLD),
    {.name = "json", .type = CONF_FLAG, .text = "A line of JSON for each user."},
    {.name = NULL},
};

static enum err row_add(void *context, const struct catalog_user *u)
{
    json_t *row = json_pack("{s:s, s:s, s:b, s:o, s:o}", "user", u->name, "role",
        role_name(u->role), "disabled", (int)u->disabled, "created", json_time(u->created),
        "last_login", u->seen ? json_time(u->seen) : json_null());
    return row && json_array_append_new(context, row) == 0 ? OK : ERR_NOMEM;
}

static enum err rows_of_hub(const struct hub_address *hub, json_t *rows, struct fault *f)
{
    json_t *answer = NULL;
    enum err e = hub_ask(hub, "GET", "users", NULL, &answer, f);
    if (!e && json_array_extend(rows, json_object_get(answer, "rows")) != 0)
        e = fault_set(f, ERR_BAD, "the hub's answer is not a list of users");
    json_decref(answer);
    return e;
}

static int list_run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct fault f = {0};
    struct holder *h = NULL;
    json_t *rows = json_array();
    enum err e = holder_open(&h, conf_text(conf, "data"), HOLDER_CATALOG, &f);
    if (!e && holder_hub(h))
        e = rows_of_hub(holder_hub(h), rows, &f);
    else if (!e) {
        e = catalog_users(holder_catalog(h), row_add, rows);
        if (e)
            fault_set(&f, e, "the catalogue cannot be read: %s", err_text(e));
    }
    if (!e && conf_flag(conf, "json"))
        table_rows(stdout, rows, true);
    else if (!e)
        table_print(stdout, rows);
    json_decref(rows);
    holder_close(h);
    return ending("user list", e, &f);
}

const struct command cmd_user_list = {
    .name = "user list",
    .text = "Who may sign in at a hub.",
    .items = list_items,
    .run = list_run,
    .more = "Users are disabled and given another role in the portal (Settings).\n",
};

/* ---- add and password ---- */

#define PASSWORD_ITEMS                                                                         \
    {.name = "password-file",                                                                  \
        .type = CONF_FILE,                                                                     \
        .arg = "FILE",                                                                         \
        .text = "Its first line is the password; the file is its owner's alone (mode 600)."},  \
    {                                                                                          \
        .name = "draw", .type = CONF_FLAG,                                                     \
        .text = "Draw a password by chance and print it, which wants a terminal."              \
    }

static const struct conf_item add_items[] = {
    DATA_ITEM(DATA_TOLD),
    {.name = "role",
        .type = CONF_TEXT,
        .arg = "ROLE",
        .initial = "viewer",
        .values = "viewer|admin|partner",
        .text = "viewer reads; admin may all; partner reads what is published, and no more."},
    PASSWORD_ITEMS,
    {.name = NULL},
};

static const struct conf_item password_items[] = {
    DATA_ITEM(DATA_TOLD),
    PASSWORD_ITEMS,
    {.name = NULL},
};

#define PASSWORD_MORE                                                                          \
    "The password has 12 to 256 bytes. It is read from --password-file, or drawn with "        \
    "--draw, "                                                                                 \
    "or else asked for twice at the terminal, which does not show it.\n\n"

static enum err name_fits(size_t count, char **operands, struct fault *f)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";
    size_t len = count == 1 ? strlen(operands[0]) : 0;
    if (count != 1)
        return fault_set(f, ERR_BAD, "name one user; kizashi user list has them");
    return len && len < CATALOG_NAME && strspn(operands[0], letters) == len
               ? OK
               : fault_set(f, ERR_BAD, "\"%.80s\" is no name of a user", operands[0]);
}

static enum err password_typed(char ret_password[API_PASSWORD_MAX + 1], struct fault *f)
{
    char again[API_PASSWORD_MAX + 1];
    enum err e = confirm_secret("Password: ", ret_password, API_PASSWORD_MAX + 1, f);
    if (!e)
        e = confirm_secret("The same again: ", again, sizeof again, f);
    if (!e && strcmp(again, ret_password) != 0)
        e = fault_set(f, ERR_STOPPED, "the two are not the same; nothing was done");
    sodium_memzero(again, sizeof again);
    return e;
}

static enum err password_choose(
    const struct conf *conf, char ret_password[API_PASSWORD_MAX + 1], struct fault *f)
{
    const char *path = conf_text(conf, "password-file");
    bool draw = conf_flag(conf, "draw");
    if (path && draw)
        return fault_set(f, ERR_BAD, "--password-file and --draw exclude each other");
    if (path)
        return api_password_file(path, ret_password, f);
    if (draw && !isatty(STDOUT_FILENO))
        return fault_set(f, ERR_BAD,
            "--draw prints the password, and there is no terminal: give --password-file");
    if (draw && sodium_init() < 0)
        return fault_set(f, ERR_IO, "libsodium does not start");
    if (draw)
        api_password_random(ret_password);
    else if (!isatty(STDIN_FILENO))
        return fault_set(
            f, ERR_BAD, "no terminal to ask for a password at: give --password-file");
    return draw ? OK : password_typed(ret_password, f);
}

static enum err ask_hub(
    struct holder *h, const char *method, const char *path, json_t *body, struct fault *f)
{
    json_t *answer = NULL;
    enum err e = body ? hub_ask(holder_hub(h), method, path, body, &answer, f)
                      : fault_set(f, ERR_NOMEM, "out of memory");
    json_decref(answer);
    json_decref(body);
    return e;
}

static enum err user_add(
    struct holder *h, const char *name, const char *role, const char *password, struct fault *f)
{
    struct clock wall = clock_system();
    int64_t now = clock_now(&wall);
    struct catalog_audit row = {.time = now, .what = "user.add"};
    if (holder_hub(h))
        return ask_hub(h, "POST", "users",
            json_pack("{s:s, s:s, s:s}", "user", name, "password", password, "role", role), f);
    enum catalog_role as = strcmp(role, "admin") == 0     ? ROLE_ADMIN
                           : strcmp(role, "partner") == 0 ? ROLE_PARTNER
                                                          : ROLE_VIEWER;
    enum err e = api_user_add(holder_catalog(h), name, password, as, now, f);
    if (e == ERR_EXISTS)
        return fault_set(f, e, "there is a user %s", name);
    confirm_person(row.who);
    snprintf(row.subject, sizeof row.subject, "%s", name);
    snprintf(row.detail, sizeof row.detail, "%s", role);
    return e ? e : catalog_audit_add(holder_catalog(h), &row, f);
}

static enum err user_password(
    struct holder *h, const char *name, const char *password, struct fault *f)
{
    char path[CATALOG_NAME + 8], by[CATALOG_NAME];
    struct clock wall = clock_system();
    if (!holder_hub(h)) {
        confirm_person(by);
        return api_user_password(holder_catalog(h), name, password, by, clock_now(&wall), f);
    }
    snprintf(path, sizeof path, "users/%s", name);
    return ask_hub(h, "PATCH", path, json_pack("{s:s}", "password", password), f);
}

/* With a role the user is new. */
static enum err user_write(
    const struct conf *conf, size_t count, char **operands, const char *role, struct fault *f)
{
    char password[API_PASSWORD_MAX + 1] = "";
    struct holder *h = NULL;
    enum err e = name_fits(count, operands, f);
    if (!e)
        e = holder_open(&h, conf_text(conf, "data"), HOLDER_CATALOG, f);
    if (!e)
        e = password_choose(conf, password, f);
    if (!e)
        e = role ? user_add(h, operands[0], role, password, f)
                 : user_password(h, operands[0], password, f);
    if (!e && conf_flag(conf, "draw"))
        printf("Password of %s: %s\n", operands[0], password);
    sodium_memzero(password, sizeof password);
    holder_close(h);
    return e;
}

static int add_run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    enum err e = user_write(conf, count, operands, conf_text(conf, "role"), &f);
    return ending("user add", e, &f);
}

static int password_run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    enum err e = user_write(conf, count, operands, NULL, &f);
    return ending("user password", e, &f);
}

const struct command cmd_user_add = {
    .name = "user add",
    .text = "Add a user who may sign in.",
    .operands = "NAME",
    .items = add_items,
    .run = add_run,
    .more = PASSWORD_MORE "Example:\n"
                          "  kizashi user add k.tanaka --role viewer --data /var/lib/kizashi\n",
};

const struct command cmd_user_password = {
    .name = "user password",
    .text = "Give a user another password; all sessions of the user end.",
    .operands = "NAME",
    .items = password_items,
    .run = password_run,
    .more = PASSWORD_MORE
    "It helps who has lost the password of the last admin, too: who may write the data "
    "folder needs no other. With and without a hub that runs. The audit log has who did "
    "it.\n\n"
    "Example:\n"
    "  sudo -u kizashi kizashi user password admin --data /var/lib/kizashi\n",
};

/* ---- remove ---- */

static const struct conf_item remove_items[] = {DATA_ITEM(DATA_TOLD), {.name = NULL}};

static enum err user_end(struct holder *h, const char *name, struct fault *f)
{
    char path[CATALOG_NAME + 8], by[CATALOG_NAME];
    struct clock wall = clock_system();
    json_t *answer = NULL;
    if (!holder_hub(h)) {
        confirm_person(by);
        return catalog_user_remove(holder_catalog(h), name, by, clock_now(&wall), f);
    }
    snprintf(path, sizeof path, "users/%s", name);
    enum err e = hub_ask(holder_hub(h), "DELETE", path, NULL, &answer, f);
    json_decref(answer);
    return e == ERR_EXISTS ? ERR_DENIED : e; /* 409: the last admin */
}

static int remove_run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct holder *h = NULL;
    enum err e = name_fits(count, operands, &f);
    if (!e)
        e = holder_open(&h, conf_text(conf, "data"), HOLDER_CATALOG, &f);
    if (!e)
        e = user_end(h, operands[0], &f);
    holder_close(h);
    return ending("user remove", e, &f);
}

const struct command cmd_user_remove = {
    .name = "user remove",
    .text = "Remove a user: sessions end, and tokens that the user made stop working.",
    .operands = "NAME",
    .items = remove_items,
    .run = remove_run,
    .more =
        "The last admin who can sign in stays. What the user did stays in the audit log, which "
        "also has who removed the user.\n\n"
        "Example:\n"
        "  kizashi user remove k.tanaka --data /var/lib/kizashi\n",
};
