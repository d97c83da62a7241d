/* The tables that are united by tags, and the SQL that fills them. What screening says of a
 * contact comes after the contact (docs/engines/screen.md), so nothing of it is known while
 * contacts are summed up. When an hour is over its contacts are read once more, each with its
 * tags, and held while all tables take them; days are made of hours. */
#include "store/schema_int.h"

#include <inttypes.h>

enum {
    BUSIEST_OF_TAGS = 2000 /* sources of an hour and set of tags */
};

#define HOURS "intDiv(start, 3600000000) * 3600000000"

static const char *word_type(const struct dialect *dialect)
{
    return dialect->newer ? "LowCardinality(String)" : "String";
}

/* On the disk: an hour may have more contacts than there is memory for. Nothing of it is worth
 * a sync, compression, or an order. */
void schema_screened_table(const struct dialect *dialect, struct buf *out)
{
    const char *word = word_type(dialect);
    const char *raw = dialect->newer ? " CODEC(NONE)" : "";
    buf_printf(out,
        "CREATE TABLE IF NOT EXISTS kz." SCREENED_CONTACTS
        " (time Int64, tags UInt8, site %s, class %s, tool %s, country %s, asn UInt32%s, src "
        "FixedString(16)%s, src_hash UInt32%s, proto UInt8, dport UInt16, packets UInt32%s, "
        "bytes UInt64%s, first Int64%s, last Int64%s) ENGINE = MergeTree ORDER BY tuple()",
        word, word, word, word, raw, raw, raw, raw, raw, raw, raw);
    if (dialect->newer)
        buf_printf(out,
            " SETTINGS min_bytes_for_wide_part = 1073741824, fsync_after_insert = 0, "
            "auto_statistics_types = ''");
}

/* " + 2 * (key IN (...))": the bits of the tags. */
static void put_bits(const char *start, struct buf *out)
{
    for (unsigned tag = 0; tag < TAG_COUNT; tag++)
        buf_printf(out,
            "%s%u * (" CONTACT_KEY " IN (SELECT " CONTACT_KEY
            " FROM kz.tagged WHERE tag = '%s' AND %s))",
            tag ? " + " : "", 1u << tag, tag_name((enum contact_tag)tag), start);
}

static void put_screened(const char *start, struct buf *out)
{
    buf_str(out, "INSERT INTO kz." SCREENED_CONTACTS
                 " (time, tags, site, class, tool, country, asn, src, src_hash, proto, dport, "
                 "packets, bytes, first, last) SELECT " HOURS ", ");
    put_bits(start, out);
    buf_printf(out,
        ", site, class, tool, country, asn, src, src_hash, proto, dport, packets, bytes, "
        "first, "
        "last FROM kz.contact PREWHERE %s AND start IN (SELECT start FROM kz.screening WHERE "
        "tag = "
        "'' AND %s)",
        start, start);
}

void schema_busiest_tags_table(const struct dialect *dialect, struct buf *out)
{
    schema_busiest_rows_table(dialect, BUSIEST_TAGS, "tags UInt8, ", "src, time, tags", out);
}

/* A source that is among the busiest of an hour with some tags has rows of all its tags: what
 * the table has of it in that hour is all there is. They are looked for by their hash, which
 * is twice as quick; one that two share only adds a source. */
static void put_busiest(struct buf *out)
{
    buf_printf(out,
        "INSERT INTO kz." BUSIEST_TAGS
        " (time, tags, src, country, asn, packets, ports, sites, first, last, tool, class, "
        "most) SELECT time, tags, src, max(country), max(asn), sum(packets), " UNIQ
        "State" UNIQ_SIZE
        "(%s), groupUniqArray(toString(site)), min(first), max(last), max(tool), "
        "argMax(class, packets), max(packets) FROM kz." SCREENED_CONTACTS
        " WHERE (time, src_hash) IN (SELECT time, src_hash FROM kz." SCREENED_CONTACTS
        " GROUP BY time, tags, src_hash ORDER BY sum(packets) DESC, src_hash LIMIT %d BY time, "
        "tags) "
        "GROUP BY time, tags, src",
        measure_value(MEASURE_OF_PORTS), BUSIEST_OF_TAGS);
}

/* The statement `step` of those that fill the rollups of this unit; false: there are fewer. */
static bool put_rollup(int64_t unit, unsigned step, const char *time, struct buf *out)
{
    for (size_t i = 0; i < rollup_count; i++) {
        if (!rollups[i].tags || rollups[i].unit != unit)
            continue;
        if (step < UNITE_STEPS) {
            schema_unite(&rollups[i], step, time, out);
            return true;
        }
        step -= UNITE_STEPS;
    }
    return false;
}

bool schema_unite_tags(
    int64_t unit, unsigned step, const char *start, const char *time, struct buf *out)
{
    static const char clear[] = "TRUNCATE TABLE kz." SCREENED_CONTACTS;
    unsigned last = 0;
    if (unit != US_HOUR)
        return put_rollup(unit, step, time, out);
    for (size_t i = 0; i < rollup_count; i++)
        last += rollups[i].tags && rollups[i].unit == unit ? UNITE_STEPS : 0;
    if (step == 0 || step == last + 3)
        buf_str(out, clear); /* the first, in case that a crash or a fault left some */
    else if (step == 1)
        put_screened(start, out);
    else if (step == last + 2)
        put_busiest(out);
    else
        return put_rollup(unit, step - 2, time, out);
    return true;
}
