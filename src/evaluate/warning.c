#include "evaluate/warning.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "record/proto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool warning_has_port(const struct warning *w, uint16_t port)
{
    for (uint32_t i = 0; i < w->port_count; i++)
        if (w->ports[i] == port)
            return true;
    return false;
}

int64_t warning_site_raised(const struct warning *w, const char *site)
{
    for (uint32_t i = 0; i < w->site_count; i++)
        if (strcmp(w->sites[i].name, site) == 0)
            return w->sites[i].raised;
    return INT64_MAX;
}

enum err warnings_add(struct warnings *w, const struct warning *one)
{
    if (w->count == w->room) {
        size_t room = w->room ? w->room * 2 : 64;
        struct warning *list =
            room > WARNINGS_MAX ? NULL : realloc(w->list, room * sizeof *list);
        if (!list)
            return room > WARNINGS_MAX ? ERR_FULL : ERR_NOMEM;
        w->list = list;
        w->room = room;
    }
    w->list[w->count++] = *one;
    return OK;
}

static void warning_done(struct warning *w)
{
    free(w->sites);
    free(w->forecasts);
}

void warnings_done(struct warnings *w)
{
    for (size_t i = 0; i < w->count; i++)
        warning_done(&w->list[i]);
    free(w->list);
    *w = (struct warnings){0};
}

/* One line of the file, where a fault can say so. */
struct line {
    const char *path;
    size_t number;
    const json_t *value;
    struct fault *f;
};

static enum err bad(const struct line *l, const char *member, const char *what)
{
    return fault_set(l->f, ERR_BAD, "%s: line %zu: %s: %s", l->path, l->number, member, what);
}

static enum err get_time(const struct line *l, const char *member, int64_t *ret)
{
    const char *text = json_string_value(json_object_get(l->value, member));
    if (!text || time_parse(text, ret))
        return bad(l, member, "is not a time such as 2026-11-22T08:00:00Z");
    return OK;
}

/* A text that may lack: it is only shown, also on a terminal. It is cut to fit between two
 * characters, and what controls a terminal becomes spaces. */
static void get_label(const struct line *l, const char *member, char *text, size_t room)
{
    const char *value = json_string_value(json_object_get(l->value, member));
    size_t left = value ? strlen(value) : 0;
    size_t used = 0;
    for (size_t size; left; value += size, left -= size) {
        size = utf8_sequence((const uint8_t *)value, left);
        if (!size || used + size >= room)
            break;
        memcpy(text + used, value, size);
        if (utf8_is_control((const uint8_t *)value, size))
            memset(text + used, ' ', size);
        used += size;
    }
    text[used] = 0;
}

static enum err get_ports(const struct line *l, struct warning *w)
{
    const json_t *array = json_object_get(l->value, "ports");
    if (!json_is_array(array))
        return bad(l, "ports", "is not an array of port numbers");
    w->port_count = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *port = json_array_get(array, i);
        if (!json_is_integer(port) || json_integer_value(port) < 0 ||
            json_integer_value(port) > 65535)
            return bad(l, "ports", "holds something else than 0..65535");
        if (w->port_count < FINDING_PORTS)
            w->ports[w->port_count++] = (uint16_t)json_integer_value(port);
    }
    return OK;
}

static enum err get_proto(const struct line *l, uint8_t *ret)
{
    const json_t *value = json_object_get(l->value, "proto");
    const char *word = json_string_value(value);
    if (!value || json_is_null(value) || (word && !*word)) {
        *ret = 0;
        return OK;
    }
    if (word && !proto_parse(word, ret))
        return OK;
    return bad(l, "proto", "is not a protocol such as tcp, udp or icmp");
}

static enum err site_add(struct warning *w, const char *name, int64_t when)
{
    if (warning_site_raised(w, name) != INT64_MAX)
        return OK;
    if (w->site_count >= FINDING_SITES)
        return OK; /* an alert does not list more */
    struct warning_site *sites = realloc(w->sites, (w->site_count + 1) * sizeof *sites);
    if (!sites)
        return ERR_NOMEM;
    w->sites = sites;
    struct warning_site *s = &sites[w->site_count++];
    snprintf(s->name, sizeof s->name, "%s", name);
    s->raised = when;
    return OK;
}

static enum err get_sites(const struct line *l, struct warning *w, int64_t when)
{
    const json_t *array = json_object_get(l->value, "sites");
    if (!json_is_array(array))
        return bad(l, "sites", "is not an array of names");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (!name || strlen(name) > RECORD_NAME_MAX)
            return bad(l, "sites", "holds something else than names of sites");
        enum err e = site_add(w, name, when);
        if (e)
            return fault_set(l->f, e, "%s", err_text(e));
    }
    return OK;
}

static enum err forecast_add(struct warning *w, const struct warning_forecast *f)
{
    for (uint32_t i = 0; i < w->forecast_count; i++)
        if (strcmp(w->forecasts[i].site, f->site) == 0)
            return OK;
    if (w->forecast_count >= FINDING_SITES)
        return OK;
    struct warning_forecast *more =
        realloc(w->forecasts, (w->forecast_count + 1) * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    w->forecasts = more;
    w->forecasts[w->forecast_count++] = *f;
    return OK;
}

static enum err get_forecasts(const struct line *l, struct warning *w)
{
    const json_t *lead = json_object_get(json_object_get(l->value, "evidence"), "lead");
    json_t *rows = json_object_get(lead, "forecasts");
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        struct warning_forecast f;
        struct line at = {l->path, l->number, row, l->f};
        const char *site = json_string_value(json_object_get(row, "site"));
        if (!site || strlen(site) > RECORD_NAME_MAX)
            return bad(l, "forecasts", "hold something else than names of sites");
        memcpy(f.site, site, strlen(site) + 1);
        const json_t *chance = json_object_get(row, "chance");
        f.chance = json_number_value(chance);
        if (!json_is_number(chance) || !(f.chance >= 0.0 && f.chance <= 1.0))
            return bad(&at, "chance", "is not a number from 0 to 1");
        enum err e = get_time(&at, "made", &f.made);
        if (!e)
            e = get_time(&at, "expected", &f.expected);
        if (!e)
            e = get_time(&at, "low", &f.low);
        if (!e)
            e = get_time(&at, "high", &f.high);
        if (e)
            return e;
        e = forecast_add(w, &f);
        if (e)
            return fault_set(l->f, e, "%s", err_text(e));
    }
    return OK;
}

static struct warning *find(struct warnings *w, const char *id)
{
    for (size_t i = w->count; i > 0; i--) /* what grows is most often recent */
        if (strcmp(w->list[i - 1].id, id) == 0)
            return &w->list[i - 1];
    return NULL;
}

/* Take a line's members into the alert that it is about. */
static enum err grow(
    const struct line *l, struct warning *w, enum severity severity, enum severity least)
{
    int64_t time, start, end;
    enum err e = get_time(l, "time", &time);
    if (!e)
        e = get_time(l, "start", &start);
    if (!e)
        e = get_time(l, "end", &end);
    if (!e)
        e = get_ports(l, w);
    if (!e)
        e = get_proto(l, &w->proto);
    if (!e)
        e = get_forecasts(l, w);
    if (e)
        return e;
    int64_t when = w->lines == 0 || end < time ? time : end;
    w->start = w->lines == 0 || start < w->start ? start : w->start;
    w->end = w->lines == 0 || end > w->end ? end : w->end;
    w->severity = severity > w->severity ? severity : w->severity;
    w->lines++;
    if (severity >= least && w->raised == INT64_MAX)
        w->raised = when;
    get_label(l, "kind", w->kind, sizeof w->kind);
    get_label(l, "title", w->title, sizeof w->title);
    return w->raised == INT64_MAX ? OK : get_sites(l, w, when);
}

static enum err line_take(struct warnings *w, const struct line *l, enum severity least)
{
    const char *id = json_string_value(json_object_get(l->value, "id"));
    if (!id || !*id || strlen(id) >= WARNING_ID)
        return bad(l, "id", "is not a text of 1 to 63 bytes");
    const char *word = json_string_value(json_object_get(l->value, "severity"));
    enum severity severity;
    if (!word || severity_parse(word, &severity))
        return bad(l, "severity", "is not info, notice, warning or critical");
    struct warning *known = find(w, id);
    if (!known) {
        struct warning fresh = {.raised = INT64_MAX};
        memcpy(fresh.id, id, strlen(id) + 1);
        enum err e = warnings_add(w, &fresh);
        if (e)
            return fault_set(l->f, e, "%s: more than %d alerts", l->path, WARNINGS_MAX);
        known = &w->list[w->count - 1];
    }
    return grow(l, known, severity, least);
}

/* Alerts that never reached the severity were needed only to know their first line. */
static void drop_lesser(struct warnings *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (w->list[i].raised == INT64_MAX)
            warning_done(&w->list[i]);
        else
            w->list[kept++] = w->list[i];
    }
    w->count = kept;
}

static enum err lines_read(
    struct warnings *w, FILE *in, const char *path, enum severity least, struct fault *f)
{
    char *text = malloc(WARNING_LINE);
    if (!text)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = OK;
    for (size_t number = 1; !e && fgets(text, WARNING_LINE, in); number++) {
        size_t len = strlen(text);
        if (len == WARNING_LINE - 1 && text[len - 1] != '\n')
            e = fault_set(f, ERR_RANGE, "%s: line %zu: longer than %d bytes", path, number,
                WARNING_LINE - 2);
        if (e || len == strspn(text, " \t\r\n"))
            continue;
        json_error_t where;
        json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &where);
        struct line l = {path, number, value, f};
        e = value ? line_take(w, &l, least)
                  : fault_set(f, ERR_BAD, "%s: line %zu: %s", path, number, where.text);
        json_decref(value);
        w->lines++;
    }
    if (!e && ferror(in))
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    free(text);
    return e;
}

enum err warnings_read(
    struct warnings *w, const char *path, enum severity least, struct fault *f)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *in = standard ? stdin : fopen(path, "r");
    if (!in)
        return fault_set(f, ERR_NOTFOUND, "%s: %s", path, strerror(errno));
    enum err e = lines_read(w, in, path, least, f);
    if (!standard)
        fclose(in);
    drop_lesser(w);
    return e;
}
