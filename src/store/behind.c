/* Contacts that the rollups lack, read back from their table. While more comes in than can be
 * summed up at once (store_hurry()), contacts do not wait in memory: they are in their table,
 * where every question finds them, and the rollups are *behind*. A quiet moment
 * (store_upkeep()), or the next block that comes without hurry, takes them in, an intake at a
 * time. */
#include "store/store_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool behind_may_grow(const struct store *s, size_t rows)
{
    return s->hurry && s->behind_rows + rows <= BEHIND_MOST;
}

void store_fall_behind(struct store *s)
{
    s->behind = true;
    s->behind_rows += s->waiting->rows;
    block_clear(s->waiting);
}

static enum err take_bytes(void *context, const char *data, size_t len)
{
    struct buf *rows = context;
    buf_put(rows, data, len);
    return rows->err;
}

/* The engine gives the rows as several blocks. */
static enum err join(struct bytes in, struct block *into, struct fault *f)
{
    enum err e = OK;
    while (!e && in.left) {
        struct block *b = NULL;
        e = block_decode_next(&b, &record_contact, &in, f);
        if (e)
            return e;
        e = block_append(into, b, 0, b->rows);
        block_free(b);
    }
    return e;
}

/* The inserts of contacts with numbers in (after, upto] into `waiting`. ERR_FULL: their words
 * are too many for one block. */
static enum err read_back(struct store *s, uint64_t after, uint64_t upto, struct fault *f)
{
    struct buf sql;
    struct buf rows;
    buf_init(&sql, 4096);
    buf_init(&rows, STORE_WIRE_MAX);
    buf_str(&sql, "SELECT ");
    for (size_t i = 0; i < record_contact.column_count; i++)
        buf_printf(&sql,
            record_contact.columns[i].type == COLUMN_NAME ? "%sCAST(%s AS String) AS %s"
                                                          : "%s%s AS %s",
            i ? ", " : "", record_contact.columns[i].name, record_contact.columns[i].name);
    buf_printf(
        &sql, " FROM kz.contact WHERE block > %" PRIu64 " AND block <= %" PRIu64, after, upto);
    block_clear(s->waiting);
    enum err e =
        chdb_read_parts(s->chdb, (const char *)sql.data, "Native", take_bytes, &rows, f);
    if (!e)
        e = join(bytes_over(rows.data, rows.len), s->waiting, f);
    buf_done(&sql);
    buf_done(&rows);
    return e;
}

/* --- what lacks ----------------------------------------------------------------------------
 */

/* One insert of contacts that some rollup lacks. */
struct lacking {
    uint64_t block;
    size_t rows;
    int64_t day;
};

/* What an intake takes: the inserts in (after, upto]. */
struct intake {
    uint64_t after, upto;
    size_t inserts, rows;
    int64_t day;
    bool whole; /* one that failed half way, to be made as it was */
    bool more;  /* there are others */
};

enum {
    LACKING_MOST = 4096 /* inserts that are looked at */
};

static enum err find_lacking(
    struct store *s, uint64_t after, uint64_t upto, struct buf *out, struct fault *f)
{
    char sql[512];
    snprintf(sql, sizeof sql,
        "SELECT block, count(), intDiv(any(start), %" PRId64
        ") FROM kz.contact WHERE block > %" PRIu64 " AND block <= %" PRIu64
        " GROUP BY block ORDER BY block LIMIT %d",
        RECORD_PARTITION, after, upto, LACKING_MOST);
    return chdb_read(s->chdb, sql, out, f);
}

static bool next_lacking(char **at, struct lacking *ret_lacking)
{
    int64_t values[3];
    char *line = *at;
    char *end = line ? strchr(line, '\n') : NULL;
    if (!end)
        return false;
    char kept = end[1];
    end[1] = 0;
    enum err e = store_numbers(line, values, 3);
    end[1] = kept;
    *at = end + 1;
    *ret_lacking = (struct lacking){(uint64_t)values[0], (size_t)values[1], values[2]};
    return !e;
}

/* Inserts of one day, one after another, as many as an intake has room for. `inserts_most` 0:
 * any number. */
static enum err choose_intake(
    struct store *s, size_t inserts_most, struct intake *ret_intake, struct fault *f)
{
    struct buf out;
    struct intake in = {.after = UINT64_MAX};
    struct lacking next;
    uint64_t most = 0;
    for (size_t i = 0; i < s->view.roll_count; i++) {
        uint64_t upto = s->view.rolls[i].upto;
        in.after = upto < in.after ? upto : in.after;
        most = upto > most ? upto : most;
    }
    in.whole = most > in.after;
    buf_init(&out, STORE_SQL_MAX);
    enum err e = find_lacking(s, in.after, in.whole ? most : s->view.contact_last, &out, f);
    char *at = e || !out.len ? NULL : (char *)out.data;
    while (next_lacking(&at, &next)) {
        bool fits = !in.rows || (next.day == in.day && in.rows + next.rows <= ROLL_ROWS &&
                                    (!inserts_most || in.inserts < inserts_most));
        if (!fits && !in.whole) {
            in.more = true;
            break;
        }
        in.inserts++;
        in.rows += next.rows;
        in.day = next.day;
        in.upto = next.block;
    }
    buf_done(&out);
    in.upto = in.whole || !in.rows ? (in.whole ? most : s->view.contact_last) : in.upto;
    in.more = in.more || in.upto < s->view.contact_last;
    if (!e)
        *ret_intake = in;
    return e;
}

/* --- catching up ---------------------------------------------------------------------------
 */

static enum err take_in(struct store *s, const struct intake *in, struct fault *f)
{
    enum err e = in->rows ? read_back(s, in->after, in->upto, f) : OK;
    if (!e && s->waiting->rows != in->rows)
        e = fault_set(f, ERR_BAD, "store: %zu contacts wait, %zu are read back", in->rows,
            s->waiting->rows);
    return e ? e : store_roll(s, in->upto, f);
}

enum err store_catch_up(struct store *s, bool *ret_more, struct fault *f)
{
    struct intake in = {0};
    if (!s->behind)
        return OK;
    enum err e = choose_intake(s, 0, &in, f);
    if (!e)
        e = take_in(s, &in, f);
    if (e == ERR_FULL && in.inserts > 1 && !in.whole && !store_half_rolled(s)) {
        e = choose_intake(s, 1, &in, f); /* too many words together */
        if (!e)
            e = take_in(s, &in, f);
    }
    block_clear(s->waiting);
    if (e)
        return e;
    s->behind_rows -= in.rows < s->behind_rows ? in.rows : s->behind_rows;
    s->behind = in.more;
    if (!s->behind)
        s->behind_rows = 0;
    *ret_more = true;
    return OK;
}

/* How many contacts lack, of how many days, and the last of their numbers. */
static enum err measure_lack(
    struct store *s, uint64_t after, int64_t ret_values[3], struct fault *f)
{
    struct buf out;
    char sql[256];
    buf_init(&out, 4096);
    snprintf(sql, sizeof sql,
        "SELECT count(), uniqExact(intDiv(start, %" PRId64
        ")), max(block) FROM kz.contact WHERE block > %" PRIu64,
        RECORD_PARTITION, after);
    enum err e = chdb_read(s->chdb, sql, &out, f);
    if (!e && (!out.len || store_numbers((const char *)out.data, ret_values, 3)))
        e = fault_set(f, ERR_BAD, "store: contacts that wait cannot be counted");
    buf_done(&out);
    return e;
}

enum err store_find_waiting(struct store *s, struct fault *f)
{
    int64_t lack[3] = {0};
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < s->view.roll_count; i++)
        least = s->view.rolls[i].upto < least ? s->view.rolls[i].upto : least;
    enum err e = measure_lack(s, least, lack, f);
    if (e)
        return e;
    bool fits = lack[0] <= ROLL_ROWS && lack[1] <= 1 && !store_half_rolled(s);
    block_clear(s->waiting);
    view_widen(s, INT64_MAX, INT64_MIN, lack[0] ? (uint64_t)lack[2] : least);
    if (lack[0] && fits) {
        e = read_back(s, least, (uint64_t)lack[2], f);
        if (!e)
            s->waiting_day = block_time(s->waiting, CONTACT_START)[0] / RECORD_PARTITION;
        fits = e != ERR_FULL; /* too many words for one block */
        e = fits ? e : OK;
    }
    s->behind = lack[0] && !fits;
    s->behind_rows = s->behind ? (uint64_t)lack[0] : 0;
    if (s->behind || e)
        block_clear(s->waiting);
    s->stale = e != OK;
    return e ? fault_set(f, e, "store: contacts that wait cannot be read back") : OK;
}
