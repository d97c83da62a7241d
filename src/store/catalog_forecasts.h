#ifndef STORE_CATALOG_FORECASTS_H
#define STORE_CATALOG_FORECASTS_H

#include "store/catalog.h"

/* Forecasts as alert/lead.h makes them, kept with what became of them. */

enum {
    CATALOG_FORECAST_JSON = 2048
};

struct catalog_forecast {
    char alert[CATALOG_ALERT_ID];
    char site[RECORD_NAME_MAX + 1];
    int64_t made;
    char state[16];   /* "open", "came", ... */
    const char *json; /* borrowed: the caller's when written, the catalogue's when listed */
    size_t json_len;
};

/* New, or written over by alert and site; all or nothing. */
enum err catalog_forecasts_put(struct catalog *c, const struct catalog_forecast *list,
    size_t count, struct fault *f) MUST_CHECK;

struct catalog_forecast_query {
    const char *alert; /* NULL: any, as below */
    const char *site;
    const char *state;
    size_t limit; /* 0: 100; at most 10,000 */
};

/* Newest first. */
enum err catalog_forecasts(struct catalog *c, const struct catalog_forecast_query *wanted,
    enum err (*each)(void *context, const struct catalog_forecast *f), void *context,
    struct fault *f) MUST_CHECK;

#endif
