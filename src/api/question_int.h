#ifndef API_QUESTION_INT_H
#define API_QUESTION_INT_H

#include "api/request_int.h"
#include "base/clock.h"
#include "store/ask.h"

/* From a request's parameters to a question to the store, and from rows to an answer. */

/* What the store holds; remembered for two seconds. `packets` 0: nothing, and no times. */
struct held_span {
    int64_t first, last;
    uint64_t packets;
};
enum err question_held(struct request *r, struct held_span *ret_held) MUST_CHECK;

/* The span [from, to) that a request asks about. Empty (to 0) when the store is. ERR_BAD: the
 * reply holds the problem. */
struct span {
    int64_t from, to;
};
enum err question_window(struct request *r, struct span *ret_span) MUST_CHECK;
/* The same for a list of pages: with a cursor, the span of the first page. */
enum err question_page_window(struct request *r, struct span *ret_span) MUST_CHECK;

/* The narrowing parameters, limit and cursor of the route, over a span. */
void question_init(
    const struct request *r, struct ask *a, enum ask_what what, const struct span *span);

/* Rows as JSON or CSV text, appended to `out`. `ret_cursor` (may be NULL) must hold "" and gets
 * the next page's cursor for the asker. */
enum err question_ask(struct request *r, const struct ask *a, enum ask_format format,
    struct buf *out, char ret_cursor[ASK_CURSOR]) MUST_CHECK;

/* A page of rows into the reply, and where the next begins. */
enum err question_list(
    struct request *r, const struct ask *a, enum ask_format format) MUST_CHECK;

/* Rows as values; a new reference. */
enum err question_rows(struct request *r, const struct ask *a, json_t **ret_rows) MUST_CHECK;

/* "from" and "to" as members for the start of an object: `"from":"...","to":"..."`, null for an
 * empty span. */
void question_put_span(struct buf *out, const struct span *span);

/* `"next":"..."` or `"next":null`. */
void question_put_next(struct buf *out, const char *cursor);

/* The rows text of one row as an object, of none as null. */
void question_put_only(struct buf *out, const struct buf *rows);

/* A page: from, to, rows, next; or CSV. */
enum err question_page(struct request *r, enum ask_what what) MUST_CHECK;

/* One chart. */
struct series_ask {
    struct ask ask; /* what is ASK_SERIES; step 0: chosen */
    struct span span;
};
/* Align the span to the step, choosing one if none is given. */
void series_align(struct series_ask *s);
/* The Series object, appended. */
enum err series_put(struct request *r, struct series_ask *s, struct buf *out) MUST_CHECK;

/* The SiteRow array of a span: what the store knows with what the hub sees now. `only` NULL:
 * all. */
enum err sites_rows(
    struct request *r, const struct span *span, const char *only, json_t **ret_rows) MUST_CHECK;

#endif
