#include "engine/severity.h"
#include "engine/surge/surge_int.h"
#include "engine/tagged.h"
#include "num/tail.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FEW_TARGETS = 2,   /* bits of the destination map: nearly all to one or two addresses */
    MANY_TARGETS = 16, /* ... of a site that has many */
    MANY_SOURCES = 10
};

static const char *const horizon_text[HORIZONS] = {"window", "hour", "6 hours"};

/* The count that is reached with probability exp(log_p) or less. */
static double quantile_of(double log_p, double mean, double dispersion)
{
    double low = 0.0;
    double high = 16.0 + mean * 4.0;
    while (log_tail_negbin(high, mean, dispersion) > log_p && high < 1e9)
        high *= 2.0;
    while (high - low > 1.0) {
        double middle = floor(0.5 * (low + high));
        if (log_tail_negbin(middle, mean, dispersion) > log_p)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Many sources that all want the same address have been told so: a wrong setting somewhere.
 * They may come in one window, with others before and after it, or one by one. */
static bool is_one_target(const struct site *site, const struct episode *e)
{
    bool wide = __builtin_popcountll(site->targets) >= MANY_TARGETS;
    bool at_once = e->peak >= MANY_SOURCES && __builtin_popcountll(e->targets) <= FEW_TARGETS;
    bool in_time = distinct_count(&e->hosts) >= MANY_SOURCES - 0.5 &&
                   __builtin_popcountll(e->wanted) <= FEW_TARGETS;
    return wide && (at_once || in_time);
}

/* Sources a window: two or three digits. */
static void rate_text(double rate, char text[16])
{
    snprintf(text, 16,
        rate >= 100.0 || fabs(rate - round(rate)) < 1e-9 ? "%.0f"
        : rate >= 10.0                                   ? "%.1f"
                                                         : "%.2g",
        rate);
}

static void write_words(struct finding *f, const struct surge *s, const struct series *p,
    const struct episode *e, const struct reason *why, const struct portrait *who)
{
    char what[SERVICE_TEXT];
    char span[TIME_TEXT];
    char origin[PORTRAIT_ORIGIN];
    char tagged[TAGGED_TEXT];
    service_format(p->service, what);
    tagged_tell(
        why->tally->window, p->service, s->sites[p->site].name, s->options.leave_out, tagged);
    portrait_origin(who, origin, sizeof origin);
    double windows = s->span[why->horizon];
    double mean = fmax((double)why->view.expected, 0.0);
    double d = (double)why->view.dispersion;
    char seen[16];
    char normal[16];
    char low[16];
    char high[16];
    rate_text((double)why->view.seen / windows, seen);
    rate_text(mean / windows, normal);
    rate_text(fmax(quantile_of(log(0.975), mean, d) - 1.0, 0.0) / windows, low);
    rate_text(quantile_of(log(0.025), mean, d) / windows, high);
    snprintf(f->title, sizeof f->title,
        "%s rises at %s: about %.0f different sources more than normal", what,
        s->sites[p->site].name, fmax(why->excess, 1.0));
    duration_format(s->window, span);
    int used = why->horizon
                   ? snprintf(f->explanation, sizeof f->explanation,
                         "%s saw %s different sources of %s every %s, on average over the last "
                         "%s; %s (%s to %s) are normal at this hour.",
                         s->sites[p->site].name, seen, what, span, horizon_text[why->horizon],
                         normal, low, high)
                   : snprintf(f->explanation, sizeof f->explanation,
                         "%s saw %s different sources of %s in %s; %s (%s to %s) are normal at "
                         "this hour.",
                         s->sites[p->site].name, seen, what, span, normal, low, high);
    char since[TIME_TEXT];
    time_format(window_start(s, e->first), since);
    if (used > 0 && (size_t)used < sizeof f->explanation)
        used += snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            " That is about %.0f different sources beyond normal; since %.16sZ, when it became "
            "strange, about %.0f came.%s%s%s",
            why->excess, since, distinct_count(&e->hosts), *origin ? " " : "", origin, tagged);
    if (why->learning && used > 0 && (size_t)used < sizeof f->explanation)
        snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            " The site is still being learned, so only large rises are reported.");
}

static enum err write_numbers(struct finding *f, const struct surge *s, const struct episode *e,
    const struct reason *why, const struct portrait *who)
{
    double mean = (double)why->view.expected;
    double hosts = distinct_count(&e->hosts); /* no less than networks: both are estimates */
    const struct evidence_value rows[] = {
        {"seen", (double)why->view.seen, "sources",
            why->horizon ? "different sources of each window, added up over the horizon"
                         : "different sources in the window"},
        {"expected", mean, "sources", "what of that is normal for this site, port and hour"},
        {"ratio", (double)why->view.seen / fmax(mean, 0.5), "",
            "seen over expected, the latter taken as 0.5 at least"},
        {"horizon", (double)s->span[why->horizon] * (double)s->window / 1e6, "s",
            "over how long was counted"},
        {"dispersion", (double)why->view.dispersion, "",
            "negative binomial: variance is mean + dispersion x mean squared"},
        {"log10_p", -why->log_p, "", "logarithm of the model's p-value"},
        {"score", why->score, "",
            "minus the logarithm of how many such rises chance gives in a day"},
        {"hosts", hosts, "sources",
            "different ones since the suspicion (estimate, standard error 3.3 %)"},
        {"networks", fmin(distinct_count(&e->networks), hosts), "networks",
            "different /24 (IPv6: /48) among them (the same)"},
        {"excess", why->excess, "sources", "different ones beyond normal over the horizon"},
        {"top_country", portrait_top_share(who), "",
            "share of the most frequent country among the sources of this window"},
        {"packets", (double)who->packets, "packets", "of these sources in the window"},
    };
    return evidence_numbers(f, rows, sizeof rows / sizeof *rows);
}

/* The last day of the series, with what was normal and from where on it would be strange. */
static enum err write_series(struct finding *f, const struct surge *s, const struct series *p,
    const struct reason *why, struct arena *scratch)
{
    uint32_t count = s->now < RING ? s->now : RING;
    double *values = arena_take(scratch, count, sizeof *values);
    double *expected = arena_take(scratch, count, sizeof *expected);
    double *threshold = arena_take(scratch, count, sizeof *threshold);
    if (!values || !expected || !threshold)
        return ERR_NOMEM;
    double level = (double)why->view.expected / s->span[why->horizon];
    double d = (double)why->view.dispersion;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = s->now - count + 1 + i;
        values[i] = (double)p->ring[n % RING];
        double rhythm = model_rhythm(s, p, n);
        expected[i] = isnan(rhythm) ? level : rhythm;
        double m = expected[i];
        threshold[i] = m + 5.0 * sqrt(m + d * m * m) + 3.0;
    }
    char name[SERVICE_TEXT + RECORD_NAME_MAX + 16];
    char what[SERVICE_TEXT];
    snprintf(name, sizeof name, "sources of %s at %s", service_format(p->service, what),
        s->sites[p->site].name);
    struct evidence_series row = {.name = name,
        .unit = "sources",
        .start = window_start(s, s->now - count + 1),
        .step = s->window,
        .count = count,
        .values = values,
        .expected = expected,
        .threshold = threshold};
    return evidence_series(f, &row);
}

static enum severity severity_of(
    const struct surge *s, const struct episode *e, const struct reason *why, bool one_target)
{
    if (one_target)
        return SEVERITY_INFO;
    struct rise rise = {.score = why->score,
        .ratio = (double)why->view.seen / fmax((double)why->view.expected, 0.5),
        .sites = 1,
        .fired = (unsigned)__builtin_popcount(e->history & 7),
        .lasted = (int64_t)(s->now - e->fired) * s->window};
    if (why->learning && (rise.score < 3.0 || rise.fired < 2))
        return SEVERITY_INFO;
    return rise_severity(&rise);
}

enum err surge_report(const struct surge *s, const struct series *p, const struct episode *e,
    const struct reason *why, struct arena *scratch, struct sink *out)
{
    struct portrait who = {0};
    enum err err = OK;
    if (why->group < why->tally->group_count)
        err = portrait_take(&who, why->tally, why->group, why->group + 1, scratch);
    if (err)
        return err;
    struct finding f;
    finding_init(&f, "surge", "port-surge");
    f.time = window_start(s, s->now + 1);
    f.start = e->start;
    f.end = f.time;
    f.score = fmin(why->score, 300.0);
    f.one_target = is_one_target(&s->sites[p->site], e);
    f.severity = severity_of(s, e, why, f.one_target);
    f.proto = service_proto(p->service);
    f.host_count = (uint64_t)llround(distinct_count(&e->hosts));
    finding_port(&f, service_port(p->service));
    finding_site(&f, s->sites[p->site].name);
    portrait_tell(&who, &f);
    write_words(&f, s, p, e, why, &who);
    err = write_numbers(&f, s, e, why, &who);
    if (!err)
        err = write_series(&f, s, p, why, scratch);
    if (!err)
        err = out->put(out->context, &f);
    finding_done(&f);
    return err;
}
