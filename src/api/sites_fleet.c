#include "api/handler_int.h"

#include "api/api_int.h"
#include "fleet/fleet.h"

/* Sites that run by themselves: how they are and how they were. */

enum err handle_fleet(struct request *r)
{
    struct fleet *fleet = r->api->parts.fleet;
    json_t *rows = fleet ? fleet_rows(fleet, r->now) : json_array();
    reply_json(r, 200, json_pack("{s:o, s:o}", "now", json_time(r->now), "rows", rows));
    return OK;
}

enum err handle_fleet_site(struct request *r)
{
    struct fleet *fleet = r->api->parts.fleet;
    const char *name = arg(r, P_SITE_NAME)->text;
    int64_t from = r->now - arg(r, P_SPAN)->number;
    json_t *site = NULL;
    enum err e = fleet ? fleet_site(fleet, name, from, r->now, r->now, &site) : ERR_NOTFOUND;
    if (e == ERR_NOTFOUND) {
        reply_problem(r, 404, NULL, NULL, "there is no site %s that runs by itself", name);
        return OK;
    }
    if (!e)
        reply_json(r, 200, site);
    return e;
}
