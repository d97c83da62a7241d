#include "anon/keys.h"

#include "base/clock.h"
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>

static void path_new(char path[64])
{
    snprintf(path, 64, "/tmp/kizashi-keys-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
}

static struct anon_keys *keys_at(const char *path)
{
    struct anon_keys *k = NULL;
    struct fault f = {0};
    enum err e = anon_keys_open(&k, path, &f);
    if (e)
        fail_msg("%s", f.text);
    return k;
}

static void secret_of(struct anon_keys *k, int64_t ts, uint8_t secret[ANON_SECRET])
{
    struct fault f;
    assert_int_equal(anon_keys_epoch(k, US_DAY, 1, ts, secret, &f), OK);
}

static void kept(void **state)
{
    (void)state;
    char path[64];
    uint8_t first[ANON_SECRET], again[ANON_SECRET], site[2][ANON_SECRET];
    path_new(path);
    struct anon_keys *k = keys_at(path);
    secret_of(k, 5 * US_DAY + 1, first);
    anon_keys_site(k, site[0]);
    secret_of(k, 6 * US_DAY - 1, again);
    assert_memory_equal(first, again, ANON_SECRET);
    anon_keys_close(k);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    k = keys_at(path);
    secret_of(k, 5 * US_DAY, again);
    anon_keys_site(k, site[1]);
    assert_memory_equal(first, again, ANON_SECRET);
    assert_memory_equal(site[0], site[1], ANON_SECRET);
    secret_of(k, 6 * US_DAY, again);
    assert_memory_not_equal(first, again, ANON_SECRET);
    anon_keys_close(k);
    unlink(path);
}

static void given_up(void **state)
{
    (void)state;
    char path[64], hex[2 * ANON_SECRET + 1], file[4096] = "";
    uint8_t first[ANON_SECRET], other[ANON_SECRET];
    path_new(path);
    struct anon_keys *k = keys_at(path);
    secret_of(k, 0, first);
    for (int64_t day = 1; day < 500; day++)
        secret_of(k, day * US_DAY, other);
    int fd = open(path, O_RDONLY);
    ssize_t len = read(fd, file, sizeof file - 1);
    close(fd);
    for (size_t i = 0; i < ANON_SECRET; i++)
        snprintf(hex + 2 * i, 3, "%02x", first[i]);
    assert_null(strstr(file, hex));
    /* Two are kept, and a third has a line while the oldest is given up. */
    assert_true(len > 0 && len < 512);
    anon_keys_close(k);
    k = keys_at(path);
    uint8_t again[ANON_SECRET];
    secret_of(k, 499 * US_DAY, again);
    assert_memory_equal(again, other, ANON_SECRET);
    secret_of(k, 0, again);
    assert_memory_not_equal(again, first, ANON_SECRET);
    anon_keys_close(k);
    unlink(path);
}

static void refused(void **state)
{
    (void)state;
    char path[64];
    struct anon_keys *k, *second;
    struct fault f;
    path_new(path);
    k = keys_at(path);
    assert_int_equal(anon_keys_open(&second, path, &f), ERR_BUSY);
    anon_keys_close(k);
    chmod(path, 0640);
    assert_int_equal(anon_keys_open(&second, path, &f), ERR_DENIED);
    assert_non_null(strstr(f.text, "0600"));
    unlink(path);
    assert_int_equal(anon_keys_open(&second, "/nonexistent/keys", &f), ERR_IO);
}

static void broken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
    } rows[] = {
        {"something else\n", ERR_BAD},
        {"kizashi-anonymisation-keys 1\n", ERR_SHORT},
        {"kizashi-anonymisation-keys 1\nsite 12\n", ERR_BAD},
        {"kizashi-anonymisation-keys 1\nsite "
         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\nepoch x\n",
            ERR_BAD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[64];
        struct anon_keys *k;
        struct fault f = {0};
        path_new(path);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        assert_int_equal(write(fd, rows[i].text, strlen(rows[i].text)), strlen(rows[i].text));
        close(fd);
        assert_int_equal(anon_keys_open(&k, path, &f), rows[i].err);
        assert_non_null(strstr(f.text, path));
        unlink(path);
    }
}

/* What a crash leaves of a line was never used. */
static void torn(void **state)
{
    (void)state;
    char path[64];
    uint8_t a[ANON_SECRET], b[ANON_SECRET];
    path_new(path);
    struct anon_keys *k = keys_at(path);
    secret_of(k, 0, a);
    anon_keys_close(k);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "epoch 1970-01-0", 15), 15);
    close(fd);
    k = keys_at(path);
    secret_of(k, 0, b);
    assert_memory_equal(a, b, ANON_SECRET);
    secret_of(k, US_DAY, a);
    anon_keys_close(k);
    k = keys_at(path);
    secret_of(k, US_DAY, b);
    assert_memory_equal(a, b, ANON_SECRET);
    anon_keys_close(k);
    unlink(path);
}

static void fixed(void **state)
{
    (void)state;
    uint8_t secret[ANON_SECRET] = {7}, a[ANON_SECRET], b[ANON_SECRET];
    struct anon_keys *one, *two;
    assert_int_equal(anon_keys_from(&one, secret), OK);
    assert_int_equal(anon_keys_from(&two, secret), OK);
    secret_of(one, 3 * US_DAY, a);
    secret_of(two, 4 * US_DAY, b);
    assert_memory_not_equal(a, b, ANON_SECRET);
    secret_of(two, 3 * US_DAY, b);
    assert_memory_equal(a, b, ANON_SECRET);
    anon_keys_close(one);
    anon_keys_close(two);
}

static void told(void **state)
{
    (void)state;
    static const uint8_t secret[ANON_SECRET] = "for a test";
    uint8_t key[ANON_SECRET];
    struct anon_keys *k = NULL;
    struct fault f;
    int64_t start = -1, end = -1;
    assert_int_equal(anon_keys_from(&k, secret), OK);
    anon_keys_current(k, &start, &end);
    assert_true(start == 0 && end == 0);
    secret_of(k, 10 * US_DAY + 5, key);
    anon_keys_current(k, &start, &end);
    assert_true(start == 10 * US_DAY && end == 11 * US_DAY);
    secret_of(k, 11 * US_DAY, key);
    secret_of(k, 10 * US_DAY + 6, key); /* comes late */
    anon_keys_current(k, &start, &end);
    assert_true(start == 11 * US_DAY && end == 12 * US_DAY);
    assert_int_equal(anon_keys_epoch(k, 0, 1, 12 * US_DAY, key, &f), OK); /* for ever */
    anon_keys_current(k, &start, &end);
    assert_true(start == 0 && end == 0);
    anon_keys_close(k);
}

static const struct CMUnitTest tests[] = {
    SAYS("an epoch's secret is the same until it ends, and after a restart", kept),
    SAYS("a secret that is given up is gone from the file, which does not grow", given_up),
    SAYS("a file that others may read, or another process uses, is refused", refused),
    SAYS("which keys are in use, and until when, is told", told),
    SAYS("a file of something else is refused by name", broken),
    SAYS("a line that a crash cut is written anew", torn),
    SAYS("keys from one secret are the same everywhere", fixed),
};
TEST_MAIN(tests)
