#include "fleet/config.h"

#include "fleet/fleet_int.h"
#include "fleet/limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PUSH_AGAIN_S = 2,
    VERSIONS_SHOWN = 100
};

/* ---- reading the catalogue ---- */

struct found {
    struct site_document *document;
    int64_t version;
    struct fault *fault;
};

static enum err take_document(void *context, const struct catalog_config *config)
{
    struct found *found = context;
    found->version = config->version;
    return document_parse(
        found->document, bytes_over(config->document, config->document_len), found->fault);
}

static bool is_member(struct fleet *fleet, const char *site)
{
    pthread_mutex_lock(&fleet->lock);
    bool is = fleet_find(fleet, site) != NULL;
    pthread_mutex_unlock(&fleet->lock);
    return is;
}

enum err fleet_newest(struct fleet *fleet, const char *site, struct site_document *ret_document,
    int64_t *ret_version, struct fault *f)
{
    struct found found = {.document = ret_document, .fault = f};
    enum err e = catalog_config_find(fleet->catalog, site, 0, take_document, &found);
    if (e == ERR_NOTFOUND && is_member(fleet, site)) {
        document_default(ret_document);
        e = OK;
    }
    if (e == ERR_NOTFOUND)
        return fault_set(f, e, "there is no site %.63s that runs by itself", site);
    if (!e)
        *ret_version = found.version;
    return e;
}

enum err fleet_version(struct fleet *fleet, const char *site, int64_t version,
    struct site_document *ret_document, struct fault *f)
{
    struct found found = {.document = ret_document, .fault = f};
    enum err e = version
                     ? catalog_config_find(fleet->catalog, site, version, take_document, &found)
                     : catalog_config_own(fleet->catalog, site, take_document, &found);
    if (e != ERR_NOTFOUND)
        return e;
    if (version)
        return fault_set(
            f, e, "%.63s has no version %lld of its document", site, (long long)version);
    if (!is_member(fleet, site))
        return fault_set(f, e, "there is no site %.63s that runs by itself", site);
    document_default(ret_document);
    return OK;
}

static enum err take_way(void *context, const struct catalog_config *config)
{
    struct fleet *fleet = context;
    struct fleet_member *m = fleet_find(fleet, config->site);
    if (!m)
        return OK;
    m->way = (struct fleet_way){.version = config->version,
        .pushed_at = config->time,
        .answered = config->applied || config->refused[0],
        .answered_at = config->applied};
    snprintf(m->way.refused, sizeof m->way.refused, "%.127s", config->refused);
    return OK;
}

enum err fleet_ways_read(struct fleet *fleet, int64_t now)
{
    enum err e = catalog_configs_newest(fleet->catalog, take_way, fleet);
    for (size_t i = 0; i < fleet->count; i++)
        watch_wanted(&fleet->members[i]->watch, fleet->members[i]->way.version, now);
    return e;
}

/* ---- pushing ---- */

/* Without locks: a bus may take its time. */
static enum err push_one(struct fleet *fleet, const char *site, int64_t version,
    const struct site_document *d, int64_t now, struct fault *f)
{
    struct buf parcel;
    pthread_mutex_lock(&fleet->lock);
    struct fleet_member *m = fleet_find(fleet, site);
    struct site_action action = m ? m->way.action : (struct site_action){0};
    pthread_mutex_unlock(&fleet->lock);
    buf_init(&parcel, DOCUMENT_MAX);
    document_parcel_write(&parcel, site, version, d, &action);
    enum err e = parcel.err;
    if (!e && !fleet->push.document)
        e = fault_set(f, ERR_IO, "no bus is there");
    if (!e)
        e = fleet->push.document(
            fleet->push.context, site, bytes_over(parcel.data, parcel.len), f);
    buf_done(&parcel);
    if (e)
        return e;
    pthread_mutex_lock(&fleet->lock);
    m = fleet_find(fleet, site);
    if (m && m->way.version == version) {
        m->way.pushed = true;
        m->way.tried_at = now;
        m->way.behind = false;
    }
    pthread_mutex_unlock(&fleet->lock);
    return OK;
}

void fleet_push_by(struct fleet *fleet, const struct fleet_push *push)
{
    pthread_mutex_lock(&fleet->configuring);
    fleet->push = push ? *push : (struct fleet_push){0};
    atomic_store(&fleet->push_tried, 0);
    pthread_mutex_unlock(&fleet->configuring);
}

/* Not with the bus yet, or so long ago that the site must have missed it: it was away. */
static bool is_pending(const struct fleet_way *way, int64_t now)
{
    return way->version &&
           (!way->pushed || (way->behind && now - way->tried_at >= PUSH_AGAIN_S * US_SECOND));
}

/* The next site by name whose document waits. */
static bool next_pending(struct fleet *fleet, int64_t now, char name[CATALOG_SITE])
{
    bool found = false;
    pthread_mutex_lock(&fleet->lock);
    for (size_t i = 0; i < fleet->count && !found; i++) {
        const struct fleet_member *m = fleet->members[i];
        found = is_pending(&m->way, now) && strcmp(m->name, name) > 0;
        if (found)
            memcpy(name, m->name, CATALOG_SITE);
    }
    pthread_mutex_unlock(&fleet->lock);
    return found;
}

void fleet_push_pending(struct fleet *fleet, int64_t now)
{
    char name[CATALOG_SITE] = "";
    pthread_mutex_lock(&fleet->configuring);
    bool due = fleet->push.document &&
               now - atomic_load(&fleet->push_tried) >= PUSH_AGAIN_S * US_SECOND;
    if (due)
        atomic_store(&fleet->push_tried, now);
    while (due && next_pending(fleet, now, name)) {
        struct site_document d;
        struct fault f;
        int64_t version;
        due = fleet_newest(fleet, name, &d, &version, &f) == OK &&
              push_one(fleet, name, version, &d, now, &f) == OK;
    }
    pthread_mutex_unlock(&fleet->configuring);
}

/* ---- changing ---- */

static enum err keep(struct fleet *fleet, const struct fleet_change_wanted *wanted,
    int64_t version, int64_t now, struct fault *f)
{
    struct buf text;
    struct catalog_config config = {.version = version, .time = now};
    json_t *object = document_json(wanted->document);
    buf_init(&text, DOCUMENT_MAX);
    json_write(&text, object);
    json_decref(object);
    snprintf(config.site, sizeof config.site, "%s", wanted->site);
    snprintf(config.who, sizeof config.who, "%.63s", wanted->who);
    snprintf(config.note, sizeof config.note, "%.255s", wanted->note);
    config.document = (const char *)text.data;
    config.document_len = text.len;
    enum err e =
        text.err ? fault_set(f, text.err, "the document is longer than %d bytes", DOCUMENT_MAX)
                 : catalog_config_add(fleet->catalog, &config, f);
    buf_done(&text);
    return e;
}

static void set_out(struct fleet *fleet, const char *site, int64_t version, int64_t now)
{
    pthread_mutex_lock(&fleet->lock);
    struct fleet_member *m = fleet_find(fleet, site);
    if (m) {
        m->way =
            (struct fleet_way){.version = version, .pushed_at = now, .action = m->way.action};
        watch_wanted(&m->watch, version, now);
    }
    pthread_mutex_unlock(&fleet->lock);
}

/* One change at a time: `configuring` is held. */
static enum err change(struct fleet *fleet, const struct fleet_change_wanted *wanted,
    int64_t now, struct fleet_changed *changed, struct fault *f)
{
    struct site_document newest;
    int64_t version;
    enum err e = fleet_newest(fleet, wanted->site, &newest, &version, f);
    if (!e && !is_member(fleet, wanted->site))
        e = fault_set(
            f, ERR_NOTFOUND, "there is no site %.63s that runs by itself", wanted->site);
    if (e)
        return e;
    if (wanted->base && wanted->base != version)
        return fault_set(f, ERR_EXISTS,
            "version %lld was changed meanwhile: the newest is %lld; look at it, and change "
            "that",
            (long long)wanted->base, (long long)version);
    if (version && document_same(&newest, wanted->document)) {
        *changed = (struct fleet_changed){.version = version, .same = true, .pushed = true};
        return OK;
    }
    e = fleet_check(fleet, wanted->site, wanted->document, f);
    if (!e)
        e = keep(fleet, wanted, version + 1, now, f);
    if (e)
        return e;
    set_out(fleet, wanted->site, version + 1, now);
    *changed = (struct fleet_changed){.version = version + 1};
    changed->pushed = push_one(fleet, wanted->site, version + 1, wanted->document, now,
                          &changed->fault) == OK;
    return OK;
}

enum err fleet_configure(struct fleet *fleet, const struct fleet_change_wanted *wanted,
    int64_t now, struct fleet_changed *ret_changed, struct fault *f)
{
    pthread_mutex_lock(&fleet->configuring);
    enum err e = change(fleet, wanted, now, ret_changed, f);
    pthread_mutex_unlock(&fleet->configuring);
    return e;
}

/* ---- what the site does by itself ---- */

static enum err own_put(struct fleet *fleet, const char *site, const struct site_document *own,
    int64_t now, struct fault *f)
{
    struct buf text;
    struct catalog_config config = {.time = now, .who = ""};
    struct site_document before;
    struct found found = {.document = &before, .fault = f};
    enum err e = catalog_config_own(fleet->catalog, site, take_document, &found);
    if (!e && document_same(&before, own))
        return OK;
    json_t *object = document_json(own);
    buf_init(&text, DOCUMENT_MAX);
    json_write(&text, object);
    json_decref(object);
    snprintf(config.site, sizeof config.site, "%s", site);
    config.document = (const char *)text.data;
    config.document_len = text.len;
    e = text.err ? fault_set(f, text.err, "the document is longer than %d bytes", DOCUMENT_MAX)
                 : catalog_config_own_put(fleet->catalog, &config, f);
    buf_done(&text);
    return e;
}

enum err fleet_own(struct fleet *fleet, const char *site, const struct site_document *own,
    int64_t now, struct fault *f)
{
    pthread_mutex_lock(&fleet->lock);
    struct fleet_member *m = fleet_find(fleet, site);
    bool news = m && !(m->own_known && document_same(&m->own, own));
    enum err e = news ? own_put(fleet, site, own, now, f) : OK;
    if (news && !e) {
        m->own = *own;
        m->own_known = true;
    }
    pthread_mutex_unlock(&fleet->lock);
    return e;
}

/* How many bytes of a payload get past its rule, of those that are collected. */
static int64_t payload_most(const struct site_document *d)
{
    const struct anon_rule *rule = &d->anonymisation.rule[ANON_PAYLOAD];
    return rule->method == ANON_FIRST ? rule->bytes : INT64_MAX;
}

/* Only what is changed: a site may have been cut from its begin. */
static enum err payload_check(
    const struct site_document *before, const struct site_document *wanted, struct fault *f)
{
    bool same =
        before->payload == wanted->payload && payload_most(before) == payload_most(wanted);
    if (same || wanted->payload <= payload_most(wanted))
        return OK;
    return fault_set(f, ERR_DENIED,
        "payload: %lld bytes are asked for, and anonymisation.payload lets out the first %lld; "
        "change both, as far as the site's policy allows",
        (long long)wanted->payload, (long long)payload_most(wanted));
}

enum err fleet_check(
    struct fleet *fleet, const char *site, const struct site_document *wanted, struct fault *f)
{
    struct site_document newest, own;
    struct found found = {.document = &own, .fault = f};
    int64_t version;
    enum err e = fleet_newest(fleet, site, &newest, &version, f);
    if (!e)
        e = payload_check(&newest, wanted, f);
    if (e)
        return e;
    e = catalog_config_own(fleet->catalog, site, take_document, &found);
    return e == ERR_NOTFOUND ? OK
           : e               ? e
                             : limit_check(&own.anonymisation, &wanted->anonymisation, f);
}

/* ---- the site's answer ---- */

static enum err note_answer(struct fleet *fleet, const struct fleet_member *m, struct fault *f)
{
    struct catalog_config answer = {.version = m->way.version};
    snprintf(answer.site, sizeof answer.site, "%s", m->name);
    snprintf(answer.refused, sizeof answer.refused, "%s", m->way.refused);
    if (!m->way.refused[0]) {
        answer.applied = m->way.answered_at;
        answer.took = m->way.answered_at - m->way.pushed_at;
    }
    return catalog_config_answer(fleet->catalog, &answer, f);
}

static enum err action_answer(
    struct fleet *fleet, struct fleet_member *m, const struct heartbeat *h, int64_t now)
{
    struct site_action *a = &m->way.action;
    if (!a->id || h->action_id != a->id)
        return OK;
    enum err e = catalog_action_finish(fleet->catalog, a->id, now, h->action_result);
    if (!e)
        a->id = 0;
    return e;
}

enum err fleet_action_expire(struct fleet *fleet, struct fleet_member *m, int64_t now)
{
    struct site_action *a = &m->way.action;
    if (!a->id || now < a->until + US_MINUTE)
        return OK;
    enum err e =
        catalog_action_finish(fleet->catalog, a->id, now, "the site did not answer in time");
    if (!e)
        a->id = 0;
    return e;
}

enum err fleet_way_answer(struct fleet *fleet, struct fleet_member *m,
    const struct heartbeat *h, int64_t now, struct fault *f)
{
    enum err told = action_answer(fleet, m, h, now);
    if (told)
        return fault_set(f, told, "the result of an action could not be kept");
    bool has = m->way.version && h->config_version >= m->way.version;
    bool refuses = m->way.version && h->config_refused[0];
    /* It may have come back from where the push did not reach it, or the push is on its way. */
    m->way.behind = m->way.version && !has && !refuses;
    bool news = has ? !m->way.answered || m->way.refused[0]
                    : refuses && strcmp(m->way.refused, h->config_refused) != 0;
    if (!news)
        return OK;
    struct fleet_way before = m->way;
    m->way.answered = true;
    m->way.answered_at = now;
    snprintf(m->way.refused, sizeof m->way.refused, "%s", has ? "" : h->config_refused);
    enum err e = note_answer(fleet, m, f);
    if (e)
        m->way = before;
    return e;
}

/* ---- telling ---- */

static json_t *text(const char *s)
{
    return json_text(s, strlen(s));
}

json_t *fleet_way_json(const struct fleet_member *m)
{
    const struct fleet_way *way = &m->way;
    bool applied = way->answered && !way->refused[0];
    int64_t has = m->watch.last.config_version;
    return json_pack("{s:I, s:o, s:b, s:o, s:s}", "version", (json_int_t)way->version,
        "in_effect", has == HEARTBEAT_UNKNOWN ? json_null() : json_integer(has), "pushed",
        (int)(way->version == 0 || way->pushed), "took_ms",
        applied && way->answered_at ? json_integer((way->answered_at - way->pushed_at) / 1000)
                                    : json_null(),
        "refused", way->refused);
}

struct versions {
    json_t *rows;
    struct site_document newer; /* the one before in the list */
    struct fault *fault;
};

/* Each row gets what it changed when the next older one is known. */
static enum err take_version(void *context, const struct catalog_config *config)
{
    struct versions *v = context;
    struct site_document d;
    size_t count = json_array_size(v->rows);
    if (!config->version) /* nobody made it: the first is compared with it below */
        return OK;
    enum err e =
        document_parse(&d, bytes_over(config->document, config->document_len), v->fault);
    if (e)
        return e;
    if (count)
        json_object_set_new(
            json_array_get(v->rows, count - 1), "changed", document_diff(&d, &v->newer));
    json_array_append_new(v->rows,
        json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o}", "version", (json_int_t)config->version,
            "time", json_time(config->time), "who", config->who, "note", text(config->note),
            "applied", config->applied ? json_time(config->applied) : json_null(), "took_ms",
            config->applied ? json_integer(config->took / 1000) : json_null(), "refused",
            text(config->refused)));
    v->newer = d;
    return OK;
}

enum err fleet_config(
    struct fleet *fleet, const char *site, json_t **ret_config, struct fault *f)
{
    struct versions v = {.rows = json_array(), .fault = f};
    struct site_document newest, first;
    int64_t version = 0;
    struct found own = {.document = &first, .fault = f};
    document_default(&first);
    enum err e = catalog_config_own(fleet->catalog, site, take_document, &own);
    if (!e || e == ERR_NOTFOUND)
        e = fleet_newest(fleet, site, &newest, &version, f);
    if (!e)
        e = catalog_configs(fleet->catalog, site, VERSIONS_SHOWN, take_version, &v);
    size_t count = json_array_size(v.rows);
    json_t *oldest = count ? json_array_get(v.rows, count - 1) : NULL;
    if (!e && oldest && json_integer_value(json_object_get(oldest, "version")) == 1)
        json_object_set_new(oldest, "changed", document_diff(&first, &v.newer));
    else if (!e && oldest)
        json_object_set_new(oldest, "changed", json_null());
    if (!e)
        *ret_config = json_pack("{s:s, s:I, s:o, s:O}", "site", site, "version",
            (json_int_t)version, "document", document_json(&newest), "versions", v.rows);
    json_decref(v.rows);
    return e;
}

/* ---- actions ---- */

static enum err action_begin(
    struct fleet *fleet, const char *site, const struct site_action *action, struct fault *f)
{
    enum err e = OK;
    pthread_mutex_lock(&fleet->lock);
    struct fleet_member *m = fleet_find(fleet, site);
    if (!m)
        e = fault_set(f, ERR_NOTFOUND, "there is no site %.63s that runs by itself", site);
    else
        m->way.action = *action;
    pthread_mutex_unlock(&fleet->lock);
    return e;
}

/* Nothing is noted of what is not begun: whoever asked hears why not. */
static enum err action_check(struct fleet *fleet, const char *site, struct fault *f)
{
    enum err e = OK;
    pthread_mutex_lock(&fleet->lock);
    const struct fleet_member *m = fleet_find(fleet, site);
    if (m && m->way.action.id)
        e = fault_set(f, ERR_BUSY, "%.63s has yet to answer: %s", site,
            site_action_name(m->way.action.kind));
    pthread_mutex_unlock(&fleet->lock);
    return e;
}

static enum err act(struct fleet *fleet, const struct fleet_asked *asked,
    struct site_action *action, int64_t now, struct fault *f)
{
    struct site_document d;
    int64_t version;
    const char *site = asked->site;
    struct catalog_action row = {.asked = now};
    snprintf(row.site, sizeof row.site, "%.63s", site);
    snprintf(row.what, sizeof row.what, "%s", site_action_name(action->kind));
    snprintf(row.subject, sizeof row.subject, "%.63s", action->service);
    snprintf(row.who, sizeof row.who, "%.63s", asked->who);
    enum err e = fleet_newest(fleet, site, &d, &version, f);
    if (!e)
        e = action_check(fleet, site, f);
    if (!e)
        e = catalog_action_add(fleet->catalog, &row, &action->id, f);
    if (!e)
        e = action_begin(fleet, site, action, f);
    if (!e) {
        e = push_one(fleet, site, version, &d, now, f);
        if (e && action_begin(fleet, site, &(struct site_action){0}, NULL) != OK)
            return e;
    }
    if (e && action->id &&
        catalog_action_finish(fleet->catalog, action->id, now, f->text) != OK)
        return ERR_IO;
    return e;
}

enum err fleet_act(struct fleet *fleet, const struct fleet_asked *asked, int64_t now,
    int64_t *ret_id, struct fault *f)
{
    struct site_action a = *asked->action;
    a.id = 0;
    a.until = now + SITE_ACTION_WAIT_S * US_SECOND;
    pthread_mutex_lock(&fleet->configuring);
    enum err e = act(fleet, asked, &a, now, f);
    pthread_mutex_unlock(&fleet->configuring);
    if (!e)
        *ret_id = a.id;
    return e;
}

static enum err take_action(void *context, const struct catalog_action *a)
{
    json_t *row = json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:o}", "id", (json_int_t)a->id,
        "what", a->what, "service", a->subject, "who", a->who, "asked", json_time(a->asked),
        "finished", a->finished ? json_time(a->finished) : json_null(), "result",
        text(a->result));
    return json_array_append_new(context, row) ? ERR_NOMEM : OK;
}

enum err fleet_actions(struct fleet *fleet, const char *site, json_t **ret_actions)
{
    json_t *rows = json_array();
    enum err e = is_member(fleet, site)
                     ? catalog_actions(fleet->catalog, site, VERSIONS_SHOWN, take_action, rows)
                     : ERR_NOTFOUND;
    if (!e)
        *ret_actions = json_pack("{s:O}", "rows", rows);
    json_decref(rows);
    return e;
}
