#ifndef SENSOR_ROWS_INT_H
#define SENSOR_ROWS_INT_H

#include "decode/packet.h"
#include "record/block.h"

/* Writing packet, contact and dos rows: the numbers that a block gives to words are looked up
 * once a block and word, not once a row. */

enum {
    ROWS_TOOLS = 256 /* rules + 1: number 0 is the empty word */
};

/* The words of one block in one column each. */
struct row_words {
    uint16_t site;
    uint16_t tool[ROWS_TOOLS]; /* number + 1; 0 not yet looked up */
    uint16_t country[27 * 27]; /* the same; by row_country_number() */
};

/* Start with a block: the site's and the classes' words, in the order of CLASS_LIST. Columns
 * are those of the block's kind; class_column is SIZE_MAX if it has none. */
struct row_columns {
    size_t site, class, tool, country;
};
enum err rows_start(struct row_words *w, struct block *b, const struct row_columns *columns,
    const char *site) MUST_CHECK;

/* The number of a tool's word; `number` is what the caller knows it by. */
enum err rows_tool(struct row_words *w, struct block *b, size_t column, unsigned number,
    const char *tool, uint16_t *ret_word) MUST_CHECK;

/* The number of a country's word: two letters, or NULs for the empty word. */
enum err rows_country(struct row_words *w, struct block *b, size_t column,
    const char country[2], uint16_t *ret_word) MUST_CHECK;

/* What the sensor knows beside the packet itself. */
struct row_tags {
    enum packet_class class;
    uint16_t tool;    /* word */
    uint16_t country; /* word */
    uint32_t asn;
};

/* Append one packet. */
enum err rows_put_packet(struct block *b, const struct row_words *w, const struct packet *p,
    const struct row_tags *tags, size_t payload_keep) MUST_CHECK;

#endif
