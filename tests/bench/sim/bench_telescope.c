/* How fast simulated telescopes are made: four days at eight sites with everything in them. */
#include "base/clock.h"
#include "decode/packet.h"
#include "sim/telescope.h"

#include <stdio.h>
#include <time.h>

enum {
    RUN = 512
};

/* Of the processor, so that what else runs does not count. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(void)
{
    struct telescope_options o;
    struct telescope *t;
    struct fault f = {0};
    telescope_options_init(&o);
    o.start = INT64_C(1785715200) * US_SECOND; /* 2026-08-03 */
    double begin = seconds();
    if (telescope_open(&t, &o, &f)) {
        fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    double opened = seconds();
    struct telescope_frame frames[RUN];
    uint64_t packets = 0, bytes = 0;
    size_t count;
    enum err e;
    while (!(e = telescope_next(t, INT64_MAX, frames, RUN, &count))) {
        packets += count;
        for (size_t i = 0; i < count; i++)
            bytes += frames[i].frame.len;
    }
    double spent = seconds() - opened;
    printf("telescope, 4 days, 8 sites, seed 1: %.2f M packets/s, %.0f ns a packet, %.0f MB/s "
           "(%llu packets; %.2f s to open)\n",
        (double)packets / spent / 1e6, spent / (double)packets * 1e9,
        (double)bytes / spent / 1e6, (unsigned long long)packets, opened - begin);
    telescope_close(t);
    return e != ERR_NOTFOUND;
}
