#ifndef CMD_CONFIRM_H
#define CMD_CONFIRM_H

#include "base/err.h"

/* Ask the person at the terminal to type `word`, with a question before it; `given` is what the
 * command line said already, or NULL. ERR_STOPPED: something else was typed, or there is no
 * terminal to ask at. */
enum err confirm_word(
    const char *question, const char *word, const char *given, struct fault *f) MUST_CHECK;

/* Who sits there, for the audit log: "shell:NAME". */
void confirm_person(char ret_who[64]);

#endif
