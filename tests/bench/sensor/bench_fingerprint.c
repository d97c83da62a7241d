/* The built-in rules over packets that lie in the cache: 16,384 packets of a mix, matched again
 * and again. `telescope` is what a darknet sees: mostly SYN of ordinary stacks and of Mirai,
 * Masscan and ZMap, some UDP, ICMP and backscatter. The others are one sort alone. */
#include "base/rng.h"
#include "bench.h"
#include "sensor/fingerprint.h"

enum {
    PACKETS = 1 << 14,
    ROUNDS = 60
};

static struct packet random_syn(struct rng *r)
{
    static const uint16_t windows[] = {1024, 65535, 29200, 14600, 5840, 64240, 8192};
    struct packet p = {.ts = INT64_C(1767225600000000),
        .src = ip_from_v4(rng_u32(r)),
        .dst = ip_from_v4(0xc0000000u + (uint32_t)rng_below(r, 65536)),
        .proto = PROTO_TCP,
        .ttl = (uint8_t)(rng_below(r, 2) ? 40 + rng_below(r, 20) : 230 + rng_below(r, 20)),
        .ip_id = (uint16_t)rng_u32(r),
        .ip_len = 40,
        .sport = (uint16_t)rng_u32(r),
        .dport = (uint16_t)(rng_below(r, 3) ? 23 : rng_u32(r)),
        .tcp_flags = TCP_SYN,
        .tcp_offset = (uint8_t)(rng_below(r, 2) ? 5 : 10),
        .tcp_seq = rng_u32(r)};
    p.tcp_win = windows[rng_below(r, 7)];
    if (p.tcp_offset > 5) {
        p.tcp_mss = 1460;
        p.tcp_opts = 0x24813;
    }
    return p;
}

static struct packet masscan(struct rng *r)
{
    struct packet p = random_syn(r);
    p.ttl = 240;
    p.tcp_win = 1024;
    p.tcp_offset = 5;
    p.tcp_mss = 0;
    p.ip_id = (uint16_t)(ip_v4(&p.dst) ^ p.dport ^ p.tcp_seq);
    return p;
}

static struct packet mirai(struct rng *r)
{
    struct packet p = random_syn(r);
    p.tcp_seq = ip_v4(&p.dst);
    return p;
}

static struct packet udp(struct rng *r)
{
    static const uint8_t payload[] = "M-SEARCH * HTTP/1.1\r\n";
    struct packet p = random_syn(r);
    p.proto = PROTO_UDP;
    p.tcp_flags = 0;
    if (rng_below(r, 3) == 0) {
        p.ip_id = 54321;
        p.ttl = 245;
    }
    p.payload = bytes_over(payload, sizeof payload - 1);
    return p;
}

static struct packet icmp(struct rng *r)
{
    static const uint8_t payload[32];
    struct packet p = random_syn(r);
    p.proto = PROTO_ICMP;
    p.dport = 8;
    p.sport = 0;
    p.payload = bytes_over(payload, sizeof payload);
    return p;
}

static struct packet telescope(struct rng *r)
{
    uint64_t dice = rng_below(r, 100);
    if (dice < 20)
        return mirai(r);
    if (dice < 35)
        return masscan(r);
    if (dice < 47)
        return udp(r);
    if (dice < 50)
        return icmp(r);
    struct packet p = random_syn(r);
    if (dice < 55)
        p.tcp_flags = TCP_SYN | TCP_ACK;
    return p;
}

static const struct mix {
    const char *name;
    struct packet (*make)(struct rng *r);
} mixes[] = {{"telescope", telescope}, {"random SYN", random_syn}, {"masscan", masscan},
    {"mirai", mirai}, {"UDP", udp}, {"ICMP", icmp}};

int main(void)
{
    struct fingerprints *set;
    struct fault f;
    struct packet *p = malloc(PACKETS * sizeof *p);
    if (!p || fingerprints_new(&set, &f))
        return 1;
    for (size_t m = 0; m < sizeof mixes / sizeof mixes[0]; m++) {
        struct bench b = {0};
        struct rng rng;
        rng_seed(&rng, 1);
        for (size_t i = 0; i < PACKETS; i++)
            p[i] = mixes[m].make(&rng);
        size_t hits = 0;
        for (int round = 0; round < ROUNDS; round++) {
            bench_begin(&b);
            for (size_t i = 0; i < PACKETS; i++) {
                struct fingerprint_hits h;
                fingerprints_match(set, &p[i], &h);
                hits += h.count;
            }
            bench_end(&b);
        }
        char name[64];
        snprintf(name, sizeof name, "fingerprint %s (%zu %% hit)", mixes[m].name,
            hits * 100 / PACKETS / ROUNDS);
        bench_print(&b, name, "packets", PACKETS);
    }
    fingerprints_free(set);
    free(p);
    return 0;
}
