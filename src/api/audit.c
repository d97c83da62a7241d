#include "api/handler_int.h"

#include "api/api_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The audit log, page by page. A cursor is the number of a page's last row. */

struct audit_page {
    json_t *rows;
    size_t limit;
    int64_t last; /* number of the last row that fits */
    bool more;
};

static enum err add_row(void *context, const struct catalog_audit *a)
{
    struct audit_page *page = context;
    page->more = json_array_size(page->rows) == page->limit;
    if (page->more)
        return OK;
    json_t *row = json_pack("{s:o, s:o, s:o, s:o, s:o}", "time", json_time(a->time), "who",
        json_text(a->who, strlen(a->who)), "what", json_text(a->what, strlen(a->what)),
        "subject", json_text(a->subject, strlen(a->subject)), "detail",
        json_text(a->detail, strlen(a->detail)));
    page->last = a->seq;
    return json_array_append_new(page->rows, row) == 0 ? OK : ERR_NOMEM;
}

/* False: the reply holds the problem. */
static bool read_cursor(struct request *r, int64_t *ret_before)
{
    const char *text = arg(r, P_CURSOR)->text;
    char *end = NULL;
    *ret_before = arg(r, P_CURSOR)->given ? strtoll(text, &end, 10) : 0;
    if (!end || (!*end && *ret_before > 0 && strlen(text) <= 18))
        return true;
    reply_problem(r, 400, "cursor", param_row(P_CURSOR)->allowed,
        "cursor is not one that this list gave");
    return false;
}

static void put_csv(struct buf *out, const json_t *rows)
{
    static const char *const columns[] = {"time", "who", "what", "subject", "detail"};
    size_t i;
    json_t *row;
    buf_str(out, "time,who,what,subject,detail\r\n");
    json_array_foreach(rows, i, row)
    {
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            buf_str(out, c ? "," : "");
            reply_csv_text(out, json_string_value(json_object_get(row, columns[c])));
        }
        buf_str(out, "\r\n");
    }
}

enum err handle_audit(struct request *r)
{
    struct audit_page page = {.limit = (size_t)arg(r, P_LIMIT)->number};
    int64_t before;
    if (!read_cursor(r, &before))
        return OK;
    page.rows = json_array();
    enum err e =
        catalog_audit_list(r->api->parts.catalog, before, page.limit + 1, add_row, &page);
    if (e) {
        json_decref(page.rows);
        return e;
    }
    if (page.more)
        snprintf(r->reply.next, sizeof r->reply.next, "%lld", (long long)page.last);
    if (request_wants_csv(r, P_FORMAT)) {
        r->reply.type = "text/csv; charset=utf-8; header=present";
        put_csv(&r->reply.body, page.rows);
        json_decref(page.rows);
        return OK;
    }
    reply_json(r, 200,
        json_pack("{s:o, s:o}", "rows", page.rows, "next",
            page.more ? json_string(r->reply.next) : json_null()));
    return OK;
}
