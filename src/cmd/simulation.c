#include "cmd/simulation.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define GEOIP_DEBIAN    "/usr/share/tor/geoip"
#define GEOIP_BOOTSTRAP "/usr/local/share/kizashi/geoip" /* of script/bootstrap */

const char *simulation_geoip(void)
{
    return access(GEOIP_DEBIAN, R_OK) == 0      ? GEOIP_DEBIAN
           : access(GEOIP_BOOTSTRAP, R_OK) == 0 ? GEOIP_BOOTSTRAP
                                                : NULL;
}

void simulation_options(struct telescope_options *o, const struct conf *conf)
{
    telescope_options_init(o);
    o->start = conf_us(conf, "start");
    o->length = llround(conf_number(conf, "days") * (double)US_DAY);
    o->sites = conf_count(conf, "sites");
    o->prefix = conf_given(conf, "prefix") ? (uint8_t)conf_count(conf, "prefix") : 0;
    o->scale = conf_number(conf, "scale");
    o->events = conf_text(conf, "events");
    o->random_ports = strcmp(conf_text(conf, "ports"), "random") == 0;
    o->quiet = conf_flag(conf, "no-nuisances");
    o->malware = conf_number(conf, "malware");
    o->geoip = conf_text(conf, "geoip");
    if (!o->geoip)
        o->geoip = simulation_geoip();
    else if (strcmp(o->geoip, "none") == 0)
        o->geoip = NULL;
}
