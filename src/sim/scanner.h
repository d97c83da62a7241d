#ifndef SIM_SCANNER_H
#define SIM_SCANNER_H

#include "sim/world_int.h"

/* The few fast hosts: one source that asks all of IPv4, and therefore every site, for one or
 * more ports, with a tool whose headers give it away; and surveys, organisations that do so for
 * years from addresses that they announce. */

enum {
    SCANNER_PORTS = 4
};

struct scanner {
    struct host host;
    double pps; /* over all of IPv4 */
    int64_t from, until;
    uint8_t kind;
    uint8_t payload;    /* of UDP and echo */
    uint8_t port_count; /* 0: all ports */
    uint16_t ports[SCANNER_PORTS];
};

/* Its probes of the tick; `sites` are those that it reaches. */
void scanner_tick(const struct scanner *s, const struct world *w, const struct spread *sites,
    struct rng *r, struct outbox *o);

/* A scanner with a tool, speed, life and ports as they come, starting at `from`. */
void scanner_draw(struct scanner *s, const struct world *w, int64_t from, struct rng *r);

struct scanners;

enum err scanners_open(
    struct scanners **ret_scanners, const struct world *w, uint64_t seed) MUST_CHECK;
void scanners_close(struct scanners *s);
void scanners_tick(void *scanners, const struct world *w, struct outbox *o);

enum {
    SURVEYS = 6
};

struct surveys;

enum err surveys_open(
    struct surveys **ret_surveys, const struct world *w, uint64_t seed) MUST_CHECK;
void surveys_close(struct surveys *s);
void surveys_tick(void *surveys, const struct world *w, struct outbox *o);

/* Organisation `i` of SURVEYS: the /26 that it announces. */
uint32_t surveys_prefix(const struct surveys *s, size_t i);

#endif
