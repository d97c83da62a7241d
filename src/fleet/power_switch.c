#include "fleet/power_keeper.h"

#include "base/log.h"
#include "store/catalog_fleet.h"

#include <stdio.h>

enum err power_switch(
    struct catalog *c, const struct power_asked *asked, bool *ret_on, struct fault *f)
{
    struct catalog_power p;
    struct catalog_action a = {.asked = clock_now(&asked->clock)};
    int64_t id = 0;
    enum err e = catalog_power_find(c, asked->site, &p);
    if (e)
        return fault_set(f, e,
            "nobody said where the power of %.63s is switched: kizashi site power %.63s --ipmi "
            "HOST --user NAME --secret-file FILE",
            asked->site, asked->site);
    snprintf(a.site, sizeof a.site, "%.63s", asked->site);
    snprintf(a.what, sizeof a.what, "power-%s", power_action_name(asked->action));
    snprintf(a.who, sizeof a.who, "%.63s", asked->who);
    if (asked->action != POWER_STATUS)
        e = catalog_action_add(c, &a, &id, f);
    if (e)
        return e;
    const struct power_door door = {p.kind, p.address, p.user, p.secret};
    e = asked->run(asked->context, &door, asked->action, ret_on, f);
    if (id && catalog_action_finish(c, id, clock_now(&asked->clock), e ? f->text : "") != OK)
        log_event(LOG_ERROR, "power.result", "site=%s text=\"the catalogue could not be told\"",
            asked->site);
    return e;
}
