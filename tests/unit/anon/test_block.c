#include "anon/anon.h"

#include "base/clock.h"
#include "record/proto.h"
#include "test.h"

#define START (INT64_C(1000) * US_DAY)

static const uint8_t secret[ANON_SECRET] = "a secret of thirty-two bytes...";

struct bench {
    struct anon_keys *keys;
    struct anon *anon;
};

static void bench_open(struct bench *t, const char *document)
{
    struct anon_policy p;
    struct fault f = {0};
    if (anon_policy_parse(&p, bytes_over(document, strlen(document)), &f) != OK)
        fail_msg("%s", f.text);
    assert_int_equal(anon_keys_from(&t->keys, secret), OK);
    assert_int_equal(anon_new(&t->anon, &p, t->keys, 0), OK);
}

static void bench_close(struct bench *t)
{
    anon_free(t->anon);
    anon_keys_close(t->keys);
}

/* One packet as the sensor would write it. */
struct sent {
    int64_t ts;
    uint32_t src, dst, seq;
    uint16_t sport, dport;
    uint8_t proto;
    const char *payload;
};

static void put(struct block *b, const struct sent *s)
{
    size_t row = b->rows;
    size_t len = s->payload ? strlen(s->payload) : 0;
    assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, s->payload, len), OK);
    for (size_t i = 0; i < PACKET_COLUMNS; i++)
        if (b->kind->columns[i].type == COLUMN_NAME)
            assert_int_equal(block_word(b, i, "", &block_name(b, i)[row]), OK);
    assert_int_equal(block_word(b, PACKET_SITE, "jp-1", &block_name(b, PACKET_SITE)[row]), OK);
    assert_int_equal(
        block_word(b, PACKET_COUNTRY, "kr", &block_name(b, PACKET_COUNTRY)[row]), OK);
    block_time(b, PACKET_TS)[row] = s->ts;
    block_ip(b, PACKET_SRC)[row] = ip_from_v4(s->src);
    block_ip(b, PACKET_DST)[row] = ip_from_v4(s->dst);
    block_u8(b, PACKET_PROTO)[row] = s->proto;
    block_u16(b, PACKET_SPORT)[row] = s->sport;
    block_u16(b, PACKET_DPORT)[row] = s->dport;
    block_u16(b, PACKET_IP_ID)[row] = 54321;
    block_u16(b, PACKET_IP_LEN)[row] = (uint16_t)(40 + len);
    block_u32(b, PACKET_TCP_SEQ)[row] = s->seq;
    block_u32(b, PACKET_TCP_ACK)[row] = 5;
    block_u16(b, PACKET_QUIRKS)[row] = 0;
    block_u16(b, PACKET_PAYLOAD_LEN)[row] = (uint16_t)len;
    block_u64(b, PACKET_PAYLOAD_HASH)[row] = len ? hash_bytes(s->payload, len, 0) : 0;
    block_u32(b, PACKET_ASN)[row] = 4766;
    b->rows++;
}

static struct block *block_of(const struct sent *all, size_t count)
{
    struct block *b;
    assert_int_equal(block_new(&b, &record_packet, 64), OK);
    for (size_t i = 0; i < count; i++)
        put(b, &all[i]);
    return b;
}

static void apply(const char *document, struct block *b)
{
    struct bench t;
    struct fault f = {0};
    bench_open(&t, document);
    if (anon_block(t.anon, b, &f) != OK)
        fail_msg("%s", f.text);
    bench_close(&t);
}

static const struct sent three[] = {
    {START, 0xc0000201, 0x0a000001, 0x0a000001, 40000, 23, PROTO_TCP, NULL},
    {START + 1500000, 0xc0000202, 0x0a000001, 99, 500, 60000, PROTO_TCP,
        "GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n"},
    {START + 2500000, 0xc0000201, 0x0a000002, 0, 5, 8, PROTO_ICMP, "ping"},
};

static void nothing(void **state)
{
    (void)state;
    struct block *b = block_of(three, 3);
    uint64_t before = block_digest(b);
    apply("{\"destination\": \"keep\", \"numbers\": \"keep\", \"payload\": \"keep\"}", b);
    assert_int_equal(block_digest(b), before);
    block_free(b);
}

static void truncated(void **state)
{
    (void)state;
    struct block *b = block_of(three, 3);
    apply("{\"source\": {\"method\": \"truncate\", \"ipv4\": 24, \"ipv6\": 48},"
          "\"destination\": \"drop\"}",
        b);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ip_v4(&block_ip(b, PACKET_SRC)[i]), 0xc0000200);
        assert_int_equal(ip_v4(&block_ip(b, PACKET_DST)[i]), 0);
        assert_true(ip_is_v4(&block_ip(b, PACKET_DST)[i]));
    }
    block_free(b);
}

static void hashed(void **state)
{
    (void)state;
    struct block *b = block_of(three, 3);
    apply("{\"source\": \"hash\", \"destination\": \"hash\"}", b);
    const struct ip *src = block_ip(b, PACKET_SRC), *dst = block_ip(b, PACKET_DST);
    assert_true(ip_same(&src[0], &src[2]));
    assert_false(ip_same(&src[0], &src[1]));
    assert_true(ip_same(&dst[0], &dst[1]));
    assert_int_not_equal(ip_v4(&src[0]), 0xc0000201);
    assert_int_not_equal(ip_v4(&dst[0]), 0x0a000001);
    block_free(b);
}

static void own_keys(void **state)
{
    (void)state;
    static const struct sent one = {START, 0x0a000001, 0x0a000001, 0, 1, 2, PROTO_UDP, NULL};
    struct block *apart = block_of(&one, 1), *together = block_of(&one, 1);
    apply("{\"source\": \"prefix\", \"destination\": \"prefix\"}", apart);
    apply("{\"source\": \"prefix\", \"destination\": \"prefix\", \"one_key\": true}", together);
    assert_false(ip_same(block_ip(apart, PACKET_SRC), block_ip(apart, PACKET_DST)));
    assert_true(ip_same(block_ip(together, PACKET_SRC), block_ip(together, PACKET_DST)));
    assert_true(ip_same(block_ip(together, PACKET_SRC), block_ip(apart, PACKET_SRC)));
    block_free(apart);
    block_free(together);
}

static void ports(void **state)
{
    (void)state;
    struct block *b = block_of(three, 3);
    apply("{\"source_port\": \"class\", \"destination_port\": \"class\"}", b);
    static const uint16_t sport[] = {1024, 0, 5}, dport[] = {0, 49152, 8};
    assert_memory_equal(block_u16(b, PACKET_SPORT), sport, sizeof sport);
    assert_memory_equal(block_u16(b, PACKET_DPORT), dport, sizeof dport);
    block_free(b);
}

static void numbers(void **state)
{
    (void)state;
    struct block *b = block_of(three, 3);
    apply("{}", b);
    const uint32_t *seq = block_u32(b, PACKET_TCP_SEQ);
    assert_int_equal(seq[0], ip_v4(&block_ip(b, PACKET_DST)[0]));
    assert_int_not_equal(seq[0], 0x0a000001);
    assert_int_equal(seq[1], 0);
    assert_int_equal(block_u32(b, PACKET_TCP_ACK)[1], 0);
    assert_int_equal(block_u16(b, PACKET_IP_ID)[1], 0);
    block_free(b);
}

static void payload_text(struct block *b, size_t row, char text[257])
{
    struct bytes in = block_bytes_at(b, PACKET_PAYLOAD, row);
    memcpy(text, in.at, in.left);
    text[in.left] = '\0';
}

static void payloads(void **state)
{
    (void)state;
    char text[257];
    struct block *b = block_of(three, 3);
    apply("{\"payload\": {\"method\": \"first\", \"bytes\": 30}}", b);
    payload_text(b, 0, text);
    assert_string_equal(text, "");
    payload_text(b, 1, text);
    assert_string_equal(text, "GET / HTTP/1.1\r\nHost: xxxxxxxx");
    payload_text(b, 2, text);
    assert_string_equal(text, "ping");
    assert_int_equal(block_u16(b, PACKET_PAYLOAD_LEN)[1], strlen(three[1].payload));
    assert_int_not_equal(block_u64(b, PACKET_PAYLOAD_HASH)[2], hash_bytes("ping", 4, 0));
    struct buf packed;
    struct block *again;
    struct fault f;
    buf_init(&packed, 1 << 20);
    assert_int_equal(block_pack(b, 1, &packed), OK);
    assert_int_equal(
        block_unpack(&again, &record_packet, bytes_over(packed.data, packed.len), &f), OK);
    assert_int_equal(block_digest(again), block_digest(b));
    block_free(again);
    buf_done(&packed);
    block_free(b);
}

static void payload_cut_within_the_address(void **state)
{
    (void)state;
    char text[257];
    struct block *b = block_of(three, 3);
    apply("{\"payload\": {\"method\": \"first\", \"bytes\": 28}}", b);
    payload_text(b, 1, text);
    assert_string_equal(text, "GET / HTTP/1.1\r\nHost: xxxxxx");
    block_free(b);
}

static void payload_methods(void **state)
{
    (void)state;
    static const struct {
        const char *document;
        uint16_t len, ip_len;
        bool hash;
    } rows[] = {
        {"{\"payload\": \"hash\"}", 4, 44, true},
        {"{\"payload\": \"length\"}", 4, 44, false},
        {"{\"payload\": \"drop\"}", 0, 40, false},
    };
    for (size_t i = 0; i < 3; i++) {
        struct block *b = block_of(three, 3);
        apply(rows[i].document, b);
        assert_int_equal(block_bytes_at(b, PACKET_PAYLOAD, 2).left, 0);
        assert_int_equal(block_u16(b, PACKET_PAYLOAD_LEN)[2], rows[i].len);
        assert_int_equal(block_u16(b, PACKET_IP_LEN)[2], rows[i].ip_len);
        assert_int_equal(block_u64(b, PACKET_PAYLOAD_HASH)[2] != 0, rows[i].hash);
        assert_int_equal(block_u64(b, PACKET_PAYLOAD_HASH)[0], 0);
        block_free(b);
    }
}

static void times(void **state)
{
    (void)state;
    struct block *b = block_of(three, 3);
    apply("{\"time\": {\"method\": \"round\", \"to\": \"2s\"}}", b);
    assert_int_equal(block_time(b, PACKET_TS)[1], START);
    assert_int_equal(block_time(b, PACKET_TS)[2], START + 2 * US_SECOND);
    block_free(b);
    b = block_of(three, 3);
    apply("{\"time\": {\"method\": \"shift\", \"most\": \"30d\"}}", b);
    const int64_t *ts = block_time(b, PACKET_TS);
    int64_t back = START - ts[0];
    assert_true(back > 0 && back <= 30 * US_DAY && back % US_HOUR == 0);
    assert_int_equal(ts[2] - ts[0], 2500000);
    block_free(b);
}

static void places(void **state)
{
    (void)state;
    struct block *b = block_of(three, 3);
    apply("{\"place\": \"country\"}", b);
    assert_string_equal(block_word_at(b, PACKET_COUNTRY, 0), "kr");
    assert_int_equal(block_u32(b, PACKET_ASN)[0], 0);
    apply("{\"place\": \"drop\"}", b);
    assert_string_equal(block_word_at(b, PACKET_COUNTRY, 0), "");
    block_free(b);
}

/* Rows of two weeks in one block, one of them late: same keys as each by itself. */
static void epochs(void **state)
{
    (void)state;
    struct sent mixed[4];
    for (size_t i = 0; i < 4; i++) {
        mixed[i] = three[1];
        mixed[i].ts = START + (int64_t)(i % 2) * 7 * US_DAY;
    }
    struct block *b = block_of(mixed, 4);
    struct bench t;
    struct fault f;
    struct anon_counts counts;
    bench_open(&t, "{}");
    assert_int_equal(anon_block(t.anon, b, &f), OK);
    anon_counts(t.anon, &counts);
    assert_int_equal(counts.rows, 4);
    assert_int_equal(counts.epochs, 2);
    const struct ip *dst = block_ip(b, PACKET_DST);
    assert_true(ip_same(&dst[0], &dst[2]));
    assert_true(ip_same(&dst[1], &dst[3]));
    assert_false(ip_same(&dst[0], &dst[1]));
    assert_int_equal(block_bytes_at(b, PACKET_PAYLOAD, 3).left, strlen(three[1].payload));
    struct ip alone = ip_from_v4(three[1].dst);
    assert_int_equal(anon_addresses(t.anon, ANON_DESTINATION, mixed[1].ts, &alone, 1, &f), OK);
    assert_true(ip_same(&alone, &dst[1]));
    bench_close(&t);
    block_free(b);
}

static void contacts(void **state)
{
    (void)state;
    struct block *b;
    assert_int_equal(block_new(&b, &record_contact, 4), OK);
    static const char *const classes[] = {"scan", "backscatter"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t c = 0; c < CONTACT_COLUMNS; c++)
            if (b->kind->columns[c].type == COLUMN_NAME)
                assert_int_equal(block_word(b, c, "", &block_name(b, c)[i]), OK);
        assert_int_equal(
            block_word(b, CONTACT_CLASS, classes[i], &block_name(b, CONTACT_CLASS)[i]), OK);
        block_time(b, CONTACT_START)[i] = START;
        block_time(b, CONTACT_FIRST)[i] = START + 5;
        block_time(b, CONTACT_LAST)[i] = START + 10;
        block_ip(b, CONTACT_SRC)[i] = ip_from_v4(7);
        block_u8(b, CONTACT_PROTO)[i] = PROTO_TCP;
        block_u16(b, CONTACT_DPORT)[i] = 80;
        block_u32(b, CONTACT_PACKETS)[i] = 3;
        block_u64(b, CONTACT_BYTES)[i] = 3;
        block_u64(b, CONTACT_DSTS)[i] = 0x7;
        block_u64(b, CONTACT_SLOTS)[i] = 0x7f;
        block_u32(b, CONTACT_ASN)[i] = 1;
        b->rows++;
    }
    apply("{\"source\": \"hash\", \"destination_port\": \"drop\","
          "\"time\": {\"method\": \"round\", \"to\": \"30s\"}}",
        b);
    assert_int_equal(block_u16(b, CONTACT_DPORT)[0], 0);
    assert_int_equal(block_u16(b, CONTACT_DPORT)[1], 80); /* a port of the victim's */
    assert_int_equal(block_u64(b, CONTACT_SLOTS)[0], 0x49);
    assert_int_equal(__builtin_popcountll(block_u64(b, CONTACT_DSTS)[0]), 3);
    assert_true(block_u64(b, CONTACT_DSTS)[0] != 0x7);
    assert_true(block_u64(b, CONTACT_DSTS)[0] == block_u64(b, CONTACT_DSTS)[1]);
    assert_int_equal(block_time(b, CONTACT_LAST)[0], START);
    assert_int_not_equal(ip_v4(&block_ip(b, CONTACT_SRC)[0]), 7);
    block_free(b);
}

static const struct CMUnitTest tests[] = {
    SAYS("a policy that keeps everything changes nothing", nothing),
    SAYS("addresses are cut to their first bits, or dropped within their family", truncated),
    SAYS("hashed addresses are equal where they were, and only there", hashed),
    SAYS("source and destination have keys of their own unless they share one", own_keys),
    SAYS("ports become their class, ICMP types stay", ports),
    SAYS("a sequence number that named the destination names the new one, others are gone",
        numbers),
    SAYS("a payload is cut, and the destination in it overwritten", payloads),
    SAYS("of a destination at which a payload is cut the part that is left is overwritten, too",
        payload_cut_within_the_address),
    SAYS("of a payload its keyed hash, its length, or nothing stays", payload_methods),
    SAYS("times are rounded down, or go back by whole hours together", times),
    SAYS("network and country can be left out", places),
    SAYS("rows of two epochs have the keys of their own epoch", epochs),
    SAYS("contacts lose what points to a destination, backscatter keeps the victim's port",
        contacts),
};
TEST_MAIN(tests)
