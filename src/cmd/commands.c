#include "cmd/commands.h"

#include <stddef.h>

extern const struct command cmd_doctor;
extern const struct command cmd_evaluate;
extern const struct command cmd_simulate_telescope;

const struct command *const commands[] = {
    &cmd_evaluate,
    &cmd_simulate_telescope,
    &cmd_doctor,
    NULL,
};
