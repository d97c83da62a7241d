/* A part as a finding: which ports its hosts ask, and the series an alert's charts are drawn
 * from. */
#include "engine/nmf/nmf_int.h"
#include "engine/portrait.h"
#include "engine/severity.h"
#include "num/order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SERVICES_SEEN = 1024, /* different ones that are counted for a part */
    MANY_TARGETS = 16     /* places in the destination maps of sites that have many */
};
static const double aimed_least = 0.8;

static bool is_member(const struct part *p, uint64_t host)
{
    return bsearch(&host, p->hosts, p->host_count, sizeof *p->hosts, compare_u64) != NULL;
}

static uint64_t bits_of(const struct part *p, unsigned window)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < p->moments; i++)
        for (unsigned k = p->moment[i].slot; k < p->moment[i].slot + p->moment[i].span; k++)
            if (k / PULSE_SLOTS == window)
                bits |= (uint64_t)1 << k % PULSE_SLOTS;
    return bits;
}

/* --- which ports -------------------------------------------------------------------------- */

/* Different hosts by service; a host is counted for a service once, by the last host seen. */
struct counter {
    uint32_t service[SERVICES_SEEN];
    uint32_t hosts[SERVICES_SEEN];
    size_t count;
};

static void count_service(struct counter *c, uint32_t service)
{
    size_t i = 0;
    while (i < c->count && c->service[i] != service)
        i++;
    if (i == SERVICES_SEEN)
        return;
    if (i == c->count) {
        c->service[c->count++] = service;
        c->hosts[i] = 0;
    }
    c->hosts[i]++;
}

/* The services of one host in the part's slots, over all windows; each once. */
static void count_host(
    const struct nmf_state *s, const struct part *p, uint64_t host, struct counter *c)
{
    enum {
        MOST = 64
    };
    uint32_t seen[MOST];
    size_t count = 0;
    for (uint32_t k = 0; k < WINDOWS && k < s->now; k++) {
        const struct acts *a = &s->acts[(s->now - k) % WINDOWS];
        if (a->window != s->now - k)
            continue;
        uint64_t bits = bits_of(p, WINDOWS - 1 - k);
        for (size_t at = acts_of(a, host); at < a->count && a->list[at].host == host; at++) {
            if (!(a->list[at].slots & bits))
                continue;
            size_t i = 0;
            while (i < count && seen[i] != a->list[at].service)
                i++;
            if (i == count && count < MOST)
                seen[count++] = a->list[at].service;
        }
    }
    for (size_t i = 0; i < count; i++)
        count_service(c, seen[i]);
}

void nmf_claim(const struct nmf_state *s, const struct part *p, struct claim *ret_claim)
{
    struct counter c;
    c.count = 0;
    for (size_t i = 0; i < p->host_count; i++)
        count_host(s, p, p->hosts[i], &c);
    struct claim claim = {.count = 0};
    uint32_t least = (uint32_t)ceil(s->options.port_share * (double)p->host_count);
    least = least > 2 ? least : 2;
    while (claim.count < GROUP_SERVICES) {
        size_t best = 0;
        for (size_t i = 1; i < c.count; i++)
            if (c.hosts[i] > c.hosts[best] ||
                (c.hosts[i] == c.hosts[best] && c.service[i] < c.service[best]))
                best = i;
        if (!c.count || c.hosts[best] < least)
            break;
        claim.service[claim.count] = c.service[best];
        claim.hosts[claim.count++] = c.hosts[best];
        c.hosts[best] = 0;
    }
    *ret_claim = claim;
}

/* --- who ---------------------------------------------------------------------------------- */

static bool is_claimed(const struct claim *c, uint32_t service)
{
    if (!c->count)
        return true;
    for (size_t i = 0; i < c->count; i++)
        if (c->service[i] == service)
            return true;
    return false;
}

/* The sources of the part's hosts in this window, and where they want to go. */
struct crowd {
    struct tally part;
    struct tally_group group;
    double aimed; /* share that the two favourite places of the destination map have */
    unsigned wide;
};

static enum err gather(const struct nmf_state *s, const struct part *p, const struct claim *c,
    const struct tally *t, struct arena *scratch, struct crowd *ret)
{
    struct tally_source *sources = arena_take(scratch, t->source_count + 1, sizeof *sources);
    uint64_t *targets = arena_take(scratch, t->window->site_count + 1, sizeof *targets);
    if (!sources || !targets)
        return ERR_NOMEM;
    uint64_t bits = bits_of(p, WINDOWS - 1);
    uint32_t places[64] = {0};
    size_t count = 0;
    for (size_t i = 0; i < t->source_count; i++) {
        size_t row;
        const struct block *b = tally_row(t, &t->sources[i], &row);
        uint64_t dsts = block_u64(b, CONTACT_DSTS)[row];
        targets[tally_site(&t->sources[i])] |= dsts;
        if (!(block_u64(b, CONTACT_SLOTS)[row] & bits) ||
            !is_claimed(c, tally_service(&t->sources[i])) ||
            !is_member(p, pulse_network(&block_ip(b, CONTACT_SRC)[row], s->options.prefix)))
            continue;
        sources[count++] = t->sources[i];
        for (; dsts; dsts &= dsts - 1)
            places[__builtin_ctzll(dsts)]++;
    }
    uint64_t wide = 0;
    for (size_t i = 0; i < count; i++)
        wide |= targets[tally_site(&sources[i])];
    ret->aimed = pulse_aimed(places, count);
    ret->wide = (unsigned)__builtin_popcountll(wide);
    ret->group = (struct tally_group){.count = (uint32_t)count};
    ret->part = *t;
    ret->part.sources = sources;
    ret->part.source_count = count;
    ret->part.groups = &ret->group;
    ret->part.group_count = 1;
    return OK;
}

static unsigned tell_sites(struct finding *f, const struct tally *part)
{
    bool here[WINDOW_SITES_MAX] = {false};
    unsigned sites = 0;
    for (size_t i = 0; i < part->source_count; i++)
        here[tally_site(&part->sources[i])] = true;
    for (size_t i = 0; i < part->window->site_count; i++) {
        if (!here[i])
            continue;
        finding_site(f, part->window->sites[i].name);
        sites++;
    }
    return sites;
}

/* --- the finding -------------------------------------------------------------------------- */

static void write_words(struct finding *f, const struct nmf_state *s, const struct part *p,
    const struct claim *c, bool one_target)
{
    char names[GROUP_SERVICES * SERVICE_TEXT] = "";
    for (size_t i = 0; i < c->count; i++) {
        char what[SERVICE_TEXT];
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
            service_format(c->service[i], what));
    }
    long long slot = (long long)(s->window / PULSE_SLOTS / US_SECOND);
    snprintf(f->title, sizeof f->title,
        "%.70s: %zu hosts come together %zu times in %lld minutes",
        *names ? names : "Various ports", p->host_count, p->moments,
        (long long)(WINDOWS * s->window / US_MINUTE));
    int used = snprintf(f->explanation, sizeof f->explanation,
        "%zu hosts of %u /16 networks began a visit in the same %lld seconds in two or more of "
        "%zu moments of the last %lld minutes; about %.1f would by chance.",
        p->host_count, p->wide, slot, p->moments, (long long)(WINDOWS * s->window / US_MINUTE),
        p->expected);
    for (size_t i = 0; i < c->count && used > 0 && (size_t)used < sizeof f->explanation; i++) {
        char what[SERVICE_TEXT];
        used += snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            i ? " %u asked %s." : " %u of them asked %s then.", c->hosts[i],
            service_format(c->service[i], what));
    }
    if (p->known && used > 0 && (size_t)used < sizeof f->explanation)
        used += snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            " %u of the group came together before.", p->known);
    if (one_target && used > 0 && (size_t)used < sizeof f->explanation)
        snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            " They want one or two addresses only: rather a wrong setting than a scan.");
}

static enum err write_numbers(
    struct finding *f, const struct part *p, const struct claim *c, unsigned sites)
{
    const struct evidence_value rows[] = {
        {"seen", (double)p->host_count, "hosts", "with visits in two or more of the moments"},
        {"networks", (double)p->wide, "networks", "different /16 (IPv6: /32) among them"},
        {"expected", p->expected, "hosts", "by chance, at most"},
        {"ratio", p->wide / fmax(p->expected, 0.5), "", "networks over expected"},
        {"moments", (double)p->moments, "moments", "in which the group comes together"},
        {"log10_p", p->log10_p, "", "minus logarithm of the p-value of these moments"},
        {"known", p->known, "hosts", "of them that came together in an earlier half hour"},
        {"log10_p_known", p->again, "", "minus logarithm of that p-value"},
        {"score", p->score, "",
            "minus the logarithm of how many such findings chance gives in a day"},
        {"sites", sites, "sites", "that see them in this window"},
    };
    enum err e = evidence_numbers(f, rows, sizeof rows / sizeof *rows);
    for (size_t i = 0; !e && i < c->count; i++) {
        char what[SERVICE_TEXT];
        e = evidence_number(f, service_format(c->service[i], what), c->hosts[i], "hosts",
            "of the group that ask this in its moments");
    }
    return e;
}

/* The group's hosts over time: visits that begin in each slot of the half hour; what the same
 * hosts would do if they followed all others; and the rhythm as factorised. */
static enum err write_series(
    struct finding *f, const struct nmf_state *s, const struct part *p, const struct lines *l)
{
    double values[SLOTS] = {0};
    double expected[SLOTS];
    double rhythm[SLOTS];
    double visits = 0.0;
    double most = 0.0;
    for (size_t i = 0; i < l->count; i++) {
        if (!is_member(p, l->list[i].host))
            continue;
        visits += l->list[i].visits;
        for (unsigned k = 0; k < SLOTS; k++)
            values[k] += line_starts(&l->list[i], k);
    }
    for (unsigned k = 0; k < SLOTS; k++)
        most = fmax(most, values[k]);
    for (unsigned k = 0; k < SLOTS; k++) {
        expected[k] = visits * l->share[k];
        rhythm[k] = p->weight[k] * most;
    }
    return evidence_series(f, &(struct evidence_series){.name = "hosts of the group in a slot",
                                  .unit = "hosts",
                                  .start = window_start(s, s->now) - (WINDOWS - 1) * s->window,
                                  .step = s->window / PULSE_SLOTS,
                                  .count = SLOTS,
                                  .values = values,
                                  .expected = expected,
                                  .threshold = rhythm});
}

static enum severity severity_of(
    const struct nmf_state *s, const struct verdict *v, bool one_target, unsigned sites)
{
    int64_t lasted = (int64_t)(s->now - v->group->fired) * s->window;
    if (one_target || lasted > s->options.freeze)
        return SEVERITY_INFO;
    return rise_severity(&(struct rise){.score = v->part->score,
        .ratio = v->part->wide / fmax(v->part->expected, 0.5),
        .sites = sites,
        .fired = (unsigned)__builtin_popcount(v->group->history & 7),
        .lasted = lasted});
}

enum err nmf_report(const struct nmf_state *s, const struct scene *scene,
    const struct verdict *v, struct arena *scratch, struct sink *out)
{
    const struct part *p = v->part;
    const struct claim *c = &v->claim;
    struct crowd crowd;
    struct portrait who;
    enum err e = gather(s, p, c, scene->tally, scratch, &crowd);
    if (!e)
        e = portrait_take(&who, &crowd.part, 0, 1, scratch);
    if (e)
        return e;
    struct finding f;
    finding_init(&f, "nmf", "in-step");
    unsigned sites = tell_sites(&f, &crowd.part);
    f.time = window_start(s, s->now + 1);
    f.start = v->group->start;
    f.end = f.time;
    f.score = fmin(p->score, 300.0);
    f.one_target = crowd.wide >= MANY_TARGETS && crowd.aimed >= aimed_least;
    f.severity = severity_of(s, v, f.one_target, sites);
    f.host_count = p->host_count;
    f.proto = c->count ? service_proto(c->service[0]) : 0;
    for (size_t i = 0; i < c->count; i++)
        if (service_proto(c->service[i]) == f.proto)
            finding_port(&f, service_port(c->service[i]));
    portrait_tell(&who, &f);
    write_words(&f, s, p, c, f.one_target);
    e = write_numbers(&f, p, c, sites);
    if (!e)
        e = write_series(&f, s, p, &scene->lines);
    struct picture picture;
    if (!e)
        e = nmf_picture(s, &scene->lines, p, c, scratch, &picture);
    if (!e)
        e = picture_write(&picture, scene->tally, s->options.prefix, &f);
    if (!e)
        e = out->put(out->context, &f);
    finding_done(&f);
    return e;
}
