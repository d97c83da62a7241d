#ifndef TESTS_LIB_BENCH_H
#define TESTS_LIB_BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Rounds of one piece of work, timed each; other processes disturb some rounds, so the median
 * and the best are told. */
enum {
    BENCH_ROUNDS_MAX = 256
};

struct bench {
    double start;
    double round[BENCH_ROUNDS_MAX];
    size_t count;
    bool wall; /* time on the wall, for work of several threads; else of this thread alone */
};

static inline double bench_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline double bench_seconds(void)
{
    return bench_clock(CLOCK_THREAD_CPUTIME_ID);
}

static inline double bench_now(const struct bench *b)
{
    return b->wall ? bench_clock(CLOCK_MONOTONIC) : bench_seconds();
}

static inline void bench_begin(struct bench *b)
{
    b->start = bench_now(b);
}

static inline void bench_end(struct bench *b)
{
    if (b->count < BENCH_ROUNDS_MAX)
        b->round[b->count++] = bench_now(b) - b->start;
}

static inline int bench_compare(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

/* "name  12.3 M items/s  81.3 ns/item (best 79.9)"; `items` in each round. */
static inline void bench_print(
    struct bench *b, const char *name, const char *item, double items)
{
    qsort(b->round, b->count, sizeof b->round[0], bench_compare);
    double middle = b->round[b->count / 2];
    printf("%-34s %7.1f M %s/s %8.1f ns each, best round %.1f\n", name, items / middle / 1e6,
        item, middle / items * 1e9, b->round[0] / items * 1e9);
    b->count = 0;
}

#endif
