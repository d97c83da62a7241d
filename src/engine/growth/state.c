#include "engine/growth/growth_int.h"

enum err growth_save(const struct engine_state *st, struct buf *out)
{
    (void)st;
    return out->err;
}

enum err growth_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    (void)st;
    (void)saved;
    return fault_set(f, ERR_BAD, "growth state");
}
