#include "cmd/screen_data.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum err screen_data_open(struct screen_data *data, const struct conf *conf, size_t count,
    char **operands, struct fault *f)
{
    const char *const *pairs;
    const char *const *labels;
    size_t pair_count = conf_list(conf, "site", &pairs);
    size_t label_count = conf_list(conf, "labels", &labels);
    data->conf = conf;
    marks_init(&data->marks);
    if (!pair_count && !count)
        return fault_set(f, ERR_BAD, "no captures: give --site NAME=FILE or files");
    enum err e = site_list_pairs(&data->list, pairs, pair_count, f);
    if (!e)
        e = site_list_paths(&data->list, "telescope", operands, count, f);
    for (size_t i = 0; !e && i < label_count; i++)
        e = marks_read_file(&data->marks, labels[i], f);
    if (!e)
        e = setup_open(&data->setup, conf, f);
    if (!e)
        e = recording_make(&data->setup, &data->list, &data->tape, f);
    return e;
}

void screen_data_done(struct screen_data *data)
{
    tape_free(data->tape);
    marks_done(&data->marks);
    setup_close(&data->setup);
    site_list_done(&data->list);
}

uint16_t screen_data_label(const struct screen_data *data, const struct ip *ip)
{
    const char *const *without;
    size_t count = conf_list(data->conf, "without", &without);
    uint16_t label = marks_find(&data->marks, ip);
    for (size_t i = 0; label != MARK_NONE && i < count; i++)
        if (strcmp(without[i], data->marks.label[label]) == 0)
            return MARK_NONE;
    return label;
}

enum err screen_data_profiles(const struct screen_data *data, struct profiles *profiles,
    uint32_t *ret_now, struct fault *f)
{
    struct arena scratch;
    uint32_t now = 0;
    arena_init(&scratch, (size_t)1 << 31);
    enum err e = OK;
    for (size_t i = 0; !e && i < tape_count(data->tape); i++) {
        const struct window *w;
        struct profile_rows rows;
        e = tape_read(data->tape, i, &w, f);
        if (e)
            break;
        now = (uint32_t)((w->start - tape_start(data->tape, 0)) / w->length) + 1;
        e = profiles_take(profiles, w, now, &scratch, &rows);
        if (e)
            fault_set(f, e, "sources: %s", err_text(e));
        arena_clear(&scratch);
    }
    arena_done(&scratch);
    *ret_now = now;
    return e;
}

static enum err failed(struct fault *f, const char *path)
{
    return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
}

enum err screen_file_write(const char *path, const struct buf *text, struct fault *f)
{
    char beside[4200];
    int len = snprintf(beside, sizeof beside, "%s.new", path);
    if (text->err || len < 0 || (size_t)len >= sizeof beside)
        return fault_set(f, text->err ? text->err : ERR_RANGE, "%s: %s", path,
            text->err ? err_text(text->err) : "the path is too long");
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return failed(f, beside);
    size_t at = 0;
    while (at < text->len) {
        ssize_t wrote = write(file, text->data + at, text->len - at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            break;
        at += (size_t)wrote;
    }
    bool good = at == text->len && fsync(file) == 0;
    if (close(file) != 0 || !good || rename(beside, path) != 0) {
        enum err e = failed(f, path);
        unlink(beside);
        return e;
    }
    return OK;
}
