#include "test.h"

#include "cmd/site_list.h"

#include <string.h>

static void gathers(void **state)
{
    (void)state;
    const char *const pairs[] = {"jp-01=a.pcap", "kr-01=b=c.pcap", "jp-01=d.pcap"};
    char path[] = "e.pcap";
    char *paths[] = {path};
    struct site_list l = {0};
    struct fault f;
    assert_int_equal(site_list_pairs(&l, pairs, 3, &f), OK);
    assert_int_equal(site_list_paths(&l, "telescope", paths, 1, &f), OK);
    assert_int_equal(l.count, 3);
    assert_string_equal(l.sites[0].name, "jp-01");
    assert_int_equal(l.sites[0].count, 2);
    assert_string_equal(l.sites[0].paths[1], "d.pcap");
    assert_string_equal(l.sites[1].paths[0], "b=c.pcap");
    assert_string_equal(l.sites[2].name, "telescope");
    site_list_done(&l);
}

static void refuses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a.pcap", "=a", "jp=", "JP=a", "a b=c",
        "0123456789012345678901234567890123456789012345678901234567890123=x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct site_list l = {0};
        struct fault f = {0};
        assert_int_equal(site_list_pairs(&l, &wrong[i], 1, &f), ERR_BAD);
        site_list_done(&l);
        assert_true(strlen(f.text) > 10);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("captures are gathered by site, in the order given; a path may hold an =", gathers),
    SAYS("a text that is not NAME=FILE, or a name that is not allowed, is refused", refuses),
};
TEST_MAIN(tests)
