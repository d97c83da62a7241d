#ifndef CMD_SENSOR_SEND_H
#define CMD_SENSOR_SEND_H

#include "bus/bus.h"
#include "bus/sender.h"
#include "cmd/sensor_rules.h"
#include "ingest/collector.h"

#include <stdatomic.h>

/* The sensor's sending thread: it publishes what is in the spool, hears what the hub has
 * stored, and says every few seconds how the site is. */
struct sensor_send;

enum {
    /* A hub has told its message server of a certificate a few seconds after it gave it out; a
     * refusal that lasts longer is one. */
    SENSOR_DENIED_S = 10
};

/* What a refusal by the message server means to a person: a clock there that is outside of the
 * certificate's time, or a certificate that counts no longer. */
enum {
    DENIED_TEXT = 512
};
const char *sensor_denied_text(
    const char *certificate, int64_t now, char ret_text[DENIED_TEXT]);

/* How the way to the hub is opened; on the sending thread, but for the first time. */
struct sensor_way {
    void *context;
    enum err (*open)(void *context, struct bus **ret_bus, struct fault *f);
};

struct sensor_send_options {
    const char *site;
    struct sensor_way way;
    const char *certificate; /* the site's, PEM file; NULL or "": none */
    int64_t denied_patience; /* of refusals until they are told, us; 0: SENSOR_DENIED_S */
    struct spool *spool;     /* borrowed, as what follows */
    const char *folder;      /* whose disk is told of */
    uint64_t spool_cap;
    struct collector *collector;
    int64_t started;
    struct sensor_rules *rules; /* gets what comes from the hub */
};

enum err sensor_send_start(struct sensor_send **ret_send,
    const struct sensor_send_options *options, struct fault *f) MUST_CHECK;

/* Close the way and open it anew: with the certificate that is there now. What is captured
 * meanwhile waits in the spool. Should it not open, the program is asked to stop: its next
 * start finds what is there. From any thread; it does not wait. */
void sensor_send_reopen(struct sensor_send *s);

/* Has the hub stored everything that is in the spool? */
bool sensor_send_is_done(struct sensor_send *s);

/* What keeps the thread from sending just now: a spool that cannot be read, a message that the
 * server does not take. It is tried again. */
enum err sensor_send_failed(struct sensor_send *s, struct fault *f);

/* Ends the thread and closes the way. NULL is fine. */
void sensor_send_stop(struct sensor_send *s);

#endif
