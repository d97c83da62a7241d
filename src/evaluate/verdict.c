#include "evaluate/verdict.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static const double days_most = 1e5; /* nobody waits for so long */

static bool are_enough(double days, double rate, double level)
{
    return interval_count((uint64_t)ceil(rate * days)).high <= level * days;
}

/* The first of the days, doubled and then halved, that are enough. */
static double days_enough(double rate, double level)
{
    double high = interval_count(0).high / level; /* without any alert */
    double low = high;
    if (rate >= level)
        return INFINITY;
    while (high < days_most && !are_enough(high, rate, level))
        high *= 2.0;
    if (!are_enough(high, rate, level))
        return INFINITY;
    for (int i = 0; i < 40 && high - low > 0.01; i++) {
        double middle = (low + high) / 2.0;
        if (are_enough(middle, rate, level))
            high = middle;
        else
            low = middle;
    }
    return high;
}

struct verdict verdict_of(uint64_t alerts, double days, double level)
{
    struct interval count = interval_count(alerts);
    struct verdict v = {.rate = (double)alerts / days,
        .about = {.low = count.low / days, .high = count.high / days}};
    v.kept = v.about.low > level    ? VERDICT_NO
             : v.about.high > level ? VERDICT_TOO_SHORT
                                    : VERDICT_YES;
    v.days = days_enough(v.rate, level);
    return v;
}

const char *verdict_format(const struct verdict *v, char text[VERDICT_TEXT])
{
    if (v->kept != VERDICT_TOO_SHORT)
        snprintf(text, VERDICT_TEXT, "%s", v->kept == VERDICT_YES ? "yes" : "no");
    else if (isfinite(v->days))
        snprintf(text, VERDICT_TEXT, "not against it; %.0f days would tell", ceil(v->days));
    else
        snprintf(text, VERDICT_TEXT, "not against it; the rate is at or above the level");
    return text;
}
