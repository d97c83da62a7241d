/* What the readers of all forms hand over. */
#include "geo/geo_int.h"

void geo_read_init(struct geo_read *r)
{
    *r = (struct geo_read){0};
    ranges_init(&r->country);
    ranges_init(&r->asn);
}

void geo_read_done(struct geo_read *r)
{
    ranges_done(&r->country);
    ranges_done(&r->asn);
    geo_names_done(&r->names);
}

static enum err range_take(
    struct geo_read *r, struct ranges *ranges, const struct range_span *span, uint32_t value)
{
    if (r->gather)
        return ranges_add_span(ranges, span, value);
    enum err e = ranges_follow(ranges, span, value);
    r->unordered |= e == ERR_RANGE;
    return e;
}

enum err geo_read_country(struct geo_read *r, const struct range_span *span, const char code[2])
{
    enum geo_part part = span->v4 ? GEO_COUNTRY4 : GEO_COUNTRY6;
    uint32_t value = geo_country_value(code[0], code[1]);
    if (!r->wanted[part])
        return OK;
    r->rows[part]++;
    r->found[part] = true;
    return value == RANGES_NONE ? OK : range_take(r, &r->country, span, value);
}

enum err geo_read_asn(struct geo_read *r, const struct range_span *span, uint32_t asn)
{
    enum geo_part part = span->v4 ? GEO_ASN4 : GEO_ASN6;
    if (!r->wanted[part])
        return OK;
    r->rows[part]++;
    r->found[part] = true;
    return range_take(r, &r->asn, span, asn);
}
