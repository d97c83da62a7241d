/* A parcel from a site. What is read fits its limits, and written again it reads the same. */
#include "fuzz.h"

#include "bus/parcel.h"

#include <assert.h>
#include <stdlib.h>

static void again(const struct parcel_rows *r, const struct fingerprints *set)
{
    struct parcel_writer *w;
    struct parcel_rows back;
    struct buf out;
    struct parcel p = {.packets = r->packets,
        .looks = r->looks,
        .icmp_seq = r->icmp_seq,
        .account = r->account};
    if (parcel_writer_new(&w, set) != OK)
        return;
    buf_init(&out, 64 << 20);
    if (parcel_write(w, &p, &out) == OK) {
        assert(parcel_read(&back, "jp-01", set, bytes_over(out.data, out.len), NULL) == OK);
        assert(block_digest(back.packets) == block_digest(r->packets));
        parcel_rows_done(&back);
    }
    buf_done(&out);
    parcel_writer_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fingerprints *set;
    struct parcel_rows r;
    if (!set && fingerprints_new(&set, NULL) != OK)
        return 0;
    if (parcel_read(&r, "jp-01", set, bytes_over(data, size), NULL) != OK)
        return 0;
    assert(r.packets->rows <= PARCEL_ROWS);
    for (size_t i = 0; i < r.packets->rows; i++) {
        struct packet p;
        parcel_packet(&r, i, &p);
        assert(p.payload.left <= 256 && r.looks[i].class < CLASS_COUNT);
    }
    again(&r, set);
    parcel_rows_done(&r);
    return 0;
}
