#include "anon/dns_int.h"

#include <string.h>

enum {
    DNS_HEADER = 12,
    LABEL_MAX = 63,
    WIRE_NAME_MAX = 255,
    AFTER_NAME = 4, /* type and class */
};

/* The question's name as text; a dot within a label becomes a dash, which only a name that
 * nobody looks up has. False: cut, compressed or too long. */
static bool name_read(struct bytes *in, char name[WIRE_NAME_MAX + 1])
{
    size_t used = 0;
    for (;;) {
        uint8_t len = bytes_u8(in);
        if (in->cut || len > LABEL_MAX)
            return false;
        if (!len)
            break;
        struct bytes label = bytes_take(in, len);
        if (label.cut || used + len + 1 > WIRE_NAME_MAX)
            return false;
        if (used)
            name[used++] = '.';
        for (size_t i = 0; i < len; i++) {
            uint8_t c = label.at[i];
            name[used++] = c == '.' || c == 0 ? '-' : (char)c;
        }
    }
    name[used] = '\0';
    return true;
}

/* Of a name that is longer than one may be the labels nearest the root stay. */
static size_t name_write(const char *name, uint8_t out[WIRE_NAME_MAX])
{
    while (strlen(name) + 2 > WIRE_NAME_MAX) {
        name += strcspn(name, ".");
        name += *name == '.';
    }
    size_t used = 0;
    while (*name) {
        size_t len = strcspn(name, ".");
        if (len > LABEL_MAX)
            len = LABEL_MAX;
        out[used++] = (uint8_t)len;
        memcpy(out + used, name, len);
        used += len;
        name += len;
        name += *name == '.';
    }
    out[used++] = 0;
    return used;
}

size_t dns_change(const struct anon *a, const struct epoch *e, uint8_t *data, size_t len)
{
    struct bytes in = bytes_over(data, len);
    char name[WIRE_NAME_MAX + 1], mapped[ANON_NAME_ROOM];
    uint8_t wire[WIRE_NAME_MAX];
    bytes_skip(&in, 4);
    uint16_t questions = bytes_be16(&in);
    bytes_skip(&in, DNS_HEADER - 6);
    if (in.cut || !questions || !name_read(&in, name))
        return 0;
    struct bytes after = bytes_take(&in, AFTER_NAME);
    if (after.cut)
        return 0;
    uint8_t kept[AFTER_NAME];
    memcpy(kept, after.at, AFTER_NAME);
    name_map(e, a->policy.rule[ANON_DNS].method, name, mapped);
    size_t used = name_write(mapped, wire);
    memset(data + 4, 0, DNS_HEADER - 4);
    data[5] = 1;
    if (a->policy.rule[ANON_NUMBERS].method != ANON_KEEP)
        memset(data, 0, 2);
    memcpy(data + DNS_HEADER, wire, used);
    memcpy(data + DNS_HEADER + used, kept, AFTER_NAME);
    return DNS_HEADER + used + AFTER_NAME;
}
