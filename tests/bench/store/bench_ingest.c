/* Packets and their contacts into a new store: bench_ingest [FOLDER [MILLIONS [PACKETS]]], of
 * PACKETS a contact (4). Input: 8 sites, 2 M sources, windows of 10 minutes with 5,000 contacts
 * a site, seed 1; PACKETS of 1 is a flood in which no source comes twice in a window. Making
 * the rows is not counted. Without FOLDER two million packets go into a store that is removed
 * afterwards. Prints packets/s, CPU and memory. */
#include "store/store.h"

#include "telescope.h"

#include <ftw.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    TOGETHER = 4, /* blocks of packets, as the writer's queue hands them on when it is full, */
    CONTACTS = 6  /* and of contacts */
};

struct bench {
    struct store *store;
    struct block *gathered[TOGETHER];
    size_t count;
    struct block *contacts[CONTACTS];
    size_t contact_count;
    uint64_t rows, packets;
    double wall, cpu;
    double packet_cpu; /* of `cpu`, spent on packets */
};

static double now_wall(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double now_cpu(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* Not exit(): the engine's threads do not survive it while the store is open. */
static void check(enum err e, const struct fault *f)
{
    if (!e)
        return;
    fflush(stdout);
    fprintf(stderr, "bench_ingest: %s\n", f->text);
    _exit(1);
}

/* In one go; what is counted is only this. */
static void append_all(struct bench *bench, const struct block *const *blocks, size_t count)
{
    struct fault f = {0};
    char ids[CONTACTS][64];
    struct store_block all[CONTACTS];
    if (!count)
        return;
    for (size_t i = 0; i < count; i++) {
        snprintf(ids[i], sizeof ids[i], "%s-%016llx", blocks[i]->kind->name,
            (unsigned long long)block_digest(blocks[i]));
        all[i] = (struct store_block){blocks[i], ids[i]};
        bench->rows += blocks[i]->rows;
    }
    double wall = now_wall();
    double cpu = now_cpu();
    check(store_append_all(bench->store, all, count, &f), &f);
    cpu = now_cpu() - cpu;
    bench->wall += now_wall() - wall;
    bench->cpu += cpu;
    if (blocks[0]->kind == &record_packet)
        bench->packet_cpu += cpu;
}

static void append_gathered(struct bench *bench)
{
    append_all(bench, (const struct block *const *)bench->gathered, bench->count);
    bench->count = 0;
}

static void append_contacts(struct bench *bench)
{
    append_all(bench, (const struct block *const *)bench->contacts, bench->contact_count);
    bench->contact_count = 0;
}

static void gather(void *context, const struct block *b)
{
    struct bench *bench = context;
    struct block **to = &bench->gathered[bench->count];
    if (!b->rows)
        return;
    if (!*to)
        telescope_check(block_new(to, &record_packet, TELESCOPE_WINDOW_ROWS));
    block_clear(*to);
    telescope_check(block_append(*to, b, 0, b->rows));
    bench->packets += b->rows;
    if (++bench->count == TOGETHER)
        append_gathered(bench);
}

static int remove_entry(
    const char *path, const struct stat *status, int flag, struct FTW *place)
{
    (void)status;
    (void)flag;
    (void)place;
    return remove(path);
}

static void print(const struct bench *bench)
{
    struct rusage r;
    struct store_usage u;
    struct fault f = {0};
    double packets = (double)bench->packets;
    double contacts = (double)(bench->rows - bench->packets);
    getrusage(RUSAGE_SELF, &r);
    check(store_usage(bench->store, &u, &f), &f);
    printf("store_ingest %.0f packets/s %.0f ns/packet, %.0f ns of CPU (background merges "
           "included): %.1f M packets, %.1f M contacts; %.0f MB RSS, %.1f bytes on disk a "
           "packet\n",
        packets / bench->wall, bench->wall / packets * 1e9, bench->cpu / packets * 1e9,
        packets / 1e6, contacts / 1e6, (double)r.ru_maxrss / 1024,
        (double)u.disk_bytes / packets);
    printf(
        "store_ingest_parts %.0f ns of CPU a packet for packets, %.0f ns of CPU a contact for "
        "contacts and rollups\n",
        bench->packet_cpu / packets * 1e9, (bench->cpu - bench->packet_cpu) / contacts * 1e9);
}

/* What was left for a quiet moment. */
static void keep_up(const struct bench *bench)
{
    struct fault f = {0};
    double wall = now_wall();
    double cpu = now_cpu();
    bool more = true;
    unsigned steps = 0;
    for (; more; steps += more)
        check(store_upkeep(bench->store, &more, &f), &f);
    printf(
        "store_upkeep %u steps, %.1f s, %.0f ns of CPU a packet (background merges included)\n",
        steps, now_wall() - wall, (now_cpu() - cpu) / (double)bench->packets * 1e9);
}

int main(int argc, char **argv)
{
    char own[] = "/tmp/kizashi-bench-XXXXXX";
    const char *folder = argc > 1 ? argv[1] : mkdtemp(own);
    uint64_t millions = argc > 2 ? strtoull(argv[2], NULL, 10) : 2;
    struct telescope t = {.seed = 1,
        .sites = 8,
        .sources = 2000000,
        .contacts = 5000,
        .packets = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 4,
        .start = 1767225600 * US_SECOND};
    struct bench bench = {0};
    struct fault f = {0};
    struct store_options options = {.durable = true};
    struct block *packets = NULL;
    for (size_t i = 0; i < CONTACTS; i++)
        telescope_check(block_new(&bench.contacts[i], &record_contact, TELESCOPE_WINDOW_ROWS));
    telescope_check(block_new(&packets, &record_packet, TELESCOPE_WINDOW_ROWS));
    if (!folder || store_open(&bench.store, folder, &options, &f)) {
        fprintf(stderr, "bench_ingest: %s\n", folder ? f.text : "no folder for the store");
        return 1;
    }
    store_hurry(bench.store);
    for (uint64_t window = 0; bench.packets < millions * 1000000; window++) {
        struct block *contacts = bench.contacts[bench.contact_count];
        telescope_window(&t, window, contacts);
        telescope_packets(&t, contacts, packets, gather, &bench);
        if (++bench.contact_count == CONTACTS)
            append_contacts(&bench);
    }
    append_contacts(&bench);
    append_gathered(&bench);
    print(&bench);
    keep_up(&bench);
    store_close(bench.store);
    if (folder == own)
        nftw(own, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    block_free(packets);
    for (size_t i = 0; i < CONTACTS; i++)
        block_free(bench.contacts[i]);
    for (size_t i = 0; i < TOGETHER; i++)
        block_free(bench.gathered[i]);
    return 0;
}
