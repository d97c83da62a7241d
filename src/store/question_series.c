/* The SQL of series. A series by a key has lines for the largest keys, which are found first,
 * and one for the rest of packets or bytes. */
#include "store/ask_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Beyond all numbers of networks and services, so that it comes last. */
#define OTHER_NUMBER "8589934592"

/* How a row is given its line: the key's own SQL, what the key is compared by in a list, and
 * what stands for the rest. Numbers stay numbers as long as they can: making words of them for
 * millions of rows costs more than the counting. */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): rows are read in this order */
static const struct grouping {
    unsigned dimensions;
    const char *key;
    const char *other;
    bool word; /* in a list it needs quotes */
} groupings[] = {
    [BY_NOTHING] = {DIM_NONE, "''", NULL, true},
    [BY_SITE] = {DIM_SITE, "site", "'other'", true},
    [BY_COUNTRY] = {DIM_COUNTRY, "country", "'other'", true},
    [BY_TOOL] = {DIM_TOOL, "tool", "'other'", true},
    [BY_CLASS] = {DIM_CLASS, "class", "'other'", true},
    [BY_ASN] = {DIM_ASN, "toInt64(asn)", OTHER_NUMBER, false},
    [BY_PORT] = {DIM_PROTO | DIM_PORT, "toInt64(proto) * 65536 + dport", OTHER_NUMBER, false},
};

/* The largest step of which the span has at least 100; but ten minutes from six hours on, so
 * that contacts answer and not packets, and an hour from twelve hours on (36 for a single port,
 * whose contacts stand together; seven with tags) where only rollups by the hour have what is
 * asked. Between an hour and a day there is none: sets would have to be united. */
static int64_t choose_step(const struct asking *q)
{
    static const int64_t ladder[] = {30 * US_DAY, 7 * US_DAY, US_DAY, US_HOUR, 30 * US_MINUTE,
        10 * US_MINUTE, 5 * US_MINUTE, 2 * US_MINUTE, US_MINUTE, 30 * US_SECOND, 10 * US_SECOND,
        5 * US_SECOND, 2 * US_SECOND};
    const struct ask *a = q->ask;
    if (a->step)
        return a->step;
    bool given = a->from || a->to;
    const int64_t least = a->tag[0] ? 10 * US_MINUTE : US_SECOND; /* packets have no tags */
    int64_t from = given ? a->from : q->view.first_start;
    int64_t to = given ? a->to : q->view.last_start + 10 * US_MINUTE;
    int64_t step = least;
    for (size_t i = 0; i < sizeof ladder / sizeof *ladder && step == least; i++)
        if (ladder[i] > least && (to - from) / ladder[i] >= 100)
            step = ladder[i];
    unsigned dimensions = groupings[a->by].dimensions | plan_filter_dimensions(a);
    bool by_window = (dimensions & ~(unsigned)(DIM_SITE | DIM_CLASS)) == 0 && !a->tag[0];
    int64_t fine = (a->port >= 0 ? 36 : a->tag[0] ? 7 : 12) * US_HOUR;
    if (step < US_HOUR && to - from >= fine && !by_window)
        return US_HOUR;
    return step < 10 * US_MINUTE && to - from >= 6 * US_HOUR ? 10 * US_MINUTE : step;
}

static void put_source(
    const struct asking *q, struct source *src, int64_t step, struct buf *out)
{
    if (step % (10 * US_MINUTE) == 0)
        plan_source(q, src, out);
    else
        plan_packets(q, src, out);
}

/* Up to `lines` keys from lines of text, as a list for IN; nothing if there are no more than
 * those. */
static void put_list(const struct buf *keys, size_t lines, bool word, struct buf *ret_list)
{
    size_t found = 0;
    for (size_t i = 0; i < keys->len; i++)
        found += keys->data[i] == '\n';
    const char *at = (const char *)keys->data;
    for (size_t i = 0; found > lines && i < lines; i++) {
        size_t len = strcspn(at, "\n");
        const char *quote = word ? "'" : "";
        buf_printf(ret_list, "%s%s%.*s%s", i ? ", " : "", quote, (int)len, at, quote);
        at += len + 1;
    }
}

/* The keys of the largest lines. Lines of sources are ranked by the sizes of their sets. */
static enum err find_lines(struct asking *q, int64_t step, enum measure m, struct buf *ret_list)
{
    const struct grouping *g = &groupings[q->ask->by];
    struct buf sql;
    struct buf from;
    struct buf keys;
    struct source src = question_whole(q, g->dimensions, 1u << m);
    src.weigh = true;
    buf_init(&sql, STORE_SQL_MAX);
    buf_init(&from, STORE_SQL_MAX);
    buf_init(&keys, STORE_SQL_MAX);
    put_source(q, &src, step, &from);
    buf_printf(
        &sql, "SELECT %s AS k FROM %s GROUP BY k ORDER BY ", g->key, (const char *)from.data);
    plan_measure(&src, m, &sql);
    buf_printf(&sql, " DESC, k LIMIT %zu", q->lines + 1);
    enum err e = from.err ? from.err : sql.err;
    if (!e)
        e = chdb_read(q->store->chdb, (const char *)sql.data, &keys, q->fault);
    if (!e)
        put_list(&keys, q->lines, g->word, ret_list);
    buf_done(&sql);
    buf_done(&from);
    buf_done(&keys);
    return e ? e : ret_list->err;
}

/* A row's line. A source counts in every line that it is in, so what is no line's has no sum
 * with the rest: only packets and bytes have a line "other". */
static void put_key(
    const struct grouping *g, const struct buf *list, bool rest, struct buf *out)
{
    const char *text = g->word ? "toString" : "";
    if (list->len && rest)
        buf_printf(out, "if(%s IN (%s), %s(%s), %s)", g->key, (const char *)list->data, text,
            g->key, g->other);
    else
        buf_printf(out, "%s(%s)", text, g->key);
}

/* " AND ... IN ...": the rows of the lines. Services are named as the tables are sorted. */
static void put_lines(
    const struct asking *q, const struct grouping *g, const struct buf *list, struct buf *out)
{
    const char *at = (const char *)list->data;
    if (q->ask->by != BY_PORT) {
        buf_printf(out, " AND %s IN (%s)", g->key, at);
        return;
    }
    buf_str(out, " AND (proto, dport) IN (");
    for (const char *comma = ""; at && *at; comma = ", ") {
        char *end = NULL;
        unsigned long long service = strtoull(at, &end, 10);
        buf_printf(out, "%s(%llu, %llu)", comma, service >> 16, service & 0xffff);
        at = end + strspn(end, ", ");
    }
    buf_str(out, ")");
}

/* Steps of an hour or a day are rows of a united rollup as they are, others are counted. A step
 * is never both. */
static void put_steps(
    const struct asking *q, struct source *src, int64_t step, enum measure m, struct buf *out)
{
    struct buf from;
    struct buf numbers;
    const char *join = "";
    buf_init(&from, STORE_SQL_MAX);
    buf_init(&numbers, STORE_SQL_MAX);
    src->numbers = &numbers;
    put_source(q, src, step, &from);
    if (from.len) {
        buf_str(out, "SELECT bucket, k, ");
        plan_measure(src, m, out);
        buf_printf(out, " AS n FROM %s GROUP BY bucket, k", (const char *)from.data);
        join = " UNION ALL ";
    }
    if (numbers.len)
        buf_printf(out, "%sSELECT bucket, k, sum(%s) AS n FROM (%s) GROUP BY bucket, k", join,
            measure_column(m), (const char *)numbers.data);
    out->err = out->err ? out->err : from.err ? from.err : numbers.err;
    buf_done(&from);
    buf_done(&numbers);
}

enum err question_series_sql(struct asking *q, struct buf *out)
{
    const struct ask *a = q->ask;
    const struct grouping *g = &groupings[a->by];
    int64_t step = choose_step(q);
    enum measure m = a->measure == MEASURE_SOURCES ? MEASURE_OF_SOURCES
                     : a->measure == MEASURE_BYTES ? MEASURE_OF_BYTES
                                                   : MEASURE_OF_PACKETS;
    if (step % (10 * US_MINUTE) && (a->from || a->to)) {
        q->from = a->from;
        q->to = a->to;
    }
    if ((q->to - q->from) / step > ASK_STEPS_MAX)
        return fault_set(
            q->fault, ERR_RANGE, "step: more than %d steps in what there is", ASK_STEPS_MAX);
    struct buf list;
    struct buf key;
    struct buf where;
    buf_init(&list, STORE_SQL_MAX);
    buf_init(&key, STORE_SQL_MAX);
    buf_init(&where, STORE_SQL_MAX);
    enum err e = a->by == BY_NOTHING ? OK : find_lines(q, step, m, &list);
    if (!e) {
        struct source src = question_whole(q, g->dimensions, 1u << m);
        bool rest = !measure_is_set(m);
        put_key(g, &list, rest, &key);
        if (list.len && !rest)
            put_lines(q, g, &list, &where);
        src.where = (const char *)where.data;
        src.step = step;
        src.key = (const char *)key.data;
        buf_str(out, g->word ? "SELECT bucket, k, n FROM ("
                             : "SELECT bucket, if(k = " OTHER_NUMBER
                               ", 'other', toString(k)), n FROM (");
        put_steps(q, &src, step, m, out);
        buf_str(out, ") ORDER BY bucket, k");
        e = key.err ? key.err : where.err;
    }
    buf_done(&where);
    buf_done(&list);
    buf_done(&key);
    return e;
}
