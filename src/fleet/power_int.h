#ifndef FLEET_POWER_INT_H
#define FLEET_POWER_INT_H

#include "fleet/power.h"

enum err power_ipmi(const struct power_door *door, const char *password,
    enum power_action action, const char *helper, bool *ret_on, struct fault *f) MUST_CHECK;
enum err power_redfish(const struct power_door *door, const char *password,
    enum power_action action, bool *ret_on, struct fault *f) MUST_CHECK;

#endif
