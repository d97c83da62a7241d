/* location.db: whatever the bytes say, reading ends, and what was read can be laid out. */
#include "fuzz.h"
#include "geo/geo_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct geo_read r;
    struct fault f;
    size_t crossing[2];
    geo_read_init(&r);
    for (int p = 0; p < GEO_PARTS; p++)
        r.wanted[p] = true;
    if (!geo_read_location(&r, "f", bytes_over(data, size), &f) &&
        !ranges_build(&r.country, crossing) && !ranges_build(&r.asn, crossing)) {
        const struct ip ip = ip_from_v4(size ? data[size - 1] * 0x01010101u : 0);
        (void)ranges_find(&r.country, &ip);
        (void)ranges_find(&r.asn, &ip);
    }
    geo_read_done(&r);
    return 0;
}
