#ifndef BUS_SENDER_H
#define BUS_SENDER_H

#include "base/clock.h"
#include "bus/bus.h"
#include "bus/spool.h"

/* The site's half of delivery: entries go from the spool onto the bus in order, a bounded
 * number of them ahead of what the hub has stored, and leave the spool when the hub says so.
 * What the bus refuses or loses is sent again, under a new id, so that the bus does not take it
 * for a copy. The sender owns no thread and no clock: it is told what happened and asked to go
 * on. */
struct sender;

struct sender_options {
    struct spool *spool; /* borrowed, as the others */
    struct bus *bus;
    const struct clock *clock;
    size_t messages_max; /* under way at once; 0: 128 */
    uint64_t bytes_max;  /* the same in bytes; 0: 32 MiB */
};

enum err sender_new(
    struct sender **ret_sender, const struct sender_options *options) MUST_CHECK;
void sender_free(struct sender *s);

/* Something happened on the bus; what does not concern the sender is passed over. */
void sender_event(struct sender *s, const struct bus_event *e);

/* Send what may be sent now. OK also if nothing may; else the spool's failure. */
enum err sender_pump(struct sender *s, struct fault *f) MUST_CHECK;

/* Does it hold back, for a moment after the bus was connected, because the hub has not said yet
 * how far it is? The hub says so to a site that it hears from. */
bool sender_waits(const struct sender *s);

struct sender_counts {
    uint64_t published; /* messages, with those that were sent again */
    uint64_t repeated;  /* those */
    uint64_t rewinds;   /* times that it went back */
    uint64_t sent;      /* everything up to this number is with the bus, or further */
    uint64_t committed; /* as the hub says */
    uint64_t bytes;     /* published */
    size_t under_way;   /* entries that are published and not committed */
    int64_t oldest;     /* when the first of these was put into the spool; 0: none */
    int64_t heard;      /* when the hub said something last; 0: never */
};
void sender_counts(const struct sender *s, struct sender_counts *ret_counts);

#endif
