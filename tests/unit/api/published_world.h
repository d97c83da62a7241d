#ifndef TESTS_UNIT_API_PUBLISHED_WORLD_H
#define TESTS_UNIT_API_PUBLISHED_WORLD_H

#include "fake.h"

#include "api/api_int.h"
#include "api/request_int.h"

/* An interface that publishes, over a store that tells of each step what the test puts there,
 * with a partner's token. Shared by the tests and by the attack of bench_published. */

enum {
    WORLD_ROWS = 2048
};

struct published_world {
    struct api *api;
    struct catalog *catalog;
    char folder[64];
    struct fake_clock clock;
    int64_t first, last;                     /* packets that the store holds; 0: none */
    struct publication_row rows[WORLD_ROWS]; /* of whatever step is asked for */
    size_t count;
    enum err fails;
    char token[API_TOKEN_TEXT];
};

struct published_world *published_world_open(const struct api_publication *p);
void published_world_close(struct published_world *w);

/* The next steps come out, as many as are due; returns how many. */
size_t published_world_pass(struct published_world *w);

/* Ask as the partner; the answer's JSON, which must come with status 200. */
json_t *published_world_get(struct published_world *w, const char *target);

/* As locate_publisher of audit/locate.h: `context` is a world. Each call is a step that goes in
 * through the store and comes back as a partner reads it. */
size_t published_world_step(
    void *context, int64_t start, struct publication_row *rows, size_t count);

#endif
