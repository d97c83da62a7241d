#include "sim/truth.h"

#include "base/clock.h"
#include "record/proto.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reading: each getter says which member is wrong, by its path. */
struct reader {
    struct fault *f;
    const char *where; /* "events[3]" */
};

static enum err bad(const struct reader *r, const char *member, const char *what)
{
    return fault_set(r->f, ERR_BAD, "%s%s%s: %s", r->where, *r->where ? "." : "", member, what);
}

static enum err get_text(
    const struct reader *r, const json_t *o, const char *member, char *text, size_t room)
{
    const char *value = json_string_value(json_object_get(o, member));
    if (!value || strlen(value) >= room)
        return bad(r, member, "is not a text of a fitting length");
    memcpy(text, value, strlen(value) + 1);
    return OK;
}

static enum err get_count(
    const struct reader *r, const json_t *o, const char *member, uint64_t most, uint64_t *ret)
{
    const json_t *value = json_object_get(o, member);
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > most)
        return bad(r, member, "is not a whole number in its range");
    *ret = (uint64_t)json_integer_value(value);
    return OK;
}

static enum err get_number(
    const struct reader *r, const json_t *o, const char *member, double *ret)
{
    const json_t *value = json_object_get(o, member);
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return bad(r, member, "is not a number");
    *ret = json_number_value(value);
    return OK;
}

static enum err get_time(
    const struct reader *r, const json_t *o, const char *member, bool may_lack, int64_t *ret)
{
    const json_t *value = json_object_get(o, member);
    if (may_lack && json_is_null(value)) {
        *ret = 0;
        return OK;
    }
    const char *text = json_string_value(value);
    if (!text || time_parse(text, ret))
        return bad(r, member, "is not a time such as 2026-11-22T08:00:00Z");
    return OK;
}

static enum err get_array(const struct reader *r, const json_t *o, const char *member,
    size_t most, const json_t **ret)
{
    const json_t *value = json_object_get(o, member);
    if (!json_is_array(value) || json_array_size(value) > most)
        return bad(r, member, "is not an array of a fitting length");
    *ret = value;
    return OK;
}

static enum err get_proto(const struct reader *r, const json_t *o, bool may_lack, uint8_t *ret)
{
    const char *word = json_string_value(json_object_get(o, "proto"));
    if (may_lack && word && !*word) {
        *ret = 0;
        return OK;
    }
    if (!word || proto_parse(word, ret))
        return bad(r, "proto", "is not a protocol such as tcp, udp or icmp");
    return OK;
}

static enum err get_site(
    const struct reader *r, const json_t *o, const struct truth *t, uint32_t *ret)
{
    const char *name = json_string_value(json_object_get(o, "site"));
    for (uint32_t i = 0; name && i < t->site_count; i++)
        if (strcmp(t->sites[i].name, name) == 0) {
            *ret = i;
            return OK;
        }
    return bad(r, "site", "is not the name of a site");
}

static enum err parameters_read(const struct reader *r, const json_t *o, const char *member,
    struct truth_parameter *list, uint32_t *count)
{
    const json_t *array = NULL;
    enum err e = get_array(r, o, member, TRUTH_PARAMETERS, &array);
    for (size_t i = 0; !e && i < json_array_size(array); i++) {
        const json_t *one = json_array_get(array, i);
        e = get_text(r, one, "name", list[i].name, sizeof list[i].name);
        if (!e)
            e = get_number(r, one, "value", &list[i].value);
        if (!e)
            e = get_text(r, one, "unit", list[i].unit, sizeof list[i].unit);
        *count = (uint32_t)(i + 1);
    }
    return e;
}

static enum err presence_read(
    const struct reader *r, const json_t *o, const struct truth *t, struct truth_presence *p)
{
    enum err e = get_site(r, o, t, &p->site);
    if (!e)
        e = get_time(r, o, "onset", false, &p->onset);
    if (!e)
        e = get_time(r, o, "first", true, &p->first);
    if (!e)
        e = get_time(r, o, "last", true, &p->last);
    if (!e)
        e = get_count(r, o, "packets", INT64_MAX, &p->packets);
    if (!e)
        e = get_count(r, o, "hosts", INT64_MAX, &p->hosts);
    if (!e)
        e = get_count(r, o, "peak_hosts", INT64_MAX, &p->peak_hosts);
    if (!e)
        e = get_number(r, o, "usual_hosts", &p->usual_hosts);
    return e ? e : get_number(r, o, "usual_spread", &p->usual_spread);
}

static enum err ports_read(const struct reader *r, const json_t *o, struct truth_event *ev)
{
    const json_t *array = NULL;
    enum err e = get_array(r, o, "ports", TRUTH_PORTS, &array);
    for (size_t i = 0; !e && i < json_array_size(array); i++) {
        const json_t *port = json_array_get(array, i);
        if (!json_is_integer(port) || json_integer_value(port) < 0 ||
            json_integer_value(port) > 65535)
            return bad(r, "ports", "holds something else than 0..65535");
        ev->ports[i] = (uint16_t)json_integer_value(port);
        ev->port_count = (uint32_t)(i + 1);
    }
    return e;
}

static enum err countries_read(const struct reader *r, const json_t *o, struct truth_event *ev)
{
    const json_t *array = NULL;
    enum err e = get_array(r, o, "countries", TRUTH_COUNTRIES, &array);
    for (size_t i = 0; !e && i < json_array_size(array); i++) {
        const char *code = json_string_value(json_array_get(array, i));
        if (!code || strlen(code) != 2)
            return bad(r, "countries", "holds something else than codes of two letters");
        memcpy(ev->countries[i], code, 3);
        ev->country_count = (uint32_t)(i + 1);
    }
    return e;
}

static enum err event_sites_read(
    const struct reader *r, const json_t *o, const struct truth *t, struct truth_event *ev)
{
    const json_t *array = NULL;
    enum err e = get_array(r, o, "sites", TRUTH_SITES, &array);
    for (size_t i = 0; !e && i < json_array_size(array); i++) {
        e = presence_read(r, json_array_get(array, i), t, &ev->sites[i]);
        ev->site_count = (uint32_t)(i + 1);
    }
    return e;
}

static enum err event_read(
    const struct reader *r, const json_t *o, const struct truth *t, struct truth_event *ev)
{
    enum err e = get_text(r, o, "id", ev->id, sizeof ev->id);
    if (!e)
        e = get_text(r, o, "kind", ev->kind, sizeof ev->kind);
    if (!e)
        e = get_proto(r, o, false, &ev->proto);
    if (!e)
        e = ports_read(r, o, ev);
    if (!e)
        e = get_time(r, o, "start", false, &ev->start);
    if (!e)
        e = get_time(r, o, "end", false, &ev->end);
    if (!e)
        e = get_count(r, o, "hosts", INT64_MAX, &ev->hosts);
    if (!e)
        e = countries_read(r, o, ev);
    if (!e && !json_is_boolean(json_object_get(o, "host_counts_can_show")))
        e = bad(r, "host_counts_can_show", "is neither true nor false");
    ev->shown = json_is_true(json_object_get(o, "host_counts_can_show"));
    if (!e)
        e = parameters_read(r, o, "parameters", ev->parameters, &ev->parameter_count);
    return e ? e : event_sites_read(r, o, t, ev);
}

static enum err nuisance_read(
    const struct reader *r, const json_t *o, const struct truth *t, struct truth_nuisance *n)
{
    enum err e = get_text(r, o, "kind", n->kind, sizeof n->kind);
    if (!e)
        e = get_text(r, o, "text", n->text, sizeof n->text);
    if (!e)
        e = get_proto(r, o, true, &n->proto);
    uint64_t port = 0;
    if (!e && !json_is_null(json_object_get(o, "port")))
        e = get_count(r, o, "port", 65535, &port);
    n->port = (uint16_t)port;
    n->site = -1;
    uint32_t site = 0;
    if (!e && !json_is_null(json_object_get(o, "site")) && !(e = get_site(r, o, t, &site)))
        n->site = (int32_t)site;
    if (!e)
        e = get_time(r, o, "start", false, &n->start);
    return e ? e : get_time(r, o, "end", false, &n->end);
}

static enum err sites_read(const struct reader *r, const json_t *o, struct truth *t)
{
    const json_t *array = NULL;
    enum err e = get_array(r, o, "sites", TRUTH_SITES, &array);
    for (size_t i = 0; !e && i < json_array_size(array); i++) {
        const json_t *one = json_array_get(array, i);
        struct truth_site *s = &t->sites[i];
        e = get_text(r, one, "name", s->name, sizeof s->name);
        if (!e)
            e = get_text(r, one, "prefix", s->prefix, sizeof s->prefix);
        if (!e)
            e = get_count(r, one, "addresses", INT64_MAX, &s->addresses);
        if (!e)
            e = get_count(r, one, "packets", INT64_MAX, &s->packets);
        t->site_count = (uint32_t)(i + 1);
    }
    return e;
}

static enum err lists_read(const struct reader *top, const json_t *value, struct truth *t)
{
    const json_t *events, *nuisances;
    char where[32];
    enum err e = sites_read(top, value, t);
    if (!e)
        e = get_array(top, value, "events", TRUTH_EVENTS, &events);
    if (!e)
        e = get_array(top, value, "nuisances", TRUTH_NUISANCES, &nuisances);
    for (size_t i = 0; !e && i < json_array_size(events); i++) {
        snprintf(where, sizeof where, "events[%zu]", i);
        const struct reader r = {top->f, where};
        e = event_read(&r, json_array_get(events, i), t, &t->events[i]);
        t->event_count = (uint32_t)(i + 1);
    }
    for (size_t i = 0; !e && i < json_array_size(nuisances); i++) {
        snprintf(where, sizeof where, "nuisances[%zu]", i);
        const struct reader r = {top->f, where};
        e = nuisance_read(&r, json_array_get(nuisances, i), t, &t->nuisances[i]);
        t->nuisance_count = (uint32_t)(i + 1);
    }
    return e;
}

static enum err head_read(const struct reader *r, const json_t *value, struct truth *t)
{
    char what[64], seed[24];
    uint64_t version;
    enum err e = get_text(r, value, "what", what, sizeof what);
    if (!e && strcmp(what, "kizashi simulated telescope") != 0)
        e = bad(r, "what", "is not \"kizashi simulated telescope\"");
    if (!e)
        e = get_count(r, value, "version", INT64_MAX, &version);
    if (!e && version != 1)
        e = bad(r, "version", "is not 1, the only one that this program reads");
    if (!e)
        e = get_time(r, value, "start", false, &t->start);
    if (!e)
        e = get_time(r, value, "end", false, &t->end);
    if (!e && t->end <= t->start)
        e = bad(r, "end", "is not after the start");
    if (!e)
        e = get_text(r, value, "seed", seed, sizeof seed);
    if (e)
        return e;
    t->seed = strtoull(seed, NULL, 10);
    e = get_number(r, value, "scale", &t->scale);
    if (!e)
        e = get_text(r, value, "countries_from", t->geo, sizeof t->geo);
    if (!e)
        e = get_text(r, value, "command", t->command, sizeof t->command);
    return e ? e : parameters_read(r, value, "background", t->background, &t->background_count);
}

enum err truth_from_json(const json_t *value, struct truth *ret_truth, struct fault *f)
{
    struct truth *t = calloc(1, sizeof *t);
    if (!t)
        return fault_set(f, ERR_NOMEM, "out of memory");
    const struct reader top = {f, ""};
    enum err e = head_read(&top, value, t);
    if (!e)
        e = lists_read(&top, value, t);
    if (!e)
        *ret_truth = *t;
    free(t);
    return e;
}

enum err truth_read(const char *path, struct truth *ret_truth, struct fault *f)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return fault_set(f, ERR_NOTFOUND, "%s: %s", path, strerror(errno));
    char *text = malloc(TRUTH_BYTES + 1);
    size_t len = text ? fread(text, 1, TRUTH_BYTES + 1, in) : 0;
    bool failed = ferror(in);
    fclose(in);
    enum err e = OK;
    json_error_t where;
    json_t *value = NULL;
    if (!text)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    else if (failed)
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    else if (len > TRUTH_BYTES)
        e = fault_set(f, ERR_RANGE, "%s: longer than %d bytes", path, TRUTH_BYTES);
    else if (!(value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where)))
        e = fault_set(f, ERR_BAD, "%s: line %d: %s", path, where.line, where.text);
    else if ((e = truth_from_json(value, ret_truth, f)))
        fault_prefix(f, path);
    json_decref(value);
    free(text);
    return e;
}
