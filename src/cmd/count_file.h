#ifndef CMD_COUNT_FILE_H
#define CMD_COUNT_FILE_H

#include "base/err.h"
#include "record/window.h"

/* Distinct sources of every window, site and service as CSV: what plain host counting works on.
 * All classes but backscatter count; a source that shows two classes counts twice. */
struct count_file;

enum err count_file_open(
    struct count_file **ret_counts, const char *path, struct fault *f) MUST_CHECK;
enum err count_file_add(
    struct count_file *h, const struct window *w, struct fault *f) MUST_CHECK;
/* As output_close() closes. NULL is fine. */
enum err count_file_close(struct count_file *h, enum err run, struct fault *f) MUST_CHECK;

#endif
