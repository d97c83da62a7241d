#include "cmd/ending.h"

#include "cmd/commands.h"

#include <stdbool.h>
#include <stdio.h>

void ending_tell(const char *command, enum err e, const struct fault *f)
{
    fprintf(stderr, "kizashi %s: %s\n", command, f->text[0] ? f->text : err_text(e));
}

int ending(const char *command, enum err e, const struct fault *f)
{
    if (!e)
        return EXIT_DONE;
    ending_tell(command, e, f);
    bool misused = e == ERR_BAD || e == ERR_RANGE || e == ERR_NOTFOUND || e == ERR_EXISTS;
    return misused ? EXIT_USAGE : EXIT_PROBLEM;
}
