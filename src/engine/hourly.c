#include "engine/hourly.h"

static const double again_least = 0.25; /* of what is seen now */
static const double others_most = 0.25; /* of the mean at the place */

struct mean {
    double sum;
    size_t count;
};

static void mean_add(struct mean *m, double x)
{
    m->sum += x;
    m->count++;
}

/* How many windows lie between k windows ago and the nearest that is whole hours ago. */
static size_t distance(size_t k, size_t span)
{
    size_t into = k % span;
    return into < span - into ? into : span - into;
}

bool hourly_is(const double *strength, size_t count, size_t span)
{
    if (span < 2 || !count || !(strength[0] > 0.0))
        return false;
    struct mean same = {0};
    struct mean others = {0};
    size_t watched = 0;
    size_t there = 0;
    mean_add(&same, strength[0]);
    for (size_t k = 1; k < count && k < HOURLY_HOURS * span; k++) {
        size_t far = distance(k, span);
        if (far == 0) {
            watched++;
            there += strength[k] >= again_least * strength[0];
            mean_add(&same, strength[k]);
        } else if (far > 1 || span < 4) {
            mean_add(&others, strength[k]);
        }
    }
    if (watched && !there)
        return false;
    double place = same.sum / (double)same.count;
    return !others.count || others.sum / (double)others.count < others_most * place;
}
