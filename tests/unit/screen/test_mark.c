#include "screen/mark.h"
#include "test.h"

#include <string.h>

static enum err read_marks(struct marks *m, const char *text, struct fault *f)
{
    return marks_read(m, "t", bytes_over(text, strlen(text)), f);
}

static void most_packets_decide(void **state)
{
    (void)state;
    struct marks m;
    struct ip ip;
    marks_init(&m);
    assert_int_equal(read_marks(&m,
                         "source,label,packets\n192.0.2.1,mirai,3\n"
                         "2001:db8::1,survey,1\r\n192.0.2.1,scanner,9\n",
                         NULL),
        OK);
    assert_int_equal(m.count, 2);
    assert_int_equal(ip_parse("192.0.2.1", &ip), OK);
    assert_string_equal(m.label[marks_find(&m, &ip)], "scanner");
    assert_int_equal(ip_parse("2001:db8::1", &ip), OK);
    assert_string_equal(m.label[marks_find(&m, &ip)], "survey");
    assert_int_equal(ip_parse("192.0.2.2", &ip), OK);
    assert_int_equal(marks_find(&m, &ip), MARK_NONE);
    marks_done(&m);
}

static void a_bad_line_leaves_all_as_it_was(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "192.0.2.9\n", "192.0.2.9,A\n", "x,a\n", "192.0.2.9,a,-1\n"};
    struct marks m;
    marks_init(&m);
    assert_int_equal(read_marks(&m, "192.0.2.1,mirai\n", NULL), OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        struct fault f = {0};
        snprintf(text, sizeof text, "192.0.2.8,other\n%s", bad[i]);
        assert_int_equal(read_marks(&m, text, &f), ERR_BAD);
        assert_non_null(strstr(f.text, "t:2: "));
        assert_int_equal(m.count, 1);
        assert_int_equal(m.label_count, 1);
    }
    marks_done(&m);
}

static const struct CMUnitTest tests[] = {
    SAYS("a source with two labels has the one with most packets", most_packets_decide),
    SAYS("a bad line is told, and leaves all as it was", a_bad_line_leaves_all_as_it_was),
};
TEST_MAIN(tests)
