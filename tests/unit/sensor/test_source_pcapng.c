#include "captures.h"

static void both_orders(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct capture c = capture_new(big);
        put_section(&c);
        put_interface(&c, 101, 65535, -1, 0);
        put_packet(&c, 0, UINT64_C(1700000000123456), "hello", 60);
        put_packet(&c, 0, UINT64_C(1700000000123457), "four", 2);
        struct reading r = read_capture(&c);
        assert_int_equal(r.err, ERR_NOTFOUND);
        assert_int_equal(r.count, 2);
        assert_frame(&r.frames[0], INT64_C(1700000000123456), 101, "hello", 60);
        assert_frame(&r.frames[1], INT64_C(1700000000123457), 101, "four", 4);
        reading_done(&r);
        buf_done(&c.bytes);
    }
}

static void several_sections(void **state)
{
    (void)state;
    struct capture c = capture_new(false);
    put_section(&c);
    put_interface(&c, 1, 0, -1, 0);
    put_interface(&c, 276, 0, 9, 0);
    put_packet(&c, 1, UINT64_C(1700000000123456789), "cooked", 6);
    put_packet(&c, 0, UINT64_C(1700000000123457), "ethernet", 8);
    c.big = true;
    put_section(&c);
    put_interface(&c, 101, 0, 3, 0);
    put_packet(&c, 0, UINT64_C(1700000001000), "raw", 3);
    struct reading r = read_capture(&c);
    assert_int_equal(r.count, 3);
    assert_int_equal(r.err, ERR_NOTFOUND);
    assert_frame(&r.frames[0], INT64_C(1700000000123456), 276, "cooked", 6);
    assert_frame(&r.frames[1], INT64_C(1700000000123457), 1, "ethernet", 8);
    assert_frame(&r.frames[2], INT64_C(1700000001000000), 101, "raw", 3);
    reading_done(&r);
    /* The interfaces of the first section are gone in the second. */
    put_packet(&c, 1, 0, "?", 1);
    size_t last = c.bytes.len - 36;
    r = read_capture(&c);
    assert_int_equal(r.count, 3);
    assert_int_equal(r.err, ERR_BAD);
    char expected[200];
    snprintf(expected, sizeof expected,
        "memory: offset %zu: a packet of interface 1, but the section describes 1 so far",
        last);
    assert_string_equal(r.fault.text, expected);
    reading_done(&r);
    buf_done(&c.bytes);
}

static void resolutions(void **state)
{
    (void)state;
    static const struct {
        int resolution;
        int64_t offset;
        uint64_t ticks;
        int64_t ts;
    } rows[] = {
        {-1, 0, 1700000000123456, 1700000000123456},
        {0, 0, 1700000000, 1700000000000000},
        {3, 0, 1700000000123, 1700000000123000},
        {6, 0, 5, 5},
        {7, 0, 17000000001234569, 1700000000123456},
        {9, 0, UINT64_MAX, 18446744073709551},
        {19, 0, UINT64_MAX, 1844674},
        {0x80, 0, 1700000000, 1700000000000000},
        {0x80 | 10, 0, 1700000000u * UINT64_C(1024) + 512, 1700000000500000},
        {0x80 | 32, 0, UINT64_C(1700000000) << 32 | UINT64_C(0xffffffff), 1700000000999999},
        {0x80 | 63, 0, UINT64_MAX, 1999999},
        {6, 1700000000, 123456, 1700000000123456},
        {6, -10, 1700000010000000, 1700000000000000},
        {9, 1, 1999, 1000001},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct capture c = capture_new(i % 2);
        put_section(&c);
        put_interface(&c, 1, 0, rows[i].resolution, rows[i].offset);
        put_packet(&c, 0, rows[i].ticks, "x", 1);
        struct reading r = read_capture(&c);
        assert_int_equal(r.err, ERR_NOTFOUND);
        assert_int_equal(r.count, 1);
        assert_int_equal(r.frames[0].ts, rows[i].ts);
        reading_done(&r);
        buf_done(&c.bytes);
    }
}

static void impossible_times(void **state)
{
    (void)state;
    static const struct {
        int resolution;
        int64_t offset;
        uint64_t ticks;
        const char *sentence;
    } rows[] = {
        {20, 0, 1,
            "time resolution 10^-20 of an interface; at most 10^-19 and 2^-63 s are read"},
        {0xc0, 0, 1,
            "time resolution 2^-64 of an interface; at most 10^-19 and 2^-63 s are read"},
        {6, 0, UINT64_MAX, "a packet from outside the years 1970 to 9999"},
        {0, 0, UINT64_MAX, "a packet from outside the years 1970 to 9999"},
        {0x80, 0, UINT64_MAX, "a packet from outside the years 1970 to 9999"},
        {6, -10, 9999999, "a packet from outside the years 1970 to 9999"},
        {6, 253402300799, 1000001, "a packet from outside the years 1970 to 9999"},
        {6, INT64_MIN, 1,
            "time offset -9223372036854775808 s of an interface is outside the years 1970 to "
            "9999"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct capture c = capture_new(false);
        put_section(&c);
        put_interface(&c, 1, 0, rows[i].resolution, rows[i].offset);
        put_packet(&c, 0, rows[i].ticks, "x", 1);
        struct reading r = read_capture(&c);
        assert_int_equal(r.err, ERR_BAD);
        assert_int_equal(r.count, 0);
        assert_non_null(strstr(r.fault.text, rows[i].sentence));
        buf_done(&c.bytes);
    }
}

static void other_packet_blocks(void **state)
{
    (void)state;
    struct capture c = capture_new(true);
    put_section(&c);
    put_interface(&c, 1, 4, -1, 0);
    size_t start = block_begin(&c, 2);
    put16(&c, 0);
    put16(&c, 17);
    put64(&c, 1700000000000001);
    put32(&c, 3);
    put32(&c, 60);
    buf_str(&c.bytes, "old");
    block_end(&c, start);
    start = block_begin(&c, 3);
    put32(&c, 9);
    buf_str(&c.bytes, "simp");
    block_end(&c, start);
    start = block_begin(&c, 3);
    put32(&c, 2);
    buf_str(&c.bytes, "le");
    block_end(&c, start);
    struct reading r = read_capture(&c);
    assert_int_equal(r.err, ERR_NOTFOUND);
    assert_int_equal(r.count, 3);
    assert_frame(&r.frames[0], 1700000000000001, 1, "old", 60);
    assert_frame(&r.frames[1], 1700000000000001, 1, "simp", 9);
    assert_frame(&r.frames[2], 1700000000000001, 1, "le", 2);
    reading_done(&r);
    buf_done(&c.bytes);
}

static void put_unknown(struct capture *c, uint32_t type, size_t len)
{
    size_t start = block_begin(c, type);
    uint8_t *to = buf_reserve(&c->bytes, len);
    assert_non_null(to);
    memset(to, 0x0a, len);
    c->bytes.len += len;
    block_end(c, start);
}

static void unknown_blocks(void **state)
{
    (void)state;
    struct capture c = capture_new(false);
    put_section(&c);
    put_unknown(&c, 0xbad, 40);
    put_interface(&c, 1, 0, -1, 0);
    put_unknown(&c, 10, 0);
    put_packet(&c, 0, 1, "a", 1);
    put_unknown(&c, 4, 3 << 20);
    put_packet(&c, 0, 2, "b", 1);
    put_unknown(&c, 0x80000001, 100);
    for (size_t chunk = 1000; chunk < 8 << 20; chunk *= 8) {
        struct reading r = read_memory(c.bytes.data, c.bytes.len, chunk);
        assert_int_equal(r.err, ERR_NOTFOUND);
        assert_int_equal(r.count, 2);
        assert_frame(&r.frames[1], 2, 1, "b", 1);
        reading_done(&r);
    }
    /* Cut inside the long block, and in the copy of its length. */
    size_t start = c.bytes.len - 112 - 36 - (3 << 20) - 12;
    static const size_t missing[] = {1, 4, 5, 100000, 3 << 20};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        struct reading r =
            read_memory(c.bytes.data, start + (3 << 20) + 12 - missing[i], EVERYTHING);
        assert_int_equal(r.err, ERR_SHORT);
        assert_int_equal(r.count, 1);
        char expected[100];
        snprintf(expected, sizeof expected, "inside a block of 3145740 bytes, %zu of which",
            missing[i]);
        assert_non_null(strstr(r.fault.text, expected));
        reading_done(&r);
    }
    buf_done(&c.bytes);
}

static void cut_everywhere(void **state)
{
    (void)state;
    struct capture c = capture_new(false);
    size_t ends[8];
    put_section(&c);
    ends[0] = c.bytes.len;
    put_interface(&c, 1, 0, 9, 0);
    ends[1] = c.bytes.len;
    put_packet(&c, 0, 1000, "first", 5);
    ends[2] = c.bytes.len;
    put_unknown(&c, 4, 20);
    ends[3] = c.bytes.len;
    put_packet(&c, 0, 2000, "second", 6);
    ends[4] = c.bytes.len;
    for (size_t len = 28; len <= c.bytes.len; len++) {
        size_t whole = 0;
        while (whole < 4 && ends[whole + 1] <= len)
            whole++;
        struct reading r = read_memory(c.bytes.data, len, EVERYTHING);
        assert_int_equal(r.count, whole < 2 ? 0 : whole < 4 ? 1 : 2);
        assert_int_equal(r.err, len == ends[whole] ? ERR_NOTFOUND : ERR_SHORT);
        char offset[64];
        snprintf(offset, sizeof offset, "memory: offset %zu: the file ends inside a block",
            ends[whole]);
        if (r.err == ERR_SHORT && whole != 2)
            assert_int_equal(strncmp(r.fault.text, offset, strlen(offset)), 0);
        reading_done(&r);
    }
    for (size_t len = 4; len < 28; len++) {
        struct reading r = read_memory(c.bytes.data, len, EVERYTHING);
        assert_int_equal(r.err, ERR_SHORT);
    }
    buf_done(&c.bytes);
}

static void link_types(void **state)
{
    (void)state;
    /* One interface that is read makes the file readable; frames of the others are given, and
     * the decoder counts them. */
    struct capture c = capture_new(false);
    put_section(&c);
    put_interface(&c, 189, 0, -1, 0);
    put_interface(&c, 1, 0, -1, 0);
    put_packet(&c, 0, 1, "usb", 3);
    put_packet(&c, 1, 2, "ethernet", 8);
    struct reading r = read_capture(&c);
    assert_int_equal(r.err, ERR_NOTFOUND);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.frames[0].link, 189);
    reading_done(&r);
    buf_done(&c.bytes);
    c = capture_new(false);
    put_section(&c);
    put_interface(&c, 189, 0, -1, 0);
    put_packet(&c, 0, 1, "usb", 3);
    r = read_capture(&c);
    assert_int_equal(r.err, ERR_BAD);
    assert_int_equal(strncmp(r.fault.text,
                         "memory: offset 48: link type 189 is not read; Ethernet (1), ", 59),
        0);
    buf_done(&c.bytes);
}

static void losses(void **state)
{
    (void)state;
    struct capture c = capture_new(false);
    for (int section = 0; section < 2; section++) {
        put_section(&c);
        put_interface(&c, 1, 0, -1, 0);
        /* Two statistics of one interface: the later one holds. */
        for (uint64_t k = 1; k <= 2; k++) {
            size_t start = block_begin(&c, 5);
            put32(&c, 0);
            put64(&c, 0);
            put16(&c, 5);
            put16(&c, 8);
            put64(&c, 10 * k);
            put16(&c, 7);
            put16(&c, 8);
            put64(&c, 1000 * k);
            put32(&c, 0);
            block_end(&c, start);
        }
    }
    struct reading r = read_capture(&c);
    assert_int_equal(r.err, ERR_NOTFOUND);
    assert_int_equal(r.counts.dropped_interface, 40);
    assert_int_equal(r.counts.dropped_kernel, 4000);
    reading_done(&r);
    buf_done(&c.bytes);
}

/* Overwrite 32 bits at `at`, where the section and interface of the capture below end at 48. */
static void assert_broken(size_t at, uint32_t value, const char *sentence)
{
    struct capture c = capture_new(false);
    put_section(&c);
    put_interface(&c, 1, 0, -1, 0);
    put_packet(&c, 0, 1, "first", 5);
    put_packet(&c, 0, 2, "second", 6);
    for (size_t i = 0; i < 4; i++)
        c.bytes.data[at + i] = (uint8_t)(value >> 8 * i);
    struct reading r = read_capture(&c);
    assert_int_equal(r.err, ERR_BAD);
    assert_int_equal(r.count, at < 88 ? 0 : 1);
    assert_string_equal(r.fault.text, sentence);
    reading_done(&r);
    buf_done(&c.bytes);
}

static void broken_blocks(void **state)
{
    (void)state;
    assert_broken(
        8, 0, "memory: offset 8: a section header without the byte-order mark 1a2b3c4d");
    assert_broken(12, 2, "memory: offset 12: pcapng version 2.0; 1.0 and 1.2 are read");
    assert_broken(4, 20,
        "memory: offset 16: a block of 20 bytes ends with 4294967295 where its "
        "length is repeated");
    assert_broken(88 + 4, 39,
        "memory: offset 92: a block of type 6 with a length of 39 bytes; a multiple of 4 from "
        "12 to 327680 is allowed");
    assert_broken(88 + 4, 400000,
        "memory: offset 92: a block of type 6 with a length of 400000 bytes; a multiple of 4 "
        "from 12 to 327680 is allowed");
}

static void broken_packets(void **state)
{
    (void)state;
    assert_broken(88 + 20, 9,
        "memory: offset 88: a packet of 9 bytes in a block that is too short for it");
    assert_broken(
        88 + 20, 262145, "memory: offset 88: a packet of 262145 bytes; 262144 is the most");
    assert_broken(88 + 8, 1,
        "memory: offset 88: a packet of interface 1, but the section describes 1 so far");
}

static void too_many_interfaces(void **state)
{
    (void)state;
    struct capture c = capture_new(false);
    put_section(&c);
    for (int i = 0; i < INTERFACES_MAX; i++)
        put_interface(&c, 1, 0, -1, 0);
    put_packet(&c, INTERFACES_MAX - 1, 1, "x", 1);
    struct reading r = read_capture(&c);
    assert_int_equal(r.err, ERR_NOTFOUND);
    assert_int_equal(r.count, 1);
    reading_done(&r);
    put_interface(&c, 1, 0, -1, 0);
    r = read_capture(&c);
    assert_int_equal(r.err, ERR_FULL);
    assert_int_equal(r.count, 1);
    reading_done(&r);
    buf_done(&c.bytes);
}

static const struct CMUnitTest tests[] = {
    SAYS("both byte orders give the same frames", both_orders),
    SAYS("sections and interfaces have their own byte order, link type and clock",
        several_sections),
    SAYS("every time resolution and offset becomes microseconds", resolutions),
    SAYS("a time that cannot be is refused", impossible_times),
    SAYS("obsolete and simple packet blocks are read", other_packet_blocks),
    SAYS("blocks of other kinds are stepped over, however long", unknown_blocks),
    SAYS("a file cut anywhere gives the frames before the cut and names the block",
        cut_everywhere),
    SAYS("a section is refused only when none of its interfaces can be read", link_types),
    SAYS("losses that the capture states are counted", losses),
    SAYS("a block that breaks its frame ends the file with its offset", broken_blocks),
    SAYS("a packet that does not fit its block or section is refused", broken_packets),
    SAYS("the number of interfaces has a cap", too_many_interfaces),
};
TEST_MAIN(tests)
