#ifndef CMD_SITE_IDENTITY_H
#define CMD_SITE_IDENTITY_H

#include "base/err.h"
#include "bus/nats.h"

#include <stddef.h>

/* Who a site is, as its folder says: site.json with its name and the hub's addresses, and
 * beside it key.pem (made here, never sent), certificate.pem and ca.pem. */
struct site_identity {
    char site[BUS_SITE_MAX + 1];
    char servers[BUS_SERVERS_MAX][256];
    size_t server_count;
    char hub[256];     /* URL of its API; "" if not known */
    char hub_ca[1024]; /* file: whom to trust for it; "": the system's list */
    int64_t renew;     /* when the certificate is to be renewed; 0: not known */
    char ca[4200], certificate[4200], key[4200]; /* files; "": none */
};

/* ERR_NOTFOUND: the folder holds none. What a crash left half replaced is brought to its end.
 */
enum err site_identity_read(
    struct site_identity *ret_identity, const char *folder, struct fault *f) MUST_CHECK;

/* The same beside a sensor that may be at work: nothing is changed. What is half replaced is
 * read as it is. */
enum err site_identity_look(
    struct site_identity *ret_identity, const char *folder, struct fault *f) MUST_CHECK;

/* Make the folder, and see that files can be written there: asked before what is had once. */
enum err site_identity_room(const char *folder, struct fault *f) MUST_CHECK;

/* What a hub gave, and the key that it belongs to; everything is there, or nothing changed. */
struct site_papers {
    const char *ca, *certificate, *key; /* PEM texts */
};
enum err site_identity_write(const struct site_identity *identity,
    const struct site_papers *papers, const char *folder, struct fault *f) MUST_CHECK;

#endif
