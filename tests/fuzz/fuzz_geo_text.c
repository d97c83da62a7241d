/* Text databases of countries: what is read can be laid out and looked up. */
#include "fuzz.h"
#include "geo/geo_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct geo_read r;
    struct fault f;
    size_t crossing[2];
    geo_read_init(&r);
    for (int p = 0; p < GEO_PARTS; p++)
        r.wanted[p] = true;
    enum err e = geo_read_text(&r, "f", bytes_over(data, size), &f);
    if (!e && !ranges_build(&r.country, crossing)) {
        const struct ip ip = ip_from_v4(size ? data[0] * 0x01010101u : 0);
        uint32_t value = ranges_find(&r.country, &ip);
        if (value && (value >> 8 < 'a' || value >> 8 > 'z'))
            abort();
    }
    geo_read_done(&r);
    return 0;
}
