#include "cmd/commands.h"

#include "base/json.h"
#include "cmd/anonymize.h"
#include "cmd/anonymize_audit.h"
#include "cmd/ending.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "sensor/capture_writer.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {.name = "output",
        .type = CONF_TEXT,
        .arg = "FILE",
        .max = 4096,
        .text =
            "Where to; - for standard output, .gz or .zst compresses a capture. A file that "
            "is there is not written over."},
    {.name = "policy",
        .type = CONF_FILE,
        .arg = "FILE",
        .max = 4096,
        .text = "The site's policy, as kizashi site policy makes it; without it the default: "
                "destinations hashed, header numbers as far as they tell the tool, 64 bytes of "
                "payload."},
    {.name = "keys",
        .type = CONF_TEXT,
        .arg = "FILE",
        .max = 4096,
        .text = "The site's keys, made if the file is not there, so that what was hidden the "
                "same way before is again; without it keys are drawn and forgotten."},
    {.name = "log",
        .type = CONF_TEXT,
        .arg = "FORM",
        .values = "auto|tsv|json|bind",
        .text = "The files are logs of DNS or HTTP, not captures: Zeek's or other lines with "
                "tabs, JSON lines, or named's query log."},
    {.name = "places",
        .type = CONF_TEXT,
        .arg = "FILE",
        .max = 4096,
        .text = "Write country and network of each source as CSV, looked up before its address "
                "is changed, beside the address that it has afterwards."},
    {.name = "geo-db",
        .type = CONF_FILES,
        .arg = "FILE",
        .text = "Countries or networks of addresses for --places, as replay takes them."},
    ANONYMIZE_AUDIT_ITEMS,
    {.name = "json", .type = CONF_FLAG, .text = "What was done as one JSON object."},
    {.name = NULL},
};

enum err anonymize_policy(const char *path, struct anon_policy *ret_policy, struct fault *f)
{
    if (!path) {
        anon_policy_default(ret_policy);
        return OK;
    }
    FILE *file = fopen(path, "rb");
    if (!file)
        return fault_set(f, ERR_BAD, "%s: %s", path, strerror(errno));
    char *text = malloc(ANON_POLICY_MAX + 1);
    size_t len = text ? fread(text, 1, ANON_POLICY_MAX + 1, file) : 0;
    enum err e = text ? anon_policy_parse(ret_policy, bytes_over(text, len), f)
                      : fault_set(f, ERR_NOMEM, "out of memory");
    if (e)
        fault_prefix(f, path);
    free(text);
    fclose(file);
    return e;
}

static enum err keys_open(struct anon_keys **ret_keys, const char *path, struct fault *f)
{
    uint8_t secret[ANON_SECRET];
    enum err opened = path ? anon_keys_open(ret_keys, path, f) : OK;
    if (opened)
        fault_prefix(f, "--keys");
    if (path)
        return opened;
    if (sodium_init() < 0)
        return fault_set(f, ERR_IO, "no randomness");
    randombytes_buf(secret, sizeof secret);
    enum err e = anon_keys_from(ret_keys, secret);
    sodium_memzero(secret, sizeof secret);
    return e ? fault_set(f, e, "%s", err_text(e)) : OK;
}

static uint64_t left_out(const struct anonymize_counts *c)
{
    uint64_t sum = c->misdated;
    for (unsigned i = ANON_FRAME_WRITTEN + 1; i < ANON_FRAME_RESULTS; i++)
        sum += c->frames[i];
    return sum;
}

/* Lines of the head (comments, names of columns) and empty ones hold no record. */
static uint64_t heads(const struct anon_log_counts *c)
{
    return c->lines - c->written - c->untimed - c->broken;
}

static void tell_json(const struct anonymize_counts *c, bool log)
{
    json_t *told = json_object();
    if (log) {
        json_object_set_new(told, "lines", json_integer((json_int_t)c->log.lines));
        json_object_set_new(told, "written", json_integer((json_int_t)c->log.written));
        json_object_set_new(told, "heads", json_integer((json_int_t)heads(&c->log)));
        json_object_set_new(told, "untimed", json_integer((json_int_t)c->log.untimed));
        json_object_set_new(told, "broken", json_integer((json_int_t)c->log.broken));
    }
    for (unsigned i = 0; i < ANON_FRAME_RESULTS && !log; i++)
        json_object_set_new(told, anon_frame_result_name((enum anon_frame_result)i),
            json_integer((json_int_t)c->frames[i]));
    if (!log) {
        json_object_set_new(told, "misdated", json_integer((json_int_t)c->misdated));
        json_object_set_new(told, "places", json_integer((json_int_t)c->places));
    }
    table_line(stderr, told);
    json_decref(told);
}

static void tell(const struct anonymize_counts *c, bool log)
{
    if (log) {
        fprintf(stderr,
            "%llu lines: %llu written, %llu heads and empty, %llu without a time, %llu of "
            "another form\n",
            (unsigned long long)c->log.lines, (unsigned long long)c->log.written,
            (unsigned long long)heads(&c->log), (unsigned long long)c->log.untimed,
            (unsigned long long)c->log.broken);
        return;
    }
    fprintf(stderr, "%llu packets written, %llu left out\n",
        (unsigned long long)c->frames[ANON_FRAME_WRITTEN], (unsigned long long)left_out(c));
    for (unsigned i = ANON_FRAME_WRITTEN + 1; i < ANON_FRAME_RESULTS; i++)
        if (c->frames[i])
            fprintf(stderr, "  %llu: %s\n", (unsigned long long)c->frames[i],
                anon_frame_result_text((enum anon_frame_result)i));
    if (c->misdated)
        fprintf(stderr, "  %llu: a time that a capture file cannot hold\n",
            (unsigned long long)c->misdated);
}

static enum anon_log_form form_of(const char *word)
{
    static const char *const words[] = {"auto", "tsv", "json", "bind"};
    unsigned form = 0;
    while (form < ANON_LOG_BIND && strcmp(word, words[form]) != 0)
        form++;
    return (enum anon_log_form)form;
}

static enum err open_geo(struct geo **ret_geo, const struct conf *conf, struct fault *f)
{
    struct geo_options options = {.automatic = true};
    *ret_geo = NULL;
    if (!conf_given(conf, "places"))
        return OK;
    options.file_count = conf_list(conf, "geo-db", &options.files);
    return geo_open(ret_geo, &options, f);
}

static enum err check_words(const struct conf *conf, size_t count, struct fault *f)
{
    const char *output = conf_text(conf, "output");
    if (!count)
        return fault_set(f, ERR_BAD, "name the files, or - for standard input");
    if (!output)
        return fault_set(f, ERR_BAD, "say where with --output FILE");
    if (conf_given(conf, "log") && conf_given(conf, "places"))
        return fault_set(f, ERR_BAD, "--places goes with captures, not with --log");
    if (conf_given(conf, "log") && capture_writer_packs(output))
        return fault_set(f, ERR_BAD,
            "--output %s: a log is written as plain text; give - and compress that", output);
    static const struct option_need needs[] = {
        {"geo-db", {"places"}},
        {"publication", {"audit"}},
        {"sites", {"audit"}},
        {"attack-sources", {"audit"}},
        {"attack-time", {"audit"}},
        {"trials", {"audit"}},
        {"injected", {"audit"}},
        {"lag-most", {"audit"}},
        {"seed", {"audit"}},
        {NULL, {NULL}},
    };
    return options_need(conf, needs, f);
}

static enum err anonymize(const struct conf *conf, struct anonymize_job *job,
    struct anonymize_counts *counts, struct fault *f)
{
    struct anon_policy policy;
    struct anon_keys *keys = NULL;
    struct geo *geo = NULL;
    enum err e = anonymize_policy(conf_text(conf, "policy"), &policy, f);
    if (!e)
        e = open_geo(&geo, conf, f);
    if (!e)
        e = keys_open(&keys, conf_text(conf, "keys"), f);
    if (!e && (e = anon_new(&job->anon, &policy, keys, 0)) != OK)
        fault_set(f, e, "%s", err_text(e));
    job->geo = geo;
    if (!e)
        e = conf_given(conf, "log") ? anonymize_logs(job, counts, f)
                                    : anonymize_captures(job, counts, f);
    anon_free(job->anon);
    anon_keys_close(keys);
    geo_close(geo);
    return e;
}

void anonymize_broken(struct anonymize_counts *counts, const struct fault *f)
{
    if (counts->broken.code)
        ending_tell("anonymize", f->code, f);
    else
        counts->broken = *f;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct anonymize_counts counts = {0};
    bool log = conf_given(conf, "log");
    struct anonymize_job job = {.output = conf_text(conf, "output"),
        .places = conf_text(conf, "places"),
        .form = log ? form_of(conf_text(conf, "log")) : ANON_LOG_AUTO,
        .files = (const char *const *)operands,
        .file_count = count};
    struct anon_policy policy;
    bool audit = conf_given(conf, "audit");
    enum err e = audit ? anonymize_policy(conf_text(conf, "policy"), &policy, &f)
                       : check_words(conf, count, &f);
    if (!e)
        e = audit ? anonymize_audit(conf, &policy, job.files, count, &f)
                  : anonymize(conf, &job, &counts, &f);
    int status = ending("anonymize", e, &f);
    bool kept = counts.broken.code && e == ERR_SHORT;
    if (audit || (e && !kept))
        return status;
    if (conf_flag(conf, "json"))
        tell_json(&counts, log);
    else
        tell(&counts, log);
    return status;
}

const struct command cmd_anonymize = {
    .name = "anonymize",
    .text = "Rewrite captures and DNS logs as a site's policy lets them out.",
    .operands = "[FILE...]",
    .items = items,
    .run = run,
    .more =
        "Captures (pcap, pcapng, compressed or not) become one pcap file of IP packets: link "
        "headers, with hardware addresses and VLAN tags, stay behind. Checksums are mended, "
        "also "
        "of what ICMP errors quote. Frames that are not IP, broken ones, and what a link says "
        "to "
        "itself are left out and counted. A capture has no column for country and network: "
        "--places writes them beside it.\n\n"
        "In logs, columns are known by their names; one that is not known is unset in what "
        "comes "
        "out.\n\n"
        "Example:\n"
        "  kizashi site policy --source keep --destination hash --output policy.json\n"
        "  kizashi anonymize --policy policy.json --keys site.keys --output out.pcap.zst "
        "in.pcap\n"
        "  kizashi anonymize --log auto --output dns.out dns.log\n"
        "  kizashi anonymize --audit addresses --policy policy.json in.pcap\n"
        "  kizashi anonymize --audit locate\n",
};
