#include "api/handler_int.h"

#include "api/api_int.h"
#include "fleet/power_keeper.h"
#include "store/catalog_fleet.h"

#include <string.h>

/* Power of sites' machines, through the process that the hub has for that. Where a controller
 * is, and with which password, is said at the hub's machine (kizashi site power) and not told
 * here. */

enum err handle_site_power(struct request *r)
{
    const struct api_power *power = &r->api->parts.power;
    struct catalog_power p;
    enum err e = catalog_power_find(r->api->parts.catalog, arg(r, P_SITE_NAME)->text, &p);
    if (e && e != ERR_NOTFOUND)
        return e;
    reply_json(r, 200,
        json_pack("{s:o, s:b}", "kind", e ? json_null() : json_string(p.kind), "allowed",
            (int)(power->run != NULL)));
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
    bool confirmed = arg(r, B_CONFIRM)->given && strcmp(arg(r, B_CONFIRM)->text, site) == 0;
    if (asked.action != POWER_STATUS && !confirmed) {
        reply_problem(r, 400, "confirm", "the name of the site", "confirm must be %s", site);
        return OK;
    }
    e = power_switch(r->api->parts.catalog, &asked, &on, &r->fault);
    return reply_switched(r, e, on);
}
