#include "cmd/sensor_beat.h"

#include "cmd/hardware.h"
#include "cmd/services.h"
#include "cmd/site_action_file.h"
#include "cmd/version.h"
#include "fleet/heartbeat.h"

#include <inttypes.h>
#include <stdio.h>

static void counters_fill(const struct sensor_beat *b, struct heartbeat *h)
{
    const struct collector_counts *c = &b->collector;
    snprintf(h->mode, sizeof h->mode, "%s", c->ended ? "ended" : c->live ? "live" : "replay");
    h->received = (int64_t)c->packets;
    h->bytes = (int64_t)c->bytes;
    h->dropped_kernel = (int64_t)c->dropped_kernel;
    h->dropped_queue = (int64_t)c->dropped_queue;
    h->malformed = (int64_t)c->malformed;
    h->queue = (int64_t)c->queued;
    if (c->newest)
        h->newest = c->newest;
}

/* The spool may hold what its cap allows and its disk has: what it takes already, and what is
 * free. */
static int64_t spool_most(const struct sensor_beat *b, int64_t disk_free)
{
    int64_t cap = b->spool_cap < INT64_MAX ? (int64_t)b->spool_cap : INT64_MAX;
    int64_t bytes = (int64_t)b->spool.bytes;
    return disk_free != HEARTBEAT_UNKNOWN && cap - bytes > disk_free ? bytes + disk_free : cap;
}

/* After the machine was looked at. */
static void spool_fill(const struct sensor_beat *b, struct heartbeat *h)
{
    const struct spool_counts *s = &b->spool;
    snprintf(h->spool, sizeof h->spool, "%016" PRIx64, s->id);
    h->sent_seq = (int64_t)b->sender.sent;
    h->committed_seq = (int64_t)b->sender.committed;
    h->spool_bytes = (int64_t)s->bytes;
    h->spool_cap = spool_most(b, h->disk_free);
    h->spool_lost = (int64_t)s->dropped_items;
    int64_t oldest = b->sender.oldest;
    h->oldest_us = oldest && oldest < b->now ? b->now - oldest : 0;
}

void sensor_beat_write(const struct sensor_beat *b, struct buf *out)
{
    struct heartbeat h;
    struct hardware m;
    heartbeat_init(&h);
    snprintf(h.site, sizeof h.site, "%s", b->site);
    snprintf(h.version, sizeof h.version, "%s", KIZASHI_VERSION);
    h.sent = b->now;
    h.started = b->started;
    h.interval = b->interval / US_SECOND;
    counters_fill(b, &h);
    applier_report(b->applier, &h);
    site_action_report(b->folder, &h);
    hardware_look(b->folder, &m);
    h.clock_offset_us = m.clock_offset_us;
    h.uptime = m.uptime;
    h.load_percent = m.load_percent;
    h.disk_free = m.disk_free;
    h.disk_size = m.disk_size;
    h.memory_free = m.memory_free;
    h.memory_size = m.memory_size;
    spool_fill(b, &h);
    h.temperature = m.temperature;
    h.smart_failing = m.smart_failing;
    services_down("", h.services_failed, sizeof h.services_failed);
    json_t *beat = heartbeat_json(&h);
    if (document_own_write(beat, applier_own(b->applier)) == OK)
        json_write(out, beat);
    else
        out->err = ERR_NOMEM;
    json_decref(beat);
}
