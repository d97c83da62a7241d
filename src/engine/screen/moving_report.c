/* A group that moves together, as a finding: who, what they send, when they come. */
#include "engine/countries.h"
#include "engine/hourly.h"
#include "engine/pulse.h"
#include "engine/screen/screen_int.h"
#include "engine/severity.h"

#include "base/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS = 16,      /* services, or sites, that are drawn */
    THINGS_TOLD = 4,   /* in words */
    MANY_TARGETS = 16, /* places in the destination maps of sites that have many */
    TOOLS = WORDS_MAX
};
static const double aimed_least = 0.8;
static const double half = 0.5;

/* A member as it is drawn. */
struct face {
    uint32_t profile;
    double similar; /* to the windows that the group has in common */
    uint64_t packets;
};

/* Who the group is. */
struct crowd {
    struct face *faces; /* all members, most similar first; in the arena */
    size_t count;
    struct group_thing things[GROUP_THINGS];
    size_t thing_count;
    uint32_t places[64], sites[64]; /* members with that bit in their maps */
    double aimed;
    unsigned wide;
    unsigned named;      /* sites that saw them, and are known by name */
    unsigned site_count; /* all that saw them; those that share a bit count as one */
};

/* --- who ---------------------------------------------------------------------------------- */

static int by_similar(const void *a, const void *b)
{
    const struct face *x = a;
    const struct face *y = b;
    if (x->similar > y->similar || x->similar < y->similar)
        return x->similar > y->similar ? -1 : 1;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    return (x->profile > y->profile) - (x->profile < y->profile);
}

static void bits_add(uint32_t counts[64], uint64_t bits)
{
    for (; bits; bits &= bits - 1)
        counts[__builtin_ctzll(bits)]++;
}

/* The bit of a site in the profiles' maps; PROFILE_SITES if it saw none of them, or nobody
 * knows. */
static unsigned site_bit(const struct screen *s, const struct crowd *c, const char *name)
{
    unsigned bit = profiles_site(&s->profiles, name);
    return c->sites[bit] ? bit : PROFILE_SITES;
}

static enum err crowd_take(const struct screen *s, const struct screen_step *step,
    const struct screen_group *g, struct crowd *c)
{
    *c = (struct crowd){0};
    c->faces = arena_take(step->scratch, g->found->members + 1u, sizeof *c->faces);
    if (!c->faces)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->profiles.count && c->count < g->found->members; i++) {
        const struct profile *p = &s->profiles.list[i];
        if (g->of[i] != g->number)
            continue;
        c->faces[c->count++] = (struct face){.profile = i,
            .similar = group_similarity(g->members[i].active, g->found->core),
            .packets = (uint64_t)p->span[0].packets + p->span[1].packets};
        bits_add(c->places, p->span[0].places | p->span[1].places);
        bits_add(c->sites, p->span[0].sites | p->span[1].sites);
    }
    qsort(c->faces, c->count, sizeof *c->faces, by_similar);
    c->thing_count = group_things(&s->profiles, g->of, g->number, c->things);
    c->aimed = pulse_aimed(c->places, c->count);
    for (unsigned i = 0; i < 64; i++)
        c->wide += c->places[i] != 0;
    for (size_t i = 0; i < step->window->site_count; i++)
        c->named += site_bit(s, c, step->window->sites[i].name) < PROFILE_SITES;
    c->site_count = c->named + (c->sites[PROFILE_SITES] != 0);
    return OK;
}

/* Services that half of them ask for, of the protocol that most of them use. */
static void tell_ports(struct finding *f, const struct crowd *c)
{
    for (size_t i = 0; i < c->thing_count; i++) {
        uint32_t service = thing_service(c->things[i].key);
        if (c->things[i].sources < half * (double)c->count)
            break;
        if (!f->port_count)
            f->proto = service_proto(service);
        if (service_proto(service) == f->proto)
            finding_port(f, service_port(service));
    }
}

static void tell_sites(struct finding *f, const struct screen *s,
    const struct screen_step *step, const struct crowd *c)
{
    for (size_t i = 0; i < step->window->site_count; i++)
        if (site_bit(s, c, step->window->sites[i].name) < PROFILE_SITES)
            finding_site(f, step->window->sites[i].name);
}

static void tell_countries(struct finding *f, const struct screen *s, const struct crowd *c)
{
    struct countries sums = {{0}};
    char code[3];
    for (size_t i = 0; i < c->count; i++)
        countries_add(&sums, s->profiles.list[c->faces[i].profile].country);
    while (f->country_count < FINDING_COUNTRIES && countries_most(&sums, code))
        finding_country(f, code);
}

/* Named for more than half of them. */
static void tell_tool(struct finding *f, const struct screen *s, const struct crowd *c)
{
    uint32_t sources[TOOLS] = {0};
    for (size_t i = 0; i < c->count; i++)
        sources[thing_tool(profile_main(&s->profiles.list[c->faces[i].profile]))]++;
    for (unsigned i = 1; i < TOOLS; i++)
        if (sources[i] > half * (double)c->count)
            snprintf(f->tool, sizeof f->tool, "%s", s->profiles.words.word[i]);
}

/* --- words and numbers -------------------------------------------------------------------- */

static double ratio_of(const struct screen_group *g)
{
    return g->found->networks / fmax(g->moving->chance, 1.0);
}

static bool is_aimed(const struct crowd *c)
{
    return c->wide >= MANY_TARGETS && c->aimed >= aimed_least;
}

static bool came(const uint64_t active[GROUP_WINDOWS / 64], uint32_t back)
{
    return active[back / 64] >> back % 64 & 1;
}

/* At the same time of the hour in eight hours or more: a timer's hosts. One that is new is told
 * before it has come so often. */
static bool is_timer(const struct screen *s, const struct screen_group *g)
{
    const unsigned least = 8;
    const double most_of_them = 0.8;
    const uint32_t span = s->profiles.hour;
    uint32_t places[GROUP_WINDOWS] = {0};
    for (uint32_t k = 0; k < GROUP_WINDOWS; k++)
        places[k % span] += came(g->found->core, k);
    uint32_t most = 0; /* at a place and the next: a moment may fall on a border */
    for (uint32_t k = 0; k < span && span >= 4; k++)
        most = places[k] + places[(k + 1) % span] > most ? places[k] + places[(k + 1) % span]
                                                         : most;
    unsigned all = group_windows(g->found->core);
    return all >= least && most >= most_of_them * all;
}

static void write_words(struct finding *f, const struct screen *s, const struct screen_group *g,
    const struct crowd *c)
{
    char things[240] = "";
    for (size_t i = 0, used = 0; i < c->thing_count && i < THINGS_TOLD && used < sizeof things;
         i++) {
        char thing[THING_TEXT];
        used += (size_t)snprintf(things + used, sizeof things - used, "%s%s by %u",
            i ? "; " : "", thing_format(c->things[i].key, &s->profiles.words, thing),
            c->things[i].sources);
    }
    char sample[80] = "";
    if (g->sample > 1)
        snprintf(sample, sizeof sample,
            " One network in %u was compared: about %" PRIu64 " in all.", g->sample,
            f->host_count);
    snprintf(f->title, sizeof f->title, "New group of %s%" PRIu64 " sources that move together",
        g->sample > 1 ? "about " : "", f->host_count);
    snprintf(f->explanation, sizeof f->explanation,
        "%u sources of %u networks came, and went, together in %u windows of the last day.%s "
        "In %u rounds in which every source was moved in time by itself, the largest group had "
        "%u networks. Such a group was not there before. They sent: %.150s.%s%s",
        g->found->members, g->found->networks, group_windows(g->found->core), sample, g->rounds,
        g->moving->chance, things, is_aimed(c) ? " They want one or two addresses." : "",
        is_timer(s, g) ? HOURLY_WORDS : "");
}

static enum err write_numbers(
    struct finding *f, const struct screen_group *g, const struct crowd *c)
{
    const struct evidence_value rows[] = {
        {"networks", g->found->networks, "networks",
            "different /24 (IPv6: /48) in the group, of those compared"},
        {"chance", g->moving->chance, "networks",
            "of the largest group in all rounds of chance"},
        {"rounds", g->rounds, "rounds", "in which every source was moved in time by itself"},
        {"ratio", ratio_of(g), "", "networks over those that chance has"},
        {"windows", group_windows(g->found->core), "windows", "in which half of them came"},
        {"similar", g->found->similar, "",
            "share of their windows that two of them have in common, on average"},
        {"looked at", (double)g->looked_at, "sources", "that came often enough to be compared"},
        {"sample", g->sample, "",
            "one network of so many was compared; the sources in all are so many times those "
            "found"},
        {"score", g->score, "",
            "minus the logarithm of how many such findings chance gives in a day"},
        {"sites", c->site_count, "sites", "that saw them in the last day or two"},
    };
    return evidence_numbers(f, rows, sizeof rows / sizeof *rows);
}

/* --- charts ------------------------------------------------------------------------------- */

/* Members that came, by window over the last day. */
static enum err write_series(struct finding *f, const struct screen *s,
    const struct screen_group *g, const struct crowd *c)
{
    double values[GROUP_WINDOWS] = {0};
    uint32_t count = s->now < s->book.day ? s->now : s->book.day;
    for (size_t i = 0; i < c->count; i++)
        for (uint32_t k = 0; k < count; k++)
            values[count - 1 - k] += came(g->members[c->faces[i].profile].active, k);
    return evidence_series(f, &(struct evidence_series){.name = "members that come",
                                  .unit = "sources",
                                  .start = screen_window_start(s, s->now - count + 1),
                                  .step = s->window,
                                  .count = count,
                                  .values = values});
}

/* A block under way: what the members are held against. */
struct draft {
    struct evidence_block block;
    char hosts[EVIDENCE_ROWS][EVIDENCE_LABEL];
    char labels[EVIDENCE_COLUMNS][EVIDENCE_LABEL];
    double cells[EVIDENCE_ROWS * EVIDENCE_COLUMNS];
    double weights[EVIDENCE_ROWS];
};

static void draft_begin(struct draft *d, const struct screen *s, const struct crowd *c)
{
    *d = (struct draft){0};
    d->block.rows = c->count < EVIDENCE_ROWS ? c->count : EVIDENCE_ROWS;
    d->block.rows_in = d->block.rows;
    d->block.hosts = (const char(*)[EVIDENCE_LABEL])d->hosts;
    d->block.labels = (const char(*)[EVIDENCE_LABEL])d->labels;
    d->block.cells = d->cells;
    d->block.row_weights = d->weights;
    for (size_t i = 0; i < d->block.rows; i++) {
        const struct profile *p = &s->profiles.list[c->faces[i].profile];
        ip_format(&p->ip, d->hosts[i]);
        d->weights[i] = c->faces[i].similar / fmax(c->faces[0].similar, 1e-9);
    }
}

static enum err write_times(struct finding *f, struct draft *d, const struct screen *s,
    const struct screen_group *g, const struct crowd *c)
{
    uint32_t back[EVIDENCE_COLUMNS];
    size_t count = 0;
    for (uint32_t k = 0; k < GROUP_WINDOWS && count < EVIDENCE_COLUMNS; k++)
        if (came(g->found->core, k))
            back[count++] = k;
    for (size_t k = 0; k < count; k++)
        time_format(screen_window_start(s, s->now - back[count - 1 - k]), d->labels[k]);
    for (size_t i = 0; i < d->block.rows; i++)
        for (size_t k = 0; k < count; k++)
            d->cells[i * count + k] =
                came(g->members[c->faces[i].profile].active, back[count - 1 - k]);
    d->block.name = "hosts by time";
    d->block.unit = "came";
    d->block.across = "time";
    d->block.columns = d->block.columns_in = count;
    return count ? evidence_block(f, &d->block) : OK;
}

static enum err write_services(
    struct finding *f, struct draft *d, const struct screen *s, const struct crowd *c)
{
    size_t count = c->thing_count < COLUMNS ? c->thing_count : COLUMNS;
    size_t in = 0;
    for (size_t k = 0; k < count; k++) {
        uint32_t service = thing_service(c->things[k].key);
        char name[SERVICE_TEXT];
        snprintf(d->labels[k], sizeof d->labels[k], "%s, %u bytes",
            service_format(service, name), thing_size(c->things[k].key));
        in += c->things[k].sources >= half * (double)c->count;
        for (size_t i = 0; i < d->block.rows; i++) {
            const struct profile *p = &s->profiles.list[c->faces[i].profile];
            for (unsigned t = 0; t < p->thing_count; t++)
                if (p->thing[t].key == c->things[k].key)
                    d->cells[i * count + k] = p->thing[t].packets;
        }
    }
    d->block.name = "hosts by port";
    d->block.unit = "packets";
    d->block.across = "port";
    d->block.columns = count;
    d->block.columns_in = in;
    return count ? evidence_block(f, &d->block) : OK;
}

static enum err write_sites(struct finding *f, struct draft *d, const struct screen *s,
    const struct screen_step *step, const struct crowd *c)
{
    size_t count = 0;
    const struct window *w = step->window;
    size_t most = c->named < COLUMNS ? c->named : COLUMNS;
    for (size_t k = 0; k < w->site_count && count < most; k++) {
        unsigned bit = site_bit(s, c, w->sites[k].name);
        if (bit == PROFILE_SITES)
            continue;
        snprintf(d->labels[count], sizeof d->labels[count], "%s", w->sites[k].name);
        for (size_t i = 0; i < d->block.rows; i++) {
            const struct profile *p = &s->profiles.list[c->faces[i].profile];
            d->cells[i * most + count] =
                (double)((p->span[0].sites | p->span[1].sites) >> bit & 1);
        }
        count++;
    }
    d->block.name = "hosts by site";
    d->block.unit = "seen there";
    d->block.across = "site";
    d->block.columns = d->block.columns_in = count;
    return count ? evidence_block(f, &d->block) : OK;
}

static enum err write_charts(struct finding *f, const struct screen *s,
    const struct screen_step *step, const struct screen_group *g, const struct crowd *c)
{
    struct draft *d = arena_take(step->scratch, 1, sizeof *d);
    enum err e = d ? write_series(f, s, g, c) : ERR_NOMEM;
    if (e)
        return e;
    draft_begin(d, s, c);
    e = write_times(f, d, s, g, c);
    if (e)
        return e;
    draft_begin(d, s, c);
    e = write_services(f, d, s, c);
    if (e)
        return e;
    draft_begin(d, s, c);
    return write_sites(f, d, s, step, c);
}

/* --- all ---------------------------------------------------------------------------------- */

/* Few windows in common, and not much more of them than chance has. The rounds move every
 * source by hours, and so blur what many do at one time of the day: what they have is a little
 * less than what comes by itself (docs/engines/screen.md has the measurement). */
static bool is_faint(const struct screen_group *g)
{
    const unsigned few_windows = 5;
    const double clear_ratio = 3.0;
    return group_windows(g->found->core) < few_windows && ratio_of(g) < clear_ratio;
}

static int64_t group_start(const struct screen *s, const struct screen_group *g)
{
    uint32_t oldest = 0;
    for (uint32_t k = 0; k < GROUP_WINDOWS; k++)
        if (came(g->found->core, k))
            oldest = k;
    return screen_window_start(s, s->now - oldest);
}

enum err screen_group_tell(
    const struct screen *s, const struct screen_step *step, const struct screen_group *g)
{
    struct crowd *c = arena_take(step->scratch, 1, sizeof *c);
    enum err e = c ? crowd_take(s, step, g, c) : ERR_NOMEM;
    if (e)
        return e;
    struct finding f;
    finding_init(&f, "screen", "moving-group");
    f.time = f.end = window_end(step->window);
    f.start = group_start(s, g);
    f.score = g->score;
    f.severity = rise_severity(&(struct rise){.score = g->score,
        .ratio = ratio_of(g),
        .sites = c->site_count,
        .fired = (unsigned)__builtin_popcount(g->moving->history & 7),
        .lasted = (int64_t)(s->now - g->moving->fired) * s->window});
    if (is_aimed(c) || is_faint(g) || is_timer(s, g))
        f.severity = SEVERITY_INFO;
    f.host_count = (uint64_t)g->found->members * g->sample;
    tell_ports(&f, c);
    tell_sites(&f, s, step, c);
    tell_countries(&f, s, c);
    tell_tool(&f, s, c);
    for (size_t i = 0; i < c->count && i < FINDING_HOSTS; i++)
        finding_host(&f, &s->profiles.list[c->faces[i].profile].ip);
    write_words(&f, s, g, c);
    e = write_numbers(&f, g, c);
    if (!e)
        e = write_charts(&f, s, step, g, c);
    if (!e)
        e = step->out->put(step->out->context, &f);
    finding_done(&f);
    return e;
}
