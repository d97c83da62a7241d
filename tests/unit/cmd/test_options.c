#include "test.h"

#include "cmd/options.h"

#include <string.h>

static const struct conf_item items[] = {
    {.name = "port", .type = CONF_COUNT, .arg = "PORT", .max = 65535, .text = "A port."},
    {.name = "site", .type = CONF_LIST, .arg = "NAME", .text = "A site."},
    {.name = "quiet", .type = CONF_FLAG, .text = "Nothing."},
    {.name = NULL},
};

static const struct command files = {.name = "files", .operands = "[FILE...]", .items = items};
static const struct command bare = {.name = "bare", .items = items};

static struct conf *fresh(void)
{
    struct conf *c;
    assert_int_equal(conf_new(&c, items), OK);
    return c;
}

/* A command line, split at spaces. */
struct line {
    char text[128];
    char *words[16];
    int count;
};

static struct line *line_split(struct line *l, const char *text)
{
    l->count = 0;
    snprintf(l->text, sizeof l->text, "%s", text);
    for (char *word = strtok(l->text, " "); word; word = strtok(NULL, " "))
        l->words[l->count++] = word;
    return l;
}

static enum err read_line(struct conf *c, const struct command *command, struct line *l,
    const char *text, int *operands, struct fault *f)
{
    line_split(l, text);
    return options_read(c, command, l->count, l->words, operands, f);
}

static void one_alone(void **state)
{
    (void)state;
    static const char *const with_site[] = {"site", NULL};
    static const char *const with_none[] = {NULL};
    struct line l;
    struct conf *c = fresh();
    struct fault f;
    int operands;
    assert_int_equal(read_line(c, &bare, &l, "--quiet --site x", &operands, &f), OK);
    assert_int_equal(options_only(c, "quiet", with_site, &f), OK);
    assert_int_equal(options_only(c, "quiet", with_none, &f), ERR_BAD);
    assert_string_equal(f.text, "--site: does nothing with --quiet");
    assert_int_equal(options_only(c, "site x", with_none, &f), ERR_BAD);
    assert_string_equal(f.text, "--quiet: does nothing with --site x");
    conf_free(c);
}

static void both_forms(void **state)
{
    (void)state;
    struct line l;
    struct conf *c = fresh();
    struct fault f;
    int operands;
    assert_int_equal(
        read_line(c, &files, &l, "--port 23 a --site=x --site y b --quiet", &operands, &f), OK);
    assert_int_equal(conf_count(c, "port"), 23);
    const char *const *sites;
    assert_int_equal(conf_list(c, "site", &sites), 2);
    assert_string_equal(sites[1], "y");
    assert_true(conf_flag(c, "quiet"));
    assert_int_equal(operands, 2);
    assert_string_equal(l.words[0], "a");
    assert_string_equal(l.words[1], "b");
    conf_free(c);
}

static void double_hyphen(void **state)
{
    (void)state;
    struct line l;
    struct conf *c = fresh();
    struct fault f;
    int operands;
    assert_int_equal(read_line(c, &files, &l, "--quiet -- --port -", &operands, &f), OK);
    assert_int_equal(operands, 2);
    assert_string_equal(l.words[0], "--port");
    conf_free(c);
}

static void near_miss(void **state)
{
    (void)state;
    struct line l;
    struct conf *c = fresh();
    struct fault f;
    int operands;
    assert_int_equal(read_line(c, &files, &l, "--prot 23", &operands, &f), ERR_NOTFOUND);
    assert_string_equal(f.text, "there is no option --prot; did you mean --port?");
    conf_free(c);
}

static void wrong_values(void **state)
{
    (void)state;
    struct line l;
    struct conf *c = fresh();
    struct fault f;
    int operands;
    assert_int_equal(read_line(c, &files, &l, "--port 65536", &operands, &f), ERR_RANGE);
    assert_non_null(strstr(f.text, "0..65535"));
    assert_int_equal(read_line(c, &files, &l, "--port", &operands, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "PORT"));
    assert_int_equal(read_line(c, &bare, &l, "file", &operands, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "\"file\""));
    assert_int_equal(read_line(c, &files, &l, "-p", &operands, &f), ERR_NOTFOUND);
    conf_free(c);
}

static void help_asked(void **state)
{
    (void)state;
    struct line l;
    struct conf *c = fresh();
    struct fault f;
    int operands;
    assert_int_equal(read_line(c, &files, &l, "--port x --help", &operands, &f), ERR_STOPPED);
    assert_false(options_want_man(l.count, l.words));
    line_split(&l, "--help=man");
    assert_true(options_want_man(l.count, l.words));
    conf_free(c);
}

static const struct CMUnitTest tests[] = {
    SAYS("an option that would be ignored beside another is refused", one_alone),
    SAYS("--name VALUE and --name=VALUE are the same, and operands keep their order",
        both_forms),
    SAYS("after -- everything is an operand", double_hyphen),
    SAYS("a misspelt option names the one that was meant", near_miss),
    SAYS("a wrong value is refused with what is allowed", wrong_values),
    SAYS("--help wins over everything else on the line", help_asked),
};
TEST_MAIN(tests)
