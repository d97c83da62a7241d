#ifndef ENGINE_TENSOR_TENSOR_INT_H
#define ENGINE_TENSOR_TENSOR_INT_H

#include "engine/picture.h"
#include "engine/pulse.h"
#include "engine/tail.h"
#include "engine/tensor/tensor.h"
#include "num/tucker.h"

enum {
    MEMORY = 18,       /* windows that are remembered: three hours of 10 minutes */
    FIBRE_HOSTS = 128, /* kept of one fibre: those with the smallest ids, so that the same are
                          kept of every fibre */
    SPANS = 3,
    CANDIDATES = 16, /* services of one window that are looked at together */
    BLOCK_PORTS = 8
};

/* A fibre of the tensor that stands out: the hosts of one service in one place of one window.
 */
struct fibre {
    uint32_t service;
    uint32_t window; /* number */
    uint8_t slot, span;
    uint16_t kept; /* of its brief hosts */
    uint32_t hosts;
    float expected;
    uint64_t id[FIBRE_HOSTS]; /* rising */
};

/* A service in which something stood out within the memory. */
struct watch {
    uint32_t service;
    float evidence[MEMORY]; /* by window number: -log10 p of that window alone; 0: nothing */
    uint16_t hosts[MEMORY]; /* in the peak ... */
    float expected[MEMORY]; /* ... and how many were to be expected there */
    uint32_t last;          /* last window with evidence */
    uint32_t fired;         /* first window with a finding; 0: none yet */
    int64_t start;          /* then: when it began */
    uint8_t history;        /* bit k: a finding k windows ago */
};

struct tensor_options {
    unsigned prefix;
    double min_hosts;
    unsigned leave_out;
    int64_t freeze;
    size_t services_max;
    size_t fibres_max;
};

struct tensor {
    struct engine_state state; /* first */
    struct tensor_options options;
    int64_t window;  /* length, us */
    uint32_t now;    /* number of the window in hand, from 1; 0 before the first */
    int64_t origin;  /* start of window number 0 */
    double services; /* a window that are looked at, slowly moving mean */
    struct tail tail;
    struct watch *watches; /* by service */
    size_t watch_count;
    struct fibre *fibres; /* by window, then service */
    size_t fibre_count;
    uint64_t left_out; /* services and fibres for which there was no room */
};

static const uint32_t tensor_spans[SPANS] = {1, 6, MEMORY};

static inline int64_t window_start(const struct tensor *s, uint32_t number)
{
    return s->origin + (int64_t)number * s->window;
}

/* What speaks for a service in this window; all in the scratch arena. */
struct voice {
    struct watch *watch; /* valid until the next service is heard */
    uint32_t service;
    struct pulse_peak peak;
    double burst;   /* -log10 p of the peak, for all places of the window */
    double again;   /* -log10 p of how many of its hosts have been in step before */
    uint32_t known; /* those hosts */
    double score;   /* of the best span, after correction for many tests */
    unsigned span;  /* number in tensor_spans */
    struct tally_source *sources; /* of the hosts in the peak */
    size_t source_count;
    double aimed;  /* share of them that the two favourite places of the destination map have */
    unsigned wide; /* places that their sites have */
    double share[PULSE_SLOTS];
    uint32_t seen[PULSE_SLOTS];
    uint64_t total;
};

/* The tensor and what its places stand for. */
struct cube {
    struct cells cells;
    uint32_t *index; /* cells x 3: host, voice, time */
    double *value;
    uint64_t *hosts; /* id of each host, rising */
    uint64_t *times; /* slot of the first fibre at each time, of all windows */
};

/* The factorisation of a window; in the scratch arena. */
struct factored {
    struct cube cube;
    struct tucker f; /* valid if the cube has cells */
    const struct voice *voices;
};

/* Services whose hosts go together, as the factorisation says. */
struct block_found {
    const struct factored *from;
    unsigned part;           /* of the hosts' factor; valid if share > 0 */
    double acts[CANDIDATES]; /* of each voice: how much the part's hosts act there now */
    struct voice *voice[BLOCK_PORTS]; /* the loudest first */
    size_t count;
    double score;
    unsigned span;
    double share;   /* of the tensor; 0: the tensor did not tell, each service stands alone */
    uint32_t hosts; /* above the threshold of their part */
};

/* weigh.c */

/* Score of services that are judged as one, and the span that gives it. */
double tensor_weigh(
    const struct tensor *s, struct voice *const *voices, size_t count, unsigned *ret_span);
/* The highest score that any services among these can have together: their p-value depends only
 * on how many they are and on the sum of what speaks for them. */
double tensor_weigh_best(const struct tensor *s, struct voice *voices, size_t count);
/* Hosts in step beyond chance, over the span. */
double tensor_excess(const struct tensor *s, const struct voice *v, unsigned span);

/* Do its hosts come at this time of every hour, and at no other? */
bool tensor_is_hourly(const struct tensor *s, const struct watch *w);

/* blocks.c: no more blocks than voices. */
enum err tensor_blocks(const struct tensor *s, struct voice *voices, size_t count,
    struct arena *scratch, struct block_found *ret_blocks, size_t *ret_count) MUST_CHECK;

/* picture.c: the block's hosts by port and by time. */
enum err tensor_picture(const struct tensor *s, const struct block_found *b,
    struct arena *scratch, struct picture *ret_picture) MUST_CHECK;

/* step.c */
enum err tensor_step(struct engine_state *st, const struct window *w, struct arena *scratch,
    struct sink *out) MUST_CHECK;

/* report.c */
enum err tensor_report(const struct tensor *s, const struct block_found *b,
    const struct tally *t, struct arena *scratch, struct sink *out) MUST_CHECK;

/* state.c */
enum err tensor_save(const struct engine_state *st, struct buf *out) MUST_CHECK;
enum err tensor_load(struct engine_state *st, struct bytes saved, struct fault *f) MUST_CHECK;

/* tensor.c */
enum err tensor_room(struct tensor *s) MUST_CHECK;
void tensor_clear(struct tensor *s);

#endif
