#include "cmd/services.h"

#include "base/text.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SERVICES_MAX = 16,
    NAME_MAX_LEN = 64,
    PATH = 512
};

struct services {
    char names[SERVICES_MAX][NAME_MAX_LEN];
    size_t count;
};

static void service_add(struct services *s, const char *unit)
{
    size_t len = strlen(unit) - strlen(".service");
    if (s->count == SERVICES_MAX || len >= NAME_MAX_LEN)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (strlen(s->names[i]) == len && strncmp(s->names[i], unit, len) == 0)
            return;
    snprintf(s->names[s->count++], NAME_MAX_LEN, "%.*s", (int)len, unit);
}

/* The services that a target wants. */
static void wanted_look(const char *folder, struct services *s)
{
    DIR *d = opendir(folder);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (strncmp(e->d_name, "kizashi", 7) == 0 && text_ends(e->d_name, ".service"))
            service_add(s, e->d_name);
    if (d)
        closedir(d);
}

static void enabled_look(const char *root, struct services *s)
{
    char path[PATH], wants[2 * PATH];
    snprintf(path, sizeof path, "%s/etc/systemd/system", root);
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (!text_ends(e->d_name, ".wants"))
            continue;
        snprintf(wants, sizeof wants, "%s/%s", path, e->d_name);
        wanted_look(wants, s);
    }
    if (d)
        closedir(d);
}

/* Where systemd keeps the cgroups of services: of version 2, or of version 1. */
static bool slice_find(const char *root, char path[PATH])
{
    static const char *const places[] = {
        "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, PATH, "%s%s", root, places[i]);
        if (access(path, R_OK | X_OK) == 0)
            return true;
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

void services_down(const char *root, char *ret_text, size_t len)
{
    struct services s = {.count = 0};
    char slice[PATH], path[2 * PATH];
    size_t used = 0;
    ret_text[0] = 0;
    if (!slice_find(root, slice))
        return;
    enabled_look(root, &s);
    qsort(s.names, s.count, sizeof *s.names, by_name);
    for (size_t i = 0; i < s.count; i++) {
        snprintf(path, sizeof path, "%s/%s.service", slice, s.names[i]);
        size_t more = strlen(s.names[i]) + (used != 0);
        if (access(path, F_OK) == 0 || used + more >= len)
            continue;
        snprintf(ret_text + used, len - used, "%s%s", used ? "," : "", s.names[i]);
        used += more;
    }
}
