#include "cmd/summary.h"

#include "base/clock.h"
#include "record/finding.h"
#include "record/proto.h"

#include <stdlib.h>
#include <string.h>

enum {
    TOP_PORTS = 10,
    SITE_PORTS = 256,
    TOOLS_MAX = 64
};

struct tool_row {
    char name[RECORD_NAME_MAX + 1];
    uint64_t sources, packets;
    char evidence[256];
    uint64_t weak;
    double by_chance;
    char weak_id[RECORD_NAME_MAX + 1];
};

struct totals {
    struct sensor_counts counts;
    struct source_counts source;
    struct sensor_port ports[TOP_PORTS];
    size_t port_count;
    struct tool_row tools[TOOLS_MAX];
    size_t tool_count;
};

static void tool_add(void *context, const struct sensor_tool *tool)
{
    struct totals *t = context;
    size_t i = 0;
    while (i < t->tool_count && strcmp(t->tools[i].name, tool->tool) != 0)
        i++;
    if (i == TOOLS_MAX)
        return;
    struct tool_row *row = &t->tools[i];
    if (i == t->tool_count) {
        t->tool_count++;
        snprintf(row->name, sizeof row->name, "%s", tool->tool);
        snprintf(row->weak_id, sizeof row->weak_id, "%s", tool->weak_id);
    }
    if (!row->evidence[0])
        snprintf(row->evidence, sizeof row->evidence, "%s", tool->evidence);
    row->sources += tool->sources;
    row->packets += tool->packets;
    row->weak += tool->weak;
    row->by_chance += tool->by_chance;
}

static int by_sources(const void *a, const void *b)
{
    const struct sensor_port *x = a;
    const struct sensor_port *y = b;
    if (x->sources != y->sources)
        return x->sources > y->sources ? -1 : 1;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    if (x->proto != y->proto)
        return x->proto < y->proto ? -1 : 1;
    return x->port < y->port ? -1 : x->port > y->port;
}

static int by_service(const void *a, const void *b)
{
    const struct sensor_port *x = a;
    const struct sensor_port *y = b;
    if (x->proto != y->proto)
        return x->proto < y->proto ? -1 : 1;
    return x->port < y->port ? -1 : x->port > y->port;
}

static void ports_sum(struct totals *t, const struct summary *s)
{
    struct sensor_port *all = calloc(s->count * SITE_PORTS + 1, sizeof *all);
    size_t n = 0;
    if (!all)
        return;
    for (size_t i = 0; i < s->count; i++)
        n += sensor_top_ports(site_sensor(s->sites[i]), all + n, SITE_PORTS);
    qsort(all, n, sizeof *all, by_service);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept && by_service(&all[kept - 1], &all[i]) == 0) {
            all[kept - 1].packets += all[i].packets;
            all[kept - 1].sources += all[i].sources;
        } else
            all[kept++] = all[i];
    }
    qsort(all, kept, sizeof *all, by_sources);
    t->port_count = kept < TOP_PORTS ? kept : TOP_PORTS;
    memcpy(t->ports, all, t->port_count * sizeof *all);
    free(all);
}

static void totals_sum(struct totals *t, const struct summary *s)
{
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < s->count; i++) {
        const struct sensor_counts *c = sensor_counts(site_sensor(s->sites[i]));
        struct source_counts source;
        site_source_counts(s->sites[i], &source);
        t->source.frames += source.frames;
        t->source.misdated += source.misdated;
        t->source.dropped_kernel += source.dropped_kernel + source.dropped_interface;
        t->counts.packets += c->packets;
        t->counts.bytes += c->bytes;
        t->counts.snapped += c->snapped;
        t->counts.late += c->late;
        t->counts.sampled_out += c->sampled_out;
        for (int k = 0; k < DECODE_RESULTS; k++)
            t->counts.decode[k] += c->decode[k];
        for (int k = 0; k < CLASS_COUNT; k++)
            t->counts.class[k] += c->class[k];
        sensor_tools(site_sensor(s->sites[i]), tool_add, t);
    }
    ports_sum(t, s);
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static void print_losses(FILE *out, const struct totals *t)
{
    const struct sensor_counts *c = &t->counts;
    fprintf(out, "  not decoded   ");
    const char *comma = "";
    for (int k = DECODE_OK + 1; k < DECODE_RESULTS; k++)
        if (c->decode[k]) {
            fprintf(out, "%s%llu %s", comma, (unsigned long long)c->decode[k],
                decode_name((enum decode_result)k));
            comma = ", ";
        }
    fprintf(out, "%s\n", *comma ? "" : "none");
    fprintf(out, "  lost          %llu in the kernel, %llu left out by sampling, %llu late\n",
        (unsigned long long)t->source.dropped_kernel, (unsigned long long)c->sampled_out,
        (unsigned long long)c->late);
    if (t->source.misdated)
        fprintf(out, "  misdated      %llu: given the time of the frame before them\n",
            (unsigned long long)t->source.misdated);
    if (c->snapped)
        fprintf(out, "  snapped       %llu\n", (unsigned long long)c->snapped);
}

/* "14.6 days", "3.5 hours", "20 minutes". */
static void length_print(FILE *out, int64_t length)
{
    double days = (double)length / (double)US_DAY;
    if (days >= 2.0)
        fprintf(out, "%.1f days", days);
    else if (length >= 2 * US_HOUR)
        fprintf(out, "%.1f hours", (double)length / (double)US_HOUR);
    else
        fprintf(out, "%lld minutes", (long long)(length / US_MINUTE));
}

/* Whoever replays five minutes should not take silence for peace. */
static void print_time(FILE *out, const struct summary *s)
{
    char first[TIME_TEXT];
    char last[TIME_TEXT];
    if (s->last <= s->first)
        return;
    time_format(s->first, first);
    time_format(s->last, last);
    fprintf(out, "  time          %.16sZ to %.16sZ, ", first, last);
    length_print(out, s->last - s->first);
    if (s->engines && s->last - s->first < US_HOUR)
        fputs("; most engines are silent in the first hour of a site", out);
    else if (s->engines && s->last - s->first <= US_DAY)
        fputs("; until they have seen a day, engines report only what is far out", out);
    fputc('\n', out);
}

static void print_lists(FILE *out, const struct summary *s, const struct totals *t)
{
    if (s->lists)
        fprintf(out,
            "  survey lists  %llu packets came from the %llu addresses and prefixes of %zu "
            "%s\n",
            (unsigned long long)t->counts.class[CLASS_SURVEY],
            (unsigned long long)s -> list_prefixes, s -> lists,
            s -> lists == 1 ? "list" : "lists");
}

/* The named, and below them who sent too little to be named. */
static void print_tools(FILE *out, const struct totals *t)
{
    for (size_t i = 0; i < t->tool_count; i++) {
        const struct tool_row *row = &t->tools[i];
        fprintf(out, "  %-13s %s: %llu sources, %llu packets%s%s\n", i ? "" : "tools",
            row->name, (unsigned long long)row->sources, (unsigned long long)row->packets,
            row->evidence[0] ? "; " : "", row->evidence);
        if (row->weak)
            fprintf(out,
                "  %-13s %llu more sources sent what matches %s, each too few packets to be "
                "named; chance would make at most %.*f such packets\n",
                "", (unsigned long long)row->weak, row->weak_id, row->by_chance < 10.0 ? 3 : 0,
                row->by_chance);
    }
}

void summary_print(FILE *out, const struct summary *s)
{
    struct totals *t = malloc(sizeof *t);
    if (!t)
        return;
    totals_sum(t, s);
    const struct sensor_counts *c = &t->counts;
    double rate = s->seconds > 0.0 ? (double)t->source.frames / s->seconds : 0.0;
    fprintf(out, "%llu packets, %llu bytes from %zu %s in %.2f s: %.0f packets/s\n",
        (unsigned long long)c->packets, (unsigned long long)c->bytes, s->count,
        s->count == 1 ? "site" : "sites", s->seconds, rate);
    print_time(out, s);
    print_losses(out, t);
    fprintf(out, "  classes       ");
    const char *comma = "";
    for (int k = 0; k < CLASS_COUNT; k++)
        if (c->class[k]) {
            fprintf(out, "%s%s %llu (%.1f %%)", comma, class_name((enum packet_class)k),
                (unsigned long long)c->class[k], share(c->class[k], c -> packets));
            comma = ", ";
        }
    fprintf(out, "%s\n", *comma ? "" : "none");
    print_lists(out, s, t);
    print_tools(out, t);
    for (size_t i = 0; i < t->port_count; i++) {
        char word[PROTO_TEXT];
        fprintf(out, "  %-13s %u/%s: about %llu sources%s, %llu packets\n",
            i ? "" : "busiest ports", t->ports[i].port, proto_format(t->ports[i].proto, word),
            (unsigned long long)t->ports[i].sources,
            s->count > 1 ? " (counted at each site)" : "",
            (unsigned long long)t->ports[i].packets);
    }
    fprintf(out, "  alerts       ");
    for (int k = SEVERITY_CRITICAL; k >= SEVERITY_INFO; k--)
        fprintf(out, " %llu %s%s", (unsigned long long)s->alerts_by_severity[k],
            severity_name((enum severity)k), k ? "," : "\n");
    free(t);
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *not_decoded_json(const struct sensor_counts *c)
{
    json_t *out = json_object();
    for (int k = DECODE_OK + 1; k < DECODE_RESULTS; k++)
        json_object_set_new(out, decode_name((enum decode_result)k), number(c->decode[k]));
    return out;
}

static json_t *classes_json(const struct sensor_counts *c)
{
    json_t *out = json_object();
    for (int k = 0; k < CLASS_COUNT; k++)
        json_object_set_new(out, class_name((enum packet_class)k), number(c->class[k]));
    return out;
}

static json_t *tools_json(const struct totals *t)
{
    json_t *out = json_array();
    for (size_t i = 0; i < t->tool_count; i++)
        json_array_append_new(
            out, json_pack("{s:s, s:o, s:o, s:s, s:{s:o, s:s, s:f}}", "tool", t->tools[i].name,
                     "sources", number(t->tools[i].sources), "packets",
                     number(t->tools[i].packets), "evidence", t->tools[i].evidence, "unproven",
                     "sources", number(t->tools[i].weak), "signature", t->tools[i].weak_id,
                     "by_chance", t->tools[i].by_chance));
    return out;
}

static json_t *ports_json(const struct totals *t)
{
    json_t *out = json_array();
    for (size_t i = 0; i < t->port_count; i++) {
        const struct sensor_port *p = &t->ports[i];
        char word[PROTO_TEXT];
        json_array_append_new(out,
            json_pack("{s:s, s:i, s:o, s:o}", "proto", proto_format(p->proto, word), "port",
                (int)p->port, "sources", number(p->sources), "packets", number(p->packets)));
    }
    return out;
}

static json_t *alerts_json(const struct summary *s)
{
    json_t *out = json_object();
    for (int k = SEVERITY_INFO; k <= SEVERITY_CRITICAL; k++)
        json_object_set_new(
            out, severity_name((enum severity)k), number(s->alerts_by_severity[k]));
    return out;
}

json_t *summary_json(const struct summary *s)
{
    struct totals *t = malloc(sizeof *t);
    json_t *out = t ? json_object() : NULL;
    if (!out) {
        free(t);
        return NULL;
    }
    totals_sum(t, s);
    json_object_set_new(out, "packets", number(t->counts.packets));
    json_object_set_new(out, "bytes", number(t->counts.bytes));
    json_object_set_new(out, "frames", number(t->source.frames));
    json_object_set_new(out, "seconds", json_real(s->seconds));
    if (s->last > s->first) {
        json_object_set_new(out, "from", json_time(s->first));
        json_object_set_new(out, "to", json_time(s->last));
    }
    json_object_set_new(out, "dropped_kernel", number(t->source.dropped_kernel));
    json_object_set_new(out, "sampled_out", number(t->counts.sampled_out));
    json_object_set_new(out, "late", number(t->counts.late));
    json_object_set_new(out, "misdated", number(t->source.misdated));
    json_object_set_new(out, "snapped", number(t->counts.snapped));
    json_object_set_new(out, "not_decoded", not_decoded_json(&t->counts));
    json_object_set_new(out, "classes", classes_json(&t->counts));
    json_object_set_new(out, "tools", tools_json(t));
    json_object_set_new(out, "ports", ports_json(t));
    json_object_set_new(out, "alerts", alerts_json(s));
    free(t);
    return out;
}
