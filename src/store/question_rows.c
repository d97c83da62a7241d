/* The SQL of questions about single sources, sites, victims and packets. */
#include "store/ask_int.h"

#include <inttypes.h>

/* --- sources ------------------------------------------------------------------------------ */

/* Two steps: the busiest by their 32-bit hash, which is quick; then all about those. Hashes
 * that two sources share only add a candidate. */
void question_sources_sql(const struct asking *q, struct buf *out)
{
    struct source by_hash = question_whole(q, DIM_NONE, M_PACKETS);
    by_hash.extra = "src_hash, ";
    struct buf where;
    buf_init(&where, STORE_SQL_MAX);
    buf_str(&where, " AND src_hash IN (SELECT src_hash FROM ");
    plan_source(q, &by_hash, &where);
    buf_str(&where, " GROUP BY src_hash ORDER BY sum(packets) DESC, src_hash");
    if (q->limit)
        buf_printf(&where, " LIMIT %" PRIu64, q->place.skip + q->limit + 64);
    buf_str(&where, ")");

    struct source src =
        question_whole(q, DIM_SRC | DIM_COUNTRY | DIM_ASN | DIM_TOOL | DIM_CLASS | DIM_SITE,
            M_PACKETS | M_PORTS | M_FIRST | M_LAST);
    src.where = (const char *)where.data;
    buf_str(out, "SELECT hex(src), max(country), max(asn), sum(packets) AS n, "
                 "uniq(ports), uniqExact(site), min(first), max(last), max(tool), "
                 "argMax(class, packets) FROM ");
    plan_source(q, &src, out);
    buf_str(out, " GROUP BY src ORDER BY n DESC, src");
    question_put_page(q, out);
    buf_done(&where);
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
}
