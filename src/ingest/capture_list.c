#include "ingest/capture_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && entry->d_type != DT_DIR;
}

static enum err file_add(struct capture_list *l, const char *path, struct fault *f)
{
    if (l->count >= CAPTURE_LIST_MAX)
        return fault_set(f, ERR_FULL, "more than %d captures for one site", CAPTURE_LIST_MAX);
    char **more = realloc(l->paths, (l->count + 1) * sizeof *more);
    char *copy = more ? strdup(path) : NULL;
    if (more)
        l->paths = more;
    if (!copy)
        return fault_set(f, ERR_NOMEM, "%s: out of memory", path);
    l->paths[l->count++] = copy;
    return OK;
}

static enum err folder_add(struct capture_list *l, const char *folder, struct fault *f)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, not_hidden, alphasort);
    if (count < 0)
        return fault_set(f, ERR_IO, "%s: %s", folder, strerror(errno));
    enum err e =
        count ? OK : fault_set(f, ERR_NOTFOUND, "%s: the folder holds no captures", folder);
    for (int i = 0; i < count; i++) {
        char path[4096];
        int len = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (!e)
            e = len < (int)sizeof path ? file_add(l, path, f)
                                       : fault_set(f, ERR_RANGE, "%s: path too long", folder);
        free(entries[i]);
    }
    free(entries);
    return e;
}

enum err capture_list_add(struct capture_list *l, const char *path, struct fault *f)
{
    struct stat st;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    return folder ? folder_add(l, path, f) : file_add(l, path, f);
}

void capture_list_done(struct capture_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->paths[i]);
    free(l->paths);
    *l = (struct capture_list){0};
}
