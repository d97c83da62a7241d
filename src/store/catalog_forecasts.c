#include "store/catalog_forecasts.h"

#include "store/catalog_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIMIT_DEFAULT = 100,
    LIMIT_MOST = 10000
};

static enum err forecast_put(
    struct catalog *c, const struct catalog_forecast *x, struct fault *f)
{
    if (!x->alert[0] || !x->site[0] || x->json_len > CATALOG_FORECAST_JSON)
        return fault_set(f, ERR_BAD, "a forecast needs an alert, a site, and at most %d bytes",
            CATALOG_FORECAST_JSON);
    char *json = strndup(x->json, x->json_len);
    if (!json)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct query q;
    query_open(&q, c,
        "INSERT INTO forecast (alert, site, made, state, json) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (alert, site) DO UPDATE SET made = ?3, state = ?4, json = ?5",
        f);
    query_text(&q, x->alert);
    query_text(&q, x->site);
    query_number(&q, x->made);
    query_text(&q, x->state);
    query_text(&q, json);
    enum err e = query_done(&q);
    free(json);
    return e;
}

enum err catalog_forecasts_put(
    struct catalog *c, const struct catalog_forecast *list, size_t count, struct fault *f)
{
    enum err e = catalog_begin(c, f);
    if (e)
        return e;
    for (size_t i = 0; !e && i < count; i++)
        e = forecast_put(c, &list[i], f);
    return catalog_end(c, e, f);
}

enum err catalog_forecasts(struct catalog *c, const struct catalog_forecast_query *wanted,
    enum err (*each)(void *context, const struct catalog_forecast *f), void *context,
    struct fault *f)
{
    size_t limit = wanted->limit ? wanted->limit : LIMIT_DEFAULT;
    struct query q;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT alert, site, made, state, json FROM forecast WHERE (?1 IS NULL OR alert = ?1)"
        " AND (?2 IS NULL OR site = ?2) AND (?3 IS NULL OR state = ?3)"
        " ORDER BY made DESC, alert, site LIMIT ?4",
        f);
    query_text(&q, wanted->alert);
    query_text(&q, wanted->site);
    query_text(&q, wanted->state);
    query_number(&q, (int64_t)(limit > LIMIT_MOST ? LIMIT_MOST : limit));
    while (query_row(&q)) {
        struct catalog_forecast x = {.made = query_number_at(&q, 2)};
        query_copy_at(&q, 0, x.alert, sizeof x.alert);
        query_copy_at(&q, 1, x.site, sizeof x.site);
        query_copy_at(&q, 3, x.state, sizeof x.state);
        struct bytes json = query_bytes_at(&q, 4);
        x.json = (const char *)json.at;
        x.json_len = json.left;
        query_fail(&q, each(context, &x));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}
