#ifndef STORE_ASK_H
#define STORE_ASK_H

#include "base/ip.h"
#include "record/record.h"

#include <stdbool.h>
#include <stdint.h>

/* A question to the store: what, over which time, narrowed by what. The SQL for each stands in
 * one file of this room; nobody else writes any. Answers are rows with the columns named here.
 * Every column `time`, `first`, `last`, `start`, `end` is RFC 3339 in UTC; addresses are text;
 * `as_name` is the name of the network `asn` after the operator's databases, "" if none is
 * known; `proto` is "tcp", "udp", "icmp", "icmpv6" or else the number as text; other numbers
 * are JSON numbers, in CSV bare digits. ASK_PACKETS alone keeps the forms of block_row_json().
 */
#define ASK_ROWS(X)                                                                            \
    X(ASK_SPAN, "span",                                                                        \
        "first, last, packets: what the store holds, whatever `from` and `to`")                \
    X(ASK_TOTALS, "totals", "packets, bytes, sources, sites, ports over the span")             \
    X(ASK_SERIES, "series",                                                                    \
        "time, key, value: one row a step and key; steps without traffic are left out; by "    \
        "network also as_name")                                                                \
    X(ASK_PORTS, "ports", "proto, port, packets, sources, countries, share: busiest services") \
    X(ASK_MOVERS, "movers",                                                                    \
        "proto, port, sources, before, ratio, packets: against the span of the same length "   \
        "just before")                                                                         \
    X(ASK_SOURCES, "sources",                                                                  \
        "src, country, asn, as_name, packets, ports, sites, first, last, tool, class")         \
    X(ASK_SOURCE, "source",                                                                    \
        "start, site, proto, port, class, tool, packets: one address's history, newest first") \
    X(ASK_COUNTRIES, "countries", "country, sources, packets, ports")                          \
    X(ASK_ASNS, "asns", "asn, as_name, country, sources, packets, ports")                      \
    X(ASK_TOOLS, "tools", "tool, sources, packets, ports")                                     \
    X(ASK_CLASSES, "classes", "class, sources, packets")                                       \
    X(ASK_SCREENED, "screened",                                                                \
        "tag, reason, what, sources, packets, contacts, first, last: what screening tagged, "  \
        "and why")                                                                             \
    X(ASK_TAGGED, "tagged",                                                                    \
        "src, country, asn, as_name, tag, reason, packets, ports, first, last: who was "       \
        "tagged")                                                                              \
    X(ASK_SITES, "sites",                                                                      \
        "site, first, last, packets, sources, dropped, malformed, sampled_out")                \
    X(ASK_VICTIMS, "victims",                                                                  \
        "victim, country, asn, as_name, site, proto, port, start, end, packets, peak_ppm, "    \
        "targets")                                                                             \
    X(ASK_LOSSES, "losses",                                                                    \
        "time, key, value: packets that did not reach the charts, by cause (a column of "      \
        "site_status); one row a step and cause")
#define ASK_LIST(X)                                                                            \
    ASK_ROWS(X)                                                                                \
    X(ASK_PACKETS, "packets", "the packet record's own columns, in time order: for export")

enum ask_what {
#define X(id, name, text) id,
    ASK_LIST(X)
#undef X
    ASK_COUNT
};

enum ask_by {
    BY_NOTHING,
    BY_SITE,
    BY_COUNTRY,
    BY_TOOL,
    BY_CLASS,
    BY_ASN,
    BY_PORT,
    BY_CAUSE /* ASK_LOSSES, which has no other */
};
enum ask_measure {
    MEASURE_PACKETS,
    MEASURE_SOURCES,
    MEASURE_BYTES
};
enum ask_format {
    FORMAT_JSON,
    FORMAT_CSV
};

enum {
    ASK_ROWS_MAX = 10000,
    ASK_STEPS_MAX = 10000,
    ASK_LINES_MAX = 50, /* of a series that the API and the command line ask for */
    ASK_CURSOR = 128
};

/* ask_init() sets everything to "any". */
struct ask {
    enum ask_what what;
    int64_t from, to; /* us, [from, to); both 0: all there is */
    int64_t step;   /* ASK_SERIES, ASK_LOSSES (0: an hour): us, whole seconds; 0: chosen so that
                       100 to 500 steps   cover the span, or 36 to 100 where coarser tables answer
                       quicker */
    enum ask_by by; /* ASK_SERIES: one line for each; the `limit` largest (0: 10), the rest of
                       packets or bytes as "other" */
    enum ask_measure measure;
    char site[RECORD_NAME_MAX + 1]; /* "": any */
    char country[3];
    char tool[RECORD_NAME_MAX + 1];
    /* "scan" or "scan,worm": these; with "-" before each, all but these: "-survey,-scan". */
    char class[RECORD_NAME_MAX + 1];
    /* The same with tags of screening: "-known,-survey-like" leaves out contacts that have one
     * of them. Then only windows count that were screened. Not for packets, attacks, losses. */
    char tag[RECORD_NAME_MAX + 1];
    char reason[RECORD_NAME_MAX + 1]; /* ASK_SCREENED, ASK_TAGGED: for this one only */
    int proto;                        /* -1: any */
    int port;                         /* -1: any */
    int64_t asn;                      /* -1: any */
    bool has_src;
    struct prefix src;       /* one address or a prefix */
    size_t limit;            /* 1..ASK_ROWS_MAX; 0: 100 */
    char cursor[ASK_CURSOR]; /* "" for the first page; then what the last answer gave */
};

void ask_init(struct ask *a, enum ask_what what);

/* The step that a chart of [from, to) takes where nobody said one: no more than 500, and none
 * that the store would have to count packets or contacts for over long. */
int64_t ask_step(const struct ask *a, int64_t from, int64_t to);

#endif
