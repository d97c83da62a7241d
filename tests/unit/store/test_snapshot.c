#include "stored_world.h"

#include <sys/stat.h>

/* A snapshot is a store as it was at one moment, whatever happens to the other one. */

static char *all_answers(struct store *s)
{
    static const enum ask_what whats[] = {
        ASK_SPAN, ASK_TOTALS, ASK_PORTS, ASK_SOURCES, ASK_COUNTRIES, ASK_TOOLS, ASK_SITES};
    json_t *all = json_array();
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++) {
        struct ask a;
        ask_init(&a, whats[i]);
        a.limit = 10000;
        json_array_append_new(all, answer(s, &a, NULL));
    }
    char *text = json_dumps(all, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(all);
    assert_non_null(text);
    return text;
}

static void take(struct world *w, char folder[300])
{
    struct fault f = {0};
    snprintf(folder, 300, "%s/snapshot", w->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    if (store_snapshot(w->store, folder, &f) != OK)
        fail_msg("%s", f.text);
}

/* The one store gives way to the other: a process has one open at a time. */
static void change_to(struct world *w, const char *folder)
{
    store_close(w->store);
    w->store = open_store(folder);
}

static void add_more(struct world *w, uint64_t from, uint64_t to)
{
    struct telescope later = shape;
    later.start += 2 * US_DAY;
    struct block *b = NULL;
    assert_int_equal(block_new(&b, &record_contact, 1024), OK);
    for (uint64_t i = from; i < to; i++) {
        char id[32];
        block_clear(b);
        telescope_window(&later, i, b);
        snprintf(id, sizeof id, "later-%d", (int)i);
        append_block(w->store, b, id);
    }
    block_free(b);
}

static void as_it_was(void **state)
{
    struct world *w = world_of(state);
    char folder[300];
    char *before = all_answers(w->store);
    take(w, folder);
    add_more(w, 0, 12);
    keep_up(w->store); /* merges, unites: files that the snapshot has go from the store */
    char *later = all_answers(w->store);
    assert_string_not_equal(before, later);
    change_to(w, folder);
    char *restored = all_answers(w->store);
    assert_string_equal(restored, before);
    free(restored);
    /* It is a store like any other, and remembers which blocks it has. */
    append_block(w->store, w->contacts[WINDOWS - 1], "contact-155");
    restored = all_answers(w->store);
    assert_string_equal(restored, before);
    free(restored);
    add_more(w, 0, 12);
    keep_up(w->store);
    restored = all_answers(w->store);
    assert_string_equal(restored, later);
    free(restored);
    /* And what is done to it does nothing to the first. */
    change_to(w, w->folder);
    restored = all_answers(w->store);
    assert_string_equal(restored, later);
    free(restored);
    free(before);
    free(later);
    remove_folder(folder);
}

static void nothing_left(void **state)
{
    struct world *w = world_of(state);
    char folder[300], path[400];
    struct stat st;
    take(w, folder);
    snprintf(path, sizeof path, "%s/engine/shadow/kizashi_snapshot", w->folder);
    assert_int_not_equal(stat(path, &st), 0);
    /* One that is not taken away is in nobody's way but the next one's. */
    struct fault f = {0};
    assert_int_not_equal(store_snapshot(w->store, folder, &f), OK);
    assert_non_null(strstr(f.text, folder));
    assert_int_not_equal(stat(path, &st), 0);
    remove_folder(folder);
    take(w, folder);
    remove_folder(folder);
    /* What a crash left is gone when the store is opened again. */
    assert_int_equal(mkdir(path, 0700), 0);
    change_to(w, w->folder);
    assert_int_not_equal(stat(path, &st), 0);
}

static const struct CMUnitTest tests[] = {
    SAYS("a snapshot answers as the store did when it was taken, and goes on by itself",
        as_it_was),
    SAYS("a snapshot leaves nothing in the store's folder, also when it fails or is "
         "cut off",
        nothing_left),
};

int main(void)
{
    return cmocka_run_group_tests(tests, world_open, world_close);
}
