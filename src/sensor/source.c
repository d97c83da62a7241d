#include "sensor/source.h"

#include "sensor/source_int.h"

#include <assert.h>

enum err source_next(struct source *s, struct frame *frames, size_t cap, int wait_ms,
    size_t *ret_count, struct fault *f)
{
    assert(cap > 0);
    return s->kind->next(s, frames, cap, wait_ms, ret_count, f);
}

void source_counts(const struct source *s, struct source_counts *ret_counts)
{
    s->kind->counts(s, ret_counts);
}

void source_close(struct source *s)
{
    if (s)
        s->kind->close(s);
}
