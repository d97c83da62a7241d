#include "screen/mark.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_MOST = 256
};

void marks_init(struct marks *m)
{
    *m = (struct marks){0};
}

void marks_done(struct marks *m)
{
    free(m->list);
    *m = (struct marks){0};
}

uint16_t marks_label(struct marks *m, const char *name)
{
    size_t i = 0;
    while (i < m->label_count && strcmp(m->label[i], name) != 0)
        i++;
    if (i == MARK_LABELS_MAX)
        return MARK_NONE;
    if (i == m->label_count)
        snprintf(m->label[m->label_count++], sizeof m->label[0], "%s", name);
    return (uint16_t)i;
}

static bool is_word(const char *text)
{
    size_t len = strlen(text);
    return len && len <= RECORD_NAME_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._:-") == len;
}

static bool packets_parse(const char *text, uint64_t *ret_packets)
{
    uint64_t value = 0;
    size_t len = strlen(text);
    if (!len || len > 18 || strspn(text, "0123456789") != len)
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    *ret_packets = value;
    return true;
}

static enum err add(struct marks *m, const struct mark *mark)
{
    if (m->count == m->room) {
        size_t room = m->room ? m->room * 2 : 1024;
        struct mark *list =
            m->count == MARKS_MAX ? NULL : realloc(m->list, room * sizeof *list);
        if (!list)
            return m->count == MARKS_MAX ? ERR_FULL : ERR_NOMEM;
        m->list = list;
        m->room = room;
    }
    m->list[m->count++] = *mark;
    return OK;
}

static enum err line_take(
    struct marks *m, const char *name, unsigned long line, char *text, struct fault *f)
{
    struct mark mark = {.packets = 1};
    char *label = strchr(text, ',');
    if (line == 1 && strncmp(text, "source,label", 12) == 0)
        return OK;
    if (!label)
        return fault_set(f, ERR_BAD, "%s:%lu: not source,label", name, line);
    *label++ = 0;
    char *packets = strchr(label, ',');
    if (packets)
        *packets++ = 0;
    if (ip_parse(text, &mark.ip))
        return fault_set(f, ERR_BAD, "%s:%lu: \"%.60s\" is no address", name, line, text);
    if (!is_word(label))
        return fault_set(f, ERR_BAD, "%s:%lu: label \"%.80s\": 1 to 63 of a-z 0-9 . _ : -",
            name, line, label);
    if (packets && !packets_parse(packets, &mark.packets))
        return fault_set(
            f, ERR_BAD, "%s:%lu: packets \"%.40s\": not a whole number", name, line, packets);
    mark.label = marks_label(m, label);
    if (mark.label == MARK_NONE)
        return fault_set(
            f, ERR_FULL, "%s:%lu: more than %d different labels", name, line, MARK_LABELS_MAX);
    enum err e = add(m, &mark);
    return e ? fault_set(f, e, "%s:%lu: %s", name, line, err_text(e)) : OK;
}

static int by_address(const void *a, const void *b)
{
    const struct mark *x = a;
    const struct mark *y = b;
    int order = ip_compare(&x->ip, &y->ip);
    if (order)
        return order;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    return (x->label > y->label) - (x->label < y->label);
}

static void settle(struct marks *m)
{
    size_t left = 0;
    if (m->count)
        qsort(m->list, m->count, sizeof *m->list, by_address);
    for (size_t i = 0; i < m->count; i++)
        if (!left || !ip_same(&m->list[left - 1].ip, &m->list[i].ip))
            m->list[left++] = m->list[i];
    m->count = left;
}

static enum err lines_take(
    struct marks *m, const char *name, struct bytes text, struct fault *f)
{
    for (unsigned long line = 1; text.left; line++) {
        char copy[LINE_MOST];
        const uint8_t *end = memchr(text.at, '\n', text.left);
        size_t len = end ? (size_t)(end - text.at) : text.left;
        struct bytes one = bytes_take(&text, len);
        bytes_skip(&text, end ? 1 : 0);
        if (len >= sizeof copy || memchr(one.at, 0, len))
            return fault_set(f, ERR_BAD, "%s:%lu: too long, or no text", name, line);
        memcpy(copy, one.at, len);
        len -= len && copy[len - 1] == '\r';
        copy[len] = 0;
        enum err e = len ? line_take(m, name, line, copy, f) : OK;
        if (e)
            return e;
    }
    return OK;
}

enum err marks_read(struct marks *m, const char *name, struct bytes text, struct fault *f)
{
    size_t count = m->count;
    size_t labels = m->label_count;
    enum err e = lines_take(m, name, text, f);
    if (e) {
        m->count = count;
        m->label_count = labels;
        return e;
    }
    settle(m);
    return OK;
}

enum err marks_read_file(struct marks *m, const char *path, struct fault *f)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return fault_set(
            f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s: %s", path, strerror(errno));
    struct buf text;
    buf_init(&text, MARKS_FILE_MAX);
    char piece[65536];
    size_t len;
    while ((len = fread(piece, 1, sizeof piece, in)) > 0)
        buf_put(&text, piece, len);
    enum err e = ferror(in) ? fault_set(f, ERR_IO, "%s: %s", path, strerror(errno)) : OK;
    if (!e && text.err)
        e = fault_set(f, text.err, "%s: %s", path, err_text(text.err));
    if (!e)
        e = marks_read(m, path, bytes_over(text.data, text.len), f);
    fclose(in);
    buf_done(&text);
    return e;
}

uint16_t marks_find(const struct marks *m, const struct ip *ip)
{
    size_t low = 0;
    size_t high = m->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ip_compare(&m->list[middle].ip, ip);
        if (!order)
            return m->list[middle].label;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return MARK_NONE;
}
