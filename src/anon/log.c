#include "anon/log_int.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum err anon_log_new(struct anon_log **ret_log, struct anon *a, enum anon_log_form form)
{
    struct anon_log *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->a = a;
    l->form = form;
    l->time = ANON_LOG_COLUMNS_MAX;
    *ret_log = l;
    return OK;
}

void anon_log_free(struct anon_log *l)
{
    free(l);
}

void anon_log_counts(const struct anon_log *l, struct anon_log_counts *ret_counts)
{
    *ret_counts = l->counts;
}

static enum anon_log_form form_of(const char *line)
{
    if (*line == '{')
        return ANON_LOG_JSON;
    return *line == '#' || strchr(line, '\t') ? ANON_LOG_TSV : ANON_LOG_BIND;
}

/* The keys for a line: those of its time, or the only ones there are. */
static enum err line_epoch(struct anon_log *l, const char *time, const struct epoch **ret_epoch,
    bool *ret_found, struct fault *f)
{
    int64_t us = 0;
    *ret_found = (time && log_time_read(time, &us)) || !l->a->policy.epoch;
    if (*ret_found)
        return anon_epoch(l->a, us, ret_epoch, f);
    l->counts.untimed++;
    return OK;
}

/* Names between tabs; "#fields" of Zeek is stepped over by the caller. */
static bool header_read(struct anon_log *l, const char *text)
{
    l->columns = 0;
    l->time = ANON_LOG_COLUMNS_MAX;
    for (;;) {
        size_t len = strcspn(text, "\t");
        if (l->columns == ANON_LOG_COLUMNS_MAX)
            return false;
        enum log_kind kind = log_kind_of(text, len);
        if (kind == LOG_TIME && l->time == ANON_LOG_COLUMNS_MAX)
            l->time = l->columns;
        l->column[l->columns++] = kind;
        if (!text[len])
            return true;
        text += len + 1;
    }
}

/* The value of a column, copied; false: the line has fewer, or it is too long. */
static bool column_copy(const char *line, size_t column, char out[LOG_VALUE_ROOM])
{
    for (; column; column--) {
        line += strcspn(line, "\t");
        if (!*line++)
            return false;
    }
    size_t len = strcspn(line, "\t");
    if (len >= LOG_VALUE_ROOM)
        return false;
    memcpy(out, line, len);
    out[len] = '\0';
    return true;
}

static void put_columns(
    struct anon_log *l, const struct epoch *e, const char *line, struct buf *out)
{
    char value[LOG_VALUE_ROOM], changed[LOG_VALUE_ROOM];
    for (size_t i = 0; i < l->columns; i++) {
        size_t len = strcspn(line, "\t");
        bool known = len < LOG_VALUE_ROOM && l->column[i] != LOG_DROPPED;
        snprintf(value, sizeof value, "%.*s", known ? (int)len : 0, line);
        bool unset = strcmp(value, "-") == 0 || strcmp(value, "(empty)") == 0;
        known = known && !unset && log_value(l, e, l->column[i], value, changed);
        buf_str(out, i ? "\t" : "");
        buf_str(out, known ? changed : "-");
        line += len;
        line += *line == '\t';
    }
    buf_str(out, "\n");
    l->counts.written++;
}

/* Lines of Zeek that begin with '#' say what the columns are; what else they say (when and
 * where the log was opened) does not leave. */
static enum err tsv_line(struct anon_log *l, const char *line, struct buf *out, struct fault *f)
{
    static const char fields[] = "#fields\t";
    static const char *const kept[] = {"#separator", "#set_separator", "#empty_field",
        "#unset_field", "#path", "#fields", "#types"};
    bool zeek = strncmp(line, fields, sizeof fields - 1) == 0;
    if (*line == '#') {
        if (zeek && !header_read(l, line + sizeof fields - 1))
            l->counts.broken++;
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            if (strncmp(line, kept[i], strlen(kept[i])) == 0)
                buf_printf(out, "%s\n", line);
        return OK;
    }
    if (!l->columns) {
        if (header_read(l, line))
            buf_printf(out, "%s\n", line);
        else
            l->counts.broken++;
        return OK;
    }
    char time[LOG_VALUE_ROOM];
    const struct epoch *e = NULL;
    bool found, timed = l->time < l->columns && column_copy(line, l->time, time);
    enum err err = line_epoch(l, timed ? time : NULL, &e, &found, f);
    if (!err && found)
        put_columns(l, e, line, out);
    return err;
}

/* A value of an object as text; NULL: none that a column may hold. */
static const char *json_plain(const json_t *value, char room[64])
{
    if (json_is_string(value))
        return json_string_length(value) < LOG_VALUE_ROOM ? json_string_value(value) : NULL;
    if (json_is_integer(value))
        snprintf(room, 64, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(room, 64, "%.6f", json_real_value(value));
    else
        return NULL;
    return room;
}

/* A changed value in the type that it had. */
static json_t *json_again(const json_t *was, const char *changed)
{
    if (json_is_integer(was))
        return json_integer(strtoll(changed, NULL, 10));
    if (json_is_real(was))
        return json_real(strtod(changed, NULL));
    return json_text(changed, strlen(changed));
}

static json_t *json_value(
    struct anon_log *l, const struct epoch *e, enum log_kind kind, const json_t *value)
{
    char room[64], changed[LOG_VALUE_ROOM];
    if (kind == LOG_KEPT && !json_is_object(value) && !json_is_array(value))
        return json_incref((json_t *)(uintptr_t)value);
    const char *text = json_plain(value, room);
    return text && log_value(l, e, kind, text, changed) ? json_again(value, changed) : NULL;
}

/* Lists hold plain values only (Zeek's answers and TTLs). */
static json_t *json_list(
    struct anon_log *l, const struct epoch *e, enum log_kind kind, const json_t *list)
{
    json_t *changed = json_array();
    size_t i;
    const json_t *value;
    json_array_foreach(list, i, value)
    {
        json_t *one = json_value(l, e, kind, value);
        if (one)
            json_array_append_new(changed, one);
    }
    return changed;
}

static json_t *json_object_change(struct anon_log *l, const struct epoch *e, json_t *object)
{
    json_t *changed = json_object();
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        enum log_kind kind = log_kind_of(name, strlen(name));
        json_t *one =
            json_is_array(value) ? json_list(l, e, kind, value) : json_value(l, e, kind, value);
        if (kind != LOG_DROPPED && one)
            json_object_set_new(changed, name, one);
        else
            json_decref(one);
    }
    return changed;
}

static enum err json_line(
    struct anon_log *l, const char *line, struct buf *out, struct fault *f)
{
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        l->counts.broken++;
        json_decref(object);
        return OK;
    }
    const char *name, *time = NULL;
    char room[64];
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (!time && log_kind_of(name, strlen(name)) == LOG_TIME)
            time = json_plain(value, room);
    }
    const struct epoch *e = NULL;
    bool found;
    enum err err = line_epoch(l, time, &e, &found, f);
    if (!err && found) {
        json_t *changed = json_object_change(l, e, object);
        json_write(out, changed);
        buf_str(out, "\n");
        json_decref(changed);
        l->counts.written++;
    }
    json_decref(object);
    return err;
}

static enum err bind_line(
    struct anon_log *l, const char *line, struct buf *out, struct fault *f)
{
    enum err err = OK;
    if (!log_bind_line(l, line, out, &err, f))
        l->counts.broken++;
    return err;
}

static enum err text_line(
    struct anon_log *l, const char *line, struct buf *out, struct fault *f)
{
    if (l->form == ANON_LOG_AUTO)
        l->form = form_of(line);
    switch (l->form) {
    case ANON_LOG_TSV:
        return tsv_line(l, line, out, f);
    case ANON_LOG_JSON:
        return json_line(l, line, out, f);
    case ANON_LOG_BIND:
    case ANON_LOG_AUTO:
        break;
    }
    return bind_line(l, line, out, f);
}

enum err anon_log_line(struct anon_log *l, struct bytes line, struct buf *out, struct fault *f)
{
    while (line.left && line.at[line.left - 1] == '\r')
        line.left--;
    l->counts.lines++;
    if (!line.left)
        return OK;
    if (line.left > ANON_LOG_LINE_MAX || memchr(line.at, 0, line.left)) {
        l->counts.broken++;
        return OK;
    }
    char *text = malloc(line.left + 1);
    if (!text)
        return fault_set(f, ERR_NOMEM, "out of memory");
    memcpy(text, line.at, line.left);
    text[line.left] = '\0';
    enum err err = text_line(l, text, out, f);
    free(text);
    if (!err && out->err)
        err = fault_set(f, out->err, "%s", err_text(out->err));
    return err;
}
