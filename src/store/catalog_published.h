#ifndef STORE_CATALOG_PUBLISHED_H
#define STORE_CATALOG_PUBLISHED_H

#include "store/catalog.h"

/* What the hub has let out: each step's rows as they were published, once. They are read from
 * here and never made again, so that what comes in late, or another policy, does not show by
 * how an answer differs from the one before. As in catalog.h every function is one transaction
 * and durable when it returns OK. */

enum {
    PUBLISHED_ROWS_MAX = 10000, /* of a step */
    PUBLISHED_POLICY = 1024     /* bytes of its text */
};

/**
 * The policy that holds from now on, as text; a change goes into the audit log.
 *
 * @param fresh the secret of noise and jitter, taken where the catalogue has none yet.
 * @param ret_secret the catalogue's.
 */
enum err catalog_publication(struct catalog *c, const char *policy, int64_t now, uint64_t fresh,
    uint64_t *ret_secret, struct fault *f) MUST_CHECK;

/* Nothing is published from now on; noted in the audit log where something was. */
enum err catalog_publication_off(struct catalog *c, int64_t now, struct fault *f) MUST_CHECK;

struct catalog_published_row {
    uint32_t key;
    uint64_t sources;
};

struct catalog_published_step {
    int64_t start, length; /* us */
    int64_t made;          /* when it came out */
};

/* A step and its rows, the largest first; there may be none. ERR_EXISTS: it is out already. */
enum err catalog_publish(struct catalog *c, const struct catalog_published_step *step,
    const struct catalog_published_row *rows, size_t count, struct fault *f) MUST_CHECK;

/* All steps that are out; `first` 0: none. */
struct catalog_published_span {
    int64_t first, end;
    uint64_t steps;
};
enum err catalog_published_span(
    struct catalog *c, struct catalog_published_span *ret_span) MUST_CHECK;

struct catalog_published_query {
    int64_t from, to;  /* of the start of steps: [from, to) */
    int64_t key;       /* -1: any */
    int64_t after;     /* rows after this one: its step's start ... */
    int64_t rank;      /* ... and its place; both 0: from the first on */
    size_t limit;      /* 1.. */
    uint32_t key_mask; /* which bits of the key are compared; 0: all */
};

/* In order of time, in a step the largest first; `rank` is a row's place in its step, from 1.
 */
enum err catalog_published(struct catalog *c, const struct catalog_published_query *wanted,
    enum err (*each)(void *context, const struct catalog_published_step *step, int64_t rank,
        const struct catalog_published_row *row),
    void *context) MUST_CHECK;

/* Forget steps that start before. */
enum err catalog_published_expire(
    struct catalog *c, int64_t before, struct fault *f) MUST_CHECK;

#endif
