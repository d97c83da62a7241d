#include "test.h"

#include "bus/envelope.h"
#include "bus/parcel.h"
#include "ingest/intake.h"
#include "ingest/pipeline.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* A thousand sites in one process: their messages come over a bus that is a loop here, through
 * the real intake, remotes, sensors and pipeline. */

enum {
    SITES = 1000,
    WINDOWS = 3,
    ROWS = 8,         /* packets of a site in a window */
    THREADS_MOST = 6, /* two of the pipeline, two of the intake, the test's own, one spare */
    KIB_MOST = 1500   /* a site that says little */
};

/* A sanitizer's own memory is not the product's. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

static const int64_t window_us = 600 * US_SECOND;
static const int64_t packets_from = INT64_C(1790000400) * US_SECOND;

struct far {
    char name[16];
    struct remote *remote;
    struct site *site;
};

struct stage {
    struct bus bus;
    struct clock clock;
    struct fingerprints *set;
    struct parcel_writer *writer;
    struct block *block;
    struct catalog *catalog;
    struct intake *intake;
    struct pipeline *pipeline;
    struct far far[SITES];
    atomic_bool stop;
    atomic_size_t rows;
    bool connected;
    size_t sent; /* messages that the bus has brought */
    size_t stored, threads, windows;
    uint64_t packets[WINDOWS][SITES];
    int64_t last[SITES]; /* time of the last packet that was stored */
    atomic_size_t most_rows;
};

/* ---- the bus ---- */

static void parcel_make(struct stage *s, size_t site, size_t window, struct buf *out)
{
    struct sensor_look looks[ROWS] = {0};
    uint16_t icmp_seq[ROWS] = {0};
    struct block *b = s->block;
    struct row {
        uint16_t site, tool, class, country;
    } word;
    block_clear(b);
    assert_int_equal(block_word(b, PACKET_SITE, s->far[site].name, &word.site), OK);
    assert_int_equal(block_word(b, PACKET_TOOL, "", &word.tool), OK);
    assert_int_equal(block_word(b, PACKET_CLASS, "scan", &word.class), OK);
    assert_int_equal(block_word(b, PACKET_COUNTRY, "jp", &word.country), OK);
    for (size_t i = 0; i < ROWS; i++) {
        looks[i].class = CLASS_SCAN;
        b->rows++;
        block_time(b, PACKET_TS)[i] =
            packets_from + (int64_t)window * window_us + (int64_t)(site + i) * 1000;
        block_name(b, PACKET_SITE)[i] = word.site;
        block_name(b, PACKET_TOOL)[i] = word.tool;
        block_name(b, PACKET_CLASS)[i] = word.class;
        block_name(b, PACKET_COUNTRY)[i] = word.country;
        block_u32(b, PACKET_ASN)[i] = 2497;
        block_ip(b, PACKET_SRC)[i] = ip_from_v4((uint32_t)(0x0a000000 + site * ROWS + i));
        block_ip(b, PACKET_DST)[i] = ip_from_v4(0xc6336401);
        block_u8(b, PACKET_PROTO)[i] = PROTO_TCP;
        block_u16(b, PACKET_DPORT)[i] = 23;
        block_u8(b, PACKET_TCP_FLAGS)[i] = TCP_SYN;
        block_u16(b, PACKET_IP_LEN)[i] = 40;
        assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, "", 0), OK);
    }
    struct parcel p = {.packets = b, .looks = looks, .icmp_seq = icmp_seq};
    p.account = (struct parcel_account){
        .replay = true, .end = window == WINDOWS - 1, .masked = true, .frames = ROWS};
    assert_int_equal(parcel_write(s->writer, &p, out), OK);
}

/* Messages window by window, in each all sites. */
static void on_next(void *context, int wait_ms, struct bus_event *ret_event)
{
    struct stage *s = context;
    *ret_event = (struct bus_event){.kind = BUS_NOTHING};
    if (!s->connected) {
        s->connected = true;
        ret_event->kind = BUS_CONNECTED;
        return;
    }
    if (s->sent == SITES * WINDOWS) {
        usleep((useconds_t)wait_ms * 1000);
        return;
    }
    size_t site = s->sent * 7 % SITES, window = s->sent / SITES;
    struct buf parcel, *message = malloc(sizeof *message);
    buf_init(&parcel, 1 << 20);
    buf_init(message, 1 << 20);
    parcel_make(s, site, window, &parcel);
    struct envelope e = {.spool = 7,
        .number = window + 1,
        .previous = window,
        .items = ROWS,
        .kind = "packet",
        .data = bytes_over(parcel.data, parcel.len)};
    envelope_write(&e, message);
    buf_done(&parcel);
    *ret_event = (struct bus_event){
        .kind = BUS_BLOCK, .data = bytes_over(message->data, message->len), .own = message};
    snprintf(ret_event->site, sizeof ret_event->site, "%s", s->far[site].name);
    s->sent++;
}

static void on_release(void *context, struct bus_event *event, bool done)
{
    (void)context;
    (void)done;
    if (!event->own)
        return;
    buf_done(event->own);
    free(event->own);
}

static enum err on_watch(void *context, const char *site, struct fault *f)
{
    (void)context;
    (void)site;
    (void)f;
    return OK;
}

static void on_unwatch(void *context, const char *site)
{
    (void)context;
    (void)site;
}

static void on_say(void *context, const char *site, struct bytes text)
{
    (void)context;
    (void)site;
    (void)text;
}

static const struct bus_ops ops = {.next = on_next,
    .release = on_release,
    .watch = on_watch,
    .unwatch = on_unwatch,
    .say = on_say};

/* ---- the store and the windows ---- */

static enum err on_append(
    void *store, const struct store_block *blocks, size_t count, struct fault *f)
{
    struct stage *s = store;
    (void)f;
    for (size_t i = 0; i < count; i++) {
        const struct block *b = blocks[i].block;
        if (b->kind != &record_packet)
            continue;
        size_t site = strtoul(block_word_at(b, PACKET_SITE, 0) + 1, NULL, 10);
        assert_true(block_time(b, PACKET_TS)[0] > s->last[site]);
        s->last[site] = block_time(b, PACKET_TS)[b->rows - 1];
        s->stored += b->rows;
    }
    size_t rows = atomic_load(&s->rows);
    if (rows > atomic_load(&s->most_rows))
        atomic_store(&s->most_rows, rows);
    return OK;
}

static size_t threads_now(void)
{
    DIR *d = opendir("/proc/self/task");
    size_t count = 0;
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

static size_t memory_kib(void)
{
    char line[128];
    size_t kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtoul(line + 6, NULL, 10);
    fclose(f);
    return kib;
}

static enum err on_window(void *context, const struct window *w)
{
    struct stage *s = context;
    size_t number = (size_t)((w->start - packets_from) / window_us);
    assert_true(number < WINDOWS);
    assert_int_equal(w->site_count, SITES);
    for (size_t i = 0; i < w->site_count; i++)
        s->packets[number][strtoul(w->sites[i].name + 1, NULL, 10)] = w->sites[i].packets;
    /* What the sites told of sources that are masked stays. */
    for (size_t k = 0; k < w->block_count; k++)
        for (size_t row = 0; row < w->blocks[k]->rows; row++) {
            assert_string_equal(block_word_at(w->blocks[k], CONTACT_COUNTRY, row), "jp");
            assert_int_equal(block_u32(w->blocks[k], CONTACT_ASN)[row], 2497);
        }
    size_t threads = threads_now();
    s->threads = threads > s->threads ? threads : s->threads;
    s->windows++;
    return OK;
}

/* Time stands still: however slow the machine is, no site is given up. */
static int64_t still(void *context)
{
    (void)context;
    return packets_from + US_DAY / 2;
}

static void far_make(struct stage *s, size_t number)
{
    struct far *far = &s->far[number];
    struct sensor_shared shared = {.fingerprints = s->set};
    struct remote_options ro = {
        .window = window_us, .stop = &s->stop, .clock = &s->clock, .rows_all = &s->rows};
    struct site_options so = {.shared = &shared, .sensor = {.sources_max = 4096}};
    struct feed *feed;
    struct fault f = {0};
    snprintf(far->name, sizeof far->name, "s%zu", number);
    assert_int_equal(remote_new(&far->remote, &ro), OK);
    assert_int_equal(remote_feed(far->remote, &feed), OK);
    assert_int_equal(site_new(&far->site, far->name, feed, &so), OK);
    assert_int_equal(pipeline_add(s->pipeline, far->site), OK);
    assert_int_equal(intake_add(s->intake, far->name, far->remote, &f), OK);
    remote_alive(far->remote, true);
}

static void stage_begin(struct stage *s, const char *folder)
{
    char path[128];
    struct fault f = {0};
    snprintf(path, sizeof path, "%s/catalog.db", folder);
    s->bus = (struct bus){&ops, s};
    s->clock = (struct clock){still, NULL};
    assert_int_equal(fingerprints_new(&s->set, &f), OK);
    assert_int_equal(parcel_writer_new(&s->writer, s->set), OK);
    assert_int_equal(block_new(&s->block, &record_packet, ROWS), OK);
    assert_int_equal(catalog_open(&s->catalog, path, &f), OK);
    struct intake_options io = {.bus = &s->bus,
        .append = on_append,
        .store = s,
        .catalog = s->catalog,
        .set = s->set,
        .window = window_us,
        .stop = &s->stop,
        .clock = &s->clock};
    assert_int_equal(intake_new(&s->intake, &io, &f), OK);
    struct pipeline_options po = {.window = window_us,
        .threads = 3,
        .room = SITES,
        .stop = &s->stop,
        .events = {.context = s, .window = on_window}};
    assert_int_equal(pipeline_new(&s->pipeline, NULL, 0, &po, &f), OK);
}

static void *intake_thread(void *context)
{
    struct stage *s = context;
    struct fault f = {0};
    assert_int_equal(intake_run(s->intake, &f), OK);
    return NULL;
}

static void stage_end(struct stage *s)
{
    struct fault f = {0};
    pipeline_free(s->pipeline);
    intake_free(s->intake);
    for (size_t i = 0; i < SITES; i++) {
        site_free(s->far[i].site);
        remote_free(s->far[i].remote);
    }
    catalog_close(s->catalog);
    parcel_writer_free(s->writer);
    block_free(s->block);
    fingerprints_free(s->set);
    (void)f;
    free(s);
}

static void thousand(void **state)
{
    (void)state;
    char folder[] = "/tmp/kizashi-many-XXXXXX", command[64];
    struct fault f = {0};
    struct stage *s = calloc(1, sizeof *s);
    pthread_t taking;
    assert_non_null(s);
    assert_non_null(mkdtemp(folder));
    stage_begin(s, folder);
    size_t before = memory_kib();
    for (size_t i = 0; i < SITES; i++)
        far_make(s, i);
    assert_int_equal(pthread_create(&taking, NULL, intake_thread, s), 0);
    assert_int_equal(pipeline_run(s->pipeline, &f), OK);
    size_t each = (memory_kib() - before) / SITES;
    print_message("# %zu KiB a site, %zu threads in all, at most %zu packets waited\n", each,
        s->threads, atomic_load(&s->most_rows));
    atomic_store(&s->stop, true);
    pthread_join(taking, NULL);
    assert_int_equal(s->stored, SITES * WINDOWS * ROWS);
    assert_int_equal(s->windows, WINDOWS);
    for (size_t w = 0; w < WINDOWS; w++)
        for (size_t i = 0; i < SITES; i++)
            assert_int_equal(s->packets[w][i], ROWS);
    assert_true(s->threads <= THREADS_MOST);
    assert_true(SANITIZED || each < KIB_MOST);
    assert_int_equal(atomic_load(&s->rows), 0);
    stage_end(s);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static const struct CMUnitTest tests[] = {
    SAYS("a thousand sites share a few threads; each has its packets in its windows, in order, "
         "and the countries that it told",
        thousand),
};
TEST_MAIN(tests)
