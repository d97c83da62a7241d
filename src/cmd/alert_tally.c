#include "cmd/alert_tally.h"

#include "base/hash.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

enum {
    TALLY_MAX = 1 << 18
};

struct tally_entry {
    uint64_t id; /* its hash */
    uint8_t severity;
};

struct alert_tally {
    struct index index;
    struct tally_entry *entries;
    size_t count;
    uint64_t counts[4];
};

enum err alert_tally_new(struct alert_tally **ret_tally)
{
    struct alert_tally *t = calloc(1, sizeof *t);
    struct tally_entry *entries = calloc(TALLY_MAX, sizeof *entries);
    if (!t || !entries || index_init(&t->index, TALLY_MAX) != OK) {
        free(t);
        free(entries);
        return ERR_NOMEM;
    }
    t->entries = entries;
    *ret_tally = t;
    return OK;
}

void alert_tally_free(struct alert_tally *t)
{
    if (!t)
        return;
    index_done(&t->index);
    free(t->entries);
    free(t);
}

void alert_tally_add(struct alert_tally *t, const struct alert *a)
{
    uint64_t id = hash_bytes(a->id, strlen(a->id), 0);
    uint32_t entry;
    size_t at = index_first(&t->index, id);
    for (; index_at(&t->index, at, id, &entry); at = index_next(&t->index, at))
        if (entry != INDEX_OTHER && t->entries[entry].id == id) {
            t->counts[t->entries[entry].severity]--;
            t->entries[entry].severity = (uint8_t)a->severity;
            t->counts[a->severity]++;
            return;
        }
    t->counts[a->severity]++;
    if (index_put(&t->index, at, id, (uint32_t)t->count) == OK)
        t->entries[t->count++] = (struct tally_entry){id, (uint8_t)a->severity};
}

void alert_tally_read(const struct alert_tally *t, uint64_t ret_counts[4])
{
    memcpy(ret_counts, t->counts, sizeof t->counts);
}
