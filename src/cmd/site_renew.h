#ifndef CMD_SITE_RENEW_H
#define CMD_SITE_RENEW_H

#include "cmd/site_identity.h"

#include <stdbool.h>
#include <stdint.h>

/* A site's certificate is renewed by the site itself before it ends: a new key is made here,
 * and the hub signs it because the request is signed with the old one. */

/* Is it time, by this machine's clock? Never without a certificate. */
bool site_renew_due(const struct site_identity *identity, int64_t now);

/* Ask the hub, and put what it gives into the folder. The identity is then the new one. Errors
 * as site_post(); ERR_DENIED, too, for an answer that does not fit. What is there stays unless
 * all of it is well. */
enum err site_renew(
    struct site_identity *identity, const char *folder, struct fault *f) MUST_CHECK;

/* In a thread of its own, as long as the sensor runs: look every ten seconds, and when there is
 * another certificate tell so. */
struct site_renewer;
struct site_renewer_options {
    const struct site_identity *identity; /* copied */
    const char *folder;
    void *context;
    void (*renewed)(void *context); /* on the renewer's thread */
};
enum err site_renewer_start(
    struct site_renewer **ret_renewer, const struct site_renewer_options *options) MUST_CHECK;
/* NULL is fine. Waits for an exchange with the hub that is under way (at most 30 s). */
void site_renewer_stop(struct site_renewer *r);

#endif
