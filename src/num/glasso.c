#include "num/glasso.h"

#include "num/blas_int.h"
#include "num/glasso_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const double tolerance_default = 1e-6;
enum {
    COMPONENT_DEFAULT = 2048,
    PAIRS_DEFAULT = 1 << 23
};

void glasso_centre(double *rows, size_t count, size_t samples, double divisor)
{
    assert(samples && divisor > 0.0);
    double scale = 1.0 / sqrt(divisor);
    for (size_t i = 0; i < count; i++) {
        double *row = rows + i * samples;
        double mean = 0.0;
        for (size_t k = 0; k < samples; k++)
            mean += row[k];
        mean /= (double)samples;
        for (size_t k = 0; k < samples; k++)
            row[k] = (row[k] - mean) * scale;
    }
}

static bool is_sound(const struct glasso_input *in, const struct glasso_options *o)
{
    bool one = (in->rows != NULL) != (in->cov != NULL);
    bool counts = in->count >= 1 && in->count <= GLASSO_MOST && (in->cov || in->samples >= 1);
    return one && counts && o->least > 0.0 && isfinite(o->least) && o->tolerance >= 0.0;
}

static enum err check_variances(const struct glasso *g)
{
    for (size_t i = 0; i < g->group_count; i++) {
        double v = g->groups[i].variance;
        if (!(v >= 0.0) || !isfinite(v) || (g->options.bare_diagonal && !(v > 0.0)))
            return ERR_RANGE;
    }
    return OK;
}

enum err glasso_new(struct glasso **ret_glasso, const struct glasso_input *input,
    const struct glasso_options *options)
{
    if (!is_sound(input, options))
        return ERR_RANGE;
    struct glasso *g = calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    g->input = *input;
    g->options = *options;
    if (!(g->options.tolerance > 0.0))
        g->options.tolerance = tolerance_default;
    if (!g->options.component_most)
        g->options.component_most = COMPONENT_DEFAULT;
    if (!g->options.pairs_most)
        g->options.pairs_most = PAIRS_DEFAULT;
    arena_init(&g->now.memory, SIZE_MAX / 4);
    blas_single_thread();
    enum err e = glasso_group_equal(g);
    if (!e)
        e = check_variances(g);
    if (!e)
        e = glasso_find_pairs(g);
    if (e) {
        glasso_free(g);
        return e;
    }
    *ret_glasso = g;
    return OK;
}

void glasso_free(struct glasso *g)
{
    if (!g)
        return;
    free(g->group_of);
    free(g->groups);
    free(g->rows);
    free(g->pairs);
    free(g->roots);
    arena_done(&g->now.memory);
    free(g);
}

/* --- solving ----------------------------------------------------------------------------- */

/* Lays out the parts: counts, numbers, places. */
static enum err lay_parts(const struct glasso *g, struct glasso_solution *s)
{
    size_t d = g->group_count;
    s->part_of = arena_take(&s->memory, d, sizeof *s->part_of);
    s->place_of = arena_take(&s->memory, d, sizeof *s->place_of);
    s->parts = arena_take(&s->memory, d, sizeof *s->parts);
    uint32_t *groups = arena_take(&s->memory, d, sizeof *groups);
    if (!s->part_of || !s->place_of || !s->parts || !groups)
        return ERR_NOMEM;
    for (size_t i = 0; i < d; i++) {
        uint32_t root = g->roots[i];
        s->part_of[i] = root == i ? (uint32_t)s->part_count++ : s->part_of[root];
        s->place_of[i] = s->parts[s->part_of[i]].count++;
    }
    for (size_t k = 0; k < s->part_count; k++) {
        s->parts[k].groups = groups;
        groups += s->parts[k].count;
    }
    for (size_t i = 0; i < d; i++)
        s->parts[s->part_of[i]].groups[s->place_of[i]] = (uint32_t)i;
    return OK;
}

/* The entry of W between two groups, before. */
static double entry_before(const struct glasso *g, uint32_t i, uint32_t j)
{
    const struct glasso_solution *s = &g->now;
    if (s->part_of[i] != s->part_of[j])
        return 0.0;
    const struct glasso_part *part = &s->parts[s->part_of[i]];
    return part->inverse[(size_t)s->place_of[i] * part->count + s->place_of[j]];
}

/* A component of one group needs no search. */
static void solve_single(const struct glasso *g, double rho, struct glasso_part *part)
{
    const struct glasso_group *group = &g->groups[part->groups[0]];
    double copies = group->copies;
    double root = sqrt(copies);
    double s = group->variance;
    double delta = g->options.bare_diagonal ? 0.0 : rho;
    struct part_problem p = {.m = 1,
        .rho = rho,
        .delta = delta,
        .bare = rho + delta,
        .root = &root,
        .copies = &copies,
        .s = &s};
    part_guess(&p, part->quotient);
    part->inverse[0] = 1.0 / part->quotient[0];
    part->result = (struct part_result){
        .objective = part_linear(&p, part->quotient) - log(part->quotient[0]),
        .residual = part_residual(&p, part->quotient, part->inverse)};
}

static enum err solve_part(const struct glasso *g, double rho, struct glasso_part *part,
    struct arena *memory, struct arena *scratch)
{
    size_t m = part->count;
    struct part_problem p;
    part->quotient = arena_room(memory, m * m, sizeof *part->quotient);
    part->inverse = arena_room(memory, m * m, sizeof *part->inverse);
    double *before = arena_room(scratch, m * m, sizeof *before);
    if (!part->quotient || !part->inverse || !before)
        return ERR_NOMEM;
    if (m == 1) {
        solve_single(g, rho, part);
        return OK;
    }
    enum err e = part_open(&p, g, rho, part, scratch);
    if (e)
        return e;
    bool path = g->now.rho >= rho;
    for (size_t i = 0; path && i < m; i++)
        for (size_t j = 0; j < m; j++)
            before[i * m + j] = entry_before(g, part->groups[i], part->groups[j]);
    part_start(&p, path ? before : NULL, g->now.rho, part->inverse);
    return part_solve(
        &p, g->options.tolerance, part->inverse, part->quotient, scratch, &part->result);
}

enum err glasso_solve(struct glasso *g, double rho)
{
    if (!(rho >= g->options.least) || !isfinite(rho))
        return ERR_RANGE;
    struct glasso_solution next = {.rho = rho};
    struct arena scratch;
    arena_init(&next.memory, SIZE_MAX / 4);
    arena_init(&scratch, SIZE_MAX / 4);
    glasso_screen(g, rho);
    enum err e = lay_parts(g, &next);
    for (size_t k = 0; !e && k < next.part_count; k++)
        if (next.parts[k].count > g->options.component_most)
            e = ERR_FULL;
    for (size_t k = 0; !e && k < next.part_count; k++) {
        e = solve_part(g, rho, &next.parts[k], &next.memory, &scratch);
        arena_clear(&scratch);
    }
    arena_done(&scratch);
    if (e) {
        arena_done(&next.memory);
        return e;
    }
    arena_done(&g->now.memory);
    g->now = next;
    return OK;
}

enum err glasso_largest(struct glasso *g, double rho, size_t *ret_count)
{
    if (!(rho >= g->options.least) || !isfinite(rho))
        return ERR_RANGE;
    glasso_screen(g, rho);
    uint32_t *counts = calloc(g->group_count, sizeof *counts);
    if (!counts)
        return ERR_NOMEM;
    size_t largest = 0;
    for (size_t i = 0; i < g->group_count; i++)
        if (++counts[g->roots[i]] > largest)
            largest = counts[g->roots[i]];
    free(counts);
    *ret_count = largest;
    return OK;
}

/* --- the solution ------------------------------------------------------------------------ */

static double quotient(const struct glasso_part *part, size_t i, size_t j)
{
    return part->quotient[i * part->count + j];
}

/* b of a group: between its equal variables. */
static double within(const struct glasso *g, uint32_t group, double q)
{
    double bare = g->now.rho * (g->options.bare_diagonal ? 1.0 : 2.0);
    return g->groups[group].copies > 1 && q * bare < 1.0
               ? (q - 1.0 / bare) / g->groups[group].copies
               : 0.0;
}

double glasso_entry(const struct glasso *g, size_t i, size_t j)
{
    assert(g->now.rho > 0.0 && i < g->input.count && j < g->input.count);
    uint32_t a = g->group_of[i];
    uint32_t b = g->group_of[j];
    if (g->now.part_of[a] != g->now.part_of[b])
        return 0.0;
    const struct glasso_part *part = &g->now.parts[g->now.part_of[a]];
    double q = quotient(part, g->now.place_of[a], g->now.place_of[b]);
    if (a != b)
        return q / (sqrt(g->groups[a].copies) * sqrt(g->groups[b].copies));
    double inside = within(g, a, q);
    return i == j ? q - (g->groups[a].copies - 1.0) * inside : inside;
}

static uint64_t group_degree(const struct glasso *g, uint32_t group)
{
    const struct glasso_part *part = &g->now.parts[g->now.part_of[group]];
    size_t at = g->now.place_of[group];
    uint64_t sum = 0;
    for (size_t k = 0; k < part->count; k++)
        if (k != at && fabs(quotient(part, at, k)) > 0.0)
            sum += g->groups[part->groups[k]].copies;
    if (within(g, group, quotient(part, at, at)) < 0.0)
        sum += g->groups[group].copies - 1;
    return sum;
}

uint64_t glasso_degree(const struct glasso *g, size_t i)
{
    assert(g->now.rho > 0.0 && i < g->input.count);
    return group_degree(g, g->group_of[i]);
}

uint64_t glasso_edges(const struct glasso *g)
{
    assert(g->now.rho > 0.0);
    uint64_t ends = 0;
    for (size_t k = 0; k < g->group_count; k++)
        ends += group_degree(g, (uint32_t)k) * g->groups[k].copies;
    return ends / 2;
}

double glasso_objective(const struct glasso *g)
{
    double sum = 0.0;
    for (size_t k = 0; k < g->now.part_count; k++)
        sum += g->now.parts[k].result.objective;
    return sum;
}

double glasso_residual(const struct glasso *g)
{
    double worst = 0.0;
    for (size_t k = 0; k < g->now.part_count; k++)
        worst = fmax(worst, g->now.parts[k].result.residual);
    return worst;
}

size_t glasso_components(const struct glasso *g)
{
    return g->now.part_count;
}

size_t glasso_component(const struct glasso *g, size_t i)
{
    assert(g->now.rho > 0.0 && i < g->input.count);
    return g->now.part_of[g->group_of[i]];
}

size_t glasso_distinct(const struct glasso *g)
{
    return g->group_count;
}
