#include "cmd/ask_args.h"

#include "base/clock.h"
#include "geo/country.h"
#include "record/proto.h"
#include "sensor/fingerprint.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum err narrow_check(const struct conf *conf, struct fault *f)
{
    static const char *const names[] = {"from", "to", "site", "proto", "port", "country", "asn",
        "tool", "class", "src", "alert", "state", "severity", "kind", "engine"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (conf_times(conf, names[i]) > 1)
            return fault_set(f, ERR_BAD, "--%s: given %zu times; it takes one value%s",
                names[i], conf_times(conf, names[i]),
                strcmp(names[i], "class") == 0 ? ", such as scan,worm" : "");
    return OK;
}

enum err narrow_name(const struct conf *conf, const char *option,
    char ret_name[RECORD_NAME_MAX + 1], struct fault *f)
{
    const char *text = conf_text(conf, option);
    size_t len = text ? strlen(text) : 0;
    if (text && (!len || len > RECORD_NAME_MAX ||
                    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._:-") != len))
        return fault_set(f, ERR_BAD,
            "--%s: \"%.80s\" is not one name: a-z 0-9 . _ : - are allowed, at most %d", option,
            text, RECORD_NAME_MAX);
    snprintf(ret_name, RECORD_NAME_MAX + 1, "%s", text ? text : "");
    return OK;
}

/* Names that there are, while one of them is looked for. */
struct sought {
    const char *wanted;
    bool found;
    char text[200]; /* "jp-01, kr-01" */
    size_t used;
};

static void name_add(struct sought *n, const char *name)
{
    n->found |= strcmp(name, n->wanted) == 0;
    if (n->used + strlen(name) + sizeof ", ..." < sizeof n->text)
        n->used += (size_t)snprintf(
            n->text + n->used, sizeof n->text - n->used, "%s%s", n->used ? ", " : "", name);
    else if (n->used && n->text[n->used - 1] != '.')
        n->used += (size_t)snprintf(n->text + n->used, sizeof n->text - n->used, ", ...");
}

/* All that the store has. */
static enum err stored_names(
    struct holder *holder, enum ask_what what, struct sought *n, struct fault *f)
{
    struct ask a;
    json_t *rows = NULL;
    ask_init(&a, what);
    a.limit = ASK_ROWS_MAX;
    enum err e = holder_rows(holder, &a, &rows, f);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *name = json_string_value(
            json_object_get(json_array_get(rows, i), what == ASK_SITES ? "site" : "tool"));
        if (name && *name)
            name_add(n, name);
    }
    json_decref(rows);
    return e;
}

static enum err unknown(const char *option, const struct sought *n, struct fault *f)
{
    return fault_set(f, ERR_NOTFOUND, "--%s: there is no %s \"%.63s\"; %s%s", option, option,
        n->wanted, n->used ? "there are " : "there is none yet", n->text);
}

/* Those that rules name, and those that a file of rules named when packets came in. */
static enum err tool_known(struct holder *holder, const char *tool, struct fault *f)
{
    struct sought n = {.wanted = tool};
    struct fingerprints *rules = NULL;
    enum err e = fingerprints_new(&rules, f);
    const char *last = "";
    for (size_t i = 0; !e && i < fingerprints_count(rules); i++) {
        const char *name = fingerprints_at(rules, i)->tool;
        if (strcmp(name, last) != 0)
            name_add(&n, name);
        last = name;
    }
    if (!e && !n.found)
        e = stored_names(holder, ASK_TOOLS, &n, f);
    if (!e && !n.found)
        e = unknown("tool", &n, f);
    fingerprints_free(rules);
    return e;
}

enum err narrow_known(
    struct holder *holder, const char *site, const char *tool, struct fault *f)
{
    struct sought n = {.wanted = site};
    if (holder_hub(holder))
        return OK;
    enum err e = *site ? stored_names(holder, ASK_SITES, &n, f) : OK;
    if (!e && *site && !n.found)
        e = unknown("site", &n, f);
    return e || !*tool ? e : tool_known(holder, tool, f);
}

enum err narrow_site_known(const char *data, const char *site, struct fault *f)
{
    struct holder *holder = NULL;
    struct fault unopened;
    if (holder_open(&holder, data, HOLDER_STORE, &unopened) != OK)
        return OK;
    enum err e = narrow_known(holder, site, "", f);
    holder_close(holder);
    return e;
}

/* Words with commas between, each once; a hyphen before all of them or none. */
static bool are_classes(const char *text)
{
    bool out = *text == '-';
    unsigned seen = 0;
    for (;; text++) {
        char word[RECORD_NAME_MAX + 1];
        size_t len = strcspn(text, ",");
        if ((*text == '-') != out || len < out || len > RECORD_NAME_MAX)
            return false;
        snprintf(word, sizeof word, "%.*s", (int)len - out, text + out);
        enum packet_class c = class_find(word);
        if (c == CLASS_COUNT || seen >> c & 1)
            return false;
        seen |= 1u << c;
        text += len;
        if (!*text)
            return true;
    }
}

static enum err ask_classes(struct ask *a, const char *text, struct fault *f)
{
    if (text && (strlen(text) > RECORD_NAME_MAX || !are_classes(text)))
        return fault_set(f, ERR_BAD,
            "--class: \"%.80s\" is not a list of classes such as scan,worm or "
            "-survey,-backscatter; there are " ASK_CLASSES_ALLOWED,
            text);
    snprintf(a->class, sizeof a->class, "%s", text ? text : "");
    return OK;
}

static enum err ask_source(struct ask *a, const char *text, struct fault *f)
{
    if (!text)
        return OK;
    if (prefix_parse(text, false, &a->src) != OK)
        return fault_set(f, ERR_BAD,
            "--src: \"%.80s\" is no address or prefix such as 192.0.2.7 or 2001:db8::/32",
            text);
    a->has_src = true;
    return OK;
}

static const int64_t end_of_time = INT64_C(253402300800) * US_SECOND; /* the year 10000 */

static bool is_relative(const struct moment *m)
{
    return m && m->kind == MOMENT_BEFORE_NEWEST;
}

bool span_needs_store(const struct conf *conf)
{
    return is_relative(conf_moment(conf, "from")) || is_relative(conf_moment(conf, "to"));
}

static enum err span_order(int64_t from, int64_t to, struct fault *f)
{
    return from < to ? OK : fault_set(f, ERR_RANGE, "--from is not before --to");
}

enum err span_check(const struct conf *conf, struct fault *f)
{
    const struct moment *from = conf_moment(conf, "from");
    const struct moment *to = conf_moment(conf, "to");
    if (!from || !to || is_relative(from) != is_relative(to))
        return OK;
    struct clock clock = clock_system();
    int64_t now = clock_now(&clock);
    return span_order(moment_resolve(from, 0, now), moment_resolve(to, 0, now), f);
}

/* The times of the oldest and the newest packet; both 0 if there is none. */
static enum err held_span(
    struct holder *holder, int64_t *ret_first, int64_t *ret_last, struct fault *f)
{
    struct ask span;
    json_t *rows = NULL;
    ask_init(&span, ASK_SPAN);
    enum err e = holder_rows(holder, &span, &rows, f);
    if (e)
        return e;
    const json_t *row = json_array_get(rows, 0);
    const char *first = json_string_value(json_object_get(row, "first"));
    const char *last = json_string_value(json_object_get(row, "last"));
    int64_t ends[2] = {0};
    bool any = first && last && time_parse(first, &ends[0]) == OK &&
               time_parse(last, &ends[1]) == OK && ends[1] > 0;
    *ret_first = any ? ends[0] : 0;
    *ret_last = any ? ends[1] : 0;
    json_decref(rows);
    return OK;
}

static enum err newest_packet(struct holder *holder, int64_t *ret_newest, struct fault *f)
{
    int64_t first;
    enum err e = held_span(holder, &first, ret_newest, f);
    if (!e && !*ret_newest)
        e = fault_set(f, ERR_NOTFOUND,
            "the store holds no packets, so there is no newest one to count back from");
    return e;
}

enum err span_from_conf(const struct conf *conf, struct holder *holder, int64_t *ret_from,
    int64_t *ret_to, struct fault *f)
{
    const struct moment *from = conf_moment(conf, "from");
    const struct moment *to = conf_moment(conf, "to");
    struct clock clock = clock_system();
    int64_t now = clock_now(&clock);
    int64_t newest = 0;
    enum err e = span_needs_store(conf) ? newest_packet(holder, &newest, f) : OK;
    if (e)
        return e;
    int64_t begin = from ? moment_resolve(from, newest, now) : 0;
    int64_t end = to ? moment_resolve(to, newest, now) : from ? end_of_time : 0;
    if (from && to)
        e = span_order(begin, end, f);
    if (e)
        return e;
    *ret_from = begin;
    *ret_to = end;
    return OK;
}

static bool by_length(enum ask_what what)
{
    return what == ASK_SERIES || what == ASK_LOSSES || what == ASK_MOVERS;
}

/* Whole steps, as the API's charts have them. */
static enum err steps_align(struct ask *ask, struct fault *f)
{
    int64_t step = ask->step ? ask->step : ask_step(ask, ask->from, ask->to);
    ask->step = step;
    ask->from = time_floor(ask->from, step);
    ask->to = time_floor(ask->to - 1, step) + step;
    if ((ask->to - ask->from) / step <= ASK_STEPS_MAX)
        return OK;
    return fault_set(f, ERR_RANGE,
        "--step: the span has more than %d steps of that length; take a longer one, or narrow "
        "--from and --to",
        ASK_STEPS_MAX);
}

enum err span_close(struct holder *holder, struct ask *ask, int64_t *ret_first, struct fault *f)
{
    int64_t first = 0;
    int64_t last = 0;
    *ret_first = 0;
    if (!by_length(ask->what))
        return OK;
    enum err e = held_span(holder, &first, &last, f);
    if (e || !last) /* no packets: any span will do */
        return e;
    bool from_given = ask->from > 0;
    if (!from_given)
        ask->from = first;
    if (!ask->to || ask->to == end_of_time)
        ask->to = last + 1;
    if (ask->to <= ask->from && from_given)
        ask->to = ask->from + 1;
    else if (ask->to <= ask->from)
        ask->from = ask->to - 1;
    if (ask->what == ASK_MOVERS && !from_given && ask->to - ask->from > US_DAY)
        ask->from = ask->to - US_DAY; /* before all there is, there is nothing to compare */
    *ret_first = first;
    return ask->what == ASK_MOVERS ? OK : steps_align(ask, f);
}

enum err narrow_service(const struct conf *conf, int *ret_proto, int *ret_port, struct fault *f)
{
    const char *proto = conf_text(conf, "proto");
    uint8_t number = 0;
    if (proto && proto_parse(proto, &number) != OK)
        return fault_set(f, ERR_BAD,
            "--proto: \"%.40s\" is not tcp, udp, icmp, icmpv6 or a number from 0 to 255",
            proto);
    *ret_proto = proto ? number : -1;
    *ret_port = conf_given(conf, "port") ? (int)conf_count(conf, "port") : -1;
    return OK;
}

static enum err ask_country(struct ask *a, const char *text, struct fault *f)
{
    if (!text)
        return OK;
    if (strlen(text) != 2 || !isalpha((unsigned char)text[0]) ||
        !isalpha((unsigned char)text[1]))
        return fault_set(f, ERR_BAD,
            "--country: \"%.40s\" is not a code of two letters, ISO 3166, such as kr", text);
    if (!country_name(text))
        return fault_set(f, ERR_BAD,
            "--country: \"%s\" is no country of ISO 3166; the United Kingdom is gb", text);
    for (size_t i = 0; i < 2; i++)
        a->country[i] = (char)tolower((unsigned char)text[i]);
    return OK;
}

enum err ask_from_conf(
    struct ask *ret_ask, enum ask_what what, const struct conf *conf, struct fault *f)
{
    struct ask a;
    ask_init(&a, what);
    if (conf_given(conf, "asn"))
        a.asn = (int64_t)conf_count(conf, "asn");
    a.limit = conf_count(conf, "limit");
    enum err e = narrow_check(conf, f);
    if (!e)
        e = span_check(conf, f);
    if (!e)
        e = narrow_name(conf, "site", a.site, f);
    if (!e)
        e = narrow_name(conf, "tool", a.tool, f);
    if (!e)
        e = ask_classes(&a, conf_text(conf, "class"), f);
    if (!e)
        e = ask_country(&a, conf_text(conf, "country"), f);
    if (!e)
        e = narrow_service(conf, &a.proto, &a.port, f);
    if (!e)
        e = ask_source(&a, conf_text(conf, "src"), f);
    if (!e)
        *ret_ask = a;
    return e;
}

static void query_text(struct buf *out, const char *name, const char *value)
{
    if (!*value)
        return;
    buf_printf(out, "&%s=", name);
    for (; *value; value++)
        if (isalnum((unsigned char)*value) || strchr("-._~", *value))
            buf_u8(out, (uint8_t)*value);
        else
            buf_printf(out, "%%%02X", (unsigned char)*value);
}

static void query_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];
    if (us)
        query_text(out, name, time_format(us, text));
}

static void query_source(struct buf *out, const struct ask *a)
{
    char ip[IP_TEXT];
    char text[IP_TEXT + 8];
    if (!a->has_src)
        return;
    int bits = ip_is_v4(&a->src.ip) && a->src.bits >= 96 ? a->src.bits - 96 : a->src.bits;
    if (a->src.bits == 128)
        snprintf(text, sizeof text, "%s", ip_format(&a->src.ip, ip));
    else
        snprintf(text, sizeof text, "%s/%d", ip_format(&a->src.ip, ip), bits);
    query_text(out, "src", text);
}

void ask_query(const struct ask *a, enum ask_format format, struct buf *out)
{
    static const char *const by[] = {"", "site", "country", "tool", "class", "asn", "port"};
    static const char *const measures[] = {"packets", "sources", "bytes"};
    char number[32];
    buf_printf(out, "?format=%s", format == FORMAT_CSV ? "csv" : "json");
    query_time(out, "from", a->from);
    query_time(out, "to", a->to);
    query_text(out, "site", a->site);
    query_text(out, "country", a->country);
    query_text(out, "tool", a->tool);
    query_text(out, "class", a->class);
    if (a->proto >= 0)
        query_text(out, "proto", proto_format((uint8_t)a->proto, number));
    if (a->port >= 0)
        buf_printf(out, "&port=%d", a->port);
    if (a->asn >= 0)
        buf_printf(out, "&asn=%lld", (long long)a->asn);
    if (a->what != ASK_SOURCE)
        query_source(out, a);
    if (a->limit && a->what != ASK_SITES && a->what != ASK_LOSSES)
        buf_printf(out, "&limit=%zu", a->limit);
    if (a->what == ASK_SERIES) {
        query_text(out, "by", by[a->by]);
        query_text(out, "measure", measures[a->measure]);
    }
    if (a->step && (a->what == ASK_SERIES || a->what == ASK_LOSSES))
        buf_printf(out, "&step=%llds", (long long)(a->step / US_SECOND));
}
