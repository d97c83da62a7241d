/* The hub's side of a bus over NATS. */
#include "bus/nats_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ACK_PENDING = 64 /* messages of one site that the hub has and has not stored */
};

static const char consumer[] = "hub";
static const char bucket[] = "kz_config";

static void on_block(natsConnection *c, natsSubscription *s, natsMsg *msg, void *closure)
{
    struct nats_bus *n = closure;
    char site[BUS_SITE_MAX + 1];
    (void)c;
    (void)s;
    if (nats_site_of(natsMsg_GetSubject(msg), site))
        nats_push(n, BUS_BLOCK, site, 0, msg, true);
    else
        natsMsg_Destroy(msg);
}

static void on_beat(natsConnection *c, natsSubscription *s, natsMsg *msg, void *closure)
{
    struct nats_bus *n = closure;
    char site[BUS_SITE_MAX + 1];
    (void)c;
    (void)s;
    if (natsMsg_GetDataLength(msg) <= BUS_TEXT_MAX &&
        nats_site_of(natsMsg_GetSubject(msg), site))
        nats_push(n, BUS_BEAT, site, 0, msg, false);
    else
        natsMsg_Destroy(msg);
}

natsStatus nats_hub_start(struct nats_bus *n)
{
    jsOptions o;
    natsStatus s = jsOptions_Init(&o);
    o.Wait = NATS_WAIT_MS;
    if (s == NATS_OK)
        s = natsConnection_JetStream(&n->js, n->connection, &o);
    if (s == NATS_OK)
        s = natsConnection_Subscribe(
            &n->subscriptions[0], n->connection, "kz.*.heartbeat", on_beat, n);
    if (s == NATS_OK)
        nats_subscribed(n, n->subscriptions[0]);
    if (!n->watched)
        n->watched = calloc(NATS_WATCHED_MAX, sizeof *n->watched);
    return s == NATS_OK && !n->watched ? NATS_NO_MEMORY : s;
}

/* ---- sites ---- */

/* A consumer that is new begins with everything that was not stored: also what the server had
 * sent, and what got lost on the way. */
static enum err consumer_make(struct nats_bus *n, struct nats_watched *w, struct fault *f)
{
    char subject[NATS_TEXT], stream[NATS_TEXT];
    jsSubOptions o;
    jsErrCode code = 0;
    nats_stream_name(w->site, stream);
    if (w->subscription) {
        natsSubscription_Destroy(w->subscription);
        w->subscription = NULL;
    }
    natsStatus s = js_DeleteConsumer(n->js, stream, consumer, NULL, &code);
    if (s != NATS_OK && s != NATS_NOT_FOUND)
        return nats_fault(f, stream, s, (int)code);
    s = jsSubOptions_Init(&o);
    o.Stream = stream;
    o.ManualAck = true;
    o.Config.Durable = consumer;
    o.Config.AckPolicy = js_AckExplicit;
    o.Config.MaxAckPending = ACK_PENDING;
    o.Config.AckWait = 300 * NATS_SECOND;
    snprintf(subject, sizeof subject, "kz.%s.spool.*", w->site);
    if (s == NATS_OK)
        s = js_Subscribe(&w->subscription, n->js, subject, on_block, n, NULL, &o, &code);
    if (s == NATS_OK)
        nats_subscribed(n, w->subscription);
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(w->subscription, -1, -1);
    return s == NATS_OK ? OK : nats_fault(f, stream, s, (int)code);
}

static struct nats_watched *watched_find(struct nats_bus *n, const char *site)
{
    for (size_t i = 0; i < n->watched_count; i++)
        if (strcmp(n->watched[i].site, site) == 0)
            return &n->watched[i];
    return NULL;
}

enum err nats_hub_watch(void *context, const char *site, struct fault *f)
{
    struct nats_bus *n = context;
    if (!n->js || !n->watched)
        return fault_set(f, ERR_BUSY, "there is no connection to the message server");
    if (!bus_site_fits(site))
        return fault_set(f, ERR_BAD, "\"%.64s\" is no name for a site on the bus", site);
    struct nats_watched *w = watched_find(n, site);
    if (!w && n->watched_count == NATS_WATCHED_MAX)
        return fault_set(f, ERR_FULL, "more than %d sites", NATS_WATCHED_MAX);
    if (!w) {
        w = &n->watched[n->watched_count++];
        *w = (struct nats_watched){0};
        snprintf(w->site, sizeof w->site, "%s", site);
    }
    enum err e = nats_stream_have(n, w, f);
    return e ? e : consumer_make(n, w, f);
}

void nats_hub_unwatch(void *context, const char *site)
{
    struct nats_bus *n = context;
    struct nats_watched *w = watched_find(n, site);
    if (!w)
        return;
    natsSubscription_Destroy(w->subscription);
    *w = n->watched[--n->watched_count];
}

void nats_hub_stop(struct nats_bus *n)
{
    for (size_t i = 0; i < n->watched_count; i++) {
        natsSubscription_Destroy(n->watched[i].subscription);
        n->watched[i].subscription = NULL;
    }
}

/* ---- words and configuration ---- */

void nats_hub_say(void *context, const char *site, struct bytes text)
{
    struct nats_bus *n = context;
    char subject[NATS_TEXT];
    snprintf(subject, sizeof subject, "kzh.%s", site);
    if (n->connection)
        (void)natsConnection_Publish(n->connection, subject, text.at, (int)text.left);
}

static enum err config_put(
    struct nats_bus *n, const char *site, struct bytes text, struct fault *f)
{
    kvStore *kv = NULL;
    kvConfig c;
    if (!n->js)
        return fault_set(f, ERR_BUSY, "there is no connection to the message server");
    natsStatus s = js_KeyValue(&kv, n->js, bucket);
    if (s == NATS_NOT_FOUND) {
        s = kvConfig_Init(&c);
        c.Bucket = bucket;
        c.History = 1;
        c.Replicas = (int)(n->options.replicas ? n->options.replicas : 1);
        c.MaxValueSize = BUS_TEXT_MAX;
        if (s == NATS_OK)
            s = js_CreateKeyValue(&kv, n->js, &c);
    }
    if (s == NATS_OK)
        s = kvStore_Put(NULL, kv, site, text.at, (int)text.left);
    kvStore_Destroy(kv);
    return s == NATS_OK ? OK : nats_fault(f, bucket, s, 0);
}

enum err nats_hub_config_put(
    void *context, const char *site, struct bytes text, struct fault *f)
{
    struct nats_bus *n = context;
    pthread_mutex_lock(&n->making); /* the bus's own thread may be making a new connection */
    enum err e = config_put(n, site, text, f);
    pthread_mutex_unlock(&n->making);
    return e;
}
