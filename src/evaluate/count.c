#include "evaluate/count.h"

#include "base/clock.h"
#include "decode/packet.h"

#include <stdlib.h>

enum {
    RUN = 512,
    CONTACTS_MAX = 1 << 25 /* packets in one window */
};

/* Who asked for what, in the open window: site 8 bits, protocol 8, port 16, source 32. */
struct contacts {
    uint64_t *list; /* owned */
    size_t count, room;
};

static enum err contact_add(struct contacts *c, uint64_t key)
{
    if (c->count == c->room) {
        size_t room = c->room ? c->room * 2 : 65536;
        uint64_t *list = room > CONTACTS_MAX ? NULL : realloc(c->list, room * sizeof *list);
        if (!list)
            return room > CONTACTS_MAX ? ERR_FULL : ERR_NOMEM;
        c->list = list;
        c->room = room;
    }
    c->list[c->count++] = key;
    return OK;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static enum err window_close(
    struct contacts *c, const struct truth *t, int64_t start, struct host_counts *h)
{
    if (c->count)
        qsort(c->list, c->count, sizeof *c->list, by_key);
    enum err e = OK;
    for (size_t i = 0; !e && i < c->count;) {
        uint64_t service = c->list[i] >> 32;
        uint32_t hosts = 0;
        for (; i < c->count && c->list[i] >> 32 == service; i++)
            hosts += i + 1 == c->count || c->list[i + 1] != c->list[i];
        e = host_counts_add(h, start, t->sites[service >> 24].name, (uint8_t)(service >> 16),
            (uint16_t)service, hosts);
    }
    c->count = 0;
    return e;
}

static bool asks(const struct packet *p)
{
    if (p->proto == PROTO_TCP)
        return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    if (p->proto == PROTO_UDP)
        return p->sport != 53;
    return p->proto == PROTO_ICMP && p->dport == 8;
}

static enum err frame_count(
    const struct telescope *t, const struct telescope_frame *f, struct contacts *c)
{
    struct packet p;
    if (decode_packet(f->frame.link, bytes_over(f->frame.data, f->frame.len), f->frame.wire_len,
            &p) != DECODE_OK ||
        !asks(&p) || telescope_is_survey(t, &p.src))
        return OK;
    return contact_add(c, (uint64_t)f->site << 56 | (uint64_t)p.proto << 48 |
                              (uint64_t)p.dport << 32 | ip_v4(&p.src));
}

enum err count_hosts(struct telescope *t, struct host_counts *h, struct fault *f)
{
    struct contacts c = {0};
    struct telescope_frame frames[RUN];
    const struct truth *truth = telescope_truth(t);
    int64_t window = time_floor(truth->start, h->window);
    enum err e = OK;
    size_t count;
    while (!e && !(e = telescope_next(t, INT64_MAX, frames, RUN, &count)))
        for (size_t i = 0; !e && i < count; i++) {
            while (!e && frames[i].frame.ts >= window + h->window) {
                e = window_close(&c, truth, window, h);
                window += h->window;
            }
            if (!e)
                e = frame_count(t, &frames[i], &c);
        }
    if (e == ERR_NOTFOUND)
        e = window_close(&c, truth, window, h);
    free(c.list);
    return e ? fault_set(f, e, "counting hosts: %s", err_text(e)) : OK;
}
