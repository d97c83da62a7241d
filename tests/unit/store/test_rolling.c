/* What goes into the rollups, without an engine: rows of a Native block against plain loops. */
#include "test.h"

#include "telescope.h"

#include "store/rollup_int.h"

#include <stdlib.h>
#include <string.h>

static const struct telescope shape = {.seed = 5,
    .sites = 3,
    .sources = 300,
    .contacts = 400,
    .packets = 3,
    .start = 1767225600 * US_SECOND};

/* --- a reader of what was written ----------------------------------------------------------
 */

struct column_read {
    struct bytes at; /* the values */
    char type[64];
};

static void read_text(struct bytes *in, char to[64])
{
    struct bytes text = bytes_take(in, bytes_varint(in));
    snprintf(to, 64, "%.*s", (int)text.left, (const char *)text.at);
}

static void skip_values(struct bytes *in, const char *type, size_t rows)
{
    static const struct {
        const char *type;
        size_t width;
    } widths[] = {{"Int64", 8}, {"UInt64", 8}, {"UInt32", 4}, {"UInt16", 2}, {"UInt8", 1},
        {"FixedString(16)", 16}};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (strcmp(type, widths[i].type) == 0) {
            bytes_skip(in, rows * widths[i].width);
            return;
        }
    if (strcmp(type, "Array(UInt32)") == 0) {
        uint64_t end = 0;
        for (size_t i = 0; i < rows; i++)
            end = bytes_le64(in);
        bytes_skip(in, end * 4);
        return;
    }
    assert_string_equal(type, "String");
    for (size_t i = 0; i < rows; i++)
        bytes_skip(in, bytes_varint(in));
}

/* The column of that name; fails if the block is cut or has something after its columns. */
static struct column_read find_column(const struct buf *b, const char *name, size_t *ret_rows)
{
    struct bytes in = bytes_over(b->data, b->len);
    struct column_read found = {.type = ""};
    size_t columns = bytes_varint(&in);
    *ret_rows = bytes_varint(&in);
    for (size_t i = 0; i < columns; i++) {
        char here[64];
        char type[64];
        read_text(&in, here);
        read_text(&in, type);
        if (strcmp(here, name) == 0) {
            found.at = in;
            memcpy(found.type, type, sizeof type);
        }
        skip_values(&in, type, *ret_rows);
    }
    assert_false(in.cut);
    assert_int_equal(in.left, 0);
    assert_true(found.type[0]);
    return found;
}

static uint64_t sum_of(const struct buf *b, const char *name)
{
    size_t rows = 0;
    uint64_t sum = 0;
    struct column_read c = find_column(b, name, &rows);
    for (size_t i = 0; i < rows; i++)
        sum += bytes_le64(&c.at);
    return sum;
}

/* --- the contacts --------------------------------------------------------------------------
 */

static struct block *sorted_contacts(uint64_t windows)
{
    struct block *all = NULL;
    struct block *one = NULL;
    struct block *sorted = NULL;
    struct order o = {0};
    assert_int_equal(block_new(&all, &record_contact, 40000), OK);
    assert_int_equal(block_new(&one, &record_contact, 2000), OK);
    assert_int_equal(block_new(&sorted, &record_contact, 40000), OK);
    for (uint64_t i = 0; i < windows; i++) {
        telescope_window(&shape, i, one);
        assert_int_equal(block_append(all, one, 0, one->rows), OK);
    }
    assert_int_equal(contacts_by_source(&o, all), OK);
    assert_int_equal(block_gather(sorted, all, o.rows, o.count), OK);
    order_done(&o);
    block_free(all);
    block_free(one);
    return sorted;
}

static void contacts_are_sorted(void **state)
{
    (void)state;
    struct block *b = sorted_contacts(20);
    const struct ip *src = block_ip(b, CONTACT_SRC);
    const int64_t *start = block_time(b, CONTACT_START);
    assert_int_equal(b->rows, 20 * 3 * 400);
    for (size_t i = 1; i < b->rows; i++) {
        int order = memcmp(&src[i - 1], &src[i], sizeof *src);
        assert_true(order < 0 || (order == 0 && start[i - 1] <= start[i]));
    }
    struct order o = {0};
    assert_int_equal(contacts_by_service(&o, b), OK);
    const uint8_t *proto = block_u8(b, CONTACT_PROTO);
    const uint16_t *port = block_u16(b, CONTACT_DPORT);
    for (size_t i = 1; i < o.count; i++) {
        size_t one = o.rows[i - 1];
        size_t two = o.rows[i];
        uint32_t before = (uint32_t)proto[one] << 16 | port[one];
        uint32_t after = (uint32_t)proto[two] << 16 | port[two];
        assert_true(before < after || (before == after && start[one] <= start[two]));
    }
    order_done(&o);
    block_free(b);
}

/* How many different members the groups have, by sorting all. */
static int compare_pairs(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static uint64_t members_again(const struct groups *g, const uint32_t *member, bool zero_is_none)
{
    uint64_t(*pairs)[2] = calloc(g->rows, sizeof *pairs);
    size_t count = 0;
    uint64_t different = 0;
    assert_non_null(pairs);
    for (size_t i = 0; i < g->rows; i++) {
        if (zero_is_none && !member[i])
            continue;
        pairs[count][0] = g->of[i];
        pairs[count++][1] = member[i];
    }
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++)
        different += !i || memcmp(pairs[i], pairs[i - 1], sizeof *pairs) != 0;
    free(pairs);
    return different;
}

static uint64_t members_written(const struct buf *b, const char *name)
{
    size_t rows = 0;
    uint64_t end = 0;
    struct column_read c = find_column(b, name, &rows);
    assert_string_equal(c.type, "Array(UInt32)");
    for (size_t i = 0; i < rows; i++) {
        uint64_t next = bytes_le64(&c.at);
        assert_true(next >= end);
        end = next;
    }
    return end;
}

static void rollups_hold_what_contacts_do(void **state)
{
    (void)state;
    struct block *b = sorted_contacts(20);
    struct rolling in = {.seq = 77};
    struct buf out;
    uint64_t packets = 0;
    uint64_t bytes = 0;
    size_t rows = 0;
    for (size_t i = 0; i < b->rows; i++) {
        packets += block_u32(b, CONTACT_PACKETS)[i];
        bytes += block_u64(b, CONTACT_BYTES)[i];
    }
    buf_init(&out, 1 << 26);
    assert_int_equal(rolling_begin(&in, b), OK);
    for (size_t i = 0; i < rollup_count; i++) {
        const struct rollup *r = &rollups[i];
        if (r->from)
            continue;
        buf_clear(&out);
        assert_int_equal(rollup_encode(&in, r, &out), OK);
        assert_int_equal(sum_of(&out, "packets"), packets);
        assert_int_equal(sum_of(&out, "bytes"), bytes);
        (void)find_column(&out, "block", &rows);
        assert_int_equal(sum_of(&out, "block"), 77 * rows);
        assert_int_equal(
            members_written(&out, "sources"), members_again(&in.groups, in.hash, false));
        if (r->measures & M_PORTS)
            assert_int_equal(
                members_written(&out, "ports"), members_again(&in.groups, in.service, false));
        if (r->measures & M_COUNTRIES)
            assert_int_equal(members_written(&out, "countries"),
                members_again(&in.groups, in.letters, true));
    }
    rolling_done(&in);
    buf_done(&out);
    block_free(b);
}

/* 6,000 sources of one hour, source i with i packets in two contacts. */
static void busiest_sources_are_kept(void **state)
{
    enum {
        SOURCES = 6000
    };
    (void)state;
    struct block *b = NULL;
    struct rolling in = {.seq = 3};
    struct buf out;
    uint16_t word = 0;
    size_t rows = 0;
    assert_int_equal(block_new(&b, &record_contact, 2 * SOURCES), OK);
    assert_int_equal(block_word(b, CONTACT_COUNTRY, "jp", &word), OK);
    for (uint32_t i = 0; i < 2 * SOURCES; i++) {
        for (size_t c = 0; c < record_contact.column_count; c++)
            if (record_contact.columns[c].type == COLUMN_NAME)
                assert_int_equal(block_word(b, c, "jp", &block_name(b, c)[i]), OK);
        block_time(b, CONTACT_START)[i] = shape.start + (i % 2) * 10 * US_MINUTE;
        block_ip(b, CONTACT_SRC)[i] = ip_from_v4(i / 2);
        block_u8(b, CONTACT_PROTO)[i] = 6;
        block_u16(b, CONTACT_DPORT)[i] = 23;
        block_u32(b, CONTACT_ASN)[i] = 64500;
        block_u32(b, CONTACT_PACKETS)[i] = i % 2 ? i / 2 - i / 4 : i / 4;
        b->rows++;
    }
    buf_init(&out, 1 << 24);
    assert_int_equal(rolling_begin(&in, b), OK);
    assert_int_equal(busiest_encode(&in, &out), OK);
    struct column_read packets = find_column(&out, "packets", &rows);
    assert_int_equal(rows, 2000);
    size_t clear = 0; /* those that have more than twice what the 2,000th has are all there */
    for (size_t i = 0; i < rows; i++) {
        uint64_t here = bytes_le64(&packets.at);
        assert_true(here >= 2048);
        clear += here >= 4096;
    }
    assert_int_equal(clear, SOURCES - 4096);
    struct column_read time = find_column(&out, "time", &rows);
    assert_int_equal((int64_t)bytes_le64(&time.at), shape.start);
    rolling_done(&in);
    buf_done(&out);
    block_free(b);
}

static const struct CMUnitTest tests[] = {
    SAYS("contacts are sorted by source and start, and by service and start",
        contacts_are_sorted),
    SAYS("every rollup holds the packets, bytes and different members of its contacts",
        rollups_hold_what_contacts_do),
    SAYS("of an hour's sources the 2,000 busiest are kept, to the next power of two",
        busiest_sources_are_kept),
};
TEST_MAIN(tests)
