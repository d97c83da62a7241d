#ifndef CMD_SETUP_H
#define CMD_SETUP_H

#include "base/conf.h"
#include "cmd/engines.h"
#include "ingest/analysis.h"
#include "sensor/sensor.h"
#include "sensor/source.h"
#include "store/store.h"

/* What replay and hub have in common: signatures, lists, country and network data, engines,
 * sizes. */

/* How a site looks at packets: hub, replay and sensor have these. */
#define SETUP_LOOK_ITEMS(window_text)                                                          \
    {.name = "window",                                                                         \
        .type = CONF_DURATION,                                                                 \
        .arg = "DURATION",                                                                     \
        .min = 60,                                                                             \
        .max = 3600,                                                                           \
        .initial = "10m",                                                                      \
        .text = (window_text)},                                                                \
        {.name = "signatures",                                                                 \
            .type = CONF_FILES,                                                                \
            .arg = "FILE",                                                                     \
            .text = "More header signatures, after the built-in ones."},                       \
        {.name = "survey-list",                                                                \
            .type = CONF_FILES,                                                                \
            .arg = "FILE",                                                                     \
            .text = "Addresses of announced scanners: plain CIDR, OpenFilters, maltrail or "   \
                    "MISP warning list."},                                                     \
        {.name = "geo-db",                                                                     \
            .type = CONF_FILES,                                                                \
            .arg = "FILE",                                                                     \
            .text = "Countries or networks of addresses: files of tor-geoipdb, libloc's "      \
                    "location.db or an MMDB. What they leave open comes from Debian's "        \
                    "packages, if these are installed."},                                      \
        {.name = "payload",                                                                    \
            .type = CONF_COUNT,                                                                \
            .arg = "BYTES",                                                                    \
            .min = 0,                                                                          \
            .max = 256,                                                                        \
            .initial = "64",                                                                   \
            .unit = "bytes",                                                                   \
            .text = "First bytes of each payload that are kept."},                             \
    {                                                                                          \
        .name = "addresses", .type = CONF_LIST, .arg = "NAME=COUNT",                           \
        .text = "Size of a site's telescope, in addresses."                                    \
    }

/* And the engines that look at what was seen. */
#define SETUP_ITEMS                                                                            \
    {.name = "engines",                                                                        \
        .type = CONF_TEXT,                                                                     \
        .arg = "LIST",                                                                         \
        .initial = "all",                                                                      \
        .text = "Engines that look at the windows: names with commas between them, all or "    \
                "none."},                                                                      \
        {.name = "set",                                                                        \
            .type = CONF_LIST,                                                                 \
            .arg = "ENGINE.OPTION=VALUE",                                                      \
            .text = "Set an option of an engine; kizashi engines ENGINE lists them."},         \
        SETUP_LOOK_ITEMS(                                                                      \
            "Length of a window. All engines take 10m, 12m, 15m, 20m, 30m and 1h, all but "    \
            "screen also 5m and 6m, and tensor any; others are left out with --engines.")

/* What the programs that stay have in common, hub and sensor: where the options are, what is
 * captured, who they are. */
#define SETUP_CONFIG_ITEM                                                                      \
    {                                                                                          \
        .name = "config", .type = CONF_FILE, .arg = "FILE",                                    \
        .text =                                                                                \
            "YAML file with the options below; what the command line gives goes before it."    \
    }
#define SETUP_FILTER_ITEM                                                                      \
    {                                                                                          \
        .name = "filter", .type = CONF_TEXT, .arg = "EXPRESSION",                              \
        .text = "Filter for live capture, pcap-filter(7), applied in the kernel; with "        \
                "numbers and "                                                                 \
                "addresses: no name is looked up."                                             \
    }
#define SETUP_PROCESS_ITEMS                                                                    \
    {.name = "user",                                                                           \
        .type = CONF_TEXT,                                                                     \
        .arg = "NAME",                                                                         \
        .text = "Whom root turns into before the first packet is read; without it the user "   \
                "kizashi if there is one; else it stays root without root's capabilities. "    \
                "The data folder becomes that user's."},                                       \
    {                                                                                          \
        .name = "verbose", .type = CONF_FLAG, .text = "Log more."                              \
    }

struct setup {
    const struct conf *conf; /* borrowed */
    int64_t window;
    struct fingerprints *fingerprints;
    struct survey_lists *surveys;
    struct geo *geo;
    struct sensor_shared shared;
    struct engine_choice engines;
};

/* Read every file that the options name. */
enum err setup_open(
    struct setup *ret_setup, const struct conf *conf, struct fault *f) MUST_CHECK;
/* The same, but databases of countries and networks that no option names are read by a thread
 * while the caller goes on: what looks into them waits. setup_settle() waits, too, and says
 * whether they could be read. */
enum err setup_open_behind(
    struct setup *ret_setup, const struct conf *conf, struct fault *f) MUST_CHECK;
enum err setup_settle(const struct setup *s, struct fault *f) MUST_CHECK;
/* setup_open() for a table with SETUP_LOOK_ITEMS only: no engines. */
enum err setup_look_open(
    struct setup *ret_setup, const struct conf *conf, struct fault *f) MUST_CHECK;
void setup_close(struct setup *s);

/* What source_open_live() says, "interface eth9: ..." or "filter ...", by its option; returns
 * `e`, which is what it returned. */
enum err setup_live_blame(enum err e, struct fault *f);

/* source_open_live() for --interface and --filter, NULL: all; the fault begins with the option.
 * ERR_BAD also: the filter names a host, network or service, which would be looked up. */
enum err setup_live_open(struct source **ret_source, const char *interface, const char *filter,
    struct fault *f) MUST_CHECK;

/* Options of one site's sensor when `sites` share the memory. */
enum err setup_sensor_options(const struct setup *s, const char *site, size_t sites,
    struct sensor_options *ret_options, struct fault *f) MUST_CHECK;

/* What networks are called after the operator's databases, as long as `g` is open; NULL: they
 * have no names. */
struct store_names setup_names(struct geo *g);

/* Data from outside as the API shows it (Dataset): a new reference; NULL: out of memory. */
json_t *setup_datasets(const struct setup *s);

enum err setup_analysis(
    const struct setup *s, struct analysis **ret_analysis, struct fault *f) MUST_CHECK;

#endif
