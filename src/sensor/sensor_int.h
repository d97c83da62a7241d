#ifndef SENSOR_SENSOR_INT_H
#define SENSOR_SENSOR_INT_H

#include "sensor/contacts_int.h"
#include "sensor/dos_int.h"
#include "sensor/misconfig_int.h"
#include "sensor/sensor.h"
#include "sensor/services_int.h"
#include "sensor/sources_int.h"

/* The sensor's insides. sensor.c takes packets, sensor_room.c finds their sources and contacts
 * a place, sensor_close.c closes windows and tells what was seen. */

struct rule_use; /* evidence_int.h */

/* Contact rows of one window. */
struct contact_rows {
    struct block **blocks;
    size_t count; /* in use */
    size_t room;
};

struct sensor {
    char site[RECORD_NAME_MAX + 1];
    struct sensor_shared shared;
    struct sensor_options options;
    struct sensor_counts counts;
    struct hosts hosts;
    struct contacts contacts;
    struct services services;
    struct rule_use *use; /* by rule; SIGNATURES_MAX of them */
    bool open;            /* a window is open */
    bool closed;          /* the tables still hold the window that was closed last */
    int64_t start;        /* of the window */
    uint32_t window;
    uint64_t window_packets;
    uint64_t scope_packets[SCOPE_COUNT]; /* since the start */
    struct contact_rows rows[2];         /* of the two windows that were closed last */
    unsigned turn;                       /* which of them is the newer */
    struct dos dos;
    struct misconfig misconfig;
};

/* Make the tables ready for the window that holds `ts`, if none is open. */
enum err sensor_open_window(struct sensor *s, int64_t ts) MUST_CHECK;

/* The entry of a source, new if need be; HOST_NONE if the source is left out. `hash` is
 * hosts_hash(). */
enum err sensor_find_host(
    struct sensor *s, const struct ip *ip, uint64_t hash, uint32_t *ret_host) MUST_CHECK;

/* Look up where a source is. Put off until somebody asks, at the latest to the close of the
 * window, where look-ups do not wait for each other. */
void sensor_locate(const struct sensor *s, struct host *h);

/* The contact of a source and service, new if need be. Making room for it may give the source
 * another number, or leave it out: then *host is HOST_NONE. */
enum err sensor_find_contact(struct sensor *s, uint32_t *host, const struct packet *p,
    enum packet_class class, uint32_t *ret_contact) MUST_CHECK;

/* Bring the evidence of the sources that serve as examples of their rules up to date, and let
 * go of them: they may be forgotten after it, what has been said about them is not. */
void sensor_note_examples(struct sensor *s);

/* The word for a rule + 1; "" for 0. */
const char *sensor_tool_name(const struct sensor *s, unsigned tool);

#endif
