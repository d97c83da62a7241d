#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include "base/err.h"

#include <stdio.h>

/* Open a file for writing that an option names. What is there is not written over: ERR_BAD if
 * it is a file with something in it; pipes, devices and empty files are fine. The caller closes
 * *ret_file. */
enum err output_open(
    FILE **ret_file, const char *option, const char *path, struct fault *f) MUST_CHECK;

#endif
