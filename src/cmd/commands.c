#include "cmd/commands.h"

const struct command commands[] = {
    {0},
};
