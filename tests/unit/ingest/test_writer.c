#include "test.h"

#include "ingest/writer.h"
#include "store/store.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* A store that the test scripts: how often the disk is full before a block goes in. */
struct store {
    int full; /* answers ERR_FULL so many times */
    bool broken;
    size_t rows;
    size_t blocks;
    size_t calls;
    atomic_bool held;  /* keeps the writer waiting, */
    atomic_bool apart; /* but not with packets */
    bool no_packets;   /* it fails for those */
    atomic_bool hurried;
    atomic_int kept_up; /* steps of upkeep */
    char ids[64][96];
};

static void keep_once(struct store *s, const struct store_block *b)
{
    for (size_t i = 0; i < s->blocks; i++)
        if (strcmp(s->ids[i], b->id) == 0)
            return;
    snprintf(s->ids[s->blocks++], sizeof s->ids[0], "%s", b->id);
    s->rows += b->block->rows;
}

enum err store_append_all(
    struct store *s, const struct store_block *blocks, size_t count, struct fault *f)
{
    bool packets = blocks[0].block->kind == &record_packet;
    static pthread_mutex_t one =
        PTHREAD_MUTEX_INITIALIZER; /* packets come from another thread */
    while (!(packets && atomic_load(&s->apart)) && atomic_load(&s->held))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    pthread_mutex_lock(&one);
    enum err e = s->broken || (s->no_packets && packets) ? fault_set(f, ERR_IO, "broken")
                 : s->full > 0 ? fault_set(f, ERR_FULL, "the disk is full")
                               : OK;
    s->full -= s->full > 0;
    s->calls++;
    for (size_t i = 0; !e && i < count; i++)
        keep_once(s, &blocks[i]);
    pthread_mutex_unlock(&one);
    return e;
}

void store_hurry(struct store *s)
{
    atomic_store(&s->hurried, true);
}

enum err store_upkeep(struct store *s, bool *ret_more, struct fault *f)
{
    (void)f;
    *ret_more = atomic_fetch_add(&s->kept_up, 1) < 2;
    return OK;
}

static struct block *status_block(struct writer *w, int64_t start)
{
    struct block *b = writer_block(w, &record_site_status);
    assert_non_null(b);
    uint16_t word;
    assert_int_equal(block_word(b, STATUS_SITE, "jp-01", &word), OK);
    for (size_t i = STATUS_RECEIVED; i < SITE_STATUS_COLUMNS; i++)
        block_u64(b, i)[0] = 0;
    block_time(b, STATUS_START)[0] = start;
    block_name(b, STATUS_SITE)[0] = word;
    b->rows = 1;
    return b;
}

static void all_written(void **state)
{
    (void)state;
    struct store store = {0};
    struct writer *w;
    struct fault f;
    assert_int_equal(writer_new(&w, &store, NULL, NULL), OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(writer_put(w, status_block(w, i), "jp-01", true), OK);
    assert_int_equal(writer_flush(w, &f), OK);
    assert_int_equal(store.rows, 50);
    struct writer_counts counts;
    writer_counts(w, &counts);
    assert_int_equal(counts.rows, 50);
    assert_int_equal(counts.queued, 0);
    writer_free(w);
}

static void same_id(void **state)
{
    (void)state;
    struct store store = {0};
    struct writer *w;
    struct fault f;
    assert_int_equal(writer_new(&w, &store, NULL, NULL), OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(writer_put(w, status_block(w, 7), "jp-01", true), OK);
    assert_int_equal(writer_flush(w, &f), OK);
    assert_int_equal(store.rows, 1);
    writer_free(w);
}

struct troubles {
    int waits, mends;
};

static void on_trouble(void *context, const struct fault *f, bool waiting)
{
    struct troubles *t = context;
    t->waits += waiting;
    t->mends += !waiting;
    assert_true(waiting == (f->code == ERR_FULL));
}

static void waits_for_room(void **state)
{
    (void)state;
    struct store store = {.full = 1};
    struct troubles troubles = {0};
    struct writer_events events = {on_trouble, &troubles};
    struct writer *w;
    struct fault f;
    assert_int_equal(writer_new(&w, &store, &events, NULL), OK);
    assert_int_equal(writer_put(w, status_block(w, 1), "jp-01", true), OK);
    assert_int_equal(writer_flush(w, &f), OK);
    assert_int_equal(store.rows, 1);
    assert_int_equal(troubles.waits, 1);
    assert_int_equal(troubles.mends, 1);
    writer_free(w);
}

static void broken_store(void **state)
{
    (void)state;
    struct store store = {.broken = true};
    struct writer *w;
    struct fault f = {0};
    assert_int_equal(writer_new(&w, &store, NULL, NULL), OK);
    assert_int_equal(writer_put(w, status_block(w, 1), "jp-01", true), OK);
    assert_int_equal(writer_flush(w, &f), ERR_IO);
    assert_string_equal(f.text, "broken");
    assert_int_equal(writer_put(w, status_block(w, 2), "jp-01", true), ERR_IO);
    writer_free(w);
}

/* While one block is on its way, many more come: they go in with one call. */
static void waiting_blocks_go_together(void **state)
{
    (void)state;
    struct store store = {.held = true};
    struct writer *w;
    struct writer_counts counts = {0};
    assert_int_equal(writer_new(&w, &store, NULL, NULL), OK);
    for (int i = 0; i < 64; i++)
        assert_int_equal(writer_put(w, status_block(w, i), "jp-01", true), OK);
    struct block *over = status_block(w, 64);
    assert_int_equal(writer_put(w, over, "jp-01", false), ERR_BUSY);
    block_free(over);
    assert_false(atomic_load(&store.hurried));
    atomic_store(&store.held, false);
    assert_int_equal(writer_flush(w, NULL), OK);
    assert_true(atomic_load(&store.hurried));
    writer_counts(w, &counts);
    assert_int_equal(counts.blocks, 64);
    assert_true(store.calls <= 2);
    writer_free(w);
}

static struct block *packet_block(struct writer *w, int64_t time)
{
    struct block *b = writer_block(w, &record_packet);
    assert_non_null(b);
    for (size_t i = 0; i < PACKET_COLUMNS; i++)
        if (record_packet.columns[i].type == COLUMN_NAME) {
            uint16_t word;
            assert_int_equal(block_word(b, i, "", &word), OK);
            block_name(b, i)[0] = word;
        }
    assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, NULL, 0), OK);
    block_time(b, PACKET_TS)[0] = time;
    b->rows = 1;
    return b;
}

static void packets_go_beside_the_rest(void **state)
{
    (void)state;
    struct store store = {.held = true, .apart = true};
    struct writer *w;
    struct writer_counts counts = {0};
    assert_int_equal(writer_new(&w, &store, NULL, NULL), OK);
    assert_int_equal(writer_put(w, status_block(w, 1), "jp-01", true), OK);
    for (int i = 0; i < 8; i++)
        assert_int_equal(writer_put(w, packet_block(w, i), "jp-01", true), OK);
    for (int ms = 20000; ms > 0 && counts.queued != 1; ms--) {
        writer_counts(w, &counts);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(counts.queued, 1); /* the status, which waits */
    assert_int_equal(counts.rows, 8);
    atomic_store(&store.held, false);
    assert_int_equal(writer_flush(w, NULL), OK);
    assert_int_equal(store.rows, 9);
    writer_free(w);
}

/* What waits for a full disk waits no longer when packets fail for good. */
static void a_failure_ends_waits(void **state)
{
    (void)state;
    struct store store = {.full = INT_MAX, .no_packets = true};
    struct writer *w;
    struct writer_counts counts = {0};
    struct fault f = {0};
    assert_int_equal(writer_new(&w, &store, NULL, NULL), OK);
    assert_int_equal(writer_put(w, status_block(w, 1), "jp-01", true), OK);
    for (int ms = 0; ms < 60000 && !counts.retries; ms++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        writer_counts(w, &counts);
    }
    assert_int_equal(counts.retries, 1);
    assert_int_equal(writer_put(w, packet_block(w, 2), "jp-01", true), OK);
    assert_int_equal(writer_flush(w, &f), ERR_IO);
    assert_string_equal(f.text, "broken");
    assert_int_equal(store.rows, 0);
    writer_free(w);
}

static bool kept_up_within(struct store *store, int steps, int ms)
{
    for (; ms > 0 && atomic_load(&store->kept_up) < steps; ms--)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return atomic_load(&store->kept_up) >= steps;
}

static void upkeep_waits_for_quiet(void **state)
{
    (void)state;
    struct store store = {.held = true};
    struct writer *w;
    assert_int_equal(writer_new(&w, &store, NULL, NULL), OK);
    assert_int_equal(writer_put(w, status_block(w, 1), "jp-01", true), OK);
    assert_false(kept_up_within(&store, 1, 600));
    atomic_store(&store.held, false);
    /* Two steps had something to do, the third says that there is no more. */
    assert_true(kept_up_within(&store, 3, 20000));
    assert_false(kept_up_within(&store, 4, 600));
    writer_free(w);
}

static void no_upkeep_in_a_hurry(void **state)
{
    (void)state;
    struct store store = {0};
    struct writer *w;
    struct fault f = {0};
    assert_int_equal(writer_new(&w, &store, NULL, NULL), OK);
    writer_hurry(w);
    assert_true(atomic_load(&store.hurried));
    assert_int_equal(writer_put(w, status_block(w, 1), "jp-01", true), OK);
    assert_int_equal(writer_flush(w, &f), OK);
    assert_false(kept_up_within(&store, 1, 1200));
    assert_int_equal(store.rows, 1);
    writer_free(w);
}

static const struct CMUnitTest tests[] = {
    SAYS("every block that was put is in the store after a flush", all_written),
    SAYS("the same rows from the same site come with the same id", same_id),
    SAYS("a full disk is told once, waited for, and the block goes in", waits_for_room),
    SAYS("a store that fails for another reason ends the writing with its sentence",
        broken_store),
    SAYS("blocks that wait go in together; a full queue refuses who does not wait, and hurries "
         "the store",
        waiting_blocks_go_together),
    SAYS("when packets fail for good, the rest no longer waits for a full disk",
        a_failure_ends_waits),
    SAYS("packets go in while others are on their way", packets_go_beside_the_rest),
    SAYS(
        "upkeep is done when nothing comes in, until there is no more", upkeep_waits_for_quiet),
    SAYS("a writer in a hurry leaves upkeep to who opens the store next", no_upkeep_in_a_hurry),
};
TEST_MAIN(tests)
