#include "test.h"

#include "base/tree.h"
#include "cmd/sensor_captures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sensor's folder with two captures beside it. */
struct place {
    char folder[64];
    char one[80], two[80];
    struct sensor_captures *captures;
    struct capture_list list;
    size_t told;
};

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int place_make(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    snprintf(p->folder, sizeof p->folder, "/tmp/kizashi-captures-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->one, sizeof p->one, "%s/one.pcap", p->folder);
    snprintf(p->two, sizeof p->two, "%s/two.pcap", p->folder);
    file_write(p->one, "what one telescope saw");
    file_write(p->two, "what it saw the day after");
    *state = p;
    return 0;
}

static void leave(struct place *p)
{
    sensor_captures_close(p->captures);
    capture_list_done(&p->list);
    p->captures = NULL;
}

static int place_drop(void **state)
{
    struct place *p = *state;
    struct fault f;
    leave(p);
    int status = tree_remove(p->folder, &f);
    free(p);
    return status;
}

static void told(const char *text)
{
    assert_non_null(strstr(text, "one.pcap: was read"));
}

/* A sensor begins anew, over a spool that will give the number `next`. */
static enum err begin(struct place *p, const struct spool_counts *spool, const char *first,
    const char *second, struct fault *f)
{
    leave(p);
    assert_int_equal(sensor_captures_open(&p->captures, p->folder, f), OK);
    assert_int_equal(sensor_captures_settle(p->captures, spool, f), OK);
    assert_int_equal(capture_list_add(&p->list, first, f), OK);
    if (second)
        assert_int_equal(capture_list_add(&p->list, second, f), OK);
    return sensor_captures_begin(p->captures, &p->list, false, told, f);
}

static void entry(struct place *p, uint64_t number, uint64_t frames)
{
    struct fault f;
    struct collector_past past = sensor_captures_past(p->captures);
    assert_int_equal(past.note(past.context, number, frames, &f), OK);
}

static void goes_on(void **state)
{
    struct place *p = *state;
    struct fault f;
    assert_int_equal(
        begin(p, &(struct spool_counts){.id = 7, .next = 1}, p->one, p->two, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 0);
    entry(p, 1, 100);
    entry(p, 2, 200);
    /* Both are in the spool; in whichever order the captures are given. */
    assert_int_equal(
        begin(p, &(struct spool_counts){.id = 7, .next = 3}, p->two, p->one, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 200);
}

static void announced_only(void **state)
{
    struct place *p = *state;
    struct fault f;
    const struct spool_counts empty = {.id = 7, .next = 1}, one = {.id = 7, .next = 2};
    assert_int_equal(begin(p, &empty, p->one, NULL, &f), OK);
    entry(p, 1, 100);
    entry(p, 2, 200);
    assert_int_equal(begin(p, &one, p->one, NULL, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 100);
    /* Killed once more, at the same place. */
    entry(p, 2, 150);
    assert_int_equal(begin(p, &one, p->one, NULL, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 100);
}

static void tried_again(void **state)
{
    struct place *p = *state;
    struct fault f;
    const struct spool_counts empty = {.id = 7, .next = 1}, one = {.id = 7, .next = 2};
    assert_int_equal(begin(p, &empty, p->one, NULL, &f), OK);
    entry(p, 1, 100);
    for (int i = 0; i < 3; i++)
        entry(p, 2, 200);
    assert_int_equal(begin(p, &one, p->one, NULL, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 100);
}

static void first_torn(void **state)
{
    struct place *p = *state;
    struct fault f;
    const struct spool_counts empty = {.id = 7, .next = 1};
    const struct spool_counts torn = {.id = 7, .next = 9, .cut = 300, .torn = 1};
    assert_int_equal(begin(p, &empty, p->one, NULL, &f), OK);
    entry(p, 1, 100);
    /* Another run opens the spool first, which cuts the entry, and sends what there is. */
    leave(p);
    assert_int_equal(sensor_captures_open(&p->captures, p->folder, &f), OK);
    assert_int_equal(sensor_captures_settle(p->captures, &torn, &f), OK);
    assert_int_equal(
        begin(p, &(struct spool_counts){.id = 7, .next = 9}, p->one, NULL, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 0);
}

static void read_once(void **state)
{
    struct place *p = *state;
    struct fault f = {0};
    const struct spool_counts spool = {.id = 7, .next = 1};
    assert_int_equal(begin(p, &spool, p->one, NULL, &f), OK);
    assert_int_equal(sensor_captures_end(p->captures, &f), OK);
    assert_int_equal(begin(p, &spool, p->one, NULL, &f), ERR_EXISTS);
    assert_non_null(strstr(f.text, "one.pcap: was read and stored by the hub at 20"));
    assert_non_null(strstr(f.text, "--again"));
    assert_int_equal(begin(p, &spool, p->one, p->two, &f), OK);
    assert_int_equal(p->list.count, 1);
    assert_string_equal(p->list.paths[0], p->two);
    leave(p);
    assert_int_equal(sensor_captures_open(&p->captures, p->folder, &f), OK);
    assert_int_equal(sensor_captures_settle(p->captures, &spool, &f), OK);
    assert_int_equal(capture_list_add(&p->list, p->one, &f), OK);
    assert_int_equal(sensor_captures_begin(p->captures, &p->list, true, told, &f), OK);
    assert_int_equal(p->list.count, 1);
    assert_int_equal(sensor_captures_past(p->captures).frames, 0);
}

static void others(void **state)
{
    struct place *p = *state;
    struct fault f = {0};
    assert_int_equal(
        begin(p, &(struct spool_counts){.id = 7, .next = 1}, p->one, p->two, &f), OK);
    entry(p, 1, 100);
    assert_int_equal(
        begin(p, &(struct spool_counts){.id = 7, .next = 2}, p->one, NULL, &f), ERR_EXISTS);
    assert_non_null(strstr(f.text, "one.pcap: its reading was begun at 20"));
    /* A spool that was removed took with it what had not been sent. */
    assert_int_equal(
        begin(p, &(struct spool_counts){.id = 8, .next = 2}, p->one, p->two, &f), ERR_EXISTS);
}

static void left_for_others(void **state)
{
    struct place *p = *state;
    struct fault f = {0};
    const struct spool_counts empty = {.id = 7, .next = 1}, two = {.id = 7, .next = 3};
    assert_int_equal(begin(p, &empty, p->one, NULL, &f), OK);
    entry(p, 1, 100);
    entry(p, 2, 200);
    assert_int_equal(begin(p, &two, p->two, NULL, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 0);
    entry(p, 3, 30);
    /* The last entry of the second is not there; the first goes on where it was. */
    assert_int_equal(begin(p, &two, p->one, NULL, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 200);
    /* Its first entry since is not there, either. */
    entry(p, 3, 300);
    assert_int_equal(begin(p, &two, p->one, NULL, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 200);
    assert_int_equal(sensor_captures_end(p->captures, &f), OK);
    assert_int_equal(begin(p, &two, p->two, NULL, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 0);
    entry(p, 3, 30);
    assert_int_equal(
        begin(p, &(struct spool_counts){.id = 7, .next = 4}, p->two, NULL, &f), OK);
    assert_int_equal(sensor_captures_past(p->captures).frames, 30);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("captures whose reading was interrupted go on where it was", goes_on, place_make,
        place_drop),
    SAYS_WITH("what was about to be written when the sensor was killed is read again",
        announced_only, place_make, place_drop),
    SAYS_WITH(
        "an entry that was tried again and again on a full disk, and never written, is read "
        "again",
        tried_again, place_make, place_drop),
    SAYS_WITH("an entry that was torn is read again, also when another run had cut it",
        first_torn, place_make, place_drop),
    SAYS_WITH("a capture that was read is refused, left out beside others, and read with again",
        read_once, place_make, place_drop),
    SAYS_WITH("captures that were interrupted go on where they were after others were read",
        left_for_others, place_make, place_drop),
    SAYS_WITH("what was begun goes on neither with other captures nor with another spool",
        others, place_make, place_drop),
};
TEST_MAIN(tests)
