#include "sim/truth.h"

#include "base/clock.h"
#include "record/proto.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

void truth_event_judge(struct truth_event *e)
{
    e->shown = false;
    for (uint32_t i = 0; i < e->site_count; i++)
        if (e->sites[i].peak_hosts >= 10 &&
            (double)e->sites[i].peak_hosts > 6.0 * e->sites[i].usual_spread)
            e->shown = true;
}

void truth_parameter_add(struct truth_parameter list[TRUTH_PARAMETERS], uint32_t *count,
    const char *name, double value, const char *unit)
{
    if (*count == TRUTH_PARAMETERS)
        return;
    struct truth_parameter *p = &list[(*count)++];
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->unit, sizeof p->unit, "%s", unit);
    p->value = value;
}

struct truth_nuisance *truth_nuisance_add(
    struct truth *t, const char *kind, int64_t start, int64_t end)
{
    assert(t->nuisance_count < TRUTH_NUISANCES);
    struct truth_nuisance *n = &t->nuisances[t->nuisance_count++];
    *n = (struct truth_nuisance){.start = start, .end = end, .site = -1};
    snprintf(n->kind, sizeof n->kind, "%s", kind);
    return n;
}

/* Three decimals are enough for people, and read back as they were written. */
static json_t *rounded(double value)
{
    return json_real(round(value * 1000.0) / 1000.0);
}

static json_t *time_or_null(int64_t us)
{
    return us ? json_time(us) : json_null();
}

static json_t *parameters_json(const struct truth_parameter *list, uint32_t count)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(array, json_pack("{s:s, s:o, s:s}", "name", list[i].name, "value",
                                         rounded(list[i].value), "unit", list[i].unit));
    return array;
}

static json_t *presence_json(const struct truth *t, const struct truth_presence *p)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "site",
        t->sites[p->site].name, "onset", json_time(p->onset), "first", time_or_null(p->first),
        "last", time_or_null(p->last), "packets", (json_int_t)p->packets, "hosts",
        (json_int_t)p->hosts, "peak_hosts", (json_int_t)p->peak_hosts, "usual_hosts",
        rounded(p->usual_hosts), "usual_spread", rounded(p->usual_spread));
}

static json_t *event_json(const struct truth *t, const struct truth_event *e)
{
    json_t *ports = json_array(), *sites = json_array(), *countries = json_array();
    char proto[PROTO_TEXT];
    for (uint32_t i = 0; i < e->port_count; i++)
        json_array_append_new(ports, json_integer(e->ports[i]));
    for (uint32_t i = 0; i < e->site_count; i++)
        json_array_append_new(sites, presence_json(t, &e->sites[i]));
    for (uint32_t i = 0; i < e->country_count; i++)
        json_array_append_new(countries, json_string(e->countries[i]));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:b, s:o, s:o}", "id", e->id,
        "kind", e->kind, "proto", proto_format(e->proto, proto), "ports", ports, "start",
        json_time(e->start), "end", json_time(e->end), "hosts", (json_int_t)e->hosts,
        "countries", countries, "host_counts_can_show", e->shown, "parameters",
        parameters_json(e->parameters, e->parameter_count), "sites", sites);
}

static json_t *nuisance_json(const struct truth *t, const struct truth_nuisance *n)
{
    json_t *site = n->site < 0 ? json_null() : json_string(t->sites[n->site].name);
    char proto[PROTO_TEXT];
    json_t *port = n->port ? json_integer(n->port) : json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "kind", n->kind, "text", n->text,
        "proto", n->proto ? proto_format(n->proto, proto) : "", "port", port, "site", site,
        "start", json_time(n->start), "end", json_time(n->end));
}

json_t *truth_json(const struct truth *t)
{
    json_t *sites = json_array(), *events = json_array(), *nuisances = json_array();
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)t->seed);
    for (uint32_t i = 0; i < t->site_count; i++)
        json_array_append_new(
            sites, json_pack("{s:s, s:s, s:I, s:I}", "name", t->sites[i].name, "prefix",
                       t->sites[i].prefix, "addresses", (json_int_t)t->sites[i].addresses,
                       "packets", (json_int_t)t->sites[i].packets));
    for (uint32_t i = 0; i < t->event_count; i++)
        json_array_append_new(events, event_json(t, &t->events[i]));
    for (uint32_t i = 0; i < t->nuisance_count; i++)
        json_array_append_new(nuisances, nuisance_json(t, &t->nuisances[i]));
    return json_pack("{s:s, s:i, s:o, s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "what",
        "kizashi simulated telescope", "version", 1, "start", json_time(t->start), "end",
        json_time(t->end), "seed", seed, "scale", rounded(t->scale), "countries_from", t->geo,
        "command", t->command, "background",
        parameters_json(t->background, t->background_count), "sites", sites, "events", events,
        "nuisances", nuisances);
}
