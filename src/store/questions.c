/* Questions: what their answers' columns are, which span they are about, and which file has the
 * SQL. All SQL that asks stands in plan.c and question_*.c. */
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
    [ASK_SOURCES] = LIST({"src", ANSWER_IP}, {"country", ANSWER_WORD}, {"asn", ANSWER_ASN},
        {"as_name", ANSWER_NAME}, {"packets", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER},
        {"sites", ANSWER_NUMBER}, {"first", ANSWER_TIME}, {"last", ANSWER_TIME},
        {"tool", ANSWER_WORD}, {"class", ANSWER_WORD}),
    [ASK_SOURCE] = LIST({"start", ANSWER_TIME}, {"site", ANSWER_WORD}, {"proto", ANSWER_PROTO},
        {"port", ANSWER_NUMBER}, {"class", ANSWER_WORD}, {"tool", ANSWER_WORD},
        {"packets", ANSWER_NUMBER}),
    [ASK_COUNTRIES] = LIST({"country", ANSWER_WORD}, {"sources", ANSWER_NUMBER},
        {"packets", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER}),
    [ASK_ASNS] = LIST({"asn", ANSWER_ASN}, {"as_name", ANSWER_NAME}, {"country", ANSWER_WORD},
        {"sources", ANSWER_NUMBER}, {"packets", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER}),
    [ASK_TOOLS] = LIST({"tool", ANSWER_WORD}, {"sources", ANSWER_NUMBER},
        {"packets", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER}),
    [ASK_CLASSES] =
        LIST({"class", ANSWER_WORD}, {"sources", ANSWER_NUMBER}, {"packets", ANSWER_NUMBER}),
    [ASK_SCREENED] = LIST({"tag", ANSWER_WORD}, {"reason", ANSWER_WORD}, {"what", ANSWER_TEXT},
        {"sources", ANSWER_NUMBER}, {"packets", ANSWER_NUMBER}, {"contacts", ANSWER_NUMBER},
        {"first", ANSWER_TIME}, {"last", ANSWER_TIME}),
    [ASK_TAGGED] = LIST({"src", ANSWER_IP}, {"country", ANSWER_WORD}, {"asn", ANSWER_ASN},
        {"as_name", ANSWER_NAME}, {"tag", ANSWER_WORD}, {"reason", ANSWER_WORD},
        {"packets", ANSWER_NUMBER}, {"ports", ANSWER_NUMBER}, {"first", ANSWER_TIME},
        {"last", ANSWER_TIME}),
    [ASK_SITES] = LIST({"site", ANSWER_WORD}, {"first", ANSWER_TIME}, {"last", ANSWER_TIME},
        {"packets", ANSWER_NUMBER}, {"sources", ANSWER_NUMBER}, {"dropped", ANSWER_NUMBER},
        {"malformed", ANSWER_NUMBER}, {"sampled_out", ANSWER_NUMBER}),
    [ASK_VICTIMS] = LIST({"victim", ANSWER_IP}, {"country", ANSWER_WORD}, {"asn", ANSWER_ASN},
        {"as_name", ANSWER_NAME}, {"site", ANSWER_WORD}, {"proto", ANSWER_PROTO},
        {"port", ANSWER_NUMBER}, {"start", ANSWER_TIME}, {"end", ANSWER_TIME},
        {"packets", ANSWER_NUMBER}, {"peak_ppm", ANSWER_NUMBER}, {"targets", ANSWER_NUMBER}),
    [ASK_LOSSES] = LIST({"time", ANSWER_TIME}, {"key", ANSWER_WORD}, {"value", ANSWER_NUMBER}),
    [ASK_PACKETS] = packet_columns,
};

static const struct answer_column series_of_ports[] = {{"time", ANSWER_TIME},
    {"key", ANSWER_SERVICE}, {"value", ANSWER_NUMBER}, {NULL, ANSWER_NUMBER}};

/* The name comes last: most who read a series look no further than the value. */
static const struct answer_column series_of_networks[] = {{"time", ANSWER_TIME},
    {"key", ANSWER_NETWORK}, {"value", ANSWER_NUMBER}, {"as_name", ANSWER_NAME},
    {NULL, ANSWER_NUMBER}};

const struct answer_column *question_columns(const struct ask *a)
{
    if (a->what == ASK_SERIES && a->by == BY_PORT)
        return series_of_ports;
    if (a->what == ASK_SERIES && a->by == BY_ASN)
        return series_of_networks;
    return columns[a->what];
}

/* --- the span ----------------------------------------------------------------------------- */

/* Or of packets, attacks, losses, whose times the view does not know? */
static bool is_of_contacts(enum ask_what what)
{
    return what != ASK_PACKETS && what != ASK_VICTIMS && what != ASK_LOSSES;
}

/* Where there is nothing beyond, whole days are taken: rollups cover them. */
void question_span(struct asking *q)
{
    const struct ask *a = q->ask;
    const struct view *v = &q->view;
    bool any = !a->from && !a->to;
    q->empty = v->first_start > v->last_start;
    if (q->empty || !is_of_contacts(a->what)) {
        q->from = any ? INT64_MIN : a->from;
        q->to = any ? INT64_MAX : a->to;
        return;
    }
    int64_t begin = time_floor(v->first_start, US_DAY);
    int64_t end = time_floor(v->last_start, US_DAY) + US_DAY;
    q->from = any || a->what == ASK_SPAN || a->from <= v->first_start
                  ? begin
                  : time_floor(a->from, 10 * US_MINUTE);
    q->to = any || a->what == ASK_SPAN || a->to > v->last_start
                ? end
                : time_floor(a->to + 10 * US_MINUTE - 1, 10 * US_MINUTE);
    q->empty = q->from >= q->to;
}

/* --- pieces ------------------------------------------------------------------------------- */

void question_put_page(const struct asking *q, struct buf *out)
{
    if (q->limit)
        buf_printf(out, " LIMIT %" PRIu64 ", %zu", q->place.skip, q->limit + 1);
}

struct source question_whole(const struct asking *q, unsigned dimensions, unsigned measures)
{
    return (struct source){
        .dimensions = dimensions, .measures = measures, .from = q->from, .to = q->to};
}

static void put_span(const struct asking *q, struct buf *out)
{
    struct ask any;
    ask_init(&any, ASK_SPAN);
    struct asking all = *q;
    all.ask = &any;
    struct source src = question_whole(q, DIM_NONE, M_FIRST | M_LAST | M_PACKETS);
    buf_str(out, "SELECT min(first), max(last), sum(packets) FROM ");
    plan_source(&all, &src, out);
    buf_str(out, " HAVING count() > 0");
}

/* --- all ---------------------------------------------------------------------------------- */

static enum err put_question(struct asking *q, struct buf *out)
{
    switch (q->ask->what) {
    case ASK_SPAN:
        put_span(q, out);
        return OK;
    case ASK_TOTALS:
        question_totals_sql(q, out);
        return OK;
    case ASK_SERIES:
        return question_series_sql(q, out);
    case ASK_MOVERS:
        return question_movers_sql(q, out);
    case ASK_SOURCES:
        return question_sources_sql(q, out);
    case ASK_SOURCE:
        question_source_sql(q, out);
        return OK;
    case ASK_SITES:
        question_sites_sql(q, out);
        return OK;
    case ASK_SCREENED:
        question_screened_sql(q, out);
        return OK;
    case ASK_TAGGED:
        question_tagged_sql(q, out);
        return OK;
    case ASK_VICTIMS:
        question_victims_sql(q, out);
        return OK;
    case ASK_LOSSES:
        question_losses_sql(q, out);
        return OK;
    case ASK_PACKETS:
        question_packets_sql(q, out);
        return OK;
    default:
        return question_list_sql(q, out);
    }
}

enum err question_sql(struct asking *q, struct buf *out)
{
    if (q->empty && q->ask->what == ASK_TOTALS) {
        buf_str(out, "SELECT 0, 0, 0, 0, 0");
        return OK;
    }
    if (q->empty && is_of_contacts(q->ask->what))
        return OK;
    return put_question(q, out);
}
