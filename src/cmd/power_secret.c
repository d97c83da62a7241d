#include "cmd/power_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder, as a path that means the same to whoever reads the file. */
static enum err folder_of(const char *data, char ret_folder[PATH_MAX + 16], struct fault *f)
{
    char whole[PATH_MAX];
    if (!realpath(data, whole))
        return fault_set(f, ERR_IO, "%s: %s", data, strerror(errno));
    snprintf(ret_folder, PATH_MAX + 16, "%s/power", whole);
    return OK;
}

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

static bool write_line(int fd, const char *password)
{
    size_t len = strlen(password);
    return write(fd, password, len) == (ssize_t)len && write(fd, "\n", 1) == 1 &&
           fsync(fd) == 0;
}

enum err power_secret_keep(const char *data, const char *site, const char *password,
    char ret_path[CATALOG_SENTENCE], struct fault *f)
{
    char folder[PATH_MAX + 16];
    char path[CATALOG_SENTENCE];
    enum err e = folder_of(data, folder, f);
    if (e)
        return e;
    if (snprintf(path, sizeof path, "%s/%s-%08x", folder, site, randombytes_random()) >=
        (int)sizeof path)
        return fault_set(f, ERR_RANGE, "the data folder's path is too long for a password");
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "%s: %s", folder, strerror(errno));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_line(fd, password) && sync_folder(folder);
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (!good) {
        if (fd >= 0)
            unlink(path);
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
    }
    memcpy(ret_path, path, sizeof path);
    return OK;
}

void power_secret_drop(const char *data, const char *path)
{
    char folder[PATH_MAX + 16];
    if (folder_of(data, folder, NULL) != OK)
        return;
    size_t len = strlen(folder);
    if (strncmp(path, folder, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/'))
        unlink(path);
}
