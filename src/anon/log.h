#ifndef ANON_LOG_H
#define ANON_LOG_H

#include "anon/name.h"

/* Logs of DNS and HTTP, line by line, through a policy. What a column holds is known by its
 * name; a column whose name is not known does not leave: it is unset in what comes out. Forms:
 * docs/formats/anonymised-logs.md. */

enum anon_log_form {
    ANON_LOG_AUTO, /* told by the first line */
    ANON_LOG_TSV,  /* Zeek's, or a first line of column names */
    ANON_LOG_JSON, /* an object a line */
    ANON_LOG_BIND, /* query log of named */
};

enum {
    ANON_LOG_LINE_MAX = 1 << 20, /* bytes; a longer line is left out */
    ANON_LOG_COLUMNS_MAX = 256
};

struct anon_log;

struct anon_log_counts {
    uint64_t lines;
    uint64_t written;
    uint64_t untimed; /* left out: no time that chooses a key */
    uint64_t broken;  /* left out: not of the form */
};

/* `a` is borrowed. */
enum err anon_log_new(
    struct anon_log **ret_log, struct anon *a, enum anon_log_form form) MUST_CHECK;
void anon_log_free(struct anon_log *l);

/**
 * One line, without its end; what stays of it is appended to `out` with a newline.
 *
 * @return OK, also for a line that is left out and counted; ERR_IO, ERR_NOMEM: no keys;
 * ERR_FULL: `out` has its cap.
 */
enum err anon_log_line(
    struct anon_log *l, struct bytes line, struct buf *out, struct fault *f) MUST_CHECK;

void anon_log_counts(const struct anon_log *l, struct anon_log_counts *ret_counts);

#endif
