#ifndef CMD_SITE_OFFICE_H
#define CMD_SITE_OFFICE_H

#include "base/clock.h"
#include "base/json.h"
#include "bus/broker.h"
#include "cmd/site_token.h"
#include "store/catalog_remote.h"

/* Where sites are admitted: invitations, certificates and the message server's configuration,
 * in the folder `bus` of the hub's data. Used by the running hub and by kizashi site. */
struct site_office;

enum {
    SITE_OFFICE_SITES = 1000, /* that one hub takes */
    OFFICE_PATH = 4200
};

/* The catalogue is borrowed. Makes the certificate authority at its first use. */
enum err site_office_open(struct site_office **ret_office, const char *data, struct catalog *c,
    struct fault *f) MUST_CHECK;
void site_office_close(struct site_office *o);

/* Where sites reach the message server, "tls://HOST:PORT": what an enrolment tells them. */
enum err site_office_servers(struct site_office *o, const char *const *servers, size_t count,
    struct fault *f) MUST_CHECK;

/* Invite a site: a token for one enrolment until `expires`. It is shown once and kept nowhere.
 * ERR_FULL: as many as a hub takes are there. */
enum err site_office_invite(struct site_office *o, const struct catalog_remote *r,
    char ret_token[SITE_TOKEN], struct fault *f) MUST_CHECK;

/* A site answers an invitation with a request for a certificate; a new reference to what it is
 * told: site, certificate, ca, servers. ERR_DENIED: the token is wrong, used or too old.
 * One that is mistyped or another hub's is not used up. */
enum err site_office_enrol(struct site_office *o, const char *token, const char *request,
    int64_t now, json_t **ret_papers, struct fault *f) MUST_CHECK;

/* A site shows its certificate and asks for the next one, for a new key: `proof` is the
 * request signed with the old one. The old one counts for a week longer. ERR_DENIED: it is
 * revoked, replaced, ended more than 30 days ago, or not ours; ERR_BUSY: it is not yet time, by
 * the hub's clock. The papers say when to renew next ("renew"). */
struct site_renewal {
    const char *certificate, *request, *proof;
};
enum err site_office_renew(struct site_office *o, const struct site_renewal *asked, int64_t now,
    json_t **ret_papers, struct fault *f) MUST_CHECK;

/* How long certificates of sites are good from now on; without it a year. They are renewed when
 * a third of that is left. */
void site_office_life(struct site_office *o, int64_t life);

/* Which certificates count now is asked of this clock; without it of the system's. */
void site_office_clock(struct site_office *o, struct clock clock);

/* The message server's configuration as the catalogue is now. `b` says where it listens;
 * folder, users and the hub's name are filled in. */
enum err site_office_broker(struct site_office *o, const struct broker_options *b,
    struct buf *out, struct fault *f) MUST_CHECK;

/* Write it to FOLDER/nats.conf if it is another than what is there. */
enum err site_office_broker_write(struct site_office *o, const struct broker_options *b,
    bool *ret_changed, struct fault *f) MUST_CHECK;

/* Certificates of a server that is reached under these names, and of the hub as its client. */
enum err site_office_own(
    struct site_office *o, const char *const *hosts, size_t count, struct fault *f) MUST_CHECK;

/* The folder, absolute. */
const char *site_office_folder(const struct site_office *o);

#endif
