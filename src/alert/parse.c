/* Alerts from their JSON form: a row a member, with the function that reads it. */
#include "alert/alert_int.h"

#include "base/clock.h"
#include "record/proto.h"

#include <string.h>

/* ERR_BAD for a wrong type or form, ERR_RANGE for too many, too long or too large. */
typedef enum err (*read_member)(const json_t *value, struct alert *a);

static enum err copy_text(const json_t *value, char *to, size_t room)
{
    if (!json_is_string(value))
        return ERR_BAD;
    size_t len = json_string_length(value);
    const char *text = json_string_value(value);
    if (strlen(text) != len)
        return ERR_BAD;
    if (len >= room)
        return ERR_RANGE;
    memcpy(to, text, len + 1);
    return OK;
}

/* A word of the alphabet that names of all kinds share. */
static enum err copy_word(const json_t *value, char *to, size_t room)
{
    enum err e = copy_text(value, to, room);
    if (e)
        return e;
    size_t len = strlen(to);
    return len && strspn(to, "abcdefghijklmnopqrstuvwxyz0123456789._:-") == len ? OK : ERR_BAD;
}

static enum err copy_words(
    const json_t *value, char *first, size_t most, size_t stride, size_t *ret_count)
{
    if (!json_is_array(value))
        return ERR_BAD;
    size_t count = json_array_size(value);
    if (count > most)
        return ERR_RANGE;
    for (size_t i = 0; i < count; i++) {
        enum err e = copy_word(json_array_get(value, i), first + i * stride, stride);
        if (e)
            return e;
    }
    *ret_count = count;
    return OK;
}

static enum err copy_time(const json_t *value, int64_t *to)
{
    return json_is_string(value) ? time_parse(json_string_value(value), to) : ERR_BAD;
}

static enum err copy_count(const json_t *value, json_int_t most, uint64_t *to)
{
    if (!json_is_integer(value))
        return ERR_BAD;
    json_int_t n = json_integer_value(value);
    if (n < 0 || n > most)
        return ERR_RANGE;
    *to = (uint64_t)n;
    return OK;
}

static enum err read_version(const json_t *value, struct alert *a)
{
    (void)a;
    return json_is_integer(value) && json_integer_value(value) == ALERT_VERSION ? OK : ERR_BAD;
}

static enum err copy_id(const json_t *value, char to[ALERT_ID])
{
    enum err e = copy_word(value, to, ALERT_ID);
    return e == OK && strpbrk(to, ":") ? ERR_BAD : e;
}

static enum err read_id(const json_t *value, struct alert *a)
{
    return copy_id(value, a->id);
}

static enum err read_time(const json_t *value, struct alert *a)
{
    return copy_time(value, &a->time);
}

static enum err read_start(const json_t *value, struct alert *a)
{
    return copy_time(value, &a->start);
}

static enum err read_end(const json_t *value, struct alert *a)
{
    return copy_time(value, &a->end);
}

static enum err read_kind(const json_t *value, struct alert *a)
{
    return copy_word(value, a->kind, sizeof a->kind);
}

static enum err read_engine(const json_t *value, struct alert *a)
{
    enum err e =
        copy_words(value, a->engines[0], ALERT_ENGINES, sizeof a->engines[0], &a->engine_count);
    return e == OK && !a->engine_count ? ERR_RANGE : e;
}

static enum err read_severity(const json_t *value, struct alert *a)
{
    if (!json_is_string(value))
        return ERR_BAD;
    return severity_parse(json_string_value(value), &a->severity) ? ERR_BAD : OK;
}

static enum err read_confidence(const json_t *value, struct alert *a)
{
    if (!json_is_number(value))
        return ERR_BAD;
    a->confidence = json_number_value(value);
    return a->confidence >= 0.0 && a->confidence <= 1.0 ? OK : ERR_RANGE;
}

static enum err read_title(const json_t *value, struct alert *a)
{
    return copy_text(value, a->title, sizeof a->title);
}

static enum err read_explanation(const json_t *value, struct alert *a)
{
    return copy_text(value, a->explanation, sizeof a->explanation);
}

static enum err read_proto(const json_t *value, struct alert *a)
{
    if (json_is_null(value))
        return OK;
    if (!json_is_string(value) || proto_parse(json_string_value(value), &a->proto))
        return ERR_BAD;
    return a->proto ? OK : ERR_BAD;
}

static enum err read_ports(const json_t *value, struct alert *a)
{
    if (!json_is_array(value))
        return ERR_BAD;
    if (json_array_size(value) > FINDING_PORTS)
        return ERR_RANGE;
    for (size_t i = 0; i < json_array_size(value); i++) {
        uint64_t port;
        enum err e = copy_count(json_array_get(value, i), UINT16_MAX, &port);
        if (e)
            return e;
        a->ports[a->port_count++] = (uint16_t)port;
    }
    return OK;
}

static enum err read_sites(const json_t *value, struct alert *a)
{
    return copy_words(value, a->sites[0], FINDING_SITES, sizeof a->sites[0], &a->site_count);
}

static enum err read_countries(const json_t *value, struct alert *a)
{
    enum err e = copy_words(
        value, a->countries[0], FINDING_COUNTRIES, sizeof a->countries[0], &a->country_count);
    for (size_t i = 0; !e && i < a->country_count; i++)
        if (strlen(a->countries[i]) != 2)
            e = ERR_BAD;
    return e;
}

static enum err read_host_count(const json_t *value, struct alert *a)
{
    return copy_count(value, INT64_MAX, &a->host_count);
}

static enum err read_hosts(const json_t *value, struct alert *a)
{
    if (!json_is_array(value))
        return ERR_BAD;
    if (json_array_size(value) > FINDING_HOSTS)
        return ERR_RANGE;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        if (!text || ip_parse(text, &a->hosts[a->host_sample++]))
            return ERR_BAD;
    }
    return OK;
}

static enum err read_tool(const json_t *value, struct alert *a)
{
    return json_is_null(value) ? OK : copy_word(value, a->tool, sizeof a->tool);
}

static enum err read_evidence(const json_t *value, struct alert *a)
{
    enum err e = evidence_check(value, NULL);
    if (e)
        return e;
    a->evidence = json_deep_copy(value);
    return a->evidence ? OK : ERR_NOMEM;
}

static enum err read_related(const json_t *value, struct alert *a)
{
    enum err e = copy_words(
        value, a->related[0], ALERT_RELATED, sizeof a->related[0], &a->related_count);
    for (size_t i = 0; !e && i < a->related_count; i++)
        if (strpbrk(a->related[i], ":"))
            e = ERR_BAD;
    return e;
}

static enum err read_tlp(const json_t *value, struct alert *a)
{
    static const char *const words[] = {"clear", "green", "amber", "red"};
    for (size_t i = 0; json_is_string(value) && i < sizeof words / sizeof *words; i++)
        if (strcmp(json_string_value(value), words[i]) == 0)
            return copy_text(value, a->tlp, sizeof a->tlp);
    return ERR_BAD;
}

static enum err read_status(const json_t *value, struct alert *a)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    a->open = strcmp(text, "open") == 0;
    return a->open || strcmp(text, "closed") == 0 ? OK : ERR_BAD;
}

static enum err read_revision(const json_t *value, struct alert *a)
{
    uint64_t n;
    enum err e = copy_count(value, UINT32_MAX, &n);
    if (!e)
        a->revision = (uint32_t)n;
    return e;
}

static const struct {
    const char *name;
    read_member read;
    const char *allowed;
} members[] = {
    {"version", read_version, "1"},
    {"id", read_id, "1 to 23 of a-z 0-9 . _ -"},
    {"time", read_time, "an RFC 3339 time"},
    {"start", read_start, "an RFC 3339 time"},
    {"end", read_end, "an RFC 3339 time"},
    {"kind", read_kind, "1 to 31 of a-z 0-9 . _ : -"},
    {"engine", read_engine, "1 to 8 names of at most 15 characters"},
    {"severity", read_severity, "info, notice, warning or critical"},
    {"confidence", read_confidence, "0 to 1"},
    {"title", read_title, "a text of at most 159 bytes"},
    {"explanation", read_explanation, "a text of at most 479 bytes"},
    {"proto", read_proto, "tcp, udp, icmp, icmpv6, a number 1 to 255, or null"},
    {"ports", read_ports, "at most 16 numbers 0 to 65535"},
    {"sites", read_sites, "at most 64 names"},
    {"countries", read_countries, "at most 32 codes of two letters, lower case"},
    {"host_count", read_host_count, "a whole number from 0"},
    {"hosts", read_hosts, "at most 32 addresses"},
    {"tool", read_tool, "a name or null"},
    {"evidence", read_evidence, "an object of evidence by engine"},
    {"related", read_related, "at most 4 ids of alerts"},
    {"tlp", read_tlp, "clear, green, amber or red"},
    {"status", read_status, "open or closed"},
    {"revision", read_revision, "a whole number from 0 to 4294967295"},
};

enum {
    MEMBERS = sizeof members / sizeof *members
};

static enum err refuse_unknown(const json_t *value, struct fault *f)
{
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        size_t i = 0;
        while (i < MEMBERS && strcmp(members[i].name, name) != 0)
            i++;
        if (i == MEMBERS)
            return fault_set(f, ERR_BAD, "alert: there is no member \"%.40s\"", name);
    }
    return OK;
}

enum err alert_from_json(const json_t *value, struct alert *ret_alert, struct fault *f)
{
    if (!json_is_object(value))
        return fault_set(f, ERR_BAD, "alert: not a JSON object");
    enum err e = refuse_unknown(value, f);
    if (e)
        return e;
    struct alert a = {0};
    for (size_t i = 0; i < MEMBERS; i++) {
        const json_t *member = json_object_get(value, members[i].name);
        e = member ? members[i].read(member, &a) : ERR_BAD;
        if (!e)
            continue;
        alert_done(&a);
        return fault_set(f, e, "alert: %s: %s; allowed: %s", members[i].name,
            member ? "has a wrong value" : "is missing", members[i].allowed);
    }
    if (a.end < a.start) {
        alert_done(&a);
        return fault_set(f, ERR_RANGE, "alert: end: lies before start");
    }
    *ret_alert = a;
    return OK;
}
