#ifndef ALERT_LEAD_INT_H
#define ALERT_LEAD_INT_H

#include "alert/lead.h"
#include "base/clock.h"

enum {
    LEAD_SITES = FINDING_SITES,
    LEAD_MACROS = 64,

    /* Hypotheses of how a thing spreads. */
    MODEL_SHAPES = 2,
    MODEL_SPANS = 31,
    MODEL_SHARES = 9,
    MODEL_SIZE = MODEL_SHAPES * MODEL_SPANS * MODEL_SHARES
};

/* --- the model: lead_course.c ---------------------------------------------------------------
 *
 * The first site apart, each site is reached with probability `share`, at a time after the
 * first that is uniform over [0, span] or exponential with mean span / 2. What is known of the
 * sites weighs these hypotheses, and things that came before tell how much each weighs to begin
 * with. */
struct model {
    double learned[MODEL_SIZE]; /* sum of the weights that earlier things ended with */
    double things;              /* how many those were; old ones fade */
};

/* One thing as the model sees it; hours after the first site. */
struct progress {
    double came[LEAD_SITES];
    size_t came_count;
    size_t waiting;
    double elapsed;
    double step; /* times are known to this much */
};

/* Quantiles in hours from now, of those that come within `horizon`. False: nobody waits, or
 * nothing that the model knows fits. */
struct outlook {
    double chance;
    double low, middle, high;
};
bool lead_foresee(const struct model *m, const struct progress *p, double horizon,
    struct outlook *ret_outlook);
void lead_learn(struct model *m, const struct progress *p);

/* --- what is followed: lead.c --------------------------------------------------------------
 */

struct arrival {
    char site[RECORD_NAME_MAX + 1];
    int64_t came;           /* when it began there */
    int64_t told;           /* when a finding first said so */
    int64_t surged;         /* last finding of surge there; 0: none */
    double surge_score;     /* ... and its score */
    double sources, normal; /* as last told; 0: not told */
};

struct expected {
    struct forecast forecast;
    uint32_t windows, blind; /* since it was made, and those in which the site did not watch */
    bool changed;
};

/* A change of the whole traffic of a site, which some port may explain. */
struct macro {
    char site[RECORD_NAME_MAX + 1];
    int64_t time;
    int64_t start;
    double score;
};

struct spread {
    uint8_t proto;
    uint16_t ports[FINDING_PORTS];
    size_t port_count;
    char alert[ALERT_ID];
    enum severity severity; /* highest of findings of rises */
    double score;           /* largest of them */
    int64_t rose;           /* last finding of a rise; 0: none */
    int64_t last;           /* last finding of any kind */
    struct arrival arrivals[LEAD_SITES];
    size_t arrival_count;
    struct expected forecasts[LEAD_SITES];
    size_t forecast_count;
    struct macro macro; /* time 0: none */
    bool arrived;       /* at a site more, since it was looked at */
    bool explains;      /* a macro, since it was looked at */
};

struct lead {
    struct lead_options options;
    struct model model;
    struct spread **spreads; /* owned, oldest first */
    size_t count, room;
    struct macro macros[LEAD_MACROS]; /* of the last hour, oldest first */
    size_t macro_count;
    struct alert_book *book; /* where lead_sink() passes on to */
};

/* The arrival at the site where it began; NULL: no site has told for itself. */
const struct arrival *spread_first(const struct spread *s);
const struct arrival *spread_at(const struct spread *s, const char *site);
bool spread_has_port(const struct spread *s, const uint16_t *ports, size_t count);
enum err lead_add(struct lead *l, struct spread *s) MUST_CHECK;
void lead_clear(struct lead *l);

/* --- lead_note.c ----------------------------------------------------------------------------
 */

enum err lead_note(struct lead *l, const struct finding *f) MUST_CHECK;
/* Give each change of the whole to the port that explains it. */
void lead_explain(struct lead *l, int64_t now);

/* --- lead_say.c -----------------------------------------------------------------------------
 */

/* Put what is known of the thing into the book. */
enum err lead_say(
    const struct spread *s, const struct window *w, struct alert_book *book) MUST_CHECK;

#endif
