/* Hosts that were together before are together again: the past is another half hour, so it is
 * evidence of its own. */
#include "engine/nmf/nmf_int.h"
#include "num/order.h"
#include "num/tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_among(const uint64_t *ids, size_t count, uint64_t id)
{
    return count && bsearch(&id, ids, count, sizeof *ids, compare_u64);
}

/* Only from windows that share no slot with this half hour. */
static bool is_past(const struct nmf_state *s, const struct past *p)
{
    return p->window && p->window + WINDOWS + WINDOWS - 1 <= s->now &&
           s->now - p->window < PASTS;
}

/* Two visits among so many slots are as likely as there are pairs of a host's visits, so hosts
 * outside of the part are weighed by theirs. */
enum err nmf_compare(
    const struct nmf_state *s, const struct lines *l, struct arena *scratch, struct part *p)
{
    uint64_t *ids = arena_take(scratch, (size_t)PASTS * PAST_HOSTS, sizeof *ids);
    if (!ids)
        return ERR_NOMEM;
    size_t count = 0;
    for (size_t i = 0; i < PASTS; i++)
        if (is_past(s, &s->pasts[i])) {
            memcpy(ids + count, s->pasts[i].host, s->pasts[i].count * sizeof *ids);
            count += s->pasts[i].count;
        }
    if (!count)
        return OK;
    qsort(ids, count, sizeof *ids, compare_u64);
    double outside = 0.0;
    double known_outside = 0.0;
    double pairs_least = 1.0;
    for (size_t i = 0; i < l->count; i++) {
        const struct line *line = &l->list[i];
        bool known = is_among(ids, count, line->host);
        if (is_among(p->hosts, p->host_count, line->host)) {
            p->known += known;
            continue;
        }
        double pairs = 0.5 * line->visits * (line->visits - 1.0);
        outside += pairs;
        known_outside += known ? pairs : 0.0;
    }
    double rate = (known_outside + pairs_least) / (outside + 2.0 * pairs_least);
    double expected = rate * (double)p->host_count;
    if (p->known > expected)
        p->again = -log_tail_poisson(p->known, expected) / M_LN10;
    return OK;
}

void nmf_keep(struct nmf_state *s, const struct part *p)
{
    struct past *past = &s->pasts[s->now % PASTS];
    *past = (struct past){.window = s->now};
    past->count = (uint16_t)(p->host_count < PAST_HOSTS ? p->host_count : PAST_HOSTS);
    memcpy(past->host, p->hosts, past->count * sizeof *past->host);
}
