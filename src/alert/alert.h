#ifndef ALERT_ALERT_H
#define ALERT_ALERT_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"
#include "record/finding.h"

#include <stdbool.h>

/* Findings become alerts. Findings about the same thing (kinds that tell of one sort of thing,
 * same protocol, ports that overlap, no gap longer than `quiet`) become one alert that grows
 * and keeps its id, whichever engines and sites they come from; an alert on which nothing new
 * came for `quiet` is closed. The id is made from what the alert is about and when it could
 * first have been given, so that the same capture gives the same ids. */

enum {
    ALERT_ID = 24
};

/* Every kind of alert, as words: what the engines' findings are of, and what the lead's are. */
#define ALERT_KINDS                                                                            \
    "density-jump|global-growth|graph-change|graph-shift|high-risk-port|in-step|known-surge|"  \
    "moving-group|new-pattern|port-surge|spread|synchrony|wide-growth"
/* The same in a sentence. */
#define ALERT_KINDS_TEXT                                                                       \
    "density-jump, global-growth, graph-change, graph-shift, high-risk-port, in-step, "        \
    "known-surge, moving-group, new-pattern, port-surge, spread, synchrony or wide-growth"

struct alert {
    char id[ALERT_ID]; /* "20260815-3389tcp-4f2a" */
    int64_t time;      /* when it could first have been given; as a notice, if it became one */
    int64_t start, end;
    char kind[32];
    char engines[8][16]; /* first the one whose finding gave the title */
    size_t engine_count;
    enum severity severity;
    double confidence; /* how likely it is true: 0.01..0.99 */
    char title[160];
    char explanation[480];
    uint8_t proto;
    uint16_t ports[FINDING_PORTS];
    size_t port_count;
    char sites[FINDING_SITES][RECORD_NAME_MAX + 1];
    size_t site_count;
    char countries[FINDING_COUNTRIES][3];
    size_t country_count;
    uint64_t host_count; /* the most that a finding told of; never less than the sample */
    struct ip hosts[FINDING_HOSTS];
    size_t host_sample;
    char tool[RECORD_NAME_MAX + 1];
    json_t *evidence; /* of the strongest finding of each engine: {"surge": {...}} */
    char related[4][ALERT_ID];
    size_t related_count;
    char tlp[8]; /* "amber" */
    bool open;
    uint32_t revision; /* counts up each time it grew */
};

enum {
    ALERT_VERSION = 1
}; /* of the JSON form */

/* The alert's one JSON form (docs/formats/alert.md); a new reference. NULL: out of memory. */
json_t *alert_json(const struct alert *a);
/* The strict inverse, for the catalogue and imports; the fault says which member is wrong. All
 * members must be there and no others. ret_alert goes back through alert_done(). */
enum err alert_from_json(
    const json_t *value, struct alert *ret_alert, struct fault *f) MUST_CHECK;
void alert_done(struct alert *a);

struct alert_book;

struct alert_options {
    int64_t quiet; /* us; 0: 25 hours */
    size_t
        most; /* open alerts at once; 0: 4,096; beyond it the weakest info alerts are closed */
    bool hide_hosts; /* no addresses in alerts */
    const char *tlp; /* NULL: "amber" */
};

enum err alert_book_new(
    struct alert_book **ret_book, const struct alert_options *options) MUST_CHECK;
void alert_book_free(struct alert_book *b);

/* Findings are put here; they are merged by alert_book_turn(). ERR_FULL past 4 * `most` in one
 * turn. */
struct sink alert_book_sink(struct alert_book *b);

/* At the close of a window: merge what was put, close what is quiet at `now`, and call
 * `changed` once for every alert that is new, grew or closed, in order of id. */
enum err alert_book_turn(struct alert_book *b, int64_t now,
    enum err (*changed)(void *context, const struct alert *a), void *context) MUST_CHECK;

/* Everything that merging depends on, between turns, so that a restarted book goes on with the
 * same alerts. load() takes untrusted bytes, all or nothing; what the book held is replaced. */
enum err alert_book_save(const struct alert_book *b, struct buf *out) MUST_CHECK;
enum err alert_book_load(struct alert_book *b, struct bytes saved, struct fault *f) MUST_CHECK;

#endif
