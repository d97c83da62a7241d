#include "evaluate/foresight.h"

#include "base/clock.h"
#include "num/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* When the event begins at a site; 0: it does not come there. */
static int64_t onset_at(const struct truth *t, const struct truth_event *e, const char *site)
{
    for (uint32_t i = 0; e && i < e->site_count; i++)
        if (e->sites[i].first && strcmp(t->sites[e->sites[i].site].name, site) == 0)
            return e->sites[i].onset;
    return 0;
}

static enum err keep(struct foresight *all, double error, double ahead)
{
    if (all->came == FORESIGHT_MOST)
        return ERR_FULL;
    double *errors = realloc(all->errors, (all->came + 1) * sizeof *errors);
    if (!errors)
        return ERR_NOMEM;
    all->errors = errors;
    double *aheads = realloc(all->ahead, (all->came + 1) * sizeof *aheads);
    if (!aheads)
        return ERR_NOMEM;
    all->ahead = aheads;
    all->errors[all->came] = error;
    all->ahead[all->came] = ahead;
    all->came++;
    return OK;
}

static double hours(int64_t us)
{
    return (double)us / (double)US_HOUR;
}

enum err foresight_add(struct foresight *all, const struct warning *w, const struct truth *t,
    const struct truth_event *event)
{
    enum err e = OK;
    for (uint32_t i = 0; !e && i < w->forecast_count; i++) {
        const struct warning_forecast *f = &w->forecasts[i];
        int64_t onset = onset_at(t, event, f->site);
        all->forecasts++;
        if (onset && onset <= f->made) {
            all->late++;
            continue;
        }
        int bin = (int)(f->chance * FORESIGHT_BINS);
        bin = bin < 0 ? 0 : bin >= FORESIGHT_BINS ? FORESIGHT_BINS - 1 : bin;
        all->chance[bin] += f->chance;
        all->bin[bin]++;
        if (!onset) {
            all->missed++;
            continue;
        }
        all->true_bin[bin]++;
        all->inside += onset >= f->low && onset <= f->high;
        e = keep(all, hours(onset - f->expected), hours(onset - f->made));
    }
    return e;
}

void foresight_done(struct foresight *f)
{
    free(f->errors);
    free(f->ahead);
    *f = (struct foresight){0};
}

static double median_of(const double *values, uint64_t count, bool absolute)
{
    double *copy = count ? calloc(count, sizeof *copy) : NULL;
    if (!copy)
        return NAN;
    for (uint64_t i = 0; i < count; i++)
        copy[i] = absolute ? fabs(values[i]) : values[i];
    double middle = median(copy, count);
    free(copy);
    return middle;
}

double foresight_error(const struct foresight *f)
{
    return median_of(f->errors, f->came, true);
}

double foresight_ahead(const struct foresight *f)
{
    return median_of(f->ahead, f->came, false);
}
