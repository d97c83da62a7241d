/* Which tables answer: for the days, hours or windows that a rollup covers whole, the rollup;
 * for what is left over at the edges, a finer rollup or contacts; for what no rollup has taken
 * in yet, contacts that came after it. */
#include "store/ask_int.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

unsigned plan_filter_dimensions(const struct ask *a)
{
    unsigned mask = 0;
    mask |= a->site[0] ? DIM_SITE : 0;
    mask |= a->country[0] ? DIM_COUNTRY : 0;
    mask |= a->tool[0] ? DIM_TOOL : 0;
    mask |= a->class[0] ? DIM_CLASS : 0;
    mask |= a->proto >= 0 ? DIM_PROTO : 0;
    mask |= a->port >= 0 ? DIM_PORT : 0;
    mask |= a->asn >= 0 ? DIM_ASN : 0;
    mask |= a->has_src ? DIM_SRC : 0;
    return mask;
}

static void put_address(const struct ip *ip, struct buf *out)
{
    buf_str(out, "unhex('");
    for (size_t i = 0; i < sizeof ip->byte; i++)
        buf_printf(out, "%02x", ip->byte[i]);
    buf_str(out, "')");
}

/* Words were checked: their alphabet has no quote. */
void plan_filters(const struct ask *a, struct buf *out)
{
    if (a->site[0])
        buf_printf(out, " AND site = '%s'", a->site);
    if (a->country[0])
        buf_printf(out, " AND country = '%.2s'", a->country);
    if (a->tool[0])
        buf_printf(out, " AND tool = '%s'", a->tool);
    if (a->class[0] == '-')
        buf_printf(out, " AND class != '%s'", a->class + 1);
    else if (a->class[0])
        buf_printf(out, " AND class = '%s'", a->class);
    if (a->proto >= 0)
        buf_printf(out, " AND proto = %d", a->proto);
    if (a->port >= 0)
        buf_printf(out, " AND dport = %d", a->port);
    if (a->asn >= 0)
        buf_printf(out, " AND asn = %" PRId64, a->asn);
    if (!a->has_src)
        return;
    struct ip last = prefix_last(&a->src);
    buf_str(out, " AND src >= toFixedString(");
    put_address(&a->src.ip, out);
    buf_str(out, ", 16) AND src <= toFixedString(");
    put_address(&last, out);
    buf_str(out, ", 16)");
}

/* --- spans -------------------------------------------------------------------------------- */

enum {
    LEVELS_MAX = 4,
    RANGES_MAX = 2 * LEVELS_MAX
};

struct range {
    int64_t from, to;
};

/* What is read: a range of each rollup, ranges of contacts. */
struct plan {
    const struct roll *level[LEVELS_MAX];
    size_t levels;
    struct range of_level[LEVELS_MAX][RANGES_MAX];
    size_t level_ranges[LEVELS_MAX];
    struct range raw[RANGES_MAX];
    size_t raw_ranges;
};

static bool fits(const struct rollup *r, const struct source *src, unsigned dimensions)
{
    return r && (r->dimensions & dimensions) == dimensions &&
           (r->measures & src->measures) == src->measures &&
           (src->step == 0 || src->step % r->unit == 0);
}

/* The first rollup that has everything, then finer ones for its edges. */
static void choose_levels(const struct asking *q, const struct source *src, struct plan *plan)
{
    unsigned dimensions = src->dimensions | plan_filter_dimensions(q->ask);
    const struct store *s = q->store;
    for (;;) {
        const struct roll *next = NULL;
        int64_t below = plan->levels ? plan->level[plan->levels - 1]->rollup->unit : INT64_MAX;
        for (size_t i = 0; i < s->roll_count && !next; i++)
            if (fits(s->rolls[i].rollup, src, dimensions) && s->rolls[i].rollup->unit < below)
                next = &s->rolls[i];
        if (!next || plan->levels == LEVELS_MAX)
            return;
        plan->level[plan->levels++] = next;
    }
}

/* Give [from, to) to level `level` as far as whole units go, the rest to the next. The depth is
 * that of the levels. */
static void cover(struct plan *plan, size_t level, int64_t from, int64_t to)
{
    if (from >= to)
        return;
    if (level == plan->levels) {
        assert(plan->raw_ranges < RANGES_MAX);
        plan->raw[plan->raw_ranges++] = (struct range){from, to};
        return;
    }
    int64_t unit = plan->level[level]->rollup->unit;
    int64_t first = time_floor(from + unit - 1, unit);
    int64_t last = time_floor(to, unit);
    if (first >= last) {
        cover(plan, level + 1, from, to);
        return;
    }
    assert(plan->level_ranges[level] < RANGES_MAX);
    plan->of_level[level][plan->level_ranges[level]++] = (struct range){first, last};
    cover(plan, level + 1, from, first);
    cover(plan, level + 1, last, to);
}

/* --- text --------------------------------------------------------------------------------- */

static void put_bucket(const struct source *src, const char *time, struct buf *out)
{
    if (src->step)
        buf_printf(out, "intDiv(%s, %" PRId64 ") * %" PRId64 " AS bucket, ", time, src->step,
            src->step);
}

static void put_dimensions(const struct source *src, struct buf *out)
{
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        if (src->dimensions & 1u << d)
            buf_printf(out, "%s, ", dimension_column((enum dimension)d));
}

/* Contacts' values; in the shape of a rollup's unless they come alone. */
static void put_raw(const struct source *src, struct buf *out)
{
    const char *comma = "";
    for (unsigned m = 0; m < MEASURE_COUNT; m++) {
        if (!(src->measures & 1u << m))
            continue;
        const char *value = measure_value((enum measure)m);
        const char *column = measure_column((enum measure)m);
        if (measure_is_set((enum measure)m) && src->weigh)
            buf_printf(out, "%stoUInt64(1) AS %s", comma, column);
        else if (measure_is_set((enum measure)m) && !src->raw_only)
            buf_printf(out, "%sarray(%s) AS %s", comma, value, column);
        else if (strcmp(value, column) == 0)
            buf_printf(out, "%s%s", comma, column);
        else
            buf_printf(out, "%s%s AS %s", comma, value, column);
        comma = ", ";
    }
}

static void put_rollup_measures(const struct source *src, struct buf *out)
{
    const char *comma = "";
    for (unsigned m = 0; m < MEASURE_COUNT; m++) {
        if (!(src->measures & 1u << m))
            continue;
        const char *column = measure_column((enum measure)m);
        if (measure_is_set((enum measure)m) && src->weigh)
            buf_printf(out, "%slength(%s) AS %s", comma, column, column);
        else
            buf_printf(out, "%s%s", comma, column);
        comma = ", ";
    }
}

static void put_ranges(
    const char *time, const struct range *ranges, size_t count, struct buf *out)
{
    buf_str(out, "(");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s(%s >= %" PRId64 " AND %s < %" PRId64 ")", i ? " OR " : "", time,
            ranges[i].from, time, ranges[i].to);
    buf_str(out, ")");
}

static void put_level(const struct asking *q, const struct source *src, const struct plan *plan,
    size_t level, struct buf *out)
{
    buf_str(out, "SELECT ");
    put_bucket(src, "time", out);
    put_dimensions(src, out);
    put_rollup_measures(src, out);
    buf_printf(out, " FROM kz.%s WHERE ", plan->level[level]->name);
    put_ranges("time", plan->of_level[level], plan->level_ranges[level], out);
    plan_filters(q->ask, out);
    buf_str(out, src->where ? src->where : "");
}

/* Contacts of the raw ranges, and those that came after a rollup's last intake. */
static void put_contacts(
    const struct asking *q, const struct source *src, const struct plan *plan, struct buf *out)
{
    buf_str(out, "SELECT ");
    put_bucket(src, "start", out);
    put_dimensions(src, out);
    put_raw(src, out);
    buf_str(out, " FROM kz.contact WHERE (");
    const char * or = "";
    if (plan->raw_ranges) {
        put_ranges("start", plan->raw, plan->raw_ranges, out);
        or = " OR ";
    }
    for (size_t i = 0; i < plan->levels; i++) {
        if (!plan->level_ranges[i])
            continue;
        buf_printf(out, "%s(block > %" PRIu64 " AND ", or, plan->level[i]->upto);
        put_ranges("start", plan->of_level[i], plan->level_ranges[i], out);
        buf_str(out, ")");
        or = " OR ";
    }
    buf_str(out, ")");
    plan_filters(q->ask, out);
    buf_str(out, src->where ? src->where : "");
}

static bool all_rolled(const struct asking *q, const struct plan *plan)
{
    for (size_t i = 0; i < plan->levels; i++)
        if (plan->level_ranges[i] && plan->level[i]->upto < q->store->contact_last)
            return false;
    return true;
}

/* One source's contacts: sorted by source as far as they are, the rest as they came. */
static void put_by_source(const struct asking *q, struct source *src, struct buf *out)
{
    const struct store *s = q->store;
    uint64_t upto = s->rolls[s->roll_count - 1].upto;
    struct range range = {src->from, src->to};
    assert(!s->rolls[s->roll_count - 1].rollup);
    src->raw_only = true;
    for (int late = 0; late < 2; late++) {
        buf_str(out, late ? " UNION ALL SELECT " : "(SELECT ");
        put_bucket(src, "start", out);
        put_dimensions(src, out);
        buf_str(out, src->extra ? src->extra : "");
        put_raw(src, out);
        buf_printf(out, " FROM kz.%s WHERE ", late ? "contact" : CONTACT_BY_SOURCE);
        put_ranges("start", &range, 1, out);
        if (late)
            buf_printf(out, " AND block > %" PRIu64, upto);
        plan_filters(q->ask, out);
        buf_str(out, src->where ? src->where : "");
    }
    buf_str(out, ")");
}

void plan_packets(const struct asking *q, struct source *src, struct buf *out)
{
    struct range range = {src->from, src->to};
    src->raw_only = true;
    buf_str(out, "(SELECT ");
    put_bucket(src, "ts", out);
    put_dimensions(src, out);
    buf_printf(out,
        "toUInt64(1) AS packets, toUInt64(ip_len) AS bytes, %s AS sources FROM kz.packet "
        "WHERE ",
        src->weigh ? "toUInt64(1)" : "src");
    put_ranges("ts", &range, 1, out);
    plan_filters(q->ask, out);
    buf_str(out, ")");
}

void plan_source(const struct asking *q, struct source *src, struct buf *out)
{
    struct plan plan = {0};
    if (src->extra || (plan_filter_dimensions(q->ask) | src->dimensions) & DIM_SRC) {
        put_by_source(q, src, out);
        return;
    }
    choose_levels(q, src, &plan);
    cover(&plan, 0, src->from, src->to);
    size_t used = 0;
    for (size_t i = 0; i < plan.levels; i++)
        used += plan.level_ranges[i];
    src->raw_only = used == 0;
    buf_str(out, "(");
    const char *join = "";
    for (size_t i = 0; i < plan.levels; i++) {
        if (!plan.level_ranges[i])
            continue;
        buf_str(out, join);
        put_level(q, src, &plan, i, out);
        join = " UNION ALL ";
    }
    if (plan.raw_ranges || !all_rolled(q, &plan)) {
        buf_str(out, join);
        put_contacts(q, src, &plan, out);
    }
    buf_str(out, ")");
}

void plan_measure(
    const struct asking *q, const struct source *src, enum measure m, struct buf *out)
{
    const char *column = measure_column(m);
    if (!measure_is_set(m) || src->weigh) {
        buf_printf(out, "%s(%s)", measure_is_set(m) ? "sum" : measure_joined(m), column);
        return;
    }
    const struct dialect *dialect = &q->store->dialect;
    const char *name = src->sketch ? dialect->sketch : dialect->uniq;
    size_t bare = strcspn(name, "(");
    buf_put(out, name, bare);
    buf_printf(out, "%s%s(%s)", src->raw_only ? "" : "Array", name + bare, column);
}
