#include "fleet/heartbeat.h"

#include "base/clock.h"

#include <string.h>

const struct heartbeat_field heartbeat_fields[] = {
#define TEXT(member, what)                                                                     \
    {#member, HEARTBEAT_IS_TEXT, "", what, offsetof(struct heartbeat, member)},
#define TIME(member, what)                                                                     \
    {#member, HEARTBEAT_IS_TIME, "", what, offsetof(struct heartbeat, member)},
#define COUNT(member, unit, what)                                                              \
    {#member, HEARTBEAT_IS_COUNT, unit, what, offsetof(struct heartbeat, member)},
#include "fleet/heartbeat.def"
#undef TEXT
#undef TIME
#undef COUNT
};
const size_t heartbeat_field_count = sizeof heartbeat_fields / sizeof *heartbeat_fields;

static char *text_of(struct heartbeat *h, const struct heartbeat_field *field)
{
    return (char *)h + field->offset;
}

static int64_t *number_of(struct heartbeat *h, const struct heartbeat_field *field)
{
    return (void *)((char *)h + field->offset);
}

void heartbeat_init(struct heartbeat *h)
{
    memset(h, 0, sizeof *h);
    for (size_t i = 0; i < heartbeat_field_count; i++)
        if (heartbeat_fields[i].type != HEARTBEAT_IS_TEXT)
            *number_of(h, &heartbeat_fields[i]) = HEARTBEAT_UNKNOWN;
}

static enum err take(struct heartbeat *h, const struct heartbeat_field *field,
    const json_t *value, struct fault *f)
{
    const char *text = json_string_value(value);
    if (field->type == HEARTBEAT_IS_COUNT) {
        if (!json_is_integer(value) || json_integer_value(value) == HEARTBEAT_UNKNOWN)
            return fault_set(f, ERR_BAD, "heartbeat: %s is not a whole number", field->name);
        *number_of(h, field) = json_integer_value(value);
        return OK;
    }
    if (!text || strlen(text) >= HEARTBEAT_TEXT)
        return fault_set(f, ERR_BAD, "heartbeat: %s is not a text of at most %d bytes",
            field->name, HEARTBEAT_TEXT - 1);
    if (field->type == HEARTBEAT_IS_TEXT) {
        memcpy(text_of(h, field), text, strlen(text) + 1);
        return OK;
    }
    if (time_parse(text, number_of(h, field)) != OK)
        return fault_set(f, ERR_BAD, "heartbeat: %s is not a time (RFC 3339)", field->name);
    return OK;
}

static enum err read_members(const json_t *object, struct heartbeat *h, struct fault *f)
{
    if (!json_is_object(object))
        return fault_set(f, ERR_BAD, "heartbeat: not a JSON object");
    for (size_t i = 0; i < heartbeat_field_count; i++) {
        const json_t *value = json_object_get(object, heartbeat_fields[i].name);
        enum err e =
            value && !json_is_null(value) ? take(h, &heartbeat_fields[i], value, f) : OK;
        if (e)
            return e;
    }
    if (!h->site[0] || h->sent == HEARTBEAT_UNKNOWN)
        return fault_set(f, ERR_BAD, "heartbeat: \"site\" and \"sent\" must be there");
    return OK;
}

enum err heartbeat_read(struct bytes text, struct heartbeat *ret_heartbeat, struct fault *f)
{
    struct heartbeat h;
    json_error_t wrong;
    if (text.left > HEARTBEAT_MAX)
        return fault_set(f, ERR_BAD, "heartbeat: longer than %d bytes", HEARTBEAT_MAX);
    json_t *object = json_loadb(
        text.left ? (const char *)text.at : "", text.left, JSON_REJECT_DUPLICATES, &wrong);
    heartbeat_init(&h);
    enum err e = read_members(object, &h, f);
    json_decref(object);
    if (!e)
        *ret_heartbeat = h;
    return e;
}

json_t *heartbeat_json(const struct heartbeat *h)
{
    struct heartbeat copy = *h;
    json_t *object = json_object();
    for (size_t i = 0; i < heartbeat_field_count; i++) {
        const struct heartbeat_field *field = &heartbeat_fields[i];
        const char *text = text_of(&copy, field);
        if (field->type == HEARTBEAT_IS_TEXT) {
            if (text[0])
                json_object_set_new(object, field->name, json_text(text, strlen(text)));
            continue;
        }
        int64_t number = *number_of(&copy, field);
        if (number != HEARTBEAT_UNKNOWN)
            json_object_set_new(object, field->name,
                field->type == HEARTBEAT_IS_TIME ? json_time(number) : json_integer(number));
    }
    return object;
}

void heartbeat_write(struct buf *out, const struct heartbeat *h)
{
    json_t *object = heartbeat_json(h);
    json_write(out, object);
    json_decref(object);
}
