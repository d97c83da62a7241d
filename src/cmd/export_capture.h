#ifndef CMD_EXPORT_CAPTURE_H
#define CMD_EXPORT_CAPTURE_H

#include "cmd/holder.h"

/* The packets that are asked for as a capture of raw IP, rebuilt from their records
 * (decode/frame.h). `path` as capture_writer_open() takes it; the file may be there and empty.
 * After a failure what was written is left to the caller. */
enum err export_capture(
    struct holder *holder, const struct ask *ask, const char *path, struct fault *f) MUST_CHECK;

#endif
