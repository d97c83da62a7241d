#ifndef ANON_LOG_INT_H
#define ANON_LOG_INT_H

#include "anon/anon_int.h"
#include "anon/log.h"

/* What a column holds. */
enum log_kind {
    LOG_DROPPED,
    LOG_KEPT,
    LOG_TIME,
    LOG_SOURCE,
    LOG_DESTINATION,
    LOG_SPORT,
    LOG_DPORT,
    LOG_DNS_NAME,
    LOG_NAMES, /* names and addresses, with commas between them */
    LOG_URI,
};

struct anon_log {
    struct anon *a;
    enum anon_log_form form;
    struct anon_log_counts counts;
    enum log_kind column[ANON_LOG_COLUMNS_MAX]; /* TSV */
    size_t columns;                             /* 0: no header yet */
    size_t time;                                /* column, or ANON_LOG_COLUMNS_MAX */
};

enum {
    LOG_VALUE_ROOM = ANON_URL_ROOM
};

enum log_kind log_kind_of(const char *name, size_t len);

/* Seconds since 1970 with a fraction, RFC 3339, or named's own. */
bool log_time_read(const char *text, int64_t *ret_us);

/* What becomes of one value. `text` is shorter than LOG_VALUE_ROOM. False: it is unset. */
bool log_value(struct anon_log *l, const struct epoch *e, enum log_kind kind, const char *text,
    char out[LOG_VALUE_ROOM]);

/* A line of named's query log; false: none of that. */
bool log_bind_line(
    struct anon_log *l, const char *line, struct buf *out, enum err *ret_err, struct fault *f);

#endif
