#ifndef API_TICKER_INT_H
#define API_TICKER_INT_H

#include "base/err.h"

struct api;
struct ticker;

/* A thread that every second looks after connections and every two sends `tick`, and `site` for
 * each site whose state is another than before. */
enum err ticker_start(struct ticker **ret_ticker, struct api *a) MUST_CHECK;
void ticker_stop(struct ticker *t);

#endif
