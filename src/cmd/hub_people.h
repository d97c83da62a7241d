#ifndef CMD_HUB_PEOPLE_H
#define CMD_HUB_PEOPLE_H

#include "api/api.h"
#include "base/err.h"
#include "store/catalog.h"

/* Who may ask a hub when it starts: its first user, and the other commands on its machine. */

/* The user "admin" of a data folder that has none yet, with `password`, or where that is empty
 * with one by chance, which then stands in `password` and in the file admin-password of the
 * folder. Says so on stdout, with the password if it is to be shown: a log is read by many. */
enum err first_user_make(struct catalog *c, const char *data,
    char password[API_PASSWORD_MAX + 1], bool show, struct fault *f) MUST_CHECK;

/* Say on stdout where the portal is; of a hub that listens on all addresses by its `name`, or
 * without one by the machine's. */
void portal_tell(const char *address, const char *name);

/* Leave the address and a fresh token in the data folder for the other commands; tokens of
 * earlier runs are withdrawn. */
enum err address_leave(
    struct catalog *c, const char *data, const char *address_url, struct fault *f) MUST_CHECK;

#endif
