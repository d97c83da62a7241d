/* Which tables answer: for the days, hours or windows that a rollup covers whole, the rollup;
 * for what is left over at the edges, and for days and hours that are not over, a finer rollup
 * or contacts; for what no rollup has taken in yet, contacts that came after it. */
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

/* "('scan', 'worm')" of "scan,worm" or "-scan,-worm". */
static void put_words(const char *classes, struct buf *out)
{
    bool leave_out = *classes == '-';
    buf_str(out, "(");
    for (const char *at = classes; *at;) {
        size_t len = strcspn(at, ",");
        buf_printf(
            out, "%s'%.*s'", at == classes ? "" : ", ", (int)len - leave_out, at + leave_out);
        at += len + (at[len] == ',');
    }
    buf_str(out, ")");
}

/* " AND class IN ('scan', 'worm')", or NOT IN. */
static void put_classes(const char *classes, struct buf *out)
{
    buf_printf(out, " AND class %sIN ", *classes == '-' ? "NOT " : "");
    put_words(classes, out);
}

void plan_tag_filters(const struct ask *a, struct buf *out)
{
    plan_filters(a, out);
    if (a->tag[0]) {
        buf_printf(out, " AND tag %sIN ", *a->tag == '-' ? "NOT " : "");
        put_words(a->tag, out);
    }
    if (a->reason[0])
        buf_printf(out, " AND reason = '%s'", a->reason);
}

/* Is a word in a list, as of put_words()? */
static bool has_word(const char *words, const char *word)
{
    bool found = false;
    for (const char *at = words; *at && !found; at += *at == ',') {
        at += *at == '-';
        size_t len = strcspn(at, ",");
        found = len == strlen(word) && memcmp(at, word, len) == 0;
        at += len;
    }
    return found;
}

unsigned plan_tag_sets(const struct ask *a)
{
    unsigned named = 0;
    unsigned count = 0;
    unsigned sets = 0;
    for (const char *at = a->tag; *at; at++)
        count += at == a->tag || *at == ',';
    for (unsigned tag = 0; tag < TAG_COUNT; tag++)
        if (has_word(a->tag, tag_name((enum contact_tag)tag)))
            named |= 1u << tag;
    if ((unsigned)__builtin_popcount(named) != count)
        return 0;
    for (unsigned set = 0; set < TAG_SETS; set++)
        if ((*a->tag == '-') == !(set & named))
            sets |= 1u << set;
    return sets;
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
    if (a->class[0])
        put_classes(a->class, out);
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
    OPEN_RUNS = 8, /* more runs of open units than this in a span are taken as one */
    /* Two levels with open units make (OPEN_RUNS + 2)^2 spans for the next, and each of these
     * two edges. */
    RANGES_MAX = 2 * (OPEN_RUNS + 2) * (OPEN_RUNS + 2) + 1
};

struct range {
    int64_t from, to;
};

struct ranges {
    struct range range[RANGES_MAX];
    size_t count;
};

/* One table that is read. */
struct level {
    int64_t unit;                /* us, of its rows; 0: contacts, in windows */
    const struct rollup *rollup; /* NULL: contacts */
    const struct roll *roll;     /* of contacts that were rolled; NULL: none */
    const struct united *united; /* NULL: none */
    struct ranges ranges;
};

struct plan {
    struct level level[LEVELS_MAX + 1]; /* the last one is contacts */
    size_t levels;
};

static bool fits(
    const struct rollup *r, const struct source *src, unsigned dimensions, bool tags)
{
    return r->tags == tags && (r->dimensions & dimensions) == dimensions &&
           (r->measures & src->measures) == src->measures &&
           (src->step == 0 || src->step % r->unit == 0);
}

static void find_tables(const struct view *v, struct level *level)
{
    enum united_how tags = level->unit == US_HOUR ? UNITED_TAGS : UNITED_TAG_DAYS;
    for (size_t i = 0; i < v->roll_count; i++)
        if (v->rolls[i].rollup == level->rollup)
            level->roll = &v->rolls[i];
    for (size_t i = 0; i < v->united_count; i++)
        if (level->rollup->tags ? v->unites[i].how == tags
                                : v->unites[i].rollup == level->rollup)
            level->united = &v->unites[i];
}

/* May `r` have what `last`, the level before it, leaves? It is finer, or it is what came in
 * where `last` is what was united of it. */
static bool follows(const struct rollup *r, const struct rollup *last)
{
    return !last || r->unit < last->unit || (r->unit == last->unit && last->from && !r->from);
}

/* The first rollup that has everything, then finer ones for its edges, then contacts. What is
 * united is followed by what has its open units. */
static void choose_levels(const struct asking *q, const struct source *src, struct plan *plan)
{
    unsigned dimensions = src->dimensions | plan_filter_dimensions(q->ask);
    bool known = !q->ask->tag[0] || plan_tag_sets(q->ask) != 0;
    const struct rollup *last = NULL;
    for (size_t i = 0; known && i < rollup_count && plan->levels < LEVELS_MAX; i++) {
        if (!fits(&rollups[i], src, dimensions, q->ask->tag[0] != 0) ||
            !follows(&rollups[i], last))
            continue;
        struct level *level = &plan->level[plan->levels++];
        last = level->rollup = &rollups[i];
        level->unit = last->unit;
        find_tables(&q->view, level);
    }
    plan->levels++;
}

static void cover(struct plan *plan, size_t at, int64_t from, int64_t to);

/* How many of the open units from the `first` on are neighbours. */
static size_t run_length(const struct united *u, size_t first, size_t last)
{
    size_t count = 1;
    while (first + count < last && u->open[first + count] == u->open[first] + (int64_t)count)
        count++;
    return count;
}

static size_t count_runs(const struct united *u, size_t first, size_t last)
{
    size_t runs = 0;
    for (; first < last; first += run_length(u, first, last))
        runs++;
    return runs;
}

/* [from, to) to this level but for open units, which go to the next. */
static void cover_units(struct plan *plan, size_t at, int64_t from, int64_t to)
{
    struct level *level = &plan->level[at];
    const struct united *u = level->united;
    size_t first = 0;
    size_t last = u ? u->open_count : 0;
    while (first < last && (u->open[first] + 1) * u->unit <= from)
        first++;
    while (last > first && u->open[last - 1] * u->unit >= to)
        last--;
    bool one_run = u && count_runs(u, first, last) > OPEN_RUNS;
    while (first < last) {
        size_t count = one_run ? last - first : run_length(u, first, last);
        int64_t hole = u->open[first] * u->unit;
        int64_t end = (u->open[first + count - 1] + 1) * u->unit;
        hole = hole > from ? hole : from;
        end = end < to ? end : to;
        if (from < hole)
            level->ranges.range[level->ranges.count++] = (struct range){from, hole};
        cover(plan, at + 1, hole, end);
        from = end;
        first += count;
    }
    if (from < to)
        level->ranges.range[level->ranges.count++] = (struct range){from, to};
    assert(level->ranges.count < RANGES_MAX);
}

/* Give [from, to) to level `at` as far as whole units go, the rest to the next. The depth is
 * that of the levels. */
static void cover(struct plan *plan, size_t at, int64_t from, int64_t to)
{
    struct level *level = &plan->level[at];
    if (from >= to)
        return;
    if (!level->unit) {
        assert(level->ranges.count < RANGES_MAX);
        level->ranges.range[level->ranges.count++] = (struct range){from, to};
        return;
    }
    int64_t unit = level->unit;
    int64_t first = time_floor(from + unit - 1, unit);
    int64_t last = time_floor(to, unit);
    if (first >= last) {
        cover(plan, at + 1, from, to);
        return;
    }
    cover_units(plan, at, first, last);
    cover(plan, at + 1, from, first);
    cover(plan, at + 1, last, to);
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
    if (src->key) {
        buf_printf(out, "%s AS k, ", src->key);
        return;
    }
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        if (src->dimensions & 1u << d)
            buf_printf(out, "%s, ", dimension_column((enum dimension)d));
}

/* " GROUP BY bucket, k", if there is anything to group by. */
static void put_group(const struct source *src, struct buf *out)
{
    const char *join = " GROUP BY ";
    if (src->step) {
        buf_printf(out, "%sbucket", join);
        join = ", ";
    }
    if (src->key) {
        buf_printf(out, "%sk", join);
        return;
    }
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        if (src->dimensions & 1u << d) {
            buf_printf(out, "%s%s", join, dimension_column((enum dimension)d));
            join = ", ";
        }
}

/* The sketch of a set that comes as values or arrays. */
static void put_state(enum measure m, enum sets sets, const char *value, struct buf *out)
{
    buf_str(out, "CAST(");
    if (sets == SETS_VALUES)
        measure_put_members(m, true, value, out);
    else
        buf_printf(out, UNIQ "ArrayState" UNIQ_SIZE "(%s)", value);
    buf_str(out, " AS " UNIQ_STATE ")");
}

/* The size of a set in one row. */
static void put_weight(enum sets sets, const char *column, struct buf *out)
{
    if (sets == SETS_VALUES)
        buf_str(out, "toUInt64(1)");
    else if (sets == SETS_ARRAYS)
        buf_printf(out, "toUInt64(length(%s))", column);
    else
        buf_printf(out, "toUInt64(%s_n)", column);
}

/* A row's measure, or with `fold` that of all rows with the same keys. */
static void put_row_measure(
    const struct source *src, enum measure m, enum sets sets, bool fold, struct buf *out)
{
    const char *column = measure_column(m);
    const char *value = sets == SETS_VALUES ? measure_value(m) : column;
    if (measure_is_set(m) && src->weigh)
        put_weight(sets, column, out);
    else if (measure_is_set(m) && fold)
        put_state(m, sets, value, out);
    else if (fold)
        buf_printf(out, "%s(%s)", measure_joined(m), value);
    else
        buf_str(out, value);
    if (fold || src->weigh || strcmp(value, column) != 0)
        buf_printf(out, " AS %s", column);
}

static void put_measures(const struct source *src, enum sets sets, bool fold, struct buf *out)
{
    const char *comma = "";
    for (unsigned m = 0; m < MEASURE_COUNT; m++) {
        if (!(src->measures & 1u << m))
            continue;
        buf_str(out, comma);
        put_row_measure(src, (enum measure)m, sets, fold, out);
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

/* Of windows that were screened, contacts that have none of the tags, or one of them. What
 * narrows contacts narrows those that are tagged, too; they have no hashes of sources. */
static void put_tags(const struct asking *q, const struct source *src,
    const struct range *ranges, size_t count, struct buf *out)
{
    if (!q->ask->tag[0])
        return;
    buf_str(out, " AND start IN (SELECT start FROM kz.screening WHERE tag = '' AND ");
    put_ranges("start", ranges, count, out);
    buf_printf(out, ") AND " CONTACT_KEY " %sIN (SELECT " CONTACT_KEY " FROM kz.tagged WHERE ",
        *q->ask->tag == '-' ? "NOT " : "");
    put_ranges("start", ranges, count, out);
    plan_filters(q->ask, out);
    if (src->where && !strstr(src->where, "src_hash"))
        buf_str(out, src->where);
    buf_str(out, " AND tag IN ");
    put_words(q->ask->tag, out);
    buf_str(out, ")");
}

/* Contacts of their own ranges, and those that came after a rollup's last intake. */
static void put_contact_ranges(const struct plan *plan, struct buf *out)
{
    const struct ranges *raw = &plan->level[plan->levels - 1].ranges;
    const char * or = "";
    buf_str(out, "(");
    if (raw->count) {
        put_ranges("start", raw->range, raw->count, out);
        or = " OR ";
    }
    for (size_t i = 0; i + 1 < plan->levels; i++) {
        const struct level *level = &plan->level[i];
        if (!level->roll || !level->ranges.count)
            continue;
        buf_printf(out, "%s(block > %" PRIu64 " AND ", or, level->roll->upto);
        put_ranges("start", level->ranges.range, level->ranges.count, out);
        buf_str(out, ")");
        or = " OR ";
    }
    buf_str(out, ")");
}

/* Are there contacts to read? */
static bool reads_contacts(const struct asking *q, const struct plan *plan)
{
    for (size_t i = 0; i + 1 < plan->levels; i++)
        if (plan->level[i].roll && plan->level[i].ranges.count &&
            plan->level[i].roll->upto < q->view.contact_last)
            return true;
    return plan->level[plan->levels - 1].ranges.count > 0;
}

static enum sets sets_of(const struct level *level)
{
    return level->united ? SETS_STATES : level->roll ? SETS_ARRAYS : SETS_VALUES;
}

/* What is asked without regard to classes or sites reads the rows of all together. */
static void put_margins(
    const struct asking *q, const struct source *src, const struct rollup *r, struct buf *out)
{
    unsigned told = src->dimensions | plan_filter_dimensions(q->ask);
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        if (r->margins & 1u << d)
            buf_printf(out, " AND %s %s ''", dimension_column((enum dimension)d),
                told & 1u << d ? "!=" : "=");
}

void plan_put_tag_sets(const struct ask *a, struct buf *out)
{
    unsigned sets = plan_tag_sets(a);
    const char *comma = "";
    if (!sets)
        return;
    buf_str(out, " AND tags IN (");
    for (unsigned set = 0; set < TAG_SETS; set++)
        if (sets & 1u << set) {
            buf_printf(out, "%s%u", comma, set);
            comma = ", ";
        }
    buf_str(out, ")");
}

static void put_level(const struct asking *q, const struct source *src, const struct plan *plan,
    const struct level *level, bool fold, struct buf *out)
{
    const struct ranges *raw = &plan->level[plan->levels - 1].ranges;
    const char *time = level->rollup ? "time" : "start";
    fold = fold && !level->united; /* these are sketches already */
    buf_str(out, "SELECT ");
    put_bucket(src, time, out);
    put_dimensions(src, out);
    put_measures(src, sets_of(level), fold, out);
    buf_printf(out, " FROM kz.%s %sWHERE ",
        level->rollup ? level->rollup->name : record_contact.name,
        !level->rollup && q->ask->tag[0] ? "PRE" : "");
    if (level->rollup)
        put_ranges(time, level->ranges.range, level->ranges.count, out);
    else
        put_contact_ranges(plan, out);
    if (level->roll) /* what is taken in just now is still asked of contacts */
        buf_printf(out, " AND block <= %" PRIu64, level->roll->upto);
    if (level->united)
        put_margins(q, src, level->rollup, out);
    if (level->rollup && level->rollup->tags)
        plan_put_tag_sets(q->ask, out);
    plan_filters(q->ask, out);
    buf_str(out, src->where ? src->where : "");
    if (!level->rollup)
        put_tags(q, src, raw->range, raw->count, out);
    if (fold)
        put_group(src, out);
}

bool plan_busiest_hours(const struct asking *q, const char *time, struct buf *out)
{
    struct plan plan = {.levels = 2};
    const struct united *u =
        view_united(&q->view, q->ask->tag[0] ? UNITED_TAGS : UNITED_SOURCES);
    plan.level[0] = (struct level){.unit = u->unit, .united = u};
    cover(&plan, 0, q->from, q->to);
    if (plan.level[0].ranges.count)
        put_ranges(time, plan.level[0].ranges.range, plan.level[0].ranges.count, out);
    return plan.level[0].ranges.count > 0;
}

/* Contacts by source, as far as they are sorted so, and the rest as they came; where no source
 * is asked for, but a service, or all that have tags or none, contacts by service. */
static void put_by_source(const struct asking *q, struct source *src, struct buf *out)
{
    const struct roll *roll = view_roll(&q->view, ROLL_BY_SOURCE);
    struct range range = {src->from, src->to};
    bool by_service = !q->ask->has_src &&
                      (q->ask->port >= 0 || (!src->extra && !(src->dimensions & DIM_SRC)));
    src->sets = SETS_VALUES;
    for (int late = by_service; late < 2; late++) {
        if (late && !by_service && roll->upto >= q->view.contact_last)
            break;
        buf_str(out, late && !by_service ? " UNION ALL SELECT " : "(SELECT ");
        put_bucket(src, "start", out);
        put_dimensions(src, out);
        buf_str(out, src->extra ? src->extra : "");
        put_measures(src, SETS_VALUES, false, out);
        /* Few rows of those read are wanted: the other columns are read of these alone. */
        buf_printf(out, " FROM kz.%s PREWHERE ", late ? "contact" : CONTACT_BY_SOURCE);
        put_ranges("start", &range, 1, out);
        if (!by_service)
            buf_printf(out, " AND block %s %" PRIu64, late ? ">" : "<=", roll->upto);
        plan_filters(q->ask, out);
        buf_str(out, src->where ? src->where : "");
        put_tags(q, src, &range, 1, out); /* the dearest comes last, for what is left */
    }
    buf_str(out, ")");
}

void plan_packets(const struct asking *q, struct source *src, struct buf *out)
{
    struct range range = {src->from, src->to};
    src->sets = SETS_VALUES;
    buf_str(out, "(SELECT ");
    put_bucket(src, "ts", out);
    put_dimensions(src, out);
    buf_printf(out,
        "toUInt64(1) AS packets, toUInt64(ip_len) AS bytes, %s AS sources FROM kz.packet "
        "WHERE ",
        src->weigh ? "toUInt64(1)" : "src");
    put_ranges("ts", &range, 1, out);
    plan_filters(q->ask, out);
    buf_str(out, src->where ? src->where : "");
    buf_str(out, ")");
}

static bool has_sets(const struct source *src)
{
    for (unsigned m = 0; m < MEASURE_COUNT; m++)
        if (src->measures & 1u << m && measure_is_set((enum measure)m))
            return true;
    return false;
}

/* Is each key and step of the answer one row of this united rollup? Then its number of members
 * is the answer, and no set has to be read. */
static bool is_answer(const struct asking *q, const struct source *src, const struct rollup *r)
{
    unsigned filters = plan_filter_dimensions(q->ask);
    unsigned told = src->dimensions | filters | r->margins;
    bool many_classes = filters & DIM_CLASS && !(src->dimensions & DIM_CLASS) &&
                        strpbrk(q->ask->class, "-,") != NULL;
    unsigned sets = r->tags ? plan_tag_sets(q->ask) : 0;
    return src->step == r->unit && (told & r->dimensions) == r->dimensions && !many_classes &&
           (sets & (sets - 1)) == 0;
}

/* Levels whose rows are the answer's go into `numbers`, and out of the plan. */
static void put_numbers(
    const struct asking *q, struct source *src, struct plan *plan, struct buf *out)
{
    const char *join = "";
    src->weigh = true;
    for (size_t i = 0; i < plan->levels; i++) {
        struct level *level = &plan->level[i];
        if (!level->united || !level->ranges.count || !is_answer(q, src, level->rollup))
            continue;
        buf_str(out, join);
        put_level(q, src, plan, level, false, out);
        level->ranges.count = 0;
        join = " UNION ALL ";
    }
    src->weigh = false;
}

static void put_levels(
    const struct asking *q, const struct source *src, const struct plan *plan, struct buf *out)
{
    const char *join = "";
    bool contacts = reads_contacts(q, plan);
    bool fold = src->sets == SETS_STATES && has_sets(src) && !src->weigh;
    for (size_t i = 0; i < plan->levels; i++) {
        const struct level *level = &plan->level[i];
        if (level->rollup ? !level->ranges.count : !contacts)
            continue;
        buf_str(out, join);
        put_level(q, src, plan, level, fold, out);
        join = " UNION ALL ";
    }
}

bool plan_by_contacts(const struct asking *q, const struct source *src)
{
    struct plan plan = {0};
    choose_levels(q, src, &plan);
    return q->ask->tag[0] && plan.levels == 1;
}

void plan_source(const struct asking *q, struct source *src, struct buf *out)
{
    struct plan plan = {0};
    if (src->extra || (plan_filter_dimensions(q->ask) | src->dimensions) & DIM_SRC) {
        put_by_source(q, src, out);
        return;
    }
    choose_levels(q, src, &plan);
    if (q->ask->tag[0] && plan.levels == 1) {
        put_by_source(q, src, out);
        return;
    }
    cover(&plan, 0, src->from, src->to);
    if (src->numbers && has_sets(src) && !src->weigh)
        put_numbers(q, src, &plan, src->numbers);
    bool contacts = reads_contacts(q, &plan);
    size_t used = contacts;
    src->sets = SETS_VALUES;
    for (size_t i = 0; i + 1 < plan.levels; i++) {
        if (!plan.level[i].ranges.count)
            continue;
        used++;
        src->sets = sets_of(&plan.level[i]);
    }
    if (!used && src->numbers)
        return;
    /* Sets that come in several forms are brought into one, key by key. */
    if (used > 1 && has_sets(src) && !src->weigh)
        src->sets = SETS_STATES;
    buf_str(out, "(");
    put_levels(q, src, &plan, out);
    buf_str(out, ")");
}

void plan_measure(const struct source *src, enum measure m, struct buf *out)
{
    if (!measure_is_set(m) || src->weigh)
        buf_printf(
            out, "%s(%s)", measure_is_set(m) ? "sum" : measure_joined(m), measure_column(m));
    else if (src->sets == SETS_VALUES)
        measure_put_members(m, false, measure_column(m), out);
    else
        buf_printf(out, UNIQ "%s" UNIQ_SIZE "(%s)",
            src->sets == SETS_ARRAYS ? "Array" : "Merge", measure_column(m));
}
