#include "store/catalog_published.h"

#include "store/catalog_int.h"

#include <stdio.h>
#include <string.h>

/* ---- the policy ---- */

static enum err policy_read(
    struct catalog *c, char ret_policy[PUBLISHED_POLICY], uint64_t *ret_secret, struct fault *f)
{
    struct query q;
    query_open(&q, c, "SELECT policy, secret FROM publication", f);
    if (query_row(&q)) {
        query_copy_at(&q, 0, ret_policy, PUBLISHED_POLICY);
        *ret_secret = (uint64_t)query_number_at(&q, 1);
    } else
        query_fail(&q, ERR_NOTFOUND);
    return query_end(&q);
}

static enum err policy_put(
    struct catalog *c, const char *policy, uint64_t secret, struct fault *f)
{
    struct query q;
    query_open(
        &q, c, "INSERT OR REPLACE INTO publication (id, policy, secret) VALUES (1, ?, ?)", f);
    query_text(&q, policy);
    query_number(&q, (int64_t)secret);
    return query_done(&q);
}

static enum err policy_note(struct catalog *c, const char *policy, int64_t now, struct fault *f)
{
    struct catalog_audit row = {
        .time = now, .who = "system", .what = "publication", .subject = "hub"};
    snprintf(row.detail, sizeof row.detail, "%s", policy[0] ? policy : "off");
    return audit_put(c, &row, f);
}

enum err catalog_publication(struct catalog *c, const char *policy, int64_t now, uint64_t fresh,
    uint64_t *ret_secret, struct fault *f)
{
    char held[PUBLISHED_POLICY] = "";
    uint64_t secret = fresh;
    enum err e = text_check("policy", policy, PUBLISHED_POLICY, f);
    if (!e)
        e = catalog_begin(c, f);
    if (e)
        return e;
    e = policy_read(c, held, &secret, f);
    bool none = e == ERR_NOTFOUND;
    if (none || (!e && strcmp(held, policy) != 0)) {
        e = policy_put(c, policy, secret, f);
        if (!e)
            e = policy_note(c, policy, now, f);
    }
    e = catalog_end(c, e, f);
    if (!e)
        *ret_secret = secret;
    return e;
}

enum err catalog_publication_off(struct catalog *c, int64_t now, struct fault *f)
{
    char held[PUBLISHED_POLICY] = "";
    uint64_t secret = 0;
    enum err e = catalog_begin(c, f);
    if (e)
        return e;
    e = policy_read(c, held, &secret, f);
    if (!e && held[0]) {
        e = policy_put(c, "", secret, f);
        if (!e)
            e = policy_note(c, "", now, f);
    }
    return catalog_end(c, e == ERR_NOTFOUND ? OK : e, f);
}

/* ---- steps ---- */

static enum err step_put(
    struct catalog *c, const struct catalog_published_step *step, struct fault *f)
{
    struct query q;
    query_open(&q, c, "INSERT INTO published_step (start, length, made) VALUES (?, ?, ?)", f);
    query_number(&q, step->start);
    query_number(&q, step->length);
    query_number(&q, step->made);
    return query_done(&q);
}

static enum err row_put(struct catalog *c, int64_t start, size_t rank,
    const struct catalog_published_row *row, struct fault *f)
{
    struct query q;
    query_open(
        &q, c, "INSERT INTO published (start, rank, key, sources) VALUES (?, ?, ?, ?)", f);
    query_number(&q, start);
    query_number(&q, (int64_t)rank);
    query_number(&q, row->key);
    query_number(&q, (int64_t)row->sources);
    return query_done(&q);
}

enum err catalog_publish(struct catalog *c, const struct catalog_published_step *step,
    const struct catalog_published_row *rows, size_t count, struct fault *f)
{
    if (count > PUBLISHED_ROWS_MAX)
        return fault_set(
            f, ERR_RANGE, "%zu rows in a step; at most %d", count, (int)PUBLISHED_ROWS_MAX);
    enum err e = catalog_begin(c, f);
    if (e)
        return e;
    e = step_put(c, step, f);
    for (size_t i = 0; i < count && !e; i++)
        e = row_put(c, step->start, i + 1, &rows[i], f);
    return catalog_end(c, e, f);
}

enum err catalog_published_span(struct catalog *c, struct catalog_published_span *ret_span)
{
    struct query q;
    struct catalog_published_span span = {0};
    catalog_enter(c);
    query_open(&q, c,
        "SELECT coalesce(min(start), 0), coalesce(max(start + length), 0), count(*)"
        " FROM published_step",
        NULL);
    if (query_row(&q))
        span = (struct catalog_published_span){
            query_number_at(&q, 0), query_number_at(&q, 1), (uint64_t)query_number_at(&q, 2)};
    enum err e = query_end(&q);
    catalog_leave(c);
    if (!e)
        *ret_span = span;
    return e;
}

enum err catalog_published(struct catalog *c, const struct catalog_published_query *wanted,
    enum err (*each)(void *context, const struct catalog_published_step *step, int64_t rank,
        const struct catalog_published_row *row),
    void *context)
{
    struct query q;
    uint32_t mask = wanted->key_mask ? wanted->key_mask : UINT32_MAX;
    catalog_enter(c);
    query_open(&q, c,
        "SELECT s.start, s.length, s.made, p.rank, p.key, p.sources"
        " FROM published p JOIN published_step s ON s.start = p.start"
        " WHERE p.start >= ?1 AND p.start < ?2 AND (p.start, p.rank) > (?3, ?4)"
        " AND (?5 < 0 OR (p.key & ?6) = ?5) ORDER BY p.start, p.rank LIMIT ?7",
        NULL);
    query_number(&q, wanted->from);
    query_number(&q, wanted->to);
    query_number(&q, wanted->after);
    query_number(&q, wanted->rank);
    query_number(&q, wanted->key);
    query_number(&q, mask);
    query_number(&q, (int64_t)wanted->limit);
    while (query_row(&q)) {
        const struct catalog_published_step step = {
            query_number_at(&q, 0), query_number_at(&q, 1), query_number_at(&q, 2)};
        const struct catalog_published_row row = {
            (uint32_t)query_number_at(&q, 4), (uint64_t)query_number_at(&q, 5)};
        query_fail(&q, each(context, &step, query_number_at(&q, 3), &row));
    }
    enum err e = query_end(&q);
    catalog_leave(c);
    return e;
}

static enum err before_remove(
    struct catalog *c, const char *sql, int64_t before, struct fault *f)
{
    struct query q;
    query_open(&q, c, sql, f);
    query_number(&q, before);
    return query_done(&q);
}

enum err catalog_published_expire(struct catalog *c, int64_t before, struct fault *f)
{
    enum err e = catalog_begin(c, f);
    if (e)
        return e;
    e = before_remove(c, "DELETE FROM published WHERE start < ?", before, f);
    if (!e)
        e = before_remove(c, "DELETE FROM published_step WHERE start < ?", before, f);
    return catalog_end(c, e, f);
}
