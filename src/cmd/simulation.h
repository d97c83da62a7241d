#ifndef CMD_SIMULATION_H
#define CMD_SIMULATION_H

#include "base/conf.h"
#include "sim/telescope.h"

/* Options that the commands which simulate telescopes have in common. */
#define SIMULATION_ITEMS                                                                       \
    {"sites", CONF_COUNT, "N", "sites", 1, TELESCOPE_SITES_MAX, "8", NULL,                     \
        "Number of telescopes."},                                                              \
        {"days", CONF_NUMBER, "D", "days", 0.05, 400, "4", NULL, "Length of the captures."},   \
        {"start", CONF_TIME, "TIME", NULL, 0, 0, "2026-08-03", NULL, "Their first minute."},   \
        {"events", CONF_TEXT, "LIST", NULL, 0, TELESCOPE_TEXT - 1, "all", NULL,                \
            "all, none, or a list of KIND[@OFFSET][*SIZE], such as "                           \
            "worm-growth@36h,one-site*2."},                                                    \
        {"ports", CONF_TEXT, "HOW", NULL, 0, 16, "usual", "usual|random",                      \
            "Ports of the events: each kind's usual ones, or others drawn by the seed."},      \
        {"scale", CONF_NUMBER, "X", NULL, 0.001, 1000, "1", NULL,                              \
            "Volume of the background; 1 is about 600 packets an address and day."},           \
        {"malware", CONF_NUMBER, "X", NULL, 0, 100000, "0", NULL,                              \
            "Packets that twelve families of malware add to an address and day, beside the "   \
            "background."},                                                                    \
        {"prefix", CONF_COUNT, "BITS", NULL, 21, 28, NULL, NULL,                               \
            "Prefix length of every telescope; by default mixed, /24 to /21."},                \
        {"geoip", CONF_FILE, "FILE", NULL, 0, 1000, NULL, "none",                              \
            "Country ranges for the sources, or none; by default those of Debian's "           \
            "tor-geoipdb if "                                                                  \
            "they are installed."},                                                            \
    {                                                                                          \
        "no-nuisances", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,                               \
            "Leave out what tempts a false alarm: unknown research scan, noisy host, outage, " \
            "..."                                                                              \
    }

/* The country ranges that are installed, NULL if none are. */
const char *simulation_geoip(void);

/* What they say; link and seed are the caller's. Borrows the texts of `conf`. */
void simulation_options(struct telescope_options *o, const struct conf *conf);

#endif
