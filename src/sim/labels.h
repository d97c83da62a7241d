#ifndef SIM_LABELS_H
#define SIM_LABELS_H

#include "sim/telescope.h"

/* Who sent what, source by source: counted while the frames are made. */
struct labels;

enum {
    LABELS_MAX = 1 << 24 /* sources with their labels */
};

enum err labels_new(struct labels **ret_labels) MUST_CHECK;
void labels_free(struct labels *l);

/* Count a packet; a source may have several labels. ERR_FULL past LABELS_MAX. */
enum err labels_add(struct labels *l, uint32_t src, unsigned label, unsigned event) MUST_CHECK;

/* CSV: source,label,packets, a line each, in the order of their addresses; hosts of events are
 * labelled by the event's id. */
enum err labels_write(struct labels *l, const struct truth *truth, struct buf *out) MUST_CHECK;

#endif
