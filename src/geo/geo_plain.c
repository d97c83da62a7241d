/* Lines of tor-geoipdb as its makers write them, which nearly all are: read where they stand,
 * without a look at each byte's distance from the end. What is written otherwise is left to the
 * careful reader, which also says what is wrong. */
#include "geo/geo_int.h"

#include <string.h>

enum {
    NUMBER_DIGITS = 10, /* of 2^32 - 1 */
    GROUPS = 8,
    NO_GAP = GROUPS + 1
};

/* One more than the value of a hexadecimal digit; 0 for all other bytes. */
static const uint8_t digit_value[256] = {
    ['0'] = 1,
    ['1'] = 2,
    ['2'] = 3,
    ['3'] = 4,
    ['4'] = 5,
    ['5'] = 6,
    ['6'] = 7,
    ['7'] = 8,
    ['8'] = 9,
    ['9'] = 10,
    ['a'] = 11,
    ['b'] = 12,
    ['c'] = 13,
    ['d'] = 14,
    ['e'] = 15,
    ['f'] = 16,
    ['A'] = 11,
    ['B'] = 12,
    ['C'] = 13,
    ['D'] = 14,
    ['E'] = 15,
    ['F'] = 16,
};

/* The longest that is stepped over before something is found to be no such line: two addresses
 * of eight groups, their marks, and what is looked at behind them. */
_Static_assert(GEO_PLAIN_MOST >= 2 * (GROUPS * 5 + 2) + 8, "a plain line stays within this");

/* Eight bytes as they stand, the first one lowest. */
static inline uint64_t eight_bytes(const uint8_t *at)
{
    uint64_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

/* The value of up to eight digits, which come last of the eight bytes, behind zeros: two, four
 * and eight of them at once. */
static inline uint64_t digits_value(uint64_t digits)
{
    digits &= 0x0f0f0f0f0f0f0f0f;
    digits = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ff;
    digits = (digits * 100 + (digits >> 16)) & 0x0000ffff0000ffff;
    return (digits * 10000 + (digits >> 32)) & UINT32_MAX;
}

/* A whole number and the comma behind it: what follows them, or NULL. */
static inline const uint8_t *number_read(const uint8_t *at, uint64_t *ret_number)
{
    const uint64_t tops = 0x8080808080808080;
    uint64_t bytes = eight_bytes(at);
    /* The highest bit of each byte that is no digit, up to the first of them. */
    uint64_t others = ((bytes + 0x4646464646464646) | (bytes - 0x3030303030303030)) & tops;
    unsigned count = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
    if (!count)
        return NULL;
    uint64_t number = digits_value(bytes << 8 * (8 - count));
    for (; count >= 8 && count < NUMBER_DIGITS && (unsigned)at[count] - '0' < 10; count++)
        number = number * 10 + at[count] - '0';
    *ret_number = number;
    return at[count] == ',' && number <= UINT32_MAX ? at + count + 1 : NULL;
}

/* The digits of a group behind those of others; at most four are read. A last address mostly
 * ends with groups of ones. */
static inline const uint8_t *group_read(const uint8_t *at, struct range_key *key)
{
    uint64_t group = 0;
    if (memcmp(at, "ffff", 4) == 0) {
        group = 0xffff;
        at += 4;
    } else {
        unsigned value = digit_value[*at];
        for (unsigned n = 0; value && n < 4; n++) {
            group = group << 4 | (value - 1);
            value = digit_value[*++at];
        }
    }
    key->high = key->high << 16 | key->low >> 48;
    key->low = key->low << 16 | group;
    return at;
}

/* Groups moved to the left, up to all eight. */
static inline struct range_key groups_shift(struct range_key key, unsigned groups)
{
    unsigned bits = 16 * groups;
    if (bits >= 128)
        return (struct range_key){0};
    if (bits >= 64)
        return (struct range_key){.high = key.low << (bits - 64)};
    if (!bits)
        return key;
    return (struct range_key){key.high << bits | key.low >> (64 - bits), key.low << bits};
}

/* An address of IPv6, "::" in it at most once, and the comma behind it. */
static inline const uint8_t *ip6_read(const uint8_t *at, struct range_key *ret_key)
{
    struct range_key key = {0}, before = {0}; /* the groups after "::", and those before it */
    unsigned count = 0, gap = NO_GAP;
    if (at[0] == ':' && at[1] == ':') {
        gap = 0;
        at += 2;
    }
    while (*at != ',' || gap != count) {
        const uint8_t *first = at;
        if (count++ == GROUPS)
            return NULL;
        at = group_read(at, &key);
        if (at == first)
            return NULL;
        if (*at == ',')
            break;
        if (*at++ != ':')
            return NULL;
        if (*at == ':') {
            if (gap != NO_GAP)
                return NULL;
            gap = count;
            before = key;
            key = (struct range_key){0};
            at++;
        }
    }
    if (gap == NO_GAP ? count != GROUPS : count == GROUPS)
        return NULL;
    before = groups_shift(before, gap == NO_GAP ? 0 : GROUPS - gap);
    key.high |= before.high;
    key.low |= before.low;
    *ret_key = key;
    /* An address of IPv4 in this form is none of IPv6. */
    return range_key_is_mapped(key) ? NULL : at + 1;
}

static inline const uint8_t *key_read(const uint8_t *at, bool v4, struct range_key *ret_key)
{
    if (!v4)
        return ip6_read(at, ret_key);
    ret_key->high = 0;
    return number_read(at, &ret_key->low);
}

size_t geo_plain_row(const uint8_t *line, struct range_span *ret_span, char ret_code[2])
{
    /* A number has no colon among its first five bytes; an address of IPv6 has one. */
    bool v4 = !(
        line[0] == ':' || line[1] == ':' || line[2] == ':' || line[3] == ':' || line[4] == ':');
    struct range_span span = {.v4 = v4};
    const uint8_t *at = key_read(line, v4, &span.first);
    if (at)
        at = key_read(at, v4, &span.last);
    if (!at || !geo_is_code((const char *)at) || at[2] != '\n' ||
        range_key_before(span.last, span.first))
        return 0;
    *ret_span = span;
    ret_code[0] = (char)at[0];
    ret_code[1] = (char)at[1];
    return (size_t)(at + 3 - line);
}
