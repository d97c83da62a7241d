#ifndef CMD_HUB_SERVERS_H
#define CMD_HUB_SERVERS_H

#include "base/conf.h"
#include "bus/broker.h"
#include "bus/nats.h"
#include "cmd/site_office.h"
#include "store/catalog.h"

#include <stdbool.h>

/* The message servers of a hub as its options say: one that the hub keeps running itself
 * (--sites), or others' (--bus). */

/* Does the hub receive from sites elsewhere? */
bool servers_wanted(const struct conf *conf);

enum err servers_check(const struct conf *conf, struct fault *f) MUST_CHECK;

/* With --sites: begin the process that keeps the message server running, while the hub still
 * may start one. */
enum err servers_begin(const struct conf *conf, const char *data, struct broker **ret_broker,
    struct fault *f) MUST_CHECK;

/* Where sites are wanted: their office, told where the message servers are. */
enum err servers_office(const struct conf *conf, const char *data, struct catalog *catalog,
    struct site_office **ret_office, struct fault *f) MUST_CHECK;

/* The hub's own way to the servers; `nats` points into the rest. */
struct servers_way {
    struct bus_nats_options nats;
    char url[64], ca[OFFICE_PATH + 16], certificate[OFFICE_PATH + 16], key[OFFICE_PATH + 16];
};
void servers_way(
    const struct conf *conf, const struct site_office *office, struct servers_way *ret_way);

#endif
