#include "tapes.h"

#include "base/hash.h"
#include "evaluate/tape_count.h"

#include <string.h>

enum {
    WINDOWS = 40,
    SOURCES = 300
};

/* Each source asks for two ports in one window of three. */
static struct tape *made(void)
{
    struct tape *t = tape_open();
    struct tape_row rows[2 * SOURCES];
    for (uint32_t w = 0; w < WINDOWS; w++) {
        size_t count = 0;
        for (uint32_t s = 0; s < SOURCES; s++)
            if (hash_two(s, w) % 3 == 0) {
                rows[count++] = (struct tape_row){s, (uint16_t)(1000 + s % 7)};
                rows[count++] = (struct tape_row){s, (uint16_t)(2000 + s % 5)};
            }
        tape_put(t, w, rows, count);
    }
    return t;
}

static void windows_come_back(void **state)
{
    (void)state;
    struct tape *t = made();
    assert_int_equal(tape_count(t), WINDOWS);
    for (int turn = 0; turn < 2; turn++)
        for (uint32_t w = 0; w < WINDOWS; w++) {
            const struct window *back = tape_show(t, w);
            size_t row = 0;
            assert_true(back->start == tape_origin + w * 10 * US_MINUTE);
            assert_true(back->site_count == 1 && back->sites[0].watching);
            assert_int_equal(back->block_count, 1);
            const struct block *b = back->blocks[0];
            for (uint32_t s = 0; s < SOURCES; s++)
                if (hash_two(s, w) % 3 == 0) {
                    assert_int_equal(ip_v4(&block_ip(b, CONTACT_SRC)[row]), 0x0b000000 + s);
                    assert_int_equal(block_u16(b, CONTACT_DPORT)[row + 1], 2000 + s % 5);
                    row += 2;
                }
            assert_int_equal(b->rows, row);
        }
    tape_free(t);
}

static void out_of_order_is_refused(void **state)
{
    (void)state;
    struct tape *t = tape_open();
    struct fault f = {0};
    const struct tape_row row = {1, 23};
    tape_put(t, 5, &row, 1);
    struct window again = *tape_show(t, 0);
    assert_int_equal(tape_add(t, &again, &f), ERR_RANGE);
    assert_int_equal(tape_count(t), 1);
    tape_free(t);
}

/* Where source s was seen: bit w of its map, for one of its ports. */
static void presence(struct tape *t, uint64_t map[SOURCES], uint16_t base)
{
    memset(map, 0, SOURCES * sizeof *map);
    for (size_t w = 0; w < tape_count(t); w++) {
        const struct window *back = tape_show(t, w);
        for (size_t i = 0; i < back->block_count; i++)
            for (size_t row = 0; row < back->blocks[i]->rows; row++) {
                const struct block *b = back->blocks[i];
                uint32_t s = ip_v4(&block_ip(b, CONTACT_SRC)[row]) - 0x0b000000;
                int64_t first = block_time(b, CONTACT_FIRST)[row];
                assert_true(block_time(b, CONTACT_START)[row] == back->start);
                assert_true(first >= back->start && first < window_end(back));
                if (block_u16(b, CONTACT_DPORT)[row] / 1000 == base)
                    map[s] |= (uint64_t)1 << w;
            }
    }
}

static void shuffling_keeps_each_source_whole(void **state)
{
    (void)state;
    struct tape *t = made(), *shuffled, *same;
    struct fault f = {0};
    static uint64_t before[SOURCES], after[SOURCES], other[SOURCES], again[SOURCES];
    presence(t, before, 1);
    assert_int_equal(tape_shuffle(t, 7, &shuffled, &f), OK);
    assert_int_equal(tape_shuffle(t, 7, &same, &f), OK);
    presence(shuffled, after, 1);
    presence(shuffled, other, 2);
    presence(same, again, 1);
    size_t moved = 0;
    for (uint32_t s = 0; s < SOURCES; s++) {
        assert_int_equal(__builtin_popcountll(before[s]), __builtin_popcountll(after[s]));
        assert_true(after[s] == other[s]); /* what was in one window still is */
        assert_true(after[s] == again[s]);
        moved += before[s] != after[s];
    }
    assert_true(moved > SOURCES * 9 / 10);
    tape_free(t);
    tape_free(shuffled);
    tape_free(same);
}

/* All sources come in window 20 alone; shuffled, they are spread evenly. */
static void shuffling_ends_what_is_done_together(void **state)
{
    (void)state;
    struct tape *t = tape_open(), *shuffled;
    struct fault f = {0};
    struct tape_row rows[SOURCES];
    for (uint32_t s = 0; s < SOURCES; s++)
        rows[s] = (struct tape_row){s, 23};
    for (uint32_t w = 0; w < WINDOWS; w++)
        tape_put(t, w, rows, w == 20 ? SOURCES : 0);
    assert_int_equal(tape_shuffle(t, 3, &shuffled, &f), OK);
    struct host_counts h = {.window = 10 * US_MINUTE};
    assert_int_equal(tape_count_hosts(shuffled, &h, &f), OK);
    uint32_t most = 0, all = 0;
    for (size_t i = 0; i < h.count; i++) {
        most = h.rows[i].hosts > most ? h.rows[i].hosts : most;
        all += h.rows[i].hosts;
    }
    assert_int_equal(all, SOURCES);
    assert_true(most <= 25); /* 7.5 in the mean */
    assert_true(h.count > WINDOWS * 9 / 10);
    host_counts_done(&h);
    tape_free(t);
    tape_free(shuffled);
}

static void hosts_are_counted(void **state)
{
    (void)state;
    struct tape *t = tape_open();
    struct fault f = {0};
    const struct tape_row rows[] = {{1, 23}, {2, 23}, {2, 23}, {2, 80}};
    tape_put(t, 0, rows, 4);
    struct host_counts h = {.window = 10 * US_MINUTE};
    assert_int_equal(tape_count_hosts(t, &h, &f), OK);
    host_counts_sort(&h);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.rows[0].hosts, 2);
    assert_int_equal(h.rows[1].port, 80);
    assert_int_equal(h.rows[1].hosts, 1);
    host_counts_done(&h);
    tape_free(t);
}

static const struct CMUnitTest tests[] = {
    SAYS("windows are read as they were recorded, as often as wanted", windows_come_back),
    SAYS("a window that does not follow is refused", out_of_order_is_refused),
    SAYS("shuffling moves what a source does, and changes nothing else",
        shuffling_keeps_each_source_whole),
    SAYS("what sources did together they do apart when shuffled",
        shuffling_ends_what_is_done_together),
    SAYS("distinct hosts are counted by site, window and port", hosts_are_counted),
};
TEST_MAIN(tests)
