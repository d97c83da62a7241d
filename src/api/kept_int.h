#ifndef API_KEPT_INT_H
#define API_KEPT_INT_H

#include "api/api.h"

/* The store's answers, kept in proportion to what they cost: an answer that took a second
 * serves for 20 seconds, one of 10 ms is asked again at once. So no question, however often it
 * is asked, takes more than a twentieth of a core's time, and charts lag behind the data by a
 * minute at most. An answer serves for ten minutes if the store has got nothing since.
 * Questions that differ only in where within ten minutes a span begins or ends are the same.
 * While one thread asks, others with the same question wait for it. */

struct kept;

enum {
    KEPT_ANSWERS = 256,
    KEPT_BYTES = 1 << 18, /* of one; larger ones are not kept */
    KEPT_COST = 20,
    KEPT_MOST = 60 * US_SECOND,
    KEPT_UNCHANGED = 10 * US_MINUTE
};

enum err kept_new(struct kept **ret_kept) MUST_CHECK;
void kept_free(struct kept *k);

struct kept_ask {
    const struct ask *ask;
    enum ask_format format;
    uint64_t packets; /* what the store holds now, by which a change is known */
    int64_t now;      /* wall clock */
};
struct kept_answer {
    struct buf *out; /* gets the rows appended */
    char cursor[ASK_CURSOR];
    int64_t from, to; /* the span that `cursor` belongs to */
};
enum err kept_run(struct kept *k, const struct api_store *store, const struct kept_ask *q,
    struct kept_answer *answer, struct fault *f) MUST_CHECK;

#endif
