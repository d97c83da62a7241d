#ifndef CMD_SITE_ACTION_FILE_H
#define CMD_SITE_ACTION_FILE_H

#include "fleet/action.h"
#include "fleet/heartbeat.h"

/* Between a sensor, which has no rights, and the unit that does what the hub asks: two files in
 * the sensor's folder. action.json is asked for; action-done.json tells the newest that is
 * over. Both ends take the other for hostile. */

/* The sensor's end: ask, unless it is over or too late. ERR_IO. */
enum err site_action_ask(
    const char *folder, const struct site_action *a, int64_t now) MUST_CHECK;

/* What a heartbeat says of it. */
void site_action_report(const char *folder, struct heartbeat *h);

/* The unit's end: take what is asked for, which is then asked for no longer. ERR_NOTFOUND:
 * nothing is. */
enum err site_action_take(
    const char *folder, struct site_action *ret_action, struct fault *f) MUST_CHECK;
enum err site_action_over(
    const char *folder, int64_t id, const char *result, struct fault *f) MUST_CHECK;

#endif
