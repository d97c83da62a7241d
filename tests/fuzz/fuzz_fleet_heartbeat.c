/* What heartbeat_read() takes, heartbeat_write() writes in a form that is read the same; a
 * watch that is told of it can be looked at and told; and so it is with what the site says that
 * it does by itself. */
#include "base/clock.h"
#include "fleet/document.h"
#include "fleet/watch.h"

#include <stdlib.h>
#include <string.h>

static void watched(const struct heartbeat *h)
{
    struct watch w;
    char text[WATCH_SENTENCE];
    int64_t now = INT64_C(1700000000) * US_SECOND;
    watch_init(&w, now);
    watch_heartbeat(&w, h, now);
    watch_heartbeat(&w, h, now + US_SECOND);
    watch_look(&w, now + 90 * US_SECOND);
    for (size_t r = 0; r < WATCH_REASON_COUNT; r++)
        watch_tell(&w, (enum watch_reason)r, now + 90 * US_SECOND, text);
}

static void own(struct bytes beat)
{
    struct site_document d, again;
    struct fault f;
    struct buf out;
    if (document_own_read(beat, &d, &f))
        return;
    json_t *object = json_object();
    buf_init(&out, DOCUMENT_MAX);
    if (!object || document_own_write(object, &d))
        abort();
    json_write(&out, object);
    json_decref(object);
    if (out.err || document_own_read(bytes_over(out.data, out.len), &again, &f) ||
        !document_same(&d, &again) || d.filter[0])
        abort();
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heartbeat h, again;
    struct fault f;
    struct buf out;
    memset(&h, 0, sizeof h);
    if (heartbeat_read(bytes_over(data, size), &h, &f))
        return 0;
    buf_init(&out, 64 << 10);
    heartbeat_write(&out, &h);
    if (out.err || heartbeat_read(bytes_over(out.data, out.len), &again, &f) ||
        h.received != again.received || strcmp(h.site, again.site) != 0)
        abort();
    buf_done(&out);
    watched(&h);
    own(bytes_over(data, size));
    return 0;
}
