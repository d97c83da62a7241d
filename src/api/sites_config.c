#include "api/handler_int.h"

#include "api/api_int.h"
#include "api/losses_int.h"
#include "fleet/config.h"

#include <string.h>

/* Documents of sites: looked at, tried, changed, taken back. */

static void reply_none(struct request *r)
{
    reply_problem(r, 404, NULL, NULL, "%s",
        r->fault.text[0] ? r->fault.text : "no site runs by itself here");
}

enum err handle_site_config(struct request *r)
{
    struct fleet *fleet = r->api->parts.fleet;
    json_t *config = NULL;
    enum err e = fleet ? fleet_config(fleet, arg(r, P_SITE_NAME)->text, &config, &r->fault)
                       : ERR_NOTFOUND;
    if (e == ERR_NOTFOUND) {
        reply_none(r);
        return OK;
    }
    if (!e)
        reply_json(r, 200, config);
    return e;
}

enum err handle_site_version(struct request *r)
{
    struct fleet *fleet = r->api->parts.fleet;
    const char *site = arg(r, P_SITE_NAME)->text;
    int64_t version = arg(r, P_VERSION)->number;
    struct site_document d;
    enum err e = fleet ? fleet_version(fleet, site, version, &d, &r->fault) : ERR_NOTFOUND;
    if (e == ERR_NOTFOUND) {
        reply_none(r);
        return OK;
    }
    if (!e)
        reply_json(r, 200,
            json_pack("{s:s, s:I, s:o}", "site", site, "version", (json_int_t)version,
                "document", document_json(&d)));
    return e;
}

/* The document that is asked for: the one in the body, or that of an earlier version. */
static enum err wanted_document(struct request *r, struct site_document *ret_document)
{
    if (arg(r, B_DOCUMENT)->given == arg(r, B_VERSION)->given) {
        reply_problem(r, 400, "document", NULL, "either document or version must be given");
        return ERR_BAD;
    }
    if (arg(r, B_VERSION)->given) {
        enum err e = fleet_version(r->api->parts.fleet, arg(r, P_SITE_NAME)->text,
            arg(r, B_VERSION)->number, ret_document, &r->fault);
        if (e == ERR_NOTFOUND)
            reply_none(r);
        return e;
    }
    json_t *body = json_loadb((const char *)r->body.data, r->body.len, 0, NULL);
    enum err e = document_read(ret_document, json_object_get(body, "document"), &r->fault);
    json_decref(body);
    if (e)
        reply_problem(r, 400, "document", NULL, "%s", r->fault.text);
    return e;
}

/* What became of it, what it changed, and what does not work any more. */
static void reply_changed(struct request *r, const struct fleet_changed *changed,
    const struct site_document *before, const struct site_document *after)
{
    const char *trouble = changed->fault.text;
    reply_json(r, 200,
        json_pack("{s:I, s:b, s:b, s:o, s:o, s:o}", "version", (json_int_t)changed->version,
            "same", (int)changed->same, "pushed", (int)changed->pushed, "trouble",
            changed->pushed ? json_string("") : json_text(trouble, strlen(trouble)), "changed",
            document_diff(before, after), "losses",
            losses_json(&r->api->parts, &after->anonymisation, &before->anonymisation)));
}

static enum err configure(struct request *r, const struct site_document *wanted)
{
    struct fleet *fleet = r->api->parts.fleet;
    const char *site = arg(r, P_SITE_NAME)->text;
    struct site_document newest;
    struct fleet_changed changed = {.pushed = true};
    enum err e = fleet_newest(fleet, site, &newest, &changed.version, &r->fault);
    changed.same = !e && document_same(&newest, wanted);
    if (!e && arg(r, B_CHECK)->number && !changed.same)
        e = fleet_check(fleet, site, wanted, &r->fault);
    else if (!e && !arg(r, B_CHECK)->number)
        e = fleet_configure(fleet,
            &(struct fleet_change_wanted){.site = site,
                .document = wanted,
                .base = arg(r, B_BASE)->given ? arg(r, B_BASE)->number : 0,
                .who = r->who.label,
                .note = arg(r, B_WHY)->given ? arg(r, B_WHY)->text : ""},
            r->now, &changed, &r->fault);
    if (!e)
        reply_changed(r, &changed, &newest, wanted);
    return e;
}

enum err handle_site_configure(struct request *r)
{
    struct site_document wanted;
    if (!r->api->parts.fleet) {
        reply_none(r);
        return OK;
    }
    enum err e = wanted_document(r, &wanted);
    if (e)
        return r->reply.status ? OK : e;
    e = configure(r, &wanted);
    if (e == ERR_NOTFOUND) {
        reply_none(r);
        return OK;
    }
    if (e == ERR_DENIED) {
        reply_problem(r, 400, "document", NULL, "%s", r->fault.text);
        return OK;
    }
    if (e == ERR_EXISTS) {
        reply_problem(r, 409, "base", NULL, "%s", r->fault.text);
        return OK;
    }
    return e;
}

enum err handle_document_schema(struct request *r)
{
    reply_json(r, 200, document_schema());
    return OK;
}
