#ifndef FLEET_HEARTBEAT_H
#define FLEET_HEARTBEAT_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

/* What a site says of itself every few seconds. The rows of heartbeat.def are the members, the
 * JSON form and the reference page; a site that knows more than this program is understood in
 * what both know. */

enum {
    HEARTBEAT_TEXT = 128,   /* of one text, NUL included; longer ones are refused */
    HEARTBEAT_MAX = 8 << 10 /* bytes of a heartbeat's JSON */
};

/* A figure that the site does not tell. */
#define HEARTBEAT_UNKNOWN INT64_MIN

struct heartbeat {
#define TEXT(member, what)        char member[HEARTBEAT_TEXT];
#define TIME(member, what)        int64_t member; /* us */
#define COUNT(member, unit, what) int64_t member;
#include "fleet/heartbeat.def"
#undef TEXT
#undef TIME
#undef COUNT
};

enum heartbeat_type {
    HEARTBEAT_IS_TEXT,
    HEARTBEAT_IS_TIME,
    HEARTBEAT_IS_COUNT
};

struct heartbeat_field {
    const char *name;
    enum heartbeat_type type;
    const char *unit; /* "" if none */
    const char *text; /* one sentence */
    size_t offset;    /* in struct heartbeat */
};

extern const struct heartbeat_field heartbeat_fields[];
extern const size_t heartbeat_field_count;

/* All texts empty, all figures unknown. */
void heartbeat_init(struct heartbeat *h);

/* From a site, so any bytes. ERR_BAD, with the member in the fault: no JSON object, a member of
 * another type, a time that is none, no "site" or no "sent". */
enum err heartbeat_read(
    struct bytes text, struct heartbeat *ret_heartbeat, struct fault *f) MUST_CHECK;

/* The same as JSON, without what is unknown or empty: a new reference, or NULL for lack of
 * memory. */
json_t *heartbeat_json(const struct heartbeat *h);

/* And as one line without a newline. */
void heartbeat_write(struct buf *out, const struct heartbeat *h);

#endif
