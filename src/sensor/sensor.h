#ifndef SENSOR_SENSOR_H
#define SENSOR_SENSOR_H

#include "decode/packet.h"
#include "record/window.h"
#include "sensor/fingerprint.h"

/* One site's eyes: decoded packets in, tagged packet rows and closed windows of contacts out.
 * Live capture, replay and the simulator all pass here, so they give the same answers.
 *
 * Each packet is fingerprinted (which tool), classified (scan, backscatter, ...), and counted
 * into the contact of its source and service. Memory is bounded by the options: when a table is
 * full, whole sources are left out by their hash, the share that is kept is stated in
 * window_site.kept, and what was left out is counted. */

struct survey_lists; /* sensor/survey.h */
struct geo;          /* geo/geo.h */

/* What all sites share; borrowed, never changed while in use. Each may be NULL: then nothing is
 * named, listed or located. */
struct sensor_shared {
    const struct fingerprints *fingerprints;
    const struct survey_lists *surveys;
    const struct geo *geo;
};

/* When backscatter is an attack; 0 takes the value of CAIDA's corsaro. */
struct sensor_dos_options {
    uint64_t packets;   /* at least; 25 */
    int64_t duration;   /* us, from the first to the last packet, at least; 60 s */
    uint32_t rate;      /* packets in some 60 s that slide by 10, at least; 30 */
    int64_t idle;       /* us of silence that end it; 5 minutes */
    size_t vectors_max; /* victims followed at once; 65,536 */
};

struct sensor_options {
    int64_t window;      /* us; 0: 10 minutes */
    size_t sources_max;  /* remembered at once; 0: 2^20 */
    size_t contacts_max; /* in one window; 0: 2^21 */
    size_t payload_keep; /* bytes of payload in packet rows, at most 256 */
    uint64_t addresses;  /* size of the telescope; 0: not known */
    uint64_t secret;     /* of the hash tables; 0: from the system. No output depends on it */
    struct sensor_dos_options dos;
};

struct sensor_counts {
    uint64_t packets, bytes, snapped;
    uint64_t decode[DECODE_RESULTS]; /* frames by result; sensor_frames_failed() adds to it */
    uint64_t class[CLASS_COUNT];
    uint64_t late;        /* older than the window that is open: counted into it */
    uint64_t sampled_out; /* packets of sources left out of contacts */
    uint64_t dos_missed;  /* packets of victims for which the table of attacks had no room */
};

struct sensor;

enum err sensor_new(struct sensor **ret_sensor, const char *site,
    const struct sensor_shared *shared, const struct sensor_options *options) MUST_CHECK;
void sensor_free(struct sensor *s);

/* The telescope has another size, from the next window on; 0: not known. Between windows. */
void sensor_addresses(struct sensor *s, uint64_t addresses);

/**
 * Take packets of one window: all with ts < the end of the open window (the first call opens
 * the window of its first packet).
 *
 * @param out packet rows are appended here with their tags; NULL if nobody keeps packets.
 * @return OK; ERR_FULL if `out` has too little room (nothing is taken).
 * Cost: about 100 ns a packet.
 */
enum err sensor_take(
    struct sensor *s, const struct packet *packets, size_t count, struct block *out) MUST_CHECK;

/* What a packet tells by itself, without memory of others. */
struct sensor_look {
    struct fingerprint_hits hits;
    enum packet_class class; /* CLASS_SCAN may become something more exact */
};

/* Look at a packet; from any thread. About 60 ns. */
void sensor_look(
    const struct sensor_shared *shared, const struct packet *p, struct sensor_look *ret_look);

/* sensor_take() of packets that have been looked at before, with what was seen of each. */
enum err sensor_take_looked(struct sensor *s, const struct packet *packets,
    const struct sensor_look *looks, size_t count, struct block *out) MUST_CHECK;

/* Where a source is, found by somebody who knew its true address. */
struct sensor_place {
    bool told;       /* else the sensor looks the address up */
    char country[2]; /* two NULs if not known */
    uint32_t asn;    /* 0 if not known */
};

/* The same of packets whose sources somebody else has located, one place a packet. */
enum err sensor_take_placed(struct sensor *s, const struct packet *packets,
    const struct sensor_look *looks, const struct sensor_place *places, size_t count,
    struct block *out) MUST_CHECK;

/* Keep so many bytes of each payload in packet rows from here on: at most 256. */
void sensor_keep_payload(struct sensor *s, size_t bytes);

/* Frames that gave no packet. */
void sensor_frames_failed(struct sensor *s, enum decode_result why, uint64_t count);

/**
 * Close the window that is open, or that of `start` if none is. Its contacts stay valid until
 * the window after it is closed, so that they can be looked at while that one fills; its dos
 * rows until the next call of sensor_take() or sensor_close_window().
 *
 * @param ret_site   what the site had in it (`lost` is the caller's to fill).
 * @param ret_blocks contact blocks, borrowed.
 * @param ret_dos    attacks whose record changed in the window, one block, borrowed.
 */
enum err sensor_close_window(struct sensor *s, int64_t start, struct window_site *ret_site,
    const struct block *const **ret_blocks, size_t *ret_count,
    const struct block **ret_dos) MUST_CHECK;

/* Packets since the start, for summaries; one thread at a time, like all of the sensor. */
const struct sensor_counts *sensor_counts(const struct sensor *s);

/* A tool in the windows that are closed, in the numbers of the store: contacts that carry it.
 */
struct sensor_tool {
    const char *tool;
    uint64_t sources;     /* one that was forgotten and came back counts again */
    uint64_t packets;     /* of their contacts that carry it */
    const char *evidence; /* for the source with most of it; "" if no source has enough */
    uint64_t weak;       /* more sources that sent what matches a signature, too little of it */
    double by_chance;    /* how many such packets chance would make, at most */
    const char *weak_id; /* that signature: of the tool's, the one with most of them */
};

/* Call `each` for every tool that has named a source, and for those that have named none though
 * all who match it together are beyond chance. */
void sensor_tools(const struct sensor *s,
    void (*each)(void *context, const struct sensor_tool *tool), void *context);

/* The busiest services of the windows that are closed, backscatter aside: at most `cap`, by
 * distinct sources (estimate, standard error 3 %), largest first. */
struct sensor_port {
    uint8_t proto;
    uint16_t port;
    uint64_t packets;
    uint64_t sources;
};
size_t sensor_top_ports(const struct sensor *s, struct sensor_port *ret_ports, size_t cap);

#endif
