#include "published_world.h"

#include "api/publisher_int.h"
#include "record/proto.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int larger_first(const void *a, const void *b)
{
    const struct publication_row *x = a, *y = b;
    if (x->sources != y->sources)
        return x->sources < y->sources ? 1 : -1;
    return (x->key > y->key) - (x->key < y->key);
}

static void put_ports(const struct published_world *w, const struct ask *a, struct buf *out)
{
    char proto[PROTO_TEXT];
    assert(a->measure == MEASURE_SOURCES && a->to > a->from && !a->site[0]);
    for (size_t i = 0; i < w->count && i < a->limit; i++)
        buf_printf(out, "%s{\"proto\":\"%s\",\"port\":%u,\"sources\":%llu}", i ? "," : "",
            proto_format((uint8_t)(w->rows[i].key >> 16), proto), w->rows[i].key & 0xffff,
            (unsigned long long)w->rows[i].sources);
}

static void put_sites(const struct published_world *w, const struct ask *a, struct buf *out)
{
    uint32_t key = (uint32_t)a->proto << 16 | (uint32_t)a->port;
    assert(a->proto >= 0 && a->port >= 0);
    for (size_t i = 0; i < w->count; i++)
        if (w->rows[i].key == key)
            buf_printf(out, "{\"sites\":%u}", w->rows[i].sites);
}

static enum err ask(void *context, const struct ask *a, enum ask_format format, struct buf *out,
    char ret_cursor[ASK_CURSOR], struct fault *f)
{
    const struct published_world *w = context;
    char first[TIME_TEXT], last[TIME_TEXT];
    (void)ret_cursor;
    assert(format == FORMAT_JSON);
    if (w->fails)
        return fault_set(f, w->fails, "the store says no");
    buf_str(out, "[");
    if (a->what == ASK_SPAN)
        buf_printf(out, "{\"first\":\"%s\",\"last\":\"%s\",\"packets\":%d}",
            time_format(w->first, first), time_format(w->last, last), w->last != 0);
    else if (a->what == ASK_PORTS)
        put_ports(w, a, out);
    else if (a->what == ASK_TOTALS)
        put_sites(w, a, out);
    else
        abort(); /* nothing else is asked for what leaves */
    buf_str(out, "]");
    return out->err;
}

static enum err usage(void *context, struct store_usage *ret_usage, struct fault *f)
{
    (void)context;
    (void)f;
    *ret_usage = (struct store_usage){.version = "fake 1"};
    return OK;
}

struct published_world *published_world_open(const struct api_publication *p)
{
    struct published_world *w = calloc(1, sizeof *w);
    assert(w);
    struct api_options options = {.clock = fake_clock_face(&w->clock),
        .password_passes = crypto_pwhash_OPSLIMIT_MIN,
        .password_memory = crypto_pwhash_MEMLIMIT_MIN,
        .rate = 1000000,
        .publication = *p};
    struct fault f;
    w->clock.now = FAKE_FIRST;
    w->catalog = fake_catalog(w->folder);
    struct api_parts parts = {.store = {.context = w, .ask = ask, .usage = usage},
        .catalog = w->catalog,
        .live = fake_live()};
    struct catalog_token t = {.role = ROLE_PARTNER, .created = 1, .name = "pat", .by = "ann"};
    enum err e = api_bare_new(&w->api, &options, &parts, &f);
    if (!e)
        e = api_token_add(w->catalog, &t, w->token, &f);
    assert(!e);
    w->api->loopback = true;
    return w;
}

void published_world_close(struct published_world *w)
{
    api_bare_free(w->api);
    fake_catalog_done(w->catalog, w->folder);
    free(w);
}

size_t published_world_pass(struct published_world *w)
{
    size_t made = 0;
    struct fault f = {0};
    qsort(w->rows, w->count, sizeof *w->rows, larger_first); /* as the store gives them */
    enum err e = publisher_pass(w->api, 1000, NULL, &made, &f);
    assert(e == w->fails);
    return made;
}

json_t *published_world_get(struct published_world *w, const char *target)
{
    struct request *r;
    char authorization[API_TOKEN_TEXT + 8];
    enum err e = request_new(&r, w->api);
    assert(!e);
    snprintf(authorization, sizeof authorization, "Bearer %s", w->token);
    r->method = "GET";
    r->target = target;
    r->in = (struct headers){.host = "localhost", .authorization = authorization};
    r->peer = ip_from_v4(0xc0000201);
    request_answer(r);
    assert(r->reply.status == 0 || r->reply.status == 200);
    json_t *answer = json_loadb((const char *)r->reply.body.data, r->reply.body.len, 0, NULL);
    assert(answer);
    request_free(r);
    return answer;
}

size_t published_world_step(
    void *context, int64_t start, struct publication_row *rows, size_t count)
{
    struct published_world *w = context;
    const struct publication_policy *p = &w->api->publication.policy;
    char target[256], from[TIME_TEXT], to[TIME_TEXT];
    size_t i;
    json_t *row;
    assert(count <= WORLD_ROWS);
    /* Each trial begins at 0 again: to the store that is a later day. */
    if (start == 0)
        w->first = time_floor(w->clock.now + 30 * US_DAY, US_DAY);
    int64_t at = w->first + start;
    memcpy(w->rows, rows, count * sizeof *rows);
    w->count = count;
    w->last = at + p->step + p->delay;
    w->clock.now = at + p->step + p->delay + p->jitter;
    size_t made = published_world_pass(w);
    assert(made == 1);
    snprintf(target, sizeof target, "/api/v1/published/ports?limit=10000&from=%s&to=%s",
        time_format(at, from), time_format(at + p->step, to));
    json_t *answer = published_world_get(w, target);
    count = 0;
    json_array_foreach(json_object_get(answer, "rows"), i, row)
    {
        uint8_t proto = 0;
        enum err e = proto_parse(json_string_value(json_object_get(row, "proto")), &proto);
        assert(!e);
        rows[count++] = (struct publication_row){
            .key = (uint32_t)proto << 16 |
                   (uint32_t)json_integer_value(json_object_get(row, "port")),
            .sources = (uint64_t)json_integer_value(json_object_get(row, "sources"))};
    }
    json_decref(answer);
    return count;
}
