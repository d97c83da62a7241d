#include "base/clock.h"
#include "base/conf.h"
#include "test.h"

#include <string.h>

static const struct conf_item items[] = {
    {"verbose", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, "Say more."},
    {"alpha", CONF_NUMBER, "P", NULL, 0.001, 0.5, "0.01", NULL, "Level."},
    {"any", CONF_NUMBER, "X", NULL, 0, 0, NULL, NULL, "Any number."},
    {"top", CONF_COUNT, "N", "ports", 1, 65535, "10", NULL, "How many."},
    {"window", CONF_DURATION, "TIME", NULL, 60, 3600, "10m", NULL, "Length of a window."},
    {"from", CONF_TIME, "TIME", NULL, 0, 0, NULL, NULL, "Start."},
    {"class", CONF_TEXT, "WORD", NULL, 0, 0, "scan", "scan|survey|other", "Class."},
    {"name", CONF_TEXT, "NAME", NULL, 0, 8, NULL, NULL, "A short name."},
    {"site", CONF_LIST, "NAME=FILE", NULL, 0, 0, NULL, NULL, "A site."},
    {"engine", CONF_LIST, "NAME", NULL, 0, 0, "surge", NULL, "An engine."},
    {0},
};

static int setup(void **state)
{
    return conf_new((struct conf **)state, items) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    conf_free(*state);
    return 0;
}

/* The value is refused with this code and this sentence. */
static void refuses(
    struct conf *c, const char *name, const char *value, enum err code, const char *sentence)
{
    struct fault f = {0};
    assert_int_equal(conf_set(c, name, value, &f), code);
    assert_int_equal(f.code, code);
    assert_string_equal(f.text, sentence);
}

static void takes(struct conf *c, const char *name, const char *value)
{
    struct fault f = {0};
    assert_int_equal(conf_set(c, name, value, &f), OK);
}

static void defaults(void **state)
{
    const struct conf *c = *state;
    assert_false(conf_flag(c, "verbose"));
    assert_true(conf_number(c, "alpha") == 0.01);
    assert_int_equal(conf_count(c, "top"), 10);
    assert_true(conf_us(c, "window") == 10 * US_MINUTE);
    assert_string_equal(conf_text(c, "class"), "scan");
    assert_null(conf_text(c, "name"));
    const char *const *list;
    assert_int_equal(conf_list(c, "site", &list), 0);
    assert_false(conf_given(c, "alpha"));
    assert_false(conf_given(c, "no such option"));
}

static void values(void **state)
{
    struct conf *c = *state;
    takes(c, "verbose", NULL);
    takes(c, "alpha", "5e-2");
    takes(c, "any", "-1.5");
    takes(c, "top", "65535");
    takes(c, "window", "1h");
    takes(c, "from", "2026-11-22");
    takes(c, "class", "other");
    takes(c, "name", "12345678");
    assert_true(conf_flag(c, "verbose"));
    assert_true(conf_number(c, "alpha") == 0.05);
    assert_true(conf_number(c, "any") == -1.5);
    assert_int_equal(conf_count(c, "top"), 65535);
    assert_true(conf_us(c, "window") == US_HOUR);
    assert_true(conf_us(c, "from") == 1795305600 * US_SECOND);
    assert_string_equal(conf_text(c, "class"), "other");
    assert_string_equal(conf_text(c, "name"), "12345678");
    assert_true(conf_given(c, "alpha"));
    assert_int_equal(conf_times(c, "alpha"), 1);
    takes(c, "verbose", "false");
    assert_false(conf_flag(c, "verbose"));
}

static void last_wins(void **state)
{
    struct conf *c = *state;
    takes(c, "name", "first");
    takes(c, "name", "second");
    assert_string_equal(conf_text(c, "name"), "second");
}

static void lists(void **state)
{
    struct conf *c = *state;
    const char *const *list;
    takes(c, "site", "a=1");
    takes(c, "site", "b=2");
    assert_int_equal(conf_list(c, "site", &list), 2);
    assert_string_equal(list[0], "a=1");
    assert_string_equal(list[1], "b=2");
    assert_int_equal(conf_list(c, "engine", &list), 1);
    takes(c, "engine", "growth");
    assert_int_equal(conf_list(c, "engine", &list), 1);
    assert_string_equal(list[0], "growth");
}

static void list_cap(void **state)
{
    struct conf *c = *state;
    for (int i = 0; i < 4096; i++)
        takes(c, "site", "x");
    refuses(c, "site", "x", ERR_FULL, "site: given more than 4096 times");
}

static void numbers_refused(void **state)
{
    struct conf *c = *state;
    refuses(c, "alpha", "", ERR_BAD, "alpha: \"\" is not a number in 0.001..0.5");
    refuses(c, "alpha", "0.1x", ERR_BAD, "alpha: \"0.1x\" is not a number in 0.001..0.5");
    refuses(c, "alpha", " 0.1", ERR_BAD, "alpha: \" 0.1\" is not a number in 0.001..0.5");
    refuses(c, "any", "nan", ERR_BAD, "any: \"nan\" is not a number");
    refuses(c, "any", "inf", ERR_BAD, "any: \"inf\" is not a number");
    refuses(c, "any", "0x10", ERR_BAD, "any: \"0x10\" is not a number");
    refuses(c, "any", "1e999", ERR_BAD, "any: \"1e999\" is not a number");
    refuses(c, "alpha", "0.6", ERR_RANGE, "alpha: 0.6 is outside 0.001..0.5");
    refuses(c, "top", "-1", ERR_BAD, "top: \"-1\" is not a whole number in 1..65535 ports");
    refuses(c, "top", "1.5", ERR_BAD, "top: \"1.5\" is not a whole number in 1..65535 ports");
    refuses(c, "top", "99999999999999999999", ERR_BAD,
        "top: \"99999999999999999999\" is not a whole number in 1..65535 ports");
    refuses(c, "top", "0", ERR_RANGE, "top: 0 is outside 1..65535 ports");
    assert_true(conf_number(c, "alpha") == 0.01);
    assert_int_equal(conf_count(c, "top"), 10);
    assert_false(conf_given(c, "top"));
}

static void times_refused(void **state)
{
    struct conf *c = *state;
    refuses(c, "window", "10", ERR_BAD,
        "window: \"10\" is not a duration such as 90s, 10m, 2h or 7d");
    refuses(c, "window", "2h", ERR_RANGE, "window: 2h is outside 1m..1h");
    refuses(c, "from", "today", ERR_BAD,
        "from: \"today\" is not a time such as 2026-11-22T08:00:00Z or 2026-11-22");
}

static void texts_refused(void **state)
{
    struct conf *c = *state;
    static const char *const words[] = {"worm", "", "sca", "scans", "scan|survey", "|"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct fault f;
        assert_int_equal(conf_set(c, "class", words[i], &f), ERR_RANGE);
        assert_non_null(strstr(f.text, "is not one of scan|survey|other"));
    }
    assert_string_equal(conf_text(c, "class"), "scan");
    refuses(c, "name", "123456789", ERR_RANGE, "name: longer than the 8 bytes allowed");
    refuses(c, "verbose", "maybe", ERR_BAD, "verbose: takes no value but true or false");
}

static void unknown(void **state)
{
    struct conf *c = *state;
    refuses(c, "colour", "red", ERR_NOTFOUND, "there is no option \"colour\"");
    refuses(c, "site", NULL, ERR_BAD, "site: needs a value NAME=FILE");
    assert_null(conf_find(c, "colour"));
    assert_ptr_equal(conf_find(c, "top"), &items[3]);
    assert_ptr_equal(conf_items(c), items);
    assert_int_equal(conf_set(c, "colour", "red", NULL), ERR_NOTFOUND);
}

#define EACH(sentence, function) SAYS_WITH(sentence, function, setup, teardown)
static const struct CMUnitTest tests[] = {
    EACH("an option that is not given has its default", defaults),
    EACH("every kind of value is taken and read back", values),
    EACH("a single value that is given twice is the last one", last_wins),
    EACH("a list grows in order, and its default gives way", lists),
    EACH("a list has a cap", list_cap),
    EACH("a wrong number is refused with what is allowed, and the old one stays",
        numbers_refused),
    EACH("a wrong time is refused with an example of a right one", times_refused),
    EACH("a word that is not listed is refused with the list", texts_refused),
    EACH("an option that the table lacks, or without its value, is refused by name", unknown),
};
TEST_MAIN(tests)
