#include "cmd/setup.h"

#include "base/clock.h"
#include "fleet/filter.h"
#include "geo/geo.h"
#include "sensor/fingerprint.h"
#include "sensor/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shared between all sites of one process, so that memory stays below 1.5 GB. */
enum {
    SOURCES_TOTAL = 3 << 20,
    CONTACTS_TOTAL = 3 << 20,
    LEAST = 1 << 14
};

static enum err signatures_read(struct setup *s, struct fault *f)
{
    const char *const *paths;
    size_t count = conf_list(s->conf, "signatures", &paths);
    enum err e = fingerprints_new(&s->fingerprints, f);
    for (size_t i = 0; i < count && !e; i++)
        e = fingerprints_add_file(s->fingerprints, paths[i], f);
    return e;
}

static enum err surveys_read(struct setup *s, struct fault *f)
{
    const char *const *paths;
    size_t count = conf_list(s->conf, "survey-list", &paths);
    if (survey_new(&s->surveys) != OK)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = OK;
    for (size_t i = 0; i < count && !e; i++)
        e = survey_add_file(s->surveys, paths[i], NULL, f);
    return e;
}

/* What an option names wrongly is told before anything begins. */
static enum err geo_read(struct setup *s, bool behind, struct fault *f)
{
    struct geo_options options = {.automatic = true};
    options.file_count = conf_list(s->conf, "geo-db", &options.files);
    return behind && !options.file_count ? geo_open_behind(&s->geo, &options, f)
                                         : geo_open(&s->geo, &options, f);
}

static enum err addresses_of(
    const struct conf *conf, const char *site, uint64_t *ret_count, struct fault *f)
{
    const char *const *pairs;
    size_t count = conf_list(conf, "addresses", &pairs);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(pairs[i], '=');
        char *end = NULL;
        unsigned long long value = equals ? strtoull(equals + 1, &end, 10) : 0;
        if (!equals || equals[1] < '0' || equals[1] > '9' || *end || !value ||
            value > 1ull << 32)
            return fault_set(f, ERR_BAD,
                "--addresses: \"%.100s\" is not NAME=COUNT with a count of 1 to 2^32",
                pairs[i]);
        if (strlen(site) == (size_t)(equals - pairs[i]) &&
            strncmp(site, pairs[i], strlen(site)) == 0)
            *ret_count = value;
    }
    return OK;
}

static enum err look_add(struct setup *s, bool behind, struct fault *f)
{
    uint64_t none;
    enum err e = addresses_of(s->conf, "", &none, f);
    if (!e)
        e = geo_read(s, behind, f);
    if (!e)
        e = signatures_read(s, f);
    if (!e)
        e = surveys_read(s, f);
    s->shared = (struct sensor_shared){s->fingerprints, s->surveys, s->geo};
    return e;
}

enum err setup_settle(const struct setup *s, struct fault *f)
{
    return geo_settle(s->geo, f);
}

enum err setup_look_open(struct setup *ret_setup, const struct conf *conf, struct fault *f)
{
    struct setup s = {.conf = conf, .window = conf_us(conf, "window")};
    enum err e = look_add(&s, false, f);
    if (e) {
        setup_close(&s);
        return e;
    }
    *ret_setup = s;
    return OK;
}

static enum err all_open(
    struct setup *ret_setup, const struct conf *conf, bool behind, struct fault *f)
{
    struct setup s = {.conf = conf, .window = conf_us(conf, "window")};
    const char *const *settings;
    size_t setting_count = conf_list(conf, "set", &settings);
    enum err e =
        engines_choose(&s.engines, conf_text(conf, "engines"), settings, setting_count, f);
    if (!e)
        e = engines_window_check(&s.engines, s.window, f);
    if (!e)
        e = look_add(&s, behind, f);
    if (e) {
        setup_close(&s);
        return e;
    }
    *ret_setup = s;
    return OK;
}

enum err setup_open(struct setup *ret_setup, const struct conf *conf, struct fault *f)
{
    return all_open(ret_setup, conf, false, f);
}

enum err setup_open_behind(struct setup *ret_setup, const struct conf *conf, struct fault *f)
{
    return all_open(ret_setup, conf, true, f);
}

void setup_close(struct setup *s)
{
    engines_done(&s->engines);
    fingerprints_free(s->fingerprints);
    survey_free(s->surveys);
    geo_close(s->geo);
    *s = (struct setup){0};
}

enum err setup_live_blame(enum err e, struct fault *f)
{
    char text[sizeof f->text];
    if (!e || e == ERR_NOMEM)
        return e;
    memcpy(text, f->text, sizeof text);
    snprintf(f->text, sizeof f->text, "--%.*s", (int)sizeof f->text - 3, text);
    return e;
}

enum err setup_live_open(
    struct source **ret_source, const char *interface, const char *filter, struct fault *f)
{
    enum err e = filter ? filter_words_check(filter, f) : OK;
    return setup_live_blame(
        e ? e : source_open_live(ret_source, interface, filter, 0, 0, f), f);
}

static size_t part_of(size_t total, size_t sites)
{
    size_t part = total / (sites ? sites : 1);
    return part < LEAST ? LEAST : part;
}

enum err setup_sensor_options(const struct setup *s, const char *site, size_t sites,
    struct sensor_options *ret_options, struct fault *f)
{
    *ret_options = (struct sensor_options){
        .window = s->window,
        .sources_max = part_of(SOURCES_TOTAL, sites),
        .contacts_max = part_of(CONTACTS_TOTAL, sites),
        .payload_keep = conf_count(s->conf, "payload"),
    };
    return addresses_of(s->conf, site, &ret_options->addresses, f);
}

/* What the API shows of one data set that is loaded. */
struct dataset {
    const char *name, *kind, *origin, *attribution;
    int64_t date; /* 0: not known */
    uint64_t entries;
};

static void dataset_add(json_t *rows, const struct dataset *d)
{
    char day[TIME_TEXT];
    json_t *row = json_object();
    json_object_set_new(row, "name", json_text(d->name, strlen(d->name)));
    json_object_set_new(row, "kind", json_string(d->kind));
    json_object_set_new(row, "state", json_string("loaded"));
    json_object_set_new(row, "origin", json_text(d->origin, strlen(d->origin)));
    json_object_set_new(
        row, "date", d->date ? json_stringn(time_format(d->date, day), 10) : json_null());
    json_object_set_new(row, "entries", json_integer((json_int_t)d->entries));
    if (*d->attribution)
        json_object_set_new(
            row, "attribution", json_text(d->attribution, strlen(d->attribution)));
    json_array_append_new(rows, row);
}

static void dataset_missing(json_t *rows, const char *advice)
{
    bool country = strstr(advice, "countr") != NULL;
    json_array_append_new(
        rows, json_pack("{s:s, s:s, s:s, s:o}", "name", country ? "countries" : "networks",
                  "kind", country ? "country" : "asn", "state", "missing", "detail",
                  json_text(advice, strlen(advice))));
}

static const char *name_of(void *context, uint32_t asn)
{
    return geo_asn_name(context, asn);
}

struct store_names setup_names(struct geo *g)
{
    return (struct store_names){g, g ? name_of : NULL};
}

json_t *setup_datasets(const struct setup *s)
{
    json_t *rows = json_array();
    struct geo_origin origins[4];
    size_t count = geo_origins(s->geo, origins, 4);
    for (size_t i = 0; rows && i < count; i++) {
        const struct geo_origin *o = &origins[i];
        dataset_add(
            rows, &(struct dataset){o->what, strstr(o->what, "country") ? "country" : "asn",
                      o->file, *o->licence ? o->licence : o->origin, o->date, o->rows});
    }
    const char *const *advice = geo_advice(s->geo);
    for (size_t i = 0; rows && advice && advice[i]; i++)
        dataset_missing(rows, advice[i]);
    for (size_t i = 0; rows && i < survey_count(s->surveys); i++) {
        const struct survey_list *list = survey_at(s->surveys, i);
        dataset_add(rows, &(struct dataset){list->organisation, "list", list->file, "",
                              list->date, list->prefixes});
    }
    if (rows)
        dataset_add(
            rows, &(struct dataset){"header signatures", "signatures",
                      "built in and --signatures", "", 0, fingerprints_count(s->fingerprints)});
    return rows;
}

enum err setup_analysis(const struct setup *s, struct analysis **ret_analysis, struct fault *f)
{
    struct analysis_options options = {
        .engines = s->engines.engines,
        .confs = (const struct conf *const *)s->engines.confs,
        .window = s->window,
    };
    return analysis_new(ret_analysis, &options, f);
}
