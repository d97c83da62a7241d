#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/conf.h"
#include "cmd/commands.h"

#include <stdio.h>

/* The command line against a command's table of options. */

/* Whose data it is: the row is the same in all commands but for its sentence. */
#define DATA_ITEM(sentence)                                                                    \
    {                                                                                          \
        .name = "data", .type = CONF_TEXT, .arg = "DIR", .initial = "kizashi-data",            \
        .text = (sentence)                                                                     \
    }
#define DATA_ASKED   "Data folder. If a hub runs on it, the hub is asked."
#define DATA_TOLD    "The hub's data folder. If a hub runs on it, the hub is told."
#define DATA_RUNNING "Data folder of the hub, which must be running."

/**
 * Read `argv` (without the program's and the command's words) into `conf`.
 *
 * Options are --name VALUE, --name=VALUE or --name; "--" ends them; anything else is an
 * operand, also "-". Operands are moved to the front of `argv`.
 *
 * @return OK; ERR_BAD, ERR_RANGE or ERR_NOTFOUND with the fault's sentence; ERR_STOPPED: help
 * was asked for (--help or -h), or the man page (--help=man, then *ret_man is true).
 */
enum err options_read(struct conf *conf, const struct command *command, int argc, char **argv,
    int *ret_operands, struct fault *f) MUST_CHECK;
bool options_want_man(int argc, char **argv);

/* Options that act together with others only. */
struct option_need {
    const char *option;
    const char *with[3]; /* one of these must be given; NULL after the last */
};

/* The rows end with one without a name. ERR_BAD: an option was given that would be ignored; the
 * fault names it. */
enum err options_need(
    const struct conf *conf, const struct option_need *rows, struct fault *f) MUST_CHECK;

/* For an option that makes a command do another thing: beside it only those of `with` act,
 * which ends with NULL. ERR_BAD: another was given, which would be ignored; `what` is the
 * option as the person typed it, "audit series". */
enum err options_only(const struct conf *conf, const char *what, const char *const *with,
    struct fault *f) MUST_CHECK;

/* --help of one command. */
void options_help(FILE *out, const struct command *command);

/* Its man page, mdoc(7). */
void options_man(FILE *out, const struct command *command);

/* The options of an engine as --set takes them, for --help and for a manual page. */
void options_settings(FILE *out, const char *engine, const struct conf_item *items);
void options_settings_man(FILE *out, const char *engine, const struct conf_item *items);
/* How a manual page begins, up to its NAME. */
void options_man_title(FILE *out, const char *name, int section, const char *text);

#endif
