#include "api/handler_int.h"

#include "api/api_int.h"
#include "api/losses_int.h"
#include "api/session_int.h"
#include "base/clock.h"
#include "fleet/config.h"
#include "store/catalog_remote.h"

#include <stdio.h>
#include <string.h>

/* Sites that run by themselves: how they are and how they were. */

enum err handle_fleet(struct request *r)
{
    struct fleet *fleet = r->api->parts.fleet;
    json_t *rows = fleet ? fleet_rows(fleet, r->now) : json_array();
    reply_json(r, 200, json_pack("{s:o, s:o}", "now", json_time(r->now), "rows", rows));
    return OK;
}

/* What of it the engines did not see, as the hub knows since it was started. */
static int unseen_join(struct request *r, const char *name, json_t *site)
{
    static const char *const members[] = {"unseen", "unseen_first", "unseen_last"};
    const struct api_live *live = &r->api->parts.live;
    json_t *rows = live->sites ? live->sites(live->context) : NULL;
    int failed = 0;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        const char *is = json_string_value(json_object_get(row, "site"));
        for (size_t k = 0; is && strcmp(is, name) == 0 && k < 3; k++)
            if (json_object_get(row, members[k]))
                failed |= json_object_set(site, members[k], json_object_get(row, members[k]));
    }
    json_decref(rows);
    return failed;
}

/* What does not work under the newest document. */
static enum err losses_join(struct request *r, const char *name, json_t *site)
{
    struct site_document d;
    int64_t version;
    enum err e = fleet_newest(r->api->parts.fleet, name, &d, &version, &r->fault);
    if (!e && json_object_set_new(
                  site, "losses", losses_json(&r->api->parts, &d.anonymisation, NULL)))
        e = ERR_NOMEM;
    return e;
}

struct known_remote {
    const char *name;
    bool is;
    int64_t revoked; /* when; 0: it is not */
};

static enum err take_remote(void *context, const struct catalog_remote *r)
{
    struct known_remote *v = context;
    if (strcmp(r->name, v->name) == 0) {
        v->is = true;
        v->revoked = r->revoked;
    }
    return OK;
}

/* One that was revoked is no member any more, which is not the same as never having been one;
 * one that was just invited is none yet. */
static enum err reply_unknown(struct request *r, const char *name)
{
    char time[TIME_TEXT];
    struct known_remote v = {.name = name};
    enum err e = catalog_remotes(r->api->parts.catalog, take_remote, &v);
    if (e)
        return e;
    if (v.revoked)
        reply_problem(r, 404, NULL, NULL,
            "%s was revoked at %s: what it sent stays; \"kizashi site add %s\" invites it "
            "again",
            name, time_format(v.revoked, time), name);
    else if (v.is)
        reply_problem(r, 404, NULL, NULL,
            "%s was invited a moment ago: a hub that runs with --sites or --bus knows it "
            "within 2 s; ask again",
            name);
    else
        reply_problem(r, 404, NULL, NULL, "there is no site %s that runs by itself", name);
    return OK;
}

enum err handle_fleet_site(struct request *r)
{
    struct fleet *fleet = r->api->parts.fleet;
    const char *name = arg(r, P_SITE_NAME)->text;
    int64_t from = r->now - arg(r, P_SPAN)->number;
    json_t *site = NULL;
    enum err e = fleet ? fleet_site(fleet, name, from, r->now, r->now, &site) : ERR_NOTFOUND;
    if (e == ERR_NOTFOUND)
        return reply_unknown(r, name);
    if (!e)
        e = unseen_join(r, name, site) ? ERR_NOMEM : losses_join(r, name, site);
    if (e)
        json_decref(site);
    else
        reply_json(r, 200, site);
    return e;
}

/* Guessing tokens is slow: tries of one address are counted as those to sign in are. */
static bool enrol_throttled(struct request *r)
{
    int64_t wait = 0;
    if (session_throttle_peer(r, "enrol", &r->api->rule_login_address, &wait))
        return false;
    r->reply.retry_after = (unsigned)(wait / US_SECOND) + 1;
    reply_problem(
        r, 429, NULL, NULL, "too many tries to enrol; wait %u s", r->reply.retry_after);
    atomic_fetch_add(&r->api->counters.throttled, 1);
    return true;
}

static enum err enrol_note(struct request *r, const char *what, const char *site)
{
    char address[IP_TEXT];
    struct catalog_audit a = {.time = r->now};
    snprintf(a.who, sizeof a.who, "%s", site);
    snprintf(a.what, sizeof a.what, "%s", what);
    snprintf(a.subject, sizeof a.subject, "%s", site);
    snprintf(a.detail, sizeof a.detail, "from %s", ip_format(&r->peer, address));
    return catalog_audit_add(r->api->parts.catalog, &a, &r->fault);
}

/* What the office said to who asks for papers; that it was asked goes into the audit log. */
static enum err papers_reply(
    struct request *r, const char *event, enum err said, const struct fault *f, json_t *papers)
{
    char refused[32];
    if (said == ERR_DENIED || said == ERR_BAD) {
        snprintf(refused, sizeof refused, "%s.refused", event);
        reply_problem(r, said == ERR_DENIED ? 403 : 400, NULL, NULL, "%s", f->text);
        return enrol_note(r, refused, "-");
    }
    if (said) {
        r->fault = *f;
        return said;
    }
    enum err e = enrol_note(r, event, json_string_value(json_object_get(papers, "site")));
    if (e) {
        json_decref(papers);
        return e;
    }
    session_throttle_forgive(r, "enrol", &r->api->rule_login_address);
    reply_json(r, 200, papers);
    return OK;
}

/* The token is all that a site has to show; what it gets is of no use without the key that it
 * made. */
enum err handle_enrol(struct request *r)
{
    const struct api_office *o = &r->api->parts.office;
    json_t *papers = NULL;
    r->reply.no_store = true;
    if (!o->enrol) {
        reply_problem(r, 404, NULL, NULL, "this hub admits no sites: it runs without --sites");
        return OK;
    }
    if (enrol_throttled(r))
        return OK;
    struct fault f = {0};
    enum err e = o->enrol(
        o->context, arg(r, B_TOKEN)->text, arg(r, B_REQUEST)->text, r->now, &papers, &f);
    return papers_reply(r, "site.enrol", e, &f, papers);
}

/* As handle_enrol(), for who has shown that he holds a site's certificate. */
enum err handle_renew(struct request *r)
{
    const struct api_office *o = &r->api->parts.office;
    const struct api_renewal asked = {
        arg(r, B_CERTIFICATE)->text, arg(r, B_REQUEST)->text, arg(r, B_PROOF)->text};
    json_t *papers = NULL;
    struct fault f = {0};
    r->reply.no_store = true;
    if (!o->renew) {
        reply_problem(r, 404, NULL, NULL, "this hub admits no sites: it runs without --sites");
        return OK;
    }
    if (enrol_throttled(r))
        return OK;
    enum err e = o->renew(o->context, &asked, r->now, &papers, &f);
    if (e == ERR_BUSY) { /* too early, which is no offence */
        reply_problem(r, 409, NULL, NULL, "%s", f.text);
        return OK;
    }
    return papers_reply(r, "site.renew", e, &f, papers);
}

enum err handle_site_actions(struct request *r)
{
    struct fleet *fleet = r->api->parts.fleet;
    json_t *actions = NULL;
    enum err e =
        fleet ? fleet_actions(fleet, arg(r, P_SITE_NAME)->text, &actions) : ERR_NOTFOUND;
    if (e == ERR_NOTFOUND) {
        reply_problem(r, 404, NULL, NULL, "there is no site %s that runs by itself",
            arg(r, P_SITE_NAME)->text);
        return OK;
    }
    if (!e)
        reply_json(r, 200, actions);
    return e;
}

/* What asking came to. */
static enum err reply_act(struct request *r, enum err e, int64_t id)
{
    unsigned status = e == ERR_NOTFOUND ? 404 : e == ERR_BUSY ? 409 : e == ERR_IO ? 503 : 0;
    if (status)
        reply_problem(r, status, NULL, NULL, "%s", r->fault.text);
    else if (!e)
        reply_json(r, 200, json_pack("{s:I}", "id", (json_int_t)id));
    return status ? OK : e;
}

enum err handle_site_act(struct request *r)
{
    struct fleet *fleet = r->api->parts.fleet;
    const char *site = arg(r, P_SITE_NAME)->text;
    const char *service = arg(r, B_SERVICE)->given ? arg(r, B_SERVICE)->text : "";
    struct site_action a;
    int64_t id = 0;
    if (strcmp(arg(r, B_CONFIRM)->text, site) != 0) {
        reply_problem(r, 400, "confirm", "the name of the site", "confirm must be %s", site);
        return OK;
    }
    if (site_action_parse(arg(r, B_ACTION)->text, service, &a, &r->fault) != OK) {
        reply_problem(r, 400, "service", NULL, "%s", r->fault.text);
        return OK;
    }
    enum err e = fleet ? fleet_act(fleet, &(struct fleet_asked){site, &a, r->who.label}, r->now,
                             &id, &r->fault)
                       : fault_set(&r->fault, ERR_NOTFOUND, "no site runs by itself here");
    return reply_act(r, e, id);
}
