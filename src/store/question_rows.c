/* The SQL of questions about one source, sites, victims and packets. */
#include "store/ask_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SLICE_GRANULES = 32 /* of packets that are sorted at once, some 260,000 at most */
};

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

/* First and last are of packets alone: a minute's row of losses has the time at which its
 * minute was counted, which for a capture read later is not the capture's. A site of which
 * there are losses and no packets has neither. */
void question_sites_sql(const struct asking *q, struct buf *out)
{
    struct source src = question_whole(q, DIM_SITE, M_PACKETS | M_SOURCES | M_FIRST | M_LAST);
    struct buf from;
    buf_init(&from, STORE_SQL_MAX);
    plan_source(q, &src, &from);
    buf_str(out,
        "SELECT site, minOrNullIf(f, p > 0), maxOrNullIf(l, p > 0), sum(p), sum(s), sum(d), "
        "sum(m), sum(o) FROM ("
        "SELECT toString(site) AS site, min(first) AS f, max(last) AS l, "
        "sum(packets) AS p, ");
    plan_measure(&src, MEASURE_OF_SOURCES, out);
    buf_printf(out,
        " AS s, toUInt64(0) AS d, toUInt64(0) AS m, toUInt64(0) AS o FROM %s GROUP BY site "
        "UNION ALL SELECT toString(site) AS site, toInt64(0) AS f, toInt64(0) AS l, "
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
    buf_str(out, "SELECT ");
    for (size_t i = 0; i < record_packet.column_count; i++) {
        enum column_type type = record_packet.columns[i].type;
        bool hex = type == COLUMN_IP || type == COLUMN_BYTES;
        buf_printf(out, "%s%s%s%s", i ? ", " : "", hex ? "hex(" : "",
            record_packet.columns[i].name, hex ? ")" : "");
    }
    buf_printf(
        out, " FROM kz.packet WHERE ts >= %" PRId64 " AND ts < %" PRId64, q->from, q->to);
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
