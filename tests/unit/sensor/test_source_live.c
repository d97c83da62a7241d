/* Capture from a veth pair in a network namespace of the test's own, which is gone when the
 * test ends. Without the privilege to make one, the tests are skipped and say so. */
#include "decode/packet.h"
#include "sensor/source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <test.h>
#include <unistd.h>

static bool namespace_made;
static struct fault fault;

static int make_namespace(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNET) != 0) {
        fprintf(stderr, "# skipped: no network namespace: %s\n", strerror(errno));
        return 0;
    }
    /* No neighbour discovery: nothing but what the tests send. */
    namespace_made = system("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "
                            "net.ipv6.conf.default.disable_ipv6=1; "
                            "ip link add kz0 type veth peer name kz1 && "
                            "ip link set kz0 up && ip link set kz1 up") == 0;
    if (!namespace_made)
        fprintf(stderr, "# skipped: ip(8) cannot make a veth pair\n");
    return 0;
}

static void need_namespace(void)
{
    if (!namespace_made)
        skip();
}

/* Ethernet, IPv4, TCP SYN to `port`, `extra` bytes of payload. */
static size_t make_frame(uint8_t *frame, uint16_t port, uint8_t extra)
{
    static const uint8_t syn[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0,
        1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7, 0x9c, 0x40, 0, 0, 0, 0, 0, 1, 0, 0,
        0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0};
    memcpy(frame, syn, sizeof syn);
    memset(frame + sizeof syn, 'x', extra);
    frame[17] = (uint8_t)(40 + extra);
    frame[36] = (uint8_t)(port >> 8);
    frame[37] = (uint8_t)port;
    return sizeof syn + extra;
}

static void send_frames(const char *interface, uint16_t first_port, int count, uint8_t extra)
{
    int s = socket(AF_PACKET, SOCK_RAW, 0);
    assert_true(s >= 0);
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface), .sll_halen = 6};
    for (int i = 0; i < count; i++) {
        uint8_t frame[256];
        size_t len = make_frame(frame, (uint16_t)(first_port + i), extra);
        assert_int_equal(
            sendto(s, frame, len, 0, (const struct sockaddr *)&to, sizeof to), (ssize_t)len);
    }
    close(s);
}

/* Ports of the next `count` packets, within about five seconds. */
static int receive_ports(struct source *s, uint16_t *ports, int count)
{
    int got = 0;
    for (int tries = 0; got < count && tries < 50; tries++) {
        struct frame frames[64];
        size_t len;
        assert_int_equal(source_next(s, frames, 64, 100, &len, &fault), OK);
        for (size_t i = 0; i < len && got < count; i++) {
            struct packet p;
            assert_int_equal(
                decode_packet(frames[i].link, bytes_over(frames[i].data, frames[i].len),
                    frames[i].wire_len, &p),
                DECODE_OK);
            assert_true(frames[i].ts > INT64_C(1500000000000000));
            ports[got++] = p.dport;
        }
    }
    return got;
}

static struct source *open_live(const char *interface, const char *filter, uint32_t snaplen)
{
    struct source *s = NULL;
    enum err err = source_open_live(&s, interface, filter, snaplen, 4 << 20, &fault);
    if (err)
        fprintf(stderr, "# %s\n", fault.text);
    assert_int_equal(err, OK);
    return s;
}

static void in_order(void **state)
{
    (void)state;
    need_namespace();
    struct source *s = open_live("kz0", NULL, 0);
    send_frames("kz1", 1000, 500, 0);
    uint16_t ports[500];
    assert_int_equal(receive_ports(s, ports, 500), 500);
    for (int i = 0; i < 500; i++)
        assert_int_equal(ports[i], 1000 + i);
    struct source_counts counts;
    source_counts(s, &counts);
    assert_int_equal(counts.frames, 500);
    assert_int_equal(counts.bytes, 500 * 54);
    assert_int_equal(counts.dropped_kernel, 0);
    source_close(s);
}

static void quiet(void **state)
{
    (void)state;
    need_namespace();
    struct source *s = open_live("kz0", NULL, 0);
    struct frame frames[4];
    size_t len = 7;
    assert_int_equal(source_next(s, frames, 4, 20, &len, &fault), OK);
    assert_int_equal(len, 0);
    source_close(s);
}

static void kernel_filter(void **state)
{
    (void)state;
    need_namespace();
    struct source *s = open_live("kz0", "tcp dst port 2007", 0);
    send_frames("kz1", 2000, 20, 0);
    uint16_t ports[20];
    assert_int_equal(receive_ports(s, ports, 2), 1);
    assert_int_equal(ports[0], 2007);
    source_close(s);
}

static void snapped(void **state)
{
    (void)state;
    need_namespace();
    struct source *s = open_live("kz0", NULL, 60);
    send_frames("kz1", 3000, 1, 100);
    struct frame frames[4];
    size_t len = 0;
    for (int tries = 0; !len && tries < 50; tries++)
        assert_int_equal(source_next(s, frames, 4, 100, &len, &fault), OK);
    assert_int_equal(len, 1);
    assert_int_equal(frames[0].len, 60);
    assert_int_equal(frames[0].wire_len, 154);
    source_close(s);
}

/* A buffer too small for what comes before anybody looks: received + dropped = sent. */
static void drops_counted(void **state)
{
    (void)state;
    need_namespace();
    struct source *s = NULL;
    assert_int_equal(source_open_live(&s, "kz0", NULL, 0, 1, &fault), OK);
    for (int i = 0; i < 30; i++)
        send_frames("kz1", 4000, 2000, 100);
    struct frame frames[64];
    size_t len;
    int empty = 0;
    while (empty < 5) {
        assert_int_equal(source_next(s, frames, 64, 100, &len, &fault), OK);
        empty = len ? 0 : empty + 1;
    }
    struct source_counts counts;
    source_counts(s, &counts);
    assert_true(counts.dropped_kernel > 0);
    assert_int_equal(counts.frames + counts.dropped_kernel, 60000);
    source_close(s);
}

static void interface_gone(void **state)
{
    (void)state;
    need_namespace();
    assert_int_equal(system("ip link add kz2 type veth peer name kz3 && "
                            "ip link set kz2 up && ip link set kz3 up"),
        0);
    struct source *s = open_live("kz2", NULL, 0);
    assert_int_equal(system("ip link del kz2"), 0);
    enum err err = OK;
    for (int tries = 0; !err && tries < 50; tries++) {
        struct frame frames[4];
        size_t len;
        err = source_next(s, frames, 4, 100, &len, &fault);
    }
    assert_int_equal(err, ERR_IO);
    assert_non_null(strstr(fault.text, "interface kz2: capture has ended: "));
    source_close(s);
}

static void bad_filter(void **state)
{
    (void)state;
    need_namespace();
    struct source *s = NULL;
    assert_int_equal(source_open_live(&s, "kz0", "port port", 0, 0, &fault), ERR_BAD);
    assert_null(s);
    assert_non_null(strstr(fault.text, "filter 'port port': "));
    assert_non_null(strstr(fault.text, "pcap-filter(7)"));
}

static void bad_interface(void **state)
{
    (void)state;
    need_namespace();
    struct source *s = NULL;
    assert_int_equal(source_open_live(&s, "kz9", NULL, 0, 0, &fault), ERR_NOTFOUND);
    assert_null(s);
    assert_non_null(strstr(fault.text, "interface kz9: there is none of that name; up are: "));
    assert_non_null(strstr(fault.text, "kz0"));
}

static void bad_numbers(void **state)
{
    (void)state;
    struct source *s = NULL;
    assert_int_equal(source_open_live(&s, "lo", NULL, 262145, 0, &fault), ERR_RANGE);
    assert_string_equal(fault.text, "snapshot length 262145: 1 to 262144 is allowed");
    assert_int_equal(source_open_live(&s, "lo", NULL, 0, (size_t)1 << 31, &fault), ERR_RANGE);
    assert_null(s);
}

static const struct CMUnitTest tests[] = {
    SAYS("packets arrive in order, decoded as from a file, and are counted", in_order),
    SAYS("a quiet interface gives nothing within the time, and no error", quiet),
    SAYS("the kernel's filter lets through what it says", kernel_filter),
    SAYS("a snapshot length cuts frames and tells their length on the wire", snapped),
    SAYS("what the kernel drops is counted to the last packet", drops_counted),
    SAYS("an interface that goes away ends the capture with an error", interface_gone),
    SAYS("a wrong filter is named, with where to read about filters", bad_filter),
    SAYS("an unknown interface is named, with those that are up", bad_interface),
    SAYS("a snapshot length or buffer outside its range is refused", bad_numbers),
};

int main(void)
{
    return cmocka_run_group_tests(tests, make_namespace, NULL);
}
