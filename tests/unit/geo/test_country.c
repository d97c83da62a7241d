#include "geo/country.h"
#include "test.h"

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *code, *name;
    } rows[] = {
        {"ad", "Andorra"},
        {"kr", "South Korea"},
        {"JP", "Japan"},
        {"xk", "Kosovo"},
        {"zw", "Zimbabwe"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(country_name(rows[i].code), rows[i].name);
}

static void none(void **state)
{
    (void)state;
    static const char *const codes[] = {"", "k", "kor", "zz", "??", "a1", "aa"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_null(country_name(codes[i]));
    char text[COUNTRY_TEXT];
    assert_string_equal(country_format("zz", text), "ZZ");
    assert_string_equal(country_format("", text), "an unknown country");
    assert_string_equal(country_format("th", text), "Thailand");
}

/* A search by halves finds every row only if the rows are in order. */
static void all(void **state)
{
    (void)state;
    size_t found = 0;
    for (char a = 'a'; a <= 'z'; a++)
        for (char b = 'a'; b <= 'z'; b++) {
            const char *name = country_name((char[]){a, b, 0});
            char text[COUNTRY_TEXT];
            if (name)
                assert_string_equal(country_format((char[]){a, b, 0}, text), name);
            found += name != NULL;
        }
    assert_int_equal(found, 250);
}

static const struct CMUnitTest tests[] = {
    SAYS("a country has the name that people use, for its code in either case", names),
    SAYS("a code of no country has no name and is shown in capitals", none),
    SAYS("all 249 codes of ISO 3166-1 and xk are found, and no name is cut", all),
};
TEST_MAIN(tests)
