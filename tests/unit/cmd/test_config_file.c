#include "test.h"

#include "cmd/config_file.h"

#include <string.h>
#include <unistd.h>

static const struct conf_item items[] = {
    {.name = "data", .type = CONF_TEXT, .arg = "DIR", .text = "Folder."},
    {.name = "site", .type = CONF_LIST, .arg = "NAME", .text = "A site."},
    {.name = "set", .type = CONF_LIST, .arg = "X", .text = "A setting."},
    {.name = "port", .type = CONF_COUNT, .arg = "PORT", .max = 65535, .text = "A port."},
    {.name = "demo", .type = CONF_FLAG, .text = "Demo."},
    {.name = NULL},
};

static enum err read_text(struct conf *c, const char *text, struct fault *f)
{
    char path[] = "/tmp/kizashi-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
    enum err e = config_file_read(c, path, f);
    unlink(path);
    return e;
}

static struct conf *fresh(void)
{
    struct conf *c;
    assert_int_equal(conf_new(&c, items), OK);
    return c;
}

static void every_form(void **state)
{
    (void)state;
    struct conf *c = fresh();
    struct fault f = {0};
    const char *const *list;
    assert_int_equal(read_text(c,
                         "data: /srv/k\nsite: [a=x, b=y]\ndemo: true\nport: 23\n"
                         "set:\n  surge: {alpha: 0.01, least: 5}\n",
                         &f),
        OK);
    assert_string_equal(conf_text(c, "data"), "/srv/k");
    assert_int_equal(conf_list(c, "site", &list), 2);
    assert_int_equal(conf_list(c, "set", &list), 2);
    assert_string_equal(list[0], "surge.alpha=0.01");
    assert_true(conf_flag(c, "demo"));
    conf_free(c);
}

static void line_first(void **state)
{
    (void)state;
    struct conf *c = fresh();
    struct fault f;
    assert_int_equal(conf_set(c, "data", "/here", &f), OK);
    assert_int_equal(read_text(c, "data: /there\n", &f), OK);
    assert_string_equal(conf_text(c, "data"), "/here");
    conf_free(c);
}

static void wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"data: x\nprot: 3\n", ":2: there is no option \"prot\""},
        {"port: 99999\n", ":1: port: 99999 is outside 0..65535"},
        {"data: [a]\n", ":1: data takes one value"},
        {"site: [[a]]\n", ":1: a list holds plain values"},
        {"set: {surge: 3}\n", ":1: options of an engine are a mapping"},
        {"- a\n", ":1: the file is not a mapping"},
        {"data: \"x\nport: 1\n", ":"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf *c = fresh();
        struct fault f = {0};
        assert_int_not_equal(read_text(c, cases[i].text, &f), OK);
        assert_non_null(strstr(f.text, cases[i].part));
        conf_free(c);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("plain values, lists, flags and settings of engines are taken", every_form),
    SAYS("what the command line gave stays", line_first),
    SAYS("what is wrong is told with file, line and what is allowed", wrong_lines),
};
TEST_MAIN(tests)
