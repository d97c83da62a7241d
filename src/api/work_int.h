#ifndef API_WORK_INT_H
#define API_WORK_INT_H

#include "base/err.h"

#include <stdbool.h>

/* Threads that answer requests, so that a slow question holds up neither the network nor the
 * event stream. */

struct workers;
struct request;

enum {
    WORK_QUEUE = 2048 /* requests that wait; more are told to come again */
};

/* `run` is called on one of `threads` threads for every request offered. */
enum err workers_new(
    struct workers **ret_workers, unsigned threads, void (*run)(struct request *r)) MUST_CHECK;

/* Runs `begin` (which suspends the connection) and queues; false, with nothing done, if the
 * queue is full or the workers are stopping. */
bool workers_offer(struct workers *w, struct request *r, void (*begin)(struct request *r));

/* Take no more; returns when everything that was taken is answered. */
void workers_stop(struct workers *w);
void workers_free(struct workers *w);

#endif
