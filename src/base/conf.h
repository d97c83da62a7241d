#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An option is a row: name, kind, unit, range, default, one sentence. The command line, the
 * configuration file, --help, the man page and the reference are all made from the same row,
 * and every value goes through the same check. */
enum conf_type {
    CONF_FLAG,     /* no value: there or not */
    CONF_NUMBER,   /* double within [min, max] */
    CONF_COUNT,    /* whole number within [min, max] */
    CONF_DURATION, /* "10m"; min and max in seconds */
    CONF_TIME,     /* RFC 3339 or a date */
    CONF_MOMENT,   /* that, "now", or "-24h" */
    CONF_TEXT,  /* any text of at most `max` bytes (0: 4096); `values` lists what is allowed */
    CONF_LIST,  /* as CONF_TEXT, any number of times; what is given replaces the default */
    CONF_FILE,  /* CONF_TEXT that names what is read: it must be there and may be read, if it is
                   none of the words in `values`, which mean something else */
    CONF_FILES, /* the same, any number of times */
};

struct conf_item {
    const char *name; /* "alpha"; on the command line --alpha */
    enum conf_type type;
    const char *arg; /* what --help shows for the value: "FILE", "ADDR:PORT"; NULL for a flag */
    const char *unit;    /* for people: "packets/s"; NULL if the type says it */
    double min, max;     /* both 0: any */
    const char *initial; /* default, as it would be written; NULL for none */
    const char *values;  /* CONF_TEXT: allowed words "scan|survey|other"; CONF_FILE: words that
                            are no file; else NULL */
    const char *text;    /* one sentence for --help and the man page */
};

/* Values for a table of rows (the table is borrowed; the values are owned). */
struct conf;

/* All at their defaults. The table ends with a row whose name is NULL. */
enum err conf_new(struct conf **ret_conf, const struct conf_item *items) MUST_CHECK;
void conf_free(struct conf *c);

const struct conf_item *conf_items(const struct conf *c);
const struct conf_item *conf_find(const struct conf *c, const char *name);

/* Check and take one value; for lists, add one. ERR_NOTFOUND: a file cannot be read. The fault
 * says what is allowed. `value` is NULL for a flag. */
enum err conf_set(
    struct conf *c, const char *name, const char *value, struct fault *f) MUST_CHECK;

/* Reading; asking for a name that the table lacks, or as another type, is a bug (assert). */
bool conf_flag(const struct conf *c, const char *name);
double conf_number(const struct conf *c, const char *name);
uint64_t conf_count(const struct conf *c, const char *name);
int64_t conf_us(const struct conf *c, const char *name);                  /* duration or time */
const struct moment *conf_moment(const struct conf *c, const char *name); /* NULL if unset */
const char *conf_text(const struct conf *c, const char *name);            /* NULL if unset */
size_t conf_list(const struct conf *c, const char *name, const char *const **ret_list);

/* Was it given, rather than left at its default? */
bool conf_given(const struct conf *c, const char *name);
/* How often it was given; of what is no list the last one counts. */
size_t conf_times(const struct conf *c, const char *name);

#endif
