#ifndef ANON_ANON_INT_H
#define ANON_ANON_INT_H

#include "anon/anon.h"
#include "anon/epoch_int.h"
#include "anon/name.h"

enum {
    EPOCHS_OPEN = 2 /* the one that is, and the one before or after it */
};

struct anon {
    struct anon_policy policy;
    struct anon_keys *keys; /* borrowed */
    int64_t back;           /* ANON_SHIFT: how far */
    int64_t slot;           /* a sixtieth of the windows of contacts */
    struct epoch epoch[EPOCHS_OPEN];
    bool open[EPOCHS_OPEN];
    unsigned latest;
    struct anon_counts counts;
};

/* The keys for a time, opened if they are not; valid until the next call. */
enum err anon_epoch(
    struct anon *a, int64_t ts, const struct epoch **ret_epoch, struct fault *f) MUST_CHECK;

/* The epoch's start, which tells epochs apart. */
int64_t anon_epoch_start(const struct anon *a, int64_t ts);

/* Overwrite every place in a payload where an address that is hidden stands, as text or as
 * bytes; `ends` are source and destination. */
void payload_hide(
    const struct anon *a, uint8_t *data, size_t len, const struct ip *const ends[2]);

/* What becomes of a name, or of an address in text; "" where nothing stays. */
void name_map(
    const struct epoch *e, enum anon_method method, const char *name, char out[ANON_NAME_ROOM]);

/* What becomes of a URL; "" where nothing stays. */
void url_map(const struct epoch *e, const struct anon_policy *policy, const char *url,
    char out[ANON_URL_ROOM]);

/* What becomes of a port; the protocol says whether it is one. */
uint16_t anon_port(const struct anon *a, enum anon_field field, uint8_t proto, uint16_t port);

#endif
