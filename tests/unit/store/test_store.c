/* What the store promises beside its answers: nothing twice, one opener, all of it there again.
 */
#include "stored_world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static void a_block_sent_again_changes_nothing(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_TOTALS);
    json_t *before = answer(w->store, &a, NULL);
    append_block(w->store, w->contacts[3], "contact-3");
    append_block(w->store, w->contacts[WINDOWS - 1], "contact-155");
    json_t *after = answer(w->store, &a, NULL);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void block_names_are_checked(void **state)
{
    struct world *w = world_of(state);
    static const char *const ids[] = {"", "a b", "a'b", "a/b",
        "0123456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct fault f = {0};
        assert_int_equal(store_append(w->store, w->contacts[0], ids[i], &f), ERR_BAD);
        assert_non_null(strstr(f.text, "1 to 63"));
    }
}

static void usage_counts_rows(void **state)
{
    struct world *w = world_of(state);
    struct store_usage u;
    struct fault f = {0};
    assert_int_equal(store_usage(w->store, &u, &f), OK);
    assert_int_equal(u.packets, w->packets->rows);
    assert_int_equal(u.contacts, WINDOWS * 120);
    assert_true(u.disk_bytes > 1000 && u.disk_free > 0);
    assert_non_null(strstr(u.version, "ClickHouse"));
}

static void a_second_opener_is_told_who_has_it(void **state)
{
    struct world *w = world_of(state);
    char line[600] = "";
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *s = NULL;
        struct fault f = {0};
        struct store_options options = {0};
        enum err e = store_open(&s, w->folder, &options, &f);
        dprintf(pipes[1], "%d %s", (int)e, f.text);
        _exit(0);
    }
    close(pipes[1]);
    ssize_t len = read(pipes[0], line, sizeof line - 1);
    close(pipes[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    char expected[64];
    snprintf(expected, sizeof expected, "process %ld", (long)getpid());
    assert_true(len > 0);
    assert_int_equal(strtol(line, NULL, 10), ERR_BUSY);
    assert_non_null(strstr(line, expected));
}

static void ignore_signal(int number)
{
    (void)number;
}

static void signals_stay_the_programs_own(void **state)
{
    struct world *w = world_of(state);
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGSEGV, SIGABRT};
    struct sigaction mine = {.sa_handler = ignore_signal};
    struct sigaction found;
    sigset_t blocked;
    store_close(w->store);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(sigaction(numbers[i], &mine, NULL), 0);
    w->store = open_store(w->folder);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_int_equal(sigaction(numbers[i], NULL, &found), 0);
        assert_ptr_equal(found.sa_handler, ignore_signal);
        mine.sa_handler = SIG_DFL;
        assert_int_equal(sigaction(numbers[i], &mine, NULL), 0);
        mine.sa_handler = ignore_signal;
    }
    /* Who writes to a pipe that nobody reads ends by it. */
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(sigismember(&blocked, numbers[i]), 0);
}

static void all_is_there_after_opening_again(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_PORTS);
    json_t *before = answer(w->store, &a, NULL);
    store_close(w->store);
    w->store = open_store(w->folder);
    append_block(w->store, w->contacts[155], "contact-155");
    json_t *after = answer(w->store, &a, NULL);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    totals_agree(state);
}

struct asker {
    struct world *world;
    uint64_t expected;
    int wrong;
};

static void *ask_often(void *context)
{
    struct asker *asker = context;
    for (int i = 0; i < 10; i++) {
        struct ask a;
        struct buf out;
        char packets[64];
        buf_init(&out, 1 << 20);
        ask_init(&a, ASK_TOTALS);
        a.to = shape.start + US_DAY;
        snprintf(
            packets, sizeof packets, "\"packets\":%llu,", (unsigned long long)asker->expected);
        if (store_ask(asker->world->store, &a, FORMAT_JSON, &out, NULL, NULL) ||
            !strstr((const char *)out.data, packets))
            asker->wrong++;
        buf_done(&out);
    }
    return NULL;
}

static void threads_may_ask_while_blocks_come(void **state)
{
    struct world *w = world_of(state);
    pthread_t threads[6];
    struct asker askers[6];
    struct ask day;
    ask_init(&day, ASK_TOTALS);
    day.to = shape.start + US_DAY;
    uint64_t expected = count_again(w, &day).packets;
    for (size_t i = 0; i < 6; i++) {
        askers[i] = (struct asker){.world = w, .expected = expected};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    }
    struct block *b = NULL;
    struct telescope later = shape;
    later.start += 10 * US_DAY;
    assert_int_equal(block_new(&b, &record_contact, 1024), OK);
    for (uint64_t i = 0; i < 6; i++) {
        char id[32];
        later.start += US_DAY; /* each is rolled up before the next */
        telescope_window(&later, i, b);
        snprintf(id, sizeof id, "later-%d", (int)i);
        append_block(w->store, b, id);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(askers[i].wrong, 0);
    }
    block_free(b);
}

static void an_engine_beside_other_work_is_waited_for(void **state)
{
    struct world *w = world_of(state);
    struct fault f = {0};
    struct store_usage u;
    struct store_options options = {.aside = true};
    store_close(w->store);
    assert_int_equal(store_open(&w->store, w->folder, &options, &f), OK);
    store_hurry(w->store);
    assert_int_equal(
        store_append(w->store, w->contacts[0], "contact-0", &f), OK); /* was there before */
    assert_int_equal(store_usage(w->store, &u, &f), OK);
    assert_int_equal(u.packets, w->packets->rows);
    keep_up(w->store);
}

static void an_engine_that_does_not_open_is_told_by_each_function(void **state)
{
    (void)state;
    char folder[256];
    char library[300];
    struct store *s = NULL;
    struct store_usage u;
    struct fault f = {0};
    bool more;
    new_folder(folder);
    snprintf(library, sizeof library, "%s/libchdb.so", folder);
    FILE *file = fopen(library, "w");
    assert_non_null(file);
    fputs("not a library", file);
    assert_int_equal(fclose(file), 0);
    struct store_options options = {.library = library, .aside = true};
    assert_int_equal(store_open(&s, folder, &options, &f), OK);
    store_hurry(s);
    assert_int_equal(store_usage(s, &u, &f), ERR_IO);
    assert_non_null(strstr(f.text, "does not load"));
    f.text[0] = 0;
    assert_int_equal(store_upkeep(s, &more, &f), ERR_IO);
    assert_non_null(strstr(f.text, "does not load"));
    store_close(s);
    remove_folder(folder);
}

/* Tables that sync and tables that do not, of those that walk_tables() has seen; nftw() hands
 * on no context. */
static int *tables_seen(bool sync)
{
    static int seen[2];
    return &seen[sync];
}

static int walk_tables(const char *path, const struct stat *status, int flag, struct FTW *place)
{
    char text[8192] = "";
    (void)status;
    (void)place;
    if (flag != FTW_F || !strstr(path, ".sql"))
        return 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = 0;
    /* What says itself that it need not sync holds nothing that would be missed. */
    if (strstr(text, "ENGINE = MergeTree") && !strstr(text, "fsync_after_insert = 0"))
        ++*tables_seen(strstr(text, "fsync_after_insert = 1") != NULL);
    return 0;
}

/* A replay need not sync what it can read again; a hub that goes on with its folder must. */
static void tables_of_a_replay_sync_for_a_hub(void **state)
{
    (void)state;
    char folder[256];
    struct store *s = NULL;
    struct fault f = {0};
    new_folder(folder);
    store_close(world_of(state)->store);
    for (int durable = 0; durable < 2; durable++) {
        struct store_options options = {.durable = durable};
        assert_int_equal(store_open(&s, folder, &options, &f), OK);
        store_close(s);
        *tables_seen(true) = *tables_seen(false) = 0;
        assert_int_equal(nftw(folder, walk_tables, 16, FTW_PHYS), 0);
        assert_true(*tables_seen(durable) > 20);
        assert_int_equal(*tables_seen(!durable), 0);
    }
    remove_folder(folder);
    world_of(state)->store = open_store(world_of(state)->folder);
}

/* Last: it throws rows away. */
static void old_days_are_dropped(void **state)
{
    struct world *w = world_of(state);
    struct fault f = {0};
    struct store_usage u;
    struct store_expired x;
    store_close(w->store);
    struct store_options options = {.keep_packets = US_DAY, .keep_contacts = 3 * US_DAY};
    assert_int_equal(store_open(&w->store, w->folder, &options, &f), OK);
    assert_int_equal(store_expire(w->store, shape.start + 2 * US_DAY - 1, &x, &f), OK);
    assert_int_equal(store_usage(w->store, &u, &f), OK);
    assert_int_equal(u.packets, w->packets->rows);
    assert_int_equal(x.packets + x.contacts, 0);
    assert_int_equal(x.to, 0);
    assert_int_equal(store_expire(w->store, shape.start + 2 * US_DAY, &x, &f), OK);
    assert_int_equal(x.packets, w->packets->rows);
    assert_int_equal(x.contacts, 0);
    assert_int_equal(x.from, shape.start);
    assert_int_equal(x.to, shape.start + US_DAY);
    assert_int_equal(store_usage(w->store, &u, &f), OK);
    assert_int_equal(u.packets, 0);
    assert_int_equal(u.contacts, WINDOWS * 120 + 6 * 120);
    assert_int_equal(store_expire(w->store, shape.start + 4 * US_DAY, &x, &f), OK);
    assert_int_equal(store_usage(w->store, &u, &f), OK);
    assert_int_equal(u.contacts, (WINDOWS - 144) * 120 + 6 * 120);
}

static const struct CMUnitTest tests[] = {
    SAYS("a block that is sent again changes nothing", a_block_sent_again_changes_nothing),
    SAYS("names of blocks are checked", block_names_are_checked),
    SAYS("usage counts rows and bytes", usage_counts_rows),
    SAYS("a second opener is told which process has the store",
        a_second_opener_is_told_who_has_it),
    SAYS("opening the store leaves the program its signal handlers",
        signals_stay_the_programs_own),
    SAYS("all is there after the store was opened again", all_is_there_after_opening_again),
    SAYS("threads may ask while blocks come in", threads_may_ask_while_blocks_come),
    SAYS("an engine that opens beside other work is waited for",
        an_engine_beside_other_work_is_waited_for),
    SAYS("an engine that does not open is told by each function",
        an_engine_that_does_not_open_is_told_by_each_function),
    SAYS("tables of a replay sync their inserts once a hub has them",
        tables_of_a_replay_sync_for_a_hub),
    SAYS("days older than the retention are dropped", old_days_are_dropped),
};
int main(void)
{
    return cmocka_run_group_tests(tests, world_open, world_close);
}
