#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    COPY_AT_ONCE = 1 << 18,
    MODE = 07777
};

static enum err told(struct fault *f, const char *path)
{
    enum err e = errno == ENOSPC || errno == EDQUOT ? ERR_FULL
                 : errno == EEXIST                  ? ERR_EXISTS
                                                    : ERR_IO;
    return fault_set(f, e, "%s: %s", path, strerror(errno));
}

/* 0, or -1 and errno. */
static int bytes_copy(int in, int out)
{
    char *piece = malloc(COPY_AT_ONCE);
    ssize_t got = piece ? 1 : -1;
    while (got > 0) {
        got = read(in, piece, COPY_AT_ONCE);
        for (ssize_t at = 0; at < got;) {
            ssize_t wrote = write(out, piece + at, (size_t)(got - at));
            if (wrote < 0) {
                got = -1;
                break;
            }
            at += wrote;
        }
    }
    int why = errno;
    free(piece);
    errno = why;
    return got < 0 ? -1 : 0;
}

enum err tree_copy_file(const char *from, const char *to, struct fault *f)
{
    struct stat st;
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0 || fstat(in, &st) != 0) {
        enum err e = told(f, from);
        if (in >= 0)
            close(in);
        return e;
    }
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = out >= 0 && bytes_copy(in, out) == 0 && fchmod(out, st.st_mode & MODE) == 0;
    enum err e = good ? OK : told(f, to);
    close(in);
    if (out >= 0) {
        close(out);
        if (e)
            unlink(to);
    }
    return e;
}

static FTS *walk_open(const char *path, struct fault *f)
{
    char *copy = strdup(path);
    char *roots[] = {copy, NULL};
    FTS *walk = copy ? fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL) : NULL;
    if (!walk)
        told(f, path);
    free(copy);
    return walk;
}

static enum err link_copy(const char *from, const char *to, struct fault *f)
{
    char text[PATH_MAX];
    ssize_t len = readlink(from, text, sizeof text - 1);
    if (len < 0)
        return told(f, from);
    text[len] = 0;
    return symlink(text, to) == 0 ? OK : told(f, to);
}

/* Folders can be written to while they are filled; their modes come when they are left. */
static enum err entry_copy(const FTSENT *entry, const char *to, struct fault *f)
{
    const struct stat *st = entry->fts_statp;
    enum err e = OK;
    switch (entry->fts_info) {
    case FTS_D:
        return mkdir(to, 0700) == 0 ? OK : told(f, to);
    case FTS_DP:
        e = chmod(to, st->st_mode & MODE) == 0 ? OK : told(f, to);
        break;
    case FTS_F:
        e = tree_copy_file(entry->fts_path, to, f);
        break;
    case FTS_SL:
    case FTS_SLNONE:
        e = link_copy(entry->fts_path, to, f);
        break;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        errno = entry->fts_errno;
        return told(f, entry->fts_path);
    default:
        return OK;
    }
    if (!e && geteuid() == 0 && lchown(to, st->st_uid, st->st_gid) != 0)
        e = told(f, to);
    return e;
}

enum err tree_copy(const char *from, const char *to, struct fault *f)
{
    FTS *walk = walk_open(from, f);
    if (!walk)
        return ERR_IO;
    size_t skip = strlen(from);
    enum err e = OK;
    for (const FTSENT *entry; !e && (entry = fts_read(walk));) {
        char path[PATH_MAX];
        if (snprintf(path, sizeof path, "%s%s", to, entry->fts_path + skip) >= (int)sizeof path)
            e = fault_set(f, ERR_RANGE, "%.100s...: path too long", to);
        else
            e = entry_copy(entry, path, f);
    }
    fts_close(walk);
    return e ? e : tree_sync(to, f);
}

enum err tree_count(const char *path, struct tree_counts *ret_counts, struct fault *f)
{
    struct tree_counts counts = {0};
    FTS *walk = walk_open(path, f);
    if (!walk)
        return ERR_IO;
    for (const FTSENT *entry; (entry = fts_read(walk));) {
        if (entry->fts_info != FTS_F)
            continue;
        counts.files++;
        counts.bytes += (uint64_t)entry->fts_statp->st_size;
    }
    fts_close(walk);
    *ret_counts = counts;
    return OK;
}

enum err tree_sync(const char *path, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e = fd >= 0 && syncfs(fd) == 0 ? OK : told(f, path);
    if (fd >= 0)
        close(fd);
    return e;
}

enum err tree_remove(const char *path, struct fault *f)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? OK : told(f, path);
    FTS *walk = walk_open(path, f);
    if (!walk)
        return ERR_IO;
    enum err e = OK;
    for (const FTSENT *entry; !e && (entry = fts_read(walk));)
        if (entry->fts_info != FTS_D && remove(entry->fts_accpath) != 0 && errno != ENOENT)
            e = told(f, entry->fts_path);
    fts_close(walk);
    return e;
}
