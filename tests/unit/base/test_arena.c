#include "base/arena.h"
#include "test.h"

#include <string.h>

static void pieces(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    uint8_t *first = arena_take(&a, 3, 1);
    uint8_t *second = arena_take(&a, 5, 8);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal((uintptr_t)first % 16, 0);
    assert_int_equal((uintptr_t)second % 16, 0);
    memset(first, 0xff, 3);
    for (int i = 0; i < 40; i++)
        assert_int_equal(second[i], 0);
    arena_done(&a);
}

static void zeroed_after_clear(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    memset(arena_take(&a, 1000, 1), 0xff, 1000);
    arena_clear(&a);
    assert_int_equal(a.used, 0);
    const uint8_t *again = arena_take(&a, 1000, 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(again[i], 0);
    arena_done(&a);
}

static void cap(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100);
    assert_null(arena_take(&a, 101, 1));
    assert_non_null(arena_take(&a, 96, 1));
    assert_null(arena_take(&a, 16, 1));
    arena_clear(&a);
    assert_non_null(arena_take(&a, 96, 1));
    arena_done(&a);
}

static void small_pieces_count_whole(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1600);
    int given = 0;
    while (arena_take(&a, 1, 1))
        given++;
    assert_int_equal(given, 100);
    arena_done(&a);
}

static void overflow(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, SIZE_MAX);
    assert_null(arena_take(&a, SIZE_MAX / 2, 3));
    assert_null(arena_take(&a, SIZE_MAX, 1));
    assert_null(arena_take(&a, SIZE_MAX - 8, 1));
    assert_int_equal(a.used, 0);
    arena_done(&a);
}

static void large_among_small(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64 << 20);
    uint8_t *small = arena_take(&a, 10, 1);
    uint8_t *large = arena_take(&a, 1 << 20, 1);
    assert_non_null(large);
    small[9] = 1;
    large[(1 << 20) - 1] = 2;
    for (int i = 0; i < 10000; i++)
        assert_non_null(arena_take(&a, 100, 1));
    assert_int_equal(small[9], 1);
    assert_int_equal(large[(1 << 20) - 1], 2);
    arena_clear(&a);
    assert_null(((void **)a.chunks)[0]); /* one chunk stays: its link leads nowhere */
    arena_done(&a);
    assert_null(a.chunks);
}

static void room_is_not_zeroed(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 10);
    memset(arena_take(&a, 100, 1), 0xff, 100);
    arena_clear(&a);
    const uint8_t *again = arena_room(&a, 100, 1);
    assert_int_equal(again[99], 0xff);
    assert_null(arena_room(&a, 1 << 10, 1));
    assert_null(arena_room(&a, SIZE_MAX, 2));
    arena_done(&a);
}

static const struct CMUnitTest tests[] = {
    SAYS("pieces are zeroed, aligned to 16 and apart", pieces),
    SAYS("a piece is zeroed again after a clear", zeroed_after_clear),
    SAYS("room that is asked for without zeros is counted alike", room_is_not_zeroed),
    SAYS("no more than the cap is given out, and a clear gives it back", cap),
    SAYS("many small pieces cannot pass the cap by their padding", small_pieces_count_whole),
    SAYS("a size that overflows is refused", overflow),
    SAYS("a clear keeps one chunk, whatever was taken", large_among_small),
};
TEST_MAIN(tests)
