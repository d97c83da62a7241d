/* sensor_take() over the traffic of many sources: two million packets in batches of 1,024, one
 * window. Sources are drawn at random, so nearly each packet meets its source and contact out
 * of the cache; `steady` repeats the window on sources that are known. */
#include "base/rng.h"
#include "bench.h"
#include "sensor/fingerprint.h"
#include "sensor/sensor.h"

enum {
    PACKETS = 1 << 21,
    BATCH = 1024,
    ROUNDS = 5
};

static const int64_t start = INT64_C(1767225600000000);
static const int64_t window = INT64_C(600000000);

static void make(struct packet *p, uint32_t sources, int round)
{
    struct rng r;
    rng_seed(&r, (uint64_t)round + 1);
    for (int i = 0; i < PACKETS; i++) {
        uint32_t src = (uint32_t)(rng_below(&r, sources) * 2654435761u);
        uint32_t dst = 0xc0000000u + (uint32_t)rng_below(&r, 4096);
        p[i] = (struct packet){.ts = start + round * window + window / PACKETS * i,
            .src = ip_from_v4(src),
            .dst = ip_from_v4(dst),
            .proto = PROTO_TCP,
            .ttl = 50,
            .ip_id = (uint16_t)rng_u32(&r),
            .ip_len = 40,
            .sport = (uint16_t)rng_u32(&r),
            .dport = (uint16_t)(src % 5 ? 23 : src % 1000),
            .tcp_flags = TCP_SYN,
            .tcp_offset = 5,
            .tcp_win = 5840,
            .tcp_seq = src % 4 ? rng_u32(&r) : dst};
    }
}

static int run(
    const struct sensor_shared *shared, struct packet *p, uint32_t sources, struct block *out)
{
    const struct sensor_options options = {
        .sources_max = 1 << 22, .contacts_max = 1 << 22, .addresses = 4096, .secret = 1};
    struct sensor *s;
    struct bench first = {0}, steady = {0}, closing = {0};
    char name[64];
    if (sensor_new(&s, "bench", shared, &options))
        return 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct window_site site;
        const struct block *const *blocks;
        const struct block *dos;
        size_t count;
        make(p, sources, round);
        struct bench *b = round ? &steady : &first;
        bench_begin(b);
        for (size_t i = 0; i < PACKETS; i += BATCH) {
            if (out)
                block_clear(out);
            if (sensor_take(s, p + i, BATCH, out))
                return 1;
        }
        bench_end(b);
        bench_begin(&closing);
        if (sensor_close_window(s, start, &site, &blocks, &count, &dos))
            return 1;
        bench_end(&closing);
    }
    const char *rows = out ? ", rows" : "";
    snprintf(name, sizeof name, "take %u sources, new%s", sources, rows);
    bench_print(&first, name, "packets", PACKETS);
    snprintf(name, sizeof name, "take %u sources, steady%s", sources, rows);
    bench_print(&steady, name, "packets", PACKETS);
    snprintf(name, sizeof name, "close %u sources%s", sources, rows);
    bench_print(&closing, name, "packets", PACKETS);
    sensor_free(s);
    return 0;
}

int main(void)
{
    struct fingerprints *set;
    struct fault f;
    struct block *out;
    struct packet *p = malloc(PACKETS * sizeof *p);
    if (!p || fingerprints_new(&set, &f) || block_new(&out, &record_packet, BATCH))
        return 1;
    const struct sensor_shared shared = {.fingerprints = set};
    int failed = run(&shared, p, 2000000, NULL) || run(&shared, p, 2000000, out) ||
                 run(&shared, p, 10000, NULL);
    block_free(out);
    fingerprints_free(set);
    free(p);
    return failed;
}
