#include "test.h"

#include "link.h"

#include "bus/sender.h"
#include "ingest/ahead.h"
#include "ingest/intake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole way from a site's spool to the hub's store, with the real spool, sender, receiver,
 * intake and catalogue, over a link that fails as it is told to. Plays are lines of text:
 *
 *     append N        the site appends N parcels
 *     run S           S seconds pass, in steps of 100 ms
 *     site down|up    the site's link            hub down|up    the hub's
 *     wipe            the message server forgets everything it had
 *     kill site|hub   the process ends here and now, and is started again
 *     kill hub late   it ends after the store has the blocks and before it has noted that
 *     tear            kill site, in the middle of an append
 *     lose|twice|swap P   of 100 messages
 *     dead S          the hub ends here and now, and is started again S seconds later
 *     expect N        parcels are in the store
 *
 * What the engines see is what the site's feed gives, window by window; a window counts once it
 * is kept, a step after it was closed. */

enum {
    STORED_MAX = 8192,
    STEP_MS = 100
};

static const int64_t step_us = STEP_MS * INT64_C(1000);
static const int64_t window_us = 30 * US_SECOND;

/* A window as the engines see it: the numbers of its parcels, in their order. */
struct view {
    int64_t start; /* 0: none */
    size_t first, count;
};

struct stage {
    struct link link;
    struct clock clock;
    char folder[64], catalog_path[96];
    struct fingerprints *set;
    struct parcel_writer *writer;
    /* The site. */
    struct spool *spool;
    struct sender *sender;
    int64_t spoken;
    uint64_t appended;
    /* The hub. */
    struct catalog *catalog;
    struct intake *intake;
    struct remote *remote;
    struct logbook *logbook; /* NULL in plays about the store alone */
    uint64_t logbook_cap;    /* 0: none is reached */
    struct told {
        unsigned full, mended, deaf, cut, whole, past; /* how often each was said */
        struct intake_past read;                       /* what was, the last time */
        char text[480];                                /* of what was full, or deaf */
    } told;
    char ballast[96]; /* what fills the logbook's disk; "" when nothing does */
    bool stop_when_full;
    bool watched; /* by engines, that is */
    struct feed *feed;
    struct view open, closed; /* the window that fills, and the one that is not kept yet */
    size_t open_seen[STORED_MAX], closed_seen[STORED_MAX];
    int64_t kept;                 /* end of the last window that is */
    uint64_t kept_in[STORED_MAX]; /* of each parcel, the start of the window in which it was */
    uint64_t last_kept;           /* parcel, in the order of the engines */
    int64_t made[STORED_MAX];     /* when each parcel was */
    atomic_bool stop;
    bool late; /* the next append to the store is the last thing that this hub does */
    char ids[2 * STORED_MAX][64];
    size_t id_count;
    uint64_t times[STORED_MAX]; /* of the one packet of each */
    size_t stored;
    size_t contacts;
};

/* A parcel's one packet has the time of the step, and its number in what is below that. */
static uint64_t number_of(int64_t ts)
{
    return (uint64_t)(ts % step_us);
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

/* ---- the hub ---- */

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
    if (f->code == OK)
        return;
    snprintf(s->told.text, sizeof s->told.text, "%s", f->text);
    if (s->stop_when_full)
        atomic_store(&s->stop, true);
    else
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
        assert_in_range(s->made[n], s->closed.start, s->closed.start + window_us - 1);
        s->kept_in[n] = (uint64_t)s->closed.start;
        s->last_kept = n;
    }
    s->kept = s->closed.start + window_us;
    s->closed = (struct view){0};
    logbook_covered(s->logbook);
}

static void view_close(struct stage *s)
{
    view_keep(s);
    if (s->open.start + window_us > s->kept) {
        s->closed = s->open;
        memcpy(s->closed_seen, s->open_seen, s->open.count * sizeof s->open_seen[0]);
    }
    s->open = (struct view){.start = s->open.start + window_us};
}

/* What the pipeline does. */
static void engines_step(struct stage *s)
{
    view_keep(s);
    int64_t next = feed_peek(s->feed);
    if (next == INT64_MAX)
        return;
    if (!s->open.start)
        s->open.start = time_floor(next, window_us);
    for (;;) {
        struct ahead_run run;
        enum feed_state state = feed_run(s->feed, s->open.start + window_us, &run);
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

/* All that was made in windows that are over. */
static void expect_seen(const struct stage *s, const char *what)
{
    assert_true(s->kept > s->made[1]);
    for (uint64_t n = 1; n <= s->appended && s->made[n] < s->kept; n++)
        if (!s->kept_in[n])
            fail_msg("%s: the engines have not seen parcel %" PRIu64, what, n);
}

/* ---- the hub's process ---- */

static void hub_start(struct stage *s)
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
    struct remote_options ro = {.window = window_us, .stop = &s->stop, .clock = &s->clock};
    struct intake_options io = {.bus = &s->link.hub_bus,
        .append = fake_append,
        .store = s,
        .logbook = s->logbook,
        .set = s->set,
        .window = window_us,
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

static void hub_end(struct stage *s)
{
    intake_free(s->intake);
    feed_close(s->feed);
    remote_free(s->remote);
    logbook_close(s->logbook);
    s->logbook = NULL;
    catalog_close(s->catalog);
}

static void hub_kill(struct stage *s)
{
    hub_end(s);
    link_set(&s->link.hub, false);
    hub_start(s);
    link_set(&s->link.hub, true);
}

/* ---- the site ---- */

/* Fewer messages under way than a file of the spool has entries. */
static void sender_start(struct stage *s)
{
    struct sender_options so = {
        .spool = s->spool, .bus = &s->link.site_bus, .clock = &s->clock, .messages_max = 8};
    assert_int_equal(sender_new(&s->sender, &so), OK);
    s->spoken = 0;
}

static void site_start(struct stage *s)
{
    struct fault f = {0};
    char path[96];
    snprintf(path, sizeof path, "%s/spool", s->folder);
    struct spool_options o = {
        .folder = path, .segment = 2048, .cap = 64 << 20, .careless = true, .clock = &s->clock};
    if (spool_open(&s->spool, &o, &f) != OK)
        fail_msg("%s", f.text);
    sender_start(s);
}

static void site_end(struct stage *s)
{
    sender_free(s->sender);
    spool_close(s->spool);
}

/* A new certificate: another way to the server, and the spool stays open. */
static void site_renew(struct stage *s)
{
    sender_free(s->sender);
    link_set(&s->link.site, false);
    sender_start(s);
    link_set(&s->link.site, true);
}

/* Half of an entry at the end of the newest file. */
static void spool_tear(struct stage *s)
{
    char path[512], best[300] = "";
    snprintf(path, sizeof path, "%s/spool", s->folder);
    DIR *d = opendir(path);
    for (struct dirent *e; (e = readdir(d));)
        if (strstr(e->d_name, ".spool") && strcmp(e->d_name, best) > 0)
            snprintf(best, sizeof best, "%s", e->d_name);
    closedir(d);
    snprintf(path, sizeof path, "%s/spool/%s", s->folder, best);
    int fd = open(path, O_WRONLY | O_APPEND);
    size_t len = 1 + rng_below(&s->link.rng, 200);
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = i < 4 ? (uint8_t) "KZR1"[i] : (uint8_t)rng_u32(&s->link.rng);
        assert_int_equal(write(fd, &byte, 1), 1);
    }
    close(fd);
}

static void site_kill(struct stage *s, bool tear)
{
    site_end(s);
    link_set(&s->link.site, false);
    if (tear)
        spool_tear(s);
    site_start(s);
    link_set(&s->link.site, true);
}

/* A parcel with one packet, whose time is the parcel's number. */
static void append(struct stage *s)
{
    struct block *b;
    struct buf out;
    uint16_t word, seq = 0;
    uint64_t number;
    struct sensor_look look = {.class = CLASS_SCAN};
    assert_int_equal(block_new(&b, &record_packet, 1), OK);
    assert_int_equal(block_word(b, PACKET_SITE, "jp-01", &word), OK);
    assert_int_equal(block_word(b, PACKET_CLASS, "scan", &word), OK);
    assert_int_equal(block_word(b, PACKET_TOOL, "", &word), OK);
    assert_int_equal(block_word(b, PACKET_COUNTRY, "", &word), OK);
    assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, "", 0), OK);
    for (size_t i = 0; i < PACKET_COLUMNS; i++)
        if (b->kind->columns[i].type == COLUMN_IP)
            memset(&block_ip(b, i)[0], 0, sizeof(struct ip));
        else if (b->kind->columns[i].type != COLUMN_BYTES)
            memset(b->column[i].rows, 0,
                b->kind->columns[i].type == COLUMN_U8    ? 1
                : b->kind->columns[i].type == COLUMN_U32 ? 4
                : b->kind->columns[i].type == COLUMN_U64 ||
                        b->kind->columns[i].type == COLUMN_TIME
                    ? 8
                    : 2);
    b->rows = 1;
    s->made[++s->appended] = s->link.now;
    block_time(b, PACKET_TS)[0] = s->link.now + (int64_t)s->appended;
    struct parcel p = {.packets = b, .looks = &look, .icmp_seq = &seq};
    buf_init(&out, 1 << 20);
    assert_int_equal(parcel_write(s->writer, &p, &out), OK);
    assert_int_equal(
        spool_append(s->spool, "packet", bytes_over(out.data, out.len), 1, &number, NULL), OK);
    buf_done(&out);
    block_free(b);
}

static void site_step(struct stage *s)
{
    struct fault f = {0};
    for (;;) {
        struct bus_event e;
        bus_next(&s->link.site_bus, 0, &e);
        if (e.kind == BUS_NOTHING)
            break;
        sender_event(s->sender, &e);
        bus_release(&s->link.site_bus, &e, true);
    }
    if (sender_pump(s->sender, &f) != OK)
        fail_msg("%s", f.text);
    int64_t apart = sender_waits(s->sender) ? US_SECOND / 4 : 5 * US_SECOND;
    if (s->link.now - s->spoken >= apart) {
        struct spool_counts spool;
        struct sender_counts c;
        char text[96];
        spool_counts(s->spool, &spool);
        sender_counts(s->sender, &c);
        int len = snprintf(text, sizeof text, "%" PRIx64 " %" PRIx64 " %" PRIx64, spool.id,
            c.sent, c.committed);
        bus_beat(&s->link.site_bus, bytes_over(text, (size_t)len));
        s->spoken = s->link.now;
    }
}

static void run_for(struct stage *s, int64_t ms)
{
    for (; ms > 0; ms -= STEP_MS) {
        struct fault f = {0};
        site_step(s);
        if (intake_step(s->intake, 0, &f) != OK)
            hub_kill(s);
        else if (s->watched)
            engines_step(s);
        s->link.now += STEP_MS * 1000;
    }
}

static void hub_dead(struct stage *s, int64_t ms)
{
    hub_end(s);
    link_set(&s->link.hub, false);
    for (; ms > 0; ms -= STEP_MS) {
        site_step(s);
        s->link.now += step_us;
    }
    hub_start(s);
    link_set(&s->link.hub, true);
}

/* ---- plays ---- */

static int stage_make(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    *state = s;
    /* In memory where there is such a place: the catalogue waits for the disk at every commit.
     */
    snprintf(s->folder, sizeof s->folder, "%s/kizashi-delivery-XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(s->folder) || fingerprints_new(&s->set, NULL) != OK ||
        parcel_writer_new(&s->writer, s->set) != OK)
        return -1;
    snprintf(s->catalog_path, sizeof s->catalog_path, "%s/catalog.sqlite", s->folder);
    s->clock = (struct clock){link_now, &s->link};
    return 0;
}

static void folder_empty(const char *folder)
{
    char path[512];
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
}

static int stage_drop(void **state)
{
    struct stage *s = *state;
    char path[96];
    parcel_writer_free(s->writer);
    fingerprints_free(s->set);
    snprintf(path, sizeof path, "%s/spool", s->folder);
    folder_empty(path);
    rmdir(path);
    snprintf(path, sizeof path, "%s/logbook", s->folder);
    if (s->ballast[0])
        umount2(path, MNT_DETACH);
    folder_empty(path);
    rmdir(path);
    folder_empty(s->folder);
    int status = rmdir(s->folder);
    free(s);
    return status;
}

static void stage_open(struct stage *s, uint64_t seed)
{
    char path[96];
    snprintf(path, sizeof path, "%s/spool", s->folder);
    folder_empty(path);
    snprintf(path, sizeof path, "%s/logbook", s->folder);
    folder_empty(path);
    folder_empty(s->folder);
    link_init(&s->link, seed);
    s->appended = 0;
    s->kept = 0;
    s->last_kept = 0;
    memset(s->kept_in, 0, sizeof s->kept_in);
    s->stored = s->contacts = s->id_count = 0;
    s->late = false;
    s->told = (struct told){0};
    site_start(s);
    hub_start(s);
}

static void stage_close(struct stage *s)
{
    site_end(s);
    hub_end(s);
    link_done(&s->link);
}

/* Everything that was appended is in the store, once, and the spool may forget it. */
static void expect_all(struct stage *s, const char *what)
{
    struct spool_counts c;
    static uint8_t seen[STORED_MAX];
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < s->stored; i++) {
        if (s->times[i] < 1 || s->times[i] > s->appended || seen[s->times[i]])
            fail_msg("%s: parcel %" PRIu64 " is in the store twice, or from nowhere", what,
                s->times[i]);
        seen[s->times[i]] = 1;
    }
    if (s->stored != s->appended)
        fail_msg(
            "%s: %zu of %" PRIu64 " parcels are in the store", what, s->stored, s->appended);
    assert_int_equal(s->contacts, s->stored);
    spool_counts(s->spool, &c);
    if (c.committed < c.last)
        fail_msg("%s: the site knows %" PRIu64 " of %" PRIu64, what, c.committed, c.last);
}

static bool is_all(const struct stage *s)
{
    struct spool_counts c;
    spool_counts(s->spool, &c);
    return s->stored == s->appended && c.committed >= c.last;
}

static void heal(struct stage *s, const char *what)
{
    s->link.lose = s->link.twice = s->link.swap = 0;
    link_set(&s->link.site, true);
    link_set(&s->link.hub, true);
    for (int i = 0; i < 100 && !is_all(s); i++)
        run_for(s, 1000);
    expect_all(s, what);
}

static void line_play(struct stage *s, const char *line)
{
    char word[16] = "", second[16] = "", third[16] = "";
    char copy[80];
    char *rest = NULL;
    snprintf(copy, sizeof copy, "%s", line);
    const char *token = strtok_r(copy, " ", &rest);
    snprintf(word, sizeof word, "%s", token ? token : "");
    token = strtok_r(NULL, " ", &rest);
    snprintf(second, sizeof second, "%s", token ? token : "");
    token = strtok_r(NULL, " ", &rest);
    snprintf(third, sizeof third, "%s", token ? token : "");
    unsigned long n = strtoul(second, NULL, 10);
    bool site = strcmp(second, "site") == 0, up = strcmp(second, "up") == 0;
    if (strcmp(word, "append") == 0)
        while (n--)
            append(s);
    else if (strcmp(word, "run") == 0)
        run_for(s, (int64_t)n * 1000);
    else if (strcmp(word, "site") == 0)
        link_set(&s->link.site, up);
    else if (strcmp(word, "hub") == 0)
        link_set(&s->link.hub, up);
    else if (strcmp(word, "wipe") == 0) {
        link_set(&s->link.site, false);
        link_set(&s->link.hub, false);
        link_wipe(&s->link);
        link_set(&s->link.site, true);
        link_set(&s->link.hub, true);
    } else if (strcmp(word, "kill") == 0 && strcmp(third, "late") == 0)
        s->late = true;
    else if (strcmp(word, "kill") == 0)
        site ? site_kill(s, false) : hub_kill(s);
    else if (strcmp(word, "dead") == 0)
        hub_dead(s, (int64_t)n * 1000);
    else if (strcmp(word, "tear") == 0)
        site_kill(s, true);
    else if (strcmp(word, "renew") == 0)
        site_renew(s);
    else if (strcmp(word, "lose") == 0)
        s->link.lose = (unsigned)n;
    else if (strcmp(word, "twice") == 0)
        s->link.twice = (unsigned)n;
    else if (strcmp(word, "swap") == 0)
        s->link.swap = (unsigned)n;
    else if (strcmp(word, "expect") == 0)
        assert_int_equal(s->stored, n);
    else
        fail_msg("no such line: %s", line);
}

static void play(struct stage *s, const char *text)
{
    char copy[2048];
    char *rest = NULL;
    stage_open(s, 1);
    snprintf(copy, sizeof copy, "%s", text);
    for (char *line = strtok_r(copy, ";", &rest); line; line = strtok_r(NULL, ";", &rest))
        line_play(s, line);
    heal(s, text);
    stage_close(s);
}

static void plays(void **state)
{
    static const char *const texts[] = {
        "append 10;run 3;expect 10",
        "site down;append 40;run 20;expect 0;site up;run 9;expect 40",
        "append 5;run 3;hub down;append 50;run 60;expect 5;hub up;run 9;expect 55",
        "append 30;run 1;wipe;append 5;run 8;expect 35",
        ("site down;append 20;site up;run 3;hub down;append 20;run 1;wipe;hub up;run 9;expect "
         "40"),
        "append 9;kill site;append 9;tear;append 9;run 8;expect 27",
        "append 9;kill hub late;run 1;append 9;run 12;expect 18",
        "append 9;run 1;kill hub;kill site;wipe;append 1;run 9;expect 10",
        "twice 100;append 30;run 9;expect 30",
        "swap 30;append 30;run 20",
        /* A site that has a new certificate goes on after what was stored. */
        "append 9;run 3;renew;append 9;run 3;renew;append 9;run 3;expect 27",
        /* Who is back waits for the hub's word, and not longer than it takes to come. */
        "append 5;run 3;site down;append 1;run 3;site up;run 1;expect 6",
        "append 5;run 3;hub down;site down;site up;append 1;run 1;hub up;run 1;expect 6",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        play(*state, texts[i]);
}

/* A schedule of faults drawn from a seed. */
static void seed_play(struct stage *s, uint64_t seed)
{
    static const char *const lines[] = {"append 3", "append 17", "run 1", "run 1", "run 4",
        "site down", "site up", "hub down", "hub up", "wipe", "kill site", "kill hub",
        "kill hub late", "renew", "tear", "lose 20", "lose 0", "twice 30", "swap 30", "swap 0"};
    char what[32];
    snprintf(what, sizeof what, "seed %" PRIu64, seed);
    stage_open(s, seed);
    for (int i = 0; i < 60; i++)
        line_play(s, lines[rng_below(&s->link.rng, sizeof lines / sizeof *lines)]);
    heal(s, what);
    stage_close(s);
}

/* Play `count` seeds, or no more than KIZASHI_SCHEDULES says, or the one of KIZASHI_SEED. */
static void seeds_play(
    struct stage *s, uint64_t count, void (*one)(struct stage *s, uint64_t seed))
{
    const char *given = getenv("KIZASHI_SEED");
    const char *most = getenv("KIZASHI_SCHEDULES");
    if (given) {
        one(s, strtoull(given, NULL, 10));
        return;
    }
    if (most && strtoull(most, NULL, 10) < count)
        count = strtoull(most, NULL, 10);
    fprintf(stderr, "# %" PRIu64 " schedules\n", count);
    for (uint64_t seed = 1; seed <= count; seed++)
        one(s, seed);
}

static void schedules(void **state)
{
    seeds_play(*state, 200, seed_play);
}

/* Whatever happens to the hub alone, its engines see what they would have seen. */
static void killed_play(struct stage *s, uint64_t seed)
{
    static const char *const lines[] = {"append 3", "append 17", "run 1", "run 1", "run 4",
        "run 9", "kill hub", "kill hub", "kill hub late", "dead 2", "dead 8", "dead 50",
        "twice 30", "twice 0"};
    char what[32];
    snprintf(what, sizeof what, "seed %" PRIu64, seed);
    s->watched = true;
    stage_open(s, seed);
    line_play(s, "append 1");
    line_play(s, "run 1");
    for (int i = 0; i < 60; i++)
        line_play(s, lines[rng_below(&s->link.rng, sizeof lines / sizeof *lines)]);
    heal(s, what);
    run_for(s, 50 * 1000);
    expect_seen(s, what);
    stage_close(s);
}

static void kills(void **state)
{
    seeds_play(*state, 25, killed_play);
}

/* The logbook is read once, whole, also when nothing of it is left to do. */
static void tells_past(void **state)
{
    struct stage *s = *state;
    s->watched = true;
    stage_open(s, 6);
    line_play(s, "append 12");
    line_play(s, "run 5");
    assert_int_equal(s->stored, 12);
    assert_int_equal(s->told.past, 0); /* it began with none */
    line_play(s, "kill hub");
    line_play(s, "run 2");
    assert_int_equal(s->told.past, 1);
    assert_int_equal(s->told.read.messages, 12);
    assert_int_equal(s->told.read.packets, 12);
    assert_int_equal(s->told.read.passed, 0);
    line_play(s, "append 3");
    line_play(s, "kill hub late");
    line_play(s, "run 9");
    assert_int_equal(s->told.past, 2);
    /* What the store had taken and was not noted is passed over: it comes again. */
    assert_int_equal(s->told.read.messages, 12);
    assert_in_range(s->told.read.passed, 1, 3);
    heal(s, "past");
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
    line_play(s, "run 9");
    assert_int_equal(s->told.deaf, 0);
    line_play(s, "run 20");
    assert_int_equal(s->told.deaf, 1);
    assert_string_equal(s->told.text, "no way");
    s->link.deaf = false;
    line_play(s, "append 3");
    line_play(s, "run 9");
    assert_int_equal(s->stored, 3);
    assert_int_equal(s->told.deaf, 1);
    /* And of the next time again. */
    s->link.deaf = true;
    link_set(&s->link.hub, false);
    link_set(&s->link.hub, true);
    line_play(s, "run 13");
    assert_int_equal(s->told.deaf, 2);
    s->link.deaf = false;
    heal(s, "deaf");
    stage_close(s);
}

static void tells_cut(void **state)
{
    struct stage *s = *state;
    s->watched = true;
    s->logbook_cap = 16 << 10;
    stage_open(s, 8);
    line_play(s, "append 1");
    line_play(s, "run 2");
    assert_int_equal(s->told.cut, 0);
    line_play(s, "append 300");
    line_play(s, "run 4");
    assert_int_equal(s->told.cut, 1);
    assert_int_equal(s->told.whole, 0);
    /* The window ends, and the states that have seen it are kept. */
    for (int i = 0; i < 90 && !s->told.whole; i++) {
        append(s);
        run_for(s, 1000);
    }
    assert_int_equal(s->told.cut, 1);
    assert_int_equal(s->told.whole, 1);
    heal(s, "cut");
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
    line_play(s, "append 12");
    line_play(s, "run 5");
    assert_int_equal(s->stored, 12);
    disk_fill(s);
    line_play(s, "append 200");
    line_play(s, "run 5");
    assert_int_equal(s->told.full, 1);
    assert_int_equal(s->told.mended, 1);
    assert_non_null(strstr(s->told.text, "/logbook"));
    assert_non_null(strstr(s->told.text, "No space left on device"));
    assert_int_equal(s->stored, 212);
    /* All that was acknowledged is in the logbook: a hub that is killed reads it. */
    line_play(s, "kill hub");
    line_play(s, "run 5");
    assert_int_equal(s->told.read.messages, 212);
    /* One that is stopped while the disk is full has acknowledged nothing that it lacks. */
    disk_fill(s);
    s->stop_when_full = true;
    line_play(s, "append 200");
    for (int i = 0; i < 10 && s->told.full < 2; i++) /* the last page has room for a few */
        run_for(s, STEP_MS);
    assert_int_equal(s->told.full, 2);
    struct spool_counts c;
    spool_counts(s->spool, &c);
    assert_true(c.committed <= s->stored);
    s->stop_when_full = false;
    atomic_store(&s->stop, false);
    unlink(s->ballast);
    hub_kill(s);
    heal(s, "full disk");
    run_for(s, 90 * 1000);
    expect_seen(s, "full disk");
    stage_close(s);
}

/* The hub begins with nothing while the site is at a high number. */
static void hub_forgets(void **state)
{
    struct stage *s = *state;
    stage_open(s, 3);
    for (int i = 0; i < 40; i++)
        append(s);
    run_for(s, 5000);
    assert_int_equal(s->stored, 40);
    hub_end(s);
    folder_empty(s->folder);
    s->stored = s->contacts = s->id_count = 0;
    link_set(&s->link.hub, false);
    hub_start(s);
    link_set(&s->link.hub, true);
    for (int i = 0; i < 10; i++)
        append(s);
    run_for(s, 20000);
    for (size_t i = 0; i < s->stored; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(s->times[i], s->times[k]);
    bool newest = false;
    for (size_t i = 0; i < s->stored; i++)
        newest |= s->times[i] == 50;
    assert_true(newest);
    assert_true(s->stored >= 10);
    stage_close(s);
}

/* What is hostile in a message is refused once, counted, and does not hold up what follows. */
static void bad_messages(void **state)
{
    struct stage *s = *state;
    struct intake_counts c;
    uint64_t number;
    stage_open(s, 4);
    append(s);
    assert_int_equal(
        spool_append(s->spool, "packet", bytes_over("\1nonsense", 9), 1, &number, NULL), OK);
    assert_int_equal(
        spool_append(s->spool, "surprise", bytes_over("x", 1), 1, &number, NULL), OK);
    append(s);
    run_for(s, 8000);
    intake_counts(s->intake, NULL, &c);
    assert_int_equal(c.refused, 2);
    assert_int_equal(s->stored, 2);
    struct spool_counts spool;
    spool_counts(s->spool, &spool);
    assert_int_equal(spool.committed, 4);
    stage_close(s);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("cut links, lost servers, killed processes: nothing is lost, nothing comes twice",
        plays, stage_make, stage_drop),
    SAYS_WITH("whatever faults befall it, everything is in the store once, and committed",
        schedules, stage_make, stage_drop),
    SAYS_WITH("a hub that is killed at any moment, and is dead for any time: its engines see "
              "all, once, "
              "in order, in its window",
        kills, stage_make, stage_drop),
    SAYS_WITH("a hub that forgot its sites goes on from what they still have", hub_forgets,
        stage_make, stage_drop),
    SAYS_WITH("what is no parcel is refused and counted, and the next one comes through",
        bad_messages, stage_make, stage_drop),
    SAYS_WITH("what was read of a logbook is told once, at its end", tells_past, stage_make,
        stage_drop),
    SAYS_WITH("a site that cannot be received from is told of once, after ten seconds",
        tells_deaf, stage_make, stage_drop),
    SAYS_WITH("a logbook that is too small is told of, and when it is whole again", tells_cut,
        stage_make, stage_drop),
    SAYS_WITH("a full disk of the logbook is told and waited for; nothing acknowledged is lost",
        full_disk, stage_make, stage_drop),
};
TEST_MAIN(tests)
