#include "base/buf.h"
#include "base/bytes.h"
#include "test.h"

#include <string.h>

static const uint8_t some[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};

static void byte_orders(void **state)
{
    (void)state;
    struct bytes b = bytes_over(some, 8);
    assert_int_equal(bytes_be16(&b), 0x0102);
    assert_int_equal(bytes_le16(&b), 0x0403);
    assert_int_equal(bytes_be32(&b), 0x05060708);
    b = bytes_over(some, 8);
    assert_int_equal(bytes_u8(&b), 1);
    assert_int_equal(bytes_le32(&b), 0x05040302);
    b = bytes_over(some, 8);
    assert_true(bytes_le64(&b) == 0x0807060504030201u);
    assert_int_equal(b.left, 0);
    assert_false(b.cut);
}

static void high_bytes(void **state)
{
    (void)state;
    const uint8_t high[] = {0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8};
    struct bytes b = bytes_over(high, 8);
    assert_true(bytes_be32(&b) == 0xfffefdfcu);
    b = bytes_over(high, 8);
    assert_true(bytes_le64(&b) == 0xf8f9fafbfcfdfeffu);
}

static void read_past_end(void **state)
{
    (void)state;
    struct bytes b = bytes_over(some, 3);
    assert_int_equal(bytes_be32(&b), 0);
    assert_true(b.cut);
    assert_int_equal(b.left, 3);
    assert_ptr_equal(b.at, some);
    assert_int_equal(bytes_u8(&b), 0); /* one byte would be there */
    assert_int_equal(b.left, 3);
}

static void wide_read_past_end(void **state)
{
    (void)state;
    struct bytes b = bytes_over(some, 7);
    assert_true(bytes_le64(&b) == 0);
    assert_true(b.cut);
    assert_int_equal(b.left, 7);
}

static void take(void **state)
{
    (void)state;
    struct bytes b = bytes_over(some, 8);
    struct bytes part = bytes_take(&b, 3);
    assert_int_equal(part.left, 3);
    assert_int_equal(b.left, 5);
    assert_int_equal(bytes_be32(&part), 0);
    assert_true(part.cut);
    assert_false(b.cut);
    assert_int_equal(bytes_u8(&b), 4);
    part = bytes_take(&b, 5);
    assert_true(part.cut && b.cut);
    assert_int_equal(part.left, 0);
}

static void skip_bytes(void **state)
{
    (void)state;
    struct bytes b = bytes_over(some, 8);
    bytes_skip(&b, 8);
    assert_false(b.cut);
    bytes_skip(&b, 0);
    assert_false(b.cut);
    bytes_skip(&b, 1);
    assert_true(b.cut);
    b = bytes_over(some, 8);
    bytes_skip(&b, SIZE_MAX);
    assert_true(b.cut);
    assert_int_equal(b.left, 8);
}

static void nothing_at_all(void **state)
{
    (void)state;
    struct bytes b = bytes_over(NULL, 0);
    struct bytes part = bytes_take(&b, 0);
    assert_false(part.cut);
    assert_non_null(part.at);
    assert_int_equal(bytes_u8(&b), 0);
    assert_true(b.cut);
}

static void varint_round_trip(void **state)
{
    (void)state;
    static const uint64_t values[] = {
        0, 1, 127, 128, 300, 16383, 16384, UINT32_MAX, UINT64_MAX / 2, UINT64_MAX};
    struct buf out;
    buf_init(&out, 256);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        buf_varint(&out, values[i]);
    struct bytes b = bytes_over(out.data, out.len);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_true(bytes_varint(&b) == values[i]);
    assert_int_equal(b.left, 0);
    assert_false(b.cut);
    buf_done(&out);
}

static void varint_refused(void **state)
{
    (void)state;
    const uint8_t endless[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    struct bytes b = bytes_over(endless, sizeof endless);
    assert_true(bytes_varint(&b) == 0);
    assert_true(b.cut);
    const uint8_t too_large[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    b = bytes_over(too_large, sizeof too_large);
    assert_true(bytes_varint(&b) == 0);
    assert_true(b.cut);
    b = bytes_over(endless, 3);
    assert_true(bytes_varint(&b) == 0);
    assert_true(b.cut);
}

static const struct CMUnitTest tests[] = {
    SAYS("numbers are read in the byte order that the name says", byte_orders),
    SAYS("bytes above 127 stay unsigned", high_bytes),
    SAYS("a read past the end gives zero, moves nothing and stays cut", read_past_end),
    SAYS("a number of 64 bits is read whole or not at all", wide_read_past_end),
    SAYS("a part cannot be read beyond its own end", take),
    SAYS("no length moves a reader past its end", skip_bytes),
    SAYS("a reader over nothing is at its end", nothing_at_all),
    SAYS("a varint that was written is read again", varint_round_trip),
    SAYS("a varint of more than 64 bits or without an end is refused", varint_refused),
};
TEST_MAIN(tests)
