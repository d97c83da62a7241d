#include "fleet/document.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct field {
    const char *name;
    enum document_type type;
    int64_t least, most;
    const char *initial; /* JSON */
    const char *unit;
    const char *text;
    size_t offset;
};

static const struct field fields[] = {
#define X(member, type, least, most, initial, unit, text)                                      \
    {#member, type, least, most, initial, unit, text, offsetof(struct site_document, member)},
    DOCUMENT_FIELDS(X)
#undef X
};

enum {
    FIELDS = sizeof fields / sizeof *fields
};

#define ANONYMISATION "anonymisation"
#define OWN           "own_document"

static void *place(struct site_document *d, const struct field *field)
{
    return (char *)d + field->offset;
}

static const struct field *field_find(const char *name)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* ---- reading ---- */

static enum err wrong(const struct field *field, enum err e, struct fault *f)
{
    char least[TIME_TEXT];
    char most[TIME_TEXT];
    if (field->type == DOCUMENT_TEXT)
        return fault_set(f, e, "%s: must be a text of at most %lld bytes", field->name,
            (long long)field->most);
    if (field->type == DOCUMENT_COUNT)
        return fault_set(f, e, "%s: must be a whole number from %lld to %lld", field->name,
            (long long)field->least, (long long)field->most);
    return fault_set(f, e, "%s: must be a duration from %s to %s, such as \"10s\"", field->name,
        duration_format(field->least, least), duration_format(field->most, most));
}

static enum err read_text(
    struct site_document *d, const struct field *field, const json_t *value, struct fault *f)
{
    if (!json_is_string(value) || (int64_t)json_string_length(value) > field->most)
        return wrong(field, ERR_BAD, f);
    memcpy(place(d, field), json_string_value(value), json_string_length(value) + 1);
    return OK;
}

static enum err read_number(
    struct site_document *d, const struct field *field, const json_t *value, struct fault *f)
{
    int64_t number = 0;
    const char *text = json_string_value(value);
    bool is = field->type == DOCUMENT_COUNT ? json_is_integer(value)
                                            : text && duration_parse(text, &number) == OK;
    if (!is)
        return wrong(field, ERR_BAD, f);
    if (field->type == DOCUMENT_COUNT)
        number = json_integer_value(value);
    if (number < field->least || number > field->most)
        return wrong(field, ERR_RANGE, f);
    *(int64_t *)place(d, field) = number;
    return OK;
}

static enum err read_filter(const struct site_document *d, struct fault *f)
{
    struct filter *filter = NULL;
    enum err e = filter_new(&filter, d->filter, f);
    filter_free(filter);
    return e;
}

static enum err read_policy(struct site_document *d, const json_t *value, struct fault *f)
{
    enum err e = anon_policy_read(&d->anonymisation, value, f);
    if (e)
        fault_prefix(f, ANONYMISATION);
    return e;
}

static enum err unknown(const char *name, struct fault *f)
{
    char names[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < FIELDS; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", fields[i].name);
    return fault_set(
        f, ERR_BAD, "%.60s: no such member; there are %s" ANONYMISATION, name, names);
}

enum err document_read(
    struct site_document *ret_document, const json_t *object, struct fault *f)
{
    struct site_document d;
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return fault_set(f, ERR_BAD, "the document is not a JSON object");
    document_default(&d);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        const struct field *field = field_find(name);
        enum err e = strcmp(name, ANONYMISATION) == 0 ? read_policy(&d, value, f)
                     : !field                         ? unknown(name, f)
                     : field->type == DOCUMENT_TEXT   ? read_text(&d, field, value, f)
                                                      : read_number(&d, field, value, f);
        if (e)
            return e;
    }
    enum err e = read_filter(&d, f);
    if (!e)
        *ret_document = d;
    return e;
}

static enum err load(struct bytes text, json_t **ret_object, struct fault *f)
{
    json_error_t where;
    if (text.left > DOCUMENT_MAX)
        return fault_set(f, ERR_BAD, "the document is longer than %d bytes", DOCUMENT_MAX);
    json_t *object = json_loadb(
        text.left ? (const char *)text.at : "", text.left, JSON_REJECT_DUPLICATES, &where);
    if (!object)
        return fault_set(f, ERR_BAD, "the document is not JSON: line %d, column %d: %.160s",
            where.line, where.column, where.text);
    *ret_object = object;
    return OK;
}

enum err document_parse(struct site_document *ret_document, struct bytes text, struct fault *f)
{
    json_t *object = NULL;
    enum err e = load(text, &object, f);
    if (!e)
        e = document_read(ret_document, object, f);
    json_decref(object);
    return e;
}

void document_default(struct site_document *ret_document)
{
    struct site_document d;
    memset(&d, 0, sizeof d);
    for (size_t i = 0; i < FIELDS; i++) {
        const struct field *field = &fields[i];
        int64_t number = 0;
        if (field->type == DOCUMENT_TEXT)
            continue; /* empty */
        if (field->type == DOCUMENT_COUNT) {
            number = strtoll(field->initial, NULL, 10);
        } else {
            char text[TIME_TEXT]; /* the initial value without its quotes */
            snprintf(
                text, sizeof text, "%.*s", (int)strlen(field->initial) - 2, field->initial + 1);
            enum err e = duration_parse(text, &number);
            assert(!e); /* else a row of our own is wrong */
            (void)e;
        }
        *(int64_t *)place(&d, field) = number;
    }
    anon_policy_default(&d.anonymisation);
    *ret_document = d;
}

/* ---- writing ---- */

/* The shortest text that gives the duration again: "1500ms", "10s". */
static json_t *duration_json(int64_t us)
{
    static const struct unit {
        int64_t us;
        const char *name;
    } units[] = {{US_DAY, "d"}, {US_HOUR, "h"}, {US_MINUTE, "m"}, {US_SECOND, "s"},
        {1000, "ms"}, {1, "us"}};
    size_t i = 0;
    while (us % units[i].us != 0)
        i++;
    return json_sprintf("%lld%s", (long long)(us / units[i].us), units[i].name);
}

json_t *document_json(const struct site_document *d)
{
    struct site_document copy = *d;
    json_t *object = json_object();
    for (size_t i = 0; i < FIELDS; i++) {
        const struct field *field = &fields[i];
        const char *text = place(&copy, field);
        const int64_t *number = place(&copy, field);
        json_object_set_new(object, field->name,
            field->type == DOCUMENT_TEXT    ? json_text(text, strlen(text))
            : field->type == DOCUMENT_COUNT ? json_integer(*number)
                                            : duration_json(*number));
    }
    json_object_set_new(object, ANONYMISATION, anon_policy_json(&d->anonymisation));
    return object;
}

bool document_same(const struct site_document *a, const struct site_document *b)
{
    struct site_document one = *a, other = *b;
    for (size_t i = 0; i < FIELDS; i++) {
        const void *x = place(&one, &fields[i]);
        const void *y = place(&other, &fields[i]);
        bool text = fields[i].type == DOCUMENT_TEXT;
        if (text ? strcmp(x, y) != 0 : *(const int64_t *)x != *(const int64_t *)y)
            return false;
    }
    return anon_policy_same(&a->anonymisation, &b->anonymisation);
}

json_t *document_schema(void)
{
    json_t *properties = json_object();
    for (size_t i = 0; i < FIELDS; i++) {
        const struct field *field = &fields[i];
        json_t *row = json_pack("{s:s, s:o, s:s}", "type",
            field->type == DOCUMENT_COUNT ? "integer" : "string", "default",
            json_loads(field->initial, JSON_DECODE_ANY, NULL), "description", field->text);
        if (field->type == DOCUMENT_COUNT)
            json_object_set_new(row, "minimum", json_integer(field->least));
        if (field->type == DOCUMENT_COUNT)
            json_object_set_new(row, "maximum", json_integer(field->most));
        if (field->type == DOCUMENT_TEXT)
            json_object_set_new(row, "maxLength", json_integer(field->most));
        if (field->type == DOCUMENT_DURATION)
            json_object_set_new(row, "format", json_string("duration-short"));
        if (field->unit[0])
            json_object_set_new(row, "x-unit", json_string(field->unit));
        json_object_set_new(properties, field->name, row);
    }
    json_t *policy = anon_policy_schema();
    json_object_del(policy, "$schema");
    json_object_del(policy, "$id");
    json_object_set_new(properties, ANONYMISATION, policy);
    return json_pack("{s:s, s:s, s:s, s:o, s:b}", "$schema",
        "https://json-schema.org/draft/2020-12/schema", "title", "Document of a site", "type",
        "object", "properties", properties, "additionalProperties", 0);
}

/* ---- parcels ---- */

void document_parcel_write(struct buf *out, const char *site, int64_t version,
    const struct site_document *d, const struct site_action *action)
{
    json_t *parcel = json_pack("{s:s, s:I, s:o}", "site", site, "version", (json_int_t)version,
        "document", document_json(d));
    if (action && action->id)
        json_object_set_new(parcel, "action", site_action_json(action));
    json_write(out, parcel);
    json_decref(parcel);
}

enum err document_parcel_action(
    struct bytes text, struct site_action *ret_action, struct fault *f)
{
    json_t *parcel = NULL;
    struct site_action none = {0};
    enum err e = load(text, &parcel, f);
    if (e)
        return e;
    const json_t *action = json_object_get(parcel, "action");
    if (action)
        e = site_action_read(action, ret_action, f);
    else
        *ret_action = none;
    json_decref(parcel);
    return e;
}

static enum err parcel_read(const json_t *parcel, const char *site, int64_t *ret_version,
    struct site_document *ret_document, struct fault *f)
{
    const char *name = json_string_value(json_object_get(parcel, "site"));
    const json_t *version = json_object_get(parcel, "version");
    if (!name || !json_is_integer(version) || json_integer_value(version) < 0)
        return fault_set(f, ERR_BAD, "what came is not a document with its site and version");
    if (strcmp(name, site) != 0)
        return fault_set(f, ERR_BAD, "the document is for the site %.63s", name);
    *ret_version = json_integer_value(version);
    return document_read(ret_document, json_object_get(parcel, "document"), f);
}

enum err document_parcel_read(struct bytes text, const char *site, int64_t *ret_version,
    struct site_document *ret_document, struct fault *f)
{
    json_t *parcel = NULL;
    enum err e = load(text, &parcel, f);
    if (!e)
        e = parcel_read(parcel, site, ret_version, ret_document, f);
    json_decref(parcel);
    return e;
}

/* ---- what a site does by itself ---- */

enum err document_own_write(json_t *beat, const struct site_document *own)
{
    return json_object_set_new(beat, OWN, document_json(own)) ? ERR_NOMEM : OK;
}

enum err document_own_read(struct bytes beat, struct site_document *ret_own, struct fault *f)
{
    json_t *object = NULL;
    enum err e = load(beat, &object, f);
    if (e)
        return e;
    const json_t *own = json_object_get(object, OWN);
    const char *filter = json_string_value(json_object_get(own, "filter"));
    if (!own)
        e = ERR_NOTFOUND;
    else if (filter && filter[0])
        e = fault_set(f, ERR_BAD, OWN ": a site has no filter but its document's");
    else
        e = document_read(ret_own, own, f);
    json_decref(object);
    return e;
}
