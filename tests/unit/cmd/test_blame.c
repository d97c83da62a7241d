#include "test.h"

#include "cmd/ask_args.h"
#include "cmd/engines.h"
#include "cmd/setup.h"

#include <string.h>

/* What is wrong is told by the option that a person gave. */

static void settings(void **state)
{
    static const struct {
        const char *setting;
        enum err err;
        const char *text;
    } rows[] = {
        {"surge.nope=1", ERR_NOTFOUND,
            "--set surge: there is no option \"nope\"; kizashi engines surge lists them"},
        /* Also of an engine that does not run. */
        {"growth.nope=1", ERR_NOTFOUND,
            "--set growth: there is no option \"nope\"; kizashi engines growth lists them"},
        {"surge.min-ratio=0.5", ERR_RANGE, "--set surge.min-ratio"},
        {"surge.min-ratio=there is no option", ERR_BAD, "--set surge.min-ratio"},
        {"nope.learn=7", ERR_NOTFOUND, "--set: there is no engine \"nope\""},
        {"surge=7", ERR_BAD, "--set: \"surge=7\" is not of the form ENGINE.OPTION=VALUE"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct engine_choice c;
        struct fault f = {0};
        assert_int_equal(engines_choose(&c, "surge", &rows[i].setting, 1, &f), rows[i].err);
        if (strncmp(f.text, rows[i].text, strlen(rows[i].text)) != 0)
            fail_msg("%s: %s", rows[i].setting, f.text);
    }
}

static void live(void **state)
{
    static const char before[] = "interface eth9: there is none of that name";
    struct fault f;
    (void)state;
    enum err e = fault_set(&f, ERR_NOTFOUND, "%s", before);
    assert_int_equal(setup_live_blame(e, &f), ERR_NOTFOUND);
    assert_string_equal(f.text, "--interface eth9: there is none of that name");
    e = fault_set(&f, ERR_BAD, "filter '((': syntax error");
    assert_int_equal(setup_live_blame(e, &f), ERR_BAD);
    assert_string_equal(f.text, "--filter '((': syntax error");
    /* No option helps against a lack of memory. */
    e = fault_set(&f, ERR_NOMEM, "interface eth9: out of memory");
    assert_int_equal(setup_live_blame(e, &f), ERR_NOMEM);
    assert_string_equal(f.text, "interface eth9: out of memory");
    assert_int_equal(setup_live_blame(OK, &f), OK);
}

/* The filter is refused before the interface is looked for, and before anybody is asked. */
static void filters(void **state)
{
    static const char *const names[] = {
        "dst host www.example.org", "dst nte 1", "tcp port http", "net 10-20"};
    struct source *s = NULL;
    struct fault f;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(setup_live_open(&s, "no-such", names[i], &f), ERR_BAD);
        assert_memory_equal(f.text, "--filter: \"", 11);
        assert_non_null(strstr(f.text, "not looked up by name"));
    }
    assert_int_not_equal(setup_live_open(&s, "no-such", "inbound and dst net 10", &f), OK);
    assert_memory_equal(f.text, "--interface no-such", 19);
}

static void names(void **state)
{
    static const struct conf_item items[] = {
        {.name = "site", .type = CONF_TEXT, .arg = "NAME", .text = "This site."},
        {.name = NULL},
    };
    char name[RECORD_NAME_MAX + 1] = "before", longest[RECORD_NAME_MAX + 2];
    struct conf *c;
    struct fault f;
    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[RECORD_NAME_MAX + 1] = 0;
    static const char *const bad[] = {"", "a b", "KR", "a/b", "\xc3\xa9"};
    assert_int_equal(conf_new(&c, items), OK);
    assert_int_equal(narrow_name(c, "site", name, &f), OK);
    assert_string_equal(name, "");
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        bool too_long = i == sizeof bad / sizeof *bad;
        assert_int_equal(conf_set(c, "site", too_long ? longest : bad[i], &f), OK);
        assert_int_equal(narrow_name(c, "site", name, &f), ERR_BAD);
        assert_non_null(strstr(f.text, "--site: \""));
        assert_non_null(strstr(f.text, "at most 63"));
    }
    longest[RECORD_NAME_MAX] = 0;
    assert_int_equal(conf_set(c, "site", longest, &f), OK);
    assert_int_equal(narrow_name(c, "site", name, &f), OK);
    assert_string_equal(name, longest);
    conf_free(c);
}

static const struct CMUnitTest tests[] = {
    SAYS("a wrong setting of an engine is told as --set had it", settings),
    SAYS("what an interface or a filter lacks is told by its option", live),
    SAYS("a filter that names a host, or is mistyped, is refused before anybody is asked",
        filters),
    SAYS("a name is taken whole, or refused", names),
};
TEST_MAIN(tests)
