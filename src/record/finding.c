#include "record/finding.h"

#include <math.h>
#include <string.h>

enum {
    SERIES_MAX = 2016,
    NUMBERS_MAX = 64,
    SITES_MAX = FINDING_SITES
};

static const char *const severity_names[] = {"info", "notice", "warning", "critical"};

enum {
    SEVERITIES = sizeof severity_names / sizeof *severity_names
};

const char *severity_name(enum severity s)
{
    return (size_t)s < SEVERITIES ? severity_names[s] : severity_names[SEVERITY_INFO];
}

enum err severity_parse(const char *word, enum severity *ret_severity)
{
    for (size_t i = 0; i < SEVERITIES; i++)
        if (strcmp(word, severity_names[i]) == 0) {
            *ret_severity = (enum severity)i;
            return OK;
        }
    return ERR_NOTFOUND;
}

void finding_init(struct finding *f, const char *engine, const char *kind)
{
    *f = (struct finding){.engine = engine, .kind = kind, .severity = SEVERITY_INFO};
}

void finding_done(struct finding *f)
{
    json_decref(f->evidence);
    f->evidence = NULL;
}

void finding_port(struct finding *f, uint16_t port)
{
    for (size_t i = 0; i < f->port_count; i++)
        if (f->ports[i] == port)
            return;
    if (f->port_count < FINDING_PORTS)
        f->ports[f->port_count++] = port;
}

void finding_site(struct finding *f, const char *site)
{
    for (size_t i = 0; i < f->site_count; i++)
        if (strcmp(f->sites[i], site) == 0)
            return;
    if (f->site_count == FINDING_SITES || strlen(site) > RECORD_NAME_MAX)
        return;
    memcpy(f->sites[f->site_count++], site, strlen(site) + 1);
}

void finding_country(struct finding *f, const char *country)
{
    for (size_t i = 0; i < f->country_count; i++)
        if (strcmp(f->countries[i], country) == 0)
            return;
    if (f->country_count == FINDING_COUNTRIES || strlen(country) != 2)
        return;
    memcpy(f->countries[f->country_count++], country, 3);
}

void finding_host(struct finding *f, const struct ip *host)
{
    for (size_t i = 0; i < f->host_sample; i++)
        if (ip_same(&f->hosts[i], host))
            return;
    if (f->host_sample < FINDING_HOSTS)
        f->hosts[f->host_sample++] = *host;
}

/* The array evidence.<name>, made if it is not there; borrowed. NULL: out of memory. */
static json_t *evidence_array(struct finding *f, const char *name)
{
    if (!f->evidence)
        f->evidence = json_object();
    json_t *array = json_object_get(f->evidence, name);
    if (array)
        return array;
    array = json_array();
    return json_object_set_new(f->evidence, name, array) == 0 ? array : NULL;
}

/* Takes `row`, also when it fails; NULL is allowed and fails. */
static enum err evidence_add(struct finding *f, const char *name, size_t most, json_t *row)
{
    json_t *array = evidence_array(f, name);
    if (array && json_array_size(array) >= most) {
        json_decref(row);
        return ERR_FULL;
    }
    return json_array_append_new(array, row) == 0 ? OK : ERR_NOMEM;
}

enum err evidence_number(
    struct finding *f, const char *name, double value, const char *unit, const char *text)
{
    if (!isfinite(value))
        return OK;
    json_t *row = json_pack(
        "{s:s, s:f, s:s, s:s}", "name", name, "value", value, "unit", unit, "text", text);
    return evidence_add(f, "numbers", NUMBERS_MAX, row);
}

enum err evidence_numbers(struct finding *f, const struct evidence_value *rows, size_t count)
{
    enum err e = OK;
    for (size_t i = 0; !e && i < count; i++)
        e = evidence_number(f, rows[i].name, rows[i].value, rows[i].unit, rows[i].text);
    return e;
}

/* Numbers that JSON cannot say are null: a gap in the chart. */
static json_t *number_array(const double *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++) {
        json_t *value = isfinite(values[i]) ? json_real(values[i]) : json_null();
        if (json_array_append_new(array, value) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

enum err evidence_series(struct finding *f, const struct evidence_series *s)
{
    if (s->count > SERIES_MAX)
        return ERR_RANGE;
    json_t *row = json_pack("{s:s, s:s, s:o, s:f, s:o}", "name", s->name, "unit", s->unit,
        "start", json_time(s->start), "step_s", (double)s->step / 1e6, "values",
        number_array(s->values, s->count));
    bool whole = row != NULL;
    if (whole && s->expected)
        whole = json_object_set_new(row, "expected", number_array(s->expected, s->count)) == 0;
    if (whole && s->threshold)
        whole =
            json_object_set_new(row, "threshold", number_array(s->threshold, s->count)) == 0;
    if (!whole) {
        json_decref(row);
        return ERR_NOMEM;
    }
    return evidence_add(f, "series", SITES_MAX, row);
}

enum err evidence_site(struct finding *f, const struct evidence_site *s)
{
    json_t *row = json_pack("{s:s, s:s, s:f, s:f}", "site", s->site, "state", s->state,
        "sources", isfinite(s->sources) ? s->sources : 0.0, "normal",
        isfinite(s->normal) ? s->normal : 0.0);
    bool whole = row != NULL;
    if (whole && s->first)
        whole = json_object_set_new(row, "first", json_time(s->first)) == 0 &&
                json_object_set_new(row, "lag_s", json_real((double)s->lag / 1e6)) == 0;
    if (!whole) {
        json_decref(row);
        return ERR_NOMEM;
    }
    return evidence_add(f, "sites", SITES_MAX, row);
}

enum err evidence_forecast(struct finding *f, const struct evidence_forecast *s)
{
    json_t *row = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:f}", "site", s->site, "state",
        s->state, "made", json_time(s->made), "expected", json_time(s->expected), "low",
        json_time(s->low), "high", json_time(s->high), "chance", s->chance);
    bool whole = row != NULL;
    if (whole && s->came)
        whole = json_object_set_new(row, "came", json_time(s->came)) == 0;
    if (!whole) {
        json_decref(row);
        return ERR_NOMEM;
    }
    return evidence_add(f, "forecasts", SITES_MAX, row);
}

static json_t *label_array(const char (*labels)[EVIDENCE_LABEL], size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++)
        if (json_array_append_new(array, json_string(labels[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *cell_arrays(const struct evidence_block *b)
{
    json_t *rows = json_array();
    for (size_t i = 0; rows && i < b->rows; i++)
        if (json_array_append_new(rows, number_array(b->cells + i * b->columns, b->columns)) !=
            0) {
            json_decref(rows);
            return NULL;
        }
    return rows;
}

enum err evidence_block(struct finding *f, const struct evidence_block *b)
{
    if (!b->rows || b->rows > EVIDENCE_ROWS || !b->columns || b->columns > EVIDENCE_COLUMNS ||
        b->rows_in > b->rows || b->columns_in > b->columns)
        return ERR_RANGE;
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:I}", "name", b->name, "unit",
        b->unit, "across", b->across, "columns", label_array(b->labels, b->columns), "cells",
        cell_arrays(b), "rows_in", (json_int_t)b->rows_in, "columns_in",
        (json_int_t)b->columns_in);
    bool whole = row != NULL;
    if (whole && b->hosts)
        whole = json_object_set_new(row, "hosts", label_array(b->hosts, b->rows)) == 0;
    if (whole && b->row_weights)
        whole =
            json_object_set_new(row, "row_weights", number_array(b->row_weights, b->rows)) == 0;
    if (whole && b->column_weights)
        whole = json_object_set_new(
                    row, "column_weights", number_array(b->column_weights, b->columns)) == 0;
    if (!whole) {
        json_decref(row);
        return ERR_NOMEM;
    }
    return evidence_add(f, "blocks", EVIDENCE_BLOCKS, row);
}
