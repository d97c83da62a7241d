#include "sensor/sensor.h"

#include "base/clock.h"
#include "base/rng.h"
#include "capture.h"
#include "sensor/fingerprint.h"

#include <math.h>

enum {
    ROWS = 4096
};

static const int64_t START = INT64_C(1767225600000000); /* 2026-01-01 */

/* A sensor with the built-in rules. */
struct rig {
    struct fingerprints *set;
    struct sensor *sensor;
    struct window_site site;
    const struct block *const *blocks;
    size_t block_count;
    const struct block *dos;
};

static void rig_open(struct rig *r, const struct sensor_options *options)
{
    struct fault fault;
    *r = (struct rig){0};
    assert_int_equal(fingerprints_new(&r->set, &fault), OK);
    struct sensor_shared shared = {.fingerprints = r->set};
    assert_int_equal(sensor_new(&r->sensor, "jp-01", &shared, options), OK);
}

static void rig_close(struct rig *r)
{
    sensor_free(r->sensor);
    fingerprints_free(r->set);
}

static void rig_end_window(struct rig *r)
{
    assert_int_equal(
        sensor_close_window(r->sensor, START, &r->site, &r->blocks, &r->block_count, &r->dos),
        OK);
}

static struct packet syn(uint32_t src, uint32_t dst, uint16_t dport, int64_t ts)
{
    return (struct packet){.ts = ts,
        .src = ip_from_v4(src),
        .dst = ip_from_v4(dst),
        .proto = PROTO_TCP,
        .ttl = 50,
        .ip_id = (uint16_t)(src * 7919 + dst + 1),
        .ip_len = 44,
        .sport = 40000,
        .dport = dport,
        .tcp_flags = TCP_SYN,
        .tcp_offset = 6,
        .tcp_win = 29200,
        .tcp_mss = 1460,
        .tcp_seq = src * 2654435761u ^ dst * 40503u ^ 99};
}

static struct packet syn_ack(uint32_t src, uint32_t dst, uint16_t sport, int64_t ts)
{
    struct packet p = syn(src, dst, 51000, ts);
    p.sport = sport;
    p.tcp_flags = TCP_SYN | TCP_ACK;
    return p;
}

static void take(struct rig *r, const struct packet *p, size_t count)
{
    assert_int_equal(sensor_take(r->sensor, p, count, NULL), OK);
}

static void worked_example(void **state)
{
    (void)state;
    const struct sensor_options options = {.addresses = 256};
    const struct packet packets[] = {
        syn(10, 1000, 23, START + 5 * US_SECOND),
        syn(10, 1001, 23, START + 65 * US_SECOND),
        syn(10, 1001, 23, START + 66 * US_SECOND),
        syn(10, 1001, 2323, START + 66 * US_SECOND),
        syn_ack(20, 1000, 443, START + 70 * US_SECOND),
        syn_ack(20, 1005, 443, START + 71 * US_SECOND),
        syn(10, 1002, 23, START + 599 * US_SECOND),
    };
    struct rig r;
    rig_open(&r, &options);
    take(&r, packets, sizeof packets / sizeof packets[0]);
    rig_end_window(&r);
    assert_int_equal(r.block_count, 1);
    const struct block *b = r.blocks[0];
    assert_int_equal(b->rows, 3);

    /* 10 -> 23: four packets, three destinations, slots 0, 6 and 59 */
    uint64_t dsts = 0;
    for (uint32_t dst = 1000; dst <= 1002; dst++) {
        struct ip ip = ip_from_v4(dst);
        dsts |= UINT64_C(1) << (ip_hash(&ip) & 63);
    }
    assert_int_equal(ip_v4(&block_ip(b, CONTACT_SRC)[0]), 10);
    assert_int_equal(block_time(b, CONTACT_START)[0], START);
    assert_string_equal(block_word_at(b, CONTACT_SITE, 0), "jp-01");
    assert_int_equal(block_u8(b, CONTACT_PROTO)[0], PROTO_TCP);
    assert_int_equal(block_u16(b, CONTACT_DPORT)[0], 23);
    assert_string_equal(block_word_at(b, CONTACT_CLASS, 0), "scan");
    assert_string_equal(block_word_at(b, CONTACT_TOOL, 0), "");
    assert_string_equal(block_word_at(b, CONTACT_COUNTRY, 0), "");
    assert_int_equal(block_u32(b, CONTACT_PACKETS)[0], 4);
    assert_int_equal(block_u64(b, CONTACT_BYTES)[0], 4 * 44);
    assert_true(block_u64(b, CONTACT_DSTS)[0] == dsts);
    assert_true(block_u64(b, CONTACT_SLOTS)[0] == (1ull | 1ull << 6 | 1ull << 59));
    assert_int_equal(block_time(b, CONTACT_FIRST)[0], START + 5 * US_SECOND);
    assert_int_equal(block_time(b, CONTACT_LAST)[0], START + 599 * US_SECOND);
    assert_int_equal(block_u8(b, CONTACT_FLAGS)[0], TCP_SYN);
    assert_int_equal(block_u16(b, CONTACT_WIN)[0], 29200);

    /* Backscatter: one contact under the port that answers. */
    assert_int_equal(block_u16(b, CONTACT_DPORT)[2], 443);
    assert_string_equal(block_word_at(b, CONTACT_CLASS, 2), "backscatter");
    assert_int_equal(block_u32(b, CONTACT_PACKETS)[2], 2);

    assert_string_equal(r.site.name, "jp-01");
    assert_int_equal(r.site.packets, 7);
    assert_int_equal(r.site.addresses, 256);
    assert_true(r.site.kept == 1);
    assert_true(r.site.watching);
    const struct sensor_counts *c = sensor_counts(r.sensor);
    assert_int_equal(c->packets, 7);
    assert_int_equal(c->class[CLASS_SCAN], 5);
    assert_int_equal(c->class[CLASS_BACKSCATTER], 2);
    assert_int_equal(c->decode[DECODE_OK], 7);

    struct sensor_port ports[4];
    assert_int_equal(sensor_top_ports(r.sensor, ports, 4), 2);
    assert_int_equal(ports[0].port, 23);
    assert_int_equal(ports[0].packets, 4);
    assert_int_equal(ports[0].sources, 1);

    /* A telescope that grows is larger from the next window on. */
    sensor_addresses(r.sensor, 512);
    rig_end_window(&r);
    assert_int_equal(r.site.addresses, 512);
    rig_close(&r);
}

static void empty_and_late(void **state)
{
    (void)state;
    const struct sensor_options options = {0};
    struct rig r;
    rig_open(&r, &options);
    rig_end_window(&r);
    assert_int_equal(r.block_count, 0);
    assert_int_equal(r.site.packets, 0);

    struct packet p[2] = {syn(1, 2, 3, START + US_SECOND), syn(1, 2, 3, START - 5 * US_MINUTE)};
    take(&r, p, 2);
    rig_end_window(&r);
    assert_int_equal(sensor_counts(r.sensor)->late, 1);
    assert_int_equal(block_u32(r.blocks[0], CONTACT_PACKETS)[0], 2);
    assert_true(block_u64(r.blocks[0], CONTACT_SLOTS)[0] == 1);

    /* The next window holds nothing of the last one. */
    p[0].ts = START + 10 * US_MINUTE;
    take(&r, p, 1);
    rig_end_window(&r);
    assert_int_equal(block_u32(r.blocks[0], CONTACT_PACKETS)[0], 1);
    assert_int_equal(block_time(r.blocks[0], CONTACT_START)[0], START + 10 * US_MINUTE);
    rig_close(&r);
}

/* The first contacts of a source hang on it, the others are in an index that grows. */
static void many_services(void **state)
{
    (void)state;
    enum {
        PORTS = 5000
    };
    const struct sensor_options options = {0};
    struct rig r;
    rig_open(&r, &options);
    for (int window = 0; window < 2; window++) {
        for (int turn = 0; turn < 2; turn++) {
            for (uint32_t port = 1; port <= PORTS; port++) {
                struct packet p[2] = {
                    syn(7, 1000 + port, (uint16_t)port, START + window * 10 * US_MINUTE),
                    syn(8, 1000, (uint16_t)(port % 3), START + window * 10 * US_MINUTE)};
                take(&r, p, 2);
            }
        }
        rig_end_window(&r);
        assert_int_equal(r.block_count, 1);
        const struct block *b = r.blocks[0];
        assert_int_equal(b->rows, PORTS + 3);
        for (size_t row = 0; row < b->rows; row++) {
            bool wide = ip_v4(&block_ip(b, CONTACT_SRC)[row]) == 7;
            assert_true(wide ? block_u32(b, CONTACT_PACKETS)[row] == 2
                             : block_u32(b, CONTACT_PACKETS)[row] > 3000);
        }
    }
    rig_close(&r);
}

/* Traffic of many sources: scans, backscatter, pings, from a seed. */
static void make_traffic(struct packet *p, size_t count, uint32_t sources, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (size_t i = 0; i < count; i++) {
        uint32_t src = 0x0a000000u + (uint32_t)rng_below(&rng, sources);
        uint32_t dst = 0xc0000200u + (uint32_t)rng_below(&rng, 256);
        uint16_t port = (uint16_t)(rng_below(&rng, 4) ? 23 : rng_below(&rng, 1000));
        int64_t ts = START + (int64_t)(i * (uint64_t)(600 * US_SECOND) / count);
        p[i] = rng_below(&rng, 10) ? syn(src, dst, port, ts) : syn_ack(src, dst, port, ts);
        p[i].tcp_seq = rng_u32(&rng);
        p[i].ip_id = (uint16_t)rng_u32(&rng);
        if (src % 50 == 0)
            p[i].tcp_seq = dst;
    }
}

static uint64_t window_digest(const struct rig *r)
{
    uint64_t h = r->block_count;
    for (size_t i = 0; i < r->block_count; i++)
        h = hash_two(h, block_digest(r->blocks[i]));
    return h;
}

static void batches(void **state)
{
    (void)state;
    enum {
        COUNT = 40000
    };
    struct packet *p = malloc(COUNT * sizeof *p);
    assert_non_null(p);
    make_traffic(p, COUNT, 3000, 5);
    static const size_t sizes[] = {COUNT, 1, 7, 64, 1000};
    /* The last option set makes room by sampling. */
    static const struct sensor_options options[] = {{.secret = 1}, {.secret = 2},
        {.secret = 3, .sources_max = 700}, {.secret = 4, .sources_max = 700}};
    uint64_t want[4] = {0};
    for (size_t o = 0; o < 4; o++) {
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            struct rig r;
            struct block *out;
            rig_open(&r, &options[o]);
            assert_int_equal(block_new(&out, &record_packet, ROWS), OK);
            for (size_t at = 0; at < COUNT; at += sizes[k]) {
                size_t n = COUNT - at < sizes[k] ? COUNT - at : sizes[k];
                bool rows = k % 2 && n <= ROWS;
                block_clear(out);
                assert_int_equal(sensor_take(r.sensor, p + at, n, rows ? out : NULL), OK);
            }
            rig_end_window(&r);
            uint64_t got = window_digest(&r);
            if (!want[o])
                want[o] = got;
            assert_true(got == want[o]);
            block_free(out);
            rig_close(&r);
        }
    }
    assert_true(want[0] == want[1]); /* the secret is in no output */
    assert_true(want[2] == want[3]);
    assert_true(want[0] != want[2]);
    free(p);
}

/* Sum of the packets of a source over all its contacts. */
static uint64_t packets_of(const struct rig *r, uint32_t src)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < r->block_count; i++)
        for (size_t row = 0; row < r->blocks[i]->rows; row++)
            if (ip_v4(&block_ip(r->blocks[i], CONTACT_SRC)[row]) == src)
                sum += block_u32(r->blocks[i], CONTACT_PACKETS)[row];
    return sum;
}

static void sampling(void **state)
{
    (void)state;
    enum {
        COUNT = 60000,
        SOURCES = 5000
    };
    static const struct sensor_options all = {0};
    static const struct sensor_options few[] = {{.sources_max = 1000}, {.contacts_max = 1000}};
    struct packet *p = malloc(COUNT * sizeof *p);
    assert_non_null(p);
    make_traffic(p, COUNT, SOURCES, 9);
    struct rig whole;
    rig_open(&whole, &all);
    take(&whole, p, COUNT);
    rig_end_window(&whole);
    assert_int_equal(sensor_counts(whole.sensor)->sampled_out, 0);
    for (size_t o = 0; o < 2; o++) {
        struct rig r;
        rig_open(&r, &few[o]);
        take(&r, p, COUNT);
        rig_end_window(&r);
        size_t kept = 0;
        uint64_t packets = 0;
        for (uint32_t src = 0x0a000000u; src < 0x0a000000u + SOURCES; src++) {
            uint64_t n = packets_of(&r, src);
            if (n)
                assert_int_equal(n, packets_of(&whole, src));
            kept += n > 0;
            packets += n;
        }
        double share = (double)kept / SOURCES;
        assert_true(r.site.kept < 0.3);
        assert_true(fabs(share - r.site.kept) < 4 * sqrt(r.site.kept / SOURCES));
        assert_int_equal(sensor_counts(r.sensor)->sampled_out, COUNT - packets);
        assert_int_equal(r.site.packets, COUNT);
        rig_close(&r);
    }
    rig_close(&whole);
    free(p);
}

static void one_wide_source(void **state)
{
    (void)state;
    const struct sensor_options options = {.contacts_max = 100};
    struct rig r;
    rig_open(&r, &options);
    for (uint32_t i = 0; i < 5000; i++) {
        struct packet p = syn(77, 1000, (uint16_t)i, START);
        take(&r, &p, 1);
    }
    rig_end_window(&r);
    assert_true(r.site.kept < 1);
    assert_int_equal(r.block_count, 0);
    assert_int_equal(sensor_counts(r.sensor)->sampled_out, 5000);
    rig_close(&r);
}

/* Idle sources make place for new ones before anything is sampled. */
static void idle_sources_go_first(void **state)
{
    (void)state;
    const struct sensor_options options = {.sources_max = 1000};
    struct rig r;
    rig_open(&r, &options);
    for (int64_t window = 0; window < 20; window++) {
        for (uint32_t i = 0; i < 700; i++) {
            struct packet p =
                syn((uint32_t)window * 700 + i, 1000, 23, START + window * 10 * US_MINUTE);
            take(&r, &p, 1);
        }
        rig_end_window(&r);
        assert_true(r.site.kept == 1);
        assert_int_equal(r.blocks[0]->rows, 700);
    }
    assert_int_equal(sensor_counts(r.sensor)->sampled_out, 0);
    rig_close(&r);
}

static void packet_rows(void **state)
{
    (void)state;
    const struct sensor_options options = {.payload_keep = 3};
    struct rig r;
    struct block *out;
    rig_open(&r, &options);
    assert_int_equal(block_new(&out, &record_packet, 4), OK);
    struct packet p[3] = {syn(1, 2, 23, START), syn(1, 3, 23, START), syn(1, 4, 23, START)};
    for (int i = 0; i < 3; i++)
        p[i].tcp_seq = ip_v4(&p[i].dst);
    p[2].payload = bytes_over("hello", 5);
    assert_int_equal(sensor_take(r.sensor, p, 3, out), OK);
    assert_int_equal(out->rows, 3);
    assert_string_equal(block_word_at(out, PACKET_TOOL, 0), "mirai");
    assert_string_equal(block_word_at(out, PACKET_CLASS, 0), "worm");
    assert_string_equal(block_word_at(out, PACKET_SITE, 2), "jp-01");
    assert_int_equal(block_u16(out, PACKET_PAYLOAD_LEN)[2], 5);
    assert_int_equal(block_bytes_at(out, PACKET_PAYLOAD, 2).left, 3);
    assert_int_equal(block_u32(out, PACKET_TCP_SEQ)[1], 3);
    assert_true(block_u64(out, PACKET_PAYLOAD_HASH)[2] == hash_bytes("hello", 5, 0));

    /* Too little room: nothing is taken. */
    assert_int_equal(sensor_take(r.sensor, p, 2, out), ERR_FULL);
    assert_int_equal(out->rows, 3);
    assert_int_equal(sensor_counts(r.sensor)->packets, 3);
    block_free(out);
    rig_close(&r);
}

struct told {
    char tool[64];
    uint64_t sources, packets, weak;
    double by_chance;
    char evidence[EVIDENCE_TEXT];
    size_t count;
};

static void note_told(void *context, const struct sensor_tool *tool)
{
    struct told *t = context;
    t->count++;
    t->sources = tool->sources;
    t->packets = tool->packets;
    t->weak = tool->weak;
    t->by_chance = tool->by_chance;
    snprintf(t->tool, sizeof t->tool, "%s", tool->tool);
    snprintf(t->evidence, sizeof t->evidence, "%s", tool->evidence);
}

/* Run a capture, window by window, and say which tools it named (the last one, if several). */
static struct told tools_in(const char *name, struct sensor_counts *ret_counts)
{
    struct capture c;
    struct rig r;
    const struct sensor_options options = {0};
    struct told told = {0};
    capture_read(&c, name);
    rig_open(&r, &options);
    int64_t window = time_floor(c.packet[0].ts, 10 * US_MINUTE);
    for (size_t i = 0; i < c.count; i++) {
        if (c.packet[i].ts >= window + 10 * US_MINUTE) {
            rig_end_window(&r);
            window = time_floor(c.packet[i].ts, 10 * US_MINUTE);
        }
        take(&r, &c.packet[i], 1);
    }
    rig_end_window(&r);
    sensor_tools(r.sensor, note_told, &told);
    if (ret_counts)
        *ret_counts = *sensor_counts(r.sensor);
    rig_close(&r);
    capture_free(&c);
    return told;
}

static void real_tools(void **state)
{
    (void)state;
    static const struct {
        const char *file, *tool;
        uint64_t sources, packets; /* half of masscan's are its host's RST: answers */
    } rows[] = {
        {"pcaps/tool-generated/masscan-tcp.pcap", "masscan", 1, 768},
        {"pcaps/tool-generated/zmap-tcp23.pcap", "zmap", 1, 256},
        {"pcaps/tool-generated/zmap-icmp.pcap", "zmap", 1, 256},
        {"pcaps/tool-generated/nmap-ss.pcap", "nmap", 1, 128},
        {"pcaps/tool-generated/nmap-xmas-fin-null-ack.pcap", "nmap", 1, 64},
        {"pcaps/scan/sv-mirai-syn23.pcap", "mirai", 1, 2},
        {"pcaps/scan/ndpi-srvloc427-real-scans.pcap", "zmap", 45, 196},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct told t = tools_in(rows[i].file, NULL);
        assert_int_equal(t.count, 1);
        assert_string_equal(t.tool, rows[i].tool);
        assert_int_equal(t.sources, rows[i].sources);
        assert_int_equal(t.packets, rows[i].packets);
    }
}

static void below_the_level(void **state)
{
    (void)state;
    struct told t = tools_in("pcaps/scan/ndpi-srvloc427-real-scans.pcap", NULL);
    assert_int_equal(t.weak, 104);
    assert_true(fabs(t.by_chance - 629.0 / 65536.0) < 1e-9);
}

/* Sources of one packet each name nobody; ten of 1,000 that carry a constant are no chance. */
static void lone_matches(void **state)
{
    (void)state;
    const struct sensor_options options = {0};
    struct rig r;
    struct told told = {0};
    rig_open(&r, &options);
    for (uint32_t i = 0; i < 1000; i++) {
        struct packet p = syn(0x0a000000u + i, 1000 + i, 80, START);
        p.ip_id = i % 100 ? (uint16_t)i : 54321;
        p.tcp_win = 65535;
        p.ttl = 240;
        take(&r, &p, 1);
    }
    rig_end_window(&r);
    sensor_tools(r.sensor, note_told, &told);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.tool, "zmap");
    assert_int_equal(told.sources, 0);
    assert_int_equal(told.weak, 10);
    assert_string_equal(told.evidence, "");
    rig_close(&r);
}

static void real_crowds(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum packet_class class;
        uint64_t least; /* packets of the class */
    } rows[] = {
        {"pcaps/tool-generated/hping3-syn-randsrc-100.pcap", CLASS_SCAN, 100},
        {"pcaps/ddos/stopddos-synflood-spoofed.pcap", CLASS_SCAN, 37841},
        {"pcaps/ddos/stopddos-syn-ecn-cwr-flood.pcapng", CLASS_SCAN, 9639},
        {"pcaps/ddos/stopddos-tcp-reflection-synack.pcap", CLASS_BACKSCATTER, 7836},
        {"pcaps/ddos/stopddos-snmp-amp.pcapng", CLASS_BACKSCATTER, 4371},
        {"pcaps/ddos/stopddos-bacnet-dvr37810-amp.pcapng", CLASS_BACKSCATTER, 9264},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sensor_counts c;
        struct told t = tools_in(rows[i].file, &c);
        assert_int_equal(t.count, 0);
        assert_true(c.class[rows[i].class] >= rows[i].least);
    }
}

/* Ten million SYN with random fields from a hundred thousand sources name none of them. */
static void random_syn(void **state)
{
    (void)state;
    enum {
        BATCH = 10000,
        BATCHES = 1000
    };
    const struct sensor_options options = {0};
    struct rng rng;
    struct rig r;
    struct told told = {0};
    struct packet *p = malloc(BATCH * sizeof *p);
    assert_non_null(p);
    rng_seed(&rng, 31);
    rig_open(&r, &options);
    for (int b = 0; b < BATCHES; b++) {
        for (int i = 0; i < BATCH; i++) {
            p[i] = syn(0x0a000000u + (uint32_t)rng_below(&rng, 100000), rng_u32(&rng),
                (uint16_t)rng_below(&rng, 3), START);
            p[i].tcp_seq = rng_u32(&rng);
            p[i].tcp_win = (uint16_t)(rng_below(&rng, 2) ? 1024 : rng_u32(&rng));
            p[i].ip_id = (uint16_t)rng_u32(&rng);
            p[i].ttl = (uint8_t)rng_u32(&rng);
            p[i].sport = (uint16_t)rng_u32(&rng);
        }
        take(&r, p, BATCH);
    }
    rig_end_window(&r);
    sensor_tools(r.sensor, note_told, &told);
    assert_int_equal(told.count, 0);
    free(p);
    rig_close(&r);
}

/* A SYN that matches by chance and is sent again and again stays one match. */
static void repetitions(void **state)
{
    (void)state;
    const struct sensor_options options = {0};
    struct rig r;
    struct told told = {0};
    rig_open(&r, &options);
    for (int i = 0; i < 20; i++) {
        struct packet p = syn(5, 1000, 80, START);
        p.ip_id = (uint16_t)(1000u ^ 80u ^ p.tcp_seq);
        take(&r, &p, 1);
    }
    rig_end_window(&r);
    sensor_tools(r.sensor, note_told, &told);
    assert_int_equal(told.count, 0);
    rig_close(&r);
}

static struct packet zmap(uint32_t src, uint32_t dst, uint16_t dport, int64_t ts)
{
    struct packet p = syn(src, dst, dport, ts);
    p.ttl = 240;
    p.ip_id = 54321;
    p.tcp_win = 65535;
    return p;
}

static struct packet masscan(uint32_t src, uint32_t dst, uint16_t dport, int64_t ts)
{
    struct packet p = syn(src, dst, dport, ts);
    p.ttl = 240;
    p.tcp_win = 1024;
    p.tcp_offset = 5;
    p.tcp_mss = 0;
    p.ip_id = (uint16_t)(dst ^ dport ^ p.tcp_seq);
    return p;
}

static const char *tool_on(const struct rig *r, uint16_t service, const char *class)
{
    const struct block *b = r->blocks[0];
    for (size_t i = 0; i < b->rows; i++)
        if (block_u16(b, CONTACT_DPORT)[i] == service &&
            strcmp(block_word_at(b, CONTACT_CLASS, i), class) == 0)
            return block_word_at(b, CONTACT_TOOL, i);
    fail_msg("no contact of service %u and class %s", service, class);
    return NULL;
}

static void several_tools(void **state)
{
    (void)state;
    const struct sensor_options options = {0};
    const uint32_t src = 77;
    struct rig r;
    struct packet p[48];
    size_t n = 0;
    rig_open(&r, &options);
    p[n++] = syn(src, 999, 8443, START);
    for (uint32_t i = 0; i < 12; i++) {
        int64_t ts = START + (int64_t)(i + 1) * US_SECOND;
        p[n++] = zmap(src, 1000 + i, 80, ts);
        p[n++] = masscan(src, 2000 + i, 443, ts);
        p[n++] = syn_ack(src, 3000 + i, 22, ts);
    }
    take(&r, p, n);
    rig_end_window(&r);
    assert_string_equal(tool_on(&r, 80, "scan"), "zmap");
    assert_string_equal(tool_on(&r, 443, "scan"), "masscan");
    /* What the host answers to others is not made by what it scans with. */
    assert_string_equal(tool_on(&r, 22, "backscatter"), "");
    /* A probe that says nothing by itself is taken to be of the tool that came out first. */
    assert_string_equal(tool_on(&r, 8443, "scan"), "zmap");
    rig_close(&r);
}

static const struct CMUnitTest tests[] = {
    SAYS("contacts hold what was sent: a worked example", worked_example),
    SAYS("an empty window is closed too, and late packets count into the open one",
        empty_and_late),
    SAYS("a source that asks thousands of services has a contact for each", many_services),
    SAYS("contacts are the same in one batch or many, with packet rows or without", batches),
    SAYS("a full table leaves out whole sources, states the share and counts the rest",
        sampling),
    SAYS("a source that alone fills the table is left out", one_wide_source),
    SAYS("sources of earlier windows make place before any is left out", idle_sources_go_first),
    SAYS("packet rows carry tags and as much payload as allowed", packet_rows),
    SAYS("captures of real tools name the tool and nothing else", real_tools),
    SAYS("who sent too little to be named is counted beside who is", below_the_level),
    SAYS("single matches of many sources are told where chance makes none", lone_matches),
    SAYS("real floods and reflections name nobody, and answers are backscatter", real_crowds),
    SAYS("ten million SYN with random fields name no source", random_syn),
    SAYS("a source of several tools has each named where it is used, and none for its answers",
        several_tools),
    SAYS("a repeated packet is no further evidence", repetitions),
};
TEST_MAIN(tests)
