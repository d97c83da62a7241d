#include "test.h"

#include "bus/bus.h"
#include "bus/envelope.h"

#include <string.h>

static void envelope_comes_back(void **state)
{
    (void)state;
    struct buf b;
    struct envelope e = {.spool = 7,
        .number = 9,
        .previous = 4,
        .items = 11,
        .kind = "packet",
        .data = bytes_over("hello", 5)};
    struct envelope back;
    buf_init(&b, 4096);
    envelope_write(&e, &b);
    assert_int_equal(b.len, ENVELOPE_HEADER + 5);
    assert_int_equal(envelope_read(bytes_over(b.data, b.len), &back), OK);
    assert_int_equal(back.spool, 7);
    assert_int_equal(back.number, 9);
    assert_int_equal(back.previous, 4);
    assert_int_equal(back.items, 11);
    assert_string_equal(back.kind, "packet");
    assert_memory_equal(back.data.at, "hello", 5);
    for (size_t len = 0; len < b.len; len++)
        assert_int_not_equal(envelope_read(bytes_over(b.data, len), &back), OK);
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 0x20;
        assert_int_not_equal(envelope_read(bytes_over(b.data, b.len), &back), OK);
        b.data[i] ^= 0x20;
    }
    buf_done(&b);
}

static void numbers_that_no_site_gives(void **state)
{
    (void)state;
    static const uint64_t wrong[][3] = {
        {0, 1, 0}, {1, 0, 0}, {1, 5, 5}, {1, 5, 6}, {1, UINT64_MAX, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct buf b;
        struct envelope back;
        struct envelope e = {.spool = wrong[i][0],
            .number = wrong[i][1],
            .previous = wrong[i][2],
            .kind = "packet"};
        buf_init(&b, 4096);
        envelope_write(&e, &b);
        assert_int_equal(envelope_read(bytes_over(b.data, b.len), &back), ERR_RANGE);
        buf_done(&b);
    }
}

static void commitment_comes_back(void **state)
{
    (void)state;
    struct buf b;
    struct commitment c = {.spool = 0xfedcba9876543210u, .committed = 1234567, .want = 1234570};
    struct commitment back = {0};
    buf_init(&b, 4096);
    commitment_write(&c, &b);
    assert_int_equal(commitment_read(bytes_over(b.data, b.len), &back), OK);
    assert_int_equal(back.spool, c.spool);
    assert_int_equal(back.committed, c.committed);
    assert_int_equal(back.want, c.want);
    for (size_t len = 0; len < b.len; len++)
        assert_int_not_equal(commitment_read(bytes_over(b.data, len), &back), OK);
    buf_done(&b);
    static const char *const wrong[] = {"", "{}", "[]", "{\"spool\":1,\"committed\":\"2\"}",
        "{\"spool\":\"1\",\"committed\":\"-2\"}", "{\"spool\":\"1\",\"committed\":\"\"}",
        "{\"spool\":\"1\",\"committed\":\"2\",\"want\":3}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(
            commitment_read(bytes_over(wrong[i], strlen(wrong[i])), &back), ERR_BAD);
}

static void names_of_sites(void **state)
{
    (void)state;
    assert_true(bus_site_fits("jp-01"));
    assert_true(bus_site_fits("0_a"));
    static const char *const wrong[] = {
        "", "-a", "_a", "a.b", "a*", "a>", "A", "a b", "a23456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(bus_site_fits(wrong[i]));
}

static const struct CMUnitTest tests[] = {
    SAYS("an envelope comes back whole; cut or changed anywhere it is refused",
        envelope_comes_back),
    SAYS("numbers that no site gives are refused", numbers_that_no_site_gives),
    SAYS("the hub's word comes back; anything else is refused", commitment_comes_back),
    SAYS("a site's name is one token of a subject", names_of_sites),
};
TEST_MAIN(tests)
