/* What is new, and what is known in a new amount, as findings. */
#include "engine/portrait.h"
#include "engine/pulse.h"
#include "engine/screen/screen_int.h"
#include "engine/severity.h"
#include "num/order.h"
#include "num/tail.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANY_TARGETS = 16 /* places in the destination maps of sites that have many */
};
static const double aimed_least = 0.8;

/* What a finding is about: sources of the window, and how strange it is that they are so many.
 */
struct subject {
    uint64_t *hosts; /* hashes, rising */
    size_t host_count;
    const thing_key *keys;
    unsigned key_count;
    const char *name; /* of the service; NULL: a pattern */
    double networks, expected, score;
    bool novel;
    uint32_t fired;
    uint8_t history;
    const struct amount *amount;
    int64_t start;
};

/* --- who ---------------------------------------------------------------------------------- */

struct crowd {
    struct tally tally;
    struct tally_group group;
    uint32_t sites[WINDOW_SITES_MAX]; /* sources at each */
    unsigned site_count;
    double aimed;  /* share that the two favourite places of the destination maps have */
    unsigned wide; /* places that anybody reached at their sites */
};

/* Is the row about what the subject is about? A rule without things is about all. */
static bool is_about(const struct subject *about, uint32_t service)
{
    for (unsigned i = 0; i < about->key_count; i++)
        if (thing_service(about->keys[i]) == service)
            return true;
    return !about->key_count;
}

static enum err crowd_take(const struct screen_step *step, const struct tally *t,
    const struct subject *about, struct crowd *ret)
{
    struct tally_source *sources =
        arena_take(step->scratch, t->source_count + 1, sizeof *sources);
    uint64_t *targets = arena_take(step->scratch, t->window->site_count + 1, sizeof *targets);
    if (!sources || !targets)
        return ERR_NOMEM;
    uint32_t places[64] = {0};
    uint64_t wide = 0;
    size_t count = 0;
    *ret = (struct crowd){.tally = *t};
    for (size_t i = 0; i < t->source_count; i++) {
        size_t row;
        const struct tally_source *s = &t->sources[i];
        const struct block *b = tally_row(t, s, &row);
        uint64_t dsts = block_u64(b, CONTACT_DSTS)[row];
        targets[tally_site(s)] |= dsts;
        if (!bsearch(&s->hash, about->hosts, about->host_count, sizeof s->hash, compare_u64) ||
            !is_about(about, tally_service(s)))
            continue;
        for (; dsts; dsts &= dsts - 1)
            places[__builtin_ctzll(dsts)]++;
        ret->site_count += ret->sites[tally_site(s)]++ == 0;
        sources[count++] = *s;
    }
    for (size_t i = 0; i < t->window->site_count; i++)
        wide |= ret->sites[i] ? targets[i] : 0;
    ret->aimed = pulse_aimed(places, count);
    ret->wide = (unsigned)__builtin_popcountll(wide);
    ret->tally.sources = sources;
    ret->tally.source_count = count;
    ret->tally.groups = &ret->group;
    ret->tally.group_count = 1;
    ret->group = (struct tally_group){.count = (uint32_t)count};
    return OK;
}

static void tell_sites(struct finding *f, const struct screen_step *step, const struct crowd *c)
{
    for (size_t i = 0; i < step->window->site_count; i++)
        if (c->sites[i])
            finding_site(f, step->window->sites[i].name);
}

/* --- words and numbers -------------------------------------------------------------------- */

/* The things, as many as have room, and how many there are beside them. */
static void write_things(
    const struct screen *s, const struct subject *about, char *text, size_t room)
{
    const size_t rest = sizeof " and 8 more";
    size_t used = 0;
    text[0] = 0;
    for (unsigned i = 0; i < about->key_count && used < room; i++) {
        char thing[THING_TEXT];
        thing_format(about->keys[i], &s->profiles.words, thing);
        if (i && used + strlen("; ") + strlen(thing) + rest > room) {
            snprintf(text + used, room - used, " and %u more", about->key_count - i);
            return;
        }
        used += (size_t)snprintf(text + used, room - used, "%s%s", i ? "; " : "", thing);
    }
}

enum {
    CHANCE_TEXT = 96
};

/* How often chance brings so many; what never comes is not given digits. */
static const char *chance_format(const struct subject *about, char text[CHANCE_TEXT])
{
    double of_hundred = fmin(100.0, 100.0 * pow(10.0, -about->score));
    if (of_hundred < 1e-4)
        snprintf(text, CHANCE_TEXT, "Chance brings that on less than one of a million days");
    else
        snprintf(text, CHANCE_TEXT, "Chance brings that on %.2g of a hundred days", of_hundred);
    return text;
}

static bool is_one_target(const struct crowd *c)
{
    return c->wide >= MANY_TARGETS && c->aimed >= aimed_least;
}

static void write_words(struct finding *f, const struct screen *s, const struct subject *about,
    const struct crowd *c)
{
    char few[100];
    char things[240];
    char chance[CHANCE_TEXT];
    write_things(s, about, few, sizeof few);
    write_things(s, about, things, sizeof things);
    snprintf(f->title, sizeof f->title,
        about->novel ? "New pattern: %s, from %.0f networks"
                     : "Known malware in a new amount: %.80s, %.0f contacts",
        about->name ? about->name : few, about->networks);
    snprintf(f->explanation, sizeof f->explanation,
        about->novel
            ? "%.0f different networks sent the same things within the last two hours: %.240s. "
              "%s; %.2g were to be expected.%s"
            : "%.0f contacts in this window are of what is known: %.200s. %s; the most in a "
              "window of the day that ended half a day ago was %.0f. It is not left out while "
              "it lasts.%s",
        about->networks, about->name ? about->name : things, chance_format(about, chance),
        about->expected,
        is_one_target(c)
            ? " They want one or two addresses only: rather a wrong setting than a scan."
            : "");
}

static enum err write_numbers(struct finding *f, const struct screen *s,
    const struct subject *about, const struct crowd *c)
{
    const struct evidence_value rows[] = {
        {"networks", about->networks, "networks",
            about->novel ? "different /24 (IPv6: /48) in one to two hours, estimated"
                         : "contacts in this window"},
        {"expected", about->expected, "networks",
            about->novel ? "in that time, from how often it was seen before"
                         : "the most in a window of the day that ended half a day ago"},
        {"ratio", about->networks / fmax(about->expected, 0.5), "", "networks over expected"},
        {"seen", (double)about->host_count, "sources", "in this window"},
        {"score", about->score, "",
            "minus the logarithm of how many such findings chance gives in a day"},
        {"sites", c->site_count, "sites", "that see them in this window"},
    };
    enum err e = evidence_numbers(f, rows, sizeof rows / sizeof *rows);
    for (unsigned i = 0; !e && about->novel && i < about->key_count; i++) {
        char thing[THING_TEXT];
        double sources = 0.0;
        for (size_t k = 0; k < c->tally.source_count; k++)
            sources += tally_service(&c->tally.sources[k]) == thing_service(about->keys[i]);
        e = evidence_number(f, thing_format(about->keys[i], &s->profiles.words, thing), sources,
            "contacts", "of these sources in this window, all sites together");
    }
    return e;
}

/* Networks by window over the last day. */
static enum err write_series(
    struct finding *f, const struct screen *s, const struct subject *about)
{
    double values[PATTERN_DAY];
    double expected[PATTERN_DAY];
    uint32_t day = s->book.day;
    uint32_t count = s->now < day ? s->now : day;
    for (uint32_t i = 0; i < count; i++) {
        values[i] = amount_at(about->amount, s->now, count - 1 - i, day);
        expected[i] = about->novel ? about->expected / (2.0 * s->book.hour) : about->expected;
    }
    return evidence_series(
        f, &(struct evidence_series){
               .name = about->name ? "contacts that are known" : "networks that send it",
               .unit = about->name ? "contacts" : "networks",
               .start = screen_window_start(s, s->now - count + 1),
               .step = s->window,
               .count = count,
               .values = values,
               .expected = expected});
}

static enum severity severity_of(
    const struct screen *s, const struct subject *about, const struct crowd *c)
{
    if (is_one_target(c))
        return SEVERITY_INFO;
    return rise_severity(&(struct rise){.score = about->score,
        .ratio = about->networks / fmax(about->expected, 0.5),
        .sites = c->site_count,
        .fired = (unsigned)__builtin_popcount(about->history & 7),
        .lasted = (int64_t)(s->now - about->fired) * s->window});
}

static void tell_ports(struct finding *f, const struct subject *about)
{
    f->proto = about->key_count ? service_proto(thing_service(about->keys[0])) : 0;
    for (unsigned i = 0; i < about->key_count; i++)
        if (service_proto(thing_service(about->keys[i])) == f->proto)
            finding_port(f, service_port(thing_service(about->keys[i])));
}

static enum err tell(struct screen *s, const struct screen_step *step, const struct tally *t,
    const struct subject *about)
{
    struct crowd *c = arena_take(step->scratch, 1, sizeof *c);
    struct portrait who;
    enum err e = c ? crowd_take(step, t, about, c) : ERR_NOMEM;
    if (!e)
        e = portrait_take(&who, &c->tally, 0, 1, step->scratch);
    if (e)
        return e;
    struct finding f;
    finding_init(&f, "screen", about->novel ? "new-pattern" : "known-surge");
    f.time = f.end = window_end(step->window);
    f.start = about->start;
    f.score = fmin(about->score, 300.0);
    f.one_target = is_one_target(c);
    f.severity = severity_of(s, about, c);
    f.host_count = about->host_count; /* in this window; networks are of two hours */
    if (!about->name && f.host_count < (uint64_t)about->networks)
        f.host_count = (uint64_t)about->networks;
    tell_ports(&f, about);
    tell_sites(&f, step, c);
    portrait_tell(&who, &f);
    write_words(&f, s, about, c);
    e = write_numbers(&f, s, about, c);
    if (!e)
        e = write_series(&f, s, about);
    if (!e)
        e = step->out->put(step->out->context, &f);
    finding_done(&f);
    return e;
}

/* --- what is told ------------------------------------------------------------------------- */

static enum err hosts_of_pattern(const struct screen *s, const struct screen_step *step,
    uint32_t pattern, struct subject *about)
{
    size_t room = s->book.list[pattern].sources;
    about->hosts = arena_take(step->scratch, room + 1, sizeof *about->hosts);
    if (!about->hosts)
        return ERR_NOMEM;
    for (size_t i = 0; i < step->strings.count; i++)
        if (step->strings.list[i].pattern == pattern)
            about->hosts[about->host_count++] =
                s->profiles.list[step->strings.list[i].profile].hash;
    qsort(about->hosts, about->host_count, sizeof *about->hosts, compare_u64);
    return OK;
}

static enum err hosts_of_service(const struct screen *s, const struct screen_step *step,
    const struct screen_use *use, struct subject *about)
{
    about->hosts = arena_take(step->scratch, use->contacts + 1u, sizeof *about->hosts);
    if (!about->hosts)
        return ERR_NOMEM;
    for (size_t i = 0; i < step->rows.count; i++) {
        const struct profile_row *row = &step->rows.list[i];
        uint64_t host = s->profiles.list[row->profile].hash;
        if (thing_service(row->key) == use->service && screen_is_known(s, step, row) &&
            (!about->host_count || about->hosts[about->host_count - 1] != host))
            about->hosts[about->host_count++] = host;
    }
    qsort(about->hosts, about->host_count, sizeof *about->hosts, compare_u64);
    return OK;
}

/* -log10 of how many windows of a day have so many, when the most of a day is `most`. */
static double surge_score(const struct screen *s, double count, double most)
{
    const double dispersion = 0.1;
    double log_p = log_tail_negbin(count, fmax(most, 1.0), dispersion);
    return -log_p / log(10.0) - log10((double)s->book.day);
}

/* A novel pattern that is strange enough. */
static bool is_news(const struct screen *s, const struct screen_step *step,
    const struct pattern *p, struct subject *about)
{
    struct novelty n;
    pattern_novelty(&s->book, p, s->now, &n);
    about->networks = n.networks;
    about->expected = n.expected;
    about->score = n.log10_p - log10((double)(step->strings.groups + 1) * (double)s->book.day);
    return about->score >= 0.0 && n.networks >= s->options.min_networks;
}

/* Something known that comes in a new amount. */
static bool is_surge(
    const struct screen *s, const struct amount *a, double count, struct subject *about)
{
    about->networks = count;
    about->expected = a->most;
    about->score = surge_score(s, count, a->most);
    return about->score >= 0.0 && count >= s->options.min_networks;
}

static enum err report_pattern(
    struct screen *s, const struct screen_step *step, const struct tally *t, uint32_t number)
{
    struct pattern *p = &s->book.list[number];
    struct subject about = {.keys = p->key,
        .key_count = p->key_count,
        .novel = true,
        .amount = &p->amount,
        .start = screen_window_start(s, p->born)};
    if (!p->novel || !p->sources || !is_news(s, step, p, &about))
        return OK;
    p->fired = p->fired ? p->fired : s->now;
    p->history |= 1;
    about.fired = p->fired;
    about.history = p->history;
    enum err e = hosts_of_pattern(s, step, number, &about);
    return e ? e : tell(s, step, t, &about);
}

static enum err report_service(struct screen *s, const struct screen_step *step,
    const struct tally *t, const struct screen_use *use)
{
    char name[SERVICE_TEXT];
    const thing_key key = thing_make(use->service, 0.0, 0, 0);
    struct subject about = {.name = service_format(use->service, name),
        .keys = &key,
        .key_count = 1,
        .amount = &use->amount,
        .start = screen_window_start(s, s->now),
        .fired = s->now,
        .history = 1};
    if (!use->surges || !is_surge(s, &use->amount, use->contacts, &about))
        return OK;
    enum err e = hosts_of_service(s, step, use, &about);
    return e ? e : tell(s, step, t, &about);
}

/* Is there anything that might be told? Most windows have nothing. */
static bool is_quiet(const struct screen *s)
{
    for (size_t i = 0; i < s->book.count; i++)
        if (s->book.list[i].novel && s->book.list[i].sources)
            return false;
    for (size_t i = 0; i < s->use_count; i++)
        if (s->use[i].surges)
            return false;
    return true;
}

enum err screen_report(struct screen *s, const struct screen_step *step)
{
    struct tally t;
    if (is_quiet(s))
        return OK;
    enum err e = tally_build(&t, step->window, 0, step->scratch);
    for (size_t i = 0; !e && i < s->book.count; i++)
        e = report_pattern(s, step, &t, (uint32_t)i);
    for (size_t i = 0; !e && i < s->use_count; i++)
        e = report_service(s, step, &t, &s->use[i]);
    return e;
}
