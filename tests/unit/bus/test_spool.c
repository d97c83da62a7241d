#include "test.h"

#include "bus/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder_make(void **state)
{
    char *path = strdup("/tmp/kizashi-spool-XXXXXX");
    *state = path;
    return mkdtemp(path) ? 0 : -1;
}

static int folder_drop(void **state)
{
    char path[512];
    DIR *d = opendir(*state);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", (const char *)*state, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    int status = rmdir(*state);
    free(*state);
    return status;
}

static struct spool *open_with(
    const char *folder, uint64_t cap, uint64_t segment, enum spool_policy policy)
{
    struct spool *s = NULL;
    struct fault f = {0};
    struct spool_options o = {
        .folder = folder, .cap = cap, .segment = segment, .policy = policy, .careless = true};
    if (spool_open(&s, &o, &f) != OK)
        fail_msg("%s", f.text);
    return s;
}

static struct spool *open_small(const char *folder)
{
    return open_with(folder, 1 << 20, 4096, SPOOL_DROP_OLDEST);
}

/* The text of an entry follows from its number. */
static size_t text_of(uint64_t number, char text[512])
{
    size_t len = (size_t)snprintf(text, 512, "entry %" PRIu64 " ", number);
    size_t most = 20 + number * 37 % 400;
    while (len < most)
        text[len++] = (char)('a' + number % 26);
    return len;
}

static enum err append(struct spool *s, uint64_t expect)
{
    char text[512];
    struct fault f = {0};
    uint64_t number = 0;
    size_t len = text_of(expect, text);
    enum err e = spool_append(s, "packet", bytes_over(text, len), 3, &number, &f);
    if (!e)
        assert_int_equal(number, expect);
    return e;
}

static void expect_entry(struct spool *s, uint64_t ask, uint64_t number, uint64_t previous)
{
    char text[512];
    struct spool_entry e;
    struct fault f = {0};
    assert_int_equal(spool_read(s, ask, &e, &f), OK);
    assert_int_equal(e.number, number);
    assert_int_equal(e.previous, previous);
    assert_string_equal(e.kind, "packet");
    assert_int_equal(e.items, 3);
    size_t len = text_of(number, text);
    assert_int_equal(e.data.left, len);
    assert_memory_equal(e.data.at, text, len);
}

static void expect_none(struct spool *s, uint64_t ask)
{
    struct spool_entry e;
    assert_int_equal(spool_read(s, ask, &e, NULL), ERR_NOTFOUND);
}

static void gives_back_in_order(void **state)
{
    struct spool *s = open_small(*state);
    expect_none(s, 1);
    for (uint64_t n = 1; n <= 100; n++)
        assert_int_equal(append(s, n), OK);
    for (uint64_t n = 1; n <= 100; n++)
        expect_entry(s, n, n, n - 1);
    expect_none(s, 101);
    expect_entry(s, 17, 17, 16);
    expect_entry(s, 99, 99, 98);
    assert_int_equal(append(s, 101), OK);
    expect_entry(s, 101, 101, 100);
    spool_close(s);
}

static void survives_a_restart(void **state)
{
    struct spool_counts before, after;
    struct spool *s = open_small(*state);
    for (uint64_t n = 1; n <= 60; n++)
        assert_int_equal(append(s, n), OK);
    spool_counts(s, &before);
    spool_close(s);
    s = open_small(*state);
    spool_counts(s, &after);
    assert_int_equal(after.id, before.id);
    assert_int_equal(after.last, 60);
    assert_int_equal(after.bytes, before.bytes);
    for (uint64_t n = 1; n <= 60; n++)
        expect_entry(s, n, n, n - 1);
    assert_int_equal(append(s, 61), OK);
    expect_entry(s, 61, 61, 60);
    spool_close(s);
}

static void commit_removes_files(void **state)
{
    struct spool_counts c;
    struct spool *s = open_small(*state);
    for (uint64_t n = 1; n <= 100; n++)
        assert_int_equal(append(s, n), OK);
    spool_counts(s, &c);
    uint64_t full = c.bytes;
    spool_commit(s, 50);
    spool_counts(s, &c);
    assert_true(c.bytes < full);
    assert_int_equal(c.committed, 50);
    assert_true(c.first <= 51);
    expect_entry(s, 51, 51, 50);
    spool_commit(s, 1000000);
    spool_counts(s, &c);
    assert_int_equal(c.committed, 100);
    assert_true(c.bytes < 4096 + 600);
    expect_none(s, 101);
    spool_close(s);
    s = open_small(*state);
    assert_int_equal(append(s, 101), OK);
    spool_close(s);
}

static void newest_file(const char *folder, char path[512])
{
    char best[300] = "";
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d));)
        if (strstr(e->d_name, ".spool") && strcmp(e->d_name, best) > 0)
            snprintf(best, sizeof best, "%s", e->d_name);
    closedir(d);
    snprintf(path, 512, "%s/%s", folder, best);
}

/* Who opens a spool may end before it has asked what was torn. */
static void torn_is_told_again(void **state)
{
    char path[512];
    struct stat st;
    struct spool_counts c;
    uint64_t number;
    struct spool *s = open_small(*state);
    for (int k = 0; k < 2; k++)
        assert_int_equal(
            spool_append(s, "packet", bytes_over("whole", 5), 1, &number, NULL), OK);
    spool_counts(s, &c);
    assert_int_equal(c.torn, 0);
    spool_close(s);
    newest_file(*state, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 1), 0);
    for (int k = 0; k < 3; k++) {
        s = open_small(*state);
        spool_counts(s, &c);
        assert_int_equal(c.torn, number);
        assert_true(c.next > number);
        assert_int_equal(c.cut > 0, k == 0);
        spool_close(s);
    }
}

/* Whatever is left of the last entry: the others are there, and its number is not given again
 * to something else if it may have been seen. */
static void torn_end_is_cut(void **state)
{
    char path[512];
    struct stat st;
    for (int cut = 1; cut < 500; cut += 7) {
        struct spool *s = open_small(*state);
        struct spool_counts c;
        spool_counts(s, &c);
        uint64_t base = c.last;
        char text[512];
        uint64_t number;
        for (int k = 0; k < 3; k++) {
            size_t len = text_of(base + 1, text);
            assert_int_equal(
                spool_append(s, "packet", bytes_over(text, len), 1, &number, NULL), OK);
        }
        spool_counts(s, &c);
        spool_close(s);
        newest_file(*state, path);
        assert_int_equal(stat(path, &st), 0);
        off_t left = st.st_size - cut;
        if (left < 0)
            left = 0;
        assert_int_equal(truncate(path, left), 0);
        s = open_small(*state);
        struct spool_counts after;
        spool_counts(s, &after);
        assert_int_equal(after.id, c.id);
        uint64_t fresh;
        assert_int_equal(spool_append(s, "packet", bytes_over("x", 1), 1, &fresh, NULL), OK);
        struct spool_entry e;
        uint64_t read = 0, last = 0;
        for (uint64_t ask = 1; spool_read(s, ask, &e, NULL) == OK; ask = e.number + 1) {
            assert_true(e.number > last);
            assert_true(e.previous == last || read == 0);
            last = e.number;
            read++;
        }
        assert_int_equal(last, fresh);
        spool_counts(s, &after);
        assert_int_equal(after.damaged, 0);
        spool_close(s);
    }
}

/* A crash right after a file was begun: what comes next has its place, also where it would have
 * fitted into the file before. */
static void begun_file_without_header_is_begun_again(void **state)
{
    static const uint8_t long_one[900];
    char path[512];
    struct spool_entry e;
    uint64_t number;
    struct spool *s = open_small(*state);
    for (int i = 0; i < 5; i++) /* four fit into 4096 bytes */
        assert_int_equal(
            spool_append(s, "packet", bytes_over(long_one, sizeof long_one), 1, &number, NULL),
            OK);
    spool_close(s);
    newest_file(*state, path);
    assert_non_null(strstr(path, "5.spool"));
    assert_int_equal(truncate(path, 0), 0);
    s = open_small(*state);
    assert_int_equal(spool_append(s, "packet", bytes_over("x", 1), 1, &number, NULL), OK);
    assert_int_equal(number, 5);
    assert_int_equal(spool_read(s, number, &e, NULL), OK);
    assert_int_equal(e.previous, 4);
    spool_close(s);
}

static void changed_bytes_are_passed_over(void **state)
{
    char path[512];
    struct spool *s = open_small(*state);
    for (uint64_t n = 1; n <= 60; n++)
        assert_int_equal(append(s, n), OK);
    spool_close(s);
    snprintf(path, sizeof path, "%s/%020d.spool", (const char *)*state, 1);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "!", 1, 2000), 1);
    close(fd);
    s = open_small(*state);
    struct spool_entry e;
    struct spool_counts c;
    uint64_t read = 0, holes = 0, last = 0;
    for (uint64_t ask = 1; spool_read(s, ask, &e, NULL) == OK; ask = e.number + 1) {
        assert_int_equal(e.previous, last);
        holes += e.number - last - 1;
        last = e.number;
        read++;
    }
    spool_counts(s, &c);
    assert_int_equal(last, 60);
    assert_true(holes > 0);
    assert_int_equal(read + holes, 60);
    assert_int_equal(c.damaged, holes);
    spool_close(s);
    /* The head of an entry: where the next one begins is not known, either. */
    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "????????????????????????????????", 32, 32), 32);
    close(fd);
    s = open_small(*state);
    spool_counts(s, &c);
    assert_int_equal(spool_read(s, 1, &e, NULL), OK);
    assert_true(e.number > 2);
    assert_int_equal(c.damaged, e.number - 1);
    spool_close(s);
}

static void out_of_files(void **state)
{
    struct spool *s = open_small(*state);
    struct rlimit files, none;
    struct spool_entry e;
    struct spool_counts c;
    for (uint64_t n = 1; n <= 60; n++)
        assert_int_equal(append(s, n), OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    none = (struct rlimit){0, files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum err short_of = spool_read(s, 1, &e, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(short_of, ERR_NOMEM);
    for (uint64_t n = 1; n <= 60; n++) {
        assert_int_equal(spool_read(s, n, &e, NULL), OK);
        assert_int_equal(e.number, n);
    }
    spool_counts(s, &c);
    assert_int_equal(c.damaged, 0);
    spool_close(s);
}

static void full_drops_the_oldest(void **state)
{
    struct spool_counts c;
    struct spool *s = open_with(*state, 16384, 4096, SPOOL_DROP_OLDEST);
    for (uint64_t n = 1; n <= 400; n++)
        assert_int_equal(append(s, n), OK);
    spool_counts(s, &c);
    assert_true(c.bytes <= 16384);
    assert_int_equal(c.last, 400);
    assert_int_equal(c.dropped, c.first - 1);
    assert_int_equal(c.dropped_items, 3 * c.dropped);
    expect_entry(s, 1, c.first, 0);
    spool_close(s);
}

static void full_refuses_the_newest(void **state)
{
    struct spool_counts c;
    struct spool *s = open_with(*state, 16384, 4096, SPOOL_REFUSE);
    uint64_t n = 1;
    while (append(s, n) == OK)
        n++;
    spool_counts(s, &c);
    assert_int_equal(c.last, n - 1);
    assert_int_equal(c.first, 1);
    assert_int_equal(c.dropped, 0);
    assert_int_equal(append(s, n), ERR_FULL);
    spool_commit(s, n / 2);
    assert_int_equal(append(s, n), OK);
    spool_counts(s, &c);
    for (uint64_t k = n / 2 + 1; k <= n; k++)
        expect_entry(s, k, k, k == c.first ? 0 : k - 1);
    spool_close(s);
}

/* A file system of its own that is full before a file of the spool is. */
static void full_disk_of_what_the_hub_has(void **state)
{
    char path[64];
    struct spool_counts c;
    snprintf(path, sizeof path, "%s", (const char *)*state);
    if (mount("tmpfs", path, "tmpfs", 0, "size=128k") != 0) {
        fprintf(stderr, "# skipped: no file system of its own: %s\n", strerror(errno));
        skip();
    }
    struct spool *s = open_with(path, 0, 0, SPOOL_DROP_OLDEST);
    uint64_t n = 1;
    while (append(s, n) == OK)
        n++;
    assert_true(n > 100);
    expect_entry(s, 50, 50, 49);
    spool_commit(s, n - 2); /* one is not stored yet: nothing goes */
    assert_int_equal(append(s, n), ERR_FULL);
    expect_entry(s, n - 1, n - 1, n - 2);
    spool_commit(s, n - 1);
    for (uint64_t k = n; k < n + 100; k++)
        assert_int_equal(append(s, k), OK);
    expect_entry(s, 1, n, 0);
    expect_entry(s, n + 99, n + 99, n + 98);
    spool_counts(s, &c);
    assert_int_equal(c.first, n);
    assert_int_equal(c.damaged, 0);
    spool_close(s);
    s = open_with(path, 0, 0, SPOOL_DROP_OLDEST);
    expect_entry(s, 1, n, 0);
    assert_int_equal(append(s, n + 100), OK);
    spool_close(s);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
}

/* The file is as large as one gets, the reader has it open, and the disk has room for the
 * beginning of the next one only. */
static void full_disk_as_a_file_begins(void **state)
{
    static char large[20 << 10];
    char path[64];
    struct spool_counts c = {0};
    struct fault f;
    uint64_t n = 0, number = 0;
    snprintf(path, sizeof path, "%s", (const char *)*state);
    if (mount("tmpfs", path, "tmpfs", 0, "size=128k") != 0) {
        fprintf(stderr, "# skipped: no file system of its own: %s\n", strerror(errno));
        skip();
    }
    struct spool *s = open_with(path, 256 << 10, 112 << 10, SPOOL_DROP_OLDEST);
    while (c.bytes < 110 << 10) {
        assert_int_equal(append(s, ++n), OK);
        spool_counts(s, &c);
    }
    expect_entry(s, n, n, n - 1);
    spool_commit(s, n);
    struct bytes data = bytes_over(large, sizeof large);
    assert_int_equal(spool_append(s, "packet", data, 3, &number, &f), OK);
    assert_int_equal(number, n + 1);
    spool_counts(s, &c);
    assert_int_equal(c.first, n + 1);
    spool_close(s);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
}

/* The file of such a disk has its new name, and the crash came before anything else. */
static void crash_between_name_and_header(void **state)
{
    char from[512], to[512];
    struct spool *s = open_with(*state, 0, 0, SPOOL_DROP_OLDEST);
    for (uint64_t n = 1; n <= 40; n++)
        assert_int_equal(append(s, n), OK);
    spool_close(s);
    snprintf(from, sizeof from, "%s/%020d.spool", (const char *)*state, 1);
    snprintf(to, sizeof to, "%s/%020d.spool", (const char *)*state, 41);
    assert_int_equal(rename(from, to), 0);
    for (int i = 0; i < 2; i++) {
        struct spool_entry e;
        struct fault f;
        s = open_with(*state, 0, 0, SPOOL_DROP_OLDEST);
        assert_int_equal(spool_read(s, 1, &e, &f), i ? OK : ERR_NOTFOUND);
        assert_int_equal(append(s, (uint64_t)(41 + i)), OK);
        expect_entry(s, 1, 41, 0);
        spool_close(s);
    }
}

static void one_process_at_a_time(void **state)
{
    struct spool *s = open_small(*state);
    struct spool *other;
    struct fault f;
    struct spool_options o = {.folder = *state};
    assert_int_equal(spool_open(&other, &o, &f), ERR_BUSY);
    spool_close(s);
}

static void foreign_files_are_refused(void **state)
{
    char path[512];
    struct spool *s;
    struct fault f;
    struct spool_options o = {.folder = *state};
    snprintf(path, sizeof path, "%s/%020d.spool", (const char *)*state, 7);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "this is something else altogether", 33), 33);
    close(fd);
    assert_int_equal(spool_open(&s, &o, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "00000007.spool"));
}

/* A child appends until it is killed; what it was told is safe is there. */
static void killed_loses_nothing(void **state)
{
    uint64_t *safe =
        mmap(NULL, sizeof *safe, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t before = 0;
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        if (child == 0) {
            struct spool *s;
            struct spool_options o = {.folder = *state, .segment = 65536, .cap = 64 << 20};
            if (spool_open(&s, &o, NULL) != OK)
                _exit(1);
            for (;;) {
                char text[512];
                struct spool_counts c;
                spool_counts(s, &c);
                uint64_t number;
                size_t len = text_of(c.last + 1, text);
                if (spool_append(s, "packet", bytes_over(text, len), 3, &number, NULL) != OK)
                    _exit(1);
                *(volatile uint64_t *)safe = number;
            }
        }
        for (int i = 0; i < 20000 && *(volatile uint64_t *)safe < before + 3; i++)
            usleep(1000);
        usleep((useconds_t)round * 300);
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        struct spool *s = open_with(*state, 64 << 20, 65536, SPOOL_DROP_OLDEST);
        struct spool_counts c;
        spool_counts(s, &c);
        assert_true(c.last >= *safe);
        assert_true(*safe > before);
        before = *safe;
        struct spool_entry e;
        uint64_t found = 0;
        for (uint64_t ask = 1; spool_read(s, ask, &e, NULL) == OK; ask = e.number + 1)
            found = e.number;
        assert_true(found >= *safe);
        spool_close(s);
    }
    munmap(safe, sizeof *safe);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("entries come back in order, each with the number before it", gives_back_in_order,
        folder_make, folder_drop),
    SAYS_WITH("a spool that is opened again has its name, entries and numbers",
        survives_a_restart, folder_make, folder_drop),
    SAYS_WITH("what is committed leaves the disk, file by file", commit_removes_files,
        folder_make, folder_drop),
    SAYS_WITH("a file that a crash left without its header is begun again",
        begun_file_without_header_is_begun_again, folder_make, folder_drop),
    SAYS_WITH("which entry was torn is told to the next that opens the spool, too",
        torn_is_told_again, folder_make, folder_drop),
    SAYS_WITH("a torn end is cut, and no number is given twice", torn_end_is_cut, folder_make,
        folder_drop),
    SAYS_WITH("bytes that the disk changed are passed over and counted",
        changed_bytes_are_passed_over, folder_make, folder_drop),
    SAYS_WITH("a machine that is out of files for a while costs no entry", out_of_files,
        folder_make, folder_drop),
    SAYS_WITH("a full spool drops its oldest file and counts what was in it",
        full_drops_the_oldest, folder_make, folder_drop),
    SAYS_WITH("a full spool that refuses keeps what it has", full_refuses_the_newest,
        folder_make, folder_drop),
    SAYS_WITH("a disk that is full of what the hub has stored is written to again",
        full_disk_of_what_the_hub_has, folder_make, folder_drop),
    SAYS_WITH("so is one on which a file of the spool has just begun",
        full_disk_as_a_file_begins, folder_make, folder_drop),
    SAYS_WITH("a crash while that is made gives no number twice", crash_between_name_and_header,
        folder_make, folder_drop),
    SAYS_WITH(
        "a spool belongs to one process", one_process_at_a_time, folder_make, folder_drop),
    SAYS_WITH("a file that is none of a spool's is refused by name", foreign_files_are_refused,
        folder_make, folder_drop),
    SAYS_WITH("a process that is killed while appending loses nothing that was said to be safe",
        killed_loses_nothing, folder_make, folder_drop),
};
TEST_MAIN(tests)
