#ifndef EVALUATE_NICT_H
#define EVALUATE_NICT_H

#include "base/bytes.h"
#include "evaluate/tape.h"

/* The text form of the NICT Darknet Dataset 2022: CSV with the columns time, hash of the
 * source's /16, hash of its address, low 16 bits of the destination, destination port; TCP SYN
 * only. docs/formats/nict.md says what is accepted. */

enum {
    NICT_LINE = 1024, /* bytes of a line */
    NICT_HASH = 128,  /* ... of a hash */
    NICT_SITES = 256
};

struct nict_row {
    int64_t time;     /* us */
    uint64_t network; /* a hash of the hash of the /16 */
    uint64_t source;  /* ... of the address */
    uint16_t dst;     /* low 16 bits */
    uint16_t port;
};

/* One line without its end. ERR_BAD: the fault says which column, counted from 1, and what is
 * allowed there. */
enum err nict_row_parse(
    struct bytes line, struct nict_row *ret_row, struct fault *f) MUST_CHECK;

/* An address that stands for a row's source: fd00::/8, its /48 made from the hash of the /16,
 * so that what engines call a network is the /16; equal for equal hashes. */
struct ip nict_source(const struct nict_row *row);

struct nict_file {
    const char *site;
    const char *path;
};

/**
 * Files of several sites, side by side, as windows of contacts onto a tape. Each file is in
 * order of time, give or take a window. A site watches from its first window to its last.
 *
 * The fault names file, line and column. ERR_NOTFOUND: a file cannot be opened.
 */
enum err nict_record(struct tape *t, const struct nict_file *files, size_t count,
    int64_t window, struct fault *f) MUST_CHECK;

#endif
