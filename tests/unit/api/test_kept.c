#include "test.h"

#include "api/kept_int.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* A store that counts how often it is asked, and answers with that number. */
static _Atomic int asked;
static _Atomic int takes_ms;
static enum err outcome;
static size_t length;

static enum err store_of_numbers(void *context, const struct ask *a, enum ask_format format,
    struct buf *out, char ret_cursor[ASK_CURSOR], struct fault *f)
{
    (void)context;
    (void)a;
    (void)format;
    int number = atomic_fetch_add(&asked, 1) + 1;
    usleep((unsigned)takes_ms * 1000);
    buf_printf(out, "[%d]", number);
    for (size_t i = 0; i < length; i++)
        buf_u8(out, ' ');
    snprintf(ret_cursor, ASK_CURSOR, "c%d", number);
    return outcome ? fault_set(f, outcome, "no") : OK;
}

static const struct api_store store = {.ask = store_of_numbers};

/* The number that a question gets. */
static int number_of(struct kept *k, const struct ask *a, uint64_t packets, int64_t now)
{
    struct buf out;
    struct fault f;
    int number = 0;
    buf_init(&out, 1 << 20);
    buf_str(&out, "before");
    struct kept_ask q = {a, FORMAT_JSON, packets, now};
    struct kept_answer answer = {.out = &out};
    if (kept_run(k, &store, &q, &answer, &f) == OK) {
        number = atoi((char *)out.data + strlen("before["));
        assert_memory_equal(out.data, "before[", strlen("before["));
        assert_int_equal(atoi(answer.cursor + 1), number);
    }
    buf_done(&out);
    return number;
}

static struct ask ports(int64_t from, int64_t to)
{
    struct ask a;
    ask_init(&a, ASK_PORTS);
    a.from = from;
    a.to = to;
    return a;
}

static int setup(void **state)
{
    struct kept *k;
    asked = 0;
    takes_ms = 0;
    outcome = OK;
    length = 0;
    assert_int_equal(kept_new(&k), OK);
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    kept_free(*state);
    return 0;
}

static void dear_answers_serve_longer(void **state)
{
    struct ask a = ports(US_DAY, 2 * US_DAY);
    int64_t now = 10 * US_DAY;
    takes_ms = 50;
    assert_int_equal(number_of(*state, &a, 1, now), 1);
    assert_int_equal(number_of(*state, &a, 2, now + 900 * 1000), 1);
    assert_int_equal(number_of(*state, &a, 3, now + KEPT_MOST), 2);
    takes_ms = 0;
    a.port = 23;
    assert_int_equal(number_of(*state, &a, 4, now), 3);
    assert_int_equal(number_of(*state, &a, 5, now + US_SECOND), 4);
}

static void serve_while_nothing_changes(void **state)
{
    struct ask a = ports(US_DAY, 2 * US_DAY);
    int64_t now = 10 * US_DAY;
    assert_int_equal(number_of(*state, &a, 7, now), 1);
    assert_int_equal(number_of(*state, &a, 7, now + KEPT_UNCHANGED - 1), 1);
    assert_int_equal(number_of(*state, &a, 8, now + KEPT_UNCHANGED - 1), 2);
    a.what = ASK_SITES;
    assert_int_equal(number_of(*state, &a, 8, now), 3);
    assert_int_equal(number_of(*state, &a, 8, now + US_SECOND), 4);
}

static void spans_by_windows(void **state)
{
    struct ask a = ports(US_DAY, 2 * US_DAY);
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 1);
    a = ports(US_DAY + 9 * US_MINUTE, 2 * US_DAY - 9 * US_MINUTE);
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 1);
    a = ports(US_DAY, 2 * US_DAY + 1);
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 2);
}

static void every_part_of_a_question_counts(void **state)
{
    struct ask a[10];
    for (size_t i = 0; i < 10; i++)
        a[i] = ports(US_DAY, 2 * US_DAY);
    a[1].what = ASK_MOVERS;
    a[2].measure = MEASURE_SOURCES;
    strcpy(a[3].site, "jp-01");
    strcpy(a[4].country, "jp");
    strcpy(a[5].tool, "zmap");
    strcpy(a[6].class, "scan");
    a[7].proto = 6;
    a[8].asn = 0;
    strcpy(a[9].cursor, "x");
    for (int i = 0; i < 10; i++)
        assert_int_equal(number_of(*state, &a[i], 1, US_DAY), i + 1);
}

static void exact_times_are_not_kept(void **state)
{
    struct ask a = ports(US_DAY, US_DAY + 1);
    a.what = ASK_PACKETS;
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 1);
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 2);
    a.what = ASK_SERIES;
    a.step = US_MINUTE;
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 3);
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 4);
}

static void failures_and_giants_are_not_kept(void **state)
{
    struct ask a = ports(US_DAY, 2 * US_DAY);
    outcome = ERR_IO;
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 0);
    outcome = OK;
    length = KEPT_BYTES;
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 2);
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 3);
    length = 0;
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 4);
    assert_int_equal(number_of(*state, &a, 1, US_DAY), 4);
}

static void *ask_same(void *context)
{
    struct ask a = ports(US_DAY, 2 * US_DAY);
    assert_int_equal(number_of(context, &a, 1, US_DAY), 1);
    return NULL;
}

static void many_ask_once(void **state)
{
    pthread_t threads[8];
    takes_ms = 50;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_same, *state), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(asked, 1);
}

static void many_questions_give_way(void **state)
{
    for (int i = 0; i < 5000; i++) {
        struct ask a = ports((i + 1) * US_DAY, (i + 2) * US_DAY);
        assert_int_equal(number_of(*state, &a, 1, US_DAY), i + 1);
        assert_int_equal(number_of(*state, &a, 1, US_DAY), i + 1);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("an answer serves twenty times as long as it took, a minute at most",
        dear_answers_serve_longer, setup, teardown),
    SAYS_WITH("while the store gets nothing, answers that contacts decide serve ten minutes",
        serve_while_nothing_changes, setup, teardown),
    SAYS_WITH("spans of the same windows are one question", spans_by_windows, setup, teardown),
    SAYS_WITH("whatever narrows or turns a question makes another",
        every_part_of_a_question_counts, setup, teardown),
    SAYS_WITH("what depends on exact times is asked every time", exact_times_are_not_kept,
        setup, teardown),
    SAYS_WITH("failures, and answers too large, are not kept", failures_and_giants_are_not_kept,
        setup, teardown),
    SAYS_WITH("many who ask the same at once ask once", many_ask_once, setup, teardown),
    SAYS_WITH("old answers give way to new ones", many_questions_give_way, setup, teardown),
};
TEST_MAIN(tests)
