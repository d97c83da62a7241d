/* How long questions take: bench_ask FOLDER [ROUNDS]. The store is one that bench_ingest
 * filled. Prints for each question the median and the 99th percentile of ROUNDS (20) askings,
 * one after another, with spans that vary within the stated length (seed 1). */
#include "bench.h"

#include "store/store.h"

#include "base/clock.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the portal calls new. A store without tags has nothing of it. */
#define NEW "-known,-survey-like"

static const struct row {
    const char *name;
    enum ask_what what;
    double span; /* of all there is; 0: no span given */
    enum ask_by by;
    enum ask_measure measure;
    int port;
    const char *country, *class, *site;
    bool source;
    const char *tag;
} rows[] = {
    {"span", ASK_SPAN, 0, 0, 0, -1, "", "", "", false, ""},
    {"totals, all", ASK_TOTALS, 0, 0, 0, -1, "", "", "", false, ""},
    {"totals, a tenth, no surveys", ASK_TOTALS, 0.1, 0, 0, -1, "", "-survey", "", false, ""},
    {"series packets, all", ASK_SERIES, 0, BY_NOTHING, MEASURE_PACKETS, -1, "", "", "", false,
        ""},
    {"series sources, all", ASK_SERIES, 0, BY_NOTHING, MEASURE_SOURCES, -1, "", "", "", false,
        ""},
    {"series sources by site", ASK_SERIES, 0, BY_SITE, MEASURE_SOURCES, -1, "", "", "", false,
        ""},
    {"series sources by country", ASK_SERIES, 0, BY_COUNTRY, MEASURE_SOURCES, -1, "", "", "",
        false, ""},
    {"series sources by port, a tenth", ASK_SERIES, 0.1, BY_PORT, MEASURE_SOURCES, -1, "", "",
        "", false, ""},
    {"series sources by port, all", ASK_SERIES, 0, BY_PORT, MEASURE_SOURCES, -1, "", "", "",
        false, ""},
    {"series of port 22, all", ASK_SERIES, 0, BY_NOTHING, MEASURE_SOURCES, 22, "", "", "",
        false, ""},
    {"series of port 23 by country, all", ASK_SERIES, 0, BY_COUNTRY, MEASURE_SOURCES, 23, "",
        "", "", false, ""},
    {"series of port 23 by country, 1/10", ASK_SERIES, 0.1, BY_COUNTRY, MEASURE_SOURCES, 23, "",
        "", "", false, ""},
    {"series of a country by port, 1/10", ASK_SERIES, 0.1, BY_PORT, MEASURE_PACKETS, -1, "ac",
        "", "", false, ""},
    {"series by minute, 1/100", ASK_SERIES, 0.01, BY_NOTHING, MEASURE_SOURCES, -1, "", "", "",
        false, ""},
    {"ports, all", ASK_PORTS, 0, 0, MEASURE_SOURCES, -1, "", "", "", false, ""},
    {"ports, a tenth", ASK_PORTS, 0.1, 0, MEASURE_SOURCES, -1, "", "", "", false, ""},
    {"ports of a site, all", ASK_PORTS, 0, 0, MEASURE_SOURCES, -1, "", "", "site-01", false,
        ""},
    {"ports of a country, a tenth", ASK_PORTS, 0.1, 0, MEASURE_SOURCES, -1, "ac", "", "", false,
        ""},
    {"movers, a tenth", ASK_MOVERS, 0.1, 0, 0, -1, "", "", "", false, ""},
    {"sources, all", ASK_SOURCES, 0, 0, 0, -1, "", "", "", false, ""},
    {"sources, a tenth", ASK_SOURCES, 0.1, 0, 0, -1, "", "", "", false, ""},
    {"source, all", ASK_SOURCE, 0, 0, 0, -1, "", "", "", true, ""},
    {"countries, all", ASK_COUNTRIES, 0, 0, 0, -1, "", "", "", false, ""},
    {"networks, all", ASK_ASNS, 0, 0, 0, -1, "", "", "", false, ""},
    {"tools, all", ASK_TOOLS, 0, 0, 0, -1, "", "", "", false, ""},
    {"classes, all", ASK_CLASSES, 0, 0, 0, -1, "", "", "", false, ""},
    {"sites, all", ASK_SITES, 0, 0, 0, -1, "", "", "", false, ""},
    {"packets, first page of a tenth", ASK_PACKETS, 0.1, 0, 0, -1, "", "", "", false, ""},
    {"new: totals, a tenth", ASK_TOTALS, 0.1, 0, 0, -1, "", "", "", false, NEW},
    {"new: series packets, a tenth", ASK_SERIES, 0.1, BY_NOTHING, MEASURE_PACKETS, -1, "", "",
        "", false, NEW},
    {"new: series sources by port, a tenth", ASK_SERIES, 0.1, BY_PORT, MEASURE_SOURCES, -1, "",
        "", "", false, NEW},
    {"new: ports, a tenth", ASK_PORTS, 0.1, 0, MEASURE_SOURCES, -1, "", "", "", false, NEW},
    {"new: movers, a tenth", ASK_MOVERS, 0.1, 0, 0, -1, "", "", "", false, NEW},
    {"new: sources, a tenth", ASK_SOURCES, 0.1, 0, 0, -1, "", "", "", false, NEW},
    {"new: countries, a tenth", ASK_COUNTRIES, 0.1, 0, 0, -1, "", "", "", false, NEW},
    {"new: totals, a fifth", ASK_TOTALS, 0.2, 0, 0, -1, "", "", "", false, NEW},
    {"new: series packets, a fifth", ASK_SERIES, 0.2, BY_NOTHING, MEASURE_PACKETS, -1, "", "",
        "", false, NEW},
    {"new: series sources by port, a fifth", ASK_SERIES, 0.2, BY_PORT, MEASURE_SOURCES, -1, "",
        "", "", false, NEW},
    {"new: ports, a fifth", ASK_PORTS, 0.2, 0, MEASURE_SOURCES, -1, "", "", "", false, NEW},
    {"new: movers, a fifth", ASK_MOVERS, 0.2, 0, 0, -1, "", "", "", false, NEW},
    {"new: sources, a fifth", ASK_SOURCES, 0.2, 0, 0, -1, "", "", "", false, NEW},
    {"new: countries, a fifth", ASK_COUNTRIES, 0.2, 0, 0, -1, "", "", "", false, NEW},
    {"new: totals, all", ASK_TOTALS, 0, 0, 0, -1, "", "", "", false, NEW},
    {"new: series packets, all", ASK_SERIES, 0, BY_NOTHING, MEASURE_PACKETS, -1, "", "", "",
        false, NEW},
    {"new: series sources by port, all", ASK_SERIES, 0, BY_PORT, MEASURE_SOURCES, -1, "", "",
        "", false, NEW},
    {"new: ports, all", ASK_PORTS, 0, 0, MEASURE_SOURCES, -1, "", "", "", false, NEW},
    {"new: sources, all", ASK_SOURCES, 0, 0, 0, -1, "", "", "", false, NEW},
    {"new: countries, all", ASK_COUNTRIES, 0, 0, 0, -1, "", "", "", false, NEW},
};

static double now_ms(void)
{
    return bench_clock(CLOCK_MONOTONIC) * 1e3;
}

/* Of all threads. */
static double cpu_ms(void)
{
    return bench_clock(CLOCK_PROCESS_CPUTIME_ID) * 1e3;
}

/* Not exit(): the engine's threads do not survive it while the store is open. */
static void check(enum err e, const char *what, const struct fault *f)
{
    if (!e)
        return;
    fflush(stdout);
    fprintf(stderr, "bench_ask: %s: %s\n", what, f->text);
    _exit(1);
}

/* The text value of the first row's member. */
static void pick(const struct buf *out, const char *name, char text[64])
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *at = strstr((const char *)out->data, quoted);
    snprintf(text, 64, "%.*s", at ? (int)strcspn(at + strlen(quoted), "\"") : 0,
        at ? at + strlen(quoted) : "");
}

static double ask_once(struct store *s, const struct row *row, int64_t first, int64_t last,
    const struct prefix *source, double where, struct buf *out)
{
    struct ask a;
    struct fault f = {0};
    ask_init(&a, row->what);
    if (row->span > 0) {
        int64_t length = (int64_t)((double)(last - first) * row->span);
        a.from = first + (int64_t)((double)(last - first - length) * where);
        a.to = a.from + length;
    }
    a.by = row->by;
    a.measure = row->measure;
    a.port = row->port;
    snprintf(a.country, sizeof a.country, "%s", row->country);
    snprintf(a.class, sizeof a.class, "%s", row->class);
    snprintf(a.site, sizeof a.site, "%s", row->site);
    snprintf(a.tag, sizeof a.tag, "%s", row->tag);
    a.has_src = row->source;
    a.src = *source;
    buf_clear(out);
    double start = now_ms();
    check(store_ask(s, &a, FORMAT_JSON, out, NULL, &f), row->name, &f);
    return now_ms() - start;
}

int main(int argc, char **argv)
{
    struct store *s = NULL;
    struct fault f = {0};
    struct store_options options = {0};
    struct prefix source = {.bits = 128};
    struct store_usage usage;
    struct buf out;
    char text[64];
    int64_t first = 0;
    int64_t last = 0;
    size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 20;
    double *took = calloc(rounds + 1, sizeof *took);
    if (argc < 2 || !took || rounds == 0)
        return 2;
    buf_init(&out, 1 << 28);
    check(store_open(&s, argv[1], &options, &f), argv[1], &f);
    check(store_usage(s, &usage, &f), "usage", &f);
    printf("store_ask over %.1f M packets, %.1f M contacts, %.0f MB\n",
        (double)usage.packets / 1e6, (double)usage.contacts / 1e6,
        (double)usage.disk_bytes / 1e6);
    ask_once(s, &rows[0], 0, 0, &source, 0, &out);
    pick(&out, "first", text);
    check(time_parse(text, &first), "first", &f);
    pick(&out, "last", text);
    check(time_parse(text, &last), "last", &f);
    struct row busiest = {"", ASK_SOURCES, 0, 0, 0, -1, "", "", "", false, ""};
    ask_once(s, &busiest, first, last, &source, 0, &out);
    pick(&out, "src", text);
    check(ip_parse(text, &source.ip), "src", &f);
    struct rng r;
    rng_seed(&r, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double cpu = cpu_ms();
        for (size_t k = 0; k < rounds; k++)
            took[k] = ask_once(s, &rows[i], first, last, &source, rng_unit(&r), &out);
        cpu = (cpu_ms() - cpu) / (double)rounds;
        double cold = took[0];
        qsort(took, rounds, sizeof *took, bench_compare);
        printf("store_ask %-36s first %8.1f ms  p50 %8.1f ms  p99 %8.1f ms  CPU %8.1f ms  %8zu "
               "bytes\n",
            rows[i].name, cold, took[rounds / 2], took[rounds - 1 - rounds / 100], cpu,
            out.len);
        fflush(stdout);
    }
    store_close(s);
    buf_done(&out);
    free(took);
    return 0;
}
