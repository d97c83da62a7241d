#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include "base/conf.h"

/* What `kizashi doctor` finds: one verdict a check. */

enum doctor_state {
    STATE_OK,
    STATE_WARN, /* something is left out: it starts without */
    STATE_FAIL  /* it does not start, or loses data */
};

struct verdict {
    enum doctor_state state;
    char found[512];
    char mend[512]; /* what to do; "" when nothing */
};

void doctor_say(
    struct verdict *v, enum doctor_state state, const char *found, const char *mend);

/* The same, where what was found stands there already. */
void doctor_mend(struct verdict *v, enum doctor_state state, const char *mend);

/**
 * What a site's sensor needs beside what every machine does: its configuration, certificate and
 * key, the way to its hub, the disk for its spool, and its policy. `conf` is doctor's; its
 * --data is set to the folder that the sensor's configuration names, unless it was given.
 */
void doctor_sensor_look(struct conf *conf,
    void (*report)(void *context, const char *check, const struct verdict *v), void *context);

#endif
