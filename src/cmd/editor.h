#ifndef CMD_EDITOR_H
#define CMD_EDITOR_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>

/* A JSON text in the person's own editor: $VISUAL, $EDITOR, or Debian's "editor". */
struct editor {
    char path[64];
    bool made;
};

/* Write it to a new file that nobody else may read. */
enum err editor_open(
    struct editor *ret_editor, const json_t *value, struct fault *f) MUST_CHECK;
/* Run the editor and read the file back into `out`. ERR_IO: no terminal, or it failed. */
enum err editor_run(struct editor *e, struct buf *out, struct fault *f) MUST_CHECK;
void editor_close(struct editor *e);

/* Shall it be edited again? ERR_STOPPED: no. */
enum err editor_again(struct fault *f) MUST_CHECK;

/* A whole file into `out`, at most its cap; "-" is standard input. */
enum err editor_file_read(const char *path, struct buf *out, struct fault *f) MUST_CHECK;

#endif
