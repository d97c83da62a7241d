#include "base/conf.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONF_LIST_CAP = 4096,
    CONF_TEXT_CAP = 4096
};

struct value {
    double number;
    int64_t us;
    uint64_t count;
    struct moment moment;
    bool flag;
    size_t times; /* it was given; 0: left at its default */
    char **texts; /* owned; one for CONF_TEXT and CONF_FILE, any number for lists */
    size_t text_count;
};

struct conf {
    const struct conf_item *items;
    size_t count;
    struct value values[];
};

static void value_done(struct value *v)
{
    for (size_t i = 0; i < v->text_count; i++)
        free(v->texts[i]);
    free(v->texts);
    v->texts = NULL;
    v->text_count = 0;
}

enum err conf_new(struct conf **ret_conf, const struct conf_item *items)
{
    size_t count = 0;
    while (items[count].name)
        count++;
    struct conf *c = calloc(1, sizeof *c + count * sizeof *c->values);
    if (!c)
        return ERR_NOMEM;
    c->items = items;
    c->count = count;
    for (size_t i = 0; i < count; i++) {
        if (!items[i].initial)
            continue;
        struct fault f;
        enum err e = conf_set(c, items[i].name, items[i].initial, &f);
        assert(e != ERR_BAD && e != ERR_RANGE); /* a default outside its own range is a bug */
        if (e) {
            conf_free(c);
            return e;
        }
        c->values[i].times = 0;
    }
    *ret_conf = c;
    return OK;
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        value_done(&c->values[i]);
    free(c);
}

const struct conf_item *conf_items(const struct conf *c)
{
    return c->items;
}

const struct conf_item *conf_find(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->items[i].name, name) == 0)
            return &c->items[i];
    return NULL;
}

static bool has_range(const struct conf_item *item)
{
    return item->min != 0.0 || item->max != 0.0;
}

enum {
    RANGE_TEXT = 96
};

/* "1..65535 ports"; "" if everything is allowed. Returns `text`. */
static const char *range_format(const struct conf_item *item, char text[RANGE_TEXT])
{
    const char *unit = item->unit ? item->unit : "";
    char least[TIME_TEXT];
    char most[TIME_TEXT];
    text[0] = 0;
    if (!has_range(item))
        return text;
    if (item->type == CONF_DURATION) {
        duration_format((int64_t)(item->min * (double)US_SECOND), least);
        duration_format((int64_t)(item->max * (double)US_SECOND), most);
        unit = "";
    } else {
        snprintf(least, sizeof least, "%.15g", item->min);
        snprintf(most, sizeof most, "%.15g", item->max);
    }
    snprintf(text, RANGE_TEXT, "%s..%s%s%s", least, most, *unit ? " " : "", unit);
    return text;
}

static enum err range_fault(struct fault *f, const struct conf_item *item, const char *text)
{
    char range[RANGE_TEXT];
    return fault_set(
        f, ERR_RANGE, "%s: %s is outside %s", item->name, text, range_format(item, range));
}

static enum err kind_fault(
    struct fault *f, const struct conf_item *item, const char *text, const char *kind)
{
    char range[RANGE_TEXT];
    range_format(item, range);
    return fault_set(f, ERR_BAD, "%s: \"%s\" is not %s%s%s", item->name, text, kind,
        *range ? " in " : "", range);
}

static enum err number_set(
    struct value *v, const struct conf_item *item, const char *text, struct fault *f)
{
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (text[strspn(text, "+-.0123456789eE")] || end == text || *end || errno ||
        !isfinite(number))
        return kind_fault(f, item, text, "a number");
    if (has_range(item) && (number < item->min || number > item->max))
        return range_fault(f, item, text);
    v->number = number;
    return OK;
}

static enum err count_set(
    struct value *v, const struct conf_item *item, const char *text, struct fault *f)
{
    char *end;
    errno = 0;
    unsigned long long count = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return kind_fault(f, item, text, "a whole number");
    if (has_range(item) && ((double)count < item->min || (double)count > item->max))
        return range_fault(f, item, text);
    v->count = count;
    return OK;
}

static enum err duration_set(
    struct value *v, const struct conf_item *item, const char *text, struct fault *f)
{
    int64_t us;
    if (duration_parse(text, &us) != OK)
        return fault_set(f, ERR_BAD, "%s: \"%s\" is not a duration such as 90s, 10m, 2h or 7d",
            item->name, text);
    double seconds = (double)us / (double)US_SECOND;
    if (has_range(item) && (seconds < item->min || seconds > item->max))
        return range_fault(f, item, text);
    v->us = us;
    return OK;
}

static bool word_listed(const char *words, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = words;; at++) {
        size_t word = strcspn(at, "|");
        if (word == len && strncmp(at, text, len) == 0)
            return true;
        at += word;
        if (!*at)
            return false;
    }
}

static enum err text_add(
    struct value *v, const struct conf_item *item, const char *text, struct fault *f)
{
    size_t most = item->max > 0.0 ? (size_t)item->max : CONF_TEXT_CAP;
    bool file = item->type == CONF_FILE || item->type == CONF_FILES;
    bool listed = item->values && word_listed(item->values, text);
    if (file && !listed && access(text, R_OK) != 0)
        return fault_set(f, ERR_NOTFOUND, "%s: %s: %s", item->name, text, strerror(errno));
    if (item->values && !file && !listed)
        return fault_set(
            f, ERR_RANGE, "%s: \"%s\" is not one of %s", item->name, text, item->values);
    if (strlen(text) > most)
        return fault_set(
            f, ERR_RANGE, "%s: longer than the %zu bytes allowed", item->name, most);
    if (v->text_count >= CONF_LIST_CAP)
        return fault_set(
            f, ERR_FULL, "%s: given more than %d times", item->name, CONF_LIST_CAP);
    char *copy = strdup(text);
    char **texts = copy ? realloc(v->texts, (v->text_count + 1) * sizeof *texts) : NULL;
    if (!texts) {
        free(copy);
        return fault_set(f, ERR_NOMEM, "%s: out of memory", item->name);
    }
    v->texts = texts;
    v->texts[v->text_count++] = copy;
    return OK;
}

static enum err text_replace(
    struct value *v, const struct conf_item *item, const char *text, struct fault *f)
{
    struct value fresh = {0};
    enum err e = text_add(&fresh, item, text, f);
    if (e)
        return e;
    value_done(v);
    v->texts = fresh.texts;
    v->text_count = fresh.text_count;
    return OK;
}

static enum err value_set(
    struct value *v, const struct conf_item *item, const char *text, struct fault *f)
{
    switch (item->type) {
    case CONF_FLAG:
        if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return fault_set(f, ERR_BAD, "%s: takes no value but true or false", item->name);
        v->flag = !text || strcmp(text, "true") == 0;
        return OK;
    case CONF_NUMBER:
        return number_set(v, item, text, f);
    case CONF_COUNT:
        return count_set(v, item, text, f);
    case CONF_DURATION:
        return duration_set(v, item, text, f);
    case CONF_TIME:
        if (time_parse(text, &v->us) != OK)
            return fault_set(f, ERR_BAD,
                "%s: \"%s\" is not a time such as 2026-11-22T08:00:00Z or 2026-11-22",
                item->name, text);
        return OK;
    case CONF_MOMENT:
        if (moment_parse(text, &v->moment) != OK)
            return fault_set(f, ERR_BAD, "%s: \"%s\" is not " MOMENT_ALLOWED, item->name, text);
        return OK;
    case CONF_TEXT:
    case CONF_FILE:
        return text_replace(v, item, text, f);
    case CONF_LIST:
    case CONF_FILES:
        if (!v->times)
            return text_replace(v, item, text, f);
        return text_add(v, item, text, f);
    }
    return ERR_BAD;
}

enum err conf_set(struct conf *c, const char *name, const char *value, struct fault *f)
{
    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->items[i].name, name) != 0)
            continue;
        if (!value && c->items[i].type != CONF_FLAG)
            return fault_set(f, ERR_BAD, "%s: needs a value%s%s", name,
                c->items[i].arg ? " " : "", c->items[i].arg ? c->items[i].arg : "");
        enum err e = value_set(&c->values[i], &c->items[i], value, f);
        if (!e)
            c->values[i].times++;
        return e;
    }
    return fault_set(f, ERR_NOTFOUND, "there is no option \"%s\"", name);
}

static const struct value *value_of(
    const struct conf *c, const char *name, enum conf_type type, enum conf_type other)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->items[i].name, name) == 0) {
            assert(c->items[i].type == type || c->items[i].type == other);
            return &c->values[i];
        }
    assert(false && "the table has no such option");
    return NULL;
}

bool conf_flag(const struct conf *c, const char *name)
{
    return value_of(c, name, CONF_FLAG, CONF_FLAG)->flag;
}

double conf_number(const struct conf *c, const char *name)
{
    return value_of(c, name, CONF_NUMBER, CONF_NUMBER)->number;
}

uint64_t conf_count(const struct conf *c, const char *name)
{
    return value_of(c, name, CONF_COUNT, CONF_COUNT)->count;
}

int64_t conf_us(const struct conf *c, const char *name)
{
    return value_of(c, name, CONF_DURATION, CONF_TIME)->us;
}

const struct moment *conf_moment(const struct conf *c, const char *name)
{
    const struct value *v = value_of(c, name, CONF_MOMENT, CONF_MOMENT);
    return v->times || conf_find(c, name)->initial ? &v->moment : NULL;
}

const char *conf_text(const struct conf *c, const char *name)
{
    const struct value *v = value_of(c, name, CONF_TEXT, CONF_FILE);
    return v->text_count ? v->texts[0] : NULL;
}

size_t conf_list(const struct conf *c, const char *name, const char *const **ret_list)
{
    const struct value *v = value_of(c, name, CONF_LIST, CONF_FILES);
    *ret_list = (const char *const *)v->texts;
    return v->text_count;
}

size_t conf_times(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->items[i].name, name) == 0)
            return c->values[i].times;
    return 0;
}

bool conf_given(const struct conf *c, const char *name)
{
    return conf_times(c, name) > 0;
}
