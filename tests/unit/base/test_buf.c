#include "base/buf.h"
#include "test.h"

#include <string.h>

static void numbers(void **state)
{
    (void)state;
    static const uint8_t want[] = {0xa1, 0x02, 0x01, 0x04, 0x03, 0x02, 0x01, 0x08, 0x07, 0x06,
        0x05, 0x04, 0x03, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02, 0x03, 0x04};
    struct buf b;
    buf_init(&b, 1000);
    buf_u8(&b, 0xa1);
    buf_le16(&b, 0x0102);
    buf_le32(&b, 0x01020304);
    buf_le64(&b, 0x0102030405060708u);
    buf_be16(&b, 0x0102);
    buf_be32(&b, 0x01020304);
    assert_int_equal(b.err, OK);
    assert_int_equal(b.len, sizeof want);
    assert_memory_equal(b.data, want, sizeof want);
    buf_done(&b);
}

static void full(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_str(&b, "0123456789");
    assert_int_equal(b.err, OK);
    buf_str(&b, "");
    assert_int_equal(b.err, OK);
    buf_u8(&b, 'x');
    assert_int_equal(b.err, ERR_FULL);
    assert_int_equal(b.len, 10);
    assert_string_equal((const char *)b.data, "0123456789");
    buf_clear(&b);
    buf_str(&b, "01234567890");
    assert_int_equal(b.err, ERR_FULL);
    assert_int_equal(b.len, 0);
    buf_done(&b);
}

static void error_stays(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    buf_str(&b, "12345");
    buf_str(&b, "1");
    assert_int_equal(b.err, ERR_FULL);
    assert_int_equal(b.len, 0);
    assert_null(buf_reserve(&b, 1));
    buf_clear(&b);
    buf_str(&b, "1");
    assert_int_equal(b.err, OK);
    assert_string_equal((const char *)b.data, "1");
    buf_done(&b);
}

static void printing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 2000);
    buf_printf(&b, "%s=%d;", "port", 445);
    buf_printf(&b, "%0500d", 7);
    assert_int_equal(b.err, OK);
    assert_int_equal(b.len, 509);
    assert_memory_equal(b.data, "port=445;000", 12);
    assert_int_equal(b.data[508], '7');
    assert_int_equal(b.data[509], 0);
    buf_printf(&b, "%02000d", 7);
    assert_int_equal(b.err, ERR_FULL);
    assert_int_equal(b.len, 509);
    buf_done(&b);
}

static void grows(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (uint32_t i = 0; i < 1 << 18; i++)
        buf_le32(&b, i);
    assert_int_equal(b.err, OK);
    assert_int_equal(b.len, 1 << 20);
    for (uint32_t i = 0; i < 1 << 18; i++) {
        uint32_t v;
        memcpy(&v, b.data + i * sizeof v, sizeof v);
        assert_int_equal(v, i);
    }
    assert_true(b.room <= b.cap + 1);
    buf_done(&b);
    buf_done(&b);
}

static void reserve(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    uint8_t *to = buf_reserve(&b, 100);
    assert_non_null(to);
    memset(to, 'r', 100);
    b.len += 100;
    assert_null(buf_reserve(&b, 1));
    assert_int_equal(b.err, ERR_FULL);
    buf_done(&b);
}

static const struct CMUnitTest tests[] = {
    SAYS("numbers are written in the byte order that the name says", numbers),
    SAYS("a write that passes the cap writes nothing", full),
    SAYS("after a refused write the buffer takes no more until it is cleared", error_stays),
    SAYS("formatted text grows the buffer and ends in NUL", printing),
    SAYS("a buffer grows up to its cap and keeps what it has", grows),
    SAYS("reserved room can be filled to the cap", reserve),
};
TEST_MAIN(tests)
