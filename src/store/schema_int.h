#ifndef STORE_SCHEMA_INT_H
#define STORE_SCHEMA_INT_H

#include "base/buf.h"
#include "base/clock.h"
#include "record/record.h"

#include <stdbool.h>

/* The store's tables, as rows: one for each kind of record, and the rollups. All SQL that makes
 * or fills a table is made in schema.c from these; all SQL that asks is in question*.c.
 *
 * A record's table has the record's columns and `block`, the number of the insert (journal);
 * contacts have `src_hash` as well, what sources are counted by.
 *
 * A rollup's row has `time` (start of its unit), its dimensions, sums, and what is counted by
 * distinct members. Rollups come in two kinds. The first are summed up from contacts, some
 * hundred thousand at a time, and hold the members as arrays of 32-bit hashes. The others are
 * made from one of these when an hour or a day is over: one row for each key, and sketches of
 * the members, with their number (`sources_n`) beside them. They have rows of all classes
 * together as well (the class is then empty), and of all sites
 * (docs/decisions/0003-questions-in-time.md, 0008-charts-read-numbers.md). */

/* What a deployment's engine can do beyond the subset that ClickHouse 18.16 has. */
struct dialect {
    bool newer;   /* LowCardinality, codecs, skip indices, part settings */
    bool durable; /* fsync at every insert */
};

/* Settings of a table whose inserts are on the disk when they are over. */
#define SCHEMA_DURABLE                                                                         \
    "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1"

/* How members are counted: exact up to 1,024, about 0.8 % off beyond. */
#define UNIQ       "uniqCombined"
#define UNIQ_SIZE  "(14)"
#define UNIQ_STATE "AggregateFunction(" UNIQ UNIQ_SIZE ", UInt32)"

/* What contacts can be narrowed or grouped by. */
#define DIMENSIONS(X)                                                                          \
    X(SITE, "site", CONTACT_SITE)                                                              \
    X(CLASS, "class", CONTACT_CLASS)                                                           \
    X(PROTO, "proto", CONTACT_PROTO)                                                           \
    X(PORT, "dport", CONTACT_DPORT)                                                            \
    X(TOOL, "tool", CONTACT_TOOL)                                                              \
    X(COUNTRY, "country", CONTACT_COUNTRY)                                                     \
    X(ASN, "asn", CONTACT_ASN)                                                                 \
    X(SRC, "src", CONTACT_SRC)

enum dimension {
#define X(id, column, of) DIMENSION_##id,
    DIMENSIONS(X)
#undef X
    DIMENSION_COUNT
};
#define X(id, column, of) DIM_##id = 1 << DIMENSION_##id,
enum {
    DIMENSIONS(X) DIM_NONE = 0
};
#undef X

/* What is counted: result column, how a rollup's rows are joined (sum, min, max, or UNIQ for
 * sets), its value in one row of contacts. */
#define MEASURES(X)                                                                            \
    X(PACKETS, "packets", "sum", "toUInt64(packets)")                                          \
    X(BYTES, "bytes", "sum", "bytes")                                                          \
    X(FIRST, "first", "min", "first")                                                          \
    X(LAST, "last", "max", "last")                                                             \
    X(SOURCES, "sources", "UNIQ", "src_hash")                                                  \
    X(PORTS, "ports", "UNIQ", "toUInt32(toUInt32(proto) * 65536 + dport)")                     \
    X(COUNTRIES, "countries", "UNIQ", "toUInt32(reinterpretAsUInt16(toString(country)))")

enum measure {
#define X(id, column, joined, value) MEASURE_OF_##id,
    MEASURES(X)
#undef X
    MEASURE_COUNT
};
#define X(id, column, joined, value) M_##id = 1 << MEASURE_OF_##id,
enum {
    MEASURES(X) M_NONE = 0
};
#undef X

const char *dimension_column(enum dimension d);
size_t dimension_of_contact(enum dimension d); /* enum contact_column */
const char *measure_column(enum measure m);
const char *measure_joined(enum measure m);
const char *measure_value(enum measure m);
bool measure_is_set(enum measure m);
/* The size of a set whose members come one a row, as `value`, or with `state` the sketch of it.
 * A country of 0 is none, and counts in no set. */
void measure_put_members(enum measure m, bool state, const char *value, struct buf *out);

struct rollup {
    const char *name;
    const char *text;
    int64_t unit;        /* us; divides a day */
    unsigned dimensions; /* DIM_... */
    unsigned measures;   /* M_... */
    const char *order;   /* sorting key */
    const char *from;    /* the rollup that it is made from, unit by unit; NULL: contacts */
    unsigned margins; /* DIM_...: of these there are rows of all together, too; with `from` */
    unsigned granule; /* rows that are read at once, though one is asked for */
    bool tags;        /* of contacts that were screened, by their tags: a column more */
};

/* Smallest first: a question takes the first that has what it needs, and finer ones for what
 * that does not cover. One that is made from another stands before it. */
enum {
    ROLLUPS_MAX = 32
};
extern const struct rollup rollups[];
extern const size_t rollup_count;

/* Contacts once more, sorted by source: filled as a rollup is. */
#define CONTACT_BY_SOURCE "contact_by_source"

/* The busiest sources of each hour, some thousands: where questions look for candidates. */
#define BUSIEST_SOURCES "source_top"

/* What contacts say of each of these in its hour, in a row: sketches of its services, names of
 * its sites, the class of its largest contact and that one's packets (`most`). */
#define BUSIEST_HOURS "source_once"

/* The contacts of the hours that are just united by tags, with what screening says of each;
 * otherwise empty. */
#define SCREENED_CONTACTS "contact_tags"

/* BUSIEST_HOURS by tags: all of those who were among the busiest of an hour with some tags. */
#define BUSIEST_TAGS "source_tags_once"

/* Partition numbers: one a day for records, one for 30 days for rollups. */
#define RECORD_PARTITION US_DAY
#define ROLLUP_PARTITION (30 * US_DAY)

/* The column that says when: the first of every record. */
static inline const char *record_time(const struct record *kind)
{
    return kind->columns[0].name;
}

void schema_record_table(
    const struct dialect *dialect, const struct record *kind, struct buf *out);
/* Columns that a table of an earlier version lacks; they are 0 or empty in its rows. */
void schema_record_columns(const struct dialect *dialect, const struct record *kind,
    const char *table, struct buf *out);
void schema_rollup_table(
    const struct dialect *dialect, const struct rollup *r, struct buf *out);
/* The statements that fill a rollup from the one it is made from, for the units that `span`, a
 * condition on `time`, names: rows of each key, then those of all classes together, then those
 * of all sites. Nothing: it has no such rows. */
enum {
    UNITE_STEPS = 3
};
void schema_unite(const struct rollup *r, unsigned step, const char *span, struct buf *out);
void schema_busiest_table(const struct dialect *dialect, struct buf *out);
void schema_busiest_hours_table(const struct dialect *dialect, struct buf *out);
void schema_busiest_rows_table(const struct dialect *dialect, const char *name,
    const char *more, const char *order, struct buf *out);
/* `start`, `time`: the same hours as conditions on these columns. */
void schema_unite_busiest(const char *start, const char *time, struct buf *out);
void schema_by_source_table(const struct dialect *dialect, struct buf *out);

/* A contact as one number: sets of these are a tenth of what its columns would be. Two contacts
 * of a question have the same one about once in a million questions. Words are hashed by
 * themselves: each once, and not row by row. */
#define CONTACT_KEY                                                                            \
    "bitXor(cityHash64(start, src, proto, dport), bitXor(cityHash64(site, 1), "                \
    "cityHash64(class, 2)))"

/* schema_tags.c: what is united by tags, in the column `tags`: a bit for each, 1 << enum
 * contact_tag. */

enum {
    TAG_SETS = 1 << TAG_COUNT
};
void schema_screened_table(const struct dialect *dialect, struct buf *out);
void schema_busiest_tags_table(const struct dialect *dialect, struct buf *out);
/* The statements that fill the tables of this unit, one after another: `start`, `time` are the
 * same hours or days as conditions on these columns. Nothing where a step has none; false after
 * the last. */
bool schema_unite_tags(
    int64_t unit, unsigned step, const char *start, const char *time, struct buf *out);

#endif
