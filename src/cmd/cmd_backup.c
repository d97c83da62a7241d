#include "cmd/commands.h"

#include "base/clock.h"
#include "base/tree.h"
#include "cmd/backup.h"
#include "cmd/confirm.h"
#include "cmd/ending.h"
#include "cmd/holder.h"
#include "cmd/options.h"
#include "cmd/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* kizashi backup: by the hub that runs, or, without one, by ourselves. */

static const struct conf_item items[] = {
    DATA_ITEM("The hub's data folder. If a hub runs on it, it goes on."),
    {.name = "out",
        .type = CONF_TEXT,
        .arg = "DIR",
        .text = "Where the backup goes: a folder that is not there yet."},
    {.name = "json", .type = CONF_FLAG, .text = "What was made as JSON."},
    {.name = NULL},
};

/* Nothing is made that could not be taken there afterwards. */
static enum err out_check(const char *out, struct fault *f)
{
    struct stat st;
    if (!out || !*out)
        return fault_set(f, ERR_BAD, "--out: say where the backup goes");
    return lstat(out, &st) == 0
               ? fault_set(f, ERR_EXISTS,
                     "--out %s: is there already; a backup goes where nothing is", out)
               : OK;
}

/* Root is the folder's owner for as long as the store is open: files that root made there would
 * stop the hub. */
static enum err owner_become(const char *data, struct fault *f)
{
    struct stat st;
    if (stat(data, &st) != 0)
        return fault_set(f, ERR_NOTFOUND, "--data %s: %s", data, strerror(errno));
    if (geteuid() != 0 || st.st_uid == 0)
        return OK;
    return setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0
               ? OK
               : fault_set(f, ERR_IO, "cannot become the owner of %s", data);
}

static enum err self_become(struct fault *f)
{
    return seteuid(getuid()) == 0 && setegid(getgid()) == 0
               ? OK
               : fault_set(f, ERR_IO, "cannot become who we were: %s", strerror(errno));
}

/* Who made it stands in the audit log, of the hub or here. */
static enum err made_here(struct holder *h, const char *data, struct fault *f)
{
    struct clock wall = clock_system();
    struct catalog_audit a = {.time = clock_now(&wall), .what = "backup"};
    confirm_person(a.who);
    const struct backup_parts parts = {data, holder_store(h), holder_catalog(h)};
    enum err e = catalog_audit_add(parts.catalog, &a, f);
    return e ? e : backup_make(&parts, f);
}

static enum err make(const char *data, struct fault *f)
{
    struct holder *h = NULL;
    enum err e = owner_become(data, f);
    if (!e)
        e = holder_open(&h, data, HOLDER_STORE | HOLDER_CATALOG, f);
    if (!e && holder_hub(h)) {
        json_t *answer = NULL;
        e = hub_ask(holder_hub(h), "POST", "backup?turn=held", NULL, &answer, f);
        json_decref(answer);
    } else if (!e)
        e = made_here(h, data, f);
    holder_close(h);
    struct fault other;
    enum err back = self_become(e ? &other : f);
    return e ? e : back;
}

static void tell(const char *out, const struct tree_counts *counts, bool as_json)
{
    if (as_json) {
        json_t *row = json_pack("{s:o, s:I, s:I}", "backup", json_text(out, strlen(out)),
            "files", (json_int_t)counts->files, "bytes", (json_int_t)counts->bytes);
        table_line(stdout, row);
        json_decref(row);
        return;
    }
    printf("%s: %llu files, %.1f MB\n", out, (unsigned long long)counts->files,
        (double)counts->bytes / 1e6);
}

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct fault f = {0};
    struct tree_counts counts;
    const char *data = conf_text(conf, "data"), *out = conf_text(conf, "out");
    int turn = -1;
    enum err e = out_check(out, &f);
    if (!e)
        e = backup_turn(data, &turn, &f);
    if (e == ERR_BUSY || e == ERR_NOTFOUND)
        fault_prefix(&f, "--data");
    if (!e)
        e = make(data, &f);
    if (!e) {
        e = backup_deliver(data, out, &f);
        if (e)
            fault_prefix(&f, "--out");
    }
    if (turn >= 0)
        close(turn);
    if (!e)
        e = tree_count(out, &counts, &f);
    if (!e)
        tell(out, &counts, conf_flag(conf, "json"));
    return ending("backup", e, &f);
}

const struct command cmd_backup = {
    .name = "backup",
    .text =
        "Copy a hub's data folder as it is at one moment, while the hub runs or without one.",
    .items = items,
    .run = run,
    .more =
        "The copy is a data folder: kizashi hub --data and all other commands take it. It has "
        "the catalogue (users, alerts, sites, the audit log, what the engines have learned), "
        "the store, keys and certificates, and the logbook. What the message server holds is "
        "not in it: sites send that again.\n\n"
        "On the file system of the data folder the store's files are links to those of the "
        "hub, "
        "which never change: that takes seconds and little room, and does not help against a "
        "broken disk. Elsewhere they are copied. Keep it as safe as the hub itself: who reads "
        "it "
        "can be its certificate authority.\n\n"
        "Example:\n"
        "  kizashi backup --data /var/lib/kizashi --out /mnt/backup/kizashi-$(date +%F)\n",
};
