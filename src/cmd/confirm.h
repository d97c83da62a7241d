#ifndef CMD_CONFIRM_H
#define CMD_CONFIRM_H

#include "base/err.h"

#include <stddef.h>

/* Ask the person at the terminal to type `word`, with a question before it; `given` is what the
 * command line said already, or NULL. ERR_STOPPED: something else was typed, or there is no
 * terminal to ask at. */
enum err confirm_word(
    const char *question, const char *word, const char *given, struct fault *f) MUST_CHECK;

/* One line from the terminal on standard input, which does not show what is typed. ERR_RANGE:
 * it is too long for `room` bytes; ERR_STOPPED: nothing was typed. */
enum err confirm_secret(
    const char *question, char *ret_secret, size_t room, struct fault *f) MUST_CHECK;

/* Who sits there, for the audit log: "shell:NAME". */
void confirm_person(char ret_who[64]);

#endif
