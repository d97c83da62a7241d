/* A store on a small file system of its own that is filled to the last byte, and emptied. */
#include "test.h"

#include "store_test.h"
#include "telescope.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

static const struct telescope shape = {.seed = 5,
    .sites = 2,
    .sources = 3000,
    .contacts = 400,
    .packets = 3,
    .start = 1767225600 * US_SECOND};

struct disk {
    char folder[256];
    char ballast[300];
    bool mounted;
};

static int disk_new(void **state)
{
    struct disk *d = calloc(1, sizeof *d);
    *state = d;
    if (!d)
        return -1;
    new_folder(d->folder);
    snprintf(d->ballast, sizeof d->ballast, "%s/ballast", d->folder);
    d->mounted = mount("tmpfs", d->folder, "tmpfs", 0, "size=64m") == 0;
    if (!d->mounted)
        fprintf(stderr, "# skipped: no file system of its own: %s\n", strerror(errno));
    return 0;
}

static int disk_free(void **state)
{
    struct disk *d = *state;
    if (d->mounted)
        umount2(d->folder, MNT_DETACH);
    remove_folder(d->folder);
    free(d);
    return 0;
}

static void fill(const struct disk *d)
{
    static const char zeros[65536];
    int file = open(d->ballast, O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    size_t step = sizeof zeros;
    while (step) {
        ssize_t done = write(file, zeros, step);
        if (done <= 0)
            step /= 2;
    }
    close(file);
}

static struct block *window_block(uint64_t i)
{
    struct block *b = NULL;
    struct telescope t = shape;
    t.start += (int64_t)i * 5 * US_HOUR; /* days change, so rollups are written too */
    telescope_check(block_new(&b, &record_contact, 800));
    telescope_window(&t, 0, b);
    return b;
}

static uint64_t packets_in(struct store *s)
{
    struct ask a;
    struct buf out;
    struct fault f = {0};
    buf_init(&out, 1 << 16);
    ask_init(&a, ASK_TOTALS);
    if (store_ask(s, &a, FORMAT_CSV, &out, NULL, &f))
        fail_msg("%s", f.text);
    const char *line = strchr((const char *)out.data, '\n');
    uint64_t packets = line ? strtoull(line + 1, NULL, 10) : 0;
    buf_done(&out);
    return packets;
}

/* Fill the disk, see the block refused, make room, see the same block taken. */
static uint64_t append_through_full(
    const struct disk *d, struct store *s, uint64_t i, unsigned *refused)
{
    char id[32];
    struct fault f = {0};
    struct block *b = window_block(i);
    uint64_t packets = 0;
    snprintf(id, sizeof id, "block-%d", (int)i);
    for (size_t k = 0; k < b->rows; k++)
        packets += block_u32(b, CONTACT_PACKETS)[k];
    if (i % 3 == 0)
        fill(d);
    enum err e = store_append(s, b, id, &f);
    if (e) {
        if (e != ERR_FULL)
            fail_msg("%s", f.text);
        ++*refused;
    }
    (void)!unlink(d->ballast);
    append_block(s, b, id);
    append_block(s, b, id);
    block_free(b);
    return packets;
}

static void a_full_disk_refuses_and_forgets_nothing(void **state)
{
    struct disk *d = *state;
    if (!d->mounted || !store_is_possible())
        skip();
    char folder[300];
    unsigned refused = 0;
    uint64_t packets = 0;
    snprintf(folder, sizeof folder, "%s/data", d->folder);
    struct store *s = open_store(folder);
    for (uint64_t i = 0; i < 24; i++) {
        packets += append_through_full(d, s, i, &refused);
        if (i % 6 == 5)
            assert_int_equal(packets_in(s), packets);
    }
    assert_true(refused >= 6);
    store_close(s);
    s = open_store(folder);
    assert_int_equal(packets_in(s), packets);
    store_close(s);
}

static void a_full_disk_can_still_be_asked(void **state)
{
    struct disk *d = *state;
    if (!d->mounted || !store_is_possible())
        skip();
    char folder[300];
    struct fault f = {0};
    snprintf(folder, sizeof folder, "%s/data", d->folder);
    struct store *s = open_store(folder);
    struct block *b = window_block(100);
    uint64_t before = packets_in(s);
    fill(d);
    assert_int_equal(store_append(s, b, "refused", &f), ERR_FULL);
    assert_int_equal(packets_in(s), before);
    block_free(b);
    store_close(s);
}

static const struct CMUnitTest tests[] = {
    SAYS("a full disk refuses a block, and takes the same one when there is room, once",
        a_full_disk_refuses_and_forgets_nothing),
    SAYS("a store on a full disk still answers", a_full_disk_can_still_be_asked),
};

int main(void)
{
    return cmocka_run_group_tests(tests, disk_new, disk_free);
}
