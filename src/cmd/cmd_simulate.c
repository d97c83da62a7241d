#include "base/clock.h"
#include "cmd/commands.h"
#include "decode/packet.h"
#include "sim/capture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GEOIP_DEBIAN "/usr/share/tor/geoip"

static const struct conf_item items[] = {
    {"out", CONF_TEXT, "DIR", NULL, 0, 1000, NULL, NULL,
        "Folder for the captures, truth.json and surveys.txt; made if it is not there."},
    {"replace", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "Replace the simulation that the folder holds."},
    {"sites", CONF_COUNT, "N", "sites", 1, TELESCOPE_SITES_MAX, "8", NULL,
        "Number of telescopes."},
    {"days", CONF_NUMBER, "D", "days", 0.05, 400, "4", NULL, "Length of the captures."},
    {"start", CONF_TIME, "TIME", NULL, 0, 0, "2026-08-03", NULL, "Their first minute."},
    {"seed", CONF_COUNT, "S", NULL, 0, 0, "1", NULL,
        "The same seed and options give the same captures, byte for byte."},
    {"events", CONF_TEXT, "LIST", NULL, 0, TELESCOPE_TEXT - 1, "all", NULL,
        "all, none, or a list of KIND[@OFFSET][*SIZE], such as worm-growth@36h,one-site*2."},
    {"ports", CONF_TEXT, "HOW", NULL, 0, 16, "usual", "usual|random",
        "Ports of the events: each kind's usual ones, or others drawn by the seed."},
    {"scale", CONF_NUMBER, "X", NULL, 0.001, 1000, "1", NULL,
        "Volume of the background; 1 is about 600 packets an address and day."},
    {"prefix", CONF_COUNT, "BITS", NULL, 21, 28, NULL, NULL,
        "Prefix length of every telescope; by default mixed, /24 to /21."},
    {"geoip", CONF_TEXT, "FILE", NULL, 0, 1000, NULL, NULL,
        "Country ranges for the sources, or none; by default those of Debian's tor-geoipdb if "
        "they are installed."},
    {"link", CONF_TEXT, "TYPE", NULL, 0, 16, "raw", "raw|ethernet", "Link type."},
    {"compress", CONF_TEXT, "HOW", NULL, 0, 8, "none", "none|gz|zst", "Compress the captures."},
    {"no-nuisances", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "Leave out what tempts a false alarm: unknown research scan, noisy host, outage, ..."},
    {0},
};

static void options_fill(struct telescope_options *o, const struct conf *conf)
{
    telescope_options_init(o);
    o->seed = conf_count(conf, "seed");
    o->start = conf_us(conf, "start");
    o->length = llround(conf_number(conf, "days") * (double)US_DAY);
    o->sites = conf_count(conf, "sites");
    o->prefix = conf_given(conf, "prefix") ? (uint8_t)conf_count(conf, "prefix") : 0;
    o->scale = conf_number(conf, "scale");
    o->link = strcmp(conf_text(conf, "link"), "ethernet") == 0 ? LINK_ETHERNET : LINK_RAW;
    o->events = conf_text(conf, "events");
    o->random_ports = strcmp(conf_text(conf, "ports"), "random") == 0;
    o->quiet = conf_flag(conf, "no-nuisances");
    o->geoip = conf_text(conf, "geoip");
    if (!o->geoip)
        o->geoip = access(GEOIP_DEBIAN, R_OK) == 0 ? GEOIP_DEBIAN : NULL;
    else if (strcmp(o->geoip, "none") == 0)
        o->geoip = NULL;
}

static enum err show_progress(void *context, double done)
{
    int *last = context;
    int now = (int)(done * 100.0);
    if (now != *last)
        fprintf(stderr, "\rkizashi simulate telescope: %d %%", now);
    *last = now;
    return OK;
}

static const char *suffix_of(const char *compress)
{
    return strcmp(compress, "gz") == 0    ? "pcap.gz"
           : strcmp(compress, "zst") == 0 ? "pcap.zst"
                                          : "pcap";
}

static int run(const struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    const char *out = conf_text(conf, "out");
    if (!out || !*out) {
        fprintf(stderr, "kizashi simulate telescope: out: say where with --out DIR\n");
        return EXIT_USAGE;
    }
    struct telescope_options options;
    options_fill(&options, conf);
    struct telescope *t;
    struct fault f = {0};
    enum err e = telescope_open(&t, &options, &f);
    if (e) {
        fprintf(stderr, "kizashi simulate telescope: %s\n", f.text);
        return e == ERR_NOMEM ? EXIT_PROBLEM : EXIT_USAGE;
    }
    int shown = -1;
    bool terminal = isatty(STDERR_FILENO);
    const struct capture_plan plan = {
        .folder = out,
        .suffix = suffix_of(conf_text(conf, "compress")),
        .replace = conf_flag(conf, "replace"),
        .progress = terminal ? show_progress : NULL,
        .context = &shown,
    };
    struct capture_made made;
    e = capture_write(t, &plan, &made, &f);
    if (terminal)
        fprintf(stderr, "\r\033[K");
    if (e)
        fprintf(stderr, "kizashi simulate telescope: %s\n", f.text);
    else
        fprintf(stderr, "%llu packets, %llu bytes at %u sites, %u events: %s/truth.json\n",
            (unsigned long long)made.packets, (unsigned long long)made.bytes,
            telescope_truth(t)->site_count, telescope_truth(t)->event_count, out);
    telescope_close(t);
    return !e ? EXIT_DONE : e == ERR_EXISTS || e == ERR_NOTFOUND ? EXIT_USAGE : EXIT_PROBLEM;
}

const struct command cmd_simulate_telescope = {
    .name = "simulate telescope",
    .text = "make captures of several telescopes with stated events",
    .items = items,
    .run = run,
    .more =
        "Makes a capture for each of several network telescopes, in time order, and a\n"
        "truth.json that states every event in them: which hosts, where, when, how many.\n"
        "It is a model of such traffic, not data.\n"
        "\n"
        "Kinds of events: worm-growth (hosts double every six hours), botnet-turn (bots of\n"
        "23/tcp turn to 53413/udp), country-botnet (1,000 hosts of one country), in-step (20\n"
        "countries in the same seconds, which host counts cannot show), spreading (from site\n"
        "to site, hours apart), one-site.\n"
        "\n"
        "  kizashi simulate telescope --out sim --sites 8 --days 4 --seed 7\n"
        "  kizashi replay --alerts alerts.jsonl --no-store sim/jp-01.pcap ...\n"
        "  kizashi evaluate --truth sim/truth.json alerts.jsonl\n",
};
