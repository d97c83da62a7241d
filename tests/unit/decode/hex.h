#ifndef TESTS_UNIT_DECODE_HEX_H
#define TESTS_UNIT_DECODE_HEX_H

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <test.h>

/* A frame under construction, written as hex digits; anything else between them is ignored. */
struct hex {
    uint8_t data[1024];
    size_t len;
};

static inline void hex_add(struct hex *h, const char *digits)
{
    int high = -1;
    for (; *digits; digits++) {
        if (!isxdigit((unsigned char)*digits))
            continue;
        int value = isdigit((unsigned char)*digits) ? *digits - '0' : (*digits | 32) - 'a' + 10;
        if (high < 0) {
            high = value;
            continue;
        }
        assert_true(h->len < sizeof h->data);
        h->data[h->len++] = (uint8_t)(high << 4 | value);
        high = -1;
    }
    assert_int_equal(high, -1);
}

static inline struct hex hex_of(const char *digits)
{
    struct hex h = {.len = 0};
    hex_add(&h, digits);
    return h;
}

#endif
