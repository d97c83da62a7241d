#include "engine/glasso/step_int.h"
#include "engine/hourly.h"
#include "engine/severity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MANY_SOURCES = 10,
    TARGET_BITS = 64, /* of the destination map */
    GROUP_MORE = 4,   /* numbers that only the whole finding tells */
    LEVEL_HOSTS = 20  /* of the published levels */
};
static const double level_share = 0.1;
static const double few_targets = 0.3; /* of those that so many contacts would have by chance */
static const double learning_score = 3.0;

/* The published levels: 4 all at one address; 1 a tenth of the hosts and twenty; 2 a tenth,
 * but fewer; 3 the rest. */
static unsigned level_of(double hosts, double all, bool one_target)
{
    if (one_target)
        return 4;
    if (hosts < level_share * all)
        return 3;
    return hosts >= LEVEL_HOSTS ? 1 : 2;
}

/* Many sources that want the same few addresses have been told so: a wrong setting. */
static bool is_one_target(const struct portrait *who, size_t contacts)
{
    double chance = TARGET_BITS * (1.0 - pow(1.0 - 1.0 / TARGET_BITS, (double)contacts));
    return who->sources >= MANY_SOURCES && who->targets < few_targets * chance;
}

/* The entries of the group's hosts, as a tally of one group, for the portrait. */
static enum err gather(const struct sync_step *step, const struct sync_graph *graph,
    uint64_t slots, struct arena *scratch, struct tally *ret_tally)
{
    size_t most = 0;
    for (size_t i = 0; i < graph->count; i++)
        most += (graph->hosts[i].slots & slots) == slots ? graph->hosts[i].count : 0;
    struct tally_source *sources = arena_room(scratch, most + 1, sizeof *sources);
    struct tally_group *group = arena_take(scratch, 1, sizeof *group);
    if (!sources || !group)
        return ERR_NOMEM;
    struct tally t = {.window = step->window,
        .block_first = step->block_first,
        .sources = sources,
        .groups = group,
        .group_count = 1};
    for (size_t i = 0; i < graph->count; i++) {
        const struct sync_host *h = &graph->hosts[i];
        if ((h->slots & slots) != slots)
            continue;
        for (uint32_t k = h->first; k < h->first + h->count; k++) {
            struct tally_source *source = &sources[t.source_count++];
            size_t row;
            *source = (struct tally_source){
                .key = sync_entry_site(&graph->entries[k]), .row = graph->entries[k].row};
            const struct block *b = tally_row(&t, source, &row);
            source->hash = ip_hash(&block_ip(b, CONTACT_SRC)[row]);
        }
    }
    group->count = (uint32_t)t.source_count;
    *ret_tally = t;
    return OK;
}

/* The sites, in their order; returns how many. */
static unsigned tell_sites(struct finding *f, const struct tally *t)
{
    uint64_t seen[WINDOW_SITES_MAX / 64] = {0};
    unsigned count = 0;
    for (size_t i = 0; i < t->source_count; i++)
        seen[t->sources[i].key / 64] |= UINT64_C(1) << t->sources[i].key % 64;
    for (size_t k = 0; k < t->window->site_count; k++)
        if (seen[k / 64] >> k % 64 & 1) {
            finding_site(f, t->window->sites[k].name);
            count++;
        }
    return count;
}

/* Services of the group, most hosts first; of a graph of one service, that one. */
static void tell_ports(struct finding *f, const struct sync_graph *graph, const struct tally *t)
{
    if (graph->service < SERVICES) {
        f->proto = service_proto(graph->service);
        finding_port(f, service_port(graph->service));
        return;
    }
    size_t row;
    for (size_t i = 0; i < t->source_count && f->port_count < FINDING_PORTS; i++) {
        const struct block *b = tally_row(t, &t->sources[i], &row);
        uint8_t proto = block_u8(b, CONTACT_PROTO)[row];
        uint16_t port = block_u16(b, CONTACT_DPORT)[row];
        bool known = i > 0 && proto != f->proto;
        for (size_t k = 0; k < f->port_count; k++)
            known = known || f->ports[k] == port;
        f->proto = i ? f->proto : proto;
        if (!known)
            finding_port(f, port);
    }
}

/* How many of the graph's hosts were active in each slot, and what was to be expected. */
static enum err tell_slots(
    struct finding *f, const struct sync_look *l, const struct sync_graph *graph)
{
    const struct sync *s = l->s;
    double values[SLOTS_MOST] = {0};
    double expected[SLOTS_MOST];
    double threshold[SLOTS_MOST];
    double total = 0.0;
    for (size_t i = 0; i < graph->count; i++)
        for (uint64_t left = graph->hosts[i].slots; left; left &= left - 1) {
            values[__builtin_ctzll(left)]++;
            total++;
        }
    for (unsigned t = 0; t < s->options.slots; t++) {
        expected[t] = total / s->options.slots * l->picture.weight[t];
        threshold[t] = expected[t] + 5.0 * sqrt(expected[t]) + 3.0;
    }
    struct evidence_series row = {.name = "hosts active in each slot",
        .unit = "hosts",
        .start = sync_window_start(s, s->now),
        .step = s->window / s->options.slots,
        .count = s->options.slots,
        .values = values,
        .expected = expected,
        .threshold = threshold};
    return evidence_series(f, &row);
}

static enum err tell_density(struct finding *f, const struct sync_look *l, size_t penalty)
{
    const struct sync *s = l->s;
    const struct density *d = &l->view->densities[penalty];
    struct arena *scratch = l->scratch;
    uint32_t count = s->now < HISTORY ? s->now : HISTORY;
    double *values = arena_take(scratch, count, sizeof *values);
    double *expected = arena_take(scratch, count, sizeof *expected);
    double *threshold = arena_take(scratch, count, sizeof *threshold);
    if (!values || !expected || !threshold)
        return ERR_NOMEM;
    double median = NAN;
    double spread = NAN;
    bool known = sync_density_normal(s, d, &median, &spread);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = pow(10.0, (double)d->ring[(s->now - count + 1 + i) % HISTORY]);
        expected[i] = known ? pow(10.0, median) : NAN;
        threshold[i] = known ? pow(10.0, median + 5.0 * spread) : NAN;
    }
    char name[RECORD_NAME_MAX + 64];
    snprintf(name, sizeof name, "density of the graphs at penalty %g, %s",
        s->options.penalties[penalty], *l->view->name ? l->view->name : "all sites");
    struct evidence_series row = {.name = name,
        .unit = "",
        .start = sync_window_start(s, s->now - count + 1),
        .step = s->window,
        .count = count,
        .values = values,
        .expected = known ? expected : NULL,
        .threshold = known ? threshold : NULL};
    return evidence_series(f, &row);
}

/* --- a group ----------------------------------------------------------------------------- */

static const char *place_text(const struct finding *f, char text[RECORD_NAME_MAX + 16])
{
    if (f->site_count == 1)
        snprintf(text, RECORD_NAME_MAX + 16, "at %s", f->sites[0]);
    else
        snprintf(text, RECORD_NAME_MAX + 16, "at %zu sites", f->site_count);
    return text;
}

/* Do they come at this time of every hour, and at no other? What one site saw an hour ago,
 * another may see now. */
static bool is_hourly(const struct sync *s, const struct episode *e)
{
    uint64_t history = 0;
    for (size_t i = 0; i < s->episode_count; i++)
        if (s->episodes[i].service == e->service)
            history |= s->episodes[i].history;
    double found[64];
    uint32_t watched = s->views[e->view].windows;
    for (unsigned k = 0; k < 64; k++)
        found[k] = (double)(history >> k & 1);
    return hourly_is(found, watched < 64 ? watched : 64, (size_t)(US_HOUR / s->window));
}

static void write_words(struct finding *f, const struct sync *s, const struct episode *e,
    const struct sync_graph *graph, const struct sync_group *group, const struct portrait *who)
{
    char what[SERVICE_TEXT] = "any service";
    char place[RECORD_NAME_MAX + 16];
    char origin[80];
    char width[TIME_TEXT];
    char began[TIME_TEXT];
    if (graph->service < SERVICES)
        service_format(graph->service, what);
    int slots = __builtin_popcountll(group->slots);
    duration_format(s->window / s->options.slots, width);
    time_format(sync_window_start(s, s->now) +
                    __builtin_ctzll(group->slots) * (s->window / s->options.slots),
        began);
    portrait_origin(who, origin, sizeof origin);
    snprintf(f->title, sizeof f->title, "%s: %zu hosts act in the same %s %s", what,
        group->hosts, slots == 1 ? "moment" : "moments", place_text(f, place));
    snprintf(f->explanation, sizeof f->explanation,
        "%zu of %zu hosts (networks of /%u) that reached %s in this window were active in the "
        "same %d slot%s of %s, the first at %.19sZ; %.2g such hosts would be chance. %u "
        "addresses in %zu countries.%s%s%s",
        group->hosts, graph->count, s->options.host_bits, what, slots, slots == 1 ? "" : "s",
        width, began, group->expected, who->sources, who->country_count, *origin ? " " : "",
        origin, is_hourly(s, e) ? HOURLY_WORDS : "");
}

static enum severity severity_of(const struct sync *s, const struct episode *e,
    const struct sync_group *group, double score, unsigned sites)
{
    struct rise rise = {.score = score,
        .ratio = (double)group->hosts / fmax(group->expected, 0.5),
        .sites = sites,
        .fired = (unsigned)__builtin_popcount(e->history & 7),
        .lasted = (int64_t)(s->now - e->first) * s->window};
    bool learning = (int64_t)s->views[e->view].windows * s->window <= s->options.learn;
    if (learning && (score < learning_score || rise.fired < 2))
        return SEVERITY_INFO;
    bool known = rise.lasted > s->options.freeze || is_hourly(s, e);
    return known ? SEVERITY_INFO : rise_severity(&rise);
}

/* The largest penalty of the path at which hosts that act in these slots, and in no others,
 * have edges; the smallest if there is none. */
static size_t penalty_of(const struct sync *s, uint64_t slots)
{
    double share = (double)__builtin_popcountll(slots) / s->options.slots;
    double cov = M_LN10 * M_LN10 * share * (1.0 - share);
    size_t k = 0;
    while (k + 1 < s->options.penalty_count && s->options.penalties[k] >= cov)
        k++;
    return k;
}

static enum err write_group(struct finding *f, const struct sync_look *l,
    const struct sync_graph *graph, const struct sync_group *group,
    const struct evidence_value *more)
{
    size_t penalty = penalty_of(l->s, group->slots);
    const struct evidence_value rows[] = {
        {"hosts_in_step", (double)group->hosts, "hosts", "active in all of the shared slots"},
        {"expected", group->expected, "hosts",
            "active in them if each chose its slots by itself"},
        {"hosts", (double)graph->count, "hosts", "that reached the service in the window"},
        {"shared_slots", (double)__builtin_popcountll(group->slots), "slots",
            "in which all hosts of the group were active"},
        {"penalty", l->s->options.penalties[penalty], "",
            "largest at which such hosts have edges in the graphical lasso"},
        {"log10_p", -group->log_p, "", "chance of such a group, over all sets of slots"},
    };
    enum err e = evidence_numbers(f, rows, sizeof rows / sizeof *rows);
    if (!e)
        e = evidence_numbers(f, more, GROUP_MORE);
    if (!e)
        e = tell_slots(f, l, graph);
    if (!e)
        e = tell_density(f, l, penalty);
    return e;
}

enum err sync_report_group(const struct sync_look *l, const struct episode *e,
    const struct sync_graph *graph, const struct sync_group *group, double score)
{
    struct tally t;
    struct portrait who;
    enum err err = gather(l->step, graph, group->slots, l->scratch, &t);
    if (!err)
        err = portrait_take(&who, &t, 0, 1, l->scratch);
    if (err)
        return err;
    struct finding f;
    finding_init(&f, "glasso", "synchrony");
    f.time = sync_window_start(l->s, l->s->now + 1);
    f.start = e->start;
    f.end = f.time;
    f.score = fmin(score, 300.0);
    f.host_count = who.sources;
    tell_ports(&f, graph, &t);
    unsigned sites = tell_sites(&f, &t);
    portrait_tell(&who, &f);
    f.one_target = is_one_target(&who, t.source_count);
    f.severity = f.one_target ? SEVERITY_INFO : severity_of(l->s, e, group, score, sites);
    write_words(&f, l->s, e, graph, group, &who);
    const struct evidence_value more[GROUP_MORE] = {
        {"score", score, "",
            "minus the logarithm of how many such groups chance gives in a day"},
        {"level", level_of((double)group->hosts, (double)graph->count, f.one_target), "",
            "1: a tenth of the hosts, 20 or more; 2: fewer than 20; 3: less; 4: one address"},
        {"sources", who.sources, "sources", "addresses of the group"},
        {"packets", (double)who.packets, "packets", "of the group in the window"},
    };
    err = write_group(&f, l, graph, group, more);
    if (!err)
        err = l->out->put(l->out->context, &f);
    finding_done(&f);
    return err;
}

/* --- a jump of density ------------------------------------------------------------------- */

/* Services with the most edges; those of the first one's protocol. */
static void tell_services(struct finding *f, const struct sync_sums *sums)
{
    if (!sums->most_count || sums->most[0].service >= SERVICES)
        return;
    f->proto = service_proto(sums->most[0].service);
    for (size_t i = 0; i < sums->most_count; i++)
        if (service_proto(sums->most[i].service) == f->proto)
            finding_port(f, service_port(sums->most[i].service));
}

static void write_jump(
    struct finding *f, const struct sync_look *l, size_t penalty, const struct sync_jump *jump)
{
    const struct sync_sums *sums = &l->sums;
    const char *where = *l->view->name ? l->view->name : "all sites together";
    char what[SERVICE_TEXT] = "any service";
    if (sums->most_count && sums->most[0].service < SERVICES)
        service_format(sums->most[0].service, what);
    snprintf(f->title, sizeof f->title, "hosts at %s are more in step than usual", where);
    snprintf(f->explanation, sizeof f->explanation,
        "The graphs of hosts at %s have a density of %.3g at penalty %g, where %.3g is usual. "
        "Most edges are on %s (%.0f of %.0f at the smallest penalty).",
        where, jump->value, l->s->options.penalties[penalty], jump->normal, what,
        sums->most_count ? sums->most[0].edges : 0.0,
        sums->edges[l->s->options.penalty_count - 1]);
}

/* A density tells that something is in step, but not what: info, beside what the groups tell.
 */
enum err sync_report_jump(
    const struct sync_look *l, size_t penalty, const struct sync_jump *jump)
{
    const struct sync *s = l->s;
    const struct density *d = &l->view->densities[penalty];
    struct finding f;
    finding_init(&f, "glasso", "density-jump");
    f.time = sync_window_start(s, s->now + 1);
    f.start = sync_window_start(s, d->first);
    f.end = f.time;
    f.score = isfinite(jump->score) ? fmax(jump->score, 0.0) : 0.0;
    f.severity = SEVERITY_INFO;
    tell_services(&f, &l->sums);
    if (*l->view->name)
        finding_site(&f, l->view->name);
    write_jump(&f, l, penalty, jump);
    const struct evidence_value rows[] = {
        {"density", jump->value, "", "edges over n (n - 1), summed over the graphs"},
        {"normal", jump->normal, "", "median of the last three days"},
        {"penalty", s->options.penalties[penalty], "", "of the graphical lasso"},
        {"edges", l->sums.edges[penalty], "edges", "in all graphs"},
        {"graphs_too_large", (double)l->sums.too_large[penalty], "graphs",
            "left out, as a component was too large to solve"},
        {"score", jump->score, "",
            "minus the logarithm of how many such jumps chance gives in a day"},
    };
    enum err e = evidence_numbers(&f, rows, sizeof rows / sizeof *rows);
    if (!e)
        e = tell_density(&f, l, penalty);
    if (!e)
        e = l->out->put(l->out->context, &f);
    finding_done(&f);
    return e;
}
