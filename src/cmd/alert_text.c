#include "cmd/alert_text.h"

#include "base/clock.h"
#include "geo/country.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum {
    WIDTH = 96,
    LABEL = 13,      /* column at which what stands beside a label begins */
    HOSTS_SHOWN = 8, /* the whole sample is in --json */
    COUNTRIES_SHOWN = 6
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* "Label        words", wrapped, continued below the words. Nothing for no words. */
static void paragraph(FILE *out, const char *label, const char *words)
{
    if (!*words)
        return;
    int column = fprintf(out, "%-*s", LABEL, label);
    while (*words) {
        size_t len = strcspn(words, " ");
        if (column > LABEL && column + (int)len >= WIDTH) {
            fprintf(out, "\n%*s", LABEL, "");
            column = LABEL;
        }
        column += fprintf(out, "%.*s%s", (int)len, words, words[len] ? " " : "");
        words += len + (words[len] == ' ');
    }
    fputc('\n', out);
}

static void moment_line(
    FILE *out, const json_t *alert, const char *label, const char *name, const char *note)
{
    char line[160];
    const char *time = text_of(alert, name);
    snprintf(line, sizeof line, "%s%s", time, note);
    paragraph(out, label, *time ? line : "");
}

/* "a, b, c and 5 more"; `shown` 0: all. */
static void list_line(FILE *out, const char *label, const json_t *list, size_t shown,
    const char *(*word)(const json_t *value, char text[COUNTRY_TEXT]))
{
    struct buf line;
    char text[COUNTRY_TEXT];
    size_t count = json_array_size(list);
    buf_init(&line, 1 << 16);
    for (size_t i = 0; i < count && (!shown || i < shown); i++)
        buf_printf(&line, "%s%s", i ? ", " : "", word(json_array_get(list, i), text));
    if (shown && count > shown)
        buf_printf(&line, " and %zu more", count - shown);
    paragraph(out, label, line.data ? (const char *)line.data : "");
    buf_done(&line);
}

static const char *plain_word(const json_t *value, char text[COUNTRY_TEXT])
{
    snprintf(text, COUNTRY_TEXT, "%s", json_is_string(value) ? json_string_value(value) : "");
    return text;
}

static const char *country_word(const json_t *value, char text[COUNTRY_TEXT])
{
    return country_format(json_is_string(value) ? json_string_value(value) : "", text);
}

static void services_line(FILE *out, const json_t *alert)
{
    struct buf line;
    const char *proto = text_of(alert, "proto");
    const json_t *ports = json_object_get(alert, "ports");
    buf_init(&line, 4096);
    for (size_t i = 0; i < json_array_size(ports); i++)
        buf_printf(&line, "%s%lld/%s", i ? ", " : "",
            (long long)json_integer_value(json_array_get(ports, i)), proto);
    if (!json_array_size(ports))
        buf_str(&line, proto);
    paragraph(out, "Ports", line.data ? (const char *)line.data : "");
    buf_done(&line);
}

/* Four digits are more than any of these numbers is worth. */
static const char *number_text(const json_t *value, const char *unit, char text[64])
{
    double number = json_number_value(value);
    double size = fabs(number);
    int digits = size >= 1000.0 || size < 1e-9 ? 0 : 3 - (int)floor(log10(size));
    int len = snprintf(text, 48, "%.*f", digits > 6 ? 6 : digits, number);
    if (memchr(text, '.', (size_t)len)) {
        while (text[len - 1] == '0')
            len--;
        len -= text[len - 1] == '.';
    }
    snprintf(text + len, 64 - (size_t)len, "%s%.12s", *unit ? " " : "", unit);
    return text;
}

static void numbers_print(FILE *out, const json_t *numbers)
{
    for (size_t i = 0; i < json_array_size(numbers); i++) {
        const json_t *row = json_array_get(numbers, i);
        char text[64];
        number_text(json_object_get(row, "value"), text_of(row, "unit"), text);
        fprintf(out, "  %-14s %16s   %s\n", text_of(row, "name"), text, text_of(row, "text"));
    }
}

static void site_print(FILE *out, const json_t *row)
{
    char lag[TIME_TEXT] = "";
    char seen[64];
    char normal[64];
    const json_t *behind = json_object_get(row, "lag_s");
    if (behind && json_number_value(behind) > 0.0)
        duration_format((int64_t)(json_number_value(behind) * 1e6), lag);
    number_text(json_object_get(row, "sources"), "", seen);
    number_text(json_object_get(row, "normal"), "", normal);
    fprintf(out, "  %-14s %-8s %10s %10s   %-20s %s\n", text_of(row, "site"),
        text_of(row, "state"), seen, normal, text_of(row, "first"), lag);
}

static void forecast_print(FILE *out, const json_t *row)
{
    fprintf(out, "  %-14s %-8s %-20s %s to %s, chance %.2f%s%s\n", text_of(row, "site"),
        text_of(row, "state"), text_of(row, "expected"), text_of(row, "low"),
        text_of(row, "high"), json_number_value(json_object_get(row, "chance")),
        *text_of(row, "came") ? ", came " : "", text_of(row, "came"));
}

static void evidence_print(FILE *out, const json_t *alert)
{
    const char *engine;
    json_t *evidence;
    json_t *all = json_object_get(alert, "evidence");
    json_object_foreach(all, engine, evidence)
    {
        fprintf(out, "\nEvidence of %s\n", engine);
        numbers_print(out, json_object_get(evidence, "numbers"));
        const json_t *sites = json_object_get(evidence, "sites");
        if (json_array_size(sites))
            fprintf(out, "  %-14s %-8s %10s %10s   %-20s %s\n", "site", "state", "sources",
                "normal", "first", "behind the first");
        for (size_t i = 0; i < json_array_size(sites); i++)
            site_print(out, json_array_get(sites, i));
        const json_t *forecasts = json_object_get(evidence, "forecasts");
        if (json_array_size(forecasts))
            fprintf(out, "  %-14s %-8s %-20s %s\n", "forecast for", "state", "expected",
                "four in five come in between");
        for (size_t i = 0; i < json_array_size(forecasts); i++)
            forecast_print(out, json_array_get(forecasts, i));
        size_t series = json_array_size(json_object_get(evidence, "series"));
        if (series)
            fprintf(
                out, "  %zu series are drawn in the portal and written by --json\n", series);
    }
}

static void verdict_line(FILE *out, const json_t *alert)
{
    char line[1400];
    const json_t *workflow = json_object_get(alert, "workflow");
    const char *by = text_of(workflow, "by");
    const char *note = text_of(workflow, "note");
    snprintf(line, sizeof line, "%s%s%.64s%s%.1100s", text_of(workflow, "state"),
        *by ? " by " : "", by, *note ? ": " : "", note);
    paragraph(out, "Review", line);
    const json_t *rule = json_object_get(workflow, "suppression");
    snprintf(line, sizeof line, "by suppression %lld: kizashi alerts suppressions",
        (long long)json_integer_value(rule));
    paragraph(out, "Suppressed", json_is_integer(rule) ? line : "");
    snprintf(line, sizeof line, "from a suppression: %.160s", text_of(workflow, "back"));
    paragraph(out, "Came back", *text_of(workflow, "back") ? line : "");
}

void alert_text(FILE *out, const json_t *alert)
{
    char line[160];
    char severity[32];
    snprintf(severity, sizeof severity, "%s", text_of(alert, "severity"));
    for (char *c = severity; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    fprintf(out, "%s  %s\n\n", severity, text_of(alert, "title"));
    paragraph(out, "", text_of(alert, "explanation"));
    fputc('\n', out);
    snprintf(line, sizeof line, "%s, %s, confidence %.2f", text_of(alert, "id"),
        text_of(alert, "status"), json_number_value(json_object_get(alert, "confidence")));
    paragraph(out, "Alert", line);
    list_line(out, "Found by", json_object_get(alert, "engine"), 0, plain_word);
    moment_line(out, alert, "Began", "start", ", as far as the engines can tell");
    moment_line(out, alert, "Warned", "time", ", when the warning could first have been given");
    moment_line(out, alert, "Last seen", "end", "");
    services_line(out, alert);
    list_line(out, "Sites", json_object_get(alert, "sites"), 0, plain_word);
    long long hosts = json_integer_value(json_object_get(alert, "host_count"));
    snprintf(line, sizeof line, "about %lld different", hosts);
    paragraph(out, "Sources", hosts ? line : "");
    list_line(
        out, "Countries", json_object_get(alert, "countries"), COUNTRIES_SHOWN, country_word);
    paragraph(out, "Tool", text_of(alert, "tool"));
    list_line(out, "Such as", json_object_get(alert, "hosts"), HOSTS_SHOWN, plain_word);
    list_line(out, "Related", json_object_get(alert, "related"), 0, plain_word);
    paragraph(out, "TLP", text_of(alert, "tlp"));
    verdict_line(out, alert);
    evidence_print(out, alert);
}
