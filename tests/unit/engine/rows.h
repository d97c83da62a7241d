#ifndef TESTS_UNIT_ENGINE_ROWS_H
#define TESTS_UNIT_ENGINE_ROWS_H

#include "base/clock.h"
#include "record/window.h"

#include "test.h"

#include <string.h>

/* Windows of contacts that a test writes row by row. */

struct row {
    uint32_t src;
    uint16_t port;
    const char *class;
    const char *tool;
};

enum {
    ROWS_MAX = 512
};

static inline uint16_t word(struct block *b, size_t column, const char *text)
{
    uint16_t number = 0;
    assert_int_equal(block_word(b, column, text, &number), OK);
    return number;
}

/* A window of one site with these rows; the block is the test's. */
struct made {
    struct block *block;
    const struct block *blocks[1];
    struct window_site site;
    struct window window;
};

static inline void rows_make(
    struct made *m, unsigned number, const struct row *rows, size_t count)
{
    struct block *b;
    assert_int_equal(block_new(&b, &record_contact, ROWS_MAX), OK);
    int64_t start = INT64_C(1786924800000000) + number * 10 * US_MINUTE;
    for (size_t i = 0; i < count; i++) {
        block_time(b, CONTACT_START)[i] = start;
        block_name(b, CONTACT_SITE)[i] = word(b, CONTACT_SITE, "s00");
        block_ip(b, CONTACT_SRC)[i] = ip_from_v4(rows[i].src);
        block_u8(b, CONTACT_PROTO)[i] = 6;
        block_u16(b, CONTACT_DPORT)[i] = rows[i].port;
        block_name(b, CONTACT_CLASS)[i] = word(b, CONTACT_CLASS, rows[i].class);
        block_name(b, CONTACT_TOOL)[i] = word(b, CONTACT_TOOL, rows[i].tool);
        block_name(b, CONTACT_COUNTRY)[i] = word(b, CONTACT_COUNTRY, "kr");
        block_u32(b, CONTACT_ASN)[i] = 0;
        block_u32(b, CONTACT_PACKETS)[i] = 1;
        block_u64(b, CONTACT_BYTES)[i] = 40;
        block_u64(b, CONTACT_DSTS)[i] = UINT64_C(1) << (rows[i].src + number) % 64;
        block_u64(b, CONTACT_SLOTS)[i] = 1;
        block_time(b, CONTACT_FIRST)[i] = start + (int64_t)i;
        block_time(b, CONTACT_LAST)[i] = start + (int64_t)i;
        block_u8(b, CONTACT_FLAGS)[i] = 2;
        block_u16(b, CONTACT_WIN)[i] = 0;
        b->rows++;
    }
    m->block = b;
    m->blocks[0] = b;
    m->site = (struct window_site){.name = "s00", .watching = true, .kept = 1.0};
    m->window = (struct window){.start = start,
        .length = 10 * US_MINUTE,
        .sites = &m->site,
        .site_count = 1,
        .kind = &record_contact,
        .blocks = m->blocks,
        .block_count = 1};
}

#endif
