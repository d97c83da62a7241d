#include "test.h"

#include "api/server_int.h"

#include <sodium.h>
#include <string.h>
#include <zlib.h>

static void fill(struct buf *b, size_t len)
{
    buf_init(b, len + 1);
    for (size_t i = 0; i < len; i++)
        buf_u8(b, (uint8_t) "abcdefgh\n"[i % 9]);
}

static void tags_are_of_the_content(void **state)
{
    struct buf a, b;
    char one[ETAG_TEXT], two[ETAG_TEXT], three[ETAG_TEXT];
    (void)state;
    fill(&a, 100);
    fill(&b, 101);
    reply_etag(&a, false, one);
    reply_etag(&b, false, two);
    reply_etag(&a, true, three);
    assert_string_not_equal(one, two);
    assert_string_not_equal(one, three);
    reply_etag(&a, false, two);
    assert_string_equal(one, two);
    assert_int_equal(strlen(one), 34);
    assert_int_equal(one[0], '"');
    buf_done(&a);
    buf_done(&b);
}

static void matches_lists_of_tags(void **state)
{
    (void)state;
    assert_true(reply_matches("\"a\"", "\"a\""));
    assert_true(reply_matches("\"b\", W/\"a\"", "\"a\""));
    assert_true(reply_matches("*", "\"a\""));
    assert_false(reply_matches("\"ab\"", "\"a\""));
    assert_false(reply_matches("a", "\"a\""));
    assert_false(reply_matches("", "\"a\""));
    assert_false(reply_matches(NULL, "\"a\""));
    assert_false(reply_matches("\"b\",,,", "\"a\""));
}

static void reads_accept_encoding(void **state)
{
    (void)state;
    assert_true(reply_takes_gzip("gzip"));
    assert_true(reply_takes_gzip("gzip, deflate, br, zstd"));
    assert_true(reply_takes_gzip("br;q=1.0, gzip;q=0.8, *;q=0.1"));
    assert_true(reply_takes_gzip("GZIP"));
    assert_true(reply_takes_gzip("deflate,gzip;q=1"));
    assert_false(reply_takes_gzip("gzip;q=0"));
    assert_false(reply_takes_gzip("gzip;q=0.000"));
    assert_false(reply_takes_gzip("gzip;q=0.0, br"));
    assert_false(reply_takes_gzip("identity"));
    assert_false(reply_takes_gzip("xgzip"));
    assert_false(reply_takes_gzip("gzipx"));
    assert_false(reply_takes_gzip(""));
    assert_false(reply_takes_gzip(NULL));
}

static void gzip_is_undone(void **state)
{
    struct buf in, out;
    uint8_t back[20000];
    z_stream z = {0};
    (void)state;
    fill(&in, 20000);
    buf_init(&out, 1 << 20);
    assert_int_equal(reply_gzip(&in, &out), OK);
    assert_true(out.len < 1000);
    assert_int_equal(inflateInit2(&z, 31), Z_OK);
    z.next_in = out.data;
    z.avail_in = (uInt)out.len;
    z.next_out = back;
    z.avail_out = sizeof back;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    inflateEnd(&z);
    assert_int_equal(z.total_out, in.len);
    assert_memory_equal(back, in.data, in.len);
    buf_done(&in);
    buf_done(&out);
}

static void gzip_leaves_noise(void **state)
{
    struct buf in, out;
    (void)state;
    buf_init(&in, 5000);
    randombytes_buf(buf_reserve(&in, 4000), 4000);
    in.len = 4000;
    buf_init(&out, 1 << 20);
    assert_int_equal(reply_gzip(&in, &out), ERR_FULL);
    assert_int_equal(out.len, 0);
    buf_done(&in);
    buf_done(&out);
}

static const struct CMUnitTest tests[] = {
    SAYS("a tag is the same for the same bytes in the same coding", tags_are_of_the_content),
    SAYS("If-None-Match is read as a list of tags", matches_lists_of_tags),
    SAYS("gzip is used where it is accepted, and not where it is refused",
        reads_accept_encoding),
    SAYS("what is compressed comes back as it was", gzip_is_undone),
    SAYS("what does not become smaller is left alone", gzip_leaves_noise),
};
TEST_MAIN(tests)
