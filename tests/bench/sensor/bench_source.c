/* Reading and decoding a capture, one thread. With a file as argument, that file; without one,
 * a capture of 5 M SYN packets (Ethernet, 54 to 74 bytes, four header shapes, seed 1) is made
 * in a temporary folder, and `tcpdump --count` reads the same file for comparison.
 *
 *     read          frames are looked at in the reader's buffer, not decoded
 *     read+decode   every frame becomes a struct packet
 *
 * Seven rounds of each in turn; the figures are those of the best round. */
#include "base/rng.h"
#include "base/wire.h"
#include "decode/packet.h"
#include "sensor/capture_writer.h"
#include "sensor/source.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PACKETS = 5000000,
    BATCH = 1024,
    ROUNDS = 7
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const struct fault *f)
{
    fprintf(stderr, "bench_source: %s\n", f->text);
    exit(1);
}

/* One SYN; the options are none, MSS, those of Linux or those of Windows. */
static uint32_t make_syn(struct rng *rng, uint8_t frame[128])
{
    static const struct {
        uint8_t len, bytes[20];
    } options[] = {
        {0, {0}},
        {4, {2, 4, 5, 180}},
        {20, {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7}},
        {12, {2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2}},
    };
    static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    uint32_t shape = rng_u32(rng) % 4;
    uint32_t len = 40u + options[shape].len;
    memset(frame, 0, 128);
    memcpy(frame, ethernet, sizeof ethernet);
    uint8_t *ip = frame + sizeof ethernet;
    ip[0] = 0x45;
    wire_put16(ip + 2, len);
    wire_put16(ip + 4, rng_u32(rng) & 0xffff);
    ip[8] = 240;
    ip[9] = 6;
    wire_put32(ip + 12, rng_u32(rng));
    wire_put32(ip + 16, 0xc6120000 | (rng_u32(rng) & 0xffff));
    wire_put16(ip + 20, rng_u32(rng) & 0xffff);
    wire_put16(ip + 22, 23);
    wire_put32(ip + 24, rng_u32(rng));
    wire_put16(ip + 32, (uint32_t)(5 + options[shape].len / 4) << 12 | 2);
    wire_put16(ip + 34, 1024);
    memcpy(ip + 40, options[shape].bytes, options[shape].len);
    return (uint32_t)sizeof ethernet + len;
}

static void make_capture(const char *path)
{
    struct fault fault;
    struct capture_writer *w;
    if (capture_writer_open(&w, path, LINK_ETHERNET, 0, &fault))
        fail(&fault);
    struct rng rng;
    rng_seed(&rng, 1);
    double start = seconds();
    enum err err = OK;
    for (int64_t i = 0; i < PACKETS && !err; i++) {
        uint8_t frame[128];
        uint32_t len = make_syn(&rng, frame);
        err = capture_writer_put(w, 1700000000000000 + i * 10, frame, len, len);
    }
    if (capture_writer_close(w, &fault))
        fail(&fault);
    printf("source write            %6.1f M packets/s, with making them up\n",
        PACKETS / (seconds() - start) / 1e6);
}

/* Seconds for the whole file; the sum keeps the compiler from leaving the work out. */
static double read_capture(const char *path, bool decode, uint64_t *ret_frames)
{
    struct fault fault;
    struct source *s;
    static struct frame frames[BATCH];
    uint64_t sum = 0;
    size_t count;
    enum err err;
    double start = seconds();
    if (source_open_file(&s, path, &fault))
        fail(&fault);
    while (!(err = source_next(s, frames, BATCH, -1, &count, &fault))) {
        for (size_t i = 0; i < count; i++) {
            struct packet p;
            if (!decode) {
                sum += frames[i].len;
                continue;
            }
            struct bytes frame = bytes_over(frames[i].data, frames[i].len);
            if (decode_packet(frames[i].link, frame, frames[i].wire_len, &p) == DECODE_OK)
                sum += p.dport + p.tcp_opts;
        }
    }
    double took = seconds() - start;
    if (err != ERR_NOTFOUND)
        fail(&fault);
    struct source_counts counts;
    source_counts(s, &counts);
    source_close(s);
    *ret_frames = counts.frames;
    return sum ? took : 0;
}

/* Seconds, start of the program included, or 0. */
static double run_tcpdump(const char *path)
{
    char command[512];
    snprintf(command, sizeof command, "tcpdump --count -r '%s' >/dev/null 2>&1", path);
    double start = seconds();
    return system(command) == 0 ? seconds() - start : 0;
}

enum way {
    READ,
    DECODE,
    TCPDUMP,
    WAYS
};

static void compare(const char *path)
{
    static const char *const names[WAYS] = {"read", "read+decode", "tcpdump --count"};
    double best[WAYS] = {0};
    uint64_t frames = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const double took[WAYS] = {
            read_capture(path, false, &frames),
            read_capture(path, true, &frames),
            run_tcpdump(path),
        };
        for (int way = 0; way < WAYS; way++) {
            if (round == 0 || took[way] < best[way])
                best[way] = took[way];
        }
    }
    for (int way = 0; way < WAYS; way++) {
        if (best[way] > 0)
            printf("source %-16s %6.1f M packets/s %6.1f ns/packet\n", names[way],
                (double)frames / best[way] / 1e6, best[way] / (double)frames * 1e9);
    }
    if (best[TCPDUMP] > 0)
        printf("source read+decode takes %.2f of the time of tcpdump --count\n",
            best[DECODE] / best[TCPDUMP]);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        compare(argv[1]);
        return 0;
    }
    char folder[] = "/tmp/kizashi-bench-XXXXXX";
    if (!mkdtemp(folder))
        return 1;
    char path[64];
    snprintf(path, sizeof path, "%s/syn.pcap", folder);
    make_capture(path);
    compare(path);
    unlink(path);
    rmdir(folder);
    return 0;
}
