/* The SQL of lists of sources. */
#include "store/ask_int.h"

#include <inttypes.h>
#include <string.h>

/* No source has it: a list needs a member. */
#define NOBODY                                                                                 \
    "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"

enum {
    CANDIDATES_MOST = 1000 /* rows for which some thousands of sources an hour are enough */
};

/* The addresses that `sql` gives, as lines of hexadecimal digits. */
static enum err find_addresses(const struct asking *q, const char *sql, struct buf *ret_lines)
{
    struct buf text;
    buf_init(&text, STORE_SQL_MAX);
    buf_printf(&text, "SELECT hex(src) FROM (%s)", sql);
    enum err e = text.err
                     ? text.err
                     : chdb_read(q->store->chdb, (const char *)text.data, ret_lines, q->fault);
    buf_done(&text);
    return e;
}

static bool has_line(const struct buf *lines, const char *line, size_t len)
{
    return lines && lines->len && memmem(lines->data, lines->len, line, len);
}

/* As text, not by a function for each: thousands of those are more than a statement may have.
 */
static void put_address(const char *digits, size_t len, struct buf *out)
{
    buf_str(out, ", '");
    for (size_t i = 0; i + 2 <= len; i += 2)
        buf_printf(out, "\\x%.2s", digits + i);
    buf_str(out, "'");
}

/* " AND src IN (...)": the addresses but for those among `without` (NULL: all), written out:
 * the table's index then knows their places. Returns how many there are. */
static size_t put_addresses(const struct buf *lines, const struct buf *without, struct buf *out)
{
    size_t count = 0;
    buf_str(out, " AND src IN ('" NOBODY "'");
    const char *at = (const char *)lines->data;
    for (; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
        size_t len = strcspn(at, "\n");
        if (has_line(without, at, len))
            continue;
        put_address(at, len, out);
        count++;
    }
    buf_str(out, ")");
    return count;
}

/* Where all about the busiest sources of an hour is said. */
static const char *busiest_table(const struct asking *q)
{
    return q->ask->tag[0] ? BUSIEST_TAGS : BUSIEST_HOURS;
}

/* The same with tags: by what they have in hours that are united, and by contacts of the rest.
 */
static void put_busiest_tagged(const struct asking *q, const char *hours, struct buf *out)
{
    struct buf where;
    struct source rest = question_whole(q, DIM_SRC, M_PACKETS);
    buf_init(&where, STORE_SQL_MAX);
    buf_str(&where, " AND NOT ");
    plan_busiest_hours(q, "start", &where);
    rest.where = (const char *)where.data;
    buf_printf(out, "SELECT src FROM (SELECT src, packets FROM kz.%s WHERE %s",
        busiest_table(q), hours);
    plan_put_tag_sets(q->ask, out);
    plan_filters(q->ask, out);
    buf_str(out, " UNION ALL SELECT src, packets FROM ");
    plan_source(q, &rest, out);
    buf_str(out, ") GROUP BY src ORDER BY sum(packets) DESC, src");
    out->err = out->err ? out->err : where.err;
    buf_done(&where);
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

/* Contacts of sources, as a SELECT in brackets. */
static void put_contacts(const struct asking *q, const struct buf *where, struct buf *out)
{
    struct source src =
        question_whole(q, DIM_SRC | DIM_COUNTRY | DIM_ASN | DIM_TOOL | DIM_CLASS | DIM_SITE,
            M_PACKETS | M_PORTS | M_FIRST | M_LAST);
    src.where = (const char *)where->data;
    plan_source(q, &src, out);
    out->err = out->err ? out->err : where->err;
}

/* Where contacts have to be looked at: for all of the candidates in the hours that are not
 * ready (`open`); and in the others for those that are not among the busiest in each of them
 * (`rest`; nothing: there are none such). */
struct gaps {
    struct buf open, rest;
};

static enum err find_gaps(const struct asking *q, const struct buf *candidates,
    const char *hours, struct gaps *ret_gaps)
{
    struct buf sql;
    struct buf whole;
    struct buf start;
    struct buf named;
    buf_init(&sql, STORE_SQL_MAX);
    buf_init(&whole, STORE_SQL_MAX);
    buf_init(&start, STORE_SQL_MAX);
    buf_init(&named, STORE_SQL_MAX);
    plan_busiest_hours(q, "start", &start);
    put_addresses(candidates, NULL, &named);
    buf_printf(
        &ret_gaps->open, "%s AND NOT %s", (const char *)named.data, (const char *)start.data);
    const char *table = busiest_table(q);
    buf_printf(&sql,
        "SELECT src FROM kz.%s WHERE %s%s GROUP BY src HAVING uniqExact(time) = (SELECT "
        "uniqExact(time) FROM kz.%s WHERE %s)",
        table, hours, (const char *)named.data, table, hours);
    enum err e = sql.err ? sql.err : start.err ? start.err : named.err;
    if (!e)
        e = find_addresses(q, (const char *)sql.data, &whole);
    buf_clear(&named);
    if (!e && put_addresses(candidates, &whole, &named) > 0)
        buf_printf(&ret_gaps->rest,
            "%s AND %s AND (src, intDiv(start, 3600000000) * 3600000000) NOT IN (SELECT src, "
            "time FROM kz.%s WHERE %s%s)",
            (const char *)named.data, (const char *)start.data, table, hours,
            (const char *)named.data);
    buf_done(&sql);
    buf_done(&whole);
    buf_done(&start);
    buf_done(&named);
    return e;
}

/* From where contacts of the candidates come, and the condition for the rows that say the same
 * of whole hours (nothing: there are none). */
static enum err put_busy_contacts(const struct asking *q, const struct buf *candidates,
    struct buf *ret_ready, struct buf *out)
{
    struct buf hours;
    struct gaps gaps;
    enum err e = OK;
    buf_init(&hours, STORE_SQL_MAX);
    buf_init(&gaps.open, STORE_SQL_MAX);
    buf_init(&gaps.rest, STORE_SQL_MAX);
    if (plan_busiest_hours(q, "time", &hours)) {
        e = find_gaps(q, candidates, (const char *)hours.data, &gaps);
        buf_str(ret_ready, (const char *)hours.data);
        put_addresses(candidates, NULL, ret_ready);
        plan_put_tag_sets(q->ask, ret_ready);
        plan_filters(q->ask, ret_ready);
    } else
        put_addresses(candidates, NULL, &gaps.open);
    if (gaps.rest.len) {
        buf_str(out, "(SELECT * FROM ");
        put_contacts(q, &gaps.open, out);
        buf_str(out, " UNION ALL SELECT * FROM ");
        put_contacts(q, &gaps.rest, out);
        buf_str(out, ")");
    } else
        put_contacts(q, &gaps.open, out);
    buf_done(&hours);
    buf_done(&gaps.open);
    buf_done(&gaps.rest);
    return e;
}

/* All about sources: of their contacts, a source's together, and where `ready` names some, of
 * the rows that say the same of an hour. */
static void put_sources(
    const struct asking *q, const struct buf *from, const struct buf *ready, struct buf *out)
{
    buf_str(out,
        "SELECT hex(src), max(c), max(a), sum(n) AS n_packets, " UNIQ "Merge" UNIQ_SIZE
        "(p), uniqExactArray(s), min(f), max(l), max(t), "
        "argMax(k, m) FROM (SELECT src, max(country) AS c, max(asn) AS a, "
        "sum(packets) AS n, CAST(" UNIQ "State" UNIQ_SIZE "(ports) AS " UNIQ_STATE
        ") AS p, groupUniqArray(toString(site)) AS s, min(first) AS f, max(last) AS l, "
        "max(tool) AS t, argMax(class, packets) AS k, max(packets) AS m FROM ");
    buf_printf(out, "%s GROUP BY src", (const char *)from->data);
    if (ready->len)
        buf_printf(out,
            " UNION ALL SELECT src, country AS c, asn AS a, packets AS n, ports AS p, sites AS "
            "s, first AS f, last AS l, tool AS t, class AS k, toUInt64(most) AS m FROM kz.%s "
            "WHERE %s",
            busiest_table(q), (const char *)ready->data);
    buf_str(out, ") GROUP BY src ORDER BY n_packets DESC, src");
}

/* The contacts of the busiest candidates of the span, or, where a question is about some only,
 * of the busiest by hash. */
static enum err find_sources(
    const struct asking *q, bool any, uint64_t rows, struct buf *ret_ready, struct buf *out)
{
    enum err e = OK;
    struct buf sql;
    struct buf where;
    buf_init(&sql, STORE_SQL_MAX);
    buf_init(&where, STORE_SQL_MAX);
    struct buf hours;
    buf_init(&hours, STORE_SQL_MAX);
    if (any) {
        if (q->ask->tag[0] && plan_busiest_hours(q, "time", &hours))
            put_busiest_tagged(q, (const char *)hours.data, &sql);
        else
            put_busiest(q, &sql);
        buf_printf(&sql, " LIMIT %" PRIu64, rows + rows / 4 + 16);
        e = sql.err ? sql.err : find_addresses(q, (const char *)sql.data, &where);
        e = e ? e : put_busy_contacts(q, &where, ret_ready, out);
    } else {
        put_busiest_of_some(q, &sql);
        if (q->limit)
            buf_printf(&sql, " LIMIT %" PRIu64, rows + 64);
        buf_printf(&where, " AND src_hash IN (%s)", (const char *)sql.data);
        put_contacts(q, &where, out);
    }
    buf_done(&hours);
    buf_done(&sql);
    buf_done(&where);
    return e ? e : out->err;
}

/* Are there tables where the busiest of all are found? */
static bool has_busiest(const struct asking *q)
{
    struct buf hours;
    buf_init(&hours, STORE_SQL_MAX);
    bool has =
        !q->ask->tag[0] || (plan_tag_sets(q->ask) && plan_busiest_hours(q, "time", &hours));
    buf_done(&hours);
    return has;
}

/* Two steps: candidates, then all about those. */
enum err question_sources_sql(const struct asking *q, struct buf *out)
{
    const struct ask *a = q->ask;
    unsigned filters = plan_filter_dimensions(a);
    uint64_t rows = q->place.skip + q->limit;
    bool any = !(filters & ~(unsigned)(DIM_COUNTRY | DIM_ASN)) && q->limit &&
               rows < CANDIDATES_MOST && has_busiest(q);
    struct buf from;
    struct buf ready;
    buf_init(&from, STORE_SQL_MAX);
    buf_init(&ready, STORE_SQL_MAX);
    enum err e = find_sources(q, any, rows, &ready, &from);
    if (!e) {
        put_sources(q, &from, &ready, out);
        e = ready.err;
    }
    question_put_page(q, out);
    /* The sources are written out and found by the index; with the hours in it, too, looking
     * for places took longer than reading them. */
    buf_str(out, " SETTINGS use_index_for_in_with_subqueries = 0");
    buf_done(&from);
    buf_done(&ready);
    return e;
}
