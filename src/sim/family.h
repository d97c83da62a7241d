#ifndef SIM_FAMILY_H
#define SIM_FAMILY_H

#include "sim/world_int.h"

/* Families of malware beside the background's: each with services, a program that makes its
 * headers, and a pace of its own, so that what tells families apart can be measured
 * (docs/simulator.md). Off unless asked for. */

/* Who a sender is, as the labels state it. */
enum label {
    LABEL_NOISE, /* a slow host of no family */
    LABEL_MIRAI, /* a slow host that runs Mirai */
    LABEL_SCANNER,
    LABEL_SURVEY,
    LABEL_RESEARCH, /* an organisation on no list */
    LABEL_WRONG,    /* misled by a wrong setting */
    LABEL_VICTIM,   /* backscatter */
    LABEL_EVENT,    /* host of an event; which one is the probe's to say */
    LABEL_FAMILY,   /* the first of the families */
    LABEL_MOST = 63
};

struct families;

/* `rate`: packets that all of them together send to an address in a day. */
enum err families_open(struct families **ret_families, const struct world *w, double rate,
    uint64_t seed) MUST_CHECK;
void families_close(struct families *f);
void families_tick(void *families, const struct world *w, struct outbox *o);

/* The word for a label that is no event: "noise", "hajime". NULL past the last. */
const char *label_name(unsigned label);

#endif
