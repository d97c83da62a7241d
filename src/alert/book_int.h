#ifndef ALERT_BOOK_INT_H
#define ALERT_BOOK_INT_H

#include "alert/alert_int.h"

struct alert_book {
    int64_t quiet;
    size_t most;
    bool hide_hosts;
    char tlp[8];
    struct track **tracks; /* open, and closed ones that nobody was told of; owned */
    size_t count, room;
    struct finding *pending; /* put since the last turn */
    size_t pending_count, pending_room;
};

void track_free(struct track *t);

/* Takes `t`, but not when it fails. */
enum err book_add(struct alert_book *b, struct track *t) MUST_CHECK;

/* Forget everything but the options. */
void book_clear(struct alert_book *b);

#endif
