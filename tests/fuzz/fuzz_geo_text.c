/* Text databases of countries: what is read can be laid out and looked up, and is the same
 * whether it is laid out as it comes or gathered and sorted. */
#include "fuzz.h"
#include "geo/geo_int.h"

#include <stdlib.h>

/* Read, and with `gather` any order of lines; false if it is refused. */
static bool read_text(struct geo_read *r, struct bytes text, bool gather)
{
    struct fault f;
    size_t crossing[2];
    geo_read_init(r);
    r->gather = gather;
    for (int p = 0; p < GEO_PARTS; p++)
        r->wanted[p] = true;
    return !geo_read_text(r, "f", text, &f) && !ranges_build(&r->country, crossing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct geo_read ordered, gathered;
    struct bytes text = bytes_over(data, size);
    bool in_order = read_text(&ordered, text, false);
    bool fine = read_text(&gathered, text, true);
    if (in_order && !fine)
        abort();
    for (unsigned i = 0; fine && i < 256; i++) {
        struct ip ip = ip_from_v4(i * 0x01010101u + (size ? data[i % size] : 0));
        if (i % 2)
            ip.byte[i % 10] = (uint8_t)i;
        uint32_t value = ranges_find(&gathered.country, &ip);
        if (value && (value >> 8 < 'a' || value >> 8 > 'z'))
            abort();
        if (in_order && ranges_find(&ordered.country, &ip) != value)
            abort();
    }
    geo_read_done(&ordered);
    geo_read_done(&gathered);
    return 0;
}
