#include "test.h"

#include "api/pack_int.h"
#include "api/route_int.h"
#include "base/json.h"

#include <ctype.h>
#include <string.h>

static struct args args;
static struct objection objection;

static enum err find(
    const char *method, const char *path, const struct route **ret_route, char allow[64])
{
    memset(&args, 0, sizeof args);
    return route_find(
        method, bytes_over(path, strlen(path)), &args, ret_route, allow, &objection);
}

static void finds_routes(void **state)
{
    static const struct {
        const char *method, *path, *id;
    } rows[] = {
        {"GET", "/api/v1/alerts", "alerts"},
        {"HEAD", "/api/v1/alerts", "alerts"},
        {"GET", "/api/v1/alerts/20260815-3389tcp-4f2a", "alert"},
        {"PATCH", "/api/v1/alerts/20260815-3389tcp-4f2a", "alert_change"},
        {"GET", "/api/v1/sources/2001:db8::1", "source"},
        {"GET", "/api/v1/sources/2001%3adb8::1", "source"},
        {"POST", "/api/v1/me/password", "password"},
        {"GET", "/metrics", "metrics"},
        {"GET", "/healthz", "healthz"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct route *route = NULL;
        char allow[64];
        assert_int_equal(find(rows[i].method, rows[i].path, &route, allow), OK);
        assert_string_equal(route->id, rows[i].id);
    }
    assert_int_equal(args.value[P_ADDRESS].given, false);
}

static void takes_the_path(void **state)
{
    const struct route *route;
    char allow[64];
    (void)state;
    assert_int_equal(find("GET", "/api/v1/sources/2001%3Adb8::1", &route, allow), OK);
    assert_int_equal(args.value[P_ADDRESS].prefix.ip.byte[15], 1);
    assert_int_equal(find("GET", "/api/v1/sites/jp-01", &route, allow), OK);
    assert_string_equal(args.value[P_SITE_NAME].text, "jp-01");
    assert_int_equal(find("GET", "/api/v1/sources/1.2.3", &route, allow), ERR_BAD);
    assert_string_equal(objection.field, "address");
    assert_int_equal(find("GET", "/api/v1/sites/a%2fb", &route, allow), ERR_BAD);
    assert_int_equal(find("GET", "/api/v1/sites/a%", &route, allow), ERR_BAD);
}

static void refuses_other_paths(void **state)
{
    static const char *const paths[] = {"", "/", "/api/v1", "/api/v1/", "/api/v1/alert",
        "/api/v1/alerts/", "/api/v1/alerts/a/b", "/api/v1//alerts", "/api/v1/metrics",
        "/api/v1/healthz", "/alerts", "/api/v11/alerts", "api/v1/alerts", "/metrics/"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const struct route *route;
        char allow[64];
        assert_int_equal(find("GET", paths[i], &route, allow), ERR_NOTFOUND);
    }
}

static void says_which_methods(void **state)
{
    const struct route *route;
    char allow[64];
    (void)state;
    assert_int_equal(find("DELETE", "/api/v1/alerts/a", &route, allow), ERR_DENIED);
    assert_string_equal(allow, "GET, PATCH");
    assert_int_equal(find("GET", "/api/v1/login", &route, allow), ERR_DENIED);
    assert_string_equal(allow, "POST");
}

/* --- the table against openapi.yaml --------------------------------------------------------
 */

static json_t *document(void)
{
    struct packed file;
    assert_true(pack_find(pack_openapi(), "/openapi.json", &file));
    json_t *root = json_loadb((const char *)file.data, file.len, 0, NULL);
    assert_non_null(root);
    return root;
}

static const json_t *follow(const json_t *root, const json_t *value)
{
    const char *ref = json_string_value(json_object_get(value, "$ref"));
    if (!ref)
        return value;
    assert_int_equal(strncmp(ref, "#/", 2), 0);
    const json_t *at = root;
    char part[64];
    for (const char *p = ref + 2; *p;) {
        size_t len = strcspn(p, "/");
        assert_true(len < sizeof part);
        memcpy(part, p, len);
        part[len] = 0;
        at = json_object_get(at, part);
        assert_non_null(at);
        p += len + (p[len] == '/');
    }
    return at;
}

static const json_t *operation_of(const json_t *root, const struct route *route)
{
    char method[16];
    size_t len = strlen(route->method);
    for (size_t i = 0; i <= len; i++)
        method[i] = (char)tolower((unsigned char)route->method[i]);
    const json_t *path = json_object_get(json_object_get(root, "paths"), route->path);
    return json_object_get(path, method);
}

static int64_t whole(const json_t *schema, const char *name)
{
    return json_integer_value(json_object_get(schema, name));
}

static void same_words(const struct param *p, const json_t *schema)
{
    const json_t *words = json_object_get(schema, "enum");
    size_t count = 1;
    for (const char *c = p->words; *c; c++)
        count += *c == '|';
    assert_int_equal(json_array_size(words), count);
    size_t i;
    json_t *word;
    json_array_foreach(words, i, word)
    {
        char text[200];
        char all[400];
        snprintf(text, sizeof text, "|%s|", json_string_value(word));
        snprintf(all, sizeof all, "|%s|", p->words);
        assert_non_null(strstr(all, text));
    }
}

/* "^(?:(a|b)(,(a|b))*|-(a|b)(,-(a|b))*)$" for "a|b" */
static void same_lists(const struct param *p, const json_t *schema)
{
    char want[800];
    snprintf(want, sizeof want, "^(?:(%s)(,(%s))*|-(%s)(,-(%s))*)$", p->words, p->words,
        p->words, p->words);
    assert_string_equal(json_string_value(json_object_get(schema, "pattern")), want);
}

/* "^[a-z0-9._:-]{1,63}$" for "a-z0-9._:-", 1, 63 */
static void same_pattern(const struct param *p, const json_t *schema)
{
    char want[120];
    if (p->least == p->most)
        snprintf(want, sizeof want, "^[%s]{%d}$", p->words, (int)p->most);
    else
        snprintf(want, sizeof want, "^[%s]{%d,%d}$", p->words, (int)p->least, (int)p->most);
    assert_string_equal(json_string_value(json_object_get(schema, "pattern")), want);
}

static void same_default(const struct param *p, const json_t *schema)
{
    const json_t *initial = json_object_get(schema, "default");
    if (p->where != IN_QUERY)
        return; /* those of bodies are the handlers' */
    assert_int_equal(initial != NULL, p->initial != NULL);
    if (json_is_integer(initial))
        assert_int_equal(json_integer_value(initial), atoll(p->initial));
    else if (initial)
        assert_string_equal(json_string_value(initial), p->initial);
}

static void same_schema(const json_t *root, const struct param *p, const json_t *outer)
{
    const json_t *schema = follow(root, outer);
    const char *format = json_string_value(json_object_get(schema, "format"));
    same_default(p, outer);
    switch (p->type) {
    case PARAM_WHEN:
        assert_string_equal(format, "when");
        break;
    case PARAM_TIME:
        assert_string_equal(format, "time-or-date");
        break;
    case PARAM_DURATION:
        assert_string_equal(format, "duration-short");
        assert_int_equal(whole(outer, "x-min"), p->least);
        assert_int_equal(whole(outer, "x-max"), p->most);
        break;
    case PARAM_WORD:
        same_words(p, schema);
        break;
    case PARAM_WORDS:
        same_lists(p, schema);
        break;
    case PARAM_NUMBER:
        if (p->where == IN_PATH)
            break; /* ids are text to everybody else */
        assert_int_equal(whole(schema, "minimum"), p->least);
        assert_int_equal(whole(schema, "maximum"), p->most);
        break;
    case PARAM_PROTO:
        assert_non_null(
            strstr(json_string_value(json_object_get(schema, "pattern")), "icmpv6"));
        break;
    case PARAM_PREFIX:
        assert_string_equal(format, "prefix");
        break;
    case PARAM_IP:
        assert_string_equal(format, "ip");
        break;
    case PARAM_COUNTRY:
    case PARAM_CHARS:
        same_pattern(p, schema);
        break;
    case PARAM_TEXT:
    case PARAM_SECRET:
        assert_int_equal(whole(schema, "minLength"), p->least);
        assert_int_equal(whole(schema, "maxLength"), p->most);
        break;
    case PARAM_OBJECT:
        assert_string_equal(json_string_value(json_object_get(schema, "type")), "object");
        break;
    case PARAM_BOOL:
        assert_string_equal(json_string_value(json_object_get(schema, "type")), "boolean");
        break;
    }
}

static const json_t *body_schema(const json_t *root, const json_t *operation)
{
    const json_t *body = json_object_get(operation, "requestBody");
    const json_t *content = json_object_get(body, "content");
    const json_t *type = json_object_get(content, "application/json");
    return type ? follow(root, json_object_get(type, "schema")) : NULL;
}

static const json_t *schema_of(
    const json_t *root, const json_t *operation, const struct param *p)
{
    size_t i;
    json_t *row;
    if (p->where == IN_BODY)
        return json_object_get(
            json_object_get(body_schema(root, operation), "properties"), p->name);
    json_array_foreach(json_object_get(operation, "parameters"), i, row)
    {
        const json_t *one = follow(root, row);
        const char *in = json_string_value(json_object_get(one, "in"));
        if (strcmp(json_string_value(json_object_get(one, "name")), p->name) == 0 &&
            strcmp(in, p->where == IN_PATH ? "path" : "query") == 0)
            return json_object_get(one, "schema");
    }
    return NULL;
}

static void every_row_is_documented(void **state)
{
    static const char *const needs[] = {"public", "partner", "viewer", "admin"};
    json_t *root = document();
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        const json_t *operation = operation_of(root, route);
        assert_non_null(operation);
        assert_string_equal(
            json_string_value(json_object_get(operation, "operationId")), route->id);
        assert_string_equal(
            json_string_value(json_object_get(operation, "x-role")), needs[route->audience]);
        size_t members = 0;
        size_t others = 0;
        for (const enum param_id *id = route->params; *id != P_NONE; id++) {
            const struct param *p = param_row(*id);
            const json_t *schema = schema_of(root, operation, p);
            if (!schema)
                fail_msg("%s: %s is not in openapi.yaml", route->id, p->name);
            same_schema(root, p, schema);
            members += p->where == IN_BODY;
            others += p->where != IN_BODY;
        }
        const json_t *body = body_schema(root, operation);
        size_t required = 0;
        while (required < sizeof route->required / sizeof *route->required &&
               route->required[required] != P_NONE)
            required++;
        if (json_array_size(json_object_get(operation, "parameters")) != others ||
            json_object_size(json_object_get(body, "properties")) != members ||
            json_array_size(json_object_get(body, "required")) != required)
            fail_msg("%s: openapi.yaml has parameters that the route has not", route->id);
    }
    json_decref(root);
}

static void every_operation_is_a_row(void **state)
{
    json_t *root = document();
    const char *path, *method;
    json_t *item, *operation;
    size_t operations = 0;
    (void)state;
    json_object_foreach(json_object_get(root, "paths"), path, item)
    {
        json_object_foreach(item, method, operation)
        {
            if (strcmp(method, "servers") == 0)
                continue;
            bool found = false;
            for (size_t i = 0; i < route_count; i++)
                found |= strcmp(routes[i].path, path) == 0 &&
                         strcasecmp(routes[i].method, method) == 0;
            if (!found)
                fail_msg("%s %s is in openapi.yaml, and no route answers it", method, path);
            operations++;
        }
    }
    assert_int_equal(operations, route_count);
    json_decref(root);
}

static const struct CMUnitTest tests[] = {
    SAYS("a method and a path find their route", finds_routes),
    SAYS("a path's parts are checked like every parameter", takes_the_path),
    SAYS("paths that are nearly right are not there", refuses_other_paths),
    SAYS("a wrong method is told the right ones", says_which_methods),
    SAYS("openapi.yaml describes every route, its role and its parameters",
        every_row_is_documented),
    SAYS("every operation of openapi.yaml is answered", every_operation_is_a_row),
};
TEST_MAIN(tests)
