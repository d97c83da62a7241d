#include "cmd/retention.h"

#include "base/chore.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "store/ask.h"

#include <inttypes.h>
#include <stdlib.h>

/* The rollups take in what they lack in quiet moments. */
static const int64_t again_soon = 10 * US_MINUTE;

struct retention {
    struct store *store;
    struct chore *chore;
};

/* 0: the store is empty. */
static enum err newest_packet(struct store *store, int64_t *ret_newest, struct fault *f)
{
    struct ask span;
    struct buf text;
    json_error_t error;
    ask_init(&span, ASK_SPAN);
    buf_init(&text, 4096);
    enum err e = store_ask(store, &span, FORMAT_JSON, &text, NULL, f);
    json_t *rows = e ? NULL : json_loadb((const char *)text.data, text.len, 0, &error);
    const char *last = json_string_value(json_object_get(json_array_get(rows, 0), "last"));
    int64_t newest = 0;
    if (!e && last && time_parse(last, &newest) != OK)
        e = fault_set(f, ERR_BAD, "\"%.40s\" is no time of a packet", last);
    json_decref(rows);
    buf_done(&text);
    if (!e)
        *ret_newest = newest;
    return e;
}

static void tell(const struct store_expired *x)
{
    char from[TIME_TEXT], to[TIME_TEXT];
    if (x->packets + x->contacts + x->sums)
        log_event(LOG_NOTE, "store.expired",
            "packets=%" PRIu64 " contacts=%" PRIu64 " sums=%" PRIu64 " from=%.10s before=%.10s",
            x->packets, x->contacts, x->sums, time_format(x->from, from),
            time_format(x->to, to));
}

bool retention_apply(struct store *store)
{
    struct clock wall = clock_system();
    struct fault f = {0};
    struct store_expired expired = {0};
    int64_t newest = 0;
    int64_t now = clock_now(&wall);
    enum err e = newest_packet(store, &newest, &f);
    if (!e && newest)
        e = store_expire(store, newest < now ? newest : now, &expired, &f);
    tell(&expired);
    if (e)
        log_event(LOG_WARN, "store.expire", "error=\"%s\"", f.text);
    return expired.waits;
}

static int64_t turn(void *context, const atomic_bool *stop)
{
    const struct retention *r = context;
    (void)stop;
    return retention_apply(r->store) ? again_soon : US_DAY;
}

enum err retention_start(struct retention **ret_retention, struct store *store, struct fault *f)
{
    struct retention *r = calloc(1, sizeof *r);
    if (!r)
        return fault_set(f, ERR_NOMEM, "out of memory");
    r->store = store;
    enum err e = chore_start(&r->chore, turn, r, 0);
    if (e) {
        free(r);
        return fault_set(f, e, "no thread for the retention");
    }
    *ret_retention = r;
    return OK;
}

void retention_stop(struct retention *r)
{
    if (!r)
        return;
    chore_stop(r->chore);
    free(r);
}
