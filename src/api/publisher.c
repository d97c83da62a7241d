#include "api/publisher_int.h"

#include "api/api_int.h"
#include "base/chore.h"
#include "base/log.h"
#include "record/proto.h"
#include "store/catalog_published.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAUSE_S = 30,
    STEPS_A_TURN = 24, /* between two looks at whether to stop */
    CANDIDATES = 1000, /* services of a step that are looked at: those with most sources */
    ANSWER_MAX = 4 << 20
};

struct publisher {
    struct api *api;
    struct chore *chore;
    bool failing; /* the last pass did, and it was told */
};

/* ---- what there is ---- */

/* Not by way of api->kept: these questions come once. A new reference to an array. */
static enum err ask_rows(struct api *a, const struct ask *q, json_t **ret_rows, struct fault *f)
{
    const struct api_store *s = &a->parts.store;
    struct buf text;
    buf_init(&text, ANSWER_MAX);
    enum err e = s->ask(s->context, q, FORMAT_JSON, &text, NULL, f);
    json_t *rows = e ? NULL : json_loadb((const char *)text.data, text.len, 0, NULL);
    buf_done(&text);
    if (e)
        return e;
    if (!json_is_array(rows)) {
        json_decref(rows);
        return fault_set(f, ERR_IO, "the store's answer is not an array");
    }
    *ret_rows = rows;
    return OK;
}

static int64_t time_member(const json_t *row, const char *name)
{
    int64_t us = 0;
    const char *text = json_string_value(json_object_get(row, name));
    return text && time_parse(text, &us) == OK ? us : 0;
}

/* First and last packet; both 0 where there is none. */
static enum err held_ask(struct api *a, int64_t *ret_first, int64_t *ret_last, struct fault *f)
{
    struct ask q;
    json_t *rows;
    ask_init(&q, ASK_SPAN);
    enum err e = ask_rows(a, &q, &rows, f);
    if (e)
        return e;
    const json_t *row = json_array_get(rows, 0);
    bool any = json_integer_value(json_object_get(row, "packets")) > 0;
    *ret_first = any ? time_member(row, "first") : 0;
    *ret_last = any ? time_member(row, "last") : 0;
    json_decref(rows);
    return OK;
}

/* At how many sites a service was asked for in a step. */
static enum err sites_ask(
    struct api *a, int64_t start, uint32_t key, uint32_t *ret_sites, struct fault *f)
{
    struct ask q;
    json_t *rows;
    ask_init(&q, ASK_TOTALS);
    q.limit = 1;
    q.from = start;
    q.to = start + a->publication.policy.step;
    q.proto = (int)(key >> 16);
    q.port = (int)(key & 0xffff);
    enum err e = ask_rows(a, &q, &rows, f);
    if (e)
        return e;
    *ret_sites =
        (uint32_t)json_integer_value(json_object_get(json_array_get(rows, 0), "sites"));
    json_decref(rows);
    return OK;
}

static bool row_read(const json_t *row, struct publication_row *ret_row)
{
    uint8_t proto;
    const char *name = json_string_value(json_object_get(row, "proto"));
    if (!name || proto_parse(name, &proto) != OK)
        return false;
    json_int_t port = json_integer_value(json_object_get(row, "port"));
    *ret_row =
        (struct publication_row){.key = (uint32_t)proto << 16 | (uint32_t)(port & 0xffff),
            .sources = (uint64_t)json_integer_value(json_object_get(row, "sources"))};
    return true;
}

/* The services of a step that have sources enough; of the others it is not even looked at how
 * many sites they came to. */
static enum err candidates_ask(struct api *a, int64_t start,
    struct publication_row rows[CANDIDATES], size_t *ret_count, struct fault *f)
{
    struct ask q;
    json_t *answer, *row;
    size_t i, count = 0;
    ask_init(&q, ASK_PORTS);
    q.measure = MEASURE_SOURCES;
    q.limit = CANDIDATES;
    q.from = start;
    q.to = start + a->publication.policy.step;
    enum err e = ask_rows(a, &q, &answer, f);
    if (e)
        return e;
    json_array_foreach(answer, i, row)
    {
        struct publication_row *to = &rows[count];
        if (count < CANDIDATES && row_read(row, to) &&
            to->sources >= a->publication.policy.least_sources)
            count++;
    }
    json_decref(answer);
    for (i = 0; i < count && !e; i++)
        e = sites_ask(a, start, rows[i].key, &rows[i].sites, f);
    if (!e)
        *ret_count = count;
    return e;
}

/* ---- letting out ---- */

static enum err step_publish(struct api *a, int64_t start, int64_t now, struct fault *f)
{
    const struct api_publication *p = &a->publication;
    struct publication_row rows[CANDIDATES];
    struct catalog_published_row out[CANDIDATES];
    size_t count = 0;
    enum err e = candidates_ask(a, start, rows, &count, f);
    if (e)
        return e;
    count = publication_rows(&p->policy, p->secret, start, rows, count);
    for (size_t i = 0; i < count; i++)
        out[i] = (struct catalog_published_row){rows[i].key, rows[i].sources};
    const struct catalog_published_step step = {start, p->policy.step, now};
    return catalog_publish(a->parts.catalog, &step, out, count, f);
}

/* Where the step begins that comes next. */
static int64_t next_start(
    const struct api *a, const struct catalog_published_span *span, int64_t first, int64_t now)
{
    int64_t step = a->publication.policy.step;
    int64_t oldest = now - a->publication.keep;
    int64_t start = span->end > first ? span->end : first;
    start = start > oldest ? start : oldest;
    return time_floor(start + step - 1, step);
}

enum err publisher_pass(
    struct api *a, size_t most, const atomic_bool *stop, size_t *ret_made, struct fault *f)
{
    const struct api_publication *p = &a->publication;
    struct catalog_published_span span = {0};
    int64_t now = clock_now(&a->clock);
    int64_t first = 0, last = 0;
    *ret_made = 0;
    enum err e = held_ask(a, &first, &last, f);
    if (e || !last)
        return e;
    e = catalog_published_expire(a->parts.catalog, now - p->keep, f);
    if (!e && (e = catalog_published_span(a->parts.catalog, &span)) != OK)
        fault_set(f, e, "the catalogue cannot be read: %s", err_text(e));
    if (e)
        return e;
    for (int64_t start = next_start(a, &span, first, now);
         *ret_made < most && start + p->policy.step + p->policy.delay <= last &&
         !(stop && atomic_load(stop)) && publication_time(&p->policy, p->secret, start) <= now;
         start += p->policy.step) {
        e = step_publish(a, start, now, f);
        if (e)
            return e;
        ++*ret_made;
    }
    return OK;
}

/* ---- the thread ---- */

static int64_t turn(void *context, const atomic_bool *stop)
{
    struct publisher *p = context;
    struct fault f = {0};
    size_t made;
    enum err e = publisher_pass(p->api, STEPS_A_TURN, stop, &made, &f);
    if (e && !p->failing)
        log_event(LOG_WARN, "publication.failed", "error=\"%s\"", f.text);
    p->failing = e != OK;
    return made == STEPS_A_TURN && !e ? 0 : PAUSE_S * US_SECOND;
}

enum err publisher_start(struct publisher **ret_publisher, struct api *a)
{
    if (!a->publication.on)
        return OK;
    struct publisher *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->api = a;
    enum err e = chore_start(&p->chore, turn, p, 0);
    if (e) {
        free(p);
        return e;
    }
    *ret_publisher = p;
    return OK;
}

void publisher_stop(struct publisher *p)
{
    if (!p)
        return;
    chore_stop(p->chore);
    free(p);
}
