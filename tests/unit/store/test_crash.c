/* The store is killed (kill -9) at random moments while blocks come in, opened again, and sent
 * what was not acknowledged, and the pair before once more: at the end every table has every
 * row once. KIZASHI_CRASH_RUNS says how often it is killed (3), KIZASHI_CRASH_SEED when. */
#include "test.h"

#include "screening.h"
#include "store_test.h"
#include "telescope.h"

#include "base/json.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>

enum {
    BLOCKS_A_RUN = 24
};

static const struct telescope shape = {.seed = 9,
    .sites = 2,
    .sources = 3000,
    .contacts = 40,
    .packets = 3,
    .start = 1767225600 * US_SECOND};

/* Block `i`: even ones packets, odd ones contacts. Three hours lie between the windows, so days
 * and with them rollups follow each other quickly; every tenth block spans midnight. */
static struct block *make_block(uint64_t i)
{
    struct block *b = NULL;
    struct telescope t = shape;
    t.start += (int64_t)i / 2 * 3 * US_HOUR;
    telescope_check(block_new(&b, i % 2 ? &record_contact : &record_packet, 200));
    struct block *contacts = NULL;
    telescope_check(block_new(&contacts, &record_contact, 200));
    telescope_window(&t, i / 2, contacts);
    for (size_t k = 0; i % 20 == 11 && k < contacts->rows; k += 2)
        block_time(contacts, CONTACT_START)[k] += US_DAY;
    struct rng r;
    rng_seed(&r, i);
    if (i % 2)
        telescope_check(block_append(b, contacts, 0, contacts->rows));
    for (size_t k = 0; i % 2 == 0 && k < contacts->rows; k++)
        telescope_packet(contacts, k, b, block_time(contacts, CONTACT_START)[k], &r);
    block_free(contacts);
    return b;
}

/* A block on its way in; the child ends if it is refused. */
struct sent {
    struct store *store;
    uint64_t number;
};

static void *send_block(void *context)
{
    const struct sent *sent = context;
    struct fault f = {0};
    char id[32];
    struct block *b = make_block(sent->number);
    snprintf(id, sizeof id, "block-%llu", (unsigned long long)sent->number);
    if (store_append(sent->store, b, id, &f)) {
        fprintf(stderr, "# child: %s\n", f.text);
        _exit(1);
    }
    block_free(b);
    return NULL;
}

/* Packets and the contacts after them go in side by side, from two threads. */
static void child_runs(const char *folder, uint64_t from, uint64_t count, int acks)
{
    struct store *s = NULL;
    struct fault f = {0};
    struct store_options options = {.durable = true};
    if (store_open(&s, folder, &options, &f)) {
        fprintf(stderr, "# child: %s\n", f.text);
        _exit(1);
    }
    for (uint64_t i = from; i < count; i += 2) {
        struct sent packets = {s, i};
        struct sent contacts = {s, i + 1};
        pthread_t beside;
        bool more = false;
        if (i % 6 == 0)
            store_hurry(s);
        if (pthread_create(&beside, NULL, send_block, &packets) != 0)
            _exit(1);
        send_block(&contacts);
        pthread_join(beside, NULL);
        if (write(acks, &contacts.number, sizeof contacts.number) !=
            (ssize_t)sizeof contacts.number)
            _exit(1);
        if (i % 8 == 6 && store_upkeep(s, &more, &f))
            _exit(1);
    }
    store_close(s);
    _exit(0);
}

/* Run a child from the pair before block `from`, which is even; kill it after `kill_ms` unless
 * that is negative. Returns how many blocks were acknowledged by now. */
static uint64_t run_child(const char *folder, uint64_t from, uint64_t count, int kill_ms)
{
    int pipes[2];
    int status = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipes[0]);
        child_runs(folder, from >= 2 ? from - 2 : 0, count, pipes[1]);
    }
    close(pipes[1]);
    uint64_t acked = from;
    uint64_t number = 0;
    struct pollfd ready = {.fd = pipes[0], .events = POLLIN};
    if (kill_ms >= 0) {
        /* A third of the time it dies while it opens. */
        if (kill_ms % 3)
            poll(&ready, 1, 60000);
        poll(NULL, 0, kill_ms);
        kill(child, SIGKILL);
    }
    while (read(pipes[0], &number, sizeof number) == (ssize_t)sizeof number)
        acked = number + 1 > acked ? number + 1 : acked;
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (kill_ms < 0)
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return acked;
}

static enum err gather(void *context, const void *data, size_t len)
{
    buf_put(context, data, len);
    return OK;
}

static uint64_t sum_of(struct store *s, enum ask_what what, const char *tag)
{
    struct ask a;
    struct fault f = {0};
    struct buf out;
    uint64_t sum = 0;
    ask_init(&a, what);
    a.step = what == ASK_SERIES ? US_HOUR : 0;
    a.port = what == ASK_SERIES ? 23 : -1;
    snprintf(a.tag, sizeof a.tag, "%s", tag);
    buf_init(&out, 1 << 26);
    if (store_stream(s, &a, FORMAT_JSON, gather, &out, &f)) {
        fprintf(stderr, "# question %d: %s\n", (int)what, f.text);
        return UINT64_MAX; /* a child has nobody to fail to */
    }
    json_t *rows = json_loadb((const char *)out.data, out.len, 0, NULL);
    for (size_t i = 0; i < json_array_size(rows); i++)
        sum += (uint64_t)json_integer_value(
            json_object_get(json_array_get(rows, i), what == ASK_SERIES ? "value" : "packets"));
    json_decref(rows);
    buf_done(&out);
    return sum;
}

static const enum ask_what whats[] = {ASK_SPAN, ASK_TOTALS, ASK_PORTS, ASK_COUNTRIES, ASK_ASNS,
    ASK_TOOLS, ASK_CLASSES, ASK_SITES, ASK_SOURCES};

static void everything_is_there_once(const char *folder, uint64_t blocks)
{
    struct store_usage usage;
    struct fault f = {0};
    uint64_t packets = 0, contact_rows = 0, packet_rows = 0, on_23 = 0;
    for (uint64_t i = 0; i < blocks; i++) {
        struct block *b = make_block(i);
        *(i % 2 ? &contact_rows : &packet_rows) += b->rows;
        for (size_t k = 0; i % 2 && k < b->rows; k++) {
            packets += block_u32(b, CONTACT_PACKETS)[k];
            if (block_u16(b, CONTACT_DPORT)[k] == 23)
                on_23 += block_u32(b, CONTACT_PACKETS)[k];
        }
        block_free(b);
    }
    struct store *s = open_store(folder);
    assert_int_equal(store_usage(s, &usage, &f), OK);
    assert_int_equal(usage.contacts, contact_rows);
    assert_int_equal(usage.packets, packet_rows);
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++)
        if (sum_of(s, whats[i], "") != packets)
            fail_msg("question %d: %llu packets, should be %llu", (int)whats[i],
                (unsigned long long)sum_of(s, whats[i], ""), (unsigned long long)packets);
    assert_int_equal(sum_of(s, ASK_SERIES, ""), on_23);
    store_close(s);
}

/* Is every packet there once, with tags or without? `screened`: tags are there. */
static bool adds_up(struct store *s, uint64_t packets, bool screened)
{
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++)
        if (sum_of(s, whats[i], "") != packets ||
            (screened && whats[i] != ASK_SPAN &&
                sum_of(s, whats[i], "known") + sum_of(s, whats[i], "-known") != packets))
            return false;
    return true;
}

/* A child checks what is there and then does upkeep; it is killed after `kill_ms`, unless that
 * is negative. True: it got to the end. */
static bool run_upkeep(const char *folder, uint64_t packets, bool screened, int kill_ms)
{
    int pipes[2];
    int status = 0;
    char ready = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store *s = NULL;
        struct store_options options = {.durable = true};
        bool more = true;
        if (store_open(&s, folder, &options, NULL))
            _exit(1);
        if (!adds_up(s, packets, screened))
            _exit(3);
        if (write(pipes[1], "r", 1) != 1)
            _exit(1);
        while (more)
            if (store_upkeep(s, &more, NULL))
                _exit(2);
        store_close(s);
        _exit(0);
    }
    close(pipes[1]);
    if (read(pipes[0], &ready, 1) == 1 && kill_ms >= 0) {
        poll(NULL, 0, kill_ms);
        kill(child, SIGKILL);
    }
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFEXITED(status);
}

/* A child says that all contacts were screened, and every third is known. */
static void run_screening(const char *folder, uint64_t blocks)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) {
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        return;
    }
    struct block *rows[2];
    struct store *s = NULL;
    struct store_options options = {.durable = true};
    telescope_check(block_new(&rows[0], &record_tagged, 1 << 13));
    telescope_check(block_new(&rows[1], &record_screening, 1 << 13));
    for (uint64_t i = 1; i < blocks; i += 2) {
        struct block *b = make_block(i);
        for (size_t k = 0; k < b->rows; k++) {
            screening_put(rows[1], block_time(b, CONTACT_START)[k], "", "", "");
            if (k % 3 == 0)
                tag_put(rows[0], b, k, "known", "a-rule");
        }
        block_free(b);
    }
    telescope_check(store_open(&s, folder, &options, NULL));
    telescope_check(store_append(s, rows[0], "tagged", NULL));
    telescope_check(store_append(s, rows[1], "screening", NULL));
    store_close(s);
    _exit(0);
}

static uint64_t packets_of_contacts(uint64_t blocks)
{
    uint64_t packets = 0;
    for (uint64_t i = 1; i < blocks; i += 2) {
        struct block *b = make_block(i);
        for (size_t k = 0; k < b->rows; k++)
            packets += block_u32(b, CONTACT_PACKETS)[k];
        block_free(b);
    }
    return packets;
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
    const char *value = getenv(name);
    return value && *value ? strtoul(value, NULL, 10) : otherwise;
}

static void killed_at_any_moment(void **state)
{
    (void)state;
    if (!store_is_possible())
        skip();
    char folder[256];
    struct rng r;
    unsigned long runs = from_environment("KIZASHI_CRASH_RUNS", 3);
    rng_seed(&r, from_environment("KIZASHI_CRASH_SEED", 1));
    new_folder(folder);
    uint64_t blocks = BLOCKS_A_RUN * runs;
    uint64_t acked = 0;
    for (unsigned long i = 0; i < runs; i++) {
        int after = (int)rng_below(&r, 1200);
        acked = run_child(folder, acked, blocks, after);
        fprintf(stderr, "# kill %lu after %d ms: %llu of %llu blocks acknowledged\n", i + 1,
            after, (unsigned long long)acked, (unsigned long long)blocks);
    }
    assert_int_equal(run_child(folder, acked, blocks, -1), blocks);
    everything_is_there_once(folder, blocks);
    remove_folder(folder);
}

/* Upkeep, killed now and then, until it gets to its end. */
static void run_killed_upkeep(
    const char *folder, uint64_t packets, bool screened, struct rng *r, int most_ms)
{
    unsigned long kills = from_environment("KIZASHI_CRASH_RUNS", 3);
    unsigned long killed = 0;
    bool ended = false;
    for (unsigned long i = 0; i < kills && !ended; i++) {
        ended = run_upkeep(folder, packets, screened, 1 + (int)rng_below(r, (uint32_t)most_ms));
        killed += !ended;
    }
    fprintf(stderr, "# killed %lu times while %s were united\n", killed,
        screened ? "hours with tags" : "days");
    assert_true(killed > 0);
    while (!ended)
        ended = run_upkeep(folder, packets, screened, -1);
    /* What was united adds up, too. */
    assert_true(run_upkeep(folder, packets, screened, -1));
}

/* Uniting two days takes more than a second, so all kills fall into it: in the middle
 * of a table's rows, of the removal of those of an earlier try, or between two tables. Then
 * screening says something of all of it, and the same goes for what is united by tags. */
static void killed_while_days_are_united(void **state)
{
    enum {
        BLOCKS = 40
    };
    (void)state;
    if (!store_is_possible())
        skip();
    char folder[256];
    struct rng r;
    rng_seed(&r, from_environment("KIZASHI_CRASH_SEED", 1));
    new_folder(folder);
    assert_int_equal(run_child(folder, 0, BLOCKS, -1), BLOCKS);
    uint64_t packets = packets_of_contacts(BLOCKS);
    run_killed_upkeep(folder, packets, false, &r, 700);
    run_screening(folder, BLOCKS);
    run_killed_upkeep(folder, packets, true, &r, 300);
    remove_folder(folder);
}

static void make_format(const char *folder, int format)
{
    sqlite3 *db = NULL;
    char text[300];
    snprintf(text, sizeof text, "%s/journal.db", folder);
    assert_int_equal(sqlite3_open(text, &db), SQLITE_OK);
    snprintf(text, sizeof text, "PRAGMA user_version = %d", format);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* A child opens the store, and is killed `kill_ms` after it began. True: it had opened it. */
static bool run_opening(const char *folder, int kill_ms)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store *s = NULL;
        struct store_options options = {.durable = true};
        _exit(store_open(&s, folder, &options, NULL) ? 1 : 0);
    }
    poll(NULL, 0, kill_ms);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFEXITED(status);
}

/* All that is united is there when the folder is made one of a format before, so that there is
 * much to drop and to make anew. */
static void killed_while_it_is_taken_over(void **state)
{
    enum {
        BLOCKS = 24
    };
    (void)state;
    if (!store_is_possible())
        skip();
    char folder[256];
    struct rng r;
    unsigned long kills = from_environment("KIZASHI_CRASH_RUNS", 3);
    rng_seed(&r, from_environment("KIZASHI_CRASH_SEED", 1));
    new_folder(folder);
    assert_int_equal(run_child(folder, 0, BLOCKS, -1), BLOCKS);
    uint64_t packets = packets_of_contacts(BLOCKS);
    run_screening(folder, BLOCKS);
    assert_true(run_upkeep(folder, packets, true, -1));
    for (int format = 3; format <= 4; format++) {
        unsigned long killed = 0;
        make_format(folder, format);
        for (unsigned long i = 0; i < kills; i++)
            killed += !run_opening(folder, 20 + (int)rng_below(&r, 400));
        fprintf(stderr, "# format %d: killed %lu times of %lu\n", format, killed, kills);
        assert_true(run_upkeep(folder, packets, true, -1));
        assert_true(run_upkeep(folder, packets, true, -1));
    }
    remove_folder(folder);
}

static const struct CMUnitTest tests[] = {
    /* This process opens no store before the last child: the engine does not survive fork(). */
    SAYS("a store that was killed while it united days counts every row once, before and after",
        killed_while_days_are_united),
    SAYS("a store of a format before that is killed while it is taken over misses nothing",
        killed_while_it_is_taken_over),
    SAYS("a store that was killed at any moment has every acknowledged block, once",
        killed_at_any_moment),
};

TEST_MAIN(tests)
