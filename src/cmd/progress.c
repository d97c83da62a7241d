#include "cmd/progress.h"

#include "base/clock.h"

#include <stdlib.h>

struct progress {
    FILE *out;
    struct site *const *sites;
    size_t count;
    int64_t began, shown;
};

void progress_open(
    struct progress **ret_progress, FILE *out, struct site *const *sites, size_t count)
{
    *ret_progress = NULL;
    if (!out)
        return;
    struct progress *p = calloc(1, sizeof *p);
    if (!p)
        return;
    struct clock wall = clock_system();
    *p = (struct progress){
        .out = out, .sites = sites, .count = count, .began = clock_now(&wall)};
    *ret_progress = p;
}

void progress_show(struct progress *p, int64_t time)
{
    struct clock wall = clock_system();
    if (!p || clock_now(&wall) - p->shown < US_SECOND / 4)
        return;
    p->shown = clock_now(&wall);
    struct source_counts sum = {0};
    for (size_t i = 0; i < p->count; i++) {
        const struct site_live *live = site_live(p->sites[i]);
        sum.frames += atomic_load(&live->frames);
        sum.offset += atomic_load(&live->offset);
        sum.size += atomic_load(&live->size);
    }
    double seconds = (double)(p->shown - p->began) / (double)US_SECOND;
    char when[TIME_TEXT];
    fprintf(p->out, "\r\033[K");
    if (sum.size)
        fprintf(p->out, "%3.0f %%  ", 100.0 * (double)sum.offset / (double)sum.size);
    fprintf(p->out, "%llu packets  %.2f M/s  at %s", (unsigned long long)sum.frames,
        seconds > 0.0 ? (double)sum.frames / seconds / 1e6 : 0.0, time_format(time, when));
    fflush(p->out);
}

void progress_clear(struct progress *p)
{
    if (!p || !p->shown)
        return;
    fprintf(p->out, "\r\033[K");
    fflush(p->out);
}

void progress_close(struct progress *p)
{
    progress_clear(p);
    free(p);
}
