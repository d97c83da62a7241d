/* The SQL of lists of services, countries, networks, tools and classes, of totals and of
 * movers.
 *
 * Uniting sets is what costs. So where keys are many, those of the page are looked for first:
 * by packets or, where sources rank, by the sizes of the sets. A row is then missed only if
 * twice as many others weigh more and yet have fewer sources. Where no rollup has what is asked
 * with tags, it is finding the contacts that costs: they are gone through once, and all sets
 * united. */
#include "store/ask_int.h"

#include <inttypes.h>
#include <string.h>

#define CANDIDATES(rows) (2 * (rows) + 20)

enum {
    NAMED_MAX = 2000 /* candidates that are written out: their places in the tables are then
                        known before these are read */
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): rows are read in this order */
static const struct listing {
    enum ask_what what;
    const char *keys;
    unsigned dimensions;
    bool some, many; /* keys: enough to rank them by sums first, which is exact; and by sizes */
    enum measure shown[4]; /* in the answer's order, then MEASURE_COUNT */
} listings[] = {
    {ASK_PORTS, "proto, dport", DIM_PROTO | DIM_PORT, true, true,
        {MEASURE_OF_PACKETS, MEASURE_OF_SOURCES, MEASURE_OF_COUNTRIES, MEASURE_COUNT}},
    {ASK_COUNTRIES, "country", DIM_COUNTRY, true, false,
        {MEASURE_OF_SOURCES, MEASURE_OF_PACKETS, MEASURE_OF_PORTS, MEASURE_COUNT}},
    {ASK_ASNS, "asn, country", DIM_ASN | DIM_COUNTRY, true, true,
        {MEASURE_OF_SOURCES, MEASURE_OF_PACKETS, MEASURE_OF_PORTS, MEASURE_COUNT}},
    {ASK_TOOLS, "tool", DIM_TOOL, false, false,
        {MEASURE_OF_SOURCES, MEASURE_OF_PACKETS, MEASURE_OF_PORTS, MEASURE_COUNT}},
    {ASK_CLASSES, "class", DIM_CLASS, false, false,
        {MEASURE_OF_SOURCES, MEASURE_OF_PACKETS, MEASURE_COUNT}},
};

static const struct listing *find_listing(enum ask_what what)
{
    for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
        if (listings[i].what == what)
            return &listings[i];
    return NULL;
}

static enum measure order_of(const struct ask *a, unsigned measures)
{
    if (a->measure == MEASURE_SOURCES && measures & M_SOURCES)
        return MEASURE_OF_SOURCES;
    if (a->measure == MEASURE_BYTES && measures & M_BYTES)
        return MEASURE_OF_BYTES;
    return MEASURE_OF_PACKETS;
}

/* --- candidates --------------------------------------------------------------------------- */

/* A field of tab-separated values: a number stays one, a word gets quotes. */
static void put_value(const char *field, size_t len, bool word, struct buf *out)
{
    buf_str(out, word ? "'" : "");
    buf_put(out, field, len);
    buf_str(out, word ? "'" : "");
}

/* Lines of keys as a list of tuples. The words are our own: their alphabet has no quote. */
static void put_tuples(
    const struct buf *lines, const bool *word, size_t fields, struct buf *out)
{
    const char *at = (const char *)lines->data;
    for (const char *comma = ""; at && *at; comma = ", ") {
        buf_printf(out, "%s(", comma);
        for (size_t i = 0; i < fields; i++) {
            size_t len = strcspn(at, "\t\n");
            buf_str(out, i ? ", " : "");
            put_value(at, len, word[i], out);
            at += len + (at[len] != 0);
        }
        buf_str(out, ")");
    }
}

/* " AND (keys) IN (...)": what `sql` gives; asked for now if that is not too long to write. */
static enum err put_candidates(const struct asking *q, const char *keys, unsigned dimensions,
    const char *sql, uint64_t most, struct buf *out)
{
    const bool country = (dimensions & DIM_COUNTRY) != 0;
    const bool alone = dimensions == DIM_COUNTRY;
    const bool words[] = {alone, country};
    struct buf lines;
    if (most > NAMED_MAX) {
        buf_printf(out, " AND (%s) IN (%s)", keys, sql);
        return OK;
    }
    buf_init(&lines, STORE_SQL_MAX);
    enum err e = chdb_read(q->store->chdb, sql, &lines, q->fault);
    if (!e && lines.len) {
        buf_printf(out, " AND (%s) IN (", keys);
        put_tuples(&lines, words, alone ? 1 : 2, out);
        buf_str(out, ")");
    }
    buf_done(&lines);
    return e;
}

static enum err put_heaviest(
    const struct asking *q, const struct listing *l, enum measure order, struct buf *out)
{
    struct source src = question_whole(q, l->dimensions, 1u << order);
    struct buf from;
    struct buf sql;
    uint64_t rows = q->place.skip + q->limit + 1;
    uint64_t most = measure_is_set(order) ? CANDIDATES(rows) : rows;
    if (!q->limit || plan_by_contacts(q, &src) || (measure_is_set(order) ? !l->many : !l->some))
        return OK;
    src.weigh = true;
    buf_init(&from, STORE_SQL_MAX);
    buf_init(&sql, STORE_SQL_MAX);
    plan_source(q, &src, &from);
    buf_printf(&sql, "SELECT %s FROM %s GROUP BY %s ORDER BY ", l->keys,
        (const char *)from.data, l->keys);
    plan_measure(&src, order, &sql);
    buf_printf(&sql, " DESC, %s LIMIT %" PRIu64, l->keys, most);
    enum err e = from.err ? from.err : sql.err;
    if (!e)
        e = put_candidates(q, l->keys, l->dimensions, (const char *)sql.data, most, out);
    buf_done(&from);
    buf_done(&sql);
    return e;
}

/* --- lists -------------------------------------------------------------------------------- */

/* Of all packets that the filters leave, those of this row. */
static void put_share(const struct asking *q, const struct source *of, struct buf *out)
{
    struct source all = question_whole(q, DIM_NONE, M_PACKETS);
    if (plan_by_contacts(q, of)) {
        buf_str(out, ", round(n_packets / sum(n_packets) OVER (), 6)");
        return;
    }
    buf_str(out, ", round(n_packets / (SELECT sum(packets) FROM ");
    plan_source(q, &all, out);
    buf_str(out, "), 6)");
}

static void put_list(
    const struct asking *q, const struct listing *l, const char *where, struct buf *out)
{
    unsigned measures = q->ask->measure == MEASURE_BYTES ? M_BYTES : 0;
    for (size_t i = 0; l->shown[i] != MEASURE_COUNT; i++)
        measures |= 1u << l->shown[i];
    enum measure order = order_of(q->ask, measures);
    struct source src = question_whole(q, l->dimensions, measures);
    struct buf from;
    buf_init(&from, STORE_SQL_MAX);
    src.where = where;
    plan_source(q, &src, &from);
    buf_printf(out, "SELECT %s", l->keys);
    for (size_t i = 0; l->shown[i] != MEASURE_COUNT; i++) {
        buf_str(out, ", ");
        plan_measure(&src, l->shown[i], out);
        buf_printf(out, " AS n_%s", measure_column(l->shown[i]));
    }
    if (l->what == ASK_PORTS)
        put_share(q, &src, out);
    buf_printf(out, " FROM %s GROUP BY %s ORDER BY ", (const char *)from.data, l->keys);
    plan_measure(&src, order, out);
    buf_printf(out, " DESC, %s", l->keys);
    question_put_page(q, out);
    buf_done(&from);
}

enum err question_list_sql(struct asking *q, struct buf *out)
{
    const struct listing *l = find_listing(q->ask->what);
    if (!l)
        return ERR_RANGE;
    struct buf where;
    buf_init(&where, STORE_SQL_MAX);
    unsigned measures =
        M_PACKETS | M_SOURCES | (q->ask->measure == MEASURE_BYTES ? M_BYTES : 0);
    enum err e = put_heaviest(q, l, order_of(q->ask, measures), &where);
    if (!e)
        put_list(q, l, (const char *)where.data, out);
    buf_done(&where);
    return e;
}

/* --- totals ------------------------------------------------------------------------------- */

/* A question about one port needs no set of ports. Sites are counted by themselves: all else is
 * read from rows of all sites together, where there are such. */
void question_totals_sql(const struct asking *q, struct buf *out)
{
    bool one_port = q->ask->port >= 0;
    struct source src = question_whole(q, one_port ? DIM_PROTO | DIM_PORT : DIM_NONE,
        M_PACKETS | M_BYTES | M_SOURCES | (one_port ? 0 : M_PORTS));
    bool once = plan_by_contacts(q, &src);
    src.dimensions |= once ? DIM_SITE : DIM_NONE;
    struct source sites = question_whole(q, DIM_SITE, M_PACKETS);
    struct buf from;
    buf_init(&from, STORE_SQL_MAX);
    plan_source(q, &src, &from);
    buf_str(out, "SELECT sum(packets), sum(bytes), ");
    plan_measure(&src, MEASURE_OF_SOURCES, out);
    if (once)
        buf_str(out, ", uniqExact(site), ");
    else {
        buf_str(out, ", (SELECT uniqExact(site) FROM ");
        plan_source(q, &sites, out);
        buf_str(out, "), ");
    }
    if (one_port)
        buf_str(out, "uniqExact(proto, dport)");
    else
        plan_measure(&src, MEASURE_OF_PORTS, out);
    buf_printf(out, " FROM %s", (const char *)from.data);
    buf_done(&from);
}

/* --- movers ------------------------------------------------------------------------------- */

/* The span asked for, the one before it. */
struct halves {
    int64_t from, to;
    int64_t before, before_to; /* the same: nothing before */
};

static struct halves find_halves(const struct asking *q)
{
    const struct ask *a = q->ask;
    int64_t from = a->from || a->to ? a->from : q->from;
    int64_t to = a->from || a->to ? a->to : q->to;
    int64_t before = from - (to - from);
    int64_t begin = time_floor(q->view.first_start, 10 * US_MINUTE);
    before = before < begin ? begin : time_floor(before, 10 * US_MINUTE);
    return (struct halves){q->from, q->to, before < q->from ? before : q->from, q->from};
}

static void put_half(
    const struct asking *q, const struct source *half, bool now, struct buf *out)
{
    struct source src = *half;
    struct buf text;
    buf_init(&text, STORE_SQL_MAX);
    plan_source(q, &src, &text);
    buf_str(out, "SELECT proto, dport, ");
    buf_str(out, now ? "" : "toUInt64(0) AS s, ");
    plan_measure(&src, MEASURE_OF_SOURCES, out);
    buf_str(
        out, now ? " AS s, toUInt64(0) AS b, sum(packets) AS p" : " AS b, toUInt64(0) AS p");
    buf_printf(out, " FROM %s GROUP BY proto, dport", (const char *)text.data);
    buf_done(&text);
}

/* Ordered by how far the rise is beyond chance, if sources came as Poisson counts. */
static void put_moves(const struct asking *q, const struct halves *h, bool weigh,
    const char *where, struct buf *out)
{
    struct source half = {.dimensions = DIM_PROTO | DIM_PORT,
        .measures = M_PACKETS | M_SOURCES,
        .from = h->from,
        .to = h->to,
        .weigh = weigh,
        .where = where};
    buf_str(out, weigh ? "SELECT proto, dport FROM (SELECT proto, dport, "
                       : "SELECT proto, dport, now, old, round(now / old, 3), n "
                         "FROM (SELECT proto, dport, ");
    buf_str(out, "sum(s) AS now, sum(b) AS old, sum(p) AS n FROM (");
    put_half(q, &half, true, out);
    if (h->before < h->before_to) {
        half.from = h->before;
        half.to = h->before_to;
        buf_str(out, " UNION ALL ");
        put_half(q, &half, false, out);
    }
    buf_str(out, ") GROUP BY proto, dport) ORDER BY (toInt64(now) - toInt64(old)) / "
                 "sqrt(now + old + 1) DESC, proto, dport");
}

enum err question_movers_sql(struct asking *q, struct buf *out)
{
    struct halves h = find_halves(q);
    struct buf sql;
    struct buf where;
    uint64_t most = CANDIDATES(q->place.skip + q->limit + 1);
    enum err e = OK;
    buf_init(&sql, STORE_SQL_MAX);
    buf_init(&where, STORE_SQL_MAX);
    struct source src = question_whole(q, DIM_PROTO | DIM_PORT, M_PACKETS | M_SOURCES);
    if (q->limit && !plan_by_contacts(q, &src)) {
        put_moves(q, &h, true, NULL, &sql);
        buf_printf(&sql, " LIMIT %" PRIu64, most);
        e = sql.err ? sql.err
                    : put_candidates(q, "proto, dport", DIM_PROTO | DIM_PORT,
                          (const char *)sql.data, most, &where);
    }
    if (!e) {
        put_moves(q, &h, false, (const char *)where.data, out);
        question_put_page(q, out);
    }
    buf_done(&sql);
    buf_done(&where);
    return e;
}
