#ifndef RECORD_FINDING_H
#define RECORD_FINDING_H

#include "base/err.h"
#include "base/ip.h"
#include "base/json.h"
#include "record/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one engine saw in one window. The engine fills it and puts it into a sink, which copies
 * what it keeps. */

enum severity {
    SEVERITY_INFO,
    SEVERITY_NOTICE,
    SEVERITY_WARNING,
    SEVERITY_CRITICAL
};
const char *severity_name(enum severity s);
enum err severity_parse(const char *word, enum severity *ret_severity) MUST_CHECK;

enum {
    FINDING_PORTS = 16,
    FINDING_SITES = 64,
    FINDING_COUNTRIES = 32,
    FINDING_HOSTS = 32
};

struct finding {
    const char *engine; /* "surge" */
    const char *kind;   /* "port-surge": what sort of thing, one word */
    int64_t time;       /* close of the window: when the warning could have been given */
    int64_t start;      /* when the thing itself began, as far as the engine can tell */
    int64_t end;
    enum severity severity; /* the engine's own opinion; alert/ may lower it, never raise it */
    double score;  /* -log10 of the p-value under the engine's null, after correction for
                      the number of things looked at; larger is stranger; 0..300 */
    uint8_t proto; /* 0 if it concerns no one protocol */
    uint16_t ports[FINDING_PORTS];
    size_t port_count;
    char sites[FINDING_SITES][RECORD_NAME_MAX + 1];
    size_t site_count;
    char countries[FINDING_COUNTRIES][3]; /* most sources first */
    size_t country_count;
    uint64_t host_count;
    struct ip hosts[FINDING_HOSTS]; /* a sample, most active of the window first */
    size_t host_sample;
    bool one_target; /* nearly all of them want the same one or two addresses of many */
    char tool[RECORD_NAME_MAX + 1]; /* "" if none stands out */
    char title[160];
    char explanation[480]; /* sentences that an operator understands, with the numbers */
    json_t *evidence;      /* made with the functions below; the engine's reference */
};

void finding_init(struct finding *f, const char *engine, const char *kind);
void finding_done(struct finding *f);

/* Lists drop what does not fit; the count fields of the finding tell the whole. */
void finding_port(struct finding *f, uint16_t port);
void finding_site(struct finding *f, const char *site);
void finding_country(struct finding *f, const char *country);
void finding_host(struct finding *f, const struct ip *host);

/* evidence.numbers[]: {name, value, unit, text}. NaN and infinity are left out. */
enum err evidence_number(struct finding *f, const char *name, double value, const char *unit,
    const char *text) MUST_CHECK;

struct evidence_value {
    const char *name;
    double value;
    const char *unit;
    const char *text;
};
/* A table of them. */
enum err evidence_numbers(
    struct finding *f, const struct evidence_value *rows, size_t count) MUST_CHECK;

/* evidence.series[]: {name, unit, start, step_s, values[], expected[]?, threshold[]?}. The
 * charts of an alert are drawn from these. Optional arrays are NULL; at most 2,016 values (two
 * weeks of 10 min). */
struct evidence_series {
    const char *name;
    const char *unit;
    int64_t start;
    int64_t step;
    size_t count;
    const double *values;
    const double *expected;
    const double *threshold;
};
enum err evidence_series(struct finding *f, const struct evidence_series *s) MUST_CHECK;

/* evidence.sites[]: {site, state, sources, normal, first?, lag_s?}: how far each site is into
 * the thing. ERR_FULL past FINDING_SITES rows. */
struct evidence_site {
    const char *site;
    const char *state; /* "first", "rising", or "waiting": expected there, not seen yet */
    double sources;    /* distinct sources now */
    double normal;     /* what was expected */
    int64_t first;     /* start of the window in which it crossed there; 0: it has not */
    int64_t lag;       /* behind the first site, us */
};
enum err evidence_site(struct finding *f, const struct evidence_site *s) MUST_CHECK;

/* evidence.forecasts[]: {site, made, expected, low, high, chance, state, came?}: when the thing
 * is expected at a site that it has not reached, and what became of it. ERR_FULL past
 * FINDING_SITES rows. */
struct evidence_forecast {
    const char *site;
    const char *state; /* "open", "came", "late", "missed" or "void" */
    int64_t made;      /* when it was said */
    int64_t expected;  /* as likely before as after, if it comes */
    int64_t low, high; /* four in five come in between */
    double chance;     /* that it comes at all, within the horizon */
    int64_t came;      /* 0: not yet */
};
enum err evidence_forecast(struct finding *f, const struct evidence_forecast *s) MUST_CHECK;

/* evidence.blocks[]: {name, unit, across, columns[], cells[][], rows_in, columns_in, hosts[]?,
 * row_weights[]?, column_weights[]?}: hosts against the ports that they ask or the times at
 * which they come, and the factors that put a group of them together. ERR_RANGE past
 * EVIDENCE_ROWS, EVIDENCE_COLUMNS; ERR_FULL past EVIDENCE_BLOCKS blocks. */
enum {
    EVIDENCE_BLOCKS = 8,
    EVIDENCE_ROWS = 48,
    EVIDENCE_COLUMNS = 40,
    EVIDENCE_LABEL = 64
};
struct evidence_block {
    const char *name;
    const char *unit;   /* of the cells */
    const char *across; /* what the columns are: "port", "time" or "site" */
    size_t rows, columns;
    size_t rows_in, columns_in;          /* the first so many are the group and its ports */
    const char (*hosts)[EVIDENCE_LABEL]; /* network of each row, "" where it is not known now */
    const char (
        *labels)[EVIDENCE_LABEL]; /* of each column: "33434/udp", or a time (RFC 3339) */
    const double *cells;          /* row after row */
    const double *row_weights; /* the factors, the largest is 1; NULL: there are none, NaN: not
                                  of this one */
    const double *column_weights;
};
enum err evidence_block(struct finding *f, const struct evidence_block *b) MUST_CHECK;

/* Where findings go. put() returns an error only if the finding could not be taken. */
struct sink {
    enum err (*put)(void *context, const struct finding *f);
    void *context;
};

#endif
