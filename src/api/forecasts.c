#include "api/handler_int.h"

#include "api/api_int.h"
#include "base/clock.h"
#include "num/order.h"
#include "store/catalog_forecasts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where things are expected, and how good such forecasts have been. */

enum {
    SCORED = 10000 /* newest forecasts that the score is made of */
};

struct score {
    json_t *counts; /* by state */
    double *errors; /* hours, of those that came */
    double chance;  /* sum of what was said of those that came or were missed */
    uint64_t came, missed, inside;
};

static enum err add_row(void *context, const struct catalog_forecast *x)
{
    json_t *row = json_loadb(x->json, x->json_len, 0, NULL);
    return row && json_array_append_new(context, row) == 0 ? OK : ERR_NOMEM;
}

static int64_t time_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    int64_t us = 0;
    return text && time_parse(text, &us) == OK ? us : 0;
}

static void score_came(struct score *s, const json_t *row, const json_t *first)
{
    int64_t came = time_of(row, "came");
    s->errors[s->came++] = fabs((double)(came - time_of(first, "expected"))) / (double)US_HOUR;
    s->inside += came >= time_of(first, "low") && came <= time_of(first, "high");
}

static enum err add_score(void *context, const struct catalog_forecast *x)
{
    struct score *s = context;
    json_t *row = json_loadb(x->json, x->json_len, 0, NULL);
    const json_t *first = json_object_get(row, "first");
    const json_t *before = json_object_get(s->counts, x->state);
    enum err e = OK;
    if (!row || json_object_set_new(
                    s->counts, x->state, json_integer(json_integer_value(before) + 1)) != 0)
        e = ERR_NOMEM;
    bool came = strcmp(x->state, "came") == 0;
    bool missed = strcmp(x->state, "missed") == 0;
    if (!e && (came || missed))
        s->chance += json_number_value(json_object_get(first, "chance"));
    if (!e && came)
        score_came(s, row, first);
    s->missed += missed;
    json_decref(row);
    return e;
}

static json_t *share_json(uint64_t of, double hits)
{
    return of ? json_real(hits / (double)of) : json_null();
}

/* Of the newest, whatever page of them is asked for. */
static enum err score_json(struct request *r, json_t **ret_score)
{
    static const struct catalog_forecast_query all = {.limit = SCORED};
    struct score s = {.counts = json_pack("{s:i, s:i, s:i, s:i, s:i}", "open", 0, "came", 0,
                          "late", 0, "missed", 0, "void", 0),
        .errors = calloc(SCORED, sizeof(double))};
    enum err e = s.counts && s.errors ? OK : ERR_NOMEM;
    if (!e)
        e = catalog_forecasts(r->api->parts.catalog, &all, add_score, &s, &r->fault);
    if (!e) {
        uint64_t settled = s.came + s.missed;
        *ret_score = json_pack("{s:O, s:o, s:o, s:o, s:o}", "counts", s.counts, "came",
            share_json(settled, (double)s.came), "said", share_json(settled, s.chance),
            "in_interval", share_json(s.came, (double)s.inside), "error_median_h",
            s.came ? json_real(median(s.errors, s.came)) : json_null());
        e = *ret_score ? OK : ERR_NOMEM;
    }
    json_decref(s.counts);
    free(s.errors);
    return e;
}

enum err handle_forecasts(struct request *r)
{
    const struct catalog_forecast_query q = {
        .alert = arg(r, P_ALERT)->given ? arg(r, P_ALERT)->text : NULL,
        .site = arg(r, P_SITE)->given ? arg(r, P_SITE)->text : NULL,
        .state = arg(r, P_OUTCOME)->given ? arg(r, P_OUTCOME)->text : NULL,
        .limit = (size_t)arg(r, P_LIMIT)->number};
    json_t *rows = json_array();
    json_t *score = NULL;
    enum err e = catalog_forecasts(r->api->parts.catalog, &q, add_row, rows, &r->fault);
    if (!e)
        e = score_json(r, &score);
    if (e) {
        json_decref(rows);
        return e;
    }
    reply_json(r, 200, json_pack("{s:o, s:o}", "rows", rows, "score", score));
    return OK;
}
