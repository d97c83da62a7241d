/* What is told of the hub's logbook, its disk and its sites, and how often. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The logbook is read once, whole, also when nothing of it is left to do. */
static void tells_past(void **state)
{
    struct stage *s = *state;
    s->watched = true;
    stage_open(s, 6);
    stage_play(s, "append 12");
    stage_play(s, "run 5");
    assert_int_equal(s->stored, 12);
    assert_int_equal(s->told.past, 0); /* it began with none */
    stage_play(s, "kill hub");
    stage_play(s, "run 2");
    assert_int_equal(s->told.past, 1);
    assert_int_equal(s->told.read.messages, 12);
    assert_int_equal(s->told.read.packets, 12);
    assert_int_equal(s->told.read.passed, 0);
    stage_play(s, "append 3");
    stage_play(s, "kill hub late");
    stage_play(s, "run 9");
    assert_int_equal(s->told.past, 2);
    /* What the store had taken and was not noted is passed over: it comes again. */
    assert_int_equal(s->told.read.messages, 12);
    assert_in_range(s->told.read.passed, 1, 3);
    stage_heal(s, "past");
    stage_close(s);
}

/* A file of the logbook whose middle the disk changed. */
static void logbook_damage(struct stage *s)
{
    char path[400];
    glob_t files;
    snprintf(path, sizeof path, "%s/logbook/*.spool", s->folder);
    assert_int_equal(glob(path, 0, NULL, &files), 0);
    int fd = open(files.gl_pathv[0], O_WRONLY);
    assert_int_equal(pwrite(fd, "????????????????", 16, 1000), 16);
    close(fd);
    globfree(&files);
}

/* The engines go without them, and who runs the hub hears of it. */
static void tells_damage(void **state)
{
    struct stage *s = *state;
    s->watched = true;
    stage_open(s, 8);
    stage_play(s, "append 40");
    stage_play(s, "run 5");
    assert_int_equal(s->stored, 40);
    stage_hub_end(s);
    logbook_damage(s);
    link_set(&s->link.hub, false);
    stage_hub_start(s);
    link_set(&s->link.hub, true);
    stage_play(s, "run 3");
    assert_int_equal(s->told.past, 1);
    assert_in_range(s->told.read.damaged, 1, 39);
    assert_int_equal(s->told.read.messages + s->told.read.damaged, 40);
    stage_play(s, "append 3");
    stage_play(s, "run 9");
    assert_int_equal(s->stored, 43);
    stage_play(s, "kill hub");
    stage_play(s, "run 3");
    assert_int_equal(s->told.past, 2);
    stage_close(s);
}

/* It is said once after ten seconds, not at once, and no more when it is mended. */
static void tells_deaf(void **state)
{
    struct stage *s = *state;
    stage_open(s, 7);
    s->link.deaf = true;
    link_set(&s->link.hub, false);
    link_set(&s->link.hub, true);
    stage_play(s, "run 9");
    assert_int_equal(s->told.deaf, 0);
    stage_play(s, "run 20");
    assert_int_equal(s->told.deaf, 1);
    assert_string_equal(s->told.text, "no way");
    s->link.deaf = false;
    stage_play(s, "append 3");
    stage_play(s, "run 9");
    assert_int_equal(s->stored, 3);
    assert_int_equal(s->told.deaf, 1);
    /* And of the next time again. */
    s->link.deaf = true;
    link_set(&s->link.hub, false);
    link_set(&s->link.hub, true);
    stage_play(s, "run 13");
    assert_int_equal(s->told.deaf, 2);
    s->link.deaf = false;
    stage_heal(s, "deaf");
    stage_close(s);
}

static void tells_cut(void **state)
{
    struct stage *s = *state;
    s->watched = true;
    s->logbook_cap = 16 << 10;
    stage_open(s, 8);
    stage_play(s, "append 1");
    stage_play(s, "run 2");
    assert_int_equal(s->told.cut, 0);
    stage_play(s, "append 300");
    stage_play(s, "run 4");
    assert_int_equal(s->told.cut, 1);
    assert_int_equal(s->told.whole, 0);
    /* The window ends, and the states that have seen it are kept. */
    for (int i = 0; i < 90 && !s->told.whole; i++) {
        stage_append(s);
        stage_run(s, 1000);
    }
    assert_int_equal(s->told.cut, 1);
    assert_int_equal(s->told.whole, 1);
    stage_heal(s, "cut");
    stage_close(s);
}

/* ---- a disk that is full ---- */

/* The logbook's folder becomes a file system of its own; false: it cannot. */
static bool disk_make(struct stage *s)
{
    char path[96];
    snprintf(path, sizeof path, "%s/logbook", s->folder);
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) ||
        mount("tmpfs", path, "tmpfs", 0, "size=512k") != 0)
        return false;
    snprintf(s->ballast, sizeof s->ballast, "%s/logbook/ballast", s->folder);
    return true;
}

static void disk_fill(const struct stage *s)
{
    static const char zeros[4096];
    int fd = open(s->ballast, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof zeros) > 0)
        ;
    close(fd);
}

static void full_disk(void **state)
{
    struct stage *s = *state;
    s->watched = true;
    if (!disk_make(s)) {
        fprintf(stderr, "# skipped: no file system of its own: %s\n", strerror(errno));
        skip();
    }
    stage_open(s, 9);
    stage_play(s, "append 12");
    stage_play(s, "run 5");
    assert_int_equal(s->stored, 12);
    disk_fill(s);
    stage_play(s, "append 200");
    stage_play(s, "run 5");
    assert_int_equal(s->told.full, 1);
    assert_int_equal(s->told.mended, 1);
    assert_non_null(strstr(s->told.text, "/logbook"));
    assert_non_null(strstr(s->told.text, "No space left on device"));
    assert_int_equal(s->stored, 212);
    /* All that was acknowledged is in the logbook: a hub that is killed reads it. */
    stage_play(s, "kill hub");
    stage_play(s, "run 5");
    assert_int_equal(s->told.read.messages, 212);
    /* One that is stopped while the disk is full has acknowledged nothing that it lacks. */
    disk_fill(s);
    s->stop_when_full = true;
    stage_play(s, "append 200");
    for (int i = 0; i < 10 && s->told.full < 2; i++) /* the last page has room for a few */
        stage_run(s, STEP_MS);
    assert_int_equal(s->told.full, 2);
    struct spool_counts c;
    spool_counts(s->spool, &c);
    assert_true(c.committed <= s->stored);
    s->stop_when_full = false;
    atomic_store(&s->stop, false);
    unlink(s->ballast);
    stage_hub_kill(s);
    stage_heal(s, "full disk");
    stage_run(s, 90 * 1000);
    stage_expect_seen(s, "full disk");
    stage_close(s);
}

/* The site speaks while the hub waits for its disk, and only then. */
static void next_while_full(void *context, int wait_ms, struct bus_event *ret_event)
{
    struct link *l = context;
    struct stage *s = (struct stage *)((char *)l - offsetof(struct stage, link));
    struct spool_counts c;
    char text[96];
    link_hub_next(l, wait_ms, ret_event);
    if (ret_event->kind != BUS_NOTHING || !atomic_load(&s->full))
        return;
    spool_counts(s->spool, &c);
    int len = snprintf(text, sizeof text, "%" PRIx64 " %" PRIx64 " 0", c.id, c.last);
    link_push(&l->hub, BUS_BEAT, 0, bytes_over(text, (size_t)len));
    link_next(&l->hub, ret_event);
}

/* Nothing but a heartbeat gives room, so a hub that heard none would wait for ever. */
static void full_heard(void **state)
{
    struct stage *s = *state;
    struct bus_ops ops = link_hub_ops;
    s->watched = true;
    if (!disk_make(s)) {
        fprintf(stderr, "# skipped: no file system of its own: %s\n", strerror(errno));
        skip();
    }
    stage_open(s, 10);
    ops.next = next_while_full;
    s->link.hub_bus.ops = &ops;
    stage_play(s, "run 2");
    disk_fill(s);
    s->full_until_heard = true;
    stage_play(s, "append 600");
    alarm(60);
    for (int i = 0; i < 200 && !s->told.full; i++)
        stage_run(s, STEP_MS);
    alarm(0);
    assert_int_equal(s->told.full, 1);
    assert_int_equal(s->told.mended, 1);
    s->full_until_heard = false;
    stage_heal(s, "heard");
    stage_close(s);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("what was read of a logbook is told once, at its end", tells_past, stage_make,
        stage_drop),
    SAYS_WITH("a site that cannot be received from is told of once, after ten seconds",
        tells_deaf, stage_make, stage_drop),
    SAYS_WITH("what the disk does not give back of a logbook is told, and the rest goes on",
        tells_damage, stage_make, stage_drop),
    SAYS_WITH("a logbook that is too small is told of, and when it is whole again", tells_cut,
        stage_make, stage_drop),
    SAYS_WITH("a full disk of the logbook is told and waited for; nothing acknowledged is lost",
        full_disk, stage_make, stage_drop),
    SAYS_WITH(
        "sites are heard while the logbook's disk is full", full_heard, stage_make, stage_drop),
};
TEST_MAIN(tests)
