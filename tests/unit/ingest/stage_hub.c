/* The hub: its store, its process, and its engines. */
#include "stage.h"

#include "ingest/ahead.h"

#include <inttypes.h>
#include <unistd.h>

/* A parcel's one packet has the time of the step, and its number in what is below that. */
static uint64_t number_of(int64_t ts)
{
    return (uint64_t)(ts % STEP_US);
}

/* ---- the store ---- */

static enum err fake_append(
    void *store, const struct store_block *blocks, size_t count, struct fault *f)
{
    struct stage *s = store;
    for (size_t i = 0; i < count; i++) {
        const struct block *b = blocks[i].block;
        bool known = false;
        for (size_t k = 0; k < s->id_count && !known; k++)
            known = strcmp(s->ids[k], blocks[i].id) == 0;
        if (known)
            continue;
        assert_true(s->id_count < 2 * STORED_MAX);
        snprintf(s->ids[s->id_count++], sizeof s->ids[0], "%s", blocks[i].id);
        if (b->kind == &record_contact) {
            s->contacts += b->rows;
            continue;
        }
        assert_int_equal(b->rows, 1);
        assert_true(s->stored < STORED_MAX);
        s->times[s->stored++] = number_of(block_time(b, PACKET_TS)[0]);
    }
    if (!s->late)
        return OK;
    s->late = false;
    return fault_set(f, ERR_IO, "the hub is killed here");
}

/* ---- what the hub is told ---- */

static void on_beat(void *context, const char *site, struct bytes text)
{
    struct stage *s = context;
    char copy[128];
    uint64_t n[3];
    memcpy(copy, text.at, text.left);
    copy[text.left] = 0;
    char *at = copy;
    for (int i = 0; i < 3; i++)
        n[i] = strtoull(at, &at, 16);
    intake_heard(s->intake, site, &(struct said){n[0], n[1], n[2]}, false);
    if (s->full_until_heard && atomic_load(&s->full))
        unlink(s->ballast);
}

static void on_deaf(void *context, const char *site, const struct fault *f)
{
    struct stage *s = context;
    assert_string_equal(site, "jp-01");
    s->told.deaf++;
    snprintf(s->told.text, sizeof s->told.text, "%s", f->text);
}

static void on_past(void *context, const struct intake_past *p)
{
    struct stage *s = context;
    s->told.past++;
    s->told.read = *p;
}

static void on_cut(void *context, bool cut)
{
    struct stage *s = context;
    s->told.cut += cut;
    s->told.whole += !cut;
}

/* From the thread that waits for the disk: it is given room, or the hub is told to stop. */
static void disk_trouble(struct stage *s, const struct fault *f)
{
    s->told.full += f->code == ERR_FULL;
    s->told.mended += f->code == OK;
    atomic_store(&s->full, f->code == ERR_FULL);
    if (f->code == OK)
        return;
    snprintf(s->told.text, sizeof s->told.text, "%s", f->text);
    if (s->stop_when_full)
        atomic_store(&s->stop, true);
    else if (!s->full_until_heard)
        unlink(s->ballast);
}

static void on_trouble(void *context, const char *site, const struct fault *f)
{
    if (!site)
        disk_trouble(context, f);
    if (getenv("KIZASHI_SEED"))
        fprintf(stderr, "# %s: %s\n", site ? site : "store", f->text);
}

/* ---- the engines ---- */

/* Kept are the engines' states of a window, and so what they have seen. */
static void view_keep(struct stage *s)
{
    if (!s->closed.start)
        return;
    for (size_t i = 0; i < s->closed.count; i++) {
        uint64_t n = s->closed_seen[i];
        assert_in_range(n, 1, s->appended);
        if (s->kept_in[n])
            fail_msg("the engines have seen parcel %" PRIu64 " twice", n);
        assert_true(n > s->last_kept);
        assert_in_range(s->made[n], s->closed.start, s->closed.start + WINDOW_US - 1);
        s->kept_in[n] = (uint64_t)s->closed.start;
        s->last_kept = n;
    }
    s->kept = s->closed.start + WINDOW_US;
    s->closed = (struct view){0};
    logbook_covered(s->logbook);
}

static void view_close(struct stage *s)
{
    view_keep(s);
    if (s->open.start + WINDOW_US > s->kept) {
        s->closed = s->open;
        memcpy(s->closed_seen, s->open_seen, s->open.count * sizeof s->open_seen[0]);
    }
    s->open = (struct view){.start = s->open.start + WINDOW_US};
}

/* What the pipeline does. */
void stage_engines_step(struct stage *s)
{
    view_keep(s);
    int64_t next = feed_peek(s->feed);
    if (next == INT64_MAX)
        return;
    if (!s->open.start)
        s->open.start = time_floor(next, WINDOW_US);
    for (;;) {
        struct ahead_run run;
        enum feed_state state = feed_run(s->feed, s->open.start + WINDOW_US, &run);
        for (size_t i = 0; state == FEED_FRAMES && i < run.count; i++)
            s->open_seen[s->open.count++] = number_of(run.packets[i].ts);
        if (state == FEED_QUIET)
            return;
        if (state == FEED_WINDOW)
            view_close(s);
        if (state == FEED_WINDOW && s->open.start > s->link.now)
            return;
    }
}

void stage_expect_seen(const struct stage *s, const char *what)
{
    assert_true(s->kept > s->made[1]);
    for (uint64_t n = 1; n <= s->appended && s->made[n] < s->kept; n++)
        if (!s->kept_in[n])
            fail_msg("%s: the engines have not seen parcel %" PRIu64, what, n);
}

/* ---- the hub's process ---- */

void stage_hub_start(struct stage *s)
{
    struct fault f = {0};
    char path[96];
    struct logbook_options lo = {.folder = path,
        .segment = 2048,
        .cap = s->logbook_cap ? s->logbook_cap : 64 << 20,
        .seen = s->kept,
        .careless = true,
        .clock = &s->clock};
    snprintf(path, sizeof path, "%s/logbook", s->folder);
    if (s->watched)
        assert_int_equal(logbook_open(&s->logbook, &lo, NULL, &f), OK);
    struct remote_options ro = {.window = WINDOW_US, .stop = &s->stop, .clock = &s->clock};
    struct intake_options io = {.bus = &s->link.hub_bus,
        .append = fake_append,
        .store = s,
        .logbook = s->logbook,
        .set = s->set,
        .window = WINDOW_US,
        .stop = &s->stop,
        .clock = &s->clock,
        .events = {.context = s,
            .beat = on_beat,
            .trouble = on_trouble,
            .deaf = on_deaf,
            .past = on_past,
            .cut = on_cut}};
    assert_int_equal(catalog_open(&s->catalog, s->catalog_path, &f), OK);
    io.catalog = s->catalog;
    assert_int_equal(remote_new(&s->remote, &ro), OK);
    assert_int_equal(remote_feed(s->remote, &s->feed), OK);
    s->open = s->closed = (struct view){0};
    assert_int_equal(intake_new(&s->intake, &io, &f), OK);
    assert_int_equal(intake_add(s->intake, "jp-01", s->remote, &f), OK);
}

void stage_hub_end(struct stage *s)
{
    intake_free(s->intake);
    feed_close(s->feed);
    remote_free(s->remote);
    logbook_close(s->logbook);
    s->logbook = NULL;
    catalog_close(s->catalog);
}

void stage_hub_kill(struct stage *s)
{
    stage_hub_end(s);
    link_set(&s->link.hub, false);
    stage_hub_start(s);
    link_set(&s->link.hub, true);
}
