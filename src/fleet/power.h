#ifndef FLEET_POWER_H
#define FLEET_POWER_H

#include "base/err.h"

#include <stdbool.h>

/* Power of a site's machine, switched by its management controller: over IPMI (RMCP+) or
 * Redfish. Nothing is switched without being asked for, and nothing is asked again by itself.
 */

/* X(id, word, sentence) */
#define POWER_ACTIONS(X)                                                                       \
    X(POWER_STATUS, "status", "Ask whether it is on.")                                         \
    X(POWER_ON, "on", "Switch it on.")                                                         \
    X(POWER_OFF, "off", "Switch it off at once.")                                              \
    X(POWER_SHUTDOWN, "shutdown", "Ask its operating system to shut down.")                    \
    X(POWER_CYCLE, "cycle", "Switch it off and on again.")                                     \
    X(POWER_RESET, "reset", "Reset it without switching it off.")

enum power_action {
#define X(id, word, sentence) id,
    POWER_ACTIONS(X)
#undef X
    POWER_ACTION_COUNT
};
const char *power_action_name(enum power_action a);
enum err power_action_parse(const char *word, enum power_action *ret_action) MUST_CHECK;

enum {
    POWER_SECRET_MAX = 128,
    POWER_WAIT_S = 20 /* at most */
};

struct power_door {
    const char *kind;    /* "ipmi" or "redfish" */
    const char *address; /* ipmi: "HOST" or "HOST:PORT"; redfish: "https://HOST[:PORT]", with
                            "#sha256//..." the pin of a key that nobody has certified */
    const char *user;
    const char *secret; /* file of mode 0600 with the password in its first line */
};

/* Is this something that power_run() can use? The secret's file is looked at. */
enum err power_check(const struct power_door *door, struct fault *f) MUST_CHECK;

/**
 * Do it, and tell whether the power is on afterwards (as far as the controller knows by then).
 *
 * @param helper the program kizashi-ipmi, for kind "ipmi": FreeIPMI is under the GPL, so it
 * runs in a program of its own, which gets the password on its standard input.
 * @return OK; ERR_DENIED: the secret's file may be read by others, or the controller refuses;
 * ERR_NOTFOUND: no helper; ERR_BAD: the controller answers nonsense; ERR_IO: nobody answers.
 */
enum err power_run(const struct power_door *door, enum power_action action, const char *helper,
    bool *ret_on, struct fault *f) MUST_CHECK;

#endif
