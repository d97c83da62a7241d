#include "cmd/commands.h"

#include "cmd/ask_args.h"
#include "cmd/ending.h"
#include "cmd/export_capture.h"
#include "cmd/holder.h"
#include "cmd/output.h"

#include <stdio.h>
#include <string.h>

static const struct conf_item export_items[] = {
    ASK_ITEMS(NULL, "At most so many rows; without it all that match."),
    {.name = "format",
        .type = CONF_TEXT,
        .arg = "FORMAT",
        .initial = "csv",
        .values = "csv|json|pcap",
        .text =
            "CSV with a header, JSON lines, or a capture of the headers and the first bytes of "
            "payload that the store has."},
    {.name = "output",
        .type = CONF_TEXT,
        .arg = "FILE",
        .initial = "-",
        .text = "Where to; - for standard output. A file that is there is not written over. A "
                "capture whose name ends in .gz or .zst is compressed."},
    {.name = NULL},
};

static enum err write_out(void *context, const void *data, size_t len)
{
    return fwrite(data, 1, len, context) == len ? OK : ERR_IO;
}

static bool is_capture(const struct conf *conf)
{
    return strcmp(conf_text(conf, "format"), "pcap") == 0;
}

static enum err export_rows(struct holder *holder, const struct conf *conf,
    const struct ask *ask, FILE *out, struct fault *f)
{
    bool json = strcmp(conf_text(conf, "format"), "json") == 0;
    if (is_capture(conf))
        return export_capture(holder, ask, conf_text(conf, "output"), f);
    return holder_stream(holder, ask, json ? FORMAT_JSON : FORMAT_CSV, write_out, out, f);
}

static enum err export_to(const struct conf *conf, struct ask *ask, FILE *out, struct fault *f)
{
    struct holder *holder;
    enum err e = holder_open(&holder, conf_text(conf, "data"), HOLDER_STORE, f);
    if (e)
        return e;
    e = span_from_conf(conf, holder, &ask->from, &ask->to, f);
    if (!e)
        e = narrow_known(holder, ask->site, ask->tool, f);
    if (!e)
        e = export_rows(holder, conf, ask, out, f);
    holder_close(holder);
    return e;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct fault f = {0};
    struct ask ask;
    struct output out = {0};
    enum err e = ask_from_conf(&ask, ASK_PACKETS, conf, &f);
    if (!e)
        e = output_open(&out, "--output", conf_text(conf, "output"), &f);
    if (!e)
        e = export_to(conf, &ask, out.file, &f);
    e = output_close(&out, e, &f);
    return ending("export", e, &f);
}

const struct command cmd_export = {
    .name = "export",
    .text = "Write packets from the store as CSV, JSON lines or a capture.",
    .items = export_items,
    .run = run,
    .more =
        "Packets come in time order with all columns of their record, whose proto is "
        "the number of the IP protocol (17 is udp). A packet carries the "
        "tool that was known when it came; what its source sent before there was evidence "
        "enough carries none, so kizashi stats, which counts contacts (one source, service "
        "and window, at its close), has some more packets for a tool.\n\n"
        "A capture (--format pcap, raw IP) is made anew of what the store has: no options of "
        "IP and TCP, no number of an echo, and of the payload the first bytes that were kept; "
        "a destination that a site does not let out is 0.0.0.0. Lengths are of the packet "
        "without what is missing. Tool, class, country, network and site are not in it.\n\n"
        "Examples:\n"
        "  kizashi export --port 427 --from 2023-06-01 --to 2023-06-16 --output slp.csv\n"
        "  kizashi export --tool mirai --from -1h --format pcap --output mirai.pcap.zst\n",
};
