#include "cmd/folder.h"

#include <errno.h>
#include <fts.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err folder_scratch(const char *name, char *ret_path, size_t len, struct fault *f)
{
    const char *base = getenv("TMPDIR");
    if (!base || !*base)
        base = "/tmp";
    if (snprintf(ret_path, len, "%s/%s-XXXXXX", base, name) >= (int)len)
        return fault_set(f, ERR_RANGE, "TMPDIR is too long");
    if (!mkdtemp(ret_path))
        return fault_set(f, ERR_IO, "%s: %s", ret_path, strerror(errno));
    return OK;
}

/* Call `each` for every entry below `path` and itself, folders after what is in them. */
static enum err walk(const char *path, int (*each)(void *context, const FTSENT *entry),
    void *context, struct fault *f)
{
    char *copy = strdup(path);
    char *roots[] = {copy, NULL};
    FTS *tree = copy ? fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL) : NULL;
    if (!tree) {
        free(copy);
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    }
    enum err e = OK;
    for (FTSENT *entry = fts_read(tree); entry && !e; entry = fts_read(tree))
        if (entry->fts_info != FTS_D && each(context, entry) != 0)
            e = fault_set(f, ERR_IO, "%s: %s", entry->fts_path, strerror(errno));
    fts_close(tree);
    free(copy);
    return e;
}

static int give_one(void *context, const FTSENT *entry)
{
    const struct passwd *user = context;
    return lchown(entry->fts_accpath, user->pw_uid, user->pw_gid);
}

enum err folder_make(const char *path, bool *ret_made, struct fault *f)
{
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST)
        return fault_set(f, errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_IO,
            "--data %s: cannot be made: %s", path, strerror(errno));
    *ret_made = made;
    return OK;
}

enum err folder_give(const char *path, const char *user, struct fault *f)
{
    struct passwd *entry = getpwnam(user);
    if (!entry)
        return fault_set(f, ERR_NOTFOUND, "--user: there is no user \"%s\"", user);
    bool made;
    enum err e = folder_make(path, &made, f);
    return e ? e : walk(path, give_one, entry, f);
}
