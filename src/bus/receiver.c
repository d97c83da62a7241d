#include "bus/receiver.h"

#include "base/clock.h"

#include <string.h>

static const int64_t lost_after = 2 * US_SECOND; /* without anything new */
static const int64_t ask_apart = US_SECOND;

void receiver_init(struct receiver *r, int64_t now)
{
    *r = (struct receiver){.moved = now, .asked = now - ask_apart};
}

void receiver_restore(struct receiver *r, const struct position *p)
{
    if (r->count == RECEIVER_SPOOLS)
        return;
    r->positions[r->count] = *p;
    r->taken[r->count++] = p->committed;
}

/* The place of a spool, brought to the front; a new one pushes out the one that was used least
 * recently. */
static void bring_up(struct receiver *r, uint64_t spool)
{
    struct position p = {.spool = spool};
    uint64_t taken = 0;
    size_t i = 0;
    while (i < r->count && r->positions[i].spool != spool)
        i++;
    if (i < r->count) {
        p = r->positions[i];
        taken = r->taken[i];
    } else if (r->count < RECEIVER_SPOOLS)
        r->count++;
    else
        i--;
    memmove(r->positions + 1, r->positions, i * sizeof *r->positions);
    memmove(r->taken + 1, r->taken, i * sizeof *r->taken);
    r->positions[0] = p;
    r->taken[0] = taken;
}

enum verdict_kind receiver_look(
    struct receiver *r, const struct envelope *e, int64_t now, uint64_t *ret_lost)
{
    bring_up(r, e->spool);
    *ret_lost = 0;
    if (e->number <= r->taken[0]) {
        r->copies++;
        return VERDICT_COPY;
    }
    if (e->previous > r->taken[0]) {
        r->gaps++;
        return VERDICT_GAP;
    }
    *ret_lost = e->number - r->taken[0] - 1;
    r->positions[0].lost += *ret_lost;
    r->taken[0] = e->number;
    r->moved = now;
    return VERDICT_NEW;
}

void receiver_stored(struct receiver *r, uint64_t spool, uint64_t number)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->positions[i].spool == spool && r->positions[i].committed < number)
            r->positions[i].committed = number;
}

void receiver_reset(struct receiver *r)
{
    for (size_t i = 0; i < r->count; i++)
        r->taken[i] = r->positions[i].committed;
}

static void word_fill(const struct receiver *r, bool gap, struct commitment *ret_word)
{
    *ret_word = (struct commitment){.spool = r->positions[0].spool,
        .committed = r->positions[0].committed,
        .want = gap ? r->taken[0] + 1 : 0};
}

void receiver_beat(struct receiver *r, const struct said *said, bool idle, int64_t now,
    struct commitment *ret_word)
{
    bring_up(r, said->spool);
    bool waits = said->sent > r->taken[0];
    bool lost = waits && idle && now - r->moved >= lost_after && now - r->asked >= ask_apart;
    if (lost)
        r->asked = now;
    word_fill(r, lost, ret_word);
}

bool receiver_word(
    struct receiver *r, uint64_t spool, bool gap, int64_t now, struct commitment *ret_word)
{
    if (now - r->asked < ask_apart)
        return false;
    r->asked = now;
    bring_up(r, spool);
    word_fill(r, gap, ret_word);
    return true;
}
