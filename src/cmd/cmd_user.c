#include "cmd/commands.h"

#include "base/clock.h"
#include "cmd/confirm.h"
#include "cmd/ending.h"
#include "cmd/holder.h"
#include "cmd/options.h"
#include "cmd/table.h"

#include <stdio.h>
#include <string.h>

/* Who may sign in: user list, user remove. Users are added in the portal, which knows how their
 * passwords are kept. */

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
    .more = "Users are added, disabled and given another role in the portal (Settings).\n",
};

/* ---- remove ---- */

static const struct conf_item remove_items[] = {DATA_ITEM(DATA_TOLD), {.name = NULL}};

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
