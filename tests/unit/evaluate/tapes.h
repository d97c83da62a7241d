#ifndef TESTS_UNIT_EVALUATE_TAPES_H
#define TESTS_UNIT_EVALUATE_TAPES_H

#include "base/clock.h"
#include "evaluate/tape.h"
#include "record/proto.h"

#include "test.h"

/* Windows of contacts for tests, as plain as they can be. */

static const int64_t tape_origin = INT64_C(1785715200) * US_SECOND; /* 2026-08-03 */

struct tape_row {
    uint32_t source;
    uint16_t port;
};

static inline void tape_word(struct block *b, size_t column, const char *word, size_t row)
{
    assert_int_equal(block_word(b, column, word, &block_name(b, column)[row]), OK);
}

/* Window number `number` of site s00 with these contacts. */
static inline void tape_put(
    struct tape *t, uint32_t number, const struct tape_row *rows, size_t count)
{
    struct block *b;
    struct fault f = {0};
    assert_int_equal(block_new(&b, &record_contact, count ? count : 1), OK);
    int64_t start = tape_origin + number * 10 * US_MINUTE;
    for (size_t i = 0; i < count; i++) {
        tape_word(b, CONTACT_SITE, "s00", i);
        tape_word(b, CONTACT_CLASS, "scan", i);
        tape_word(b, CONTACT_TOOL, "", i);
        tape_word(b, CONTACT_COUNTRY, "", i);
        block_time(b, CONTACT_START)[i] = start;
        block_ip(b, CONTACT_SRC)[i] = ip_from_v4(0x0b000000 + rows[i].source);
        block_u8(b, CONTACT_PROTO)[i] = PROTO_TCP;
        block_u16(b, CONTACT_DPORT)[i] = rows[i].port;
        block_u32(b, CONTACT_ASN)[i] = 0;
        block_u32(b, CONTACT_PACKETS)[i] = 1;
        block_u64(b, CONTACT_BYTES)[i] = 40;
        block_u64(b, CONTACT_DSTS)[i] = 1;
        block_u64(b, CONTACT_SLOTS)[i] = 1;
        block_u8(b, CONTACT_FLAGS)[i] = 2;
        block_u16(b, CONTACT_WIN)[i] = 0;
        block_time(b, CONTACT_FIRST)[i] = start + (int64_t)i;
        block_time(b, CONTACT_LAST)[i] = start + (int64_t)i + 1;
    }
    b->rows = count;
    const struct block *blocks[] = {b};
    struct window_site site = {.name = "s00", .watching = true, .kept = 1.0};
    const struct window w = {.start = start,
        .length = 10 * US_MINUTE,
        .sites = &site,
        .site_count = 1,
        .kind = &record_contact,
        .blocks = blocks,
        .block_count = 1};
    if (tape_add(t, &w, &f))
        fail_msg("%s", f.text);
    block_free(b);
}

static inline struct tape *tape_open(void)
{
    struct tape *t;
    struct fault f = {0};
    assert_int_equal(tape_new(&t, &f), OK);
    return t;
}

static inline const struct window *tape_show(struct tape *t, size_t number)
{
    const struct window *w;
    struct fault f = {0};
    if (tape_read(t, number, &w, &f))
        fail_msg("%s", f.text);
    return w;
}

#endif
