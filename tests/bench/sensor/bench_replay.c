/* What the steps of a replay cost, each alone on one thread, with the packets of a capture held
 * in memory between them:
 *
 *     bench_replay CAPTURE [ROUNDS]
 *
 * One line a step: CPU seconds (the least of the rounds) and ns a packet. The last lines are
 * digests of all packet rows and of all contacts and attacks: equal digests, equal results. */
#include "base/buf.h"
#include "base/hash.h"
#include "bench.h"
#include "geo/geo.h"
#include "sensor/fingerprint.h"
#include "sensor/sensor.h"
#include "sensor/source.h"

#include <string.h>

enum {
    FRAMES = 512,
    BATCH = 512,
    ROUNDS = 3,
    ENCODED_MAX = 1 << 30
};

static const int64_t length = INT64_C(600000000);

enum step {
    STEP_GEO,
    STEP_READ,
    STEP_DECODE,
    STEP_LOOK,
    STEP_TAKE,
    STEP_CLOSE,
    STEP_COUNT
};

static const char *const names[STEP_COUNT] = {"databases", "read", "read and decode",
    "signatures and class", "sources and contacts", "close of windows"};

/* The capture, and what the steps have made of it. */
struct held {
    struct packet *packets;
    struct sensor_look *looks;
    size_t count, room;
    struct buf payload; /* of all packets */
    double least[STEP_COUNT];
};

static void note(struct held *h, enum step step, double began)
{
    double spent = bench_seconds() - began;
    if (h->least[step] <= 0.0 || spent < h->least[step])
        h->least[step] = spent;
}

/* Read all frames; with `decode`, decode each into the same place, and with `keep`, keep it. */
static enum err read_all(
    struct held *h, const char *path, bool decode, bool keep, struct fault *f)
{
    static struct frame frames[FRAMES];
    struct source *source;
    size_t count = 0;
    enum err e = source_open_file(&source, path, f);
    if (e)
        return e;
    while (!e) {
        e = source_next(source, frames, FRAMES, 0, &count, f);
        for (size_t i = 0; !e && decode && i < count; i++) {
            struct packet other;
            if (keep && h->count == h->room) {
                h->room = h->room ? h->room * 2 : 1 << 20;
                h->packets = realloc(h->packets, h->room * sizeof *h->packets);
                if (!h->packets)
                    abort();
            }
            struct packet *p = keep ? &h->packets[h->count] : &other;
            struct bytes frame = bytes_over(frames[i].data, frames[i].len);
            if (decode_packet(frames[i].link, frame, frames[i].wire_len, p) != DECODE_OK ||
                !keep)
                continue;
            p->ts = frames[i].ts;
            buf_put(&h->payload, p->payload.at, p->payload.left);
            h->count++;
        }
    }
    source_close(source);
    return e == ERR_NOTFOUND ? h->payload.err : e;
}

/* Payloads have moved while they were gathered. */
static void point_payloads(struct held *h)
{
    const uint8_t *at = (const uint8_t *)h->payload.data;
    for (size_t i = 0; i < h->count; i++) {
        h->packets[i].payload.at = at;
        at += h->packets[i].payload.left;
    }
}

static void look_all(struct held *h, const struct sensor_shared *shared)
{
    double began = bench_seconds();
    for (size_t i = 0; i < h->count; i++)
        sensor_look(shared, &h->packets[i], &h->looks[i]);
    note(h, STEP_LOOK, began);
}

struct digest {
    struct block *rows; /* of packets; NULL: nobody keeps them */
    uint64_t packets, contacts;
};

static enum err digest_block(uint64_t *digest, const struct block *b)
{
    struct buf text;
    buf_init(&text, ENCODED_MAX);
    enum err e = block_encode(b, &text);
    *digest = hash_two(*digest, hash_bytes(text.data, text.len, 1));
    buf_done(&text);
    return e;
}

static enum err close_window(
    struct sensor *s, int64_t start, double *spent, struct digest *digest)
{
    struct window_site site;
    const struct block *const *blocks;
    const struct block *dos;
    size_t count;
    double began = bench_seconds();
    enum err e = sensor_close_window(s, start, &site, &blocks, &count, &dos);
    *spent += bench_seconds() - began;
    for (size_t i = 0; !e && digest && i < count; i++)
        e = digest_block(&digest->contacts, blocks[i]);
    return e || !digest || !dos ? e : digest_block(&digest->contacts, dos);
}

static enum err take_rows(
    struct sensor *s, const struct held *h, size_t at, size_t count, struct digest *digest)
{
    if (digest)
        block_clear(digest->rows);
    enum err e = sensor_take_looked(
        s, h->packets + at, h->looks + at, count, digest ? digest->rows : NULL);
    return e || !digest ? e : digest_block(&digest->packets, digest->rows);
}

/* All packets through a sensor, window by window. With `digest`, nothing is timed. */
static enum err take_all(
    struct held *h, const struct sensor_shared *shared, struct digest *digest)
{
    const struct sensor_options options = {.secret = 1, .payload_keep = 64};
    struct sensor *s;
    double taking = 0.0, closing = 0.0;
    enum err e = sensor_new(&s, "bench", shared, &options);
    if (e)
        return e;
    for (size_t at = 0; !e && at < h->count;) {
        int64_t start = h->packets[at].ts / length * length;
        double began = bench_seconds();
        while (!e && at < h->count && h->packets[at].ts < start + length) {
            size_t end = at;
            while (end < h->count && end - at < BATCH && h->packets[end].ts < start + length)
                end++;
            e = take_rows(s, h, at, end - at, digest);
            at = end;
        }
        taking += bench_seconds() - began;
        if (!e)
            e = close_window(s, start, &closing, digest);
    }
    sensor_free(s);
    if (!digest) {
        double now = bench_seconds();
        note(h, STEP_TAKE, now - taking);
        note(h, STEP_CLOSE, now - closing);
    }
    return e;
}

static enum err open_databases(struct held *h, struct geo **ret_geo, struct fault *f)
{
    const struct geo_options options = {.automatic = true};
    double began = bench_seconds();
    enum err e = geo_open(ret_geo, &options, f);
    note(h, STEP_GEO, began);
    return e;
}

static enum err round_of(
    struct held *h, const char *path, const struct fingerprints *set, struct fault *f)
{
    struct geo *geo;
    enum err e = open_databases(h, &geo, f);
    if (e)
        return e;
    const struct sensor_shared shared = {.fingerprints = set, .geo = geo};
    double began = bench_seconds();
    e = read_all(h, path, false, false, f);
    note(h, STEP_READ, began);
    began = bench_seconds();
    if (!e)
        e = read_all(h, path, true, false, f);
    note(h, STEP_DECODE, began);
    look_all(h, &shared);
    if (!e)
        e = take_all(h, &shared, NULL);
    geo_close(geo);
    return e;
}

static enum err digest_all(struct held *h, const struct fingerprints *set, struct fault *f)
{
    struct geo *geo;
    struct digest digest = {0};
    enum err e = open_databases(h, &geo, f);
    if (e)
        return e;
    const struct sensor_shared shared = {.fingerprints = set, .geo = geo};
    e = block_new(&digest.rows, &record_packet, BATCH);
    if (!e)
        e = take_all(h, &shared, &digest);
    block_free(digest.rows);
    geo_close(geo);
    printf("packet rows %016llx, contacts and attacks %016llx\n",
        (unsigned long long)digest.packets, (unsigned long long)digest.contacts);
    return e;
}

int main(int argc, char **argv)
{
    struct fault f = {0};
    struct fingerprints *set;
    struct held h = {0};
    int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
    if (argc < 2) {
        puts("no capture is named; bench_replay CAPTURE [ROUNDS]");
        return 0;
    }
    buf_init(&h.payload, ENCODED_MAX);
    enum err e = fingerprints_new(&set, &f);
    if (!e)
        e = read_all(&h, argv[1], true, true, &f);
    h.looks = calloc(h.count + 1, sizeof *h.looks);
    if (!h.looks)
        abort();
    point_payloads(&h);
    for (int i = 0; !e && i < rounds; i++)
        e = round_of(&h, argv[1], set, &f);
    for (int i = 0; !e && i < STEP_COUNT; i++)
        printf("%-22s %6.3f s %8.1f ns/packet\n", names[i], h.least[i],
            h.least[i] / (double)(h.count ? h.count : 1) * 1e9);
    fflush(stdout);
    if (!e)
        e = digest_all(&h, set, &f);
    if (e)
        fprintf(stderr, "%s: %s\n", argv[1], f.text[0] ? f.text : err_text(e));
    fingerprints_free(set);
    buf_done(&h.payload);
    free(h.packets);
    free(h.looks);
    return e != OK;
}
