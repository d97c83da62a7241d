#ifndef ANON_FRAME_INT_H
#define ANON_FRAME_INT_H

#include "anon/anon_int.h"
#include "anon/frame.h"

/* An IP packet that is being rewritten where it lies. */
struct job {
    const struct anon *a;
    const struct epoch *e;
    uint8_t *data; /* ANON_FRAME_ROOM bytes */
    bool quoted;   /* inside an ICMP error: source and destination have changed places */
};

/* The part of it that a header says is there: bytes [at, cap) were captured, and on the wire it
 * went on to `wire`, which is never less. */
struct part {
    size_t at, cap, wire;
};

/* What a transport header belongs to. */
struct upper {
    struct part part;
    uint8_t proto;
    bool first;         /* fragment, and there are more */
    bool later;         /* fragment without a header */
    struct ip src, dst; /* dst is the telescope's: of a quoted packet, who sent it */
    struct ip mapped_dst;
    uint64_t pseudo_before, pseudo_after; /* sums of addresses and protocol */
};

static inline uint16_t job_be16(const struct job *j, size_t at)
{
    return (uint16_t)(j->data[at] << 8 | j->data[at + 1]);
}

static inline void job_put16(struct job *j, size_t at, uint16_t v)
{
    j->data[at] = (uint8_t)(v >> 8);
    j->data[at + 1] = (uint8_t)v;
}

static inline enum anon_method job_method(const struct job *j, enum anon_field field)
{
    return j->a->policy.rule[field].method;
}

/* Rewrite an IP packet; `part` ends where it does afterwards. A result other than
 * ANON_FRAME_WRITTEN: nothing of it may stay. `ret_frame` takes the addresses; may be NULL. */
enum anon_frame_result packet_change(
    struct job *j, struct part *part, struct anon_frame *ret_frame);

/* Rewrite transport header and payload. */
enum anon_frame_result upper_change(struct job *j, struct upper *u);

#endif
