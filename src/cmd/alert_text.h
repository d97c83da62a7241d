#ifndef CMD_ALERT_TEXT_H
#define CMD_ALERT_TEXT_H

#include "base/json.h"

#include <stdio.h>

/* One alert, from its JSON form (docs/formats/alert.md), as a person reads it. Members that are
 * missing are left out. */
void alert_text(FILE *out, const json_t *alert);

#endif
