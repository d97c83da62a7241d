/* Merging parts costs the engine more than inserting them, so it waits while much comes in at
 * once: a question reads a few dozen parts nearly as quickly as one. */
#include "store/store_int.h"

#include <stdio.h>

void store_hurry_begin(struct store *s)
{
    if (!s->hurry && !s->hurried)
        s->hurry = chdb_write(s->chdb, "SYSTEM STOP MERGES", NULL) == OK;
}

void store_hurry(struct store *s)
{
    if (store_hurry_later(s) || store_ready(s, NULL))
        return;
    pthread_mutex_lock(&s->append);
    store_hurry_begin(s);
    pthread_mutex_unlock(&s->append);
}

static enum err start_merges(struct store *s, struct fault *f)
{
    enum err e = s->hurry ? chdb_write(s->chdb, "SYSTEM START MERGES", f) : OK;
    if (!e)
        s->hurry = false;
    return e;
}

enum err store_hurry_end(struct store *s, struct fault *f)
{
    enum err e = start_merges(s, f);
    if (!e)
        s->hurried = 0;
    return e;
}

/* `hurried` stays, so that merges go on until there has been time for all of them. */
void store_insert_count(struct store *s)
{
    if (s->hurry && ++s->hurried > HURRY_MOST)
        (void)!start_merges(s, NULL);
}

enum err store_insert_wire(
    struct store *s, const char *table, const struct buf *wire, struct fault *f)
{
    char sql[128];
    snprintf(sql, sizeof sql, "INSERT INTO kz.%s", table);
    return chdb_insert(s->chdb, sql, "Native", wire->data, wire->len, f);
}

enum err store_insert(struct store *s, const char *table, struct fault *f)
{
    store_insert_count(s);
    return store_insert_wire(s, table, &s->wire, f);
}
