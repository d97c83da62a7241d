#include "cmd/setup.h"

#include "sensor/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shared between all sites of one process, so that memory stays below 1.5 GB. */
enum {
    SOURCES_TOTAL = 3 << 20,
    CONTACTS_TOTAL = 3 << 20,
    LEAST = 1 << 16
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

enum err setup_open(struct setup *ret_setup, const struct conf *conf, struct fault *f)
{
    struct setup s = {.conf = conf, .window = conf_us(conf, "window")};
    const char *const *settings;
    size_t setting_count = conf_list(conf, "set", &settings);
    enum err e =
        engines_choose(&s.engines, conf_text(conf, "engines"), settings, setting_count, f);
    if (!e)
        e = signatures_read(&s, f);
    s.shared.fingerprints = s.fingerprints;
    if (e) {
        setup_close(&s);
        return e;
    }
    *ret_setup = s;
    return OK;
}

void setup_close(struct setup *s)
{
    engines_done(&s->engines);
    fingerprints_free(s->fingerprints);
    *s = (struct setup){0};
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

json_t *setup_datasets(const struct setup *s)
{
    (void)s;
    return json_array();
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
