/* A site's side of a bus over NATS. */
#include "bus/nats_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STALL_MS = 20 /* how long publishing may wait for a place */
};

static const char tag_header[] = "Kz-Tag";

static void on_word(natsConnection *c, natsSubscription *s, natsMsg *msg, void *closure)
{
    struct nats_bus *n = closure;
    (void)c;
    (void)s;
    bool config = strncmp(natsMsg_GetSubject(msg), "$KV.", 4) == 0;
    if (natsMsg_GetDataLength(msg) > BUS_TEXT_MAX) {
        natsMsg_Destroy(msg);
        return;
    }
    nats_push(n, config ? BUS_CONFIG : BUS_WORD, NULL, 0, msg, false);
}

/* The server has the message, or says why not. */
static void on_ack(jsCtx *js, natsMsg *msg, jsPubAck *ack, jsPubAckErr *failure, void *closure)
{
    struct nats_bus *n = closure;
    const char *tag = NULL;
    (void)js;
    (void)ack;
    if (natsMsgHeader_Get(msg, tag_header, &tag) == NATS_OK && tag)
        nats_push(
            n, failure ? BUS_REFUSED : BUS_TAKEN, NULL, strtoull(tag, NULL, 10), NULL, false);
    natsMsg_Destroy(msg);
}

natsStatus nats_site_start(struct nats_bus *n)
{
    char subject[NATS_TEXT];
    jsOptions o;
    natsStatus s = jsOptions_Init(&o);
    o.PublishAsync.MaxPending = 1024;
    o.PublishAsync.AckHandler = on_ack;
    o.PublishAsync.AckHandlerClosure = n;
    o.PublishAsync.StallWait = STALL_MS;
    if (s == NATS_OK)
        s = natsConnection_JetStream(&n->js, n->connection, &o);
    snprintf(subject, sizeof subject, "kzh.%s", n->site);
    if (s == NATS_OK)
        s = natsConnection_Subscribe(&n->subscriptions[0], n->connection, subject, on_word, n);
    if (s == NATS_OK)
        nats_subscribed(n, n->subscriptions[0]);
    snprintf(subject, sizeof subject, "$KV.kz_config.%s", n->site);
    if (s == NATS_OK)
        s = natsConnection_Subscribe(&n->subscriptions[1], n->connection, subject, on_word, n);
    if (s == NATS_OK)
        nats_subscribed(n, n->subscriptions[1]);
    return s;
}

enum err nats_site_publish(void *context, const struct bus_message *m, struct fault *f)
{
    struct nats_bus *n = context;
    if (!n->js)
        return ERR_BUSY;
    char subject[NATS_TEXT], tag[32];
    natsMsg *msg = NULL;
    jsPubOptions o;
    snprintf(subject, sizeof subject, "kz.%s.spool.%s", n->site, m->kind);
    snprintf(tag, sizeof tag, "%" PRIu64, m->tag);
    const char *data = (const char *)m->data.at;
    natsStatus s = natsMsg_Create(&msg, subject, NULL, data, (int)m->data.left);
    if (s == NATS_OK)
        s = natsMsgHeader_Set(msg, tag_header, tag);
    if (s == NATS_OK)
        s = jsPubOptions_Init(&o);
    if (s == NATS_OK) {
        o.MsgId = m->id;
        s = js_PublishMsgAsync(n->js, &msg, &o);
    }
    natsMsg_Destroy(msg);
    if (s == NATS_OK)
        return OK;
    if (s == NATS_NO_MEMORY)
        return fault_set(f, ERR_NOMEM, "out of memory");
    if (s == NATS_MAX_PAYLOAD)
        return fault_set(f, ERR_RANGE,
            "the server takes no message of %zu bytes: raise max_payload in its configuration",
            m->data.left);
    return ERR_BUSY; /* no place, or no way now: it stays in the spool */
}

void nats_site_beat(void *context, struct bytes text)
{
    struct nats_bus *n = context;
    char subject[NATS_TEXT];
    snprintf(subject, sizeof subject, "kz.%s.heartbeat", n->site);
    if (n->connection)
        (void)natsConnection_Publish(n->connection, subject, text.at, (int)text.left);
}
