/* A stream of packets that lie in more parts than are read at once: it goes out by slices of
 * time, and nobody can see where they meet. */
#include "test.h"

#include "store_test.h"
#include "telescope.h"

#include <string.h>

enum {
    PARTS = 100 /* an index entry each at least */
};

static const struct telescope shape = {.seed = 5,
    .sites = 2,
    .sources = 4000,
    .contacts = 500,
    .packets = 4,
    .start = 1767225600 * US_SECOND};

struct world {
    char folder[256];
    struct store *store;
    struct block *packets; /* in time order */
};

static void keep(void *context, const struct block *b)
{
    assert_int_equal(block_append(context, b, 0, b->rows), OK);
}

/* Every part has packets of the whole span: each takes every PARTSth. */
static void append_parts(struct world *w)
{
    for (uint32_t part = 0; part < PARTS; part++) {
        uint32_t rows[1024];
        size_t count = 0;
        char id[32];
        struct block *b = NULL;
        for (uint32_t i = part; i < w->packets->rows && count < 1024; i += PARTS)
            rows[count++] = i;
        assert_int_equal(block_new(&b, &record_packet, 1024), OK);
        assert_int_equal(block_gather(b, w->packets, rows, count), OK);
        snprintf(id, sizeof id, "part-%u", part);
        append_block(w->store, b, id);
        block_free(b);
    }
}

static int world_open(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    if (!w || !store_is_possible())
        return 0;
    new_folder(w->folder);
    w->store = open_store(w->folder);
    store_hurry(w->store); /* no merges */
    struct block *contacts = NULL;
    struct block *piece = NULL;
    assert_int_equal(block_new(&contacts, &record_contact, 1024), OK);
    assert_int_equal(block_new(&piece, &record_packet, 512), OK);
    assert_int_equal(block_new(&w->packets, &record_packet, 1 << 14), OK);
    telescope_window(&shape, 0, contacts);
    telescope_packets(&shape, contacts, piece, keep, w->packets);
    keep(w->packets, piece);
    append_parts(w);
    block_free(contacts);
    block_free(piece);
    return 0;
}

static int world_close(void **state)
{
    struct world *w = *state;
    store_close(w->store);
    if (w->folder[0])
        remove_folder(w->folder);
    block_free(w->packets);
    free(w);
    return 0;
}

static struct world *world_of(void **state)
{
    struct world *w = *state;
    if (!w->store)
        skip();
    return w;
}

static enum err gather(void *context, const void *data, size_t len)
{
    buf_put(context, data, len);
    return OK;
}

/* The answer to `a` is the header and rows [from, to), those of `port` if it is not -1. */
static void assert_streams(
    const struct world *w, const struct ask *a, size_t from, size_t to, int port)
{
    struct buf out;
    struct buf expected;
    struct fault f = {0};
    buf_init(&out, 1 << 26);
    buf_init(&expected, 1 << 26);
    if (store_stream(w->store, a, FORMAT_CSV, gather, &out, &f))
        fail_msg("%s", f.text);
    record_csv_header(&record_packet, &expected);
    for (size_t i = from; i < to; i++)
        if (port < 0 || block_u16(w->packets, PACKET_DPORT)[i] == port)
            block_row_csv(w->packets, i, &expected);
    assert_int_equal(out.len, expected.len);
    assert_memory_equal(out.data, expected.data, out.len);
    buf_done(&out);
    buf_done(&expected);
}

static void a_stream_has_all_packets_in_order(void **state)
{
    struct world *w = world_of(state);
    struct ask a;
    ask_init(&a, ASK_PACKETS);
    assert_in_range(w->packets->rows, 20 * PARTS, w->packets->cap);
    assert_streams(w, &a, 0, w->packets->rows, -1);
}

static void a_stream_keeps_to_span_and_filter(void **state)
{
    struct world *w = world_of(state);
    const int64_t *ts = block_time(w->packets, PACKET_TS);
    size_t from = w->packets->rows / 7;
    size_t to = w->packets->rows - from;
    struct ask a;
    ask_init(&a, ASK_PACKETS);
    while (from && ts[from - 1] == ts[from])
        from--;
    while (ts[to - 1] == ts[to])
        to--;
    a.from = ts[from];
    a.to = ts[to];
    assert_streams(w, &a, from, to, -1);
    a.port = 23;
    assert_streams(w, &a, from, to, 23);
}

struct reader {
    uint64_t rows;
    uint64_t most;
};

static enum err take_some(void *context, const void *data, size_t len)
{
    struct reader *r = context;
    for (const char *at = data; len; len--)
        r->rows += *at++ == '\n';
    return r->rows > r->most ? ERR_STOPPED : OK;
}

static void a_stream_ends_where_its_reader_does(void **state)
{
    struct world *w = world_of(state);
    struct reader r = {.most = 10};
    struct fault f = {0};
    struct ask a;
    ask_init(&a, ASK_PACKETS);
    assert_int_equal(store_stream(w->store, &a, FORMAT_CSV, take_some, &r, &f), ERR_STOPPED);
    assert_true(r.rows < w->packets->rows);
}

static const struct CMUnitTest tests[] = {
    SAYS("a stream over many parts has every packet once, in order",
        a_stream_has_all_packets_in_order),
    SAYS("a stream keeps to its span and its filter", a_stream_keeps_to_span_and_filter),
    SAYS("a stream ends where its reader does", a_stream_ends_where_its_reader_does),
};

int main(void)
{
    return cmocka_run_group_tests(tests, world_open, world_close);
}
