#include "store/schema_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *column;
    size_t of;
} dimensions[] = {
#define X(id, column, of) {column, of},
    DIMENSIONS(X)
#undef X
};

static const struct {
    const char *column, *joined, *value;
} measures[] = {
#define X(id, column, joined, value) {column, joined, value},
    MEASURES(X)
#undef X
};

#define COUNTS (M_PACKETS | M_BYTES | M_SOURCES)

/* Rows that are read at once, though one key is asked for. Sets and sketches are dear to read:
 * one of a whole site has thousands of members, one of a service mostly a few. */
enum {
    RECORD_ROWS = 8192,
    SOURCE_ROWS = 1024,
    ROLLUP_ROWS = 1024,
    UNITED_ROWS = 256,
    SOME_ROWS = 64,
    FEW_ROWS = 16
};

/* Rows of one day stand together, and in a day those of one key: a span is read without its
 * neighbours, and so is a key. */
#define DAY    "intDiv(time, 86400000000), "
#define TAGS   "tags, "
#define PLACES (DIM_SITE | DIM_CLASS)
#define WHOLE  (COUNTS | M_PORTS | M_FIRST | M_LAST)

const struct rollup rollups[] = {
    {"total_day", "Each site and class by day.", US_DAY, PLACES, WHOLE, "class, site, time",
        "total", PLACES, FEW_ROWS, false},
    {"tool_day", "Each tool by day and site.", US_DAY, DIM_TOOL | PLACES, COUNTS | M_PORTS,
        "class, site, time, tool", "tool_hour", PLACES, FEW_ROWS, false},
    {"country_day", "Each country by day.", US_DAY, DIM_COUNTRY | DIM_CLASS, COUNTS | M_PORTS,
        "class, time, country", "country_hour", DIM_CLASS, FEW_ROWS, false},
    {"port_day", "Each service by day.", US_DAY, DIM_PROTO | DIM_PORT | DIM_CLASS,
        COUNTS | M_COUNTRIES, "class, time, proto, dport", "port_hour", DIM_CLASS, UNITED_ROWS,
        false},
    {"asn_day", "Each network by day.", US_DAY, DIM_ASN | DIM_COUNTRY | DIM_CLASS,
        COUNTS | M_PORTS, "class, time, asn, country", "asn_hour", DIM_CLASS, UNITED_ROWS,
        false},
    {"total_once", "Each site and class by hour.", US_HOUR, PLACES, WHOLE, "class, site, time",
        "total", PLACES, FEW_ROWS, false},
    {"tool_once", "Each tool by hour.", US_HOUR, DIM_TOOL | DIM_CLASS, COUNTS | M_PORTS,
        "class, tool, time", "tool_hour", DIM_CLASS, FEW_ROWS, false},
    {"country_once", "Each country by hour.", US_HOUR, DIM_COUNTRY | DIM_CLASS,
        COUNTS | M_PORTS, "class, " DAY "country, time", "country_hour", DIM_CLASS, SOME_ROWS,
        false},
    {"port_once", "Each service by hour.", US_HOUR, DIM_PROTO | DIM_PORT | DIM_CLASS,
        COUNTS | M_COUNTRIES, "class, " DAY "proto, dport, time", "port_hour", DIM_CLASS,
        UNITED_ROWS, false},
    {"asn_once", "Each network by hour.", US_HOUR, DIM_ASN | DIM_COUNTRY | DIM_CLASS,
        COUNTS | M_PORTS, "class, " DAY "asn, country, time", "asn_hour", DIM_CLASS,
        UNITED_ROWS, false},
    {"total", "Each site and class by ten minutes.", 10 * US_MINUTE, PLACES, WHOLE,
        "time, site, class", NULL, 0, ROLLUP_ROWS, false},
    {"tool_hour", "Each tool by hour and site.", US_HOUR, DIM_TOOL | PLACES, COUNTS | M_PORTS,
        "time, tool, class, site", NULL, 0, ROLLUP_ROWS, false},
    {"country_hour", "Each country by hour and site.", US_HOUR, DIM_COUNTRY | PLACES,
        COUNTS | M_PORTS, DAY "country, time, class, site", NULL, 0, ROLLUP_ROWS, false},
    {"port_hour", "Each service by hour and site.", US_HOUR, DIM_PROTO | DIM_PORT | PLACES,
        COUNTS | M_COUNTRIES, DAY "site, proto, dport, time, class", NULL, 0, ROLLUP_ROWS,
        false},
    {"asn_hour", "Each network by hour.", US_HOUR, DIM_ASN | DIM_COUNTRY | DIM_CLASS,
        COUNTS | M_PORTS, DAY "asn, country, time, class", NULL, 0, ROLLUP_ROWS, false},
    {"total_tags_day", "Each site and class by day and tags.", US_DAY, PLACES, WHOLE,
        TAGS "class, site, time", "total_tags_once", PLACES, FEW_ROWS, true},
    {"tool_tags_day", "Each tool by day and tags.", US_DAY, DIM_TOOL, COUNTS | M_PORTS,
        TAGS "time, tool", "tool_tags_once", 0, FEW_ROWS, true},
    {"country_tags_day", "Each country by day and tags.", US_DAY, DIM_COUNTRY, COUNTS | M_PORTS,
        TAGS "time, country", "country_tags_once", 0, FEW_ROWS, true},
    {"port_tags_day", "Each service by day and tags.", US_DAY, DIM_PROTO | DIM_PORT,
        COUNTS | M_COUNTRIES, TAGS "time, proto, dport", "port_tags_once", 0, UNITED_ROWS,
        true},
    {"asn_tags_day", "Each network by day and tags.", US_DAY, DIM_ASN | DIM_COUNTRY,
        COUNTS | M_PORTS, TAGS "time, asn, country", "asn_tags_once", 0, UNITED_ROWS, true},
    {"total_tags_once", "Each site and class by hour and tags.", US_HOUR, PLACES, WHOLE,
        TAGS "class, site, time", SCREENED_CONTACTS, PLACES, FEW_ROWS, true},
    {"tool_tags_once", "Each tool by hour and tags.", US_HOUR, DIM_TOOL, COUNTS | M_PORTS,
        TAGS "tool, time", SCREENED_CONTACTS, 0, FEW_ROWS, true},
    {"country_tags_once", "Each country by hour and tags.", US_HOUR, DIM_COUNTRY,
        COUNTS | M_PORTS, TAGS DAY "country, time", SCREENED_CONTACTS, 0, SOME_ROWS, true},
    {"port_tags_once", "Each service by hour and tags.", US_HOUR, DIM_PROTO | DIM_PORT,
        COUNTS | M_COUNTRIES, TAGS DAY "proto, dport, time", SCREENED_CONTACTS, 0, UNITED_ROWS,
        true},
    {"asn_tags_once", "Each network by hour and tags.", US_HOUR, DIM_ASN | DIM_COUNTRY,
        COUNTS | M_PORTS, TAGS DAY "asn, country, time", SCREENED_CONTACTS, 0, UNITED_ROWS,
        true},
};
const size_t rollup_count = sizeof rollups / sizeof *rollups;

const char *dimension_column(enum dimension d)
{
    return dimensions[d].column;
}

size_t dimension_of_contact(enum dimension d)
{
    return dimensions[d].of;
}

const char *measure_column(enum measure m)
{
    return measures[m].column;
}

const char *measure_joined(enum measure m)
{
    return measures[m].joined;
}

const char *measure_value(enum measure m)
{
    return measures[m].value;
}

bool measure_is_set(enum measure m)
{
    return strcmp(measures[m].joined, "UNIQ") == 0;
}

void measure_put_members(enum measure m, bool state, const char *value, struct buf *out)
{
    const char *form = state ? "State" : "";
    if (m == MEASURE_OF_COUNTRIES)
        buf_printf(out, UNIQ "If%s" UNIQ_SIZE "(%s, %s != 0)", form, value, value);
    else
        buf_printf(out, UNIQ "%s" UNIQ_SIZE "(%s)", form, value);
}

static const char *sql_type(const struct dialect *dialect, const struct column *c)
{
    switch (c->type) {
    case COLUMN_U8:
        return "UInt8";
    case COLUMN_U16:
        return "UInt16";
    case COLUMN_U32:
        return "UInt32";
    case COLUMN_U64:
        return "UInt64";
    case COLUMN_TIME:
        return dialect->newer ? "Int64 CODEC(Delta, LZ4)" : "Int64";
    case COLUMN_IP:
        return "FixedString(16)";
    case COLUMN_NAME:
        return dialect->newer ? "LowCardinality(String)" : "String";
    case COLUMN_BYTES:
        return "String";
    }
    return "";
}

static const char *sort_of(const struct record *kind)
{
    if (kind == &record_contact)
        return "proto, dport, start";
    if (kind == &record_dos)
        return "site, victim, start";
    return record_time(kind);
}

static void put_table(
    const struct dialect *dialect, const char *name, const char *columns, struct buf *out)
{
    buf_printf(out, "CREATE TABLE IF NOT EXISTS kz.%s (%s, block UInt64%s)", name, columns,
        dialect->newer ? ", INDEX block_range block TYPE minmax GRANULARITY 1" : "");
}

/* Small parts are kept in one file each: an insert then costs 12 fsyncs instead of 76. Of what
 * is made in quiet moments and asked for a column or two, large ones are not: in one file the
 * numbers stand between the sketches, and are four times as dear to read. */
enum {
    RECORD_WIDE = 256 << 20,
    UNITED_WIDE = 1 << 20
};

struct storing {
    const char *time; /* the column that says when */
    int64_t partition;
    const char *order;
    unsigned granule, wide;
};

/* Merges take sixteen parts of a size rather than five, and none that would make more than 64
 * MiB: what they cost is how often a row is written again, more each time than the insert.
 * The engine's statistics of columns, which it would make at every merge, are of no use to
 * questions that name their tables. */
static void put_engine(
    const struct dialect *dialect, const struct storing *how, struct buf *out)
{
    buf_printf(out,
        " ENGINE = MergeTree PARTITION BY intDiv(%s, %" PRId64
        ") ORDER BY (%s) SETTINGS index_granularity = %u",
        how->time, how->partition, how->order, how->granule);
    if (dialect->newer)
        buf_printf(out,
            ", min_bytes_for_wide_part = %u, merge_selector_base = 16, "
            "max_bytes_to_merge_at_max_space_in_pool = 67108864, "
            "parts_to_delay_insert = 3000, parts_to_throw_insert = 6000, "
            "auto_statistics_types = ''",
            how->wide);
    if (dialect->newer && dialect->durable)
        buf_str(out, ", " SCHEMA_DURABLE);
}

/* Where contacts by source have no use for it. */
static bool left_out(const char *table, const char *column)
{
    return strcmp(table, CONTACT_BY_SOURCE) == 0 &&
           (strcmp(column, "dsts") == 0 || strcmp(column, "slots") == 0);
}

static void put_record_columns(const struct dialect *dialect, const struct record *kind,
    const char *table, struct buf *out)
{
    for (size_t i = 0; i < kind->column_count; i++)
        if (!left_out(table, kind->columns[i].name))
            buf_printf(out, "%s%s %s", i ? ", " : "", kind->columns[i].name,
                sql_type(dialect, &kind->columns[i]));
    if (kind == &record_contact)
        buf_str(out, ", src_hash UInt32");
}

static void record_table(const struct dialect *dialect, const struct record *kind,
    const char *name, const char *order, unsigned granule, struct buf *out)
{
    struct buf columns;
    buf_init(&columns, 1 << 16);
    put_record_columns(dialect, kind, name, &columns);
    put_table(dialect, name, (const char *)columns.data, out);
    struct storing how = {record_time(kind), RECORD_PARTITION, order, granule, RECORD_WIDE};
    put_engine(dialect, &how, out);
    out->err = out->err ? out->err : columns.err;
    buf_done(&columns);
}

void schema_record_table(
    const struct dialect *dialect, const struct record *kind, struct buf *out)
{
    record_table(dialect, kind, kind->name, sort_of(kind), RECORD_ROWS, out);
}

void schema_record_columns(const struct dialect *dialect, const struct record *kind,
    const char *table, struct buf *out)
{
    buf_printf(out, "ALTER TABLE kz.%s", table);
    const char *comma = "";
    for (size_t i = 0; i < kind->column_count; i++) {
        if (left_out(table, kind->columns[i].name))
            continue;
        buf_printf(out, "%s ADD COLUMN IF NOT EXISTS %s %s", comma, kind->columns[i].name,
            sql_type(dialect, &kind->columns[i]));
        comma = ",";
    }
}

void schema_by_source_table(const struct dialect *dialect, struct buf *out)
{
    record_table(dialect, &record_contact, CONTACT_BY_SOURCE, "src, start", SOURCE_ROWS, out);
}

void schema_rollup_table(const struct dialect *dialect, const struct rollup *r, struct buf *out)
{
    struct buf columns;
    buf_init(&columns, 1 << 16);
    buf_printf(&columns, "time Int64%s", r->tags ? ", tags UInt8" : "");
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        if (r->dimensions & 1u << d)
            buf_printf(&columns, ", %s %s", dimensions[d].column,
                sql_type(dialect, &record_contact.columns[dimensions[d].of]));
    for (unsigned m = 0; m < MEASURE_COUNT; m++) {
        if (!(r->measures & 1u << m))
            continue;
        bool time = m == MEASURE_OF_FIRST || m == MEASURE_OF_LAST;
        bool set = measure_is_set((enum measure)m);
        buf_printf(&columns, ", %s %s", measures[m].column,
            set && r->from ? UNIQ_STATE
            : set          ? "Array(UInt32)"
            : time         ? "Int64"
                           : "UInt64");
        if (set && r->from)
            buf_printf(&columns, ", %s_n UInt32", measures[m].column);
    }
    if (r->from) /* made again if it fails half way: no inserts to tell apart */
        buf_printf(
            out, "CREATE TABLE IF NOT EXISTS kz.%s (%s)", r->name, (const char *)columns.data);
    else
        put_table(dialect, r->name, (const char *)columns.data, out);
    struct storing how = {
        "time", ROLLUP_PARTITION, r->order, r->granule, r->from ? UNITED_WIDE : RECORD_WIDE};
    put_engine(dialect, &how, out);
    out->err = out->err ? out->err : columns.err;
    buf_done(&columns);
}

static void put_united_names(const struct rollup *r, struct buf *out)
{
    buf_printf(out, "(time%s", r->tags ? ", tags" : "");
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        if (r->dimensions & 1u << d)
            buf_printf(out, ", %s", dimensions[d].column);
    for (unsigned m = 0; m < MEASURE_COUNT; m++) {
        if (!(r->measures & 1u << m))
            continue;
        buf_printf(out, ", %s", measures[m].column);
        if (measure_is_set((enum measure)m))
            buf_printf(out, ", %s_n", measures[m].column);
    }
    buf_str(out, ")");
}

/* The sketch of a set: of arrays (`how` is "Array"), of states ("Merge") or of members, one a
 * row (""). */
static void put_united_set(enum measure m, const char *how, struct buf *out)
{
    if (*how)
        buf_printf(out, UNIQ "%sState" UNIQ_SIZE "(%s)", how, measures[m].column);
    else
        measure_put_members(m, true, measures[m].value, out);
}

static void put_united_measures(const struct rollup *r, const char *how, struct buf *out)
{
    for (unsigned m = 0; m < MEASURE_COUNT; m++) {
        if (!(r->measures & 1u << m))
            continue;
        if (!measure_is_set((enum measure)m)) {
            buf_printf(out, ", %s(%s)", measures[m].joined, measures[m].column);
            continue;
        }
        buf_str(out, ", CAST(");
        put_united_set((enum measure)m, how, out);
        buf_str(out, " AS " UNIQ_STATE "), finalizeAggregation(");
        put_united_set((enum measure)m, how, out);
        buf_str(out, ")");
    }
}

/* The keys, but for those of which all are taken together: these are empty (`empty`), or left
 * out. */
static void put_united_keys(
    const struct rollup *r, unsigned together, const char *empty, struct buf *out)
{
    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        if (!(r->dimensions & 1u << d))
            continue;
        if (!(together & 1u << d))
            buf_printf(out, ", %s", dimensions[d].column);
        else if (*empty)
            buf_printf(out, ", %s", empty);
    }
}

/* Is it made of another united one, all of whose rows, those of all together, too, it takes? */
static bool from_united(const struct rollup *r)
{
    return r->tags && strcmp(r->from, SCREENED_CONTACTS) != 0;
}

void schema_unite(const struct rollup *r, unsigned step, const char *span, struct buf *out)
{
    static const unsigned steps[UNITE_STEPS] = {DIM_NONE, DIM_CLASS, DIM_SITE};
    char unit[96] = "time";
    unsigned together = steps[step];
    bool again = together != DIM_NONE || from_united(r);
    if ((r->margins & together) != together || (together && from_united(r)))
        return;
    if (!together)
        snprintf(unit, sizeof unit, "intDiv(time, %" PRId64 ") * %" PRId64, r->unit, r->unit);
    buf_printf(out, "INSERT INTO kz.%s ", r->name);
    put_united_names(r, out);
    buf_printf(out, " SELECT %s%s", unit, r->tags ? ", tags" : "");
    put_united_keys(r, together, "''", out);
    put_united_measures(r, again ? "Merge" : r->tags ? "" : "Array", out);
    buf_printf(out, " FROM kz.%s WHERE %s", together ? r->name : r->from, span);
    if (together)
        buf_printf(out, " AND %s != ''", together == DIM_CLASS ? "class" : "site");
    buf_printf(out, " GROUP BY %s%s", unit, r->tags ? ", tags" : "");
    put_united_keys(r, together, "", out);
}

void schema_busiest_table(const struct dialect *dialect, struct buf *out)
{
    struct buf columns;
    buf_init(&columns, 4096);
    buf_printf(&columns,
        "time Int64, src FixedString(16), country %s, asn UInt32, packets UInt64",
        sql_type(dialect, &record_contact.columns[CONTACT_COUNTRY]));
    put_table(dialect, BUSIEST_SOURCES, (const char *)columns.data, out);
    struct storing how = {"time", RECORD_PARTITION, "time", RECORD_ROWS, RECORD_WIDE};
    put_engine(dialect, &how, out);
    out->err = out->err ? out->err : columns.err;
    buf_done(&columns);
}

void schema_busiest_rows_table(const struct dialect *dialect, const char *name,
    const char *more, const char *order, struct buf *out)
{
    const char *word = sql_type(dialect, &record_contact.columns[CONTACT_COUNTRY]);
    struct storing how = {"time", RECORD_PARTITION, order, SOURCE_ROWS, UNITED_WIDE};
    buf_printf(out,
        "CREATE TABLE IF NOT EXISTS kz.%s (time Int64, %ssrc FixedString(16), country %s, asn "
        "UInt32, packets UInt64, ports "
        "" UNIQ_STATE ", sites Array(String), first Int64, last Int64, tool %s, class %s, most "
        "UInt32)",
        name, more, word, word, word);
    put_engine(dialect, &how, out);
}

void schema_busiest_hours_table(const struct dialect *dialect, struct buf *out)
{
    schema_busiest_rows_table(dialect, BUSIEST_HOURS, "", "src, time", out);
}

void schema_unite_busiest(const char *start, const char *time, struct buf *out)
{
    const char *hour = "intDiv(start, 3600000000) * 3600000000";
    buf_printf(out,
        "INSERT INTO kz." BUSIEST_HOURS
        " (time, src, country, asn, packets, ports, sites, first, last, tool, class, most) "
        "SELECT %s, src, max(country), max(asn), sum(packets), " UNIQ "State" UNIQ_SIZE
        "(%s), groupUniqArray(toString(site)), min(first), max(last), max(tool), "
        "argMax(class, packets), max(packets) FROM kz." CONTACT_BY_SOURCE
        " WHERE %s AND (%s, src) IN (SELECT time, src FROM kz." BUSIEST_SOURCES
        " WHERE %s) GROUP BY %s, src",
        hour, measures[MEASURE_OF_PORTS].value, start, hour, time, hour);
}
