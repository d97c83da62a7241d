#include "api/handler_int.h"

#include "api/api_int.h"
#include "fleet/config.h"
#include "fleet/power_keeper.h"
#include "store/catalog_fleet.h"

#include <stdio.h>
#include <string.h>

/* Power of sites' machines, through the process that the hub has for that. Where a controller
 * is, is said here by an admin in person or at the hub's machine (kizashi site power), and told
 * to admins only. Passwords are taken, never given: who changes the address gives the password
 * again, so that nobody can have one sent to a place of his own. */

enum err handle_site_power(struct request *r)
{
    const struct api_power *power = &r->api->parts.power;
    struct catalog_power p;
    enum err e = catalog_power_find(r->api->parts.catalog, arg(r, P_SITE_NAME)->text, &p);
    if (e && e != ERR_NOTFOUND)
        return e;
    bool told = !e && r->who.role == ROLE_ADMIN;
    reply_json(r, 200,
        json_pack("{s:o, s:b, s:o, s:o}", "kind", e ? json_null() : json_string(p.kind),
            "allowed", (int)(power->run != NULL), "address",
            told ? json_text(p.address, strlen(p.address)) : json_null(), "user",
            told ? json_text(p.user, strlen(p.user)) : json_null()));
    return OK;
}

static bool is_confirmed(struct request *r)
{
    const char *site = arg(r, P_SITE_NAME)->text;
    if (arg(r, B_CONFIRM)->given && strcmp(arg(r, B_CONFIRM)->text, site) == 0)
        return true;
    reply_problem(r, 400, "confirm", "the name of the site", "confirm must be %s", site);
    return false;
}

/* False: the reply says why nothing can be set here. */
static bool can_be_set(struct request *r)
{
    const struct api_parts *parts = &r->api->parts;
    const char *site = arg(r, P_SITE_NAME)->text;
    json_t *actions = NULL;
    enum err known = parts->fleet ? fleet_actions(parts->fleet, site, &actions) : ERR_NOTFOUND;
    json_decref(actions);
    if (!parts->power.run)
        reply_problem(
            r, 404, NULL, NULL, "this hub switches no power: it runs without --switch-power");
    else if (known == ERR_NOTFOUND)
        reply_problem(r, 404, NULL, NULL, "there is no site %s that runs by itself", site);
    return !r->reply.status;
}

static enum err put_on_record(struct request *r, const char *detail)
{
    struct catalog_audit row = {.time = r->now, .what = "site.power"};
    snprintf(row.who, sizeof row.who, "%.63s", r->who.label);
    snprintf(row.subject, sizeof row.subject, "%s", arg(r, P_SITE_NAME)->text);
    snprintf(row.detail, sizeof row.detail, "%s", detail);
    return catalog_audit_add(r->api->parts.catalog, &row, &r->fault);
}

/* The catalogue names the new file, or the old one still. */
static enum err door_put(struct request *r, struct catalog_power *p)
{
    const struct api_power *power = &r->api->parts.power;
    const char *password = arg(r, B_DOOR_SECRET)->text;
    char detail[600];
    enum err e = power->keep(power->context, p->site, password, p->secret, &r->fault);
    if (e)
        return e;
    e = power_check(&(struct power_door){p->kind, p->address, p->user, p->secret}, &r->fault);
    if (e == ERR_BAD)
        reply_problem(r, 400, "address", NULL, "%s", r->fault.text);
    snprintf(detail, sizeof detail, "%s at %s as %s", p->kind, p->address, p->user);
    if (!e)
        e = put_on_record(r, detail);
    if (!e)
        e = catalog_power_put(r->api->parts.catalog, p, &r->fault);
    if (e)
        power->drop(power->context, p->secret);
    return e;
}

enum err handle_site_power_set(struct request *r)
{
    const struct api_power *power = &r->api->parts.power;
    struct catalog_power before;
    struct catalog_power p = {0};
    if (!is_confirmed(r) || !can_be_set(r))
        return OK;
    if (strpbrk(arg(r, B_DOOR_SECRET)->text, "\r\n")) {
        reply_problem(r, 400, "password", "1 to 127 bytes", "a password is one line");
        return OK;
    }
    snprintf(p.site, sizeof p.site, "%s", arg(r, P_SITE_NAME)->text);
    snprintf(p.kind, sizeof p.kind, "%s", arg(r, B_DOOR)->text);
    snprintf(p.address, sizeof p.address, "%s", arg(r, B_DOOR_ADDRESS)->text);
    snprintf(p.user, sizeof p.user, "%s", arg(r, B_USER)->text);
    bool had = catalog_power_find(r->api->parts.catalog, p.site, &before) == OK;
    enum err e = door_put(r, &p);
    if (e)
        return r->reply.status ? OK : e;
    if (had)
        power->drop(power->context, before.secret);
    return handle_site_power(r);
}

enum err handle_site_power_forget(struct request *r)
{
    const struct api_power *power = &r->api->parts.power;
    const char *site = arg(r, P_SITE_NAME)->text;
    struct catalog_power p;
    if (!can_be_set(r))
        return OK;
    enum err e = catalog_power_find(r->api->parts.catalog, site, &p);
    if (e == ERR_NOTFOUND) {
        reply_problem(
            r, 404, NULL, NULL, "nobody said where the power of %s is switched", site);
        return OK;
    }
    if (!e)
        e = put_on_record(r, "forgotten");
    if (!e)
        e = catalog_power_remove(r->api->parts.catalog, site);
    if (e)
        return e;
    power->drop(power->context, p.secret);
    r->reply.status = 204;
    return OK;
}

/* What switching came to. */
static enum err reply_switched(struct request *r, enum err e, bool on)
{
    unsigned status = e == ERR_NOTFOUND                   ? 404
                      : e == ERR_BUSY                     ? 409
                      : e == ERR_BAD || e == ERR_IO       ? 502
                      : e == ERR_DENIED || e == ERR_RANGE ? 502
                                                          : 0;
    if (status)
        reply_problem(r, status, NULL, NULL, "%s", r->fault.text);
    else if (!e)
        reply_json(r, 200, json_pack("{s:b}", "on", (int)on));
    return status ? OK : e;
}

enum err handle_site_switch(struct request *r)
{
    const struct api_power *power = &r->api->parts.power;
    const char *site = arg(r, P_SITE_NAME)->text;
    bool on = false;
    struct power_asked asked = {.site = site,
        .who = r->who.label,
        .clock = r->api->clock,
        .context = power->context,
        .run = power->run};
    if (!power->run) {
        reply_problem(
            r, 404, NULL, NULL, "this hub switches no power: it runs without --switch-power");
        return OK;
    }
    enum err e = power_action_parse(arg(r, B_POWER)->text, &asked.action);
    if (e)
        return e;
    if (asked.action != POWER_STATUS && !is_confirmed(r))
        return OK;
    e = power_switch(r->api->parts.catalog, &asked, &on, &r->fault);
    return reply_switched(r, e, on);
}
