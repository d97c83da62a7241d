#include "cmd/commands.h"
#include "cmd/ending.h"
#include "cmd/simulation.h"
#include "decode/packet.h"
#include "sim/capture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct conf_item items[] = {
    {"out", CONF_TEXT, "DIR", NULL, 0, 1000, NULL, NULL,
        "Folder for the captures, truth.json and surveys.txt; made if it is not there."},
    {"replace", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "Replace the simulation that the folder holds."},
    {"seed", CONF_COUNT, "S", NULL, 0, 0, "1", NULL,
        "The same seed and options give the same captures, byte for byte."},
    SIMULATION_ITEMS,
    {"link", CONF_TEXT, "TYPE", NULL, 0, 16, "raw", "raw|ethernet", "Link type."},
    {"compress", CONF_TEXT, "HOW", NULL, 0, 8, "none", "none|gz|zst", "Compress the captures."},
    {0},
};

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

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    const char *out = conf_text(conf, "out");
    struct telescope_options options;
    simulation_options(&options, conf);
    options.seed = conf_count(conf, "seed");
    options.link = strcmp(conf_text(conf, "link"), "ethernet") == 0 ? LINK_ETHERNET : LINK_RAW;
    struct telescope *t;
    struct fault f = {0};
    enum err e = out && *out ? telescope_open(&t, &options, &f)
                             : fault_set(&f, ERR_BAD, "say where with --out DIR");
    if (e)
        return ending("simulate telescope", e, &f);
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
    if (!e)
        fprintf(stderr, "%llu packets, %llu bytes at %u sites, %u events: %s/truth.json\n",
            (unsigned long long)made.packets, (unsigned long long)made.bytes,
            telescope_truth(t)->site_count, telescope_truth(t)->event_count, out);
    telescope_close(t);
    return ending("simulate telescope", e, &f);
}

const struct command cmd_simulate_telescope = {
    .name = "simulate telescope",
    .text = "Make captures of several telescopes with stated events.",
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
        "  kizashi replay --alerts alerts.jsonl --survey-list sim/surveys.txt --site ...\n"
        "  kizashi evaluate --truth sim/truth.json alerts.jsonl\n",
};
