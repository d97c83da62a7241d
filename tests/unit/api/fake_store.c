#include "fake.h"

#include "alert/lead.h"
#include "store/catalog_forecasts.h"

#include "alert/alert.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct table {
    enum ask_what what;
    const char *columns; /* CSV header */
    const char *rows[4]; /* JSON; %s is a site */
};

static const struct table tables[] = {
    {ASK_TOTALS, "packets,bytes,sources,sites,ports",
        {"{\"packets\":123456,\"bytes\":7407360,\"sources\":2345,\"sites\":2,\"ports\":99}"}},
    {ASK_PORTS, "proto,port,packets,sources,countries,share",
        {"{\"proto\":\"tcp\",\"port\":23,\"packets\":60000,\"sources\":1200,\"countries\":80,"
         "\"share\":0.486}",
            "{\"proto\":\"tcp\",\"port\":3389,\"packets\":3000,\"sources\":300,\"countries\":"
            "40,"
            "\"share\":0.0243}",
            "{\"proto\":\"udp\",\"port\":53413,\"packets\":200,\"sources\":20,\"countries\":5,"
            "\"share\":0.0016}"}},
    {ASK_MOVERS, "proto,port,sources,before,ratio,packets",
        {"{\"proto\":\"udp\",\"port\":53413,\"sources\":20,\"before\":2,\"ratio\":10,"
         "\"packets\":200}",
            "{\"proto\":\"tcp\",\"port\":5000,\"sources\":12,\"before\":0,\"ratio\":null,"
            "\"packets\":40}"}},
    {ASK_SOURCES, "src,country,asn,as_name,packets,ports,sites,first,last,tool,class",
        {"{\"src\":\"192.0.2.7\",\"country\":\"jp\",\"asn\":64500,\"as_name\":\"EXAMPLE-AS\","
         "\"packets\":900,\"ports\":2,"
         "\"sites\":2,\"first\":\"2026-11-21T00:00:01Z\",\"last\":\"2026-11-22T23:59:59.5Z\","
         "\"tool\":\"mirai\",\"class\":\"scan\"}",
            "{\"src\":\"2001:db8::1\",\"country\":\"\",\"asn\":0,\"as_name\":\"\",\"packets\":"
            "1,\"ports\":1,"
            "\"sites\":1,\"first\":\"2026-11-21T00:00:01Z\",\"last\":\"2026-11-21T00:00:01Z\","
            "\"tool\":\"\",\"class\":\"other\"}"}},
    {ASK_SOURCE, "start,site,proto,port,class,tool,packets",
        {"{\"start\":\"2026-11-22T23:50:00Z\",\"site\":\"jp-01\",\"proto\":\"tcp\",\"port\":23,"
         "\"class\":\"scan\",\"tool\":\"mirai\",\"packets\":9}"}},
    {ASK_COUNTRIES, "country,sources,packets,ports",
        {"{\"country\":\"jp\",\"sources\":100,\"packets\":5000,\"ports\":12}",
            "{\"country\":\"\",\"sources\":3,\"packets\":9,\"ports\":1}"}},
    {ASK_ASNS, "asn,as_name,country,sources,packets,ports",
        {"{\"asn\":64500,\"as_name\":\"EXAMPLE-AS\",\"country\":\"jp\",\"sources\":90,"
         "\"packets\":4000,\"ports\":9}"}},
    {ASK_TOOLS, "tool,sources,packets,ports",
        {"{\"tool\":\"zmap\",\"sources\":50,\"packets\":9000,\"ports\":40}",
            "{\"tool\":\"\",\"sources\":5,\"packets\":90,\"ports\":4}"}},
    {ASK_CLASSES, "class,sources,packets",
        {"{\"class\":\"scan\",\"sources\":2000,\"packets\":100000}"}},
    {ASK_SCREENED, "tag,reason,what,sources,packets,contacts,first,last",
        {"{\"tag\":\"known\",\"reason\":\"mirai:23-tcp:40\",\"what\":\"signature of mirai; "
         "pattern: 23/tcp, 40 bytes, mirai\",\"sources\":120,\"packets\":9000,\"contacts\":300,"
         "\"first\":\"2026-11-22T00:00:00Z\",\"last\":\"2026-11-22T23:50:00Z\"}",
            "{\"tag\":\"survey-like\",\"reason\":\"survey-fleet\",\"what\":\"survey: "
            "neighbours "
            ">= 4; services >= 10\",\"sources\":12,\"packets\":800,\"contacts\":500,"
            "\"first\":\"2026-11-22T00:00:00Z\",\"last\":\"2026-11-22T23:50:00Z\"}"}},
    {ASK_TAGGED, "src,country,asn,as_name,tag,reason,packets,ports,first,last",
        {"{\"src\":\"192.0.2.1\",\"country\":\"kr\",\"asn\":64500,\"as_name\":\"EXAMPLE-AS\","
         "\"tag\":\"known\","
         "\"reason\":\"mirai:23-tcp:40\",\"packets\":70,\"ports\":1,"
         "\"first\":\"2026-11-22T00:00:00Z\",\"last\":\"2026-11-22T23:50:00Z\"}"}},
    {ASK_SITES, "site,first,last,packets,sources,dropped,malformed,sampled_out",
        {"{\"site\":\"jp-01\",\"first\":\"2026-11-21T00:00:00Z\",\"last\":\"2026-11-22T23:59:"
         "59Z\","
         "\"packets\":100000,\"sources\":2000,\"dropped\":3,\"malformed\":2,\"sampled_out\":0}",
            "{\"site\":\"de-01\",\"first\":\"2026-11-21T00:00:00Z\","
            "\"last\":\"2026-11-21T10:00:00Z\",\"packets\":23456,\"sources\":345,\"dropped\":0,"
            "\"malformed\":0,\"sampled_out\":0}"}},
    {ASK_VICTIMS,
        "victim,country,asn,as_name,site,proto,port,start,end,packets,peak_ppm,targets",
        {"{\"victim\":\"198.51.100.1\",\"country\":\"kr\",\"asn\":64501,\"as_name\":\"EXAMPLE-"
         "AS\",\"site\":\"jp-01\","
         "\"proto\":\"tcp\",\"port\":80,\"start\":\"2026-11-22T10:00:00Z\","
         "\"end\":\"2026-11-22T10:20:00Z\",\"packets\":5000,\"peak_ppm\":400,\"targets\":"
         "256}"}},
};

static const struct table *table_of(enum ask_what what)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (tables[i].what == what)
            return &tables[i];
    abort();
}

/* One row a page when the limit is 1: the cursor is the number of the next row. */
static void put_rows(const struct table *t, const struct ask *a, bool empty, struct buf *out,
    char cursor[ASK_CURSOR])
{
    size_t at = (size_t)strtoul(a->cursor, NULL, 10);
    size_t put = 0;
    buf_str(out, "[");
    for (; !empty && at < 4 && t->rows[at] && put < a->limit; at++) {
        const json_t *site = NULL;
        json_t *row = json_loads(t->rows[at], 0, NULL);
        assert(row);
        site = json_object_get(row, "site");
        if (!a->site[0] || !site || strcmp(json_string_value(site), a->site) == 0)
            buf_printf(out, "%s%s", put++ ? "," : "", t->rows[at]);
        json_decref(row);
    }
    buf_str(out, "]");
    if (!empty && at < 4 && t->rows[at])
        snprintf(cursor, ASK_CURSOR, "%zu", at);
}

static void put_csv(const struct table *t, bool empty, struct buf *out)
{
    buf_printf(out, "%s\r\n", t->columns);
    for (size_t i = 0; !empty && i < 4 && t->rows[i]; i++)
        buf_printf(out, "row %zu\r\n", i);
}

/* One row; by network with its name, "" but for the first. */
static void put_step(
    const struct ask *a, enum ask_format format, int64_t at, int line, struct buf *out)
{
    static const char *const classes[] = {"scan", "backscatter", "other"};
    static const char *const networks[] = {"64500", "64501", "other"};
    char time[TIME_TEXT];
    bool named = a->by == BY_ASN;
    const char *key = a->by == BY_NOTHING ? "" : named ? networks[line] : classes[line];
    long value = 1000 - 300 * line + at / US_MINUTE % 60;
    time_format(at, time);
    if (format != FORMAT_JSON) {
        buf_printf(out, "%s,%s,%ld\r\n", time, key, value);
        return;
    }
    buf_printf(out, "%s{\"time\":\"%s\",\"key\":\"%s\",\"value\":%ld", out->len > 1 ? "," : "",
        time, key, value);
    if (named)
        buf_printf(out, ",\"as_name\":\"%s\"", line ? "" : "EXAMPLE-AS");
    buf_str(out, "}");
}

static void put_series(const struct ask *a, enum ask_format format, struct buf *out)
{
    const bool json = format == FORMAT_JSON;
    buf_str(out, json ? "[" : "time,key,value\r\n");
    for (int64_t at = a->from; at < a->to; at += a->step)
        for (int line = 0; line < (a->by == BY_NOTHING ? 1 : 3); line++)
            if (at / a->step % 10 != 3) /* then nothing came in this step */
                put_step(a, format, at, line, out);
    if (json)
        buf_str(out, "]");
}

static enum err ask(void *context, const struct ask *a, enum ask_format format, struct buf *out,
    char ret_cursor[ASK_CURSOR], struct fault *f)
{
    struct fake_store *s = context;
    char first[TIME_TEXT], last[TIME_TEXT];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    s->last = *a;
    pthread_mutex_unlock(&lock);
    atomic_fetch_add(&s->asks, 1);
    if (s->answer_ms)
        usleep(s->answer_ms * 1000);
    if (s->fails)
        return fault_set(f, s->fails, "the store says no");
    if (ret_cursor)
        ret_cursor[0] = 0;
    if (a->cursor[strspn(a->cursor, "0123456789")])
        return fault_set(f, ERR_BAD, "cursor: not one of mine");
    if (a->what == ASK_SPAN)
        buf_printf(out, "[{\"first\":\"%s\",\"last\":\"%s\",\"packets\":%d}]",
            time_format(s->empty ? 0 : FAKE_FIRST, first),
            time_format(s->empty ? 0 : FAKE_LAST, last), s->empty ? 0 : 123456);
    else if (a->what == ASK_SERIES || a->what == ASK_LOSSES)
        put_series(a, format, out);
    else if (format == FORMAT_CSV)
        put_csv(table_of(a->what), s->empty, out);
    else
        put_rows(table_of(a->what), a, s->empty, out,
            ret_cursor ? ret_cursor : (char[ASK_CURSOR]){0});
    return out->err;
}

static enum err stream(void *context, const struct ask *a, enum ask_format format,
    enum err (*part)(void *context, const void *data, size_t len), void *part_context,
    struct fault *f)
{
    struct fake_store *s = context;
    enum err e = s->fails ? fault_set(f, s->fails, "the store says no") : OK;
    uint64_t packets = s->packets ? s->packets : 1000;
    char text[200];
    (void)a;
    const char *start = format == FORMAT_CSV ? "ts,src,dport\r\n" : "[";
    if (!e)
        e = part(part_context, start, strlen(start));
    for (uint64_t i = 0; i < packets && !e; i++) {
        int len = format == FORMAT_CSV
                      ? snprintf(text, sizeof text, "%llu,192.0.2.%u,23\r\n",
                            (unsigned long long)i, (unsigned)(i % 250))
                      : snprintf(text, sizeof text, "%s{\"ts\":%llu,\"src\":\"192.0.2.%u\"}",
                            i ? ",\n" : "", (unsigned long long)i, (unsigned)(i % 250));
        e = part(part_context, text, (size_t)len);
    }
    if (!e && format == FORMAT_JSON)
        e = part(part_context, "]\n", 2);
    return e;
}

static enum err usage(void *context, struct store_usage *ret_usage, struct fault *f)
{
    struct fake_store *s = context;
    if (s->fails)
        return fault_set(f, s->fails, "the store says no");
    *ret_usage = (struct store_usage){.disk_bytes = 1 << 20,
        .disk_free = 1ull << 40,
        .packets = 123456,
        .contacts = 4567,
        .version = "fake 1"};
    return OK;
}

struct api_store fake_store_face(struct fake_store *s)
{
    return (struct api_store){s, ask, stream, usage};
}

static json_t *sites(void *context)
{
    (void)context;
    return json_pack(
        "[{s:s, s:s, s:s, s:f, s:i, s:i, s:i, s:i, s:s}, {s:s, s:s, s:s, s:f, s:i, "
        "s:i, s:i, s:i, s:n}]",
        "site", "jp-01", "state", "live", "since", "2026-11-23T00:00:00Z", "pps", 12.5,
        "received", 1000, "dropped", 3, "malformed", 2, "sampled_out", 1, "last",
        "2026-11-22T23:59:59Z", "site", "kr-01", "state", "silent", "since",
        "2026-11-23T00:00:00Z", "pps", 0.0, "received", 0, "dropped", 0, "malformed", 0,
        "sampled_out", 0, "last");
}

static json_t *datasets(void *context)
{
    (void)context;
    return json_pack("[{s:s, s:s, s:s, s:s, s:s, s:i}]", "name", "tor-geoipdb", "kind",
        "country", "state", "loaded", "origin", "/usr/share/tor/geoip", "date", "2026-10-01",
        "entries", 500000);
}

static json_t *health(void *context)
{
    (void)context;
    return json_array();
}

static void metrics(void *context, struct buf *out)
{
    (void)context;
    buf_str(out, "# TYPE kizashi_site_received_total counter\n"
                 "kizashi_site_received_total{site=\"jp-01\"} 1000\n");
}

struct api_live fake_live(void)
{
    return (struct api_live){
        .sites = sites, .datasets = datasets, .health = health, .metrics = metrics};
}

struct catalog *fake_catalog(char folder[64])
{
    struct catalog *c;
    struct fault f = {0};
    char path[96];
    snprintf(folder, 64, "/tmp/kizashi-api-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/catalog.db", folder);
    if (catalog_open(&c, path, &f) != OK) {
        fprintf(stderr, "%s\n", f.text);
        abort();
    }
    return c;
}

void fake_catalog_done(struct catalog *c, const char *folder)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[96];
    catalog_close(c);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s/catalog.db%s", folder, ends[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void put_alert(struct catalog *c, struct alert *a)
{
    struct buf text;
    json_t *json = alert_json(a);
    buf_init(&text, 1 << 16);
    json_write(&text, json);
    json_decref(json);
    struct catalog_alert row = {.time = a->time,
        .start = a->start,
        .end = a->end,
        .severity = a->severity,
        .open = a->open,
        .revision = a->revision,
        .json = (const char *)text.data,
        .json_len = text.len};
    snprintf(row.id, sizeof row.id, "%s", a->id);
    snprintf(row.kind, sizeof row.kind, "%s", a->kind);
    enum err e = catalog_alert_put(c, &row, NULL);
    assert(e == OK);
    buf_done(&text);
    alert_done(a);
}

static void make_alert(
    struct alert *a, const char *id, enum severity severity, bool open, int n)
{
    memset(a, 0, sizeof *a);
    snprintf(a->id, sizeof a->id, "%s", id);
    a->start = FAKE_LAST - n * US_HOUR;
    a->time = a->start + 10 * US_MINUTE;
    a->end = a->time + US_HOUR;
    snprintf(a->kind, sizeof a->kind, "port-surge");
    snprintf(a->engines[a->engine_count++], 16, "surge");
    a->severity = severity;
    a->confidence = 0.9;
    snprintf(a->title, sizeof a->title, "Sources on 53413/udp up \"tenfold\", n=%d", n);
    snprintf(a->explanation, sizeof a->explanation, "20 sources where 2 are usual.");
    a->proto = 17;
    a->ports[a->port_count++] = 53413;
    snprintf(a->sites[a->site_count++], sizeof a->sites[0], "jp-01");
    snprintf(a->countries[a->country_count++], sizeof a->countries[0], "kr");
    a->host_count = 20;
    a->hosts[a->host_sample++] = ip_from_v4(0xc0000207);
    snprintf(a->tlp, sizeof a->tlp, "amber");
    a->open = open;
    a->revision = 1;
    a->evidence =
        json_pack("{s:{s:[{s:s, s:f, s:s, s:s}], s:[{s:s, s:s, s:s, s:i, s:[f, f]}]}}", "surge",
            "numbers", "name", "expected", "value", 2.0, "unit", "sources", "text",
            "What is usual", "series", "name", "sources", "unit", "sources", "start",
            "2026-11-22T00:00:00Z", "step_s", 600, "values", 2.0, 20.0);
    assert(a->evidence);
}

/* One that came two hours after it was expected, and one that is open. */
static void fake_forecasts(struct catalog *c)
{
    const struct prediction p = {.made = FAKE_LAST - 9 * US_HOUR,
        .expected = FAKE_LAST - 4 * US_HOUR,
        .low = FAKE_LAST - 8 * US_HOUR,
        .high = FAKE_LAST + 9 * US_HOUR,
        .chance = 0.7};
    struct forecast x = {.alert = "20261122-53413udp-0001",
        .site = "jp-01",
        .origin = "de-01",
        .began = FAKE_LAST - 12 * US_HOUR,
        .proto = 17,
        .port = 53413,
        .first = p,
        .last = p};
    for (int i = 0; i < 2; i++) {
        struct buf text;
        buf_init(&text, 4096);
        x.state = i ? FORECAST_OPEN : FORECAST_CAME;
        x.came = i ? 0 : FAKE_LAST - 2 * US_HOUR;
        x.settled = x.came;
        snprintf(x.site, sizeof x.site, i ? "kr-01" : "jp-01");
        json_t *json = forecast_json(&x);
        json_write(&text, json);
        json_decref(json);
        struct catalog_forecast row = {
            .made = p.made + i, .json = (const char *)text.data, .json_len = text.len};
        snprintf(row.alert, sizeof row.alert, "%s", x.alert);
        snprintf(row.site, sizeof row.site, "%s", x.site);
        snprintf(row.state, sizeof row.state, "%s", forecast_state_name(x.state));
        enum err e = catalog_forecasts_put(c, &row, 1, NULL);
        assert(e == OK);
        buf_done(&text);
    }
}

void fake_alerts(struct catalog *c)
{
    fake_forecasts(c);
    struct alert a;
    make_alert(&a, "20261122-53413udp-0001", SEVERITY_CRITICAL, true, 1);
    put_alert(c, &a);
    make_alert(&a, "20261122-53413udp-0002", SEVERITY_INFO, true, 2);
    put_alert(c, &a);
    make_alert(&a, "20261121-53413udp-0003", SEVERITY_NOTICE, false, 30);
    put_alert(c, &a);
}

static int64_t fake_now(void *context)
{
    struct fake_clock *c = context;
    return atomic_load(&c->now);
}

struct clock fake_clock_face(struct fake_clock *c)
{
    return (struct clock){.now_us = fake_now, .context = c};
}
