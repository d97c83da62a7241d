#ifndef EVALUATE_WARNING_H
#define EVALUATE_WARNING_H

#include "base/err.h"
#include "record/finding.h"

#include <stdbool.h>

/* Alerts as the scorer needs them, from the JSON lines that replay writes (or any other program
 * that writes those members: id, time, start, end, severity, kind, title, proto, ports, sites).
 *
 * An alert that grows comes in several lines with one id. What counts is when a person was
 * first asked to look: if its first line has the severity that is asked for, the line's `time`;
 * if it reached that severity later, the `end` of the line in which it did. */

enum {
    WARNINGS_MAX = 1 << 17,
    WARNING_LINE = 1 << 20, /* bytes */
    WARNING_ID = 64
};

struct warning_site {
    char name[RECORD_NAME_MAX + 1];
    int64_t raised; /* when the alert first named the site */
};

/* That it is expected at a site: evidence.lead.forecasts[]. */
struct warning_forecast {
    char site[RECORD_NAME_MAX + 1];
    int64_t made, expected, low, high;
    double chance;
};

struct warning {
    char id[WARNING_ID];
    char kind[32];
    char title[160];
    enum severity severity; /* highest so far */
    int64_t raised;         /* INT64_MAX: never reached the severity asked for */
    int64_t start, end;
    uint8_t proto; /* 0: none */
    uint16_t ports[FINDING_PORTS];
    uint32_t port_count;
    struct warning_site *sites; /* owned */
    uint32_t site_count;
    struct warning_forecast *forecasts; /* owned; one a site, as first made */
    uint32_t forecast_count;
    uint32_t lines;
};

struct warnings {
    struct warning *list; /* owned; in order of first line */
    size_t count, room;
    uint64_t lines;
};

/* Read a file ("-": standard input) into `w`, which starts zeroed. Only alerts of at least
 * severity `least` are kept. The fault names file, line and member;
 * ERR_NOTFOUND: it cannot be opened. */
enum err warnings_read(
    struct warnings *w, const char *path, enum severity least, struct fault *f) MUST_CHECK;

/* Add one that was made elsewhere; its sites are taken over. */
enum err warnings_add(struct warnings *w, const struct warning *one) MUST_CHECK;

bool warning_has_port(const struct warning *w, uint16_t port);
/* When it first named a site; INT64_MAX: it did not. */
int64_t warning_site_raised(const struct warning *w, const char *site);
void warnings_done(struct warnings *w);

#endif
