/* What is united by tags is what contacts say: random tags, with two, one or none a contact,
 * windows that were not screened, what comes late, and questions of every kind, narrowed and
 * not. Answers are taken while all hours are open, so that contacts are counted, and again when
 * they were united. */
#include "empty_world.h"
#include "screening.h"
#include "telescope.h"

#include "base/rng.h"

#include <sqlite3.h>
#include <string.h>

enum {
    LENGTH = 180, /* windows: thirty hours */
    EVERY = 3     /* of which there are contacts */
};

static const struct telescope shape = {.seed = 12,
    .sites = 3,
    .sources = 3000,
    .contacts = 40,
    .packets = 3,
    .start = 1767225600 * US_SECOND};

/* What screening says of a window, at random: every seventh it has not looked at. */
static void screen(
    struct store *s, const struct block *contacts, uint64_t window, uint64_t seed)
{
    static const char *const names[] = {"known", "survey-like"};
    struct block *tagged = NULL;
    struct block *screening = NULL;
    struct rng r;
    char id[32];
    if (seed == shape.seed && window % 7 == 0)
        return;
    rng_seed(&r, seed * 1000 + window);
    assert_int_equal(block_new(&tagged, &record_tagged, 1 << 12), OK);
    assert_int_equal(block_new(&screening, &record_screening, 4), OK);
    for (size_t row = 0; row < contacts->rows; row++)
        for (unsigned tag = 0; tag < 2; tag++)
            if (rng_below(&r, 4) == 0)
                tag_put(tagged, contacts, row, names[tag], "a-rule");
    screening_put(screening, block_time(contacts, CONTACT_START)[0], "", "", "");
    screening_put(screening, block_time(contacts, CONTACT_START)[0], "known", "a-rule", "why");
    snprintf(id, sizeof id, "tagged-%d-%d", (int)window, (int)seed);
    append_block(s, tagged, id);
    snprintf(id, sizeof id, "screening-%d-%d", (int)window, (int)seed);
    append_block(s, screening, id);
    block_free(tagged);
    block_free(screening);
}

/* Contacts of a window go in, if there is an `id`, and what screening says of them. */
static void append_window(
    struct store *s, const struct telescope *t, uint64_t window, const char *id, uint64_t seed)
{
    struct block *b = NULL;
    assert_int_equal(block_new(&b, &record_contact, 1 << 12), OK);
    telescope_window(t, window, b);
    if (id)
        append_block(s, b, id);
    if (seed)
        screen(s, b, window, seed);
    block_free(b);
}

static void append_all(struct store *s)
{
    for (uint64_t i = 0; i < LENGTH; i += EVERY) {
        char id[32];
        snprintf(id, sizeof id, "contacts-%d", (int)i);
        append_window(s, &shape, i, id, shape.seed);
    }
}

static void narrow(struct ask *a, size_t how)
{
    if (how == 1)
        snprintf(a->site, sizeof a->site, "site-01");
    else if (how == 2)
        snprintf(a->country, sizeof a->country, "ac");
    else if (how == 3)
        a->port = 23;
    else if (how == 4)
        snprintf(a->class, sizeof a->class, "-survey");
}

/* Spans that are whole hours, that begin and end within some, and all there is. */
static void span_set(struct ask *a, size_t span)
{
    static const int64_t spans[][2] = {{60, 540}, {35 * 10, 26 * 60 + 20}, {0, 24 * 60}};
    if (span == 3)
        return;
    a->from = shape.start + spans[span][0] * US_MINUTE;
    a->to = shape.start + spans[span][1] * US_MINUTE;
}

static void answer_put(struct store *s, const struct ask *a, struct buf *out)
{
    struct fault f = {0};
    struct buf one;
    buf_init(&one, 1 << 26);
    if (store_ask(s, a, FORMAT_JSON, &one, NULL, &f))
        fail_msg("%s", f.text);
    buf_put(out, one.data, one.len);
    buf_str(out, "\n");
    buf_done(&one);
}

static void answers(struct store *s, struct buf *out)
{
    static const enum ask_what whats[] = {ASK_TOTALS, ASK_SERIES, ASK_PORTS, ASK_MOVERS,
        ASK_SOURCES, ASK_COUNTRIES, ASK_ASNS, ASK_TOOLS, ASK_CLASSES, ASK_SITES, ASK_SERIES,
        ASK_SERIES, ASK_SERIES};
    static const enum ask_by lines[] = {BY_NOTHING, BY_PORT, BY_SITE, BY_CLASS};
    static const char *const tags[] = {
        "-known,-survey-like", "known,survey-like", "-known", "survey-like"};
    const size_t count = sizeof whats / sizeof *whats;
    buf_clear(out);
    for (size_t i = 0; i < count * 4; i++) {
        struct ask a;
        ask_init(&a, whats[i % count]);
        span_set(&a, i / count % 4);
        snprintf(a.tag, sizeof a.tag, "%s", tags[(i + i / count) % 4]);
        narrow(&a, i % 3 ? 0 : i / 3 % 5);
        a.measure = i % 2 ? MEASURE_SOURCES : MEASURE_PACKETS;
        a.by = a.what == ASK_SERIES ? lines[i % count % 4] : BY_NOTHING;
        a.step = a.what == ASK_SERIES ? US_HOUR : 0;
        /* All rows, so that candidates for a page make no difference; of sources a page. */
        a.limit = a.what == ASK_SOURCES ? (i % 2 ? 20 : 700) : a.what == ASK_SERIES ? 0 : 5000;
        buf_printf(out, "question %zu: ", i);
        answer_put(s, &a, out);
    }
    assert_int_equal(out->err, OK);
}

static void same(const struct buf *a, const struct buf *b)
{
    size_t at = 0;
    while (at < a->len && at < b->len && a->data[at] == b->data[at])
        at++;
    if (at == a->len && at == b->len)
        return;
    while (at > 0 && a->data[at - 1] != '\n')
        at--;
    fail_msg("%.600s\nis not\n%.600s", (const char *)a->data + at, (const char *)b->data + at);
}

/* Hours of which there is something by tags. */
static int64_t hours_united(const struct world *w)
{
    char path[300];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    snprintf(path, sizeof path, "%s/journal.db", w->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
            "SELECT count(*) FROM day WHERE name = 'tags_once' AND united = 1", -1, &s, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return count;
}

/* A folder as the format before left it: nothing is known of hours by tags. */
static void make_older(const char *folder)
{
    char path[300];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/journal.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
            "DELETE FROM day WHERE name IN ('tags_once', 'tags_day'); PRAGMA user_version = 4",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

static void tags_of_united_hours_are_those_of_contacts(void **state)
{
    struct telescope late = shape;
    struct world *w = *state;
    struct buf before;
    struct buf after;
    if (!w->store)
        skip();
    late.seed = 13;
    buf_init(&before, 1 << 28);
    buf_init(&after, 1 << 28);
    append_all(w->store);
    answers(w->store, &before);
    assert_int_equal(hours_united(w), 0);
    store_close(w->store);
    make_older(w->folder);
    w->store = open_store(w->folder);
    answers(w->store, &after);
    same(&before, &after);
    keep_up(w->store);
    assert_true(hours_united(w) >= 28);
    answers(w->store, &after);
    same(&before, &after);

    /* More tags, a window that had not been looked at, other contacts: 3, 21 and 30 are of the
     * first day and of three hours. */
    append_window(w->store, &shape, 3, NULL, 99);
    append_window(w->store, &shape, 21, NULL, 99);
    append_window(w->store, &late, 30, "late", 0);
    answers(w->store, &before);
    assert_true(before.len != after.len || memcmp(before.data, after.data, after.len) != 0);
    int64_t open = hours_united(w);
    keep_up(w->store);
    assert_int_equal(hours_united(w), open + 3);
    answers(w->store, &after);
    same(&before, &after);
    store_close(w->store);
    w->store = open_store(w->folder);
    answers(w->store, &after);
    same(&before, &after);
    buf_done(&before);
    buf_done(&after);
}

static void new_ports_of_the_first_day(struct store *s, struct buf *out)
{
    struct ask a;
    ask_init(&a, ASK_PORTS);
    a.from = shape.start;
    a.to = shape.start + US_DAY;
    a.limit = 5000;
    snprintf(a.tag, sizeof a.tag, "-known,-survey-like");
    buf_clear(out);
    answer_put(s, &a, out);
    assert_int_equal(out->err, OK);
}

static void contacts_wait_for_their_sums_by_tags(void **state)
{
    struct world *w = *state;
    struct store_options options = {.keep_packets = US_DAY, .keep_contacts = US_DAY};
    struct store_expired x;
    struct fault f = {0};
    struct buf before;
    struct buf after;
    if (!w->store)
        skip();
    buf_init(&before, 1 << 26);
    buf_init(&after, 1 << 26);
    store_close(w->store);
    assert_int_equal(store_open(&w->store, w->folder, &options, &f), OK);
    append_all(w->store);
    new_ports_of_the_first_day(w->store, &before);
    assert_int_equal(store_expire(w->store, shape.start + 2 * US_DAY, &x, &f), OK);
    assert_int_equal(x.contacts, 0);
    assert_true(x.waits);
    new_ports_of_the_first_day(w->store, &after);
    same(&before, &after);

    keep_up(w->store);
    assert_int_equal(store_expire(w->store, shape.start + 2 * US_DAY, &x, &f), OK);
    assert_true(x.contacts > 0);
    assert_false(x.waits);
    new_ports_of_the_first_day(w->store, &after);
    same(&before, &after);
    buf_done(&before);
    buf_done(&after);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("answers with tags are the same before and after their hours are united",
        tags_of_united_hours_are_those_of_contacts, world_open, world_close),
    SAYS_WITH("old contacts wait until they are summed up by tags, which is kept longer",
        contacts_wait_for_their_sums_by_tags, world_open, world_close),
};

TEST_MAIN(tests)
