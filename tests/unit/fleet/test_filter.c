#include "test.h"

#include "fleet/filter.h"

static void takes(void **state)
{
    (void)state;
    static const char *const good[] = {"", "  ", "tcp", "dst net 198.51.100.0/24",
        "net 10 or net 192.168", "ip6 and dst net 2001:db8::/32", "not (udp and port 53)",
        "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "ip[2:2] > 576 && !icmp6",
        "portrange 1-1023", "portrange 1-5 or 7-9", "ip[0:2]/2 > 4 - 1", "tcp[12:1]-4 > 2",
        "ether host 00:11:22:33:44:55", "vlan 7 and tcp port 23",
        "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420", "icmp[icmptype] != icmp-echo"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct filter *filter = NULL;
        struct fault f = {0};
        if (filter_new(&filter, good[i], &f) != OK)
            fail_msg("%s: %s", good[i], f.text);
        filter_free(filter);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"host example.com", "\"example.com\" is no word"},
        {"host attacker", "\"attacker\" is no word"},
        {"port http", "\"http\" is no word"},
        {"gateway router", "\"gateway\" is no word"},
        {"net loopback", "\"loopback\" is no word"},
        {"host dead.beef", "\"dead.beef\" is no word"},
        {"tcp; rm", "\";\""},
        {"tcp \"x\"", "has no place here"},
        {"host 192.0.2.1.5", "\"192.0.2.1.5\" is no word"},
        {"dst nte 1", "\"nte\" is no word"},
        {"net 10-20", "\"10-20\" is no word"},
        {"portrange 1-5 or host 7-9", "\"7-9\" is no word"},
        {"net 192.0.", "\"192.0.\" is no word"},
        {"tcp and", "pcap-filter(7) is expected"},
        {"host 1.2.3.4.5", "\"1.2.3.4.5\" is no word"},
        {"tcp\x01", "has no place here"},
        {"port 70000", "filter: "},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct filter *filter = NULL;
        struct fault f = {0};
        assert_int_equal(filter_new(&filter, wrong[i].text, &f), ERR_BAD);
        if (!strstr(f.text, wrong[i].says))
            fail_msg("%s: %s", wrong[i].text, f.text);
        assert_null(filter);
    }
    char text[FILTER_MAX + 8];
    struct filter *filter = NULL;
    struct fault f;
    memset(text, ' ', sizeof text);
    text[sizeof text - 1] = 0;
    assert_int_equal(filter_new(&filter, text, &f), ERR_BAD);
    memset(text, 'a', 200);
    text[200] = 0;
    assert_int_equal(filter_new(&filter, text, &f), ERR_BAD);
}

/* Ethernet, IPv4, TCP from 192.0.2.1 to 198.51.100.<last>:23 */
static void frame_of(uint8_t frame[54], uint8_t last)
{
    static const uint8_t head[54] = {[12] = 0x08,
        [14] = 0x45,
        [17] = 40,
        [22] = 64,
        [23] = 6,
        [26] = 192,
        [28] = 2,
        [29] = 1,
        [30] = 198,
        [31] = 51,
        [32] = 100,
        [37] = 23,
        [46] = 0x50,
        [47] = 2};
    memcpy(frame, head, 54);
    frame[33] = last;
}

static void passes(void **state)
{
    (void)state;
    struct filter *filter = NULL;
    struct fault f;
    uint8_t frame[54];
    assert_int_equal(filter_new(&filter, "tcp and dst host 198.51.100.7", &f), OK);
    frame_of(frame, 7);
    assert_true(filter_passes(filter, 1, frame, 54, 54));
    frame_of(frame, 8);
    assert_false(filter_passes(filter, 1, frame, 54, 54));
    assert_false(filter_passes(filter, 1, frame, 20, 54));
    frame_of(frame, 7);
    assert_true(filter_passes(filter, 101, frame + 14, 40, 40)); /* without Ethernet */
    assert_false(filter_passes(filter, 101, frame, 54, 54));
    assert_false(filter_passes(filter, 147, frame, 54, 54)); /* a link that nobody knows */
    filter_free(filter);
    assert_int_equal(filter_new(&filter, "", &f), OK);
    assert_true(filter_passes(filter, 1, frame, 0, 54));
    filter_free(filter);
    /* Ethernet addresses mean nothing without Ethernet. */
    assert_int_equal(filter_new(&filter, "ether host 00:00:00:00:00:00", &f), OK);
    assert_true(filter_passes(filter, 1, frame, 54, 54));
    assert_false(filter_passes(filter, 101, frame + 14, 40, 40));
    filter_free(filter);
}

static const struct CMUnitTest tests[] = {
    SAYS("expressions that name nothing are taken", takes),
    SAYS("names of hosts, networks and services are refused before anybody is asked for them",
        refuses),
    SAYS("a frame passes as the expression says, and without one always", passes),
};
TEST_MAIN(tests)
