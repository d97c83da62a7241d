#include "sensor/survey.h"

#include "base/clock.h"
#include "base/json.h"
#include "geo/ranges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct survey_prefix {
    struct prefix prefix;
    uint32_t list; /* number + 1 */
};

struct survey_lists {
    struct survey_list list[SURVEY_LISTS_MAX];
    char *path[SURVEY_LISTS_MAX]; /* list[i].file, owned */
    size_t count;
    struct survey_prefix *prefix;
    size_t prefix_count, prefix_room;
    struct ranges ranges;
};

/* A list while it is read. */
struct draft {
    struct survey_lists *lists;
    const char *name;
    struct survey_list shown;
    struct fault *fault;
};

enum {
    LINE_MAX_BYTES = 4096
};

enum err survey_new(struct survey_lists **ret_lists)
{
    struct survey_lists *lists = calloc(1, sizeof *lists);
    if (!lists)
        return ERR_NOMEM;
    ranges_init(&lists->ranges);
    *ret_lists = lists;
    return OK;
}

void survey_free(struct survey_lists *lists)
{
    if (!lists)
        return;
    for (size_t i = 0; i < lists->count; i++)
        free(lists->path[i]);
    free(lists->prefix);
    ranges_done(&lists->ranges);
    free(lists);
}

static enum err add_prefix(struct draft *d, const struct prefix *p)
{
    struct survey_lists *lists = d->lists;
    if (lists->prefix_count == RANGES_MAX)
        return ERR_FULL;
    if (lists->prefix_count == lists->prefix_room) {
        size_t room = lists->prefix_room ? lists->prefix_room * 2 : 1024;
        struct survey_prefix *prefix = realloc(lists->prefix, room * sizeof *prefix);
        if (!prefix)
            return ERR_NOMEM;
        lists->prefix = prefix;
        lists->prefix_room = room;
    }
    lists->prefix[lists->prefix_count++] =
        (struct survey_prefix){.prefix = *p, .list = (uint32_t)lists->count + 1};
    d->shown.prefixes++;
    return OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Without blanks at both ends. */
static char *trim(char *text)
{
    while (is_blank(*text))
        text++;
    size_t len = strlen(text);
    while (len && is_blank(text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* One address or prefix. A prefix of everything is a mistake in any list. */
static enum err take_address(struct draft *d, unsigned long line, const char *text)
{
    struct prefix p;
    if (prefix_parse(text, true, &p))
        return fault_set(d->fault, ERR_BAD,
            "%s:%lu: '%.60s' is no address or prefix as in 192.0.2.0/24 or 2001:db8::/32",
            d->name, line, text);
    if (p.bits == 0 || (ip_is_v4(&p.ip) && p.bits <= 96))
        return fault_set(d->fault, ERR_BAD, "%s:%lu: '%.60s' is every address there is",
            d->name, line, text);
    enum err e = add_prefix(d, &p);
    return e ? fault_set(d->fault, e, "%s:%lu: %s", d->name, line, err_text(e)) : OK;
}

/* Copy the next line without its end; false at the end of the text. */
static bool next_line(struct bytes *in, char line[LINE_MAX_BYTES], bool *ret_cut)
{
    if (!in->left)
        return false;
    const uint8_t *end = memchr(in->at, '\n', in->left);
    size_t len = end ? (size_t)(end - in->at) : in->left;
    size_t copied = len < LINE_MAX_BYTES - 1 ? len : LINE_MAX_BYTES - 1;
    memcpy(line, in->at, copied);
    line[copied] = '\0';
    *ret_cut = copied < len || memchr(line, '\0', copied);
    bytes_skip(in, end ? len + 1 : len);
    return true;
}

/* Sets of nftables: "define NAME = {" opens, "}" closes, between them addresses with commas. */
struct nftables {
    bool seen;
    bool open;
    unsigned long opened; /* line */
};

/* Take what an open set has on this line; what follows its end is left. */
static enum err take_elements(
    struct draft *d, struct nftables *n, unsigned long line, char *text)
{
    while (*text && n->open) {
        size_t len = strcspn(text, ",}");
        char stop = text[len];
        text[len] = '\0';
        char *address = trim(text);
        enum err e = *address ? take_address(d, line, address) : OK;
        if (e)
            return e;
        if (stop == '}')
            n->open = false;
        text += len + (stop != '\0');
    }
    text = trim(text);
    if (!*text || n->open)
        return OK;
    return fault_set(d->fault, ERR_BAD, "%s:%lu: '%.60s' after the set; '}' ends the line",
        d->name, line, text);
}

static enum err take_line(struct draft *d, struct nftables *n, unsigned long line, char *text)
{
    text[strcspn(text, "#")] = '\0';
    text = trim(text);
    if (!*text)
        return OK;
    if (n->open)
        return take_elements(d, n, line, text);
    if (strncmp(text, "define ", 7) != 0) {
        if (!n->seen)
            return take_address(d, line, text);
        return fault_set(d->fault, ERR_BAD,
            "%s:%lu: '%.60s' outside of a set; 'define NAME = {' begins one", d->name, line,
            text);
    }
    char *brace = strchr(text, '{');
    if (!brace || !strchr(text, '=') || strchr(text, '=') > brace)
        return fault_set(d->fault, ERR_BAD,
            "%s:%lu: a set begins 'define NAME = {' on one line", d->name, line);
    *n = (struct nftables){.seen = true, .open = true, .opened = line};
    return take_elements(d, n, line, brace + 1);
}

static enum err read_lines(struct draft *d, struct bytes in)
{
    char *line = malloc(LINE_MAX_BYTES);
    if (!line)
        return fault_set(d->fault, ERR_NOMEM, "%s: no memory to read it", d->name);
    struct nftables n = {0};
    enum err e = OK;
    bool cut;
    for (unsigned long number = 1; !e && next_line(&in, line, &cut); number++) {
        if (cut && line[strspn(line, " \t")] != '#')
            e = fault_set(d->fault, ERR_BAD,
                "%s:%lu: a line longer than %d bytes, or a NUL in it", d->name, number,
                LINE_MAX_BYTES - 1);
        else
            e = take_line(d, &n, number, line);
    }
    if (!e && n.open)
        e = fault_set(d->fault, ERR_BAD, "%s:%lu: this set has no '}'", d->name, n.opened);
    free(line);
    return e;
}

/* A text of a JSON object, or a whole number as text; "" if it is neither. */
static void json_word(const json_t *object, const char *key, char text[SURVEY_TEXT])
{
    const json_t *v = json_object_get(object, key);
    text[0] = '\0';
    if (json_is_string(v))
        snprintf(text, SURVEY_TEXT, "%s", json_string_value(v));
    else if (json_is_integer(v))
        snprintf(text, SURVEY_TEXT, "%lld", (long long)json_integer_value(v));
}

/* MISP warning list: {"name": ..., "version": ..., "type": "cidr", "list": ["192.0.2.0/24",
 * ...]} Entries have no lines of their own in the fault: their number in the list stands there.
 */
static enum err read_misp(struct draft *d, struct bytes in)
{
    json_error_t why;
    json_t *top = json_loadb((const char *)in.at, in.left, JSON_REJECT_DUPLICATES, &why);
    if (!top)
        return fault_set(
            d->fault, ERR_BAD, "%s:%d:%d: %s", d->name, why.line, why.column, why.text);
    char type[SURVEY_TEXT];
    const json_t *list = json_object_get(top, "list");
    enum err e = OK;
    json_word(top, "type", type);
    json_word(top, "name", d->shown.organisation);
    json_word(top, "version", d->shown.version);
    if (!json_is_array(list))
        e = fault_set(
            d->fault, ERR_BAD, "%s: a MISP warning list has a \"list\" of texts", d->name);
    else if (type[0] && strcmp(type, "cidr") != 0)
        e = fault_set(d->fault, ERR_BAD,
            "%s: a warning list of type \"%.40s\"; only \"cidr\" lists addresses", d->name,
            type);
    for (size_t i = 0; !e && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct prefix p;
        if (!text || prefix_parse(text, true, &p) || p.bits == 0 ||
            (ip_is_v4(&p.ip) && p.bits <= 96))
            e = fault_set(d->fault, ERR_BAD,
                "%s: entry %zu of its list, '%.60s', is no address or prefix", d->name, i + 1,
                text ? text : "");
        else if ((e = add_prefix(d, &p)))
            e = fault_set(d->fault, e, "%s: entry %zu: %s", d->name, i + 1, err_text(e));
    }
    json_decref(top);
    return e;
}

static bool is_json(struct bytes in)
{
    while (in.left && (is_blank((char)*in.at) || *in.at == '\n'))
        bytes_skip(&in, 1);
    return in.left && *in.at == '{';
}

/* Lay out all prefixes of all lists. */
static enum err build(struct survey_lists *lists)
{
    struct ranges ranges;
    size_t crossing[2];
    enum err e = OK;
    ranges_init(&ranges);
    for (size_t i = 0; !e && i < lists->prefix_count; i++) {
        const struct survey_prefix *p = &lists->prefix[i];
        struct ip last = prefix_last(&p->prefix);
        e = ranges_add(&ranges, &p->prefix.ip, &last, p->list);
    }
    if (!e)
        e = ranges_build(&ranges, crossing);
    if (e) {
        ranges_done(&ranges);
        return e;
    }
    ranges_done(&lists->ranges);
    lists->ranges = ranges;
    return OK;
}

/* "cidr/alphastrike_v4.txt" -> "alphastrike" */
static void name_from_path(const char *path, char text[SURVEY_TEXT])
{
    const char *slash = strrchr(path, '/');
    snprintf(text, SURVEY_TEXT, "%s", slash ? slash + 1 : path);
    char *dot = strchr(text, '.');
    if (dot && dot != text)
        *dot = '\0';
    size_t len = strlen(text);
    if (len > 3 && (strcmp(text + len - 3, "_v4") == 0 || strcmp(text + len - 3, "_v6") == 0))
        text[len - 3] = '\0';
}

enum err survey_add(struct survey_lists *lists, const char *name, struct bytes text,
    int64_t date, struct fault *f)
{
    if (lists->count == SURVEY_LISTS_MAX)
        return fault_set(f, ERR_FULL, "%s: more than %d lists", name, SURVEY_LISTS_MAX);
    struct draft d = {.lists = lists, .name = name, .fault = f, .shown = {.date = date}};
    size_t before = lists->prefix_count;
    enum err e = is_json(text) ? read_misp(&d, text) : read_lines(&d, text);
    if (!e && !d.shown.prefixes)
        e = fault_set(f, ERR_BAD, "%s: there is no address in it", name);
    if (!e && (e = build(lists)))
        e = fault_set(f, e, "%s: %s", name, err_text(e));
    char *copy = e ? NULL : strdup(name);
    if (!e && !copy)
        e = fault_set(f, ERR_NOMEM, "%s: no memory for it", name);
    if (e) {
        lists->prefix_count = before;
        return e;
    }
    d.shown.file = lists->path[lists->count] = copy;
    if (!d.shown.organisation[0])
        name_from_path(name, d.shown.organisation);
    lists->list[lists->count++] = d.shown;
    return OK;
}

enum err survey_add_file(
    struct survey_lists *lists, const char *path, const char *organisation, struct fault *f)
{
    struct stat st;
    FILE *file = fopen(path, "rb");
    if (!file)
        return fault_set(f, ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    enum err e = OK;
    size_t len = 0;
    char *text = NULL;
    if (fstat(fileno(file), &st) || st.st_size > SURVEY_FILE_MAX)
        e = fault_set(f, ERR_FULL, "%s: longer than %d bytes", path, SURVEY_FILE_MAX);
    else if (!(text = malloc((size_t)st.st_size + 1)))
        e = fault_set(f, ERR_NOMEM, "%s: no memory to read it", path);
    if (!e) {
        len = fread(text, 1, (size_t)st.st_size, file);
        if (ferror(file))
            e = fault_set(f, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (!e)
        e = survey_add(lists, path, bytes_over(text, len), (int64_t)st.st_mtime * US_SECOND, f);
    if (!e && organisation)
        snprintf(lists->list[lists->count - 1].organisation, SURVEY_TEXT, "%s", organisation);
    free(text);
    fclose(file);
    return e;
}

size_t survey_count(const struct survey_lists *lists)
{
    return lists->count;
}

const struct survey_list *survey_at(const struct survey_lists *lists, size_t number)
{
    return &lists->list[number];
}

uint32_t survey_find(const struct survey_lists *lists, const struct ip *ip)
{
    return ranges_find(&lists->ranges, ip);
}
