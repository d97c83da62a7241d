/* What the factorisation saw, to be drawn: the block's hosts, on which services and at what
 * times they were in step, and the factors that put them together. */
#include "engine/picture.h"

#include "engine/tensor/tensor_int.h"

#include <math.h>
#include <string.h>

enum {
    BESIDE = 12 /* hosts that are not of the group, to compare it with */
};

/* A host of the tensor as it may be drawn. */
struct sight {
    uint32_t host; /* its place in the cube */
    double weight; /* its factor; NaN: there is none */
    double steps;  /* cells of it on the block's services */
};

static bool is_before(const struct sight *a, const struct sight *b)
{
    if (isfinite(a->weight) && (a->weight > b->weight || a->weight < b->weight))
        return a->weight > b->weight;
    if (a->steps > b->steps || a->steps < b->steps)
        return a->steps > b->steps;
    return a->host < b->host;
}

static void insert(struct sight *list, size_t *count, const struct sight *one)
{
    size_t at = *count;
    while (at > 0 && is_before(one, &list[at - 1]))
        at--;
    if (at == EVIDENCE_ROWS)
        return;
    *count += *count < EVIDENCE_ROWS;
    memmove(&list[at + 1], &list[at], (*count - 1 - at) * sizeof *list);
    list[at] = *one;
}

static const uint32_t *cell(const struct cube *c, size_t i)
{
    return c->index + i * 3;
}

/* Column of each voice: the block's services first, then the others; returns how many there are
 * of the first. */
static size_t order_voices(
    const struct block_found *b, size_t count, struct picture *p, size_t column[CANDIDATES])
{
    const struct voice *voices = b->from->voices;
    size_t in = 0;
    for (size_t i = 0; i < CANDIDATES; i++)
        column[i] = CANDIDATES;
    for (; in < b->count; in++)
        column[b->voice[in] - voices] = in;
    size_t next = in;
    for (size_t i = 0; i < count; i++)
        column[i] = column[i] < CANDIDATES ? column[i] : next++;
    for (size_t i = 0; i < count; i++) {
        p->service[column[i]] = voices[i].service;
        p->port_weight[column[i]] = b->share > 0.0 ? b->acts[i] : (double)NAN;
    }
    p->ports = count;
    return in;
}

/* The group's hosts first, and a few others. A block without a group has those that were in
 * step on its service. */
static size_t choose_hosts(const struct block_found *b, const double *steps,
    struct sight list[EVIDENCE_ROWS], size_t *ret_in)
{
    const struct cube *c = &b->from->cube;
    size_t hosts = c->cells.size[0];
    const double *weight =
        b->share > 0.0 ? b->from->f.factor[0] + b->part * b->from->f.size[0] : NULL;
    double threshold = weight ? otsu_threshold(weight, hosts) : 0.0;
    size_t count = 0;
    for (uint32_t h = 0; h < hosts; h++) {
        struct sight one = {
            .host = h, .weight = weight ? weight[h] : (double)NAN, .steps = steps[h]};
        if (weight ? weight[h] > 0.0 : one.steps > 0.0)
            insert(list, &count, &one);
    }
    size_t in = 0;
    while (in < count && (!weight || list[in].weight >= threshold))
        in++;
    *ret_in = in;
    return count < in + BESIDE ? count : in + BESIDE;
}

/* How much the group acts at each time, on all services; the largest is 1. */
static void weigh_times(const struct block_found *b, size_t first, struct picture *p)
{
    const struct tucker *f = &b->from->f;
    double most = 0.0;
    for (size_t k = 0; k < p->times; k++) {
        double sum = 0.0;
        for (unsigned q = 0; b->share > 0.0 && q < f->rank[1]; q++)
            for (unsigned r = 0; r < f->rank[2]; r++)
                sum += f->core[(b->part * f->rank[1] + q) * f->rank[2] + r] *
                       f->factor[2][r * f->size[2] + first + k];
        p->time_weight[k] = sum;
        most = fmax(most, sum);
    }
    for (size_t k = 0; k < p->times; k++)
        p->time_weight[k] = most > 0.0 ? p->time_weight[k] / most : (double)NAN;
}

/* What each host that is drawn did. */
static void fill(const struct block_found *b, const size_t column[CANDIDATES],
    const struct sight *list, size_t first, struct picture *p)
{
    const struct cube *c = &b->from->cube;
    for (size_t i = 0; i < p->rows; i++) {
        p->host[i] = c->hosts[list[i].host];
        p->row_weight[i] = list[i].weight;
        for (size_t k = 0; k < c->cells.count; k++) {
            const uint32_t *at = cell(c, k);
            if (at[0] != list[i].host)
                continue;
            p->by_port[i][column[at[1]]] += 1.0;
            if (column[at[1]] < b->count && at[2] >= first)
                p->by_time[i][at[2] - first] += 1.0;
        }
    }
}

enum err tensor_picture(const struct tensor *s, const struct block_found *b,
    struct arena *scratch, struct picture *ret_picture)
{
    const struct cube *c = &b->from->cube;
    struct picture *p = ret_picture;
    *p = (struct picture){.port_unit = "times in step", .time_unit = "services"};
    if (!c->cells.count)
        return OK;
    double *steps = arena_take(scratch, c->cells.size[0], sizeof *steps);
    if (!steps)
        return ERR_NOMEM;
    size_t column[CANDIDATES] = {0};
    struct sight list[EVIDENCE_ROWS] = {{0}};
    p->ports_in = order_voices(b, c->cells.size[1], p, column);
    for (size_t i = 0; i < c->cells.count; i++)
        steps[cell(c, i)[0]] += column[cell(c, i)[1]] < b->count;
    p->rows = choose_hosts(b, steps, list, &p->rows_in);
    size_t times = c->cells.size[2];
    size_t first = times > PICTURE_TIMES ? times - PICTURE_TIMES : 0;
    p->times = times - first;
    for (size_t k = 0; k < p->times; k++) {
        uint64_t slot = c->times[first + k];
        p->time[k] = window_start(s, (uint32_t)(slot / PULSE_SLOTS)) +
                     (int64_t)(slot % PULSE_SLOTS) * s->window / PULSE_SLOTS;
    }
    weigh_times(b, first, p);
    fill(b, column, list, first, p);
    return OK;
}
