/* Names of networks: text of databases that anybody may have written. */
#include "geo/geo.h"
#include "geo/geo_names_int.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static void add(struct geo_names *n, uint32_t asn, const char *name)
{
    assert_int_equal(geo_names_add(n, asn, name, strlen(name)), OK);
}

static void first_counts(void **state)
{
    (void)state;
    struct geo_names n = {0};
    assert_string_equal(geo_names_find(&n, 64500), "");
    add(&n, 64500, "EXAMPLE-AS");
    add(&n, 64500, "LATER");
    add(&n, 0, "NOUGHT");
    assert_string_equal(geo_names_find(&n, 64500), "EXAMPLE-AS");
    assert_string_equal(geo_names_find(&n, 0), "NOUGHT");
    assert_string_equal(geo_names_find(&n, 64501), "");
    assert_int_equal(n.count, 2);
    geo_names_done(&n);
}

static void many(void **state)
{
    (void)state;
    struct geo_names n = {0};
    char name[32];
    for (int round = 0; round < 2; round++)
        for (uint32_t asn = 1; asn <= 20000; asn++) {
            snprintf(name, sizeof name, "net %u", asn * 7);
            add(&n, asn * 7, name);
        }
    assert_int_equal(n.count, 20000);
    for (uint32_t asn = 1; asn <= 20000; asn += 13) {
        snprintf(name, sizeof name, "net %u", asn * 7);
        assert_string_equal(geo_names_find(&n, asn * 7), name);
        assert_string_equal(geo_names_find(&n, asn * 7 + 1), "");
    }
    geo_names_done(&n);
}

/* Colours for a terminal, another line, text that runs the other way, no UTF-8. */
static void mischief(void **state)
{
    (void)state;
    static const struct {
        const char *given, *kept;
    } rows[] = {
        {"Univ. of Tokyo", "Univ. of Tokyo"},
        {"  Soci\xc3\xa9t\xc3\xa9  G\xc3\xa9n\xc3\xa9rale ",
            "Soci\xc3\xa9t\xc3\xa9 G\xc3\xa9n\xc3\xa9rale"},
        {"red \x1b[31mtext", "red [31mtext"},
        {"two\r\nlines", "two lines"},
        {"evil\xe2\x80\xaegpj.exe", "evil gpj.exe"},
        {"isolate\xe2\x81\xa6s", "isolate s"},
        {"mark\xe2\x80\x8fs", "mark s"},
        {"c1 \xc2\x9b\x33m", "c1 3m"},
        {"no utf-8 \xff\xfe here", "no utf-8 here"},
        {"<b>&amp;", "<b>&amp;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct geo_names n = {0};
        add(&n, 1, rows[i].given);
        assert_string_equal(geo_names_find(&n, 1), rows[i].kept);
        geo_names_done(&n);
    }
}

static void nothing_left(void **state)
{
    (void)state;
    struct geo_names n = {0};
    add(&n, 1, "\x01\x02 \t");
    add(&n, 1, "");
    assert_int_equal(n.count, 0);
    add(&n, 1, "later");
    assert_string_equal(geo_names_find(&n, 1), "later");
    geo_names_done(&n);
}

/* 99 bytes and a letter of two: the letter stays out whole. */
static void cut(void **state)
{
    (void)state;
    struct geo_names n = {0};
    char name[400];
    memset(name, 'a', sizeof name);
    name[GEO_NAME_MAX - 1] = '\xc3';
    name[GEO_NAME_MAX] = '\xa9';
    assert_int_equal(geo_names_add(&n, 1, name, sizeof name), OK);
    assert_int_equal(strlen(geo_names_find(&n, 1)), GEO_NAME_MAX - 1);
    geo_names_done(&n);
}

static const struct CMUnitTest tests[] = {
    SAYS("of several names of a network the first counts", first_counts),
    SAYS("twenty thousand networks are each found by their number", many),
    SAYS("a name is one line of text without control and direction characters", mischief),
    SAYS("a name of which nothing is left is none", nothing_left),
    SAYS("a long name is cut between letters", cut),
};
TEST_MAIN(tests)
