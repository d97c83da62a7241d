#include "cmd/site_action_file.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MAX = 4096
};

static const char asked[] = "action.json";
static const char done[] = "action-done.json";

/* A small regular file that is no link; the JSON in it is a new reference, NULL for none. */
static json_t *file_read(const char *folder, const char *name)
{
    char path[4200], text[FILE_MAX];
    struct stat s;
    snprintf(path, sizeof path, "%.4000s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    bool plain = fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
    ssize_t len = plain ? read(fd, text, sizeof text) : -1;
    close(fd);
    return len > 0 && len < FILE_MAX ? json_loadb(text, (size_t)len, 0, NULL) : NULL;
}

/* Whole or not at all; what is in the way is replaced, never written through. */
static enum err file_write(const char *folder, const char *name, const json_t *value)
{
    char path[4200], next[4210];
    struct buf text;
    snprintf(path, sizeof path, "%.4000s/%s", folder, name);
    snprintf(next, sizeof next, "%s.new", path);
    buf_init(&text, FILE_MAX);
    json_write(&text, value);
    unlink(next);
    int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    bool whole = fd >= 0 && !text.err && write(fd, text.data, text.len) == (ssize_t)text.len &&
                 fsync(fd) == 0;
    if (fd >= 0)
        whole = close(fd) == 0 && whole;
    buf_done(&text);
    return whole && rename(next, path) == 0 ? OK : ERR_IO;
}

static int64_t done_id(const char *folder)
{
    json_t *over = file_read(folder, done);
    int64_t id = json_integer_value(json_object_get(over, "id"));
    json_decref(over);
    return id;
}

enum err site_action_ask(const char *folder, const struct site_action *a, int64_t now)
{
    if (!a->id || a->id <= done_id(folder) || now > a->until)
        return OK;
    json_t *value = site_action_json(a);
    enum err e = file_write(folder, asked, value);
    json_decref(value);
    return e;
}

void site_action_report(const char *folder, struct heartbeat *h)
{
    json_t *over = file_read(folder, done);
    const char *result = json_string_value(json_object_get(over, "result"));
    if (json_is_integer(json_object_get(over, "id")) && result) {
        h->action_id = json_integer_value(json_object_get(over, "id"));
        snprintf(h->action_result, sizeof h->action_result, "%.127s", result);
    }
    json_decref(over);
}

enum err site_action_take(const char *folder, struct site_action *ret_action, struct fault *f)
{
    char path[4200];
    json_t *value = file_read(folder, asked);
    if (!value)
        return fault_set(f, ERR_NOTFOUND, "%s: nothing is asked for", folder);
    snprintf(path, sizeof path, "%.4000s/%s", folder, asked);
    enum err e = site_action_read(value, ret_action, f);
    json_decref(value);
    if (unlink(path) != 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    return e;
}

enum err site_action_over(const char *folder, int64_t id, const char *result, struct fault *f)
{
    json_t *value = json_pack(
        "{s:I, s:o}", "id", (json_int_t)id, "result", json_text(result, strlen(result)));
    enum err e = value ? file_write(folder, done, value) : ERR_NOMEM;
    json_decref(value);
    return e ? fault_set(f, e, "%s/%s: %s", folder, done, strerror(errno)) : OK;
}
