#include "cmd/site_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATHS_MAX = 65536
};

enum err site_name_check(const char *name, struct fault *f)
{
    size_t len = strlen(name);
    if (len < 1 || len > RECORD_NAME_MAX ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._:-") != len)
        return fault_set(f, ERR_BAD,
            "\"%.80s\" is no name for a site: 1 to %d of a-z, 0-9, '.', '_', ':' and '-' are",
            name, RECORD_NAME_MAX);
    return OK;
}

static struct site_captures *site_of(struct site_list *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->sites[i].name, name) == 0)
            return &l->sites[i];
    struct site_captures *more = realloc(l->sites, (l->count + 1) * sizeof *more);
    if (!more)
        return NULL;
    l->sites = more;
    struct site_captures *s = &l->sites[l->count++];
    *s = (struct site_captures){0};
    snprintf(s->name, sizeof s->name, "%s", name);
    return s;
}

static enum err file_add(struct site_captures *s, const char *path, struct fault *f)
{
    if (s->count >= PATHS_MAX)
        return fault_set(f, ERR_FULL, "more than %d captures for one site", PATHS_MAX);
    const char **more = realloc(s->paths, (s->count + 1) * sizeof *more);
    if (!more)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->paths = more;
    s->paths[s->count++] = path;
    return OK;
}

static enum err path_add(
    struct site_list *l, const char *name, const char *path, struct fault *f)
{
    struct stat st;
    struct site_captures *s = site_of(l, name);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return file_add(s, path, f);
    size_t before = s->files.count;
    enum err e = capture_list_add(&s->files, path, f);
    for (size_t i = before; i < s->files.count && !e; i++)
        e = file_add(s, s->files.paths[i], f);
    return e;
}

void site_captures_done(struct site_captures *s)
{
    free(s->paths);
    capture_list_done(&s->files);
}

static enum err pair_add(struct site_list *l, const char *pair, struct fault *f)
{
    char name[RECORD_NAME_MAX + 2];
    const char *equals = strchr(pair, '=');
    if (!equals || !equals[1])
        return fault_set(f, ERR_BAD, "--site: \"%.200s\" is not of the form NAME=FILE", pair);
    snprintf(name, sizeof name, "%.*s", (int)(equals - pair), pair);
    enum err e = site_name_check(name, f);
    if (e) {
        fault_prefix(f, "--site");
        return e;
    }
    if (strcmp(equals + 1, "-") != 0 && access(equals + 1, R_OK) != 0)
        return fault_set(f, ERR_NOTFOUND, "--site %.200s: %s", pair, strerror(errno));
    return path_add(l, name, equals + 1, f);
}

enum err site_list_pairs(
    struct site_list *l, const char *const *pairs, size_t count, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; i < count && !e; i++)
        e = pair_add(l, pairs[i], f);
    return e;
}

enum err site_list_paths(
    struct site_list *l, const char *name, char *const *paths, size_t count, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; i < count && !e; i++)
        e = path_add(l, name, paths[i], f);
    return e;
}

void site_list_done(struct site_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        site_captures_done(&l->sites[i]);
    free(l->sites);
    *l = (struct site_list){0};
}
