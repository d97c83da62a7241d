#ifndef CMD_BACKUP_H
#define CMD_BACKUP_H

#include "store/catalog.h"
#include "store/store.h"

#include <stdbool.h>

/* A backup of a hub's data folder: a folder that a hub takes for its data. In it are the
 * catalogue, the store, the keys and certificates of sites and their hub, the logbook, and the
 * first password. What sites keep until the hub has it is not: the message server's messages.
 */

/* Where it is made first, in the data folder itself, so that the store's files need not be
 * copied. */
#define BACKUP_FOLDER "backup.part"

/* All backups of a folder are made in that one place: who has the turn keeps it until its own
 * is where it goes. ERR_BUSY: another has it; ERR_NOTFOUND: no such folder. Where folders
 * cannot be locked, who calls sees to that. Closing `*ret_turn` gives it back. */
enum err backup_turn(const char *data, int *ret_turn, struct fault *f) MUST_CHECK;

/* One that was left there by who was killed is removed, unless a backup is being made just now.
 * `*ret_left`: there was one. */
enum err backup_clear(const char *data, bool *ret_left, struct fault *f) MUST_CHECK;

struct backup_parts {
    const char *data; /* the folder */
    struct store *store;
    struct catalog *catalog;
};

/* Make it as data/BACKUP_FOLDER, while the hub goes on. One that was left there is removed
 * first. Of the three the catalogue is the oldest and the logbook the newest, as after a crash:
 * what is noted as done in one is in the next. After a failure nothing is left. */
enum err backup_make(const struct backup_parts *p, struct fault *f) MUST_CHECK;

/* Take it from there to `out`, where there must be nothing: moved on the same file system, else
 * copied and synced. After a failure nothing is left of it, there and here. */
enum err backup_deliver(const char *data, const char *out, struct fault *f) MUST_CHECK;

#endif
