#ifndef GEO_GEO_INT_H
#define GEO_GEO_INT_H

#include "base/bytes.h"
#include "geo/geo.h"
#include "geo/geo_names_int.h"
#include "geo/ranges.h"

enum geo_part {
    GEO_COUNTRY4,
    GEO_COUNTRY6,
    GEO_ASN4,
    GEO_ASN6,
    GEO_PARTS
};

enum {
    GEO_TEXT = 160
};

/* What one file says of itself. */
struct geo_about {
    char origin[GEO_TEXT];
    char licence[GEO_TEXT];
    int64_t date;
};

/* What is read from one file. `wanted` says which parts are still to be filled; the reader
 * leaves the others alone. */
struct geo_read {
    bool gather;    /* ranges need not come in order */
    bool unordered; /* they did not, so read again and gather */
    bool wanted[GEO_PARTS];
    bool found[GEO_PARTS];
    uint64_t rows[GEO_PARTS];
    struct ranges country, asn;
    struct geo_about about;
    struct geo_names names;
};

void geo_read_init(struct geo_read *r);
void geo_read_done(struct geo_read *r);

/* Add a range of either family; letters as in the file, "??" and what is no country are not
 * added. */
enum err geo_read_country(
    struct geo_read *r, const struct range_span *span, const char code[2]) MUST_CHECK;
enum err geo_read_asn(
    struct geo_read *r, const struct range_span *span, uint32_t asn) MUST_CHECK;

/* The forms. `file` is for the fault. */
enum err geo_read_text(
    struct geo_read *r, const char *file, struct bytes in, struct fault *f) MUST_CHECK;
/* A line as its makers write it, of which GEO_PLAIN_MOST bytes are there or more lines: its
 * length with its end; 0: it is written otherwise. */
enum {
    GEO_PLAIN_MOST = 96
};
size_t geo_plain_row(const uint8_t *line, struct range_span *ret_span, char ret_code[2]);
/* What such a file may have for a country: two capital letters, or one and a digit, or "??". */
static inline bool geo_is_code(const char code[2])
{
    bool first = code[0] >= 'A' && code[0] <= 'Z';
    bool second = (code[1] >= 'A' && code[1] <= 'Z') || (code[1] >= '0' && code[1] <= '9');
    return (first && second) || (code[0] == '?' && code[1] == '?');
}
enum err geo_read_location(
    struct geo_read *r, const char *file, struct bytes in, struct fault *f) MUST_CHECK;
enum err geo_read_mmdb(struct geo_read *r, const char *file, struct fault *f) MUST_CHECK;

/* The letters of a country, in either case, as the value of a range: in lower case.
 * RANGES_NONE: these are no two letters. */
static inline uint32_t geo_country_value(char a, char b)
{
    uint32_t first = (uint8_t)a | 0x20u, second = (uint8_t)b | 0x20u;
    bool letters = first - 'a' < 26 && second - 'a' < 26;
    return letters ? first << 8 | second : RANGES_NONE;
}

#endif
