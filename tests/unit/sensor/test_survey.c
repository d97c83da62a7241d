#include "sensor/survey.h"

#include "base/clock.h"
#include "test.h"

#include <string.h>

static struct survey_lists *empty(void)
{
    struct survey_lists *lists;
    assert_int_equal(survey_new(&lists), OK);
    return lists;
}

static void add(struct survey_lists *lists, const char *name, const char *text)
{
    struct fault f;
    enum err e = survey_add(lists, name, bytes_over(text, strlen(text)), 7 * US_DAY, &f);
    if (e)
        fail_msg("%s", f.text);
}

/* The list that holds an address, or 0. */
static uint32_t find(const struct survey_lists *lists, const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(text, &ip), OK);
    return survey_find(lists, &ip);
}

static void plain(void **state)
{
    (void)state;
    struct survey_lists *lists = empty();
    add(lists, "lists/cidr/example_v4.txt",
        "192.0.2.0/24\n198.51.100.7/32\n\n  203.0.113.9\t\r\n# all\n2001:db8::/30\n");
    assert_int_equal(find(lists, "192.0.2.255"), 1);
    assert_int_equal(find(lists, "192.0.3.0"), 0);
    assert_int_equal(find(lists, "198.51.100.7"), 1);
    assert_int_equal(find(lists, "198.51.100.8"), 0);
    assert_int_equal(find(lists, "203.0.113.9"), 1);
    assert_int_equal(find(lists, "2001:dbb:ffff::"), 1);
    const struct survey_list *l = survey_at(lists, 0);
    assert_string_equal(l->organisation, "example");
    assert_string_equal(l->file, "lists/cidr/example_v4.txt");
    assert_int_equal(l->prefixes, 4);
    assert_int_equal(l->date, 7 * US_DAY);
    survey_free(lists);
}

static void maltrail(void **state)
{
    (void)state;
    struct survey_lists *lists = empty();
    add(lists, "mass_scanner.txt",
        "# Copyright\n# Reference: https://example.org\n\n192.0.2.1 # scanner.example.org\n"
        "192.0.2.2\t# another\n");
    assert_int_equal(find(lists, "192.0.2.1"), 1);
    assert_int_equal(find(lists, "192.0.2.2"), 1);
    assert_int_equal(find(lists, "192.0.2.3"), 0);
    survey_free(lists);
}

static void nftables(void **state)
{
    (void)state;
    struct survey_lists *lists = empty();
    add(lists, "alpha.nft",
        "# Alpha Labs (alpha.example)\n# Source: Ranges assigned to \"Alpha\"\n\n"
        "define alpha_v4 = {\n\t194.187.176.0/22,\n\t45.83.64.0/22, 192.0.2.1\n}\n\n"
        "define alpha_v6 = { 2a0e:7b84::/30, }\n");
    assert_int_equal(find(lists, "194.187.179.1"), 1);
    assert_int_equal(find(lists, "45.83.66.1"), 1);
    assert_int_equal(find(lists, "192.0.2.1"), 1);
    assert_int_equal(find(lists, "2a0e:7b87::1"), 1);
    assert_int_equal(survey_at(lists, 0)->prefixes, 4);
    survey_free(lists);
}

static void misp(void **state)
{
    (void)state;
    struct survey_lists *lists = empty();
    add(lists, "list.json",
        " {\"name\": \"Example scanners\", \"version\": 20260101, \"type\": \"cidr\",\n"
        " \"matching_attributes\": [\"ip-src\"], \"list\": [\"192.0.2.0/25\", "
        "\"2001:db8::1\"]}");
    assert_int_equal(find(lists, "192.0.2.127"), 1);
    assert_int_equal(find(lists, "192.0.2.128"), 0);
    assert_int_equal(find(lists, "2001:db8::1"), 1);
    assert_string_equal(survey_at(lists, 0)->organisation, "Example scanners");
    assert_string_equal(survey_at(lists, 0)->version, "20260101");
    survey_free(lists);
}

static void several(void **state)
{
    (void)state;
    struct survey_lists *lists = empty();
    add(lists, "wide", "192.0.2.0/24\n");
    add(lists, "narrow", "192.0.2.128/25\n");
    add(lists, "same", "192.0.2.0/24\n");
    assert_int_equal(find(lists, "192.0.2.1"), 1);
    assert_int_equal(find(lists, "192.0.2.129"), 2);
    assert_int_equal(survey_count(lists), 3);
    survey_free(lists);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault;
    } rows[] = {
        {"192.0.2.1\n192.0.2.256\n", "f:2: '192.0.2.256' is no address or prefix"},
        {"example.org\n", "f:1: 'example.org' is no address"},
        {"192.0.2.1 192.0.2.2\n", "f:1: '192.0.2.1 192.0.2.2' is no address"},
        {"0.0.0.0/0\n", "f:1: '0.0.0.0/0' is every address there is"},
        {"::/0\n", "f:1: '::/0' is every address there is"},
        {"# nothing\n\n", "f: there is no address in it"},
        {"", "f: there is no address in it"},
        {"define a = {\n192.0.2.1,\n", "f:1: this set has no '}'"},
        {"define a\n", "f:1: a set begins 'define NAME = {' on one line"},
        {"define a = { 192.0.2.1 } x\n", "f:1: 'x' after the set"},
        {"define a = { 192.0.2.1 }\n192.0.2.2\n", "f:2: '192.0.2.2' outside of a set"},
        {"define a = {\n192.0.2.1; }\n", "f:2: '192.0.2.1;' is no address"},
        {"{\"list\": [\"192.0.2.1\"", "f:1:"},
        {"{\"list\": {}}", "f: a MISP warning list has a \"list\""},
        {"{\"type\": \"hostname\", \"list\": [\"a.example\"]}",
            "f: a warning list of type \"hostname\""},
        {"{\"list\": [\"192.0.2.1\", \"x\"]}", "f: entry 2 of its list, 'x', is no address"},
        {"{\"list\": [7]}", "f: entry 1 of its list, '', is no address"},
    };
    struct survey_lists *lists = empty();
    add(lists, "good", "192.0.2.77\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault f = {0};
        struct bytes text = bytes_over(rows[i].text, strlen(rows[i].text));
        assert_int_equal(survey_add(lists, "f", text, 0, &f), ERR_BAD);
        if (strncmp(f.text, rows[i].fault, strlen(rows[i].fault)) != 0)
            fail_msg("%s\n  gives    %s", rows[i].text, f.text);
        assert_int_equal(survey_count(lists), 1);
        assert_int_equal(find(lists, "192.0.2.1"), 0);
        assert_int_equal(find(lists, "192.0.2.77"), 1);
    }
    struct fault f;
    assert_int_equal(survey_add_file(lists, "/nowhere/list", NULL, &f), ERR_IO);
    survey_free(lists);
}

static void real_lists(void **state)
{
    (void)state;
    char path[512];
    char other[512];
    struct fault f;
    test_data(
        "lists/openfilters-scanner-cidr4.txt", path); /* before there is what could leak */
    test_data("lists/maltrail-mass-scanner.txt", other);
    struct survey_lists *lists = empty();
    if (survey_add_file(lists, path, "OpenFilters", &f))
        fail_msg("%s", f.text);
    if (survey_add_file(lists, other, NULL, &f))
        fail_msg("%s", f.text);
    assert_int_equal(survey_at(lists, 0)->prefixes, 18494);
    assert_int_equal(survey_at(lists, 1)->prefixes, 16854);
    assert_string_equal(survey_at(lists, 0)->organisation, "OpenFilters");
    assert_string_equal(survey_at(lists, 1)->organisation, "maltrail-mass-scanner");
    assert_int_equal(find(lists, "1.192.192.4"), 1);
    assert_int_equal(find(lists, "1.192.192.5"), 0);
    assert_int_equal(find(lists, "104.131.0.69"), 2);
    survey_free(lists);
}

static const struct CMUnitTest tests[] = {
    SAYS("plain lists hold addresses and prefixes of both families", plain),
    SAYS("maltrail's lists have comments after addresses", maltrail),
    SAYS("nftables sets as OpenFilters publishes them are read", nftables),
    SAYS("a MISP warning list brings its name and version", misp),
    SAYS("the narrowest prefix names the list, then the first", several),
    SAYS("a bad list names file and line and adds nothing", refusals),
    SAYS("the published lists of two projects are read whole", real_lists),
};
TEST_MAIN(tests)
