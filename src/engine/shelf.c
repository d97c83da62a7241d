#include "engine/shelf.h"

#include "engine/tally_int.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    TALLIES = 4 /* engines with the same classes share one; most leave out the same */
};

struct shelf {
    pthread_mutex_t lock; /* held while a tally is made: who wants it too has to wait anyway */
    struct arena memory;
    struct {
        unsigned leave_out;
        struct tally tally;
    } made[TALLIES];
    size_t count;
};

enum err shelf_new(struct shelf **ret_shelf, size_t cap)
{
    struct shelf *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    pthread_mutex_init(&s->lock, NULL);
    arena_init(&s->memory, cap);
    *ret_shelf = s;
    return OK;
}

void shelf_free(struct shelf *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    arena_done(&s->memory);
    free(s);
}

void shelf_clear(struct shelf *s)
{
    arena_clear(&s->memory);
    s->count = 0;
}

/* Called with the lock held. */
static enum err find_or_make(
    struct shelf *s, const struct window *w, unsigned leave_out, struct tally *ret_tally)
{
    size_t i = 0;
    while (i < s->count && s->made[i].leave_out != leave_out)
        i++;
    if (i == TALLIES)
        return ERR_NOMEM;
    if (i == s->count) {
        enum err e = tally_make(&s->made[i].tally, w, leave_out, &s->memory);
        if (e)
            return e;
        s->made[i].leave_out = leave_out;
        s->count++;
    }
    *ret_tally = s->made[i].tally;
    return OK;
}

enum err shelf_tally(
    struct shelf *s, const struct window *w, unsigned leave_out, struct tally *ret_tally)
{
    pthread_mutex_lock(&s->lock);
    enum err e = find_or_make(s, w, leave_out, ret_tally);
    pthread_mutex_unlock(&s->lock);
    return e;
}
