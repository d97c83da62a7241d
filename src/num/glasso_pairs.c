/* Which variables are equal, which pairs can have an edge, and what that makes components. */
#include "num/glasso_int.h"

#include "base/hash.h"
#include "base/index.h"
#include "num/blas_int.h"

#include <stdlib.h>
#include <string.h>

enum {
    TILE_ROWS = 128,
    TILE_COLUMNS = 512
};

static const double *input_row(const struct glasso *g, size_t i, size_t *ret_len)
{
    *ret_len = g->input.rows ? g->input.samples : g->input.count;
    return (g->input.rows ? g->input.rows : g->input.cov) + i * *ret_len;
}

static double variance_of(const struct glasso *g, size_t i)
{
    if (g->input.cov)
        return g->input.cov[i * g->input.count + i];
    const double *row = g->input.rows + i * g->input.samples;
    return blas_dot(row, row, g->input.samples);
}

static bool is_finite(const double *row, size_t len)
{
    double sum = 0.0;
    for (size_t k = 0; k < len; k++)
        sum += fabs(row[k]);
    return isfinite(sum);
}

/* Returns its number. */
static uint32_t add_group(struct glasso *g, size_t variable, uint32_t copies)
{
    uint32_t group = (uint32_t)g->group_count++;
    g->groups[group] = (struct glasso_group){
        .first = (uint32_t)variable, .copies = copies, .variance = variance_of(g, variable)};
    g->group_of[variable] = group;
    return group;
}

/* The group of a variable, or a new one. */
static enum err join_group(struct glasso *g, struct index *known, size_t variable)
{
    size_t len;
    const double *row = input_row(g, variable, &len);
    uint64_t hash = hash_bytes(row, len * sizeof *row, 0);
    uint32_t group = 0;
    size_t place = index_first(known, hash);
    for (; index_at(known, place, hash, &group); place = index_next(known, place)) {
        if (group == INDEX_OTHER)
            continue;
        size_t same;
        if (memcmp(input_row(g, g->groups[group].first, &same), row, len * sizeof *row) == 0) {
            g->group_of[variable] = group;
            g->groups[group].copies++;
            return OK;
        }
    }
    return index_put(known, place, hash, add_group(g, variable, 1));
}

static enum err join_equal(struct glasso *g)
{
    struct index known;
    enum err e = index_init(&known, g->input.count);
    if (e)
        return e;
    for (size_t i = 0; !e && i < g->input.count; i++)
        e = join_group(g, &known, i);
    index_done(&known);
    return e;
}

static int by_variance(const void *a, const void *b)
{
    const struct glasso_group *x = a;
    const struct glasso_group *y = b;
    if (x->variance > y->variance || x->variance < y->variance)
        return x->variance > y->variance ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* Groups by falling variance; variables follow. */
static enum err sort_groups(struct glasso *g)
{
    uint32_t *moved = calloc(g->group_count, sizeof *moved);
    uint32_t *old_of_first = calloc(g->input.count, sizeof *old_of_first);
    if (moved && old_of_first) {
        for (size_t k = 0; k < g->group_count; k++)
            old_of_first[g->groups[k].first] = (uint32_t)k;
        qsort(g->groups, g->group_count, sizeof *g->groups, by_variance);
        for (size_t k = 0; k < g->group_count; k++)
            moved[old_of_first[g->groups[k].first]] = (uint32_t)k;
        for (size_t i = 0; i < g->input.count; i++)
            g->group_of[i] = moved[g->group_of[i]];
    }
    enum err e = moved && old_of_first ? OK : ERR_NOMEM;
    free(moved);
    free(old_of_first);
    return e;
}

static enum err copy_rows(struct glasso *g)
{
    size_t n = g->input.samples;
    g->rows = malloc(g->group_count * n * sizeof *g->rows);
    if (!g->rows)
        return ERR_NOMEM;
    for (size_t k = 0; k < g->group_count; k++)
        memcpy(g->rows + k * n, g->input.rows + g->groups[k].first * n, n * sizeof *g->rows);
    return OK;
}

enum err glasso_group_equal(struct glasso *g)
{
    g->group_of = malloc(g->input.count * sizeof *g->group_of);
    g->groups = calloc(g->input.count, sizeof *g->groups);
    if (!g->group_of || !g->groups)
        return ERR_NOMEM;
    for (size_t i = 0; i < g->input.count; i++) {
        size_t len;
        const double *row = input_row(g, i, &len);
        if (!is_finite(row, len) || (g->input.copies && !g->input.copies[i]))
            return ERR_RANGE;
        if (g->input.copies)
            add_group(g, i, g->input.copies[i]);
    }
    enum err e = g->input.copies ? OK : join_equal(g);
    if (!e)
        e = sort_groups(g);
    if (!e && g->input.rows)
        e = copy_rows(g);
    return e;
}

double glasso_cov(const struct glasso *g, size_t i, size_t j)
{
    if (i == j)
        return g->groups[i].variance;
    if (!g->rows)
        return g->input.cov[g->groups[i].first * g->input.count + g->groups[j].first];
    return blas_dot(
        g->rows + i * g->input.samples, g->rows + j * g->input.samples, g->input.samples);
}

static enum err add_pair(struct glasso *g, size_t *room, size_t i, size_t j, double size)
{
    if (g->pair_count == *room) {
        size_t most = g->options.pairs_most;
        if (*room >= most)
            return ERR_FULL;
        size_t more = *room ? *room * 2 : 1024;
        more = more < most ? more : most;
        struct glasso_pair *grown = realloc(g->pairs, more * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        g->pairs = grown;
        *room = more;
    }
    g->pairs[g->pair_count++] =
        (struct glasso_pair){.i = (uint32_t)i, .j = (uint32_t)j, .size = size};
    return OK;
}

static enum err pairs_of_matrix(struct glasso *g)
{
    size_t room = 0;
    enum err e = OK;
    for (size_t i = 0; !e && i < g->group_count; i++)
        for (size_t j = i + 1; !e && j < g->group_count; j++) {
            double size = fabs(glasso_cov(g, i, j));
            if (size > g->options.least)
                e = add_pair(g, &room, i, j, size);
        }
    return e;
}

/* |s_ij| <= sqrt(s_ii s_jj), and variances fall: past `end` no group pairs with `i` or a later
 * one. */
static size_t reach_of(const struct glasso *g, size_t i)
{
    double least = g->options.least * g->options.least * (1.0 - 1e-12);
    size_t low = i + 1;
    size_t high = g->group_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->groups[i].variance * g->groups[middle].variance > least)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err pairs_of_tile(
    struct glasso *g, size_t *room, const double *tile, size_t i, size_t from, size_t to)
{
    enum err e = OK;
    for (size_t j = from > i ? from : i + 1; !e && j < to; j++) {
        double size = fabs(tile[j - from]);
        if (size > g->options.least)
            e = add_pair(g, room, i, j, size);
    }
    return e;
}

static enum err pairs_of_rows(struct glasso *g)
{
    size_t n = g->input.samples;
    size_t room = 0;
    double *tile = malloc(sizeof *tile * TILE_ROWS * TILE_COLUMNS);
    enum err e = tile ? OK : ERR_NOMEM;
    for (size_t i = 0; !e && i < g->group_count; i += TILE_ROWS) {
        size_t rows = g->group_count - i < TILE_ROWS ? g->group_count - i : TILE_ROWS;
        size_t reach = reach_of(g, i);
        for (size_t j = i; !e && j < reach; j += TILE_COLUMNS) {
            size_t columns = reach - j < TILE_COLUMNS ? reach - j : TILE_COLUMNS;
            struct blas_rows a = {.at = g->rows + i * n, .count = rows};
            struct blas_rows b = {.at = g->rows + j * n, .count = columns};
            blas_products(tile, TILE_COLUMNS, &a, &b, n);
            for (size_t k = 0; !e && k < rows; k++)
                e = pairs_of_tile(g, &room, tile + k * TILE_COLUMNS, i + k, j, j + columns);
        }
    }
    free(tile);
    return e;
}

enum err glasso_find_pairs(struct glasso *g)
{
    g->roots = malloc(g->group_count * sizeof *g->roots);
    if (!g->roots)
        return ERR_NOMEM;
    return g->rows ? pairs_of_rows(g) : pairs_of_matrix(g);
}

/* Path halving; roots are lower than what hangs on them. */
static uint32_t root_of(uint32_t *up, uint32_t i)
{
    while (up[i] != i) {
        up[i] = up[up[i]];
        i = up[i];
    }
    return i;
}

void glasso_screen(struct glasso *g, double rho)
{
    for (size_t i = 0; i < g->group_count; i++)
        g->roots[i] = (uint32_t)i;
    for (size_t k = 0; k < g->pair_count; k++) {
        if (!(g->pairs[k].size > rho))
            continue;
        uint32_t a = root_of(g->roots, g->pairs[k].i);
        uint32_t b = root_of(g->roots, g->pairs[k].j);
        if (a < b)
            g->roots[b] = a;
        else
            g->roots[a] = b;
    }
    for (size_t i = 0; i < g->group_count; i++)
        g->roots[i] = root_of(g->roots, (uint32_t)i);
}
