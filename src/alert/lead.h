#ifndef ALERT_LEAD_H
#define ALERT_LEAD_H

#include "alert/alert.h"
#include "record/window.h"

/* What the engines' findings tell together, over time and over sites: "this began at site X,
 * expect it at Y in about N hours", and "this port explains the change of the whole".
 *
 * Findings pass through a struct lead on their way to the book. It follows, for each thing that
 * rises, at which site it came when; from the second site on it says when to expect it at the
 * others, with an interval and a chance, and remembers what became of each forecast. What it
 * says goes into the book as findings of an engine called LEAD_ENGINE, and so becomes a part of
 * the alert. docs/engines/lead.md has the model. No clock, no randomness: same findings, same
 * windows, same forecasts. */

#define LEAD_ENGINE "lead"

#define FORECAST_STATES(X)                                                                     \
    X(FORECAST_OPEN, "open")                                                                   \
    X(FORECAST_CAME, "came")     /* after it was said */                                       \
    X(FORECAST_LATE, "late")     /* it had begun there before it was said */                   \
    X(FORECAST_MISSED, "missed") /* it did not come within the horizon */                      \
    X(FORECAST_VOID, "void")     /* the site did not watch, so nobody knows */

enum forecast_state {
#define X(id, name) id,
    FORECAST_STATES(X)
#undef X
    FORECAST_STATE_COUNT
};
const char *forecast_state_name(enum forecast_state s);
enum err forecast_state_parse(const char *word, enum forecast_state *ret_state) MUST_CHECK;

/* When something comes to a site that it has not reached. */
struct prediction {
    int64_t made;      /* close of the window after which it is said */
    int64_t expected;  /* as likely before as after, if it comes at all */
    int64_t low, high; /* four in five of those that come do so in between */
    double chance;     /* that it comes within the horizon */
};

struct forecast {
    char alert[ALERT_ID]; /* whose it is; "" until the alert is known */
    char site[RECORD_NAME_MAX + 1];
    char origin[RECORD_NAME_MAX + 1]; /* the site where it began */
    int64_t began;                    /* ... and when */
    uint8_t proto;
    uint16_t port;
    struct prediction first; /* what is scored */
    struct prediction last;  /* revised as more sites are reached */
    enum forecast_state state;
    int64_t came;    /* when it began at the site; 0: it has not */
    int64_t settled; /* when that was known; 0: not yet */
};

/* A new reference; NULL: out of memory. docs/formats/forecast.md. */
json_t *forecast_json(const struct forecast *f);

struct lead_options {
    int64_t horizon; /* us; what does not come within it was missed; 0: 48 hours */
    double chance;   /* least to speak at all; 0: 0.5 */
    size_t most;     /* things followed at once; 0: 256; the weakest goes first */
};

struct lead;

enum err lead_new(struct lead **ret_lead, const struct lead_options *options) MUST_CHECK;
void lead_free(struct lead *l);

/* The engines' findings go in here and on to the book, to which lead_turn() adds its own. */
struct sink lead_sink(struct lead *l, struct alert_book *book);

/* At the close of a window, before the book is turned. */
enum err lead_turn(struct lead *l, const struct window *w, struct alert_book *book) MUST_CHECK;

/* An alert as the book tells it: forecasts learn whose they are. */
void lead_know(struct lead *l, const struct alert *a);

/* Calls `changed` for every forecast that is new, was revised or settled since the last time;
 * those of the thing that is followed longest first. */
enum err lead_tell(struct lead *l, enum err (*changed)(void *context, const struct forecast *f),
    void *context) MUST_CHECK;

/* Everything that the above depend on, between turns. load() takes untrusted bytes, all or
 * nothing. */
enum err lead_save(const struct lead *l, struct buf *out) MUST_CHECK;
enum err lead_load(struct lead *l, struct bytes saved, struct fault *f) MUST_CHECK;

#endif
