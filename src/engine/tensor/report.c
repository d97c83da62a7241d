/* A block as a finding: words, numbers, and the series that an alert's charts are drawn from.
 */
#include "engine/hourly.h"
#include "engine/portrait.h"
#include "engine/severity.h"
#include "engine/tensor/tensor_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MANY_TARGETS = 16, /* places in the destination maps of sites that have many addresses */
    MANY_SOURCES = 8,
    PORTS_DRAWN = 3
};
static const double aimed_least = 0.8; /* of those who do not come by chance */

/* All sources of the block as one group of a tally of their own. */
static enum err portrait_of(const struct block_found *b, const struct tally *t,
    struct arena *scratch, struct tally *ret_part, struct portrait *ret_who)
{
    size_t count = 0;
    for (size_t i = 0; i < b->count; i++)
        count += b->voice[i]->source_count;
    struct tally_group *group = arena_take(scratch, 1, sizeof *group);
    struct tally_source *sources = arena_take(scratch, count + 1, sizeof *sources);
    if (!group || !sources)
        return ERR_NOMEM;
    count = 0;
    for (size_t i = 0; i < b->count; i++) {
        memcpy(
            sources + count, b->voice[i]->sources, b->voice[i]->source_count * sizeof *sources);
        count += b->voice[i]->source_count;
    }
    *group = (struct tally_group){.count = (uint32_t)count};
    *ret_part = *t;
    ret_part->sources = sources;
    ret_part->source_count = count;
    ret_part->groups = group;
    ret_part->group_count = 1;
    return portrait_take(ret_who, ret_part, 0, 1, scratch);
}

static void tell_sites(struct finding *f, const struct tally *part, unsigned *ret_sites)
{
    bool here[WINDOW_SITES_MAX] = {false};
    *ret_sites = 0;
    for (size_t i = 0; i < part->source_count; i++)
        here[part->sources[i].key & (WINDOW_SITES_MAX - 1)] = true;
    for (size_t i = 0; i < part->window->site_count; i++) {
        if (!here[i])
            continue;
        finding_site(f, part->window->sites[i].name);
        ++*ret_sites;
    }
}

/* Who has been told one address comes by a wrong setting. */
static bool is_one_target(const struct voice *v)
{
    double chance = fmin(v->peak.expected / fmax((double)v->source_count, 1.0), 1.0);
    return v->wide >= MANY_TARGETS && v->source_count >= MANY_SOURCES &&
           v->aimed >= aimed_least * (1.0 - chance);
}

static enum severity severity_of(
    const struct tensor *s, const struct block_found *b, unsigned sites)
{
    const struct voice *v = b->voice[0];
    bool old = (int64_t)(s->now - v->watch->fired) * s->window > s->options.freeze;
    if (is_one_target(v) || old || tensor_is_hourly(s, v->watch))
        return SEVERITY_INFO;
    struct rise rise = {.score = b->score,
        .ratio = v->peak.hosts / fmax(v->peak.expected, 0.5),
        .sites = sites,
        .fired = (unsigned)__builtin_popcount(v->watch->history & 7),
        .lasted = (int64_t)(s->now - v->watch->fired) * s->window};
    return rise_severity(&rise);
}

static unsigned windows_with_evidence(
    const struct tensor *s, const struct watch *w, uint32_t windows)
{
    unsigned count = 0;
    for (uint32_t k = 0; k < windows && k < s->now; k++)
        count += w->evidence[(s->now - k) % MEMORY] > 0.0f;
    return count;
}

static int64_t slot_length(const struct tensor *s)
{
    return s->window / PULSE_SLOTS;
}

static void write_words(struct finding *f, const struct tensor *s, const struct block_found *b,
    const struct portrait *who)
{
    const struct voice *v = b->voice[0];
    char names[BLOCK_PORTS * SERVICE_TEXT] = "";
    for (size_t i = 0; i < b->count; i++) {
        char what[SERVICE_TEXT];
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
            service_format(b->voice[i]->service, what));
    }
    char when[TIME_TEXT];
    char first[SERVICE_TEXT];
    time_format(window_start(s, s->now) + v->peak.slot * slot_length(s), when);
    snprintf(f->title, sizeof f->title, "%.80s: %u hosts in the same %lld seconds, of %zu%s %s",
        names, v->peak.hosts, (long long)(v->peak.span * slot_length(s) / US_SECOND),
        who->country_count, who->country_count == FINDING_COUNTRIES ? " or more" : "",
        who->country_count == 1 ? "country" : "countries");
    int used = snprintf(f->explanation, sizeof f->explanation,
        "%u hosts reached %s within %lld seconds at %.19sZ; about %.1f would by chance, as "
        "many "
        "as in other seconds of this window.",
        v->peak.hosts, service_format(v->service, first),
        (long long)(v->peak.span * slot_length(s) / US_SECOND), when, v->peak.expected);
    if (v->known && used > 0 && (size_t)used < sizeof f->explanation)
        used += snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            " %u of them had been in step before.", v->known);
    unsigned windows = windows_with_evidence(s, v->watch, tensor_spans[b->span]);
    if (windows > 1 && used > 0 && (size_t)used < sizeof f->explanation)
        used += snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            " So in %u of the last %u windows.", windows, tensor_spans[b->span]);
    if (tensor_is_hourly(s, v->watch) && used > 0 && (size_t)used < sizeof f->explanation)
        used += snprintf(f->explanation + used, sizeof f->explanation - (size_t)used, "%s",
            s->now > US_HOUR / s->window
                ? HOURLY_WORDS
                : " The watch is too young to tell whether they come every hour.");
    if (is_one_target(v) && used > 0 && (size_t)used < sizeof f->explanation)
        snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            " They want one or two addresses only: rather a wrong setting than a scan.");
}

static enum err write_numbers(
    struct finding *f, const struct tensor *s, const struct block_found *b, unsigned sites)
{
    const struct voice *v = b->voice[0];
    const struct evidence_value rows[] = {
        {"seen", v->peak.hosts, "hosts", "different networks in the slot"},
        {"expected", v->peak.expected, "hosts",
            "by chance, from the other slots of the window"},
        {"ratio", v->peak.hosts / fmax(v->peak.expected, 0.5), "", "seen over expected"},
        {"slot", (double)(v->peak.span * slot_length(s)) / 1e6, "s", "length of the slot"},
        {"log10_p", v->burst, "",
            "minus logarithm of the slot's p-value, all slots considered"},
        {"known", v->known, "hosts", "of them that had been in step before"},
        {"log10_p_known", v->again, "", "minus logarithm of that p-value"},
        {"horizon", (double)tensor_spans[b->span] * (double)s->window / 1e6, "s",
            "over how long the windows were judged together"},
        {"windows", windows_with_evidence(s, v->watch, tensor_spans[b->span]), "windows",
            "of that time in which hosts were in step"},
        {"score", b->score, "",
            "minus the logarithm of how many such findings chance gives in a day"},
        {"services", s->services, "services", "tested in a window"},
        {"sites", sites, "sites", "that see them"},
        {"group", b->share > 0.0 ? (double)b->hosts : (double)NAN, "hosts",
            "in the group that the factorisation of the last windows puts together"},
        {"group_share", b->share > 0.0 ? b->share : (double)NAN, "",
            "of the tensor that the group explains"},
    };
    return evidence_numbers(f, rows, sizeof rows / sizeof *rows);
}

/* Hosts in each slot of this window. */
static enum err write_slots(struct finding *f, const struct tensor *s, const struct voice *v)
{
    double values[PULSE_SLOTS];
    double expected[PULSE_SLOTS];
    double threshold[PULSE_SLOTS];
    uint64_t bits = pulse_peak_bits(&v->peak);
    double outside = 0.0;
    double share = 0.0;
    for (unsigned k = 0; k < PULSE_SLOTS; k++) {
        outside += bits >> k & 1 ? 0.0 : v->seen[k];
        share += bits >> k & 1 ? 0.0 : v->share[k];
    }
    for (unsigned k = 0; k < PULSE_SLOTS; k++) {
        values[k] = v->seen[k];
        expected[k] = (outside + 0.5) * v->share[k] / fmax(share, 1e-3);
        threshold[k] = expected[k] + 5.0 * sqrt(expected[k]) + 3.0;
    }
    char name[SERVICE_TEXT + 32];
    char what[SERVICE_TEXT];
    snprintf(name, sizeof name, "hosts of %s in a slot", service_format(v->service, what));
    return evidence_series(f, &(struct evidence_series){.name = name,
                                  .unit = "hosts",
                                  .start = window_start(s, s->now),
                                  .step = slot_length(s),
                                  .count = PULSE_SLOTS,
                                  .values = values,
                                  .expected = expected,
                                  .threshold = threshold});
}

/* The strongest slot of each window that is remembered. */
static enum err write_windows(struct finding *f, const struct tensor *s, const struct voice *v)
{
    double values[MEMORY];
    double expected[MEMORY];
    uint32_t count = s->now < MEMORY ? s->now : MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = (s->now - count + 1 + i) % MEMORY;
        values[i] = v->watch->hosts[n];
        expected[i] = (double)v->watch->expected[n];
    }
    char name[SERVICE_TEXT + 48];
    char what[SERVICE_TEXT];
    snprintf(name, sizeof name, "hosts of %s in the strongest slot",
        service_format(v->service, what));
    return evidence_series(f, &(struct evidence_series){.name = name,
                                  .unit = "hosts",
                                  .start = window_start(s, s->now - count + 1),
                                  .step = s->window,
                                  .count = count,
                                  .values = values,
                                  .expected = expected});
}

static enum err write_evidence(
    struct finding *f, const struct tensor *s, const struct block_found *b, unsigned sites)
{
    enum err e = write_numbers(f, s, b, sites);
    for (size_t i = 0; !e && i < b->count && i < PORTS_DRAWN; i++) {
        e = write_slots(f, s, b->voice[i]);
        if (!e)
            e = write_windows(f, s, b->voice[i]);
    }
    return e;
}

enum err tensor_report(const struct tensor *s, const struct block_found *b,
    const struct tally *t, struct arena *scratch, struct sink *out)
{
    struct tally part;
    struct portrait who;
    enum err e = portrait_of(b, t, scratch, &part, &who);
    if (e)
        return e;
    const struct voice *first = b->voice[0];
    unsigned sites;
    struct finding f;
    finding_init(&f, "tensor", "in-step");
    tell_sites(&f, &part, &sites);
    f.time = window_start(s, s->now + 1);
    f.start = first->watch->start;
    f.end = f.time;
    f.score = fmin(b->score, 300.0);
    f.one_target = is_one_target(b->voice[0]);
    f.severity = severity_of(s, b, sites);
    f.proto = service_proto(first->service);
    f.host_count = first->peak.hosts > b->hosts ? first->peak.hosts : b->hosts;
    for (size_t i = 0; i < b->count; i++)
        if (service_proto(b->voice[i]->service) == f.proto)
            finding_port(&f, service_port(b->voice[i]->service));
    portrait_tell(&who, &f);
    write_words(&f, s, b, &who);
    e = write_evidence(&f, s, b, sites);
    struct picture picture;
    if (!e)
        e = tensor_picture(s, b, scratch, &picture);
    if (!e)
        e = picture_write(&picture, t, s->options.prefix, &f);
    if (!e)
        e = out->put(out->context, &f);
    finding_done(&f);
    return e;
}
