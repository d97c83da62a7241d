#include "anon/policy.h"

#include "base/clock.h"

#include <string.h>

/* The document, both ways, and its schema: all three from the tables of fields and parameters.
 *
 *     {"version": 1,
 *      "source": "keep",
 *      "destination": {"method": "truncate", "ipv4": 24, "ipv6": 48},
 *      "time": {"method": "round", "to": "1s"},
 *      "epoch": "7d"}
 */

enum param_kind {
    PARAM_COUNT,
    PARAM_DURATION
};

/* What a method needs to be told beside its name. */
struct param {
    enum anon_method method;
    enum param_kind kind;
    const char *name;
    int64_t least, most; /* counts; us */
    const char *allowed; /* for people */
    size_t offset;       /* in struct anon_rule */
};

#define RULE(member) offsetof(struct anon_rule, member)

static const struct param params[] = {
    {ANON_TRUNCATE, PARAM_COUNT, "ipv4", 0, 32, "a whole number of bits from 0 to 32",
        RULE(ipv4)},
    {ANON_TRUNCATE, PARAM_COUNT, "ipv6", 0, 128, "a whole number of bits from 0 to 128",
        RULE(ipv6)},
    {ANON_FIRST, PARAM_COUNT, "bytes", 1, 256, "a whole number of bytes from 1 to 256",
        RULE(bytes)},
    {ANON_ROUND, PARAM_DURATION, "to", 1, US_DAY, "a duration from 1us to 1d, such as \"1s\"",
        RULE(us)},
    {ANON_SHIFT, PARAM_DURATION, "most", US_MINUTE, 3660 * US_DAY,
        "a duration from 1m to 3660d, such as \"30d\"", RULE(us)},
};

enum {
    PARAMS = sizeof params / sizeof *params,
    EPOCHS_KEPT_MAX = 1024
};

#define EPOCH_ALLOWED                                                                          \
    "\"never\", or a duration from 1h to 366d in whole seconds, such as \"7d\""
#define EPOCH_LEAST US_HOUR
#define EPOCH_MOST  (366 * US_DAY)

static int64_t param_get(const struct anon_rule *r, const struct param *p)
{
    const char *at = (const char *)r + p->offset;
    if (p->offset == RULE(us))
        return *(const int64_t *)(const void *)at;
    if (p->offset == RULE(bytes))
        return r->bytes;
    return *(const uint8_t *)at;
}

static void param_put(struct anon_rule *r, const struct param *p, int64_t value)
{
    if (p->offset == RULE(us))
        r->us = value;
    else if (p->offset == RULE(bytes))
        r->bytes = (uint16_t)value;
    else if (p->offset == RULE(ipv4))
        r->ipv4 = (uint8_t)value;
    else
        r->ipv6 = (uint8_t)value;
}

static const struct param *param_find(enum anon_method method, const char *name)
{
    for (size_t i = 0; i < PARAMS; i++)
        if (params[i].method == method && strcmp(params[i].name, name) == 0)
            return &params[i];
    return NULL;
}

/* "keep, truncate, prefix, hash or drop" */
static void list_methods(const struct anon_field_row *row, char *text, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < row->method_count && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%s",
            i == 0                       ? ""
            : i + 1 == row->method_count ? " or "
                                         : ", ",
            anon_method_name(row->methods[i]));
}

static enum err read_method(
    struct anon_rule *r, const struct anon_field_row *row, const json_t *value, struct fault *f)
{
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < row->method_count; i++)
        if (strcmp(anon_method_name(row->methods[i]), name) == 0) {
            r->method = row->methods[i];
            return OK;
        }
    char allowed[160];
    list_methods(row, allowed, sizeof allowed);
    if (!name)
        return fault_set(f, ERR_BAD, "%s.method: must be one of %s", row->name, allowed);
    return fault_set(
        f, ERR_BAD, "%s.method: \"%.40s\" is not one of %s", row->name, name, allowed);
}

static enum err read_param(struct anon_rule *r, const char *field, const struct param *p,
    const json_t *value, struct fault *f)
{
    int64_t number = 0;
    bool good = false;
    if (p->kind == PARAM_COUNT && json_is_integer(value)) {
        number = json_integer_value(value);
        good = true;
    } else if (p->kind == PARAM_DURATION && json_is_string(value)) {
        good = duration_parse(json_string_value(value), &number) == OK;
    }
    if (!good || number < p->least || number > p->most)
        return fault_set(
            f, good ? ERR_RANGE : ERR_BAD, "%s.%s: must be %s", field, p->name, p->allowed);
    param_put(r, p, number);
    return OK;
}

/* Members of a rule beside "method". */
static enum err read_params(
    struct anon_rule *r, const char *field, json_t *rule, struct fault *f)
{
    const char *name;
    json_t *value;
    unsigned seen = 0;
    json_object_foreach(rule, name, value)
    {
        if (strcmp(name, "method") == 0)
            continue;
        const struct param *p = param_find(r->method, name);
        if (!p)
            return fault_set(f, ERR_BAD, "%s.%.40s: the method %s has no such member", field,
                name, anon_method_name(r->method));
        enum err e = read_param(r, field, p, value, f);
        if (e)
            return e;
        seen |= 1u << (p - params);
    }
    for (size_t i = 0; i < PARAMS; i++)
        if (params[i].method == r->method && !(seen & 1u << i))
            return fault_set(f, ERR_BAD, "%s.%s: is missing; the method %s needs %s", field,
                params[i].name, anon_method_name(r->method), params[i].allowed);
    return OK;
}

static enum err read_rule(struct anon_rule *ret_rule, const struct anon_field_row *row,
    json_t *value, struct fault *f)
{
    struct anon_rule r = {0};
    json_t *method = json_is_object(value) ? json_object_get(value, "method") : value;
    enum err e = read_method(&r, row, method, f);
    if (e)
        return e;
    json_t *none = NULL;
    if (!json_is_object(value))
        value = none = json_object();
    e = read_params(&r, row->name, value, f);
    json_decref(none);
    if (!e)
        *ret_rule = r;
    return e;
}

static enum err read_epoch(struct anon_policy *p, const json_t *value, struct fault *f)
{
    const char *text = json_string_value(value);
    int64_t us = 0;
    if (text && strcmp(text, "never") == 0) {
        p->epoch = 0;
        return OK;
    }
    if (!text || duration_parse(text, &us) != OK)
        return fault_set(f, ERR_BAD, "epoch: must be " EPOCH_ALLOWED);
    if (us < EPOCH_LEAST || us > EPOCH_MOST || us % US_SECOND)
        return fault_set(f, ERR_RANGE, "epoch: must be " EPOCH_ALLOWED);
    p->epoch = us;
    return OK;
}

static enum err read_old_epochs(struct anon_policy *p, const json_t *value, struct fault *f)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || n > EPOCHS_KEPT_MAX)
        return fault_set(f, json_is_integer(value) ? ERR_RANGE : ERR_BAD,
            "old_epochs: must be a whole number from 0 to %d", EPOCHS_KEPT_MAX);
    p->old_epochs = (uint32_t)n;
    return OK;
}

static enum err read_other(
    struct anon_policy *p, const char *name, const json_t *value, struct fault *f)
{
    if (strcmp(name, "version") == 0)
        return json_is_integer(value) && json_integer_value(value) == 1
                   ? OK
                   : fault_set(f, ERR_RANGE, "version: must be 1");
    if (strcmp(name, "epoch") == 0)
        return read_epoch(p, value, f);
    if (strcmp(name, "old_epochs") == 0)
        return read_old_epochs(p, value, f);
    if (strcmp(name, "one_key") == 0) {
        p->one_key = json_is_true(value);
        return json_is_boolean(value) ? OK
                                      : fault_set(f, ERR_BAD, "one_key: must be true or false");
    }
    return fault_set(f, ERR_BAD,
        "%.40s: is no member of an anonymisation policy; there are version, source, "
        "destination, source_port, destination_port, time, payload, numbers, place, dns, url, "
        "one_key, epoch, old_epochs",
        name);
}

/* What no single member can break. */
static enum err check_whole(const struct anon_policy *p, struct fault *f)
{
    if (p->one_key && p->rule[ANON_SOURCE].method != p->rule[ANON_DESTINATION].method)
        return fault_set(f, ERR_BAD,
            "one_key: source and destination must have the same method to share a key");
    return OK;
}

enum err anon_policy_read(
    struct anon_policy *ret_policy, const json_t *document, struct fault *f)
{
    if (!json_is_object(document))
        return fault_set(f, ERR_BAD, "an anonymisation policy must be a JSON object");
    struct anon_policy p;
    anon_policy_default(&p);
    const char *name;
    json_t *value;
    json_t *inner = (json_t *)(uintptr_t)document; /* the macros of jansson know no const */
    json_object_foreach(inner, name, value)
    {
        size_t field = 0;
        while (field < ANON_FIELDS && strcmp(anon_fields[field].name, name) != 0)
            field++;
        enum err e = field < ANON_FIELDS
                         ? read_rule(&p.rule[field], &anon_fields[field], value, f)
                         : read_other(&p, name, value, f);
        if (e)
            return e;
    }
    enum err e = check_whole(&p, f);
    if (!e)
        *ret_policy = p;
    return e;
}

enum err anon_policy_parse(struct anon_policy *ret_policy, struct bytes text, struct fault *f)
{
    if (text.left > ANON_POLICY_MAX)
        return fault_set(f, ERR_RANGE, "longer than %d bytes", ANON_POLICY_MAX);
    json_error_t error;
    json_t *document =
        json_loadb((const char *)text.at, text.left, JSON_REJECT_DUPLICATES, &error);
    if (!document)
        return fault_set(f, ERR_BAD, "line %d, column %d: no JSON: %.200s", error.line,
            error.column, error.text);
    enum err e = anon_policy_read(ret_policy, document, f);
    json_decref(document);
    return e;
}

/* The shortest text that duration_parse() takes back. */
static json_t *duration_json(int64_t us)
{
    static const struct {
        int64_t us;
        const char *unit;
    } units[] = {{US_DAY, "d"}, {US_HOUR, "h"}, {US_MINUTE, "m"}, {US_SECOND, "s"},
        {1000, "ms"}, {1, "us"}};
    size_t i = 0;
    while (us % units[i].us)
        i++;
    return json_sprintf("%lld%s", (long long)(us / units[i].us), units[i].unit);
}

json_t *anon_rule_json(const struct anon_rule *r)
{
    json_t *rule = json_object();
    const char *name = anon_method_name(r->method);
    for (size_t i = 0; i < PARAMS; i++) {
        if (params[i].method != r->method)
            continue;
        int64_t value = param_get(r, &params[i]);
        if (!json_object_size(rule))
            json_object_set_new(rule, "method", json_string(name));
        json_object_set_new(rule, params[i].name,
            params[i].kind == PARAM_COUNT ? json_integer(value) : duration_json(value));
    }
    if (json_object_size(rule))
        return rule;
    json_decref(rule);
    return json_string(name);
}

json_t *anon_policy_json(const struct anon_policy *p)
{
    json_t *document = json_pack("{s:i}", "version", 1);
    for (size_t i = 0; i < ANON_FIELDS; i++)
        json_object_set_new(document, anon_fields[i].name, anon_rule_json(&p->rule[i]));
    json_object_set_new(document, "one_key", json_boolean(p->one_key));
    json_object_set_new(
        document, "epoch", p->epoch ? duration_json(p->epoch) : json_string("never"));
    json_object_set_new(document, "old_epochs", json_integer(p->old_epochs));
    return document;
}

/* {"const": "keep"}, or an object with the method and its parameters. */
static json_t *method_schema(enum anon_method m)
{
    const char *name = anon_method_name(m);
    json_t *members = json_pack("{s:{s:s}}", "method", "const", name);
    json_t *needed = json_pack("[s]", "method");
    for (size_t i = 0; i < PARAMS; i++) {
        if (params[i].method != m)
            continue;
        json_t *kind =
            params[i].kind == PARAM_COUNT
                ? json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum",
                      (json_int_t)params[i].least, "maximum", (json_int_t)params[i].most)
                : json_pack("{s:s, s:s}", "type", "string", "description", params[i].allowed);
        json_object_set_new(members, params[i].name, kind);
        json_array_append_new(needed, json_string(params[i].name));
    }
    json_t *whole = json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", members,
        "required", needed, "additionalProperties", 0);
    if (json_object_size(members) > 1)
        return whole;
    return json_pack("{s:[o, {s:s}]}", "anyOf", whole, "const", name);
}

json_t *anon_policy_schema(void)
{
    json_t *members = json_pack("{s:{s:i}}", "version", "const", 1);
    for (size_t i = 0; i < ANON_FIELDS; i++) {
        json_t *choices = json_array();
        for (size_t m = 0; m < anon_fields[i].method_count; m++)
            json_array_append_new(choices, method_schema(anon_fields[i].methods[m]));
        json_object_set_new(members, anon_fields[i].name,
            json_pack("{s:s, s:o}", "description", anon_fields[i].text, "oneOf", choices));
    }
    json_object_set_new(members, "one_key", json_pack("{s:s}", "type", "boolean"));
    json_object_set_new(members, "epoch",
        json_pack("{s:s, s:s}", "type", "string", "description", EPOCH_ALLOWED));
    json_object_set_new(members, "old_epochs",
        json_pack(
            "{s:s, s:i, s:i}", "type", "integer", "minimum", 0, "maximum", EPOCHS_KEPT_MAX));
    return json_pack("{s:s, s:s, s:s, s:o, s:b}", "$schema",
        "https://json-schema.org/draft/2020-12/schema", "title",
        "Anonymisation policy of a site", "type", "object", "properties", members,
        "additionalProperties", 0);
}
