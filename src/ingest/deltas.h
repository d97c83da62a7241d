#ifndef INGEST_DELTAS_H
#define INGEST_DELTAS_H

#include "record/block.h"

/* Contacts of a few packets, made from their rows. Live, the store gets these with every batch
 * of packets, so that what people see is seconds old, not a window. Summed over a window they
 * are the window's contacts, but for one thing: each row has the class and tool that its
 * packets were given when they came, while a window's contact has the last word on both. */
struct deltas;

/* For at most `rows` packets at once. */
enum err deltas_new(struct deltas **ret_deltas, size_t rows) MUST_CHECK;
void deltas_free(struct deltas *d);

/* Contact rows for all packets of a block; `window` is the length of windows. The block that is
 * returned is borrowed until the next call. */
enum err deltas_make(struct deltas *d, const struct block *packets, int64_t window,
    const struct block **ret_contacts) MUST_CHECK;

#endif
