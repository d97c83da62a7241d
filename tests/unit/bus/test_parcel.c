#include "test.h"

#include "base/hash.h"
#include "base/rng.h"
#include "bus/parcel.h"
#include "bus/planes_int.h"
#include "sensor/source.h"

#include <string.h>

enum {
    ROWS_MOST = 4000
};

struct cargo {
    struct fingerprints *set;
    struct sensor *sensor;
    struct sensor_shared shared;
    struct parcel_writer *writer;
    struct block *block;
    struct sensor_look looks[ROWS_MOST];
    uint16_t icmp_seq[ROWS_MOST];
    struct packet packets[ROWS_MOST];
};

static int cargo_make(void **state)
{
    struct cargo *c = calloc(1, sizeof *c);
    struct sensor_options o = {.window = 86400000000, .payload_keep = 64, .secret = 5};
    *state = c;
    if (!c || fingerprints_new(&c->set, NULL) != OK)
        return -1;
    c->shared.fingerprints = c->set;
    return sensor_new(&c->sensor, "jp-01", &c->shared, &o) != OK ||
           parcel_writer_new(&c->writer, c->set) != OK ||
           block_new(&c->block, &record_packet, ROWS_MOST) != OK;
}

static int cargo_drop(void **state)
{
    struct cargo *c = *state;
    parcel_writer_free(c->writer);
    sensor_free(c->sensor);
    block_free(c->block);
    fingerprints_free(c->set);
    free(c);
    return 0;
}

static void packet_take(struct cargo *c, const struct packet *p)
{
    size_t row = c->block->rows;
    sensor_look(&c->shared, p, &c->looks[row]);
    c->icmp_seq[row] = p->icmp_seq;
    c->packets[row] = *p;
    assert_int_equal(sensor_take_looked(c->sensor, p, &c->looks[row], 1, c->block), OK);
}

static void file_take(struct cargo *c, const char *path)
{
    struct source *s;
    struct fault f;
    static struct frame frames[256];
    size_t count;
    assert_int_equal(source_open_file(&s, path, &f), OK);
    while (source_next(s, frames, 256, 0, &count, &f) == OK)
        for (size_t i = 0; i < count && c->block->rows < ROWS_MOST; i++) {
            struct packet p;
            if (decode_packet(frames[i].link, bytes_over(frames[i].data, frames[i].len),
                    frames[i].wire_len, &p) != DECODE_OK)
                continue;
            p.ts = 1700000000000000 + (int64_t)c->block->rows * 1000;
            packet_take(c, &p);
        }
    source_close(s);
}

/* IPv4 and IPv6, of all protocols, with and without payload, in no order of time. */
static void random_take(struct cargo *c, uint64_t seed, size_t count)
{
    struct rng r;
    uint8_t payload[256];
    rng_seed(&r, seed);
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)rng_u32(&r);
    for (size_t i = 0; i < count; i++) {
        static const uint8_t protos[] = {6, 6, 6, 17, 1, 58, 47};
        struct packet p = {.ts = 1700000000000000 + (int64_t)rng_below(&r, 3600000000)};
        p.src = ip_from_v4((uint32_t)rng_below(&r, 300) * 77777);
        p.dst = ip_from_v4(0xc6336400 + (uint32_t)rng_below(&r, 256));
        if (rng_below(&r, 5) == 0)
            p.src.byte[0] = p.dst.byte[0] = 0x20;
        p.proto = protos[rng_below(&r, sizeof protos)];
        p.ttl = (uint8_t)rng_u32(&r);
        p.ip_id = (uint16_t)rng_u32(&r);
        p.ip_len = (uint16_t)rng_below(&r, 1500);
        p.sport = (uint16_t)rng_u32(&r);
        p.dport = (uint16_t)rng_below(&r, 3000);
        p.tcp_flags = (uint8_t)rng_below(&r, 256);
        p.tcp_win = (uint16_t)rng_u32(&r);
        p.tcp_seq = rng_below(&r, 3) ? rng_u32(&r) : ip_v4(&p.dst);
        p.tcp_ack = rng_u32(&r);
        p.tcp_opts = (uint32_t)rng_below(&r, 9);
        p.icmp_seq = (uint16_t)rng_below(&r, 70000);
        p.quirks = (uint16_t)rng_below(&r, 128);
        p.payload = bytes_over(payload, rng_below(&r, 2) ? rng_below(&r, 256) : 0);
        packet_take(c, &p);
    }
}

static void parcel_make(struct cargo *c, struct buf *out)
{
    struct parcel p = {.packets = c->block,
        .looks = c->looks,
        .icmp_seq = c->icmp_seq,
        .account = {.replay = true,
            .until = 1700000000000000,
            .frames = 12345,
            .bytes = 6789,
            .dropped_kernel = 3,
            .dropped_queue = 4,
            .failed = {[DECODE_NON_IP] = 5}}};
    buf_init(out, 64 << 20);
    assert_int_equal(parcel_write(c->writer, &p, out), OK);
}

static void expect_same(struct cargo *c, const struct buf *parcel, const char *site)
{
    struct parcel_rows r;
    struct fault f = {0};
    enum err e = parcel_read(&r, site, c->set, bytes_over(parcel->data, parcel->len), &f);
    if (e)
        fail_msg("%s", f.text);
    assert_int_equal(r.packets->rows, c->block->rows);
    if (strcmp(site, "jp-01") == 0)
        assert_int_equal(block_digest(r.packets), block_digest(c->block));
    for (size_t i = 0; i < r.packets->rows; i++) {
        struct packet p;
        const struct packet *q = &c->packets[i];
        assert_string_equal(block_word_at(r.packets, PACKET_SITE, i), site);
        assert_int_equal(r.looks[i].class, c->looks[i].class);
        assert_int_equal(r.looks[i].hits.each, c->looks[i].hits.each);
        assert_int_equal(r.looks[i].hits.count, c->looks[i].hits.count);
        assert_memory_equal(r.looks[i].hits.rule, c->looks[i].hits.rule, r.looks[i].hits.count);
        parcel_packet(&r, i, &p);
        assert_int_equal(p.ts, q->ts);
        assert_true(ip_same(&p.src, &q->src) && ip_same(&p.dst, &q->dst));
        assert_int_equal(p.tcp_seq, q->tcp_seq);
        assert_int_equal(p.ip_id, q->ip_id);
        assert_int_equal(p.icmp_seq, q->icmp_seq);
        assert_int_equal(p.payload.left, q->payload.left < 64 ? q->payload.left : 64);
    }
    assert_true(r.account.replay && !r.account.end);
    assert_int_equal(r.account.frames, 12345);
    assert_int_equal(r.account.dropped_queue, 4);
    assert_int_equal(r.account.failed[DECODE_NON_IP], 5);
    parcel_rows_done(&r);
}

static void comes_back(void **state)
{
    struct cargo *c = *state;
    static const size_t counts[] = {0, 1, 2, 30, 257, ROWS_MOST};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        struct buf parcel;
        block_clear(c->block);
        random_take(c, k + 1, counts[k]);
        parcel_make(c, &parcel);
        expect_same(c, &parcel, "jp-01");
        expect_same(c, &parcel, "us-02");
        buf_done(&parcel);
    }
}

static void real_tools_come_back(void **state)
{
    struct cargo *c = *state;
    static const char *const files[] = {"pcaps/tool-generated/masscan-tcp.pcap",
        "pcaps/tool-generated/zmap-tcp23.pcap", "pcaps/scan/sv-mirai-syn23.pcap",
        "pcaps/tool-generated/zmap-icmp.pcap",
        "pcaps/ddos/stopddos-bacnet-dvr37810-amp.pcapng"};
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        char path[512];
        struct buf parcel;
        block_clear(c->block);
        file_take(c, test_data(files[k], path));
        parcel_make(c, &parcel);
        expect_same(c, &parcel, "jp-01");
        buf_done(&parcel);
    }
}

static void cut_or_changed(void **state)
{
    struct cargo *c = *state;
    struct buf parcel;
    struct parcel_rows r;
    struct rng rng;
    random_take(c, 77, 60);
    parcel_make(c, &parcel);
    for (size_t len = 0; len < parcel.len; len++)
        assert_int_not_equal(
            parcel_read(&r, "jp-01", c->set, bytes_over(parcel.data, len), NULL), OK);
    rng_seed(&rng, 4);
    for (int i = 0; i < 3000; i++) {
        size_t at = rng_below(&rng, parcel.len);
        uint8_t old = parcel.data[at];
        parcel.data[at] = (uint8_t)rng_u32(&rng);
        if (parcel_read(&r, "jp-01", c->set, bytes_over(parcel.data, parcel.len), NULL) == OK) {
            assert_int_equal(r.packets->rows, 60);
            parcel_rows_done(&r);
        }
        parcel.data[at] = old;
    }
    buf_u8(&parcel, 0);
    assert_int_not_equal(
        parcel_read(&r, "jp-01", c->set, bytes_over(parcel.data, parcel.len), NULL), OK);
    buf_done(&parcel);
}

static void unknown_rules_are_left_out(void **state)
{
    struct cargo *c = *state;
    char path[512];
    struct buf parcel;
    struct parcel_rows r;
    size_t hits = 0;
    file_take(c, test_data("pcaps/scan/sv-mirai-syn23.pcap", path));
    for (size_t i = 0; i < c->block->rows; i++)
        hits += c->looks[i].hits.count;
    assert_true(hits > 0);
    parcel_make(c, &parcel);
    assert_int_equal(
        parcel_read(&r, "jp-01", NULL, bytes_over(parcel.data, parcel.len), NULL), OK);
    for (size_t i = 0; i < r.packets->rows; i++)
        assert_int_equal(r.looks[i].hits.count + r.looks[i].hits.each, 0);
    parcel_rows_done(&r);
    buf_done(&parcel);
}

/* Values that all want one place of the writer's table make it do without one: else a telescope
 * that is sent such numbers would be busy with looking for places. */
static void crowded_values_have_no_table(void **state)
{
    enum {
        VALUES = 2 * PLANES_STEPS
    };
    static uint64_t values[4 * VALUES], back[4 * VALUES];
    static uint8_t scratch[PLANES_VALUES];
    const uint64_t slots = 4 * PLANES_VALUES - 1;
    struct planes *p = NULL;
    (void)state;
    for (int crowded = 0; crowded <= 1; crowded++) {
        uint64_t v = 1 << 24;
        for (size_t i = 0; i < VALUES; i++, v++) {
            while (crowded && (hash_u64(v) & slots) != 7)
                v++;
            for (size_t k = 0; k < 4; k++)
                values[i + k * VALUES] = v;
        }
        struct buf out;
        buf_init(&out, 1 << 20);
        assert_int_equal(planes_new(&p), OK);
        planes_put(p, values, 4 * VALUES, &out);
        assert_int_equal(planes_err(p), OK);
        assert_int_equal(out.err, OK);
        assert_int_equal(out.data[0] >= 16, !crowded);
        struct bytes in = bytes_over(out.data, out.len);
        planes_get(&in, back, 4 * VALUES, scratch);
        assert_false(in.cut);
        assert_memory_equal(back, values, sizeof values);
        planes_free(p);
        buf_done(&out);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("values that crowd one place of the writer's table are written without it",
        crowded_values_have_no_table),
    SAYS_WITH("packets, looks and account come back as they were, under the site's name",
        comes_back, cargo_make, cargo_drop),
    SAYS_WITH("packets of masscan, zmap, Mirai and an amplification attack come back",
        real_tools_come_back, cargo_make, cargo_drop),
    SAYS_WITH("cut anywhere a parcel is refused; changed it is refused or has its rows",
        cut_or_changed, cargo_make, cargo_drop),
    SAYS_WITH("what signatures said that the reader does not have is left out",
        unknown_rules_are_left_out, cargo_make, cargo_drop),
};
TEST_MAIN(tests)
