#include "evaluate/tape_count.h"

#include "engine/service.h"
#include "engine/tally.h"

#include <string.h>

static enum err window_count(
    const struct window *w, struct host_counts *h, struct arena *scratch)
{
    struct tally t;
    const unsigned leave_out = 1u << CLASS_SURVEY | 1u << CLASS_BACKSCATTER;
    enum err e = tally_build(&t, w, leave_out, scratch);
    for (size_t g = 0; !e && g < t.group_count; g++) {
        const struct tally_group *group = &t.groups[g];
        e = host_counts_add(h, w->start, w->sites[group->site].name,
            service_proto(group->service), service_port(group->service), group->count);
    }
    return e;
}

enum err tape_count_hosts(struct tape *t, struct host_counts *h, struct fault *f)
{
    struct arena scratch;
    arena_init(&scratch, (size_t)1 << 31);
    enum err e = OK;
    for (size_t i = 0; !e && i < tape_count(t); i++) {
        const struct window *w;
        e = tape_read(t, i, &w, f);
        if (!e) {
            e = window_count(w, h, &scratch);
            if (e)
                fault_set(f, e, "counting hosts: %s", err_text(e));
        }
        arena_clear(&scratch);
    }
    arena_done(&scratch);
    return e;
}
