/* The SQL of questions about single sources, sites, victims and packets. */
#include "store/ask_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    CANDIDATES_MOST = 1000, /* rows for which some thousands of sources an hour are enough */
    SLICE_GRANULES = 32     /* of packets that are sorted at once, some 260,000 at most */
};

/* --- sources ------------------------------------------------------------------------------ */

/* " AND src IN (...)": the sources that `sql` gives, written out: the table's index then knows
 * their places. */
static enum err put_addresses(const struct asking *q, const char *sql, struct buf *out)
{
    struct buf text;
    struct buf lines;
    buf_init(&text, STORE_SQL_MAX);
    buf_init(&lines, STORE_SQL_MAX);
    buf_printf(&text, "SELECT hex(src) FROM (%s)", sql);
    enum err e = text.err
                     ? text.err
                     : chdb_read(q->store->chdb, (const char *)text.data, &lines, q->fault);
    buf_str(out, " AND src IN (toFixedString('', 16)");
    const char *at = (const char *)lines.data;
    for (; !e && at && *at; at += strcspn(at, "\n"), at += *at == '\n')
        buf_printf(out, ", toFixedString(unhex('%.*s'), 16)", (int)strcspn(at, "\n"), at);
    buf_str(out, ")");
    buf_done(&text);
    buf_done(&lines);
    return e;
}

/* The busiest of all, by what they have in the hours in which they are among the busiest, and
 * by contacts that are in no hour yet. */
static void put_busiest(const struct asking *q, struct buf *out)
{
    const struct ask *a = q->ask;
    const struct roll *roll = view_roll(&q->view, ROLL_BUSIEST);
    struct ask narrowed;
    ask_init(&narrowed, ASK_SOURCES);
    narrowed.asn = a->asn;
    memcpy(narrowed.country, a->country, sizeof narrowed.country);
    buf_printf(out,
        "SELECT src FROM (SELECT src, packets FROM kz.%s WHERE time >= %" PRId64
        " AND time < %" PRId64 " AND block <= %" PRIu64,
        BUSIEST_SOURCES, time_floor(q->from, US_HOUR), q->to, roll->upto);
    plan_filters(&narrowed, out);
    if (roll->upto < q->view.contact_last) {
        buf_printf(out,
            " UNION ALL SELECT src, toUInt64(packets) AS packets FROM kz.contact WHERE start "
            ">= %" PRId64 " AND start < %" PRId64 " AND block > %" PRIu64,
            q->from, q->to, roll->upto);
        plan_filters(&narrowed, out);
    }
    buf_str(out, ") GROUP BY src ORDER BY sum(packets) DESC, src");
}

/* The busiest where something else narrows the question: first by their 32-bit hash, which is
 * quick. Hashes that two sources share only add a candidate. */
static void put_busiest_of_some(const struct asking *q, struct buf *out)
{
    struct source by_hash = question_whole(q, DIM_NONE, M_PACKETS);
    by_hash.extra = "src_hash, ";
    buf_str(out, "SELECT src_hash FROM ");
    plan_source(q, &by_hash, out);
    buf_str(out, " GROUP BY src_hash ORDER BY sum(packets) DESC, src_hash");
}

/* All about the sources that `where` names: contacts, a source's together, and for the hours in
 * which it is among the busiest the row that says the same. */
static enum err put_sources(
    const struct asking *q, const char *where, bool any, struct buf *out)
{
    struct source src =
        question_whole(q, DIM_SRC | DIM_COUNTRY | DIM_ASN | DIM_TOOL | DIM_CLASS | DIM_SITE,
            M_PACKETS | M_PORTS | M_FIRST | M_LAST);
    struct buf hours;
    struct buf rest;
    struct buf from;
    buf_init(&hours, STORE_SQL_MAX);
    buf_init(&rest, STORE_SQL_MAX);
    buf_init(&from, STORE_SQL_MAX);
    bool ready = any && plan_busiest_hours(q, &hours);
    buf_str(&rest, where);
    if (ready) {
        buf_printf(&hours, "%s", where);
        buf_printf(&rest,
            " AND (src, intDiv(start, 3600000000) * 3600000000) NOT IN (SELECT src, time FROM "
            "kz." BUSIEST_HOURS " WHERE %s)",
            (const char *)hours.data);
        plan_filters(q->ask, &hours);
    }
    src.where = (const char *)rest.data;
    plan_source(q, &src, &from);
    buf_str(out,
        "SELECT hex(src), max(c), max(a), sum(n) AS n_packets, " UNIQ "Merge" UNIQ_SIZE
        "(p), uniqExactArray(s), min(f), max(l), max(t), "
        "argMax(k, m) FROM (SELECT src, max(country) AS c, max(asn) AS a, "
        "sum(packets) AS n, CAST(" UNIQ "State" UNIQ_SIZE "(ports) AS " UNIQ_STATE
        ") AS p, groupUniqArray(toString(site)) AS s, min(first) AS f, max(last) AS l, "
        "max(tool) AS t, argMax(class, packets) AS k, max(packets) AS m FROM ");
    buf_printf(out, "%s GROUP BY src", (const char *)from.data);
    if (ready)
        buf_printf(out,
            " UNION ALL SELECT src, country AS c, asn AS a, packets AS n, ports AS p, sites AS "
            "s, first AS f, last AS l, tool AS t, class AS k, toUInt64(most) AS m FROM "
            "kz." BUSIEST_HOURS " WHERE %s",
            (const char *)hours.data);
    buf_str(out, ") GROUP BY src ORDER BY n_packets DESC, src");
    enum err e = hours.err ? hours.err : rest.err ? rest.err : from.err;
    buf_done(&hours);
    buf_done(&rest);
    buf_done(&from);
    return e;
}

/* Two steps: candidates, then all about those. */
enum err question_sources_sql(const struct asking *q, struct buf *out)
{
    const struct ask *a = q->ask;
    unsigned filters = plan_filter_dimensions(a);
    uint64_t rows = q->place.skip + q->limit;
    bool any = !(filters & ~(unsigned)(DIM_COUNTRY | DIM_ASN)) && !a->tag[0] && q->limit &&
               rows < CANDIDATES_MOST;
    enum err e = OK;
    struct buf sql;
    struct buf where;
    buf_init(&sql, STORE_SQL_MAX);
    buf_init(&where, STORE_SQL_MAX);
    if (any) {
        put_busiest(q, &sql);
        buf_printf(&sql, " LIMIT %" PRIu64, rows + rows / 4 + 16);
        e = put_addresses(q, (const char *)sql.data, &where);
    } else {
        put_busiest_of_some(q, &sql);
        if (q->limit)
            buf_printf(&sql, " LIMIT %" PRIu64, rows + 64);
        buf_printf(&where, " AND src_hash IN (%s)", (const char *)sql.data);
    }
    e = e ? e : where.err ? where.err : sql.err;
    if (!e)
        e = put_sources(q, (const char *)where.data, any, out);
    question_put_page(q, out);
    /* The sources are written out and found by the index; with the hours in it, too, looking
     * for places took longer than reading them. */
    buf_str(out, " SETTINGS use_index_for_in_with_subqueries = 0");
    buf_done(&sql);
    buf_done(&where);
    return e;
}

void question_source_sql(const struct asking *q, struct buf *out)
{
    struct source src =
        question_whole(q, DIM_SITE | DIM_PROTO | DIM_PORT | DIM_CLASS | DIM_TOOL, M_PACKETS);
    src.extra = "start, ";
    buf_str(out, "SELECT start, site, proto, dport, class, tool, sum(packets) FROM ");
    plan_source(q, &src, out);
    buf_str(out, " GROUP BY start, site, proto, dport, class, tool"
                 " ORDER BY start DESC, site, proto, dport, class, tool");
    question_put_page(q, out);
}

/* --- what screening says -------------------------------------------------------------------
 */

static void put_tagged_where(const struct asking *q, struct buf *out)
{
    buf_printf(out, "start >= %" PRId64 " AND start < %" PRId64, q->from, q->to);
    plan_tag_filters(q->ask, out);
}

/* Reasons, with the latest words for each. */
void question_screened_sql(const struct asking *q, struct buf *out)
{
    buf_str(out, "SELECT tag, reason, what, sources, packets, contacts, f, l FROM (SELECT "
                 "toString(tag) AS tag, toString(reason) AS reason, uniqExact(src) AS sources, "
                 "sum(packets) AS packets, count() AS contacts, min(start) AS f, max(start) AS "
                 "l FROM kz.tagged WHERE ");
    put_tagged_where(q, out);
    buf_printf(out,
        " GROUP BY tag, reason) AS t ANY LEFT JOIN (SELECT toString(tag) AS tag, "
        "toString(reason) "
        "AS "
        "reason, argMax(what, start) AS what FROM kz.screening WHERE start >= %" PRId64
        " AND start < %" PRId64
        " GROUP BY tag, reason) AS w USING (tag, reason) ORDER BY packets DESC, tag, reason",
        q->from, q->to);
    question_put_page(q, out);
}

void question_tagged_sql(const struct asking *q, struct buf *out)
{
    buf_str(out, "SELECT hex(src), max(country), max(asn), tag, reason, sum(packets) AS n, "
                 "uniqExact(proto, dport), min(start), max(start) FROM kz.tagged WHERE ");
    put_tagged_where(q, out);
    buf_str(out, " GROUP BY src, tag, reason ORDER BY n DESC, src, tag, reason");
    question_put_page(q, out);
}

/* --- sites, victims, packets -------------------------------------------------------------- */

void question_sites_sql(const struct asking *q, struct buf *out)
{
    struct source src = question_whole(q, DIM_SITE, M_PACKETS | M_SOURCES | M_FIRST | M_LAST);
    struct buf from;
    buf_init(&from, STORE_SQL_MAX);
    plan_source(q, &src, &from);
    buf_str(out, "SELECT site, min(f), max(l), sum(p), sum(s), sum(d), sum(m), sum(o) FROM ("
                 "SELECT toString(site) AS site, min(first) AS f, max(last) AS l, "
                 "sum(packets) AS p, ");
    plan_measure(&src, MEASURE_OF_SOURCES, out);
    buf_printf(out,
        " AS s, toUInt64(0) AS d, toUInt64(0) AS m, toUInt64(0) AS o FROM %s GROUP BY site "
        "UNION ALL SELECT toString(site) AS site, min(start) AS f, max(start) AS l, "
        "toUInt64(0) AS p, toUInt64(0) AS s, sum(dropped_kernel + dropped_queue) AS d, "
        "sum(malformed) AS m, sum(sampled_out) AS o FROM kz.site_status "
        "WHERE start >= %" PRId64 " AND start < %" PRId64,
        (const char *)from.data, q->from, q->to);
    if (q->ask->site[0])
        buf_printf(out, " AND site = '%s'", q->ask->site);
    buf_str(out, " GROUP BY site) GROUP BY site ORDER BY site");
    question_put_page(q, out);
    buf_done(&from);
}

/* The record of an attack is written again while it grows: its latest row counts. */
void question_victims_sql(const struct asking *q, struct buf *out)
{
    const struct ask *a = q->ask;
    struct buf where;
    buf_init(&where, 1 << 16);
    struct ask narrowed = *a;
    narrowed.port = -1;
    narrowed.has_src = false;
    narrowed.tool[0] = 0;
    narrowed.class[0] = 0;
    plan_filters(&narrowed, &where);
    if (a->has_src) {
        struct ip last = prefix_last(&a->src);
        buf_str(&where, " AND hex(victim) >= '");
        for (size_t i = 0; i < 16; i++)
            buf_printf(&where, "%02X", a->src.ip.byte[i]);
        buf_str(&where, "' AND hex(victim) <= '");
        for (size_t i = 0; i < 16; i++)
            buf_printf(&where, "%02X", last.byte[i]);
        buf_str(&where, "'");
    }
    buf_printf(out,
        "SELECT hex(victim), max(country), max(asn), site, proto, argMax(port, packets) AS pt, "
        "start, max(end), max(packets) AS n, max(peak_ppm), max(targets) FROM kz.dos "
        "WHERE end >= %" PRId64 " AND start < %" PRId64
        "%s GROUP BY victim, site, proto, start",
        q->from, q->to, where.len ? (const char *)where.data : "");
    if (a->port >= 0)
        buf_printf(out, " HAVING pt = %d", a->port);
    buf_str(out, " ORDER BY n DESC, victim, site, proto, start");
    question_put_page(q, out);
    buf_done(&where);
}

/* A minute's row of a site has a column for each cause. */
void question_losses_sql(const struct asking *q, struct buf *out)
{
    static const size_t causes[] = {STATUS_DROPPED_KERNEL, STATUS_DROPPED_QUEUE,
        STATUS_SAMPLED_OUT, STATUS_SNAPPED, STATUS_MALFORMED, STATUS_NON_IP};
    const size_t count = sizeof causes / sizeof *causes;
    int64_t step = q->ask->step ? q->ask->step : US_HOUR;
    buf_printf(out,
        "SELECT intDiv(start, %" PRId64 ") * %" PRId64 " AS bucket, k, sum(v) AS n "
        "FROM kz.site_status ARRAY JOIN [",
        step, step);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s'%s'", i ? ", " : "", record_site_status.columns[causes[i]].name);
    buf_str(out, "] AS k, [");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i ? ", " : "", record_site_status.columns[causes[i]].name);
    buf_printf(out, "] AS v WHERE start >= %" PRId64 " AND start < %" PRId64, q->from, q->to);
    if (q->ask->site[0])
        buf_printf(out, " AND site = '%s'", q->ask->site);
    buf_str(out, " GROUP BY bucket, k HAVING n > 0 ORDER BY bucket, k");
}

/* Sorted: read in order, each part of the span would be open at once, with buffers for all
 * columns, which is more than a question may take. */
void question_packets_sql(const struct asking *q, struct buf *out)
{
    int64_t from = q->place.time > q->from ? q->place.time : q->from;
    buf_str(out, "SELECT ");
    for (size_t i = 0; i < record_packet.column_count; i++) {
        enum column_type type = record_packet.columns[i].type;
        bool hex = type == COLUMN_IP || type == COLUMN_BYTES;
        buf_printf(out, "%s%s%s%s", i ? ", " : "", hex ? "hex(" : "",
            record_packet.columns[i].name, hex ? ")" : "");
    }
    buf_printf(out, " FROM kz.packet WHERE ts >= %" PRId64 " AND ts < %" PRId64, from, q->to);
    plan_filters(q->ask, out);
    buf_str(out, " ORDER BY ts, site, src, dst, proto, sport, dport, ip_id, tcp_seq");
    question_put_page(q, out);
    buf_str(out, " SETTINGS optimize_read_in_order = 0");
}

/* The table's index knows the time of every granule's first row. */
enum err question_packets_cuts(const struct asking *q, struct buf *out)
{
    char sql[384];
    snprintf(sql, sizeof sql,
        "SELECT DISTINCT ts FROM (SELECT ts, row_number() OVER (ORDER BY ts) AS n FROM "
        "mergeTreeIndex(kz, %s) WHERE ts > %" PRId64 " AND ts < %" PRId64
        ") WHERE n %% %d = 0 ORDER BY ts",
        record_packet.name, q->from, q->to, SLICE_GRANULES);
    return chdb_read(q->store->chdb, sql, out, q->fault);
}
