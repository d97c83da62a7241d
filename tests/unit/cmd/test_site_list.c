#include "test.h"

#include "cmd/site_list.h"

#include <string.h>

static void gathers(void **state)
{
    (void)state;
    const char *const pairs[] = {"jp-01=-", "kr-01=/dev//../dev/null", "jp-01=/dev/null"};
    char path[] = "e.pcap";
    char *paths[] = {path};
    struct site_list l = {0};
    struct fault f;
    assert_int_equal(site_list_pairs(&l, pairs, 3, &f), OK);
    assert_int_equal(site_list_paths(&l, "telescope", paths, 1, &f), OK);
    assert_int_equal(l.count, 3);
    assert_string_equal(l.sites[0].name, "jp-01");
    assert_int_equal(l.sites[0].count, 2);
    assert_string_equal(l.sites[0].paths[1], "/dev/null");
    assert_string_equal(l.sites[1].paths[0], "/dev//../dev/null");
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

static void must_be_there(void **state)
{
    (void)state;
    static const char *const pair = "jp=/no/such=capture";
    struct site_list l = {0};
    struct fault f = {0};
    assert_int_equal(site_list_pairs(&l, &pair, 1, &f), ERR_NOTFOUND);
    site_list_done(&l);
    assert_non_null(strstr(f.text, "--site jp=/no/such=capture: "));
}

static const struct CMUnitTest tests[] = {
    SAYS("captures are gathered by site, in the order given", gathers),
    SAYS("a text that is not NAME=FILE, or a name that is not allowed, is refused", refuses),
    SAYS("a capture that is not there is named by the option; a path may hold an =",
        must_be_there),
};
TEST_MAIN(tests)
