/* What is followed, between two runs: JSON. */
#include "alert/lead_int.h"

#include "record/proto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATE_VERSION = 1
};

/* --- save ----------------------------------------------------------------------------------
 */

static json_t *moment_json(int64_t us)
{
    return us ? json_time(us) : json_null();
}

static json_t *numbers_json(const double *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(array, json_real(values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *arrival_json(const struct arrival *a)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:f, s:f, s:f}", "site", a->site, "came",
        json_time(a->came), "told", json_time(a->told), "surged", moment_json(a->surged),
        "surge_score", a->surge_score, "sources", a->sources, "normal", a->normal);
}

static json_t *prediction_json(const struct prediction *p)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:f}", "made", json_time(p->made), "expected",
        json_time(p->expected), "low", json_time(p->low), "high", json_time(p->high), "chance",
        p->chance);
}

static json_t *expected_json(const struct expected *x)
{
    const struct forecast *f = &x->forecast;
    return json_pack("{s:s, s:s, s:s, s:o, s:i, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:b}",
        "alert", f->alert, "site", f->site, "origin", f->origin, "began", json_time(f->began),
        "port", (int)f->port, "first", prediction_json(&f->first), "last",
        prediction_json(&f->last), "state", forecast_state_name(f->state), "came",
        moment_json(f->came), "settled", moment_json(f->settled), "windows",
        (json_int_t)x->windows, "blind", (json_int_t)x->blind, "changed", (int)x->changed);
}

static json_t *macro_json(const struct macro *m)
{
    return json_pack("{s:s, s:o, s:o, s:f}", "site", m->site, "time", json_time(m->time),
        "start", json_time(m->start), "score", m->score);
}

static json_t *spread_json(const struct spread *s)
{
    json_t *ports = json_array();
    json_t *arrivals = json_array();
    json_t *forecasts = json_array();
    bool whole = true;
    for (size_t i = 0; i < s->port_count; i++)
        whole &= json_array_append_new(ports, json_integer(s->ports[i])) == 0;
    for (size_t i = 0; i < s->arrival_count; i++)
        whole &= json_array_append_new(arrivals, arrival_json(&s->arrivals[i])) == 0;
    for (size_t i = 0; i < s->forecast_count; i++)
        whole &= json_array_append_new(forecasts, expected_json(&s->forecasts[i])) == 0;
    json_t *value = json_pack("{s:i, s:o, s:s, s:s, s:f, s:o, s:o, s:o, s:o, s:o, s:b, s:b}",
        "proto", (int)s->proto, "ports", ports, "alert", s->alert, "severity",
        severity_name(s->severity), "score", s->score, "rose", moment_json(s->rose), "last",
        json_time(s->last), "arrivals", arrivals, "forecasts", forecasts, "macro",
        s->macro.time ? macro_json(&s->macro) : json_null(), "arrived", (int)s->arrived,
        "explains", (int)s->explains);
    if (whole)
        return value;
    json_decref(value);
    return NULL;
}

enum err lead_save(const struct lead *l, struct buf *out)
{
    json_t *spreads = json_array();
    json_t *macros = json_array();
    bool whole = true;
    for (size_t i = 0; i < l->count; i++)
        whole &= json_array_append_new(spreads, spread_json(l->spreads[i])) == 0;
    for (size_t i = 0; i < l->macro_count; i++)
        whole &= json_array_append_new(macros, macro_json(&l->macros[i])) == 0;
    json_t *state = json_pack("{s:i, s:o, s:f, s:o, s:o}", "version", STATE_VERSION, "learned",
        numbers_json(l->model.learned, MODEL_SIZE), "things", l->model.things, "macros", macros,
        "spreads", spreads);
    if (!state || !whole) {
        json_decref(state);
        return ERR_NOMEM;
    }
    json_write(out, state);
    json_decref(state);
    return out->err;
}

/* --- load ----------------------------------------------------------------------------------
 */

static bool read_moment(const json_t *value, bool needed, int64_t *ret_us)
{
    *ret_us = 0;
    if (json_is_null(value))
        return !needed;
    return json_is_string(value) && time_parse(json_string_value(value), ret_us) == OK;
}

static bool read_text(const char *text, size_t most, char *to)
{
    if (strlen(text) > most)
        return false;
    memcpy(to, text, strlen(text) + 1);
    return true;
}

static bool is_amount(double value)
{
    return isfinite(value) && value >= 0.0;
}

static bool read_arrival(json_t *value, struct arrival *a)
{
    const char *site;
    json_t *came;
    json_t *told;
    json_t *surged;
    return json_unpack(value, "{s:s, s:o, s:o, s:o, s:F, s:F, s:F !}", "site", &site, "came",
               &came, "told", &told, "surged", &surged, "surge_score", &a->surge_score,
               "sources", &a->sources, "normal", &a->normal) == 0 &&
           read_text(site, RECORD_NAME_MAX, a->site) && read_moment(came, true, &a->came) &&
           read_moment(told, true, &a->told) && read_moment(surged, false, &a->surged) &&
           is_amount(a->surge_score) && is_amount(a->sources) && is_amount(a->normal);
}

static bool read_prediction(json_t *value, struct prediction *p)
{
    json_t *made;
    json_t *expected;
    json_t *low;
    json_t *high;
    return json_unpack(value, "{s:o, s:o, s:o, s:o, s:F !}", "made", &made, "expected",
               &expected, "low", &low, "high", &high, "chance", &p->chance) == 0 &&
           read_moment(made, true, &p->made) && read_moment(expected, true, &p->expected) &&
           read_moment(low, true, &p->low) && read_moment(high, true, &p->high) &&
           is_amount(p->chance) && p->chance <= 1.0;
}

static bool read_expected(json_t *value, struct expected *x)
{
    struct forecast *f = &x->forecast;
    const char *alert;
    const char *site;
    const char *origin;
    const char *state;
    json_t *began;
    json_t *first;
    json_t *last;
    json_t *came;
    json_t *settled;
    json_int_t windows;
    json_int_t blind;
    int port;
    int changed;
    bool good =
        json_unpack(value,
            "{s:s, s:s, s:s, s:o, s:i, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:b !}", "alert",
            &alert, "site", &site, "origin", &origin, "began", &began, "port", &port, "first",
            &first, "last", &last, "state", &state, "came", &came, "settled", &settled,
            "windows", &windows, "blind", &blind, "changed", &changed) == 0 &&
        read_text(alert, ALERT_ID - 1, f->alert) && read_text(site, RECORD_NAME_MAX, f->site) &&
        read_text(origin, RECORD_NAME_MAX, f->origin) && read_moment(began, true, &f->began) &&
        port >= 0 && port <= UINT16_MAX && read_prediction(first, &f->first) &&
        read_prediction(last, &f->last) && forecast_state_parse(state, &f->state) == OK &&
        read_moment(came, false, &f->came) && read_moment(settled, false, &f->settled) &&
        windows >= 0 && windows <= UINT32_MAX && blind >= 0 && blind <= windows;
    if (!good)
        return false;
    f->port = (uint16_t)port;
    x->windows = (uint32_t)windows;
    x->blind = (uint32_t)blind;
    x->changed = changed != 0;
    return true;
}

static bool read_macro(json_t *value, struct macro *m)
{
    const char *site;
    json_t *time;
    json_t *start;
    return json_unpack(value, "{s:s, s:o, s:o, s:F !}", "site", &site, "time", &time, "start",
               &start, "score", &m->score) == 0 &&
           read_text(site, RECORD_NAME_MAX, m->site) && read_moment(time, true, &m->time) &&
           read_moment(start, true, &m->start) && is_amount(m->score);
}

static bool read_ports(const json_t *ports, struct spread *s)
{
    s->port_count = json_array_size(ports);
    if (s->port_count < 1 || s->port_count > FINDING_PORTS)
        return false;
    for (size_t i = 0; i < s->port_count; i++) {
        const json_t *port = json_array_get(ports, i);
        json_int_t number = json_integer_value(port);
        if (!json_is_integer(port) || number < 0 || number > UINT16_MAX)
            return false;
        s->ports[i] = (uint16_t)number;
    }
    return true;
}

static bool read_lists(const json_t *arrivals, const json_t *forecasts, struct spread *s)
{
    s->arrival_count = json_array_size(arrivals);
    s->forecast_count = json_array_size(forecasts);
    bool good = json_is_array(arrivals) && s->arrival_count <= LEAD_SITES &&
                json_is_array(forecasts) && s->forecast_count <= LEAD_SITES;
    for (size_t i = 0; good && i < s->arrival_count; i++)
        good = read_arrival(json_array_get(arrivals, i), &s->arrivals[i]);
    for (size_t i = 0; good && i < s->forecast_count; i++) {
        good = read_expected(json_array_get(forecasts, i), &s->forecasts[i]);
        s->forecasts[i].forecast.proto = s->proto;
    }
    return good;
}

static bool read_spread(json_t *value, struct spread *s)
{
    const char *alert;
    const char *severity;
    json_t *ports;
    json_t *rose;
    json_t *last;
    json_t *arrivals;
    json_t *forecasts;
    json_t *macro;
    int proto;
    int arrived;
    int explains;
    if (json_unpack(value, "{s:i, s:o, s:s, s:s, s:F, s:o, s:o, s:o, s:o, s:o, s:b, s:b !}",
            "proto", &proto, "ports", &ports, "alert", &alert, "severity", &severity, "score",
            &s->score, "rose", &rose, "last", &last, "arrivals", &arrivals, "forecasts",
            &forecasts, "macro", &macro, "arrived", &arrived, "explains", &explains) != 0 ||
        proto < 1 || proto > UINT8_MAX)
        return false;
    s->proto = (uint8_t)proto;
    s->arrived = arrived != 0;
    s->explains = explains != 0;
    return read_ports(ports, s) && read_text(alert, ALERT_ID - 1, s->alert) &&
           severity_parse(severity, &s->severity) == OK && is_amount(s->score) &&
           read_moment(rose, false, &s->rose) && read_moment(last, true, &s->last) &&
           (json_is_null(macro) || read_macro(macro, &s->macro)) &&
           read_lists(arrivals, forecasts, s);
}

static enum err read_spreads(struct lead *fresh, const json_t *spreads, struct fault *f)
{
    if (json_array_size(spreads) > fresh->options.most)
        return fault_set(f, ERR_FULL, "more than %zu things", fresh->options.most);
    for (size_t i = 0; i < json_array_size(spreads); i++) {
        struct spread *s = calloc(1, sizeof *s);
        if (!s)
            return fault_set(f, ERR_NOMEM, "out of memory");
        enum err e = read_spread(json_array_get(spreads, i), s)
                         ? lead_add(fresh, s)
                         : fault_set(f, ERR_BAD, "spreads: number %zu has a wrong value", i);
        if (e) {
            free(s);
            return e;
        }
    }
    return OK;
}

static bool read_model(const json_t *learned, double things, struct model *m)
{
    bool good = json_array_size(learned) == MODEL_SIZE && is_amount(things) && things <= 1e6;
    for (size_t i = 0; good && i < MODEL_SIZE; i++) {
        m->learned[i] = json_number_value(json_array_get(learned, i));
        good = json_is_number(json_array_get(learned, i)) && is_amount(m->learned[i]) &&
               m->learned[i] <= 1e6;
    }
    m->things = things;
    return good;
}

static enum err read_all(struct lead *fresh, json_t *state, struct fault *f)
{
    int version;
    json_t *learned;
    json_t *macros;
    json_t *spreads;
    double things;
    if (json_unpack(state, "{s:i, s:o, s:F, s:o, s:o !}", "version", &version, "learned",
            &learned, "things", &things, "macros", &macros, "spreads", &spreads) != 0 ||
        version != STATE_VERSION || !json_is_array(spreads) || !json_is_array(macros))
        return fault_set(f, ERR_BAD, "not a kept state of version %d", STATE_VERSION);
    if (!read_model(learned, things, &fresh->model))
        return fault_set(f, ERR_BAD, "learned: a wrong value");
    if (json_array_size(macros) > LEAD_MACROS)
        return fault_set(f, ERR_FULL, "more than %d macros", LEAD_MACROS);
    for (; fresh->macro_count < json_array_size(macros); fresh->macro_count++)
        if (!read_macro(
                json_array_get(macros, fresh->macro_count), &fresh->macros[fresh->macro_count]))
            return fault_set(f, ERR_BAD, "macros: a wrong value");
    return read_spreads(fresh, spreads, f);
}

enum err lead_load(struct lead *l, struct bytes saved, struct fault *f)
{
    json_error_t where;
    json_t *state =
        json_loadb((const char *)saved.at, saved.left, JSON_REJECT_DUPLICATES, &where);
    if (!state)
        return fault_set(
            f, ERR_BAD, "lead state: offset %d: %.200s", where.position, where.text);
    struct lead *fresh;
    enum err e = lead_new(&fresh, &l->options);
    if (e) {
        json_decref(state);
        return fault_set(f, e, "out of memory");
    }
    e = read_all(fresh, state, f);
    json_decref(state);
    if (e) {
        lead_free(fresh);
        fault_prefix(f, "lead state");
        return e;
    }
    lead_clear(l);
    fresh->book = l->book;
    *l = *fresh;
    free(fresh);
    return OK;
}
