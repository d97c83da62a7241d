#ifndef BUS_PARCEL_H
#define BUS_PARCEL_H

#include "record/block.h"
#include "sensor/sensor.h"

/* A parcel is what a site sends of its packets: their rows, as the site's policy lets them out,
 * what the sensor saw in each by itself (so that the hub's sensor goes on from there and finds
 * what the site would), and the account of what was received and lost. It is written much
 * tighter than a block: a column is split into planes of bytes or replaced by numbers into a
 * table, what one column tells of another is left out, and each plane is packed by itself.
 * docs/formats/bus.md has the layout and the figures. */

enum {
    PARCEL_ROWS = 1 << 15,    /* at most */
    PARCEL_PAYLOAD = 4 << 20, /* bytes of payload in all rows, at most */
    PARCEL_LOOKS = 1 << 12,   /* different looks in one parcel; more lose their hits */
};

/* What happened at the site between the parcel before and this one. */
struct parcel_account {
    bool replay;   /* the packets come from captures, not from a wire */
    bool end;      /* and there are no more of them */
    bool masked;   /* sources are not the true addresses: nothing can be looked up by them */
    int64_t until; /* every packet before this time has been sent; 0: not known */
    uint64_t frames, bytes, dropped_kernel, dropped_queue;
    uint32_t failed[DECODE_RESULTS]; /* frames that gave no packet, by cause */
};

struct parcel {
    const struct block *packets;     /* record_packet; at most PARCEL_ROWS rows */
    const struct sensor_look *looks; /* one a row */
    const uint16_t *icmp_seq;        /* one a row; what no column has */
    struct parcel_account account;
};

/* Working memory for writing, about 3 MiB. */
struct parcel_writer;
enum err parcel_writer_new(
    struct parcel_writer **ret_writer, const struct fingerprints *set) MUST_CHECK;
void parcel_writer_free(struct parcel_writer *w);

/* Append the parcel's bytes. ERR_RANGE: too many rows or too much payload; ERR_FULL, ERR_NOMEM.
 * Cost: about 300 ns a row. */
enum err parcel_write(
    struct parcel_writer *w, const struct parcel *p, struct buf *out) MUST_CHECK;

/* A parcel that was read; owned. */
struct parcel_rows {
    struct block *packets; /* every row's site is the one that was named */
    struct sensor_look *looks;
    uint16_t *icmp_seq;
    struct parcel_account account;
};
void parcel_rows_done(struct parcel_rows *p);

/**
 * Read a parcel that came from `site`, who is not trusted: lengths are checked against the
 * number of rows before anything is taken from memory, words against the alphabet of words,
 * nothing may be left over.
 *
 * @param set rules of the reader: what the site saw is known by the names of rules; names that
 *            the reader does not have are left out. May be NULL: no hits then.
 * @return OK; ERR_BAD, ERR_SHORT, ERR_RANGE: the fault says what is wrong; ERR_NOMEM.
 */
enum err parcel_read(struct parcel_rows *ret_rows, const char *site,
    const struct fingerprints *set, struct bytes in, struct fault *f) MUST_CHECK;

/* The row as a packet again; its payload is the block's. */
void parcel_packet(const struct parcel_rows *p, size_t row, struct packet *ret_packet);

#endif
