#include "api/api.h"
#include "api/pack_int.h"

#include <string.h>

bool pack_find(const struct pack *p, const char *path, struct packed *ret_file)
{
    size_t low = 0;
    size_t high = p->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct pack_row *row = &p->rows[middle];
        int order = strcmp(path, row->path);
        if (order == 0) {
            *ret_file = (struct packed){row->path, row->type, row->etag, row->immutable,
                p->blob + row->at, row->len, row->gzip_len ? p->blob + row->gzip_at : NULL,
                row->gzip_len};
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

bool api_has_portal(void)
{
    return pack_portal()->count > 0;
}
