#ifndef CMD_PRIVILEGES_H
#define CMD_PRIVILEGES_H

#include "base/err.h"

/* For a server, once what needs root is open: give its data folder to `user` (NULL: kizashi,
 * where there is such a user, else root), and become that user for good, as JAIL_SERVER. root
 * stays root, so that it can read root's files, but without root's capabilities; `log_name`,
 * if not NULL, is the event that says so. ERR_NOTFOUND: there is no such user. */
enum err privileges_drop(
    const char *user, const char *data, const char *log_name, struct fault *f) MUST_CHECK;

#endif
