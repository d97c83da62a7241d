/* How likely an alert is true, from its own evidence: docs/formats/alert.md says what that
 * means and what was measured. */
#include "alert/alert_int.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

/* Weights of a logistic model, fitted on simulated runs by tests/bench/alert/confidence.py,
 * which reads them from here to check them. A weight of 0 is a result: what the others leave
 * open, this does not tell. */
struct weights {
    const char *kind;
    double bias;
    double ratio;  /* for each doubling of now over normal */
    double hosts;  /* ... of the different sources */
    double sites;  /* ... of the sites that see it */
    double lasted; /* ... of the time it lasts, in units of ten minutes */
    double notice; /* if it is a notice or more */
};

static const struct weights fitted[] = {
    {.kind = "port-surge", .bias = -4.87, .hosts = 1.31},
    {.kind = "high-risk-port", .bias = -4.87, .hosts = 1.31}, /* is a port-surge, too */
    {.kind = "global-growth", .bias = -4.87, .hosts = 1.31},
    {.kind = "density-jump", .bias = 1.73, .notice = 1.79},
    {.kind = "graph-change", .bias = -2.74, .notice = 1.79},
    {.kind = "graph-shift", .bias = -1.10, .notice = 1.79},
    {.kind = "in-step", .bias = -0.73, .hosts = 0.14, .notice = 2.84},
    {.kind = "new-pattern", .bias = 0.27, .notice = 0.86},
    {.kind = "synchrony", .bias = -0.80, .hosts = 0.15, .notice = 2.14},
};
/* Of kinds without alerts to fit, the prior of the fit: 0.80 for what is a notice, as that
 * keeps to a budget of false alarms by its engine's own measure, and 0.40 for what is less. */
static const struct weights unfitted = {.kind = "others", .bias = -0.41, .notice = 1.79};

static const double surest = 0.99; /* no model is surer */
static const double least = 0.01;  /* nor is anything that an engine found ruled out */

/* The largest number of that name that any engine gives. */
static double largest_number(const struct alert *a, const char *name, double otherwise)
{
    double largest = -INFINITY;
    const char *engine;
    json_t *evidence;
    json_t *row;
    size_t i;
    json_object_foreach(a->evidence, engine, evidence)
    {
        json_array_foreach(json_object_get(evidence, "numbers"), i, row)
        {
            const char *is = json_string_value(json_object_get(row, "name"));
            if (is && strcmp(is, name) == 0)
                largest = fmax(largest, json_number_value(json_object_get(row, "value")));
        }
    }
    return isfinite(largest) ? largest : otherwise;
}

static double logistic(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static const struct weights *weights_of(const char *kind)
{
    for (size_t i = 0; i < sizeof fitted / sizeof *fitted; i++)
        if (strcmp(kind, fitted[i].kind) == 0)
            return &fitted[i];
    return &unfitted;
}

/* Of alerts that are not chance: what share is no nuisance? */
static double share_true(const struct alert *a)
{
    const struct weights *w = weights_of(a->kind);
    double windows = (double)(a->end - a->start) / (double)(10 * US_MINUTE);
    return logistic(w->bias + w->ratio * log2(fmax(largest_number(a, "ratio", 1.0), 1.0)) +
                    w->hosts * log2(1.0 + (double)a->host_count) +
                    w->sites * log2(fmax((double)a->site_count, 1.0)) +
                    w->lasted * log2(1.0 + fmax(windows, 0.0)) +
                    w->notice * (a->severity >= SEVERITY_NOTICE));
}

double confidence_of(const struct alert *a, double score)
{
    double no_chance = 1.0 / (1.0 + pow(10.0, -score));
    return fmin(fmax(no_chance * share_true(a), least), surest);
}
