#include "api/param_int.h"

#include "base/clock.h"
#include "geo/country.h"
#include "record/proto.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct param rows[PARAM_COUNT] = {
#define X(id, where, name, type, least, most, words, initial, allowed)                         \
    [id] = {name, where, type, least, most, words, initial, allowed},
    PARAM_LIST(X)
#undef X
};

const struct param *param_row(enum param_id id)
{
    assert(id > P_NONE && id < PARAM_COUNT);
    return &rows[id];
}

static enum err object_to(
    struct objection *o, const char *field, const char *allowed, const char *detail)
{
    snprintf(o->field, sizeof o->field, "%s", field);
    snprintf(o->detail, sizeof o->detail, "%s", detail);
    o->allowed = allowed;
    return ERR_BAD;
}

static enum err wrong_value(struct objection *o, const struct param *p, const char *text)
{
    char detail[sizeof o->detail];
    bool shown = p->type != PARAM_SECRET && strlen(text) <= 64;
    for (const char *c = text; *c && shown; c++)
        shown = (unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f;
    if (shown)
        snprintf(
            detail, sizeof detail, "%s is \"%s\" but must be %s", p->name, text, p->allowed);
    else
        snprintf(detail, sizeof detail, "%s must be %s", p->name, p->allowed);
    return object_to(o, p->name, p->allowed, detail);
}

static bool whole_number(const char *text, int64_t *ret_number)
{
    int64_t number = 0;
    size_t len = strlen(text);
    if (!len || len > 18)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (*text - '0');
    }
    *ret_number = number;
    return true;
}

static bool take_when(const char *text, struct value *v)
{
    struct moment m;
    if (moment_parse(text, &m) != OK)
        return false;
    v->is_now = m.kind == MOMENT_NOW;
    v->relative = m.kind == MOMENT_BEFORE_NEWEST;
    v->number = v->relative ? -m.us : m.us;
    return true;
}

/* Which of `words` the `len` bytes at `text` are; -1: none. */
static int word_number(const char *text, size_t len, const char *words)
{
    for (int number = 0;; number++) {
        size_t here = strcspn(words, "|");
        if (here == len && memcmp(words, text, len) == 0)
            return number;
        if (!words[here])
            return -1;
        words += here + 1;
    }
}

static bool take_word(const char *text, const char *words, struct value *v)
{
    v->number = word_number(text, strlen(text), words);
    return v->number >= 0;
}

static bool take_words(const char *text, const char *words)
{
    bool out = *text == '-';
    uint64_t seen = 0;
    for (;; text++) {
        size_t len = strcspn(text, ",");
        if ((*text == '-') != out)
            return false;
        int number = word_number(text + out, len - out, words);
        if (number < 0 || seen >> number & 1)
            return false;
        seen |= UINT64_C(1) << number;
        text += len;
        if (!*text)
            return true;
    }
}

static bool in_alphabet(char c, const char *alphabet)
{
    for (const char *at = alphabet; *at; at++) {
        if (at[1] == '-' && at[2]) {
            if (c >= at[0] && c <= at[2])
                return true;
            at += 2;
        } else if (c == *at) {
            return true;
        }
    }
    return false;
}

static bool take_chars(const char *text, const struct param *p)
{
    for (const char *c = text; *c; c++)
        if (!in_alphabet(*c, p->words))
            return false;
    return true;
}

static bool take_text(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 0x20 && *c != '\n' && *c != '\t')
            return false;
    json_t *valid = json_string(text); /* NULL: not UTF-8 */
    json_decref(valid);
    return valid != NULL;
}

static bool take_proto(const char *text, struct value *v)
{
    uint8_t proto;
    if (proto_parse(text, &proto) != OK)
        return false;
    v->number = proto;
    return true;
}

static bool take_typed(const struct param *p, const char *text, struct value *v)
{
    switch (p->type) {
    case PARAM_WHEN:
        return take_when(text, v);
    case PARAM_TIME:
        return time_parse(text, &v->number) == OK;
    case PARAM_DURATION:
        return duration_parse(text, &v->number) == OK && v->number >= p->least * US_SECOND &&
               v->number <= p->most * US_SECOND;
    case PARAM_WORD:
        return take_word(text, p->words, v);
    case PARAM_WORDS:
        return take_words(text, p->words);
    case PARAM_NUMBER:
        return whole_number(text, &v->number) && v->number >= p->least && v->number <= p->most;
    case PARAM_PROTO:
        return take_proto(text, v);
    case PARAM_PREFIX:
        return prefix_parse(text, false, &v->prefix) == OK;
    case PARAM_IP:
        v->prefix.bits = 128;
        return ip_parse(text, &v->prefix.ip) == OK;
    case PARAM_COUNTRY:
        return strlen(text) == 2 && take_chars(text, p) && country_name(text);
    case PARAM_CHARS:
        return take_chars(text, p);
    case PARAM_TEXT:
        return take_text(text);
    case PARAM_SECRET:
        return true;
    case PARAM_BOOL:
        return take_word(text, "false|true", v);
    case PARAM_OBJECT:
        return true;
    }
    return false;
}

static bool measured_by_length(enum param_type type)
{
    return type == PARAM_CHARS || type == PARAM_TEXT || type == PARAM_SECRET;
}

enum err param_take(struct args *a, enum param_id id, const char *text, size_t len,
    struct objection *ret_objection)
{
    const struct param *p = param_row(id);
    if (len >= sizeof a->heap - a->used) {
        object_to(ret_objection, p->name, NULL, "the request's parameters are too long");
        return ERR_FULL;
    }
    char *kept = a->heap + a->used;
    memcpy(kept, text, len);
    kept[len] = 0;
    if (strlen(kept) != len)
        return wrong_value(ret_objection, p, "\n");
    struct value v = {.text = kept};
    bool fits =
        !measured_by_length(p->type) || ((int64_t)len >= p->least && (int64_t)len <= p->most);
    if (!fits || !take_typed(p, kept, &v))
        return wrong_value(ret_objection, p, kept);
    a->used += len + 1;
    v.given = true;
    a->value[id] = v;
    return OK;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err param_unescape(struct bytes in, bool plus, char *out, size_t room, size_t *ret_len)
{
    size_t len = 0;
    while (in.left) {
        uint8_t c = bytes_u8(&in);
        if (c == '%') {
            int high = hex_digit(bytes_u8(&in));
            int low = hex_digit(bytes_u8(&in));
            if (in.cut || high < 0 || low < 0)
                return ERR_BAD;
            c = (uint8_t)(high << 4 | low);
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (len == room)
            return ERR_FULL;
        out[len++] = (char)c;
    }
    *ret_len = len;
    return OK;
}

static enum param_id find_in(
    const enum param_id *list, enum param_where where, const char *name, size_t len)
{
    for (; *list != P_NONE; list++) {
        const struct param *p = param_row(*list);
        if (p->where == where && strlen(p->name) == len && memcmp(p->name, name, len) == 0)
            return *list;
    }
    return P_NONE;
}

static enum err unknown_name(struct objection *o, const enum param_id *list,
    enum param_where where, const char *name, size_t len)
{
    char names[sizeof o->detail] = "";
    size_t used = 0;
    for (; *list != P_NONE && used < sizeof names; list++)
        if (param_row(*list)->where == where)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                used ? ", " : "", param_row(*list)->name);
    char shown[sizeof o->field];
    size_t fits = len < sizeof shown - 1 ? len : sizeof shown - 1;
    for (size_t i = 0; i < fits; i++)
        shown[i] = name[i] >= 0x20 && name[i] < 0x7f ? name[i] : '?';
    shown[fits] = 0;
    char detail[sizeof o->detail];
    const char *what = where == IN_BODY ? "member" : "parameter";
    if (used)
        snprintf(detail, sizeof detail, "no such %s; there are: %.280s", what, names);
    else
        snprintf(detail, sizeof detail, "no such %s; none is allowed here", what);
    return object_to(o, shown, NULL, detail);
}

static enum err take_pair(struct args *a, const enum param_id *list, struct bytes pair,
    struct objection *ret_objection)
{
    const uint8_t *equals = memchr(pair.at, '=', pair.left);
    size_t name_len = equals ? (size_t)(equals - pair.at) : pair.left;
    char name[64];
    char text[PARAM_TEXT_MAX];
    size_t len = 0;
    if (param_unescape(bytes_over(pair.at, name_len), true, name, sizeof name, &name_len))
        return unknown_name(ret_objection, list, IN_QUERY, (const char *)pair.at, name_len);
    enum param_id id = find_in(list, IN_QUERY, name, name_len);
    if (id == P_NONE)
        return unknown_name(ret_objection, list, IN_QUERY, name, name_len);
    const struct param *p = param_row(id);
    if (a->value[id].given)
        return object_to(ret_objection, p->name, p->allowed, "given twice");
    if (equals) {
        bytes_skip(&pair, (size_t)(equals - pair.at) + 1);
        if (param_unescape(pair, true, text, sizeof text, &len) != OK)
            return object_to(ret_objection, p->name, p->allowed,
                "too long, or a % without two hexadecimal digits");
    }
    return param_take(a, id, text, len, ret_objection);
}

/* Every default of the table passes its own check; a test says so. */
static void take_defaults(struct args *a, const enum param_id *list)
{
    for (; *list != P_NONE; list++) {
        const struct param *p = param_row(*list);
        if (a->value[*list].given || !p->initial)
            continue;
        struct value v = {.text = p->initial};
        bool right = take_typed(p, p->initial, &v);
        assert(right);
        a->value[*list] = v;
    }
}

enum err param_query(struct args *a, const enum param_id *list, struct bytes query,
    struct objection *ret_objection)
{
    while (query.left) {
        const uint8_t *end = memchr(query.at, '&', query.left);
        size_t len = end ? (size_t)(end - query.at) : query.left;
        enum err e = len ? take_pair(a, list, bytes_over(query.at, len), ret_objection) : OK;
        if (e)
            return e;
        bytes_skip(&query, len + (end != NULL));
    }
    take_defaults(a, list);
    return OK;
}

static enum err take_member(struct args *a, const enum param_id *list, const char *name,
    const json_t *value, struct objection *ret_objection)
{
    enum param_id id = find_in(list, IN_BODY, name, strlen(name));
    if (id == P_NONE)
        return unknown_name(ret_objection, list, IN_BODY, name, strlen(name));
    const struct param *p = param_row(id);
    if (p->type == PARAM_BOOL && json_is_boolean(value))
        return param_take(a, id, json_is_true(value) ? "true" : "false",
            json_is_true(value) ? 4 : 5, ret_objection);
    if (p->type == PARAM_OBJECT && json_is_object(value))
        return param_take(a, id, "", 0, ret_objection);
    if (p->type == PARAM_NUMBER && json_is_integer(value)) {
        char text[24];
        int len =
            snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return param_take(a, id, text, (size_t)len, ret_objection);
    }
    if (p->type == PARAM_BOOL || p->type == PARAM_OBJECT || !json_is_string(value))
        return wrong_value(ret_objection, p, "\n");
    return param_take(
        a, id, json_string_value(value), json_string_length(value), ret_objection);
}

enum err param_body(struct args *a, const enum param_id *list, const enum param_id *required,
    struct bytes body, struct objection *ret_objection)
{
    json_error_t wrong;
    json_t *root = json_loadb((const char *)body.at, body.left, JSON_REJECT_DUPLICATES, &wrong);
    if (!json_is_object(root)) {
        const char *why =
            root ? "the body is JSON but no object" : "the body is not valid JSON";
        json_decref(root);
        return object_to(ret_objection, "", "a JSON object", why);
    }
    enum err e = OK;
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    {
        e = take_member(a, list, name, value, ret_objection);
        if (e)
            break;
    }
    bool any = json_object_size(root) > 0;
    json_decref(root);
    if (e)
        return e;
    if (!any)
        return object_to(ret_objection, "", NULL, "the body has no members");
    for (; *required != P_NONE; required++)
        if (!a->value[*required].given)
            return object_to(ret_objection, param_row(*required)->name,
                param_row(*required)->allowed, "must be given");
    take_defaults(a, list);
    return OK;
}
