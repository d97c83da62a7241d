#include "evaluate/nict.h"
#include "tapes.h"

#include <string.h>

static enum err parse(const char *text, struct nict_row *row, struct fault *f)
{
    return nict_row_parse(bytes_over(text, strlen(text)), row, f);
}

static void rows_are_read(void **state)
{
    (void)state;
    struct nict_row a, b;
    struct fault f = {0};
    assert_int_equal(parse("1538319600.25,9f86d0,60303a,513,23", &a, &f), OK);
    assert_true(a.time == INT64_C(1538319600250000));
    assert_int_equal(a.dst, 513);
    assert_int_equal(a.port, 23);
    assert_int_equal(parse("2018-09-30T15:00:00.25Z,9f86d0,x+/=_-:.,2.1,23", &b, &f), OK);
    assert_true(a.time == b.time && a.network == b.network && a.source != b.source);
    assert_int_equal(b.dst, 513);
    struct ip x = nict_source(&a), y = nict_source(&b);
    assert_memory_equal(x.byte, y.byte, 6); /* one /16, one /48 */
    assert_false(ip_same(&x, &y));
    assert_int_equal(x.byte[0], 0xfd);
}

static void broken_rows_are_refused_by_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "column 1"},
        {"1538319600", "column 1"},
        {"yesterday,a,b,1,23", "column 1: is not a time"},
        {"-5,a,b,1,23", "column 1"},
        {"1538319600.,a,b,1,23", "column 1"},
        {"1538319600.1234567890,a,b,1,23", "column 1"},
        {"99999999999999,a,b,1,23", "column 1"},
        {"1538319600,,b,1,23", "column 2"},
        {"1538319600,a b,b,1,23", "column 2"},
        {"1538319600,a,\"b\",1,23", "column 3"},
        {"1538319600,a,b,65536,23", "column 4"},
        {"1538319600,a,b,256.1,23", "column 4"},
        {"1538319600,a,b,1.2.3,23", "column 4"},
        {"1538319600,a,b,,23", "column 4"},
        {"1538319600,a,b,1", "column 4: there are 5 columns"},
        {"1538319600,a,b,1,70000", "column 5"},
        {"1538319600,a,b,1,23 ", "column 5"},
        {"1538319600,a,b,1,23,6", "column 5: there are 5 columns"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct nict_row row;
        struct fault f = {0};
        assert_int_equal(parse(rows[i].text, &row, &f), ERR_BAD);
        if (!strstr(f.text, rows[i].says))
            fail_msg("\"%s\" says \"%s\"", rows[i].text, f.text);
    }
}

static void file_make(char path[64], const char *text)
{
    strcpy(path, "/tmp/kizashi-test-nict-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void files_become_windows(void **state)
{
    (void)state;
    char a[64], b[64];
    struct fault f = {0};
    struct tape *t = tape_open();
    file_make(a, "timestamp,src16,src32,dst,tcp.dstport\n"
                 "1538319600.0,n1,h1,1,23\n"
                 "1538319601.5,n1,h1,2,23\r\n"
                 "1538319601.0,n1,h2,1,23\n"
                 "1538320900.0,n2,h3,1,80\n");
    file_make(b, "1538320250,n1,h1,1,23\n");
    const struct nict_file files[] = {{"b-01", b}, {"a-01", a}};
    if (nict_record(t, files, 2, 10 * US_MINUTE, &f))
        fail_msg("%s", f.text);
    assert_int_equal(tape_count(t), 3);
    const struct window *w = tape_show(t, 0);
    assert_string_equal(w->sites[0].name, "a-01");
    assert_true(w->sites[0].watching && !w->sites[1].watching);
    assert_int_equal(w->block_count, 1);
    const struct block *c = w->blocks[0];
    assert_int_equal(c->rows, 2);
    assert_int_equal(block_u32(c, CONTACT_PACKETS)[0], 2);
    assert_int_equal(__builtin_popcountll(block_u64(c, CONTACT_DSTS)[0]), 2);
    assert_int_equal(block_u64(c, CONTACT_SLOTS)[0], 1);
    assert_string_equal(block_word_at(c, CONTACT_CLASS, 0), "scan");
    assert_true(block_time(c, CONTACT_LAST)[0] - block_time(c, CONTACT_FIRST)[0] == 1500000);
    w = tape_show(t, 1);
    assert_string_equal(block_word_at(w->blocks[0], CONTACT_SITE, 0), "b-01");
    assert_true(w->sites[0].watching && w->sites[1].watching);
    w = tape_show(t, 2);
    assert_int_equal(block_u16(w->blocks[0], CONTACT_DPORT)[0], 80);
    assert_false(w->sites[1].watching);
    tape_free(t);
    remove(a);
    remove(b);
}

static void broken_files_are_refused_by_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"1538319600,a,b,1,23\nx\n", "line 2: column 1"},
        {"timestamp,a,b,c,d\ntimestamp,a,b,c,d\n", "line 2: column 1"},
        {"1538319600,a,b,1,23\n1538330000,a,b,1,23\n1538319600,a,b,1,23\n",
            "line 3: column 1: more than a window"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[64];
        struct fault f = {0};
        struct tape *t = tape_open();
        file_make(path, rows[i].text);
        const struct nict_file file = {"a-01", path};
        assert_int_equal(nict_record(t, &file, 1, 10 * US_MINUTE, &f), ERR_BAD);
        if (!strstr(f.text, rows[i].says) || !strstr(f.text, path))
            fail_msg("says \"%s\"", f.text);
        tape_free(t);
        remove(path);
    }
    struct fault f = {0};
    struct tape *t = tape_open();
    const struct nict_file none = {"a-01", "/nowhere/at-all.csv"};
    assert_int_equal(nict_record(t, &none, 1, 10 * US_MINUTE, &f), ERR_NOTFOUND);
    assert_non_null(strstr(f.text, "/nowhere/at-all.csv"));
    tape_free(t);
}

static const struct CMUnitTest tests[] = {
    SAYS("a row is read, its times and destinations in either form", rows_are_read),
    SAYS("a broken row is refused by its column, with what is allowed",
        broken_rows_are_refused_by_column),
    SAYS("files of several sites become windows of contacts", files_become_windows),
    SAYS("a broken file is refused by its name, line and column",
        broken_files_are_refused_by_line),
};
TEST_MAIN(tests)
