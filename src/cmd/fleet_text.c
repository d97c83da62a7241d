#include "cmd/fleet_text.h"

#include "anon/word.h"
#include "base/clock.h"
#include "cmd/table.h"
#include "fleet/watch.h"

#include <stdlib.h>
#include <string.h>

static const char *text(const json_t *object, const char *name)
{
    const char *s = json_string_value(json_object_get(object, name));
    return s ? s : "";
}

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *span(json_int_t seconds, char out[TIME_TEXT])
{
    return duration_format((int64_t)seconds * US_SECOND, out);
}

/* "3m ago", of a time that `now` has. */
static json_t *ago(const json_t *row, const char *name, int64_t now)
{
    char out[TIME_TEXT];
    int64_t at = 0;
    if (time_parse(text(row, name), &at) != OK)
        return json_string("never");
    int64_t us = now > at ? now - at : 0;
    return json_sprintf("%s ago", duration_format(time_floor(us, US_SECOND), out));
}

/* ---- all sites ---- */

static int worth(const char *state)
{
    static const char *const order[] = {"down", "late", "degraded", "unwatched", "new", "up"};
    int i = 0;
    while (i < 5 && strcmp(order[i], state) != 0)
        i++;
    return i;
}

/* "0" is what the site does by itself; a newer one may not be in effect there yet. */
static json_t *document_text(const json_t *config)
{
    json_int_t version = number(config, "version");
    const json_t *has = json_object_get(config, "in_effect");
    if (text(config, "refused")[0])
        return json_sprintf("%lld refused", (long long)version);
    if (json_is_integer(has) && json_integer_value(has) != version)
        return json_sprintf(
            "%lld, has %lld", (long long)version, (long long)json_integer_value(has));
    return json_sprintf(version ? "%lld" : "%lld (its own)", (long long)version);
}

static json_t *row_of(const json_t *site, int64_t now)
{
    const json_t *why = json_array_get(json_object_get(site, "reasons"), 0);
    const json_t *month = json_object_get(site, "month");
    json_t *row = json_object();
    json_object_set(row, "site", json_object_get(site, "site"));
    json_object_set(row, "state", json_object_get(site, "state"));
    json_object_set_new(row, "since", ago(site, "since", now));
    json_object_set_new(row, "heard", ago(site, "heard", now));
    json_object_set_new(row, "available",
        number(month, "watched")
            ? json_sprintf("%.3f %%", json_number_value(json_object_get(month, "available")))
            : json_string("-"));
    json_object_set_new(row, "document", document_text(json_object_get(site, "config")));
    json_object_set_new(row, "why", json_string(text(why, "text")));
    return row;
}

void fleet_text_rows(FILE *out, const json_t *fleet)
{
    const json_t *sites = json_object_get(fleet, "rows");
    json_t *rows = json_array();
    int64_t now = 0;
    if (time_parse(text(fleet, "now"), &now) != OK)
        now = 0;
    for (int grade = 0; grade < 6; grade++)
        for (size_t i = 0; i < json_array_size(sites); i++)
            if (worth(text(json_array_get(sites, i), "state")) == grade)
                json_array_append_new(rows, row_of(json_array_get(sites, i), now));
    table_print(out, rows);
    json_decref(rows);
}

/* ---- one site ---- */

static void figures_print(FILE *out, const json_t *f)
{
    char a[TIME_TEXT];
    char b[TIME_TEXT];
    if (!number(f, "watched"))
        return;
    fprintf(out, "Over %s of watching: available %.3f %%, all well %.3f %%\n",
        span(number(f, "watched"), a), json_number_value(json_object_get(f, "available")),
        json_number_value(json_object_get(f, "healthy")));
    if (!number(f, "outages"))
        return;
    fprintf(out, "Outages: %lld, %s in all", (long long)number(f, "outages"),
        span(number(f, "down"), a));
    if (number(f, "repaired"))
        fprintf(out, "; mean time to repair %s, longest %s", span(number(f, "repair_mean"), a),
            span(number(f, "repair_longest"), b));
    fputs("\n", out);
}

/* A figure in the unit that a person reads: bytes in MiB or GiB, microseconds as a duration. */
static void figure_print(FILE *out, const char *name, const char *unit, json_int_t value)
{
    char span[TIME_TEXT];
    double mib = (double)value / (1 << 20);
    bool us = strcmp(unit, "us") == 0;
    fprintf(out, "  %-16s ", name);
    if (strcmp(unit, "bytes") == 0 && mib >= 1.0)
        fprintf(out, "%.1f %s\n", mib < 1024 ? mib : mib / 1024, mib < 1024 ? "MiB" : "GiB");
    else if (us && value && llabs(value) < US_SECOND)
        fprintf(out, "%.3f ms\n", (double)value / 1000);
    else if (us && value > 0)
        fprintf(out, "%s\n", duration_format(time_floor(value, US_SECOND), span));
    else if (strcmp(unit, "s") == 0 && value >= 60)
        fprintf(out, "%s\n", duration_format(value * US_SECOND, span));
    else
        fprintf(out, "%" JSON_INTEGER_FORMAT "%s%s\n", value, *unit ? " " : "", unit);
}

static void heartbeat_print(FILE *out, const json_t *beat)
{
    if (!json_is_object(beat))
        return;
    fputs("\nWhat it last said:\n", out);
    for (size_t i = 0; i < heartbeat_field_count; i++) {
        const struct heartbeat_field *field = &heartbeat_fields[i];
        const json_t *value = json_object_get(beat, field->name);
        if (json_is_string(value))
            fprintf(out, "  %-16s %s\n", field->name, json_string_value(value));
        else if (value)
            figure_print(out, field->name, field->unit, json_integer_value(value));
    }
}

/* What would have to leave for it to work, as site config --set takes it; "" where nothing
 * helps. */
static void remedy_write(const json_t *loss, char remedy[160])
{
    const char *field = text(loss, "field");
    json_t *rule = json_object_get(loss, "allow");
    json_t *document = json_pack("{s:O}", field, rule);
    struct anon_policy p;
    struct fault f;
    char word[ANON_WORD];
    remedy[0] = 0;
    bool is = !json_is_null(rule) && anon_policy_read(&p, document, &f) == OK;
    json_decref(document);
    for (unsigned i = 0; i < ANON_FIELDS && is; i++)
        if (strcmp(anon_fields[i].name, field) == 0)
            snprintf(remedy, 160, "; anonymisation.%s=%s lets it work", field,
                anon_rule_word(&p.rule[i], word));
}

void fleet_text_losses(FILE *out, const json_t *losses)
{
    for (size_t i = 0; i < json_array_size(losses); i++) {
        const json_t *loss = json_array_get(losses, i);
        char remedy[160];
        remedy_write(loss, remedy);
        fprintf(out, "  %s %s: needs %s of %s; without it %s%s\n", text(loss, "who"),
            json_is_true(json_object_get(loss, "vital")) ? "does not work" : "works in part",
            text(loss, "needs"), text(loss, "field"), text(loss, "without"), remedy);
    }
}

static void losses_print(FILE *out, const json_t *losses)
{
    if (!json_array_size(losses))
        return;
    fputs("\nWhat does not work here, as its document hides it:\n", out);
    fleet_text_losses(out, losses);
}

static void unseen_print(FILE *out, const json_t *site)
{
    if (number(site, "unseen"))
        fprintf(out,
            "Came after its windows were over: %" JSON_INTEGER_FORMAT " packets, of %s to %s; "
            "they are stored, the engines did not see them\n",
            number(site, "unseen"), text(site, "unseen_first"), text(site, "unseen_last"));
}

/* The time is when it was noticed: what began before that says so. */
static void event_print(FILE *out, const json_t *e)
{
    int64_t time = 0;
    int64_t since = 0;
    bool before = time_parse(text(e, "time"), &time) == OK &&
                  time_parse(text(e, "since"), &since) == OK && time - since >= US_SECOND;
    const char *what = text(e, "text");
    fprintf(out, "  %s  %-9s %s%s%s%s%s\n", text(e, "time"), text(e, "state"), what,
        before && *what ? " " : "", before ? "(since " : "", before ? text(e, "since") : "",
        before ? ")" : "");
}

void fleet_text_site(FILE *out, const json_t *site)
{
    const json_t *reasons = json_object_get(site, "reasons");
    const json_t *events = json_object_get(site, "events");
    fprintf(out, "%s is %s since %s\n", text(site, "site"), text(site, "state"),
        text(site, "since"));
    for (size_t i = 0; i < json_array_size(reasons); i++)
        fprintf(out, "  %s\n", text(json_array_get(reasons, i), "text"));
    figures_print(out, json_object_get(site, "range"));
    fprintf(out, "History: %s\n", text(json_object_get(site, "history"), "cells"));
    unseen_print(out, site);
    losses_print(out, json_object_get(site, "losses"));
    heartbeat_print(out, json_object_get(site, "heartbeat"));
    if (json_array_size(events))
        fputs("\nWhat happened:\n", out);
    for (size_t i = 0; i < json_array_size(events); i++)
        event_print(out, json_array_get(events, i));
}

/* ---- documents ---- */

static void value_print(FILE *out, const json_t *value)
{
    struct buf line;
    buf_init(&line, 1 << 20);
    json_write(&line, value);
    fputs(line.data ? (const char *)line.data : "", out);
    buf_done(&line);
}

void fleet_text_changes(FILE *out, const json_t *changes)
{
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *c = json_array_get(changes, i);
        fprintf(out, "  %s: ", text(c, "member"));
        value_print(out, json_object_get(c, "before"));
        fputs(" -> ", out);
        value_print(out, json_object_get(c, "after"));
        fputs("\n", out);
    }
}

static const char *took_text(json_int_t ms, char text[TIME_TEXT])
{
    if (ms >= 1000)
        return duration_format(time_floor(ms * 1000, US_SECOND), text);
    snprintf(text, TIME_TEXT, "%lld ms", (long long)ms);
    return text;
}

void fleet_text_versions(FILE *out, const json_t *versions)
{
    for (size_t i = 0; i < json_array_size(versions); i++) {
        const json_t *v = json_array_get(versions, i);
        char took[TIME_TEXT];
        fprintf(out, "version %lld  %s  %s%s%s\n", (long long)number(v, "version"),
            text(v, "time"), text(v, "who"), text(v, "note")[0] ? ": " : "", text(v, "note"));
        if (json_is_integer(json_object_get(v, "took_ms")))
            fprintf(out, "  in effect after %s\n", took_text(number(v, "took_ms"), took));
        else if (text(v, "refused")[0])
            fprintf(out, "  refused: %s\n", text(v, "refused"));
        else
            fputs("  the site has not said that it is in effect\n", out);
        fleet_text_changes(out, json_object_get(v, "changed"));
    }
}

void fleet_text_json(FILE *out, const json_t *value)
{
    struct buf lines;
    buf_init(&lines, 16 << 20);
    json_write_lines(&lines, value);
    fprintf(out, "%.*s\n", (int)lines.len, lines.data ? (const char *)lines.data : "null");
    buf_done(&lines);
}
