#include "cmd/anonymize_audit.h"

#include "audit/locate.h"
#include "audit/mapping.h"
#include "base/json.h"
#include "cmd/audit_series.h"
#include "cmd/hub_publish.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "decode/packet.h"
#include "sensor/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ADDRESSES_MAX = 1 << 24,
    FRAMES = 256,
    ATTACK_KEYS = 1000,
    BACKGROUND = 64,
};

static double percent(double share)
{
    return (double)(long long)(share * 1e4 + 0.5) / 100;
}

static enum err locate_row(
    const struct conf *conf, const char *name, const struct publication_policy *p, json_t *rows)
{
    struct locate_result r;
    int64_t steps = conf_us(conf, "attack-time") / p->step;
    const struct locate_options o = {.policy = p,
        .seed = conf_count(conf, "seed"),
        .trials = (unsigned)conf_count(conf, "trials"),
        .sites = (unsigned)conf_count(conf, "sites"),
        .steps = steps ? (unsigned)steps : 1,
        .keys = ATTACK_KEYS,
        .sources = (uint32_t)conf_count(conf, "attack-sources"),
        .background = locate_background,
        .background_count = BACKGROUND};
    enum err e = locate_run(&o, &r);
    if (e)
        return e;
    json_array_append_new(
        rows, json_pack("{s:s, s:i, s:i, s:f, s:f, s:f}", "policy", name, "trials",
                  (int)r.trials, "located", (int)r.located, "percent", percent(r.share),
                  "at_most", percent(r.upper), "rows", (double)(long long)(r.rows + 0.5)));
    return OK;
}

static enum err audit_locate(const struct conf *conf, struct fault *f)
{
    struct publication_policy open, ours, given;
    const char *path = conf_text(conf, "publication");
    json_t *rows = json_array();
    publication_open(&open);
    publication_default(&ours);
    enum err e = path ? publication_file_read(path, &given, f) : OK;
    if (!e && ((e = locate_row(conf, "none", &open, rows)) != OK ||
                  (e = locate_row(conf, "default", &ours, rows)) != OK ||
                  (path && (e = locate_row(conf, path, &given, rows)) != OK)))
        fault_set(f, e, "%s", err_text(e));
    if (!e)
        table_rows(stdout, rows, conf_flag(conf, "json"));
    json_decref(rows);
    return e;
}

/* Both addresses of every packet of the captures. */
struct trace {
    struct ip *end[2];
    size_t count, room;
};

static enum err trace_add(struct trace *t, const struct packet *p)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 1 << 16;
        if (room > ADDRESSES_MAX)
            return ERR_FULL;
        for (unsigned i = 0; i < 2; i++) {
            struct ip *more = realloc(t->end[i], room * sizeof *more);
            if (!more)
                return ERR_NOMEM;
            t->end[i] = more;
        }
        t->room = room;
    }
    t->end[0][t->count] = p->src;
    t->end[1][t->count++] = p->dst;
    return OK;
}

static enum err trace_read(struct trace *t, const char *path, struct fault *f)
{
    struct source *s;
    struct frame frames[FRAMES];
    size_t n;
    enum err e = source_open_file(&s, path, f);
    if (e)
        return e;
    while (!e && (e = source_next(s, frames, FRAMES, 0, &n, f)) == OK)
        for (size_t i = 0; i < n && !e; i++) {
            struct packet p;
            struct bytes in = bytes_over(frames[i].data, frames[i].len);
            if (decode_packet(frames[i].link, in, frames[i].wire_len, &p) == DECODE_OK &&
                (e = trace_add(t, &p)) != OK)
                fault_set(f, e, "%s: %s", path, err_text(e));
        }
    source_close(s);
    return e == ERR_NOTFOUND ? OK : e;
}

static enum err mapping_row(const struct conf *conf, struct anon *a, enum anon_field field,
    const struct trace *t, json_t *rows, struct fault *f)
{
    struct mapping_result r;
    enum err e = mapping_audit(
        a, field, t->end[field], t->count, (size_t)conf_count(conf, "injected"), &r);
    if (e == ERR_RANGE) /* one address alone: there is nothing to tell apart */
        return OK;
    if (e)
        return fault_set(f, e, "%s", err_text(e));
    json_array_append_new(
        rows, json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:I, s:f, s:I}", "field",
                  anon_fields[field].name, "method",
                  anon_method_name(anon_policy_of(a)->rule[field].method), "addresses",
                  (json_int_t)r.addresses, "ranks", (json_int_t)r.frequency_ranks,
                  "ranks_right", (json_int_t)r.frequency_right, "packets_percent",
                  percent(r.frequency_share), "injected", (json_int_t)r.injected, "known_bits",
                  (double)(long long)(r.known_bits * 10 + 0.5) / 10, "known_24",
                  (json_int_t)r.known_24));
    return OK;
}

/* With a key of its own: which it is makes no difference to what is learned. */
static enum err audit_addresses(const struct conf *conf, const struct anon_policy *policy,
    const char *const *files, size_t count, struct fault *f)
{
    static const uint8_t secret[ANON_SECRET] = "for an audit";
    struct trace t = {.count = 0};
    struct anon_keys *keys = NULL;
    struct anon *a = NULL;
    json_t *rows = json_array();
    enum err e = OK;
    for (size_t i = 0; i < count && !e; i++)
        e = trace_read(&t, files[i], f);
    if (!e && ((e = anon_keys_from(&keys, secret)) != OK ||
                  (e = anon_new(&a, policy, keys, 0)) != OK))
        fault_set(f, e, "%s", err_text(e));
    for (unsigned field = ANON_SOURCE; field <= ANON_DESTINATION && !e; field++)
        e = mapping_row(conf, a, (enum anon_field)field, &t, rows, f);
    if (!e && !json_array_size(rows))
        e = fault_set(f, ERR_RANGE, "the captures have too few addresses");
    if (!e)
        table_rows(stdout, rows, conf_flag(conf, "json"));
    json_decref(rows);
    anon_free(a);
    anon_keys_close(keys);
    free(t.end[0]);
    free(t.end[1]);
    return e;
}

/* What else was given has to act on what is measured. */
static enum err together_check(const struct conf *conf, struct fault *f)
{
    static const struct {
        const char *what;
        const char *with[8];
    } rows[] = {
        {"audit locate", {"publication", "sites", "attack-sources", "attack-time", "trials",
                             "seed", "json"}},
        {"audit addresses", {"policy", "injected", "json"}},
        {"audit series", {"lag-most", "seed", "json"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(conf_text(conf, "audit"), rows[i].what + strlen("audit ")) == 0)
            return options_only(conf, rows[i].what, rows[i].with, f);
    return OK;
}

enum err anonymize_audit(const struct conf *conf, const struct anon_policy *policy,
    const char *const *files, size_t count, struct fault *f)
{
    const char *what = conf_text(conf, "audit");
    enum err e = together_check(conf, f);
    if (e)
        return e;
    if (strcmp(what, "locate") == 0)
        return count ? fault_set(f, ERR_BAD, "--audit locate takes no files")
                     : audit_locate(conf, f);
    if (strcmp(what, "addresses") == 0)
        return count ? audit_addresses(conf, policy, files, count, f)
                     : fault_set(f, ERR_BAD, "--audit addresses: name the captures");
    if (count != 2)
        return fault_set(f, ERR_BAD,
            "--audit series: name two files of time,key,value: the published, then one's own");
    json_t *rows = json_array();
    e = audit_series(
        files, (int)conf_count(conf, "lag-most"), conf_count(conf, "seed"), rows, f);
    if (!e)
        table_rows(stdout, rows, conf_flag(conf, "json"));
    json_decref(rows);
    return e;
}
