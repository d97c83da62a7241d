#include "base/err.h"
#include "test.h"

#include <string.h>

static void texts(void **state)
{
    (void)state;
    const char *seen[32];
    size_t count = 0;
#define X(name, number, text)                                                                  \
    assert_true(name < 0);                                                                     \
    seen[count++] = err_text(name);
    ERR_LIST(X)
#undef X
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
    assert_string_equal(err_text(OK), "done");
    assert_string_equal(err_text((enum err) - 9999), "unknown error");
}

/* They travel between programs: a changed number is a broken protocol. */
static void numbers_stay(void **state)
{
    (void)state;
    assert_int_equal(ERR_NOMEM, -1);
    assert_int_equal(ERR_SHORT, -2);
    assert_int_equal(ERR_BAD, -3);
    assert_int_equal(ERR_RANGE, -4);
    assert_int_equal(ERR_FULL, -5);
    assert_int_equal(ERR_NOTFOUND, -6);
    assert_int_equal(ERR_IO, -7);
    assert_int_equal(ERR_NOCONV, -8);
    assert_int_equal(ERR_EXISTS, -9);
    assert_int_equal(ERR_DENIED, -10);
    assert_int_equal(ERR_BUSY, -11);
    assert_int_equal(ERR_STOPPED, -12);
}

static void sentence(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(fault_set(&f, ERR_BAD, "offset %d: %s", 24, "no magic number"), ERR_BAD);
    assert_int_equal(f.code, ERR_BAD);
    assert_string_equal(f.text, "offset 24: no magic number");
    fault_prefix(&f, "jp-01.pcap");
    assert_int_equal(f.code, ERR_BAD);
    assert_string_equal(f.text, "jp-01.pcap: offset 24: no magic number");
}

static void nobody_listens(void **state)
{
    (void)state;
    assert_int_equal(fault_set(NULL, ERR_IO, "%d", 1), ERR_IO);
    fault_prefix(NULL, "x");
}

static void too_long(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(fault_set(&f, ERR_BAD, "%01000d", 7), ERR_BAD);
    assert_int_equal(strlen(f.text), sizeof f.text - 1);
    fault_prefix(&f, "file");
    assert_int_equal(strlen(f.text), sizeof f.text - 1);
    assert_memory_equal(f.text, "file: 000", 9);
    char path[1000];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = 0;
    fault_prefix(&f, path);
    assert_int_equal(strlen(f.text), sizeof f.text - 1);
}

static const struct CMUnitTest tests[] = {
    SAYS("every failure has a text of its own", texts),
    SAYS("the numbers of failures stay what they are", numbers_stay),
    SAYS("a fault carries the code and the sentence, and its file in front", sentence),
    SAYS("a caller that wants no sentence still gets the code", nobody_listens),
    SAYS("a sentence that is too long is cut", too_long),
};
TEST_MAIN(tests)
