#ifndef CMD_IMPORTS_H
#define CMD_IMPORTS_H

#include "cmd/site_list.h"
#include "store/catalog.h"

/* Which captures a data folder has taken in already, so that the same capture is not taken
 * twice. */

/* What makes a capture the same: BLAKE2b-256 over its size and its first and last mebibyte.
 * ERR_NOTFOUND for what is no regular file (a pipe has no identity). */
enum err import_identity(
    const char *path, uint8_t ret_digest[CATALOG_HASH], uint64_t *ret_size) MUST_CHECK;

/* Leave out the captures of a site that the data folder has had; `note` is told each. */
void imports_leave_out(struct site_captures *captures, struct catalog *c,
    void (*note)(const char *site, const char *text));

/* Note that all captures of a list have been stored whole. */
enum err imports_note(
    const struct site_list *list, struct catalog *c, int64_t now, struct fault *f) MUST_CHECK;

#endif
