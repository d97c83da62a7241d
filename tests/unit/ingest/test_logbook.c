#include "test.h"

#include "bus/spool.h"
#include "ingest/logbook.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The hub's logbook by itself: what is added is read again, also after a crash, and what kept
 * states have seen goes. */

struct stage {
    char folder[64];
    int64_t now;
    struct clock clock;
    struct logbook *logbook;
};

static int64_t stage_now(void *context)
{
    return ((struct stage *)context)->now;
}

static int stage_make(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    *state = s;
    snprintf(s->folder, sizeof s->folder, "/tmp/kizashi-logbook-XXXXXX");
    s->now = INT64_C(1790000000) * US_SECOND;
    s->clock = (struct clock){stage_now, s};
    return mkdtemp(s->folder) ? 0 : -1;
}

/* The name of the newest file, or of any other; false: there is none. */
static bool file_of(const struct stage *s, bool newest, char path[400])
{
    char best[300] = "";
    DIR *d = opendir(s->folder);
    for (struct dirent *e; (e = readdir(d));)
        if (strstr(e->d_name, ".spool") &&
            (!best[0] || (strcmp(e->d_name, best) > 0) == newest))
            snprintf(best, sizeof best, "%s", e->d_name);
    closedir(d);
    snprintf(path, 400, "%s/%s", s->folder, best);
    return best[0] != 0;
}

static int stage_drop(void **state)
{
    struct stage *s = *state;
    char path[400];
    logbook_close(s->logbook);
    while (file_of(s, true, path))
        unlink(path);
    snprintf(path, sizeof path, "%s/lock", s->folder);
    unlink(path);
    int status = rmdir(s->folder);
    free(s);
    return status;
}

static bool open_it(struct stage *s, int64_t seen)
{
    bool fresh = false;
    struct fault f = {0};
    struct logbook_options o = {.folder = s->folder,
        .cap = 64 << 10,
        .segment = 8 << 10,
        .seen = seen,
        .clock = &s->clock};
    logbook_close(s->logbook);
    s->logbook = NULL;
    if (logbook_open(&s->logbook, &o, &fresh, &f) != OK)
        fail_msg("%s", f.text);
    return fresh;
}

static void add(struct stage *s, const char *site, uint64_t number)
{
    uint8_t data[1000];
    uint64_t at;
    memset(data, (int)(number & 0xff), sizeof data);
    struct logbook_entry e = {
        .rows = 7, .spool = 5, .number = number, .data = bytes_over(data, sizeof data)};
    snprintf(e.site, sizeof e.site, "%s", site);
    assert_int_equal(logbook_add(s->logbook, &e, &at, NULL), OK);
    assert_int_equal(logbook_sync(s->logbook, NULL), OK);
}

/* All that is there, and that it is whole and in order. */
static size_t read_all(struct stage *s, uint64_t *ret_first)
{
    struct logbook_entry e;
    size_t count = 0;
    uint64_t last = 0;
    for (uint64_t at = 0; logbook_read(s->logbook, at, &e, NULL) == OK; at = e.at + 1) {
        if (!count)
            *ret_first = e.number;
        assert_true(e.number > last && e.at >= at);
        last = e.number;
        assert_string_equal(e.site, e.number % 2 ? "jp-01" : "kr-02");
        assert_int_equal(e.rows, 7);
        assert_int_equal(e.spool, 5);
        assert_int_equal(e.data.left, 1000);
        for (size_t i = 0; i < e.data.left; i++)
            assert_int_equal(e.data.at[i], e.number & 0xff);
        count++;
    }
    return count;
}

static void add_some(struct stage *s, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n <= to; n++)
        add(s, n % 2 ? "jp-01" : "kr-02", n);
}

static void reads_again(void **state)
{
    struct stage *s = *state;
    uint64_t first = 0;
    assert_false(open_it(s, 0));
    assert_int_equal(read_all(s, &first), 0);
    add_some(s, 1, 30);
    assert_int_equal(read_all(s, &first), 30);
    assert_false(open_it(s, 0));
    assert_int_equal(read_all(s, &first), 30);
    add_some(s, 31, 40);
    assert_int_equal(read_all(s, &first), 40);
    assert_int_equal(first, 1);
}

static void torn(void **state)
{
    static const off_t cuts[] = {1, 300, 999, 1000, 1020, 1040, 1069};
    struct stage *s = *state;
    char path[400];
    struct stat st;
    uint64_t first = 0;
    open_it(s, 0);
    add_some(s, 1, 20);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        add(s, "jp-01", 21 + 2 * i);
        assert_true(file_of(s, true, path));
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(truncate(path, st.st_size - cuts[i]), 0);
        assert_false(open_it(s, 0));
        assert_int_equal(read_all(s, &first), 20);
        assert_int_equal(first, 1);
    }
    add_some(s, 101, 102);
    assert_false(open_it(s, 0));
    assert_int_equal(read_all(s, &first), 22);
}

static void damaged(void **state)
{
    struct stage *s = *state;
    char path[400];
    uint64_t first = 0;
    open_it(s, 0);
    add_some(s, 1, 30);
    /* Bytes in the middle of a file: what follows in it is passed over. */
    assert_true(file_of(s, false, path));
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "????????????????", 16, 2200), 16);
    close(fd);
    assert_false(open_it(s, 0));
    size_t count = read_all(s, &first);
    assert_true(count > 20 && count < 30);
    /* A head that is no spool's: the logbook is begun anew, and says so. */
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "????????????????", 16, 0), 16);
    close(fd);
    assert_true(open_it(s, 0));
    assert_int_equal(read_all(s, &first), 0);
    add_some(s, 1, 3);
    assert_false(open_it(s, 0));
    assert_int_equal(read_all(s, &first), 3);
}

static void covered(void **state)
{
    struct stage *s = *state;
    struct logbook_counts c;
    uint64_t first = 0;
    open_it(s, 0);
    /* Four messages every ten minutes, and states that see them a little later. */
    for (uint64_t n = 1; n <= 96; n += 4) {
        add_some(s, n, n + 3);
        s->now += 10 * US_MINUTE;
        logbook_covered(s->logbook);
        logbook_tidy(s->logbook);
        logbook_counts(s->logbook, &c);
        assert_false(c.cut);
    }
    size_t count = read_all(s, &first);
    /* Those of the last hour, and what shares a file of eight with the first of them. */
    assert_in_range(count, 24, 40);
    /* A hub that is started again lets go of them just so. */
    assert_false(open_it(s, s->now));
    read_all(s, &first);
    s->now += 2 * US_HOUR;
    logbook_covered(s->logbook);
    logbook_tidy(s->logbook);
    assert_in_range(read_all(s, &first), 1, 8);
}

/* A hub that was dead for long reads what no engine has seen: it stays until they may have. */
static void dead_for_long(void **state)
{
    struct stage *s = *state;
    uint64_t first = 0;
    open_it(s, 0);
    add_some(s, 1, 32);
    s->now += 3 * US_HOUR;
    open_it(s, 0);
    assert_int_equal(read_all(s, &first), 32);
    logbook_covered(s->logbook); /* of a window of long ago */
    logbook_tidy(s->logbook);
    assert_int_equal(read_all(s, &first), 32);
    s->now += 2 * US_HOUR;
    logbook_covered(s->logbook);
    logbook_tidy(s->logbook);
    assert_in_range(read_all(s, &first), 1, 8);
}

/* A carrier may bring as much as an entry holds; what does not fit beside the names is no
 * sensor's, and no reason to wait for room. */
static void longest(void **state)
{
    struct stage *s = *state;
    uint64_t at;
    uint8_t *data = calloc(1, SPOOL_ENTRY_MAX);
    assert_non_null(data);
    open_it(s, 0);
    struct logbook_entry e = {
        .rows = 1, .spool = 5, .number = 1, .data = bytes_over(data, SPOOL_ENTRY_MAX)};
    snprintf(e.site, sizeof e.site, "jp-01");
    assert_int_equal(logbook_add(s->logbook, &e, &at, NULL), ERR_RANGE);
    add(s, "jp-01", 2);
    free(data);
}

static void capped(void **state)
{
    struct stage *s = *state;
    struct logbook_counts c;
    uint64_t first = 0;
    open_it(s, 0);
    add_some(s, 1, 40);
    logbook_covered(s->logbook);
    add_some(s, 41, 60);
    logbook_counts(s->logbook, &c);
    assert_true(c.bytes <= 64 << 10);
    assert_false(c.cut); /* what went had been seen */
    add_some(s, 61, 120);
    logbook_counts(s->logbook, &c);
    assert_true(c.bytes <= 64 << 10);
    assert_true(c.cut);
    assert_true(read_all(s, &first) > 40);
    assert_true(first > 41);
    logbook_covered(s->logbook);
    logbook_counts(s->logbook, &c);
    assert_false(c.cut);
    /* After a new start, what had been added before the last kept window ended is seen. */
    assert_false(open_it(s, s->now));
    read_all(s, &first);
    add_some(s, 121, 140);
    logbook_counts(s->logbook, &c);
    assert_false(c.cut);
}

static void removed(void **state)
{
    struct stage *s = *state;
    struct fault f;
    struct stat st;
    size_t count = 99;
    char path[400];
    open_it(s, 0);
    add_some(s, 1, 30);
    logbook_close(s->logbook);
    s->logbook = NULL;
    snprintf(path, sizeof path, "%s/notes", s->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(logbook_remove(s->folder, &count, &f), ERR_IO);
    assert_true(count >= 3);
    assert_non_null(strstr(f.text, s->folder));
    assert_int_equal(stat(path, &st), 0); /* what is not ours stays */
    unlink(path);
    assert_int_equal(logbook_remove(s->folder, &count, &f), OK);
    assert_int_equal(count, 0);
    assert_int_not_equal(stat(s->folder, &st), 0);
    assert_int_equal(logbook_remove(s->folder, &count, &f), OK); /* nor is there any now */
    assert_int_equal(mkdir(s->folder, 0700), 0);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("what was added is read again after a restart, whole and in order", reads_again,
        stage_make, stage_drop),
    SAYS_WITH(
        "a torn end is cut, and what was before it is there", torn, stage_make, stage_drop),
    SAYS_WITH("damage costs the rest of a file; what is no logbook is begun anew and told",
        damaged, stage_make, stage_drop),
    SAYS_WITH("what kept states have seen stays for an hour, and then goes", covered,
        stage_make, stage_drop),
    SAYS_WITH("what is read after hours of death stays until engines may have seen it",
        dead_for_long, stage_make, stage_drop),
    SAYS_WITH("a message that is too long is refused as such, and the next one is kept",
        longest, stage_make, stage_drop),
    SAYS_WITH("at the cap the oldest goes, which is told if no kept state has seen it", capped,
        stage_make, stage_drop),
    SAYS_WITH("what an earlier one kept is removed where none is wanted, and nothing else",
        removed, stage_make, stage_drop),
};
TEST_MAIN(tests)
