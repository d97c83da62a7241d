#include "fleet/document.h"

#include "anon/word.h"

#include <stdio.h>
#include <string.h>

/* Changes of a document: one member set, and what differs between two. */

enum {
    PATH = 128,
    DEEPEST = 4 /* a document is no deeper */
};

/* ---- set ---- */

/* Is it a field of the policy, as a whole? Its rules may be written short. */
static bool is_rule(const char *path)
{
    static const char policy[] = "anonymisation.";
    bool is = false;
    if (strncmp(path, policy, strlen(policy)) != 0)
        return false;
    for (unsigned i = 0; i < ANON_FIELDS && !is; i++)
        is = strcmp(path + strlen(policy), anon_fields[i].name) == 0;
    return is;
}

static json_t *value_of(const char *path, const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (value)
        return value;
    return is_rule(path) ? anon_word_json(text) : json_text(text, strlen(text));
}

/* The object that holds the last part of a path, which must be there; the part is `*ret_last`.
 */
static json_t *holder_of(json_t *root, char *path, char **ret_last)
{
    json_t *at = root;
    char *dot;
    while ((dot = strchr(path, '.'))) {
        *dot = 0;
        at = json_object_get(at, path);
        path = dot + 1;
    }
    *ret_last = path;
    return json_is_object(at) ? at : NULL;
}

/* Members of anonymisation may be written as a method alone; what is set below one makes it an
 * object first. */
static enum err assign(json_t *root, char *path, const char *text, struct fault *f)
{
    char *last;
    char whole[PATH];
    snprintf(whole, sizeof whole, "%s", path);
    json_t *holder = holder_of(root, path, &last);
    if (!holder || !last[0])
        return fault_set(f, ERR_BAD, "%s: there is no such member", whole);
    return json_object_set_new(holder, last, value_of(whole, text)) ? ERR_NOMEM : OK;
}

enum err document_set(struct site_document *d, const char *assignment, struct fault *f)
{
    char path[PATH];
    const char *equals = strchr(assignment, '=');
    size_t len = equals ? (size_t)(equals - assignment) : 0;
    if (!len || len >= sizeof path)
        return fault_set(
            f, ERR_BAD, "\"%.60s\" is not MEMBER=VALUE, such as payload=128", assignment);
    memcpy(path, assignment, len);
    path[len] = 0;
    json_t *root = document_json(d);
    enum err e =
        root ? assign(root, path, equals + 1, f) : fault_set(f, ERR_NOMEM, "out of memory");
    if (!e)
        e = document_read(d, root, f);
    json_decref(root);
    return e;
}

/* ---- diff ---- */

static void differ(json_t *rows, const char *path, json_t *before, json_t *after)
{
    json_array_append_new(
        rows, json_pack("{s:s, s:O, s:O}", "member", path, "before",
                  before ? before : json_null(), "after", after ? after : json_null()));
}

/* As deep as a document is: DEEPEST. */
static void compare(
    json_t *rows, const char *path, json_t *before, json_t *after, unsigned depth)
{
    const char *name;
    json_t *value;
    char below[PATH];
    if (json_equal(before, after))
        return;
    if (depth == DEEPEST || !json_is_object(before) || !json_is_object(after)) {
        differ(rows, path, before, after);
        return;
    }
    json_object_foreach(before, name, value)
    {
        snprintf(below, sizeof below, "%s%s%s", path, path[0] ? "." : "", name);
        compare(rows, below, value, json_object_get(after, name), depth + 1);
    }
    json_object_foreach(after, name, value)
    {
        if (json_object_get(before, name))
            continue;
        snprintf(below, sizeof below, "%s%s%s", path, path[0] ? "." : "", name);
        differ(rows, below, NULL, value);
    }
}

json_t *document_diff(const struct site_document *before, const struct site_document *after)
{
    json_t *rows = json_array();
    json_t *old = document_json(before);
    json_t *new = document_json(after);
    if (rows && old && new)
        compare(rows, "", old, new, 0);
    bool whole = rows && old && new;
    json_decref(old);
    json_decref(new);
    if (!whole) {
        json_decref(rows);
        return NULL;
    }
    return rows;
}
