#ifndef RECORD_NEED_H
#define RECORD_NEED_H

#include <stdbool.h>
#include <stdint.h>

/* What an analysis needs of the fields of a record: it says so in a table of these rows, and
 * what a site lets out is held against them (anon/propose.h). */

enum need_field {
    NEED_SOURCE,
    NEED_DESTINATION,
    NEED_SOURCE_PORT,
    NEED_DESTINATION_PORT,
    NEED_TIME,
    NEED_PAYLOAD,
    NEED_NUMBERS,
    NEED_PLACE,
    NEED_DNS,
    NEED_URL,
    NEED_FIELDS
};

/* Relations between values that must survive. */
enum need_relation {
    NEED_VALUE = 1 << 0,  /* the value itself */
    NEED_EQUAL = 1 << 1,  /* equal where it was, and only there, at one site and in one epoch */
    NEED_PREFIX = 1 << 2, /* how much two have in common from the front (names: at the end) */
    NEED_ORDER = 1 << 3,  /* which is more: order and distance of times, length of payloads */
    NEED_PART = 1 << 4,   /* the coarser part of the value: first bits of an address, class of a
                             port, first bytes, country without network, registered domain */
    NEED_ACROSS = 1 << 5, /* equal at several sites, too */
};

struct need {
    enum need_field field;
    unsigned relations;
    bool vital;          /* nothing works without it; else a part */
    uint8_t ipv4, ipv6;  /* NEED_PART of addresses: so many bits */
    uint16_t bytes;      /* NEED_PART of payload */
    int64_t resolution;  /* NEED_TIME: us, at most; 0: any */
    const char *without; /* what is lost, half a sentence; NULL ends a table */
};

#endif
