/* The SQL of every question. What reads contacts goes through plan_source(); victims, packets
 * and losses have tables of their own. */
#include "store/ask_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- columns ------------------------------------------------------------------------------ */

/* The packet record's own columns, in the forms of block_row_json(). */
enum {
    ANSWER_OF_COLUMN_U8 = ANSWER_NUMBER,
    ANSWER_OF_COLUMN_U16 = ANSWER_NUMBER,
    ANSWER_OF_COLUMN_U32 = ANSWER_NUMBER,
    ANSWER_OF_COLUMN_U64 = ANSWER_QUOTED,
    ANSWER_OF_COLUMN_TIME = ANSWER_TIME,
    ANSWER_OF_COLUMN_IP = ANSWER_IP,
    ANSWER_OF_COLUMN_NAME = ANSWER_WORD,
    ANSWER_OF_COLUMN_BYTES = ANSWER_HEX
};
static const struct answer_column packet_columns[] = {
#define X(id, name, type, most, unit, text) {name, (enum answer_type)ANSWER_OF_##type},
#include "record/packet.def"
#undef X
    {NULL, ANSWER_NUMBER}};

#define LIST(...)                                                                              \
    (const struct answer_column[])                                                             \
    {                                                                                          \
        __VA_ARGS__,                                                                           \
        {                                                                                      \
            NULL, ANSWER_NUMBER                                                                \
        }                                                                                      \
    }

static const struct answer_column *const columns[] = {
    [ASK_SPAN] =
        LIST({"first", ANSWER_TIME}, {"last", ANSWER_TIME}, {"packets", ANSWER_NUMBER}),
    [ASK_TOTALS] = LIST({"packets", ANSWER_NUMBER}, {"bytes", ANSWER_NUMBER},
        {"sources", ANSWER_NUMBER}, {"sites", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER}),
    [ASK_SERIES] = LIST({"time", ANSWER_TIME}, {"key", ANSWER_WORD}, {"value", ANSWER_NUMBER}),
    [ASK_PORTS] =
        LIST({"proto", ANSWER_PROTO}, {"port", ANSWER_NUMBER}, {"packets", ANSWER_NUMBER},
            {"sources", ANSWER_NUMBER}, {"countries", ANSWER_NUMBER}, {"share", ANSWER_REAL}),
    [ASK_MOVERS] =
        LIST({"proto", ANSWER_PROTO}, {"port", ANSWER_NUMBER}, {"sources", ANSWER_NUMBER},
            {"before", ANSWER_NUMBER}, {"ratio", ANSWER_REAL}, {"packets", ANSWER_NUMBER}),
    [ASK_SOURCES] = LIST({"src", ANSWER_IP}, {"country", ANSWER_WORD}, {"asn", ANSWER_NUMBER},
        {"packets", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER}, {"sites", ANSWER_NUMBER},
        {"first", ANSWER_TIME}, {"last", ANSWER_TIME}, {"tool", ANSWER_WORD},
        {"class", ANSWER_WORD}),
    [ASK_SOURCE] = LIST({"start", ANSWER_TIME}, {"site", ANSWER_WORD}, {"proto", ANSWER_PROTO},
        {"port", ANSWER_NUMBER}, {"class", ANSWER_WORD}, {"tool", ANSWER_WORD},
        {"packets", ANSWER_NUMBER}),
    [ASK_COUNTRIES] = LIST({"country", ANSWER_WORD}, {"sources", ANSWER_NUMBER},
        {"packets", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER}),
    [ASK_ASNS] = LIST({"asn", ANSWER_NUMBER}, {"country", ANSWER_WORD},
        {"sources", ANSWER_NUMBER}, {"packets", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER}),
    [ASK_TOOLS] = LIST({"tool", ANSWER_WORD}, {"sources", ANSWER_NUMBER},
        {"packets", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER}),
    [ASK_CLASSES] =
        LIST({"class", ANSWER_WORD}, {"sources", ANSWER_NUMBER}, {"packets", ANSWER_NUMBER}),
    [ASK_SITES] = LIST({"site", ANSWER_WORD}, {"first", ANSWER_TIME}, {"last", ANSWER_TIME},
        {"packets", ANSWER_NUMBER}, {"sources", ANSWER_NUMBER}, {"dropped", ANSWER_NUMBER},
        {"malformed", ANSWER_NUMBER}, {"sampled_out", ANSWER_NUMBER}),
    [ASK_VICTIMS] = LIST({"victim", ANSWER_IP}, {"country", ANSWER_WORD},
        {"asn", ANSWER_NUMBER}, {"site", ANSWER_WORD}, {"proto", ANSWER_PROTO},
        {"port", ANSWER_NUMBER}, {"start", ANSWER_TIME}, {"end", ANSWER_TIME},
        {"packets", ANSWER_NUMBER}, {"peak_ppm", ANSWER_NUMBER}, {"targets", ANSWER_NUMBER}),
    [ASK_PACKETS] = packet_columns,
};

static const struct answer_column series_of_ports[] = {{"time", ANSWER_TIME},
    {"key", ANSWER_SERVICE}, {"value", ANSWER_NUMBER}, {NULL, ANSWER_NUMBER}};

const struct answer_column *question_columns(const struct ask *a)
{
    if (a->what == ASK_SERIES && a->by == BY_PORT)
        return series_of_ports;
    return columns[a->what];
}

/* --- the span ----------------------------------------------------------------------------- */

/* Where there is nothing beyond, whole days are taken: rollups cover them. */
void question_span(struct asking *q)
{
    const struct ask *a = q->ask;
    const struct store *s = q->store;
    bool any = !a->from && !a->to;
    q->empty = s->first_start > s->last_start;
    if (q->empty || a->what == ASK_PACKETS || a->what == ASK_VICTIMS) {
        q->from = any ? INT64_MIN : a->from;
        q->to = any ? INT64_MAX : a->to;
        return;
    }
    int64_t begin = time_floor(s->first_start, US_DAY);
    int64_t end = time_floor(s->last_start, US_DAY) + US_DAY;
    q->from = any || a->what == ASK_SPAN || a->from <= s->first_start
                  ? begin
                  : time_floor(a->from, 10 * US_MINUTE);
    q->to = any || a->what == ASK_SPAN || a->to > s->last_start ? end : a->to;
    q->empty = q->from >= q->to;
}

/* --- pieces ------------------------------------------------------------------------------- */

static void put_page(const struct asking *q, struct buf *out)
{
    if (q->limit)
        buf_printf(out, " LIMIT %" PRIu64 ", %zu", q->place.skip, q->limit + 1);
}

static struct source whole(const struct asking *q, unsigned dimensions, unsigned measures)
{
    return (struct source){
        .dimensions = dimensions, .measures = measures, .from = q->from, .to = q->to};
}

static enum measure order_of(const struct ask *a, unsigned measures)
{
    if (a->measure == MEASURE_SOURCES && measures & M_SOURCES)
        return MEASURE_OF_SOURCES;
    if (a->measure == MEASURE_BYTES && measures & M_BYTES)
        return MEASURE_OF_BYTES;
    return MEASURE_OF_PACKETS;
}

/* --- lists: keys and what was counted for each ------------------------------------------ */

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): rows are read in this order */
static const struct listing {
    enum ask_what what;
    const char *keys;
    unsigned dimensions;
    enum measure shown[4]; /* in the answer's order, then MEASURE_COUNT */
} listings[] = {
    {ASK_PORTS, "proto, dport", DIM_PROTO | DIM_PORT,
        {MEASURE_OF_PACKETS, MEASURE_OF_SOURCES, MEASURE_OF_COUNTRIES, MEASURE_COUNT}},
    {ASK_COUNTRIES, "country", DIM_COUNTRY,
        {MEASURE_OF_SOURCES, MEASURE_OF_PACKETS, MEASURE_OF_PORTS, MEASURE_COUNT}},
    {ASK_ASNS, "asn, country", DIM_ASN | DIM_COUNTRY,
        {MEASURE_OF_SOURCES, MEASURE_OF_PACKETS, MEASURE_OF_PORTS, MEASURE_COUNT}},
    {ASK_TOOLS, "tool", DIM_TOOL,
        {MEASURE_OF_SOURCES, MEASURE_OF_PACKETS, MEASURE_OF_PORTS, MEASURE_COUNT}},
    {ASK_CLASSES, "class", DIM_CLASS, {MEASURE_OF_SOURCES, MEASURE_OF_PACKETS, MEASURE_COUNT}},
};

/* Of all packets that the filters leave, those of this row. */
static void put_share(const struct asking *q, struct buf *out)
{
    struct source all = whole(q, DIM_NONE, M_PACKETS);
    buf_str(out, ", round(n_packets / (SELECT sum(packets) FROM ");
    plan_source(q, &all, out);
    buf_str(out, "), 6)");
}

/* Uniting sets is what costs. So the rows of a page are looked for first, by packets or, where
 * sources rank, by the sizes of the sets: a row is missed only if four times as many others
 * weigh more and yet have fewer sources. */
static void put_candidates(
    const struct asking *q, const struct listing *l, enum measure order, struct buf *out)
{
    struct source src = whole(q, l->dimensions, 1u << order);
    uint64_t rows = q->place.skip + q->limit + 1;
    src.weigh = true;
    if (!q->limit)
        return;
    buf_printf(out, " AND (%s) IN (SELECT %s FROM ", l->keys, l->keys);
    plan_source(q, &src, out);
    buf_printf(out, " GROUP BY %s ORDER BY ", l->keys);
    plan_measure(q, &src, order, out);
    buf_printf(out, " DESC, %s LIMIT %" PRIu64 ")", l->keys,
        measure_is_set(order) ? 4 * rows + 100 : rows);
}

static void put_listing(const struct asking *q, const struct listing *l, struct buf *out)
{
    unsigned measures = q->ask->measure == MEASURE_BYTES ? M_BYTES : 0;
    for (size_t i = 0; l->shown[i] != MEASURE_COUNT; i++)
        measures |= 1u << l->shown[i];
    enum measure order = order_of(q->ask, measures);
    struct source src = whole(q, l->dimensions, measures);
    struct buf from;
    struct buf where;
    buf_init(&from, STORE_SQL_MAX);
    buf_init(&where, STORE_SQL_MAX);
    put_candidates(q, l, order, &where);
    src.where = (const char *)where.data;
    plan_source(q, &src, &from);
    buf_printf(out, "SELECT %s", l->keys);
    for (size_t i = 0; l->shown[i] != MEASURE_COUNT; i++) {
        buf_str(out, ", ");
        plan_measure(q, &src, l->shown[i], out);
        buf_printf(out, " AS n_%s", measure_column(l->shown[i]));
    }
    if (l->what == ASK_PORTS)
        put_share(q, out);
    buf_printf(out, " FROM %s GROUP BY %s ORDER BY ", (const char *)from.data, l->keys);
    plan_measure(q, &src, order, out);
    buf_printf(out, " DESC, %s", l->keys);
    put_page(q, out);
    buf_done(&from);
    buf_done(&where);
}

/* --- single rows -------------------------------------------------------------------------- */

static void put_span(const struct asking *q, struct buf *out)
{
    struct ask any;
    ask_init(&any, ASK_SPAN);
    struct asking all = *q;
    all.ask = &any;
    struct source src = whole(q, DIM_NONE, M_FIRST | M_LAST | M_PACKETS);
    buf_str(out, "SELECT min(first), max(last), sum(packets) FROM ");
    plan_source(&all, &src, out);
    buf_str(out, " HAVING count() > 0");
}

/* A question about one port needs no set of ports. */
static void put_totals(const struct asking *q, struct buf *out)
{
    bool one_port = q->ask->port >= 0;
    struct source src = whole(q, DIM_SITE | (one_port ? DIM_PROTO | DIM_PORT : 0),
        M_PACKETS | M_BYTES | M_SOURCES | (one_port ? 0 : M_PORTS));
    struct buf from;
    buf_init(&from, STORE_SQL_MAX);
    plan_source(q, &src, &from);
    buf_str(out, "SELECT sum(packets), sum(bytes), ");
    plan_measure(q, &src, MEASURE_OF_SOURCES, out);
    buf_str(out, ", uniqExact(site), ");
    if (one_port)
        buf_str(out, "uniqExact(proto, dport)");
    else
        plan_measure(q, &src, MEASURE_OF_PORTS, out);
    buf_printf(out, " FROM %s", (const char *)from.data);
    buf_done(&from);
}

/* --- movers ------------------------------------------------------------------------------- */

static void put_half(
    const struct asking *q, int64_t from, int64_t to, bool now, struct buf *out)
{
    struct source src = {.dimensions = DIM_PROTO | DIM_PORT,
        .measures = M_PACKETS | M_SOURCES,
        .from = from,
        .to = to};
    struct buf text;
    buf_init(&text, STORE_SQL_MAX);
    plan_source(q, &src, &text);
    buf_str(out, "SELECT proto, dport, ");
    buf_str(out, now ? "" : "toUInt64(0) AS s, ");
    plan_measure(q, &src, MEASURE_OF_SOURCES, out);
    buf_str(
        out, now ? " AS s, toUInt64(0) AS b, sum(packets) AS p" : " AS b, toUInt64(0) AS p");
    buf_printf(out, " FROM %s GROUP BY proto, dport", (const char *)text.data);
    buf_done(&text);
}

/* Ordered by how far the rise is beyond chance, if sources came as Poisson counts. */
static void put_movers(const struct asking *q, struct buf *out)
{
    const struct ask *a = q->ask;
    int64_t from = a->from || a->to ? a->from : q->from;
    int64_t to = a->from || a->to ? a->to : q->to;
    int64_t before = from - (to - from);
    int64_t begin = time_floor(q->store->first_start, 10 * US_MINUTE);
    buf_str(out, "SELECT proto, dport, sum(s) AS now, sum(b) AS old, "
                 "round(now / if(old = 0, 1, old), 3), sum(p) FROM (");
    put_half(q, q->from, q->to, true, out);
    if (q->from > begin) {
        buf_str(out, " UNION ALL ");
        put_half(q, before < begin ? begin : time_floor(before, 10 * US_MINUTE), q->from, false,
            out);
    }
    buf_str(out, ") GROUP BY proto, dport ORDER BY (toInt64(now) - toInt64(old)) / "
                 "sqrt(now + old + 1) DESC, proto, dport");
    put_page(q, out);
}

/* --- sources ------------------------------------------------------------------------------ */

/* Two steps: the busiest by their 32-bit hash, which is quick; then all about those. Hashes
 * that two sources share only add a candidate. */
static void put_sources(const struct asking *q, struct buf *out)
{
    struct source by_hash = whole(q, DIM_NONE, M_PACKETS);
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
        whole(q, DIM_SRC | DIM_COUNTRY | DIM_ASN | DIM_TOOL | DIM_CLASS | DIM_SITE,
            M_PACKETS | M_PORTS | M_FIRST | M_LAST);
    src.where = (const char *)where.data;
    buf_str(out, "SELECT hex(src), max(country), max(asn), sum(packets) AS n, "
                 "uniq(ports), uniqExact(site), min(first), max(last), max(tool), "
                 "argMax(class, packets) FROM ");
    plan_source(q, &src, out);
    buf_str(out, " GROUP BY src ORDER BY n DESC, src");
    put_page(q, out);
    buf_done(&where);
}

static void put_source(const struct asking *q, struct buf *out)
{
    struct source src =
        whole(q, DIM_SITE | DIM_PROTO | DIM_PORT | DIM_CLASS | DIM_TOOL, M_PACKETS);
    src.extra = "start, ";
    buf_str(out, "SELECT start, site, proto, dport, class, tool, sum(packets) FROM ");
    plan_source(q, &src, out);
    buf_str(out, " GROUP BY start, site, proto, dport, class, tool"
                 " ORDER BY start DESC, site, proto, dport, class, tool");
    put_page(q, out);
}

/* --- sites, victims, packets -------------------------------------------------------------- */

static void put_sites(const struct asking *q, struct buf *out)
{
    struct source src = whole(q, DIM_SITE, M_PACKETS | M_SOURCES | M_FIRST | M_LAST);
    struct buf from;
    buf_init(&from, STORE_SQL_MAX);
    plan_source(q, &src, &from);
    buf_str(out, "SELECT site, min(f), max(l), sum(p), sum(s), sum(d), sum(m), sum(o) FROM ("
                 "SELECT toString(site) AS site, min(first) AS f, max(last) AS l, "
                 "sum(packets) AS p, ");
    plan_measure(q, &src, MEASURE_OF_SOURCES, out);
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
    put_page(q, out);
    buf_done(&from);
}

/* The record of an attack is written again while it grows: its latest row counts. */
static void put_victims(const struct asking *q, struct buf *out)
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
    put_page(q, out);
    buf_done(&where);
}

static void put_packets(const struct asking *q, struct buf *out)
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
    put_page(q, out);
}

/* --- series ------------------------------------------------------------------------------- */

static const struct {
    unsigned dimensions;
    const char *key;   /* of a source's row */
    const char *other; /* what stands for the rest */
} groupings[] = {
    [BY_NOTHING] = {DIM_NONE, "''", "''"},
    [BY_SITE] = {DIM_SITE, "toString(site)", "'other'"},
    [BY_COUNTRY] = {DIM_COUNTRY, "toString(country)", "'other'"},
    [BY_TOOL] = {DIM_TOOL, "toString(tool)", "'other'"},
    [BY_CLASS] = {DIM_CLASS, "toString(class)", "'other'"},
    [BY_ASN] = {DIM_ASN, "toString(asn)", "'other'"},
    [BY_PORT] = {DIM_PROTO | DIM_PORT, "toString(toUInt32(proto) * 65536 + dport)", "'other'"},
};

/* The largest step of which the span has at least 100; but ten minutes from six hours on, so
 * that contacts answer and not packets, and an hour from 36 hours on where only rollups by the
 * hour have what is asked. */
static int64_t choose_step(const struct asking *q)
{
    static const int64_t ladder[] = {30 * US_DAY, 7 * US_DAY, US_DAY, 12 * US_HOUR, 6 * US_HOUR,
        3 * US_HOUR, US_HOUR, 30 * US_MINUTE, 10 * US_MINUTE, 5 * US_MINUTE, 2 * US_MINUTE,
        US_MINUTE, 30 * US_SECOND, 10 * US_SECOND, 5 * US_SECOND, 2 * US_SECOND};
    const struct ask *a = q->ask;
    if (a->step)
        return a->step;
    bool given = a->from || a->to;
    int64_t from = given ? a->from : q->store->first_start;
    int64_t to = given ? a->to : q->store->last_start + 10 * US_MINUTE;
    int64_t step = US_SECOND;
    for (size_t i = 0; i < sizeof ladder / sizeof *ladder && step == US_SECOND; i++)
        if ((to - from) / ladder[i] >= 100)
            step = ladder[i];
    unsigned dimensions = groupings[a->by].dimensions | plan_filter_dimensions(a);
    bool by_window = (dimensions & ~(unsigned)(DIM_SITE | DIM_CLASS)) == 0;
    if (step < US_HOUR && to - from >= 36 * US_HOUR && !by_window)
        return US_HOUR;
    return step < 10 * US_MINUTE && to - from >= 6 * US_HOUR ? 10 * US_MINUTE : step;
}

static void put_series_source(
    const struct asking *q, struct source *src, int64_t step, struct buf *out)
{
    if (step % (10 * US_MINUTE) == 0)
        plan_source(q, src, out);
    else
        plan_packets(q, src, out);
}

/* The keys of the largest lines, as a list for IN; nothing if all fit. Lines of sources are
 * ranked by the sizes of their sets. */
static enum err find_lines(struct asking *q, int64_t step, enum measure m, struct buf *ret_list)
{
    const struct ask *a = q->ask;
    struct buf sql;
    struct buf from;
    struct buf out;
    struct source src = whole(q, groupings[a->by].dimensions, 1u << m);
    src.weigh = true;
    buf_init(&sql, STORE_SQL_MAX);
    buf_init(&from, STORE_SQL_MAX);
    buf_init(&out, STORE_SQL_MAX);
    put_series_source(q, &src, step, &from);
    buf_printf(&sql, "SELECT %s AS k FROM %s GROUP BY k ORDER BY ", groupings[a->by].key,
        (const char *)from.data);
    plan_measure(q, &src, m, &sql);
    buf_printf(&sql, " DESC, k LIMIT %zu", q->lines + 1);
    enum err e = chdb_read(q->store->chdb, (const char *)sql.data, &out, q->fault);
    size_t lines = 0;
    for (size_t i = 0; !e && i < out.len; i++)
        lines += out.data[i] == '\n';
    char *at = (char *)out.data;
    for (size_t i = 0; !e && lines > q->lines && i < q->lines; i++) {
        size_t len = strcspn(at, "\n");
        buf_printf(ret_list, "%s'%.*s'", i ? ", " : "", (int)len, at);
        at += len + 1;
    }
    buf_done(&sql);
    buf_done(&from);
    buf_done(&out);
    return e ? e : ret_list->err;
}

static enum err put_series(struct asking *q, struct buf *out)
{
    const struct ask *a = q->ask;
    int64_t step = choose_step(q);
    enum measure m = a->measure == MEASURE_SOURCES ? MEASURE_OF_SOURCES
                     : a->measure == MEASURE_BYTES ? MEASURE_OF_BYTES
                                                   : MEASURE_OF_PACKETS;
    if (step % (10 * US_MINUTE) && (a->from || a->to)) {
        q->from = a->from;
        q->to = a->to;
    }
    if ((q->to - q->from) / step > SERIES_STEPS_MAX)
        return fault_set(
            q->fault, ERR_RANGE, "step: more than %d steps in what there is", SERIES_STEPS_MAX);
    struct buf lines;
    struct buf from;
    buf_init(&lines, STORE_SQL_MAX);
    buf_init(&from, STORE_SQL_MAX);
    enum err e = a->by == BY_NOTHING ? OK : find_lines(q, step, m, &lines);
    struct source src = whole(q, groupings[a->by].dimensions, 1u << m);
    src.step = step;
    src.sketch = true;
    put_series_source(q, &src, step, &from);
    const char *key = groupings[a->by].key;
    if (lines.len)
        buf_printf(out, "SELECT bucket, if(%s IN (%s), %s, %s) AS k, ", key,
            (const char *)lines.data, key, groupings[a->by].other);
    else
        buf_printf(out, "SELECT bucket, %s AS k, ", key);
    plan_measure(q, &src, m, out);
    buf_printf(out, " FROM %s GROUP BY bucket, k ORDER BY bucket, k", (const char *)from.data);
    buf_done(&lines);
    buf_done(&from);
    return e;
}

/* --- all ---------------------------------------------------------------------------------- */

static enum err put_question(struct asking *q, struct buf *out)
{
    switch (q->ask->what) {
    case ASK_SPAN:
        put_span(q, out);
        return OK;
    case ASK_TOTALS:
        put_totals(q, out);
        return OK;
    case ASK_SERIES:
        return put_series(q, out);
    case ASK_MOVERS:
        put_movers(q, out);
        return OK;
    case ASK_SOURCES:
        put_sources(q, out);
        return OK;
    case ASK_SOURCE:
        put_source(q, out);
        return OK;
    case ASK_SITES:
        put_sites(q, out);
        return OK;
    case ASK_VICTIMS:
        put_victims(q, out);
        return OK;
    case ASK_PACKETS:
        put_packets(q, out);
        return OK;
    default:
        for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
            if (listings[i].what == q->ask->what)
                put_listing(q, &listings[i], out);
        return OK;
    }
}

enum err question_sql(struct asking *q, struct buf *out)
{
    if (q->empty && q->ask->what == ASK_TOTALS) {
        buf_str(out, "SELECT 0, 0, 0, 0, 0");
        return OK;
    }
    if (q->empty && q->ask->what != ASK_PACKETS && q->ask->what != ASK_VICTIMS)
        return OK;
    return put_question(q, out);
}
