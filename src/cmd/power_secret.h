#ifndef CMD_POWER_SECRET_H
#define CMD_POWER_SECRET_H

#include "base/err.h"
#include "store/catalog_fleet.h"

/* Passwords of management controllers that an admin gave to the hub over HTTP: each in a file
 * of mode 0600 in the folder `power` of the data folder, which the keeper of the power reads.
 * The catalogue knows the path only. */

/* Durable when it returns OK; a new file each time, so that what was there serves until the
 * catalogue names the new one. */
enum err power_secret_keep(const char *data, const char *site, const char *password,
    char ret_path[CATALOG_SENTENCE], struct fault *f) MUST_CHECK;

/* Remove a file that power_secret_keep() made; any other is left alone. */
void power_secret_drop(const char *data, const char *path);

#endif
