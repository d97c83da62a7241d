/* decode_packet() alone over frames that lie in the cache: 128 frames, decoded again and
 * again for about a second a row. */
#include "base/rng.h"
#include "decode/packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FRAMES = 128,
    ROUNDS = 200,
    SLICES = 1000,
    ROOM = 128
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct shape {
    const char *name;
    uint32_t link;
    size_t len;
    const uint8_t frame[ROOM];
};

#define ETHERNET 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define IP4(total, proto)                                                                      \
    0x45, 0, 0, total, 0xd4, 0x31, 0, 0, 249, proto, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7
#define TCP(words)                                                                             \
    0x9c, 0x40, 0, 23, 1, 2, 3, 4, 0, 0, 0, 0, words << 4, 2, 0xfa, 0xf0, 0, 0, 0, 0
#define LINUX 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7

static const struct shape shapes[] = {
    {"syn-no-options", 1, 54, {ETHERNET, 8, 0, IP4(40, 6), TCP(5)}},
    {"syn-mss", 1, 58, {ETHERNET, 8, 0, IP4(44, 6), TCP(6), 2, 4, 5, 180}},
    {"syn-linux", 1, 74, {ETHERNET, 8, 0, IP4(60, 6), TCP(10), LINUX}},
    {"syn-linux-vlan", 1, 78, {ETHERNET, 0x81, 0, 0, 100, 8, 0, IP4(60, 6), TCP(10), LINUX}},
    {"syn-linux-raw", 101, 60, {IP4(60, 6), TCP(10), LINUX}},
    {"udp", 1, 46, {ETHERNET, 8, 0, IP4(32, 17), 0, 53, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4}},
};

/* Seconds for all frames, ROUNDS times. */
static double decode_slice(const struct shape *s, uint8_t (*frames)[ROOM], uint64_t *sum)
{
    double start = seconds();
    for (size_t i = 0; i < (size_t)FRAMES * ROUNDS; i++) {
        struct packet p;
        struct bytes frame = bytes_over(frames[i % FRAMES], s->len);
        if (decode_packet(s->link, frame, (uint32_t)s->len, &p) != DECODE_OK)
            abort();
        *sum += p.tcp_opts + p.payload.left + p.dport;
    }
    return seconds() - start;
}

static void run(const struct shape *s, uint8_t (*frames)[ROOM])
{
    struct rng rng;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < FRAMES; i++) {
        memcpy(frames[i], s->frame, ROOM);
        frames[i][s->len - 1] ^= (uint8_t)(rng_u32(&rng) & 1);
    }
    uint64_t sum = 0;
    double best = 0;
    for (int slice = 0; slice < SLICES; slice++) {
        double took = decode_slice(s, frames, &sum);
        if (slice == 0 || took < best)
            best = took;
    }
    double each = best / (double)(FRAMES * ROUNDS);
    printf("decode %-15s %6.1f M packets/s %6.1f ns/packet %3zu bytes (sum %llx)\n", s->name,
        1e-6 / each, each * 1e9, s->len, (unsigned long long)sum);
}

int main(void)
{
    uint8_t(*frames)[ROOM] = malloc(sizeof *frames * FRAMES);
    if (!frames)
        return 1;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        run(&shapes[i], frames);
    free(frames);
    return 0;
}
