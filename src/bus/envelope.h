#ifndef BUS_ENVELOPE_H
#define BUS_ENVELOPE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "bus/spool.h"

/* One message of a site as it crosses the bus: whose entry of which spool it is, and the
 * entry's bytes. The site's name is not in it: that is the subject's, which the broker allows
 * to the holder of the site's certificate only. docs/formats/bus.md. */
struct envelope {
    uint64_t spool;    /* identity of the site's spool */
    uint64_t number;   /* of the entry; from 1 */
    uint64_t previous; /* number of the entry before it that the site still holds; 0: none */
    uint32_t items;
    char kind[SPOOL_KIND_MAX + 1];
    struct bytes data; /* borrowed */
};

enum {
    ENVELOPE_HEADER = 56
};

void envelope_write(const struct envelope *e, struct buf *out);

/* ERR_SHORT, ERR_BAD: not an envelope, or its checksum disagrees; ERR_RANGE: numbers that no
 * site gives. */
enum err envelope_read(struct bytes in, struct envelope *ret_envelope) MUST_CHECK;

/* What the hub tells a site: how far it has stored what the site sent. JSON in both ways. */
struct commitment {
    uint64_t spool;
    uint64_t committed; /* everything up to this number is in the store */
    uint64_t want;      /* number that the hub waits for, which seems to be lost; 0: none */
};

void commitment_write(const struct commitment *c, struct buf *out);
enum err commitment_read(struct bytes in, struct commitment *ret_commitment) MUST_CHECK;

#endif
