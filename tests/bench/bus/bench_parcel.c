/* What a parcel costs: bytes and nanoseconds a packet, written and read, for captures that are
 * named on the command line. The peer is the block's own form through zstd. */
#include "bench.h"

#include "bus/parcel.h"
#include "sensor/source.h"

#include <string.h>

enum {
    ROUNDS = 5,
    FRAMES = 512
};

struct load {
    struct block *block;
    struct sensor_look *looks;
    uint16_t *icmp_seq;
    struct sensor *sensor;
    struct sensor_shared shared;
    struct parcel_writer *writer;
    size_t rows, parcel_bytes, block_bytes, captured;
    double write, read, pack;
    int64_t window;
};

static void check(enum err e, const struct fault *f)
{
    if (!e)
        return;
    fprintf(stderr, "bench_parcel: %s\n", f ? f->text : err_text(e));
    exit(1);
}

static void parcel_measure(struct load *l, size_t most)
{
    struct fault f = {0};
    struct buf out, packed;
    if (!l->block->rows)
        return;
    struct parcel p = {.packets = l->block, .looks = l->looks, .icmp_seq = l->icmp_seq};
    for (int i = 0; i < ROUNDS; i++) {
        buf_init(&out, 64 << 20);
        double t = bench_seconds();
        check(parcel_write(l->writer, &p, &out), NULL);
        l->write += (bench_seconds() - t) / ROUNDS;
        struct parcel_rows rows;
        t = bench_seconds();
        check(parcel_read(
                  &rows, "site", l->shared.fingerprints, bytes_over(out.data, out.len), &f),
            &f);
        l->read += (bench_seconds() - t) / ROUNDS;
        if (block_digest(rows.packets) != block_digest(l->block))
            check(ERR_BAD, NULL);
        parcel_rows_done(&rows);
        if (i == 0)
            l->parcel_bytes += out.len;
        buf_done(&out);
    }
    buf_init(&packed, block_encoded_max(&record_packet));
    double t = bench_seconds();
    check(block_pack(l->block, 3, &packed), NULL);
    l->pack += bench_seconds() - t;
    l->block_bytes += packed.len;
    buf_done(&packed);
    l->rows += l->block->rows;
    block_clear(l->block);
    (void)most;
}

static void frame_take(struct load *l, const struct frame *frame, size_t most)
{
    struct packet p;
    if (decode_packet(frame->link, bytes_over(frame->data, frame->len), frame->wire_len, &p) !=
        DECODE_OK)
        return;
    p.ts = frame->ts;
    int64_t start = p.ts - p.ts % 600000000;
    if (l->window && start > l->window) {
        struct window_site about;
        const struct block *const *blocks;
        const struct block *dos;
        size_t count;
        check(sensor_close_window(l->sensor, l->window, &about, &blocks, &count, &dos), NULL);
    }
    l->window = start > l->window ? start : l->window;
    size_t row = l->block->rows;
    sensor_look(&l->shared, &p, &l->looks[row]);
    check(sensor_take_looked(l->sensor, &p, &l->looks[row], 1, l->block), NULL);
    l->icmp_seq[row] = p.icmp_seq;
    l->captured += frame->len;
    if (l->block->rows == most)
        parcel_measure(l, most);
}

static void file_measure(const char *path, size_t most)
{
    struct fault f = {0};
    struct load l = {0};
    struct fingerprints *set;
    struct source *s;
    static struct frame frames[FRAMES];
    struct sensor_options options = {.payload_keep = 64, .secret = 1};
    check(fingerprints_new(&set, &f), &f);
    l.shared.fingerprints = set;
    check(sensor_new(&l.sensor, "site", &l.shared, &options), NULL);
    check(parcel_writer_new(&l.writer, set), NULL);
    check(block_new(&l.block, &record_packet, PARCEL_ROWS), NULL);
    l.looks = calloc(PARCEL_ROWS, sizeof *l.looks);
    l.icmp_seq = calloc(PARCEL_ROWS, sizeof *l.icmp_seq);
    check(source_open_file(&s, path, &f), &f);
    size_t count;
    while (source_next(s, frames, FRAMES, 0, &count, &f) == OK)
        for (size_t i = 0; i < count; i++)
            frame_take(&l, &frames[i], most);
    parcel_measure(&l, most);
    double n = l.rows ? (double)l.rows : 1;
    printf("%s: %zu packets, %zu a parcel: captured %.1f, zstd block %.2f, parcel %.2f bytes "
           "each; block written in %.0f ns, parcel written in %.0f, read in %.0f\n",
        path, l.rows, most, (double)l.captured / n, (double)l.block_bytes / n,
        (double)l.parcel_bytes / n, l.pack / n * 1e9, l.write / n * 1e9, l.read / n * 1e9);
    source_close(s);
    parcel_writer_free(l.writer);
    sensor_free(l.sensor);
    block_free(l.block);
    free(l.looks);
    free(l.icmp_seq);
    fingerprints_free(set);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {PARCEL_ROWS, 4096, 256};
    for (int i = 1; i < argc; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            file_measure(argv[i], sizes[k]);
    if (argc == 1)
        printf("bench_parcel: name captures\n");
    return 0;
}
