#include "cmd/backup.h"

#include "base/text.h"
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files of the data folder that are copied as they are: one, or, by their ends, those of a
 * folder. What is not there is left out. The order is that in which they are copied. */
static const struct kept {
    const char *folder; /* below the data folder; "": itself */
    const char *name;   /* ".pem": all that end so; "": all */
} kept[] = {
    {"", "admin-password"},
    {"power", ""},
    {"bus", ".pem"},
    {"bus", ".key"},
    {"bus/logbook", ".spool"},
};

static enum err copied(const char *from, const char *to, struct fault *f)
{
    struct stat st;
    if (lstat(from, &st) != 0 && errno == ENOENT)
        return OK; /* a file of the logbook may have been let go of just now */
    return tree_copy_file(from, to, f);
}

static bool is_kept(const struct kept *k, const char *name)
{
    if (!k->name[0])
        return name[0] != '.';
    return k->name[0] == '.' ? text_ends(name, k->name) : strcmp(name, k->name) == 0;
}

static enum err kept_copy(
    const struct kept *k, const char *data, const char *folder, struct fault *f)
{
    char from[PATH_MAX], to[PATH_MAX], one[PATH_MAX], place[PATH_MAX];
    snprintf(from, sizeof from, "%.4000s/%s", data, k->folder);
    snprintf(to, sizeof to, "%.4000s/%s", folder, k->folder);
    DIR *d = opendir(from);
    if (!d)
        return errno == ENOENT ? OK : fault_set(f, ERR_IO, "%s: %s", from, strerror(errno));
    enum err e = mkdir(to, 0700) == 0 || errno == EEXIST
                     ? OK
                     : fault_set(f, ERR_IO, "%s: %s", to, strerror(errno));
    for (const struct dirent *entry; !e && (entry = readdir(d));) {
        if (!is_kept(k, entry->d_name))
            continue;
        bool fits = snprintf(one, sizeof one, "%s/%s", from, entry->d_name) < PATH_MAX &&
                    snprintf(place, sizeof place, "%s/%s", to, entry->d_name) < PATH_MAX;
        e = fits ? copied(one, place, f) : fault_set(f, ERR_RANGE, "%s: path too long", from);
    }
    closedir(d);
    return e;
}

static enum err fill(const struct backup_parts *p, const char *folder, struct fault *f)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.4000s/catalog.sqlite", folder);
    enum err e = catalog_backup(p->catalog, path, f);
    if (!e)
        e = store_snapshot(p->store, folder, f);
    for (size_t i = 0; i < sizeof kept / sizeof *kept && !e; i++)
        e = kept_copy(&kept[i], p->data, folder, f);
    return e ? e : tree_sync(folder, f);
}

static enum err place_of(
    const char *folder, const char *name, char path[PATH_MAX], struct fault *f)
{
    return snprintf(path, PATH_MAX, "%s%s%s", folder, *name ? "/" : "", name) < 4000
               ? OK
               : fault_set(f, ERR_RANGE, "%.80s...: path too long", folder);
}

enum err backup_turn(const char *data, int *ret_turn, struct fault *f)
{
    int turn = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (turn < 0)
        return fault_set(f, errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_IO,
            "%s: %s", data, strerror(errno));
    if (flock(turn, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(turn);
        return fault_set(f, ERR_BUSY, "%s: another backup is being made", data);
    }
    *ret_turn = turn;
    return OK;
}

enum err backup_clear(const char *data, bool *ret_left, struct fault *f)
{
    char folder[PATH_MAX];
    struct stat st;
    int turn;
    enum err e = place_of(data, BACKUP_FOLDER, folder, f);
    *ret_left = false;
    if (e || lstat(folder, &st) != 0)
        return e;
    e = backup_turn(data, &turn, f);
    if (e)
        return e == ERR_BUSY ? OK : e;
    e = tree_remove(folder, f);
    close(turn);
    *ret_left = e == OK;
    return e;
}

enum err backup_make(const struct backup_parts *p, struct fault *f)
{
    char folder[PATH_MAX];
    enum err e = place_of(p->data, BACKUP_FOLDER, folder, f);
    if (!e)
        e = tree_remove(folder, f);
    if (e)
        return e;
    if (mkdir(folder, 0700) != 0)
        return fault_set(
            f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", folder, strerror(errno));
    e = fill(p, folder, f);
    enum err removed = e ? tree_remove(folder, NULL) : OK;
    (void)removed; /* the next one tries again */
    return e;
}

/* To another file system: whole, or not there. */
static enum err carry(const char *from, const char *out, struct fault *f)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s.part", out) >= (int)sizeof part)
        return fault_set(f, ERR_RANGE, "%.80s...: path too long", out);
    enum err e = tree_copy(from, part, f);
    if (!e && rename(part, out) != 0)
        e = fault_set(f, ERR_IO, "%s: %s", out, strerror(errno));
    if (!e)
        return tree_remove(from, f);
    enum err removed = e != ERR_EXISTS ? tree_remove(part, NULL) : OK;
    (void)removed;
    return e;
}

static enum err bring(const char *from, const char *out, struct fault *f)
{
    struct stat st;
    if (lstat(out, &st) == 0)
        return fault_set(f, ERR_EXISTS, "%s: is there already", out);
    if (rename(from, out) == 0)
        return OK;
    return errno == EXDEV ? carry(from, out, f)
                          : fault_set(f, ERR_IO, "%s: %s", out, strerror(errno));
}

enum err backup_deliver(const char *data, const char *out, struct fault *f)
{
    char from[PATH_MAX];
    enum err e = place_of(data, BACKUP_FOLDER, from, f);
    if (e)
        return e;
    e = bring(from, out, f);
    enum err removed = e ? tree_remove(from, NULL) : OK;
    (void)removed; /* the next one tries again */
    return e;
}
