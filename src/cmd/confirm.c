#include "cmd/confirm.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum err confirm_word(
    const char *question, const char *word, const char *given, struct fault *f)
{
    char line[128];
    if (given)
        return strcmp(given, word) == 0
                   ? OK
                   : fault_set(f, ERR_STOPPED, "--confirm must be %s; nothing was done", word);
    if (!isatty(STDIN_FILENO))
        return fault_set(f, ERR_STOPPED, "no terminal to ask at: give --confirm %s", word);
    fprintf(stderr, "%s Type %s to go on: ", question, word);
    if (!fgets(line, sizeof line, stdin))
        line[0] = 0;
    line[strcspn(line, "\n")] = 0;
    return strcmp(line, word) == 0 ? OK : fault_set(f, ERR_STOPPED, "nothing was done");
}

void confirm_person(char ret_who[64])
{
    const char *behind = getenv("SUDO_USER");
    struct passwd *user = behind ? NULL : getpwuid(getuid());
    snprintf(ret_who, 64, "shell:%.50s", behind ? behind : user ? user->pw_name : "unknown");
}
