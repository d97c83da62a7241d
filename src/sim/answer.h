#ifndef SIM_ANSWER_H
#define SIM_ANSWER_H

#include "sim/world_int.h"

/* Backscatter: victims of randomly spoofed floods answer addresses that never asked, among
 * them the telescope's. */

struct answers;

enum err answers_open(
    struct answers **ret_answers, const struct world *w, uint64_t seed) MUST_CHECK;
void answers_close(struct answers *a);
void answers_tick(void *answers, const struct world *w, struct outbox *o);

struct attack {
    struct host victim;
    int64_t from, until;
    double pps;   /* answers over all of IPv4 */
    uint8_t kind; /* enum probe_kind of the answers */
    uint16_t port;
    bool acknowledges; /* RST with ACK */
};

/* An attack with victim, service, size and length as they come. */
void attack_draw(struct attack *a, const struct world *w, int64_t from, struct rng *r);
void attack_tick(const struct attack *a, const struct world *w, const struct spread *sites,
    struct rng *r, struct outbox *o);

#endif
