#include "engine/quiet.h"

#include "engine/number.h"

/* How many were ever hit, then each: service, hits, window. */
void quiet_save(const struct quiet *table, struct buf *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SERVICES; i++)
        count += table[i].window != 0;
    buf_le32(out, count);
    for (uint32_t i = 0; i < SERVICES; i++) {
        if (!table[i].window)
            continue;
        buf_le32(out, i);
        number_save(out, (double)table[i].hits);
        buf_le32(out, table[i].window);
    }
}

bool quiet_load(struct quiet *table, uint32_t now, struct bytes *in)
{
    uint32_t count = bytes_le32(in);
    uint32_t next = 0;
    for (uint32_t i = 0; i < count && !in->cut; i++) {
        uint32_t service = bytes_le32(in);
        float hits;
        if (!number_load_float(in, 0.0, 1e9, false, &hits))
            return false;
        uint32_t window = bytes_le32(in);
        if (service < next || service >= SERVICES || !window || window > now)
            return false;
        table[service] = (struct quiet){.hits = hits, .window = window};
        next = service + 1;
    }
    return !in->cut;
}
