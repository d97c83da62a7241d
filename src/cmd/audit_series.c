#include "cmd/audit_series.h"

#include "audit/correlate.h"
#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_LETTERS = 64,
    LINE_LETTERS = 1024,
    POINTS_MAX = 1 << 22,
};

struct point {
    char key[KEY_LETTERS];
    int64_t time;
    double value;
};

struct points {
    struct point *point;
    size_t count, room;
};

static int by_key_time(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->time > y->time) - (x->time < y->time);
}

static bool time_read(const char *text, int64_t *ret_us)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end != text && !*end) {
        *ret_us = (int64_t)(seconds * 1e6);
        return true;
    }
    return time_parse(text, ret_us) == OK;
}

/* "time,key,value"; further columns are not looked at. */
static bool line_read(char *line, struct point *ret_point)
{
    char *end, *save = NULL;
    const char *time = strtok_r(line, ",\r\n", &save);
    const char *key = strtok_r(NULL, ",\r\n", &save);
    const char *value = strtok_r(NULL, ",\r\n", &save);
    struct point p;
    if (!value || strlen(key) >= KEY_LETTERS || !time_read(time, &p.time))
        return false;
    snprintf(p.key, sizeof p.key, "%s", key);
    p.value = strtod(value, &end);
    *ret_point = p;
    return end != value && !*end;
}

static enum err point_add(struct points *p, const struct point *one)
{
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 1024;
        struct point *more = room > POINTS_MAX ? NULL : realloc(p->point, room * sizeof *more);
        if (!more)
            return room > POINTS_MAX ? ERR_FULL : ERR_NOMEM;
        p->point = more;
        p->room = room;
    }
    p->point[p->count++] = *one;
    return OK;
}

static enum err points_read(struct points *p, const char *path, struct fault *f)
{
    char line[LINE_LETTERS];
    FILE *file = fopen(path, "r");
    if (!file)
        return fault_set(f, ERR_BAD, "%s: %s", path, strerror(errno));
    enum err e = OK;
    for (unsigned number = 1; !e && fgets(line, sizeof line, file); number++) {
        struct point one;
        if (line_read(line, &one))
            e = point_add(p, &one);
        else if (number > 1)
            e = fault_set(f, ERR_BAD, "%s: line %u is no time,key,value", path, number);
        if (e && e != ERR_BAD)
            fault_set(f, e, "%s: %s", path, err_text(e));
    }
    fclose(file);
    if (!e && p->count)
        qsort(p->point, p->count, sizeof *p->point, by_key_time);
    return e;
}

static size_t key_end(const struct points *p, size_t from)
{
    size_t to = from + 1;
    while (to < p->count && strcmp(p->point[to].key, p->point[from].key) == 0)
        to++;
    return to;
}

/* The shortest time between two points of a key. */
static int64_t step_of(const struct points *p)
{
    int64_t step = 0;
    for (size_t i = 1; i < p->count; i++) {
        int64_t gap = p->point[i].time - p->point[i - 1].time;
        if (gap > 0 && strcmp(p->point[i].key, p->point[i - 1].key) == 0 &&
            (!step || gap < step))
            step = gap;
    }
    return step;
}

struct span {
    int64_t first, step;
    size_t count;
};

/* Points outside the span are left out: there one file says nothing. */
static void spread(
    const struct points *p, size_t from, size_t to, const struct span *s, double *out)
{
    memset(out, 0, s->count * sizeof *out);
    for (size_t i = from; i < to; i++) {
        int64_t into = p->point[i].time - s->first;
        if (into >= 0 && (size_t)(into / s->step) < s->count)
            out[into / s->step] += p->point[i].value;
    }
}

/* The time that both files are about. */
static enum err span_of(const struct points p[2], struct span *ret_span, struct fault *f)
{
    int64_t begin = INT64_MIN, end = INT64_MAX;
    for (unsigned k = 0; k < 2; k++) {
        int64_t first = INT64_MAX, last = INT64_MIN;
        for (size_t i = 0; i < p[k].count; i++) {
            first = p[k].point[i].time < first ? p[k].point[i].time : first;
            last = p[k].point[i].time > last ? p[k].point[i].time : last;
        }
        begin = first > begin ? first : begin;
        end = last < end ? last : end;
    }
    int64_t one = step_of(&p[0]), two = step_of(&p[1]);
    int64_t step = one > two ? one : two;
    if (!step || end < begin || (end - begin) / step >= CORRELATE_STEPS_MAX)
        return fault_set(f, ERR_RANGE,
            "the files have no time in common, no series, or more than %d steps",
            CORRELATE_STEPS_MAX);
    *ret_span = (struct span){begin, step, (size_t)((end - begin) / step) + 1};
    return OK;
}

/* A key of the published file that the other has, too. */
static enum err key_compare(const struct points p[2], const size_t at[4], const struct span *s,
    int lag_most, uint64_t seed, json_t *rows)
{
    struct correlate_result r;
    double *a = malloc(s->count * sizeof *a), *b = malloc(s->count * sizeof *b);
    enum err e = a && b ? OK : ERR_NOMEM;
    if (!e) {
        spread(&p[0], at[0], at[1], s, a);
        spread(&p[1], at[2], at[3], s, b);
        e = correlate(a, b, s->count, lag_most, seed, &r);
    }
    free(a);
    free(b);
    if (e)
        return e == ERR_RANGE ? OK : e;
    char lag[TIME_TEXT], text[TIME_TEXT + 1];
    snprintf(text, sizeof text, "%s%s", r.lag < 0 ? "-" : "",
        duration_format((r.lag < 0 ? -r.lag : r.lag) * s->step, lag));
    json_array_append_new(
        rows, json_pack("{s:s, s:I, s:s, s:f, s:f, s:f}", "key", p[0].point[at[0]].key, "steps",
                  (json_int_t)r.steps, "lag", text, "r", (double)(long long)(r.r * 1e3) / 1e3,
                  "p", r.p, "r_auto", (double)(long long)(r.r_auto * 1e3) / 1e3));
    return OK;
}

static enum err keys_compare(
    const struct points p[2], int lag_most, uint64_t seed, json_t *rows, struct fault *f)
{
    struct span s;
    enum err e = span_of(p, &s, f);
    size_t i = 0, k = 0;
    while (!e && i < p[0].count && k < p[1].count) {
        size_t at[4] = {i, key_end(&p[0], i), k, key_end(&p[1], k)};
        int order = strcmp(p[0].point[i].key, p[1].point[k].key);
        if (order == 0 && (e = key_compare(p, at, &s, lag_most, seed, rows)) != OK)
            fault_set(f, e, "%s", err_text(e));
        i = order <= 0 ? at[1] : i;
        k = order >= 0 ? at[3] : k;
    }
    if (!e && !json_array_size(rows))
        e = fault_set(f, ERR_RANGE,
            "no key is in both files with %d steps or more than twice the lags, and changes",
            CORRELATE_STEPS_MIN);
    return e;
}

enum err audit_series(
    const char *const files[2], int lag_most, uint64_t seed, json_t *rows, struct fault *f)
{
    struct points p[2] = {{0}};
    enum err e = points_read(&p[0], files[0], f);
    if (!e)
        e = points_read(&p[1], files[1], f);
    if (!e)
        e = keys_compare(p, lag_most, seed, rows, f);
    free(p[0].point);
    free(p[1].point);
    return e;
}
