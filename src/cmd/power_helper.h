#ifndef CMD_POWER_HELPER_H
#define CMD_POWER_HELPER_H

#include <limits.h>

/* The program kizashi-ipmi: beside this one where it is installed, or in the folder where it
 * was built. Returns `path`, or NULL: there is none. */
const char *power_helper_find(char path[PATH_MAX]);

#endif
