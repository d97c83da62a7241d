#ifndef ENGINE_TAIL_H
#define ENGINE_TAIL_H

#include "base/buf.h"
#include "base/bytes.h"

#include <stdbool.h>

/* The model's p-values are only as good as the model. The tail of the scores that a place
 * really gives says by how much to mistrust them: its rate and its slope replace the model's
 * where they are worse. As in Siffer, Fouque, Termier, Largouet, "Anomaly detection in streams
 * with extreme value theory", KDD 2017, but on scores of many series at once, with an
 * exponential tail fitted by quantiles, which a few real events among the scores do not move.
 */

enum {
    TAIL_BINS = 80 /* of 0.25, scores 0..20 */
};

struct tail {
    double total;
    double bins[TAIL_BINS];
};

/* One more score: -log10 of a p-value; 0 for anything unremarkable. */
void tail_add(struct tail *t, double score);
/* Once a day: a tenth is forgotten. */
void tail_decay(struct tail *t);
/* -log10 of the share of scores that reach `score`: the score itself if they fall as the model
 * says, less if there are more of them; never more. */
double tail_correct(const struct tail *t, double score);

void tail_save(const struct tail *t, struct buf *out);
/* False if a number is not one that a tail can hold. */
bool tail_load(struct tail *t, struct bytes *in);

#endif
