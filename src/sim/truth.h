#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"
#include "record/record.h"

#include <stdbool.h>
#include <stdint.h>

/* What a simulated capture holds, stated by the program that made it: docs/formats/truth.md. */

enum {
    TRUTH_SITES = 64,
    TRUTH_EVENTS = 32,
    TRUTH_NUISANCES = 64,
    TRUTH_PORTS = 4,
    TRUTH_COUNTRIES = 32,
    TRUTH_PARAMETERS = 12,
    TRUTH_WORD = 32,
    TRUTH_WINDOW_S = 600, /* windows in which distinct hosts are counted */
    TRUTH_BYTES = 4 << 20 /* longest file that is read */
};

struct truth_site {
    char name[RECORD_NAME_MAX + 1];
    char prefix[48]; /* its darknet, "198.18.0.0/22" */
    uint64_t addresses;
    uint64_t packets;
};

struct truth_parameter {
    char name[TRUTH_WORD];
    double value;
    char unit[TRUTH_WORD];
};

/* An event at one site. Hosts are counted on that port of the event where it stands out most.
 */
struct truth_presence {
    uint32_t site; /* place in truth.sites */
    int64_t onset; /* when it begins here, as planned */
    int64_t first; /* its first packet; 0: the capture holds none */
    int64_t last;
    uint64_t packets;
    uint64_t hosts;      /* distinct sources of the event seen here */
    uint64_t peak_hosts; /* most of them in one window */
    double usual_hosts;  /* mean of the background's hosts in a window on that port */
    double usual_spread; /* and their standard deviation */
};

struct truth_event {
    char id[TRUTH_WORD];   /* "worm-growth-1" */
    char kind[TRUTH_WORD]; /* "worm-growth" */
    uint8_t proto;
    uint16_t ports[TRUTH_PORTS];
    uint32_t port_count;
    int64_t start; /* the earliest onset */
    int64_t end;
    uint64_t hosts; /* distinct sources at all sites together */
    char countries[TRUTH_COUNTRIES][3];
    uint32_t country_count;
    struct truth_presence sites[TRUTH_SITES];
    uint32_t site_count;
    struct truth_parameter parameters[TRUTH_PARAMETERS];
    uint32_t parameter_count;
    bool shown; /* plain host counts can show it: see truth_event_judge() */
};

/* What is in the background to tempt a false alarm: an alert about it is a false alarm, but
 * one whose cause is known. */
struct truth_nuisance {
    char kind[TRUTH_WORD]; /* "noisy-host" */
    char text[160];
    uint8_t proto; /* 0: any */
    uint16_t port; /* 0: any */
    int32_t site;  /* -1: all */
    int64_t start, end;
};

struct truth {
    int64_t start, end;
    uint64_t seed;
    double scale;
    char geo[160];      /* where the countries of the sources come from */
    char command[1024]; /* what makes the same captures again */
    struct truth_site sites[TRUTH_SITES];
    uint32_t site_count;
    struct truth_event events[TRUTH_EVENTS];
    uint32_t event_count;
    struct truth_nuisance nuisances[TRUTH_NUISANCES];
    uint32_t nuisance_count;
    struct truth_parameter background[TRUTH_PARAMETERS];
    uint32_t background_count;
};

/* Host counts can show an event if at some site its hosts in one window are at least ten, and
 * more than six standard deviations of the background's hosts in a window. Sets `shown`. */
void truth_event_judge(struct truth_event *e);

/* Add a parameter; a list that is full drops it. */
void truth_parameter_add(struct truth_parameter list[TRUTH_PARAMETERS], uint32_t *count,
    const char *name, double value, const char *unit);

/* A nuisance at all sites; what else is known of it is the caller's to fill in. No more than
 * TRUTH_NUISANCES are ever planned. */
struct truth_nuisance *truth_nuisance_add(
    struct truth *t, const char *kind, int64_t start, int64_t end);

/* A new reference; NULL: out of memory. */
json_t *truth_json(const struct truth *t);

/* The strict inverse. The fault says which member is wrong. */
enum err truth_from_json(
    const json_t *value, struct truth *ret_truth, struct fault *f) MUST_CHECK;

/* A whole file, by its path; the fault names it. ERR_NOTFOUND: it cannot be opened. */
enum err truth_read(const char *path, struct truth *ret_truth, struct fault *f) MUST_CHECK;

#endif
