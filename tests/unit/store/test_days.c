/* Days that are over and get rows after all, and blocks that go in together: what is counted is
 * always what went in. */
#include "empty_world.h"
#include "telescope.h"

#include "base/json.h"

#include <limits.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct telescope shape = {.seed = 3,
    .sites = 2,
    .sources = 4000,
    .contacts = 60,
    .packets = 3,
    .start = 1767225600 * US_SECOND};
static const struct telescope later = {.seed = 4,
    .sites = 2,
    .sources = 4000,
    .contacts = 60,
    .packets = 3,
    .start = 1769904000 * US_SECOND};
static const struct telescope hurried = {.seed = 5,
    .sites = 2,
    .sources = 4000,
    .contacts = 60,
    .packets = 3,
    .start = 1772323200 * US_SECOND};

/* Contacts of one window as a block; of some networks no country is known. */
static struct block *window_block(const struct telescope *t, uint64_t window)
{
    struct block *b = NULL;
    uint16_t none;
    assert_int_equal(block_new(&b, &record_contact, 1024), OK);
    telescope_window(t, window, b);
    assert_int_equal(block_word(b, CONTACT_COUNTRY, "", &none), OK);
    for (size_t i = 0; i < b->rows; i++)
        if (block_u32(b, CONTACT_ASN)[i] % 7 == 0)
            block_name(b, CONTACT_COUNTRY)[i] = none;
    return b;
}

static uint64_t packets_of_ports(struct store *s, int64_t from, int64_t to)
{
    struct ask a;
    uint64_t sum = 0;
    ask_init(&a, ASK_PORTS);
    a.from = from;
    a.to = to;
    a.limit = ASK_ROWS_MAX;
    struct fault f = {0};
    struct buf out;
    size_t i;
    json_t *row;
    buf_init(&out, 1 << 26);
    if (store_ask(s, &a, FORMAT_JSON, &out, NULL, &f))
        fail_msg("%s", f.text);
    json_t *rows = json_loadb((const char *)out.data, out.len, 0, NULL);
    json_array_foreach(rows, i, row) sum +=
        (uint64_t)json_integer_value(json_object_get(row, "packets"));
    json_decref(rows);
    buf_done(&out);
    return sum;
}

static uint64_t packets_in(const struct block *b)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < b->rows; i++)
        sum += block_u32(b, CONTACT_PACKETS)[i];
    return sum;
}

/* Windows of three days, then late ones of the first, then one more of the third, so that the
 * first day is united, open, and united again; the store is opened anew in between. */
static void late_rows_count(void **state)
{
    static const uint64_t windows[] = {3, 77, 146, 152, 160, 170, 180, 190, 288, 300, 301, 302,
        303, 304, 305, 5, 99, 310, 311, 312, 313, 314, 315, 316};
    uint64_t first_day = 0;
    uint64_t all = 0;
    struct world *w = *state;
    if (!w->store)
        skip();
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        char id[32];
        struct block *b = window_block(&shape, windows[i]);
        snprintf(id, sizeof id, "late-%zu", i);
        append_block(w->store, b, id);
        first_day += windows[i] < 144 ? packets_in(b) : 0;
        all += packets_in(b);
        block_free(b);
        if (i % 3 == 1)
            keep_up(w->store);
        if (i == 12 || i == 16) {
            store_close(w->store);
            w->store = open_store(w->folder);
        }
        assert_int_equal(
            packets_of_ports(w->store, shape.start, shape.start + US_DAY), first_day);
        assert_int_equal(
            packets_of_ports(w->store, shape.start, shape.start + 3 * US_DAY), all);
    }
}

static void blocks_go_in_together(void **state)
{
    struct fault f = {0};
    struct store_block all[6];
    uint64_t packets = 0;
    struct world *w = *state;
    if (!w->store)
        skip();
    /* Windows of two days and, as the last, the first one again. */
    static const uint64_t windows[] = {1, 2, 143, 144, 150, 1};
    static const char *const ids[] = {"a", "b", "c", "d", "e", "a"};
    for (size_t i = 0; i < 6; i++) {
        struct block *b = window_block(&later, windows[i]);
        all[i] = (struct store_block){b, ids[i]};
        packets += i < 5 ? packets_in(b) : 0;
    }
    for (int round = 0; round < 2; round++) {
        if (store_append_all(w->store, all, 6, &f))
            fail_msg("%s", f.text);
        assert_int_equal(
            packets_of_ports(w->store, later.start, later.start + 2 * US_DAY), packets);
    }
    all[2].id = "not allowed";
    assert_int_equal(store_append_all(w->store, all, 6, &f), ERR_BAD);
    for (size_t i = 0; i < 6; i++)
        block_free((struct block *)(uintptr_t)all[i].block);
}

/* What a question of each kind is answered, over `days` days from `from`. */
static void answers(struct store *s, int64_t from, int days, struct buf *out)
{
    static const enum ask_what whats[] = {ASK_TOTALS, ASK_SERIES, ASK_PORTS, ASK_MOVERS,
        ASK_SOURCES, ASK_COUNTRIES, ASK_ASNS, ASK_TOOLS, ASK_CLASSES, ASK_SITES};
    buf_clear(out);
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++) {
        struct ask a;
        struct fault f = {0};
        struct buf one;
        ask_init(&a, whats[i]);
        a.from = from;
        a.to = from + days * US_DAY;
        a.limit = ASK_ROWS_MAX;
        buf_init(&one, 1 << 26);
        if (store_ask(s, &a, FORMAT_JSON, &one, NULL, &f))
            fail_msg("%s", f.text);
        buf_put(out, one.data, one.len);
        buf_done(&one);
    }
    assert_int_equal(out->err, OK);
}

/* Three days in a hurry, so that the rollups take none of them in; the store is opened anew
 * before they do, and again between two intakes. */
static void hurried_rows_count(void **state)
{
    static const uint64_t windows[] = {0, 1, 100, 143, 144, 150, 287, 288, 300, 301};
    const int64_t start = hurried.start;
    struct world *w = *state;
    struct buf first;
    struct buf again;
    struct fault f = {0};
    uint64_t packets = 0;
    bool more = true;
    if (!w->store)
        skip();
    buf_init(&first, 1 << 28);
    buf_init(&again, 1 << 28);
    store_hurry(w->store);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        char id[32];
        struct block *b = window_block(&hurried, windows[i]);
        snprintf(id, sizeof id, "hurried-%zu", i);
        append_block(w->store, b, id);
        packets += packets_in(b);
        block_free(b);
    }
    assert_int_equal(packets_of_ports(w->store, start, start + 3 * US_DAY), packets);
    answers(w->store, start, 3, &first);
    for (int round = 0; more; round++) {
        if (round < 3) {
            store_close(w->store);
            w->store = open_store(w->folder);
        }
        answers(w->store, start, 3, &again);
        assert_int_equal(again.len, first.len);
        assert_memory_equal(again.data, first.data, first.len);
        assert_int_equal(store_upkeep(w->store, &more, &f), OK);
    }
    answers(w->store, start, 3, &again);
    assert_int_equal(again.len, first.len);
    assert_memory_equal(again.data, first.data, first.len);
    buf_done(&first);
    buf_done(&again);
}

static void busiest_sources(struct store *s, int64_t from, size_t limit, struct buf *out)
{
    struct ask a;
    struct fault f = {0};
    ask_init(&a, ASK_SOURCES);
    a.from = from;
    a.to = from + US_DAY;
    a.limit = limit;
    buf_clear(out);
    if (store_ask(s, &a, FORMAT_JSON, out, NULL, &f))
        fail_msg("%s", f.text);
}

/* The first `rows` contacts of a window, or all; of few the packets are one each. */
static void append_window(
    struct store *s, const struct telescope *t, uint64_t window, size_t rows)
{
    char id[32];
    struct block *all = NULL;
    struct block *b = NULL;
    assert_int_equal(block_new(&all, &record_contact, 1 << 13), OK);
    assert_int_equal(block_new(&b, &record_contact, 1 << 13), OK);
    telescope_window(t, window, all);
    assert_int_equal(block_append(b, all, 0, rows < all->rows ? rows : all->rows), OK);
    for (size_t i = 0; b->rows < all->rows && i < b->rows; i++)
        block_u32(b, CONTACT_PACKETS)[i] = 1;
    snprintf(id, sizeof id, "w-%d-%d", (int)t->sources, (int)window);
    append_block(s, b, id);
    block_free(b);
    block_free(all);
}

/* The busiest few are seen in every hour. In the second some send a packet or two, and
 * thousands of others send more, so that they are not among that hour's busiest: their contacts
 * in it are looked at. The last hours are not over. */
static void sources_of_united_hours_are_those_of_contacts(void **state)
{
    const struct telescope few = {.seed = 6,
        .sites = 2,
        .sources = 300,
        .contacts = 60,
        .packets = 3,
        .start = 1775001600 * US_SECOND};
    struct telescope many = few;
    static const size_t limits[] = {1, 5, 100};
    struct world *w = *state;
    struct buf before[3];
    struct buf after;
    if (!w->store)
        skip();
    many.seed = 7;
    many.sources = 50000;
    many.contacts = 2000;
    buf_init(&after, 1 << 20);
    for (uint64_t i = 0; i < 30; i++) {
        append_window(w->store, &few, i, i / 6 == 1 ? 5 : SIZE_MAX);
        if (i / 6 == 1)
            append_window(w->store, &many, i, SIZE_MAX);
    }
    for (size_t i = 0; i < 3; i++) {
        buf_init(&before[i], 1 << 20);
        busiest_sources(w->store, few.start + US_HOUR / 2, limits[i], &before[i]);
        assert_true(before[i].len > 100 * limits[i]);
    }
    keep_up(w->store);
    for (size_t i = 0; i < 3; i++) {
        busiest_sources(w->store, few.start + US_HOUR / 2, limits[i], &after);
        assert_int_equal(after.len, before[i].len);
        assert_memory_equal(after.data, before[i].data, after.len);
        buf_done(&before[i]);
    }
    buf_done(&after);
}

static void another_version_is_refused(void **state)
{
    struct world *w = *state;
    struct store *other = NULL;
    struct store_options options = {0};
    struct fault f = {0};
    sqlite3 *db = NULL;
    char path[300];
    if (!w->store)
        skip();
    store_close(w->store);
    w->store = NULL;
    snprintf(path, sizeof path, "%s/journal.db", w->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_open(&other, w->folder, &options, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "another version of kizashi"));
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 5", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    w->store = open_store(w->folder);
}

/* What is united in the other format is not what is united in this one: it is made anew. */
static void the_format_before_is_taken_over(void **state)
{
    static const uint64_t windows[] = {3, 77, 146, 160};
    struct world *w = *state;
    sqlite3 *db = NULL;
    char path[300];
    uint64_t all = 0;
    if (!w->store)
        skip();
    store_close(w->store);
    remove_folder(w->folder);
    new_folder(w->folder);
    w->store = open_store(w->folder);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        char id[32];
        struct block *b = window_block(&shape, windows[i]);
        snprintf(id, sizeof id, "before-%zu", i);
        append_block(w->store, b, id);
        all += packets_in(b);
        block_free(b);
    }
    keep_up(w->store);
    store_close(w->store);
    w->store = NULL;
    snprintf(path, sizeof path, "%s/journal.db", w->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    w->store = open_store(w->folder);
    assert_int_equal(packets_of_ports(w->store, shape.start, shape.start + 2 * US_DAY), all);
    keep_up(w->store);
    assert_int_equal(packets_of_ports(w->store, shape.start, shape.start + 2 * US_DAY), all);
    store_close(w->store);
    w->store = open_store(w->folder); /* it is of this format now */
}

/* A folder below that of the test, opened by many names from several working folders; each time
 * a block goes in, which is synced. What came before is there under each of the names. */
static void a_folder_may_be_named_in_any_way(void **state)
{
    static const struct {
        const char *from, *name;
    } names[] = {{"", "a b/data"}, {"", "./a b/data/"}, {"a b", "data"}, {"a b/data", "."},
        {"a b", "../link/data"}, {"link", "data//"}, {"a b", "../a b/./data"}};
    struct world *w = *state;
    char back[PATH_MAX];
    char path[300];
    uint64_t packets = 0;
    if (!w->store)
        skip();
    store_close(w->store);
    w->store = NULL;
    assert_non_null(getcwd(back, sizeof back));
    assert_int_equal(chdir(w->folder), 0);
    assert_int_equal(mkdir("a b", 0700), 0);
    assert_int_equal(symlink("a b", "link"), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct block *b = window_block(&shape, i);
        snprintf(path, sizeof path, "%s/%s", w->folder, names[i].from);
        assert_int_equal(chdir(path), 0);
        struct store *s = open_store(names[i].name);
        snprintf(path, sizeof path, "named-%zu", i);
        append_block(s, b, path);
        packets += packets_in(b);
        assert_int_equal(packets_of_ports(s, shape.start, shape.start + US_DAY), packets);
        store_close(s);
        block_free(b);
    }
    assert_int_equal(chdir(back), 0);
}

static const struct CMUnitTest tests[] = {
    SAYS("what comes late to a day that was united is counted, also over a restart",
        late_rows_count),
    SAYS("what comes in a hurry is counted before and after the rollups take it in",
        hurried_rows_count),
    SAYS("the busiest sources are the same before and after their hours are united",
        sources_of_united_hours_are_those_of_contacts),
    SAYS("blocks that go in together are there once each", blocks_go_in_together),
    SAYS("a store of another version is refused with a sentence", another_version_is_refused),
    SAYS("a store of the format before is taken over, with nothing missing or twice",
        the_format_before_is_taken_over),
    SAYS("a store's folder may be named in any way, from any working folder",
        a_folder_may_be_named_in_any_way),
};

int main(void)
{
    return cmocka_run_group_tests(tests, world_open, world_close);
}
