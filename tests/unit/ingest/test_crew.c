/* Engines side by side: made-up ones that find one thing a window, at their own pace. */
#include "ingest/crew.h"

#include "base/clock.h"
#include "test.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    LENGTH = 600
};

/* What the made-up engines do; set by each test. */
static atomic_int pace_ms[3]; /* how long each needs, at most */
static atomic_int failing = -1;
static int64_t patience; /* us */
static sem_t gate;       /* the last engine waits for it, if that is wanted */
static atomic_bool gated;

struct fake {
    struct engine_state state;
    int number;
    unsigned windows;
    const uint8_t *tags[1];
    uint8_t tag;
};

static enum err fake_open(struct engine_state **ret_state, const struct engine *of, int number)
{
    struct fake *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->state.of = of;
    s->number = number;
    s->tags[0] = &s->tag;
    *ret_state = &s->state;
    return OK;
}

static enum err fake_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    struct fake *s = (struct fake *)(void *)st;
    struct finding f;
    int pace = pace_ms[s->number];
    if (pace)
        nanosleep(&(struct timespec){.tv_nsec = (w->start * 7919 % pace + 1) * 1000000L}, NULL);
    if (gated && s->number == 2)
        sem_wait(&gate);
    s->windows++;
    assert_non_null(arena_take(scratch, 1, 100));
    if (failing == s->number)
        return ERR_IO;
    finding_init(&f, st->of->name, "test");
    snprintf(f.title, sizeof f.title, "%d%s/%u%s", (int)(w->start / US_SECOND), st->of->name,
        s->windows, w->tags && w->block_count && w->tags[0][0] ? "t" : "");
    enum err e = out->put(out->context, &f);
    finding_done(&f);
    return e;
}

static enum err fake_save(const struct engine_state *st, struct buf *out)
{
    buf_le32(out, ((const struct fake *)(const void *)st)->windows);
    return out->err;
}

static enum err fake_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    (void)f;
    ((struct fake *)(void *)st)->windows = bytes_le32(&saved);
    return OK;
}

static struct tagging fake_tags(const struct engine_state *st)
{
    struct fake *s = (struct fake *)(uintptr_t)(const void *)st;
    s->tag++;
    return (struct tagging){.tags = s->tags};
}

static void fake_close(struct engine_state *st)
{
    free(st);
}

#define FAKE(letter, number_, tags_)                                                           \
    static const struct engine engine_##letter;                                                \
    static enum err open_##letter(struct engine_state **ret_state, const struct conf *conf,    \
        int64_t window, struct fault *f)                                                       \
    {                                                                                          \
        (void)conf;                                                                            \
        (void)window;                                                                          \
        (void)f;                                                                               \
        return fake_open(ret_state, &engine_##letter, number_);                                \
    }                                                                                          \
    static const struct engine engine_##letter = {.name = #letter,                             \
        .open = open_##letter,                                                                 \
        .step = fake_step,                                                                     \
        .save = fake_save,                                                                     \
        .load = fake_load,                                                                     \
        .tags = tags_,                                                                         \
        .close = fake_close}
FAKE(a, 0, NULL);
FAKE(b, 1, NULL);
FAKE(c, 2, NULL);
FAKE(t, 0, fake_tags);

static const struct engine *const three[] = {&engine_a, &engine_b, &engine_c, NULL};
static const struct engine *const tagged[] = {&engine_b, &engine_t, &engine_c, NULL};
static const struct conf *const no_confs[3];

/* --- what comes out ------------------------------------------------------------------------
 */

struct log {
    char text[8192];
};

static void add(struct log *l, const char *text, const char *end)
{
    size_t used = strlen(l->text);
    snprintf(l->text + used, sizeof l->text - used, "%s%s", text, end);
}

static enum err put(void *context, const struct finding *f)
{
    add(context, f->title, " ");
    return OK;
}

static void skipped(void *context, const struct window *w, const char *engine)
{
    char text[64];
    snprintf(text, sizeof text, "%d%s", (int)(w->start / US_SECOND), engine);
    add(context, text, ":skipped ");
}

static struct crew *crew_of(const struct engine *const *engines, bool alone)
{
    struct crew_options o = {.engines = engines,
        .confs = no_confs,
        .window = LENGTH * US_SECOND,
        .scratch_cap = 1 << 20,
        .alone = alone};
    struct crew *c = NULL;
    struct fault f;
    assert_int_equal(crew_new(&c, &o, &f), OK);
    return c;
}

static enum err show(struct crew *c, int number, bool live, struct log *l, struct fault *f)
{
    struct block *b = NULL;
    assert_int_equal(block_new(&b, &record_contact, 4), OK);
    b->rows = 1;
    static const size_t words[] = {CONTACT_SITE, CONTACT_CLASS, CONTACT_TOOL, CONTACT_COUNTRY};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_int_equal(block_word(b, words[i], "x", &block_name(b, words[i])[0]), OK);
    const struct block *blocks[] = {b};
    struct window_site site = {.name = "x", .watching = true};
    struct window w = {.start = number * LENGTH * US_SECOND,
        .length = LENGTH * US_SECOND,
        .sites = &site,
        .site_count = 1,
        .kind = &record_contact,
        .blocks = blocks,
        .block_count = 1};
    struct crew_show how = {
        .live = live, .patience = patience, .sink = {put, l}, .skipped = skipped, .context = l};
    enum err e = crew_show(c, &w, &how, f);
    block_free(b); /* what was lent is gone */
    return e;
}

static void reset(void)
{
    for (int i = 0; i < 3; i++)
        pace_ms[i] = 0;
    failing = -1;
    gated = false;
    patience = US_MINUTE;
}

static void threads_change_nothing(void **state)
{
    (void)state;
    struct log alone = {""};
    struct fault f;
    reset();
    struct crew *c = crew_of(three, true);
    for (int n = 1; n <= 8; n++)
        assert_int_equal(show(c, n, false, &alone, &f), OK);
    crew_free(c);
    assert_memory_equal(alone.text, "600a/1 600b/1 600c/1 1200a/2 ", 29);
    for (int slow = 0; slow < 3; slow++) {
        struct log side = {""};
        pace_ms[slow] = 4;
        c = crew_of(three, false);
        for (int n = 1; n <= 8; n++)
            assert_int_equal(show(c, n, n & 1 && slow != 2, &side, &f), OK);
        assert_string_equal(side.text, alone.text);
        for (size_t i = 0; i < 3; i++)
            assert_non_null(crew_state(c, i));
        crew_free(c);
    }
}

/* The last engine stands still at the first window, while others go on. */
static void late_engines(void **state)
{
    (void)state;
    struct log l = {""};
    struct fault f;
    reset();
    gated = true;
    patience = US_SECOND;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct crew *c = crew_of(three, false);
    for (int n = 1; n <= 4; n++)
        assert_int_equal(show(c, n, true, &l, &f), OK);
    assert_string_equal(l.text, "600a/1 600b/1 1200a/2 1200b/2 1800c:skipped 1800a/3 1800b/3 "
                                "2400c:skipped 2400a/4 2400b/4 ");
    assert_null(crew_state(c, 2));
    assert_non_null(crew_state(c, 0));
    gated = false;
    sem_post(&gate);
    l.text[0] = 0;
    /* Recorded windows wait for everything; whole windows are missing, in between none is. */
    assert_int_equal(show(c, 5, false, &l, &f), OK);
    assert_string_equal(l.text, "600c/1 1200c/2 3000a/5 3000b/5 3000c/3 ");
    assert_non_null(crew_state(c, 2));
    crew_free(c);
    sem_destroy(&gate);
}

/* Closing while an engine is late: it finishes what it has begun, and nobody waits for more. */
static void closing(void **state)
{
    (void)state;
    struct log l = {""};
    struct fault f;
    reset();
    gated = true;
    patience = US_SECOND / 10;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct crew *c = crew_of(three, false);
    for (int n = 1; n <= 3; n++)
        assert_int_equal(show(c, n, true, &l, &f), OK);
    assert_null(strstr(l.text, "c/"));
    sem_post(&gate);
    sem_post(&gate);
    crew_free(c);
    sem_destroy(&gate);
    crew_free(NULL);
}

static void failures(void **state)
{
    (void)state;
    for (int alone = 0; alone < 2; alone++) {
        struct log l = {""};
        struct fault f;
        reset();
        failing = 1;
        struct crew *c = crew_of(three, alone);
        assert_int_equal(show(c, 1, false, &l, &f), ERR_IO);
        assert_non_null(
            strstr(f.text, "engine b stopped at the window of 1970-01-01T00:10:00"));
        failing = -1;
        l.text[0] = 0;
        assert_int_equal(show(c, 2, false, &l, &f), OK);
        assert_string_equal(
            l.text, alone ? "1200a/2 1200b/2 1200c/1 " : "1200a/2 1200b/2 1200c/2 ");
        crew_free(c);
    }
}

static void tags_first(void **state)
{
    (void)state;
    for (int live = 0; live < 2; live++) {
        struct log l = {""};
        struct fault f;
        reset();
        struct crew *c = crew_of(tagged, false);
        assert_int_equal(show(c, 1, live, &l, &f), OK);
        assert_string_equal(l.text, "600t/1 600b/1t 600c/1t ");
        crew_free(c);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("findings come by window and engine, with threads as without", threads_change_nothing),
    SAYS("an engine that is late in live traffic leaves out whole windows, and holds up nobody",
        late_engines),
    SAYS("a crew is closed while an engine is late", closing),
    SAYS("an engine's failure names it and the window", failures),
    SAYS("engines that tag come first, and the others see the tags", tags_first),
};
TEST_MAIN(tests)
