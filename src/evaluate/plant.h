#ifndef EVALUATE_PLANT_H
#define EVALUATE_PLANT_H

#include "engine/engine.h"
#include "evaluate/baseline.h"
#include "evaluate/tape.h"

/* How small a crowd can be and still be found: hosts that act in step are planted into recorded
 * windows, and engines and baselines are asked whether they see them, at an equal number of
 * alerts a day on the windows as they are.
 *
 * A trial draws a window, a site, and the TCP port of one of that window's contacts. In it, N
 * new hosts of different networks send a packet to the port in each of the same K of the
 * window's twelve slots of 50 s. Every engine sees the planted window with the state that it
 * has come to by then; the state after it is thrown away. Found is what names the port and
 * protocol. */

enum {
    PLANT_SIZES = 8,
    PLANT_SLOTS = 6,
    PLANT_TRIALS = 1000,
    PLANT_METHODS = 16 + BASELINE_RULES + 1,
    PLANT_BUDGETS = 5
};

/* Alerts a day, over all sites. */
extern const double plant_budgets[PLANT_BUDGETS];

struct plant_options {
    uint32_t sizes[PLANT_SIZES];
    size_t size_count;
    uint32_t slots[PLANT_SLOTS]; /* each 1..12 */
    size_t slot_count;
    size_t trials; /* in each cell */
    int64_t after; /* trials begin so long after the first window, us */
    int64_t quiet; /* findings on one port with less between them are one alert, us */
    uint64_t seed;
    const struct engine *const *engines; /* NULL at the end */
    const struct conf *const *confs;
    void (*progress)(void *context, size_t done, size_t of); /* NULL: not wanted */
    void *context;
};

struct plant_cell {
    uint64_t hits[PLANT_BUDGETS]; /* trials with a score above the budget's threshold */
    uint64_t notices;             /* trials with a notice or more; engines only */
};

struct plant_method {
    char name[24];
    bool engine;                     /* has a severity of its own */
    bool together;                   /* any of the engines: counts by severity only */
    double threshold[PLANT_BUDGETS]; /* above all that was seen, if that gives more alerts */
    uint64_t clean_notices;          /* alerts on the windows as they are */
    struct plant_cell cells[PLANT_SIZES][PLANT_SLOTS];
};

struct plant_result {
    struct plant_options options;
    double days; /* of the windows on which alerts were counted */
    struct plant_method methods[PLANT_METHODS];
    size_t method_count;
};

/* `counts` are those of the tape; sorted. The fault says what is missing: too few windows, no
 * TCP. */
enum err plant_run(struct tape *t, struct host_counts *counts, const struct plant_options *o,
    struct plant_result *ret_result, struct fault *f) MUST_CHECK;

#endif
