#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "base/conf.h"

#include <stddef.h>

/* What a subcommand ends with: done, found a problem, used wrongly. */
enum {
    EXIT_DONE = 0,
    EXIT_PROBLEM = 1,
    EXIT_USAGE = 2
};

/* A subcommand is a row: name, one sentence, how it is called, options, function. --help, the
 * man pages and shell completion are made from the rows. */
struct command {
    const char
        *name; /* "replay"; a two-word name "simulate telescope" is a command of its own */
    const char *text;     /* one sentence */
    const char *operands; /* "[FILE...]"; NULL: none are allowed */
    const struct conf_item *items;
    /* `operands` are what was left after the options; more may be read into `conf` from a file.
     * Returns an exit status. */
    int (*run)(struct conf *conf, size_t count, char **operands);
    const char *more; /* paragraphs for --help and the man page, with an example; may be NULL */
};

/* The only list of everything; NULL ends it. Each row stands in the file cmd_<name>.c. */
extern const struct command *const commands[];

#endif
