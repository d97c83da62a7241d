#include "cmd/commands.h"

#include <stddef.h>

const struct command *const commands[] = {
    NULL,
};
