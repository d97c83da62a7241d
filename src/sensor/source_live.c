#include "base/clock.h"
#include "decode/packet.h"
#include "sensor/source_int.h"

#include <errno.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A live interface as a source. libpcap gives a packet for the length of a callback, as it
 * hands its ring back to the kernel block by block; so a batch of packets is copied here. */
enum {
    SNAPLEN_DEFAULT = 65535,
    BUFFER_DEFAULT = 64 << 20,
    COPY_ROOM = 4 << 20,     /* of one batch; more than FRAME_MAX */
    RING_WAIT_MS = 100,      /* the kernel gives a block that is not full after this time */
    CALLS_A_STATISTIC = 256, /* 32-bit counters must be read before they wrap */
    NAMES_TEXT = 256,
};

struct live {
    struct source source;
    pcap_t *pcap;
    char *interface;
    uint32_t link;
    uint32_t snaplen;
    uint8_t *copies; /* COPY_ROOM bytes */
    size_t copied;
    struct frame *batch; /* the caller's, during a dispatch */
    size_t batch_count;
    uint64_t frames, bytes;
    uint32_t calls;
    struct pcap_stat last; /* counters when they were last read, and their sums */
    uint64_t dropped_kernel, dropped_interface;
    enum err failed;
    struct fault fault;
};

static void take_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *data)
{
    struct live *l = (struct live *)(void *)context;
    uint32_t len = header->caplen < l->snaplen ? header->caplen : l->snaplen;
    uint8_t *copy = l->copies + l->copied;
    memcpy(copy, data, len);
    l->copied += len;
    l->batch[l->batch_count++] = (struct frame){
        .ts = header->ts.tv_sec * US_SECOND + header->ts.tv_usec,
        .link = l->link,
        .wire_len = header->len > len ? header->len : len,
        .len = len,
        .data = copy,
    };
    if (COPY_ROOM - l->copied < l->snaplen)
        pcap_breakloop(l->pcap);
}

static void statistics_read(struct live *l)
{
    struct pcap_stat now;
    if (pcap_stats(l->pcap, &now) != 0)
        return;
    l->dropped_kernel += now.ps_drop - l->last.ps_drop;
    l->dropped_interface += now.ps_ifdrop - l->last.ps_ifdrop;
    l->last = now;
}

/* Take what is in the ring, at most `cap` packets. */
static enum err ring_take(struct live *l, struct frame *frames, size_t cap)
{
    l->batch = frames;
    l->batch_count = 0;
    l->copied = 0;
    int done = pcap_dispatch(
        l->pcap, cap > INT_MAX ? INT_MAX : (int)cap, take_packet, (u_char *)(void *)l);
    l->batch = NULL;
    if (done < 0 && done != PCAP_ERROR_BREAK) {
        l->failed = ERR_IO;
        fault_set(&l->fault, ERR_IO, "interface %s: capture has ended: %s", l->interface,
            pcap_geterr(l->pcap));
    }
    for (size_t i = 0; i < l->batch_count; i++)
        l->bytes += frames[i].len;
    l->frames += l->batch_count;
    return l->failed;
}

static enum err live_next(struct source *s, struct frame *frames, size_t cap, int wait_ms,
    size_t *ret_count, struct fault *f)
{
    struct live *l = (struct live *)s;
    if (l->calls++ % CALLS_A_STATISTIC == 0)
        statistics_read(l);
    if (!l->failed && !ring_take(l, frames, cap) && !l->batch_count) {
        struct pollfd wait = {.fd = pcap_get_selectable_fd(l->pcap), .events = POLLIN};
        if (poll(&wait, 1, wait_ms) > 0)
            (void)ring_take(l, frames, cap);
    }
    if (l->failed && !l->batch_count)
        return fault_set(f, l->failed, "%s", l->fault.text);
    *ret_count = l->batch_count;
    l->batch_count = 0;
    return OK;
}

static void live_counts(const struct source *s, struct source_counts *ret_counts)
{
    const struct live *l = (const struct live *)s;
    struct pcap_stat now = l->last;
    (void)pcap_stats(l->pcap, &now);
    *ret_counts = (struct source_counts){
        .frames = l->frames,
        .bytes = l->bytes,
        .dropped_kernel = l->dropped_kernel + (now.ps_drop - l->last.ps_drop),
        .dropped_interface = l->dropped_interface + (now.ps_ifdrop - l->last.ps_ifdrop),
    };
}

static void live_close(struct source *s)
{
    struct live *l = (struct live *)s;
    if (l->pcap)
        pcap_close(l->pcap);
    free(l->interface);
    free(l->copies);
    free(l);
}

static const struct source_kind kind_live = {
    .next = live_next,
    .counts = live_counts,
    .close = live_close,
};

/* The interfaces that are up, "eth0, lo", for the sentence that names what is allowed. */
static const char *interface_names(char text[NAMES_TEXT])
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;
    size_t used = 0;
    snprintf(text, NAMES_TEXT, "none");
    if (pcap_findalldevs(&all, error) != 0)
        return text;
    for (const pcap_if_t *i = all; i; i = i->next) {
        size_t len = strlen(i->name);
        if (!(i->flags & PCAP_IF_UP) || used + len + 3 > NAMES_TEXT)
            continue;
        used +=
            (size_t)snprintf(text + used, NAMES_TEXT - used, "%s%s", used ? ", " : "", i->name);
    }
    pcap_freealldevs(all);
    return text;
}

static enum err activate_fail(const struct live *l, int status, struct fault *f)
{
    char names[NAMES_TEXT];
    switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return fault_set(f, ERR_NOTFOUND,
            "interface %s: there is none of that name; up are: %s", l->interface,
            interface_names(names));
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return fault_set(f, ERR_DENIED,
            "interface %s: not allowed to capture; run as root or give the program "
            "CAP_NET_RAW (setcap cap_net_raw+ep)",
            l->interface);
    case PCAP_ERROR_IFACE_NOT_UP:
        return fault_set(f, ERR_IO, "interface %s: is down; bring it up (ip link set %s up)",
            l->interface, l->interface);
    default:
        return fault_set(f, ERR_IO, "interface %s: %s", l->interface,
            *pcap_geterr(l->pcap) ? pcap_geterr(l->pcap) : pcap_statustostr(status));
    }
}

static enum err capture_start(struct live *l, size_t buffer, struct fault *f)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    l->pcap = pcap_create(l->interface, error);
    if (!l->pcap)
        return fault_set(f, ERR_IO, "interface %s: %s", l->interface, error);
    pcap_set_snaplen(l->pcap, (int)l->snaplen);
    pcap_set_promisc(l->pcap, 1);
    pcap_set_timeout(l->pcap, RING_WAIT_MS);
    pcap_set_buffer_size(l->pcap, (int)buffer);
    int status = pcap_activate(l->pcap);
    if (status < 0)
        return activate_fail(l, status, f);
    l->link = (uint32_t)pcap_datalink(l->pcap);
    if (!link_known(l->link))
        return fault_set(f, ERR_BAD, "interface %s: link type %u is not read; " LINKS_READ,
            l->interface, l->link);
    if (pcap_setnonblock(l->pcap, 1, error) != 0)
        return fault_set(f, ERR_IO, "interface %s: %s", l->interface, error);
    return OK;
}

static enum err filter_set(struct live *l, const char *filter, struct fault *f)
{
    struct bpf_program program;
    if (pcap_compile(l->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return fault_set(f, ERR_BAD,
            "filter '%s': %s; an expression of pcap-filter(7) is expected, such as 'dst net "
            "192.0.2.0/24'",
            filter, pcap_geterr(l->pcap));
    int status = pcap_setfilter(l->pcap, &program);
    pcap_freecode(&program);
    if (status != 0)
        return fault_set(f, ERR_IO, "filter '%s': %s", filter, pcap_geterr(l->pcap));
    return OK;
}

static struct live *live_new(const char *interface)
{
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->source.kind = &kind_live;
    l->interface = strdup(interface);
    l->copies = malloc(COPY_ROOM);
    if (l->interface && l->copies)
        return l;
    live_close(&l->source);
    return NULL;
}

enum err source_open_live(struct source **ret_source, const char *interface, const char *filter,
    uint32_t snaplen, size_t buffer, struct fault *f)
{
    if (snaplen > FRAME_MAX)
        return fault_set(
            f, ERR_RANGE, "snapshot length %u: 1 to %d is allowed", snaplen, FRAME_MAX);
    if (buffer > INT_MAX)
        return fault_set(f, ERR_RANGE, "capture buffer of %zu bytes: at most %d is allowed",
            buffer, INT_MAX);
    struct live *l = live_new(interface);
    if (!l)
        return fault_set(f, ERR_NOMEM, "interface %s: out of memory", interface);
    l->snaplen = snaplen ? snaplen : SNAPLEN_DEFAULT;
    enum err err = capture_start(l, buffer ? buffer : BUFFER_DEFAULT, f);
    if (!err && filter && *filter)
        err = filter_set(l, filter, f);
    if (err) {
        live_close(&l->source);
        return err;
    }
    *ret_source = &l->source;
    return OK;
}
