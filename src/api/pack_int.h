#ifndef API_PACK_INT_H
#define API_PACK_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Files that are part of the program: pack.py puts them into one blob with this table. */

struct packed {
    const char *path; /* "/index.html" */
    const char *type;
    const char *etag; /* with its quotes */
    bool immutable;   /* its name holds a hash of its content */
    const uint8_t *data;
    size_t len;
    const uint8_t *gzip; /* NULL if it does not become smaller */
    size_t gzip_len;
};

/* A row of the table: places in the blob. */
struct pack_row {
    const char *path, *type, *etag;
    bool immutable;
    size_t at, len, gzip_at, gzip_len;
};

struct pack {
    const uint8_t *blob;
    const struct pack_row *rows; /* sorted by path */
    size_t count;                /* 0: the portal was not built */
};

const struct pack *pack_openapi(void);
const struct pack *pack_portal(void);

/* False if there is no such file. */
bool pack_find(const struct pack *p, const char *path, struct packed *ret_file);

#endif
