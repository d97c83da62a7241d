#ifndef API_LINES_INT_H
#define API_LINES_INT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Counts and cuts a stream of rows that comes in pieces of any size: a JSON array of objects,
 * which becomes one object a line, or CSV with a header, which stays as it is. */
struct lines {
    bool csv;
    uint64_t most; /* rows that are let through; 0: all */
    uint64_t rows;
    int depth; /* JSON: of brackets */
    bool quoted, escaped;
    bool header_seen; /* CSV */
};

/* Append what passes to `out`. True: as many rows as are wanted have passed. */
bool lines_pass(struct lines *l, const char *data, size_t len, struct buf *out);

#endif
