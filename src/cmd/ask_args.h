#ifndef CMD_ASK_ARGS_H
#define CMD_ASK_ARGS_H

#include "base/buf.h"
#include "base/conf.h"
#include "cmd/holder.h"
#include "cmd/options.h"
#include "store/ask.h"

/* The time range, the same in all commands and in the API. */
#define SPAN_ITEMS(from_text, to_text)                                                         \
    {.name = "from",                                                                           \
        .type = CONF_MOMENT,                                                                   \
        .arg = "TIME",                                                                         \
        .text = from_text ": RFC 3339, a date for its midnight UTC, -24h (so long before the " \
                          "newest packet), or now."},                                          \
    {                                                                                          \
        .name = "to", .type = CONF_MOMENT, .arg = "TIME",                                      \
        .text = to_text ", in the same forms."                                                 \
    }

#define ASK_CLASSES_ALLOWED "scan, backscatter, misconfiguration, survey, worm and other"

/* Options that narrow a question, the same for stats and export. */
#define ASK_ITEMS(rows, rows_text)                                                             \
    DATA_ITEM(DATA_ASKED), SPAN_ITEMS("Not before this time", "Before this time"),             \
        {.name = "site", .type = CONF_TEXT, .arg = "NAME", .max = 63, .text = "This site."},   \
        {.name = "proto",                                                                      \
            .type = CONF_TEXT,                                                                 \
            .arg = "PROTO",                                                                    \
            .text = "This protocol: tcp, udp, icmp, icmpv6 or a number."},                     \
        {.name = "port",                                                                       \
            .type = CONF_COUNT,                                                                \
            .arg = "PORT",                                                                     \
            .max = 65535,                                                                      \
            .text = "This destination port; for ICMP the type."},                              \
        {.name = "country",                                                                    \
            .type = CONF_TEXT,                                                                 \
            .arg = "CC",                                                                       \
            .text = "Sources in this country, ISO 3166."},                                     \
        {.name = "asn",                                                                        \
            .type = CONF_COUNT,                                                                \
            .arg = "NUMBER",                                                                   \
            .max = 4294967295.0,                                                               \
            .text = "Sources in this autonomous system."},                                     \
        {.name = "tool",                                                                       \
            .type = CONF_TEXT,                                                                 \
            .arg = "NAME",                                                                     \
            .max = 63,                                                                         \
            .text = "Sources that this tool was named for."},                                  \
        {.name = "class",                                                                      \
            .type = CONF_TEXT,                                                                 \
            .arg = "LIST",                                                                     \
            .text = "These classes of traffic, such as scan,worm; all but these with a "       \
                    "hyphen before each: -survey,-backscatter. There are " ASK_CLASSES_ALLOWED \
                    "."},                                                                      \
        {.name = "src",                                                                        \
            .type = CONF_TEXT,                                                                 \
            .arg = "ADDRESS",                                                                  \
            .text = "This source address or prefix."},                                         \
    {                                                                                          \
        .name = "limit", .type = CONF_COUNT, .arg = "ROWS", .min = 1, .max = 10000,            \
        .initial = (rows), .text = (rows_text)                                                 \
    }

/* A question from the options, but for its time range; the fault names the option that is
 * wrong. */
enum err ask_from_conf(struct ask *ret_ask, enum ask_what what, const struct conf *conf,
    struct fault *f) MUST_CHECK;

/* Options that narrow take one value each: that the last of several counted would go unseen. */
enum err narrow_check(const struct conf *conf, struct fault *f) MUST_CHECK;

/* One name of a site, a tool, an alert; "" if the option is not given. */
enum err narrow_name(const struct conf *conf, const char *option,
    char ret_name[RECORD_NAME_MAX + 1], struct fault *f) MUST_CHECK;

/* Sites and tools that --site and --tool name must be there: no rows about a name that was
 * mistyped would say that all is quiet. ERR_NOTFOUND; the fault says which there are. "" is
 * any. The holder must have the store; a hub has looked itself. */
enum err narrow_known(
    struct holder *holder, const char *site, const char *tool, struct fault *f) MUST_CHECK;

/* The same of --site alone, for lists that come from the catalogue and are empty. Without a
 * store nobody knows which sites there are, and all pass. */
enum err narrow_site_known(const char *data, const char *site, struct fault *f) MUST_CHECK;

/* --proto and --port; -1: any. */
enum err narrow_service(
    const struct conf *conf, int *ret_proto, int *ret_port, struct fault *f) MUST_CHECK;

/* --from and --to, before anything is opened: do they contradict each other? */
enum err span_check(const struct conf *conf, struct fault *f) MUST_CHECK;

/* [from, to); both 0 if neither is given. What counts from the newest packet asks the holder
 * when that was, which must have been opened with HOLDER_STORE. */
enum err span_from_conf(const struct conf *conf, struct holder *holder, int64_t *ret_from,
    int64_t *ret_to, struct fault *f) MUST_CHECK;
bool span_needs_store(const struct conf *conf);

/* What is chosen or compared by a span's length (steps, the time before) needs both its ends:
 * they become those of what the store holds where none is given. Movers are of the last day
 * then, and series and losses get their step and whole steps of it, as over the API.
 * `*ret_first` is the time of the oldest packet, or 0. The holder must have the store. */
enum err span_close(
    struct holder *holder, struct ask *ask, int64_t *ret_first, struct fault *f) MUST_CHECK;

/* The same question as a query string for the API: "?from=...&port=23". */
void ask_query(const struct ask *a, enum ask_format format, struct buf *out);

#endif
