/* One stream for each site. The server sets aside what a stream may hold, so that the more
 * sites there are, the less each gets: when the server has no room for one more, all are
 * halved. What a stream cannot take stays in the spool of its site. */
#include "bus/nats_int.h"

#include <stdio.h>

static const int64_t room_least = INT64_C(12) << 20; /* more than the largest message */

static natsStatus stream_add(
    struct nats_bus *n, const struct nats_watched *w, const char *stream, jsErrCode *ret_code)
{
    char subject[NATS_TEXT];
    const char *subjects[] = {subject};
    jsStreamConfig c;
    snprintf(subject, sizeof subject, "kz.%s.spool.*", w->site);
    natsStatus s = jsStreamConfig_Init(&c);
    c.Name = stream;
    c.Subjects = subjects;
    c.SubjectsLen = 1;
    c.Retention = js_WorkQueuePolicy; /* what the hub has stored is removed */
    c.Discard = js_DiscardNew;        /* a full stream refuses; the site's spool holds on */
    c.MaxBytes = n->stream_room;
    c.Storage = js_FileStorage;
    c.Replicas = n->options.replicas ? n->options.replicas : 1;
    c.Duplicates = 120 * NATS_SECOND;
    *ret_code = 0;
    return s == NATS_OK ? js_AddStream(NULL, n->js, &c, NULL, ret_code) : s;
}

/* Make it as small as new ones are. What it holds beyond that is sent again by its site. */
static natsStatus stream_shrink(struct nats_bus *n, struct nats_watched *w)
{
    char stream[NATS_TEXT];
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    nats_stream_name(w->site, stream);
    natsStatus s = js_GetStreamInfo(&info, n->js, stream, NULL, &code);
    if (s == NATS_OK) {
        info->Config->MaxBytes = n->stream_room;
        s = js_UpdateStream(NULL, n->js, info->Config, NULL, &code);
    }
    jsStreamInfo_Destroy(info);
    if (s == NATS_OK)
        w->room = n->stream_room;
    return s;
}

/* Halve what each stream may hold; false: no further. One that cannot be made smaller now is
 * when the next is added. */
static bool make_room(struct nats_bus *n)
{
    bool smaller = n->stream_room > room_least;
    if (smaller)
        n->stream_room = n->stream_room / 2 > room_least ? n->stream_room / 2 : room_least;
    bool freed = false;
    for (size_t i = 0; i < n->watched_count; i++)
        if (n->watched[i].room > n->stream_room)
            freed |= stream_shrink(n, &n->watched[i]) == NATS_OK;
    return smaller || freed;
}

static bool is_full(natsStatus s, jsErrCode code)
{
    return s != NATS_OK &&
           (code == JSStorageResourcesExceededErr || code == JSInsufficientResourcesErr);
}

static enum err stream_make(
    struct nats_bus *n, struct nats_watched *w, const char *stream, struct fault *f)
{
    jsErrCode code;
    natsStatus s = stream_add(n, w, stream, &code);
    while (is_full(s, code) && make_room(n))
        s = stream_add(n, w, stream, &code);
    if (is_full(s, code))
        return fault_set(f, ERR_FULL,
            "the message server has no room for one more stream, each of %lld MiB: raise its "
            "max_file_store, or free its disk",
            (long long)(n->stream_room >> 20));
    if (s != NATS_OK)
        return nats_fault(f, stream, s, (int)code);
    w->room = n->stream_room;
    return OK;
}

void nats_stream_name(const char *site, char ret_stream[NATS_TEXT])
{
    snprintf(ret_stream, NATS_TEXT, "kz_%s", site);
}

enum err nats_stream_have(struct nats_bus *n, struct nats_watched *w, struct fault *f)
{
    char stream[NATS_TEXT];
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    nats_stream_name(w->site, stream);
    natsStatus s = js_GetStreamInfo(&info, n->js, stream, NULL, &code);
    if (s == NATS_OK)
        w->room = info->Config->MaxBytes;
    jsStreamInfo_Destroy(info);
    if (s == NATS_OK)
        return OK;
    return s == NATS_NOT_FOUND ? stream_make(n, w, stream, f)
                               : nats_fault(f, stream, s, (int)code);
}
