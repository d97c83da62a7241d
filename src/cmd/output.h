#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>

/* A file that an option names, for writing. What is there is not written over, and what a run
 * that failed has begun does not stand in the way of the next. */
struct output {
    FILE *file;                /* NULL: not open */
    const char *option, *path; /* borrowed */
    bool made;                 /* it was not there before */
};

/**
 * Open it; "-" is standard output.
 *
 * @param option as it is typed, for the fault: "--output".
 * @return OK; ERR_BAD: it is a file with something in it, or cannot be made. Pipes, devices and
 *         empty files are fine.
 */
enum err output_open(struct output *ret_output, const char *option, const char *path,
    struct fault *f) MUST_CHECK;

/* All of `text`; a text that is broken is told by its own error. */
enum err output_write(struct output *o, const struct buf *text, struct fault *f) MUST_CHECK;

/* Close, at the end of a run that came to `run`. After OK what was written stays, and ERR_IO
 * says that some of it is not there. After a failure, also that one, the file is as it was
 * before: gone, or empty; `run` is returned and the fault is left alone. One that is not open
 * is fine. */
enum err output_close(struct output *o, enum err run, struct fault *f) MUST_CHECK;

#endif
