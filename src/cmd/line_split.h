#ifndef CMD_LINE_SPLIT_H
#define CMD_LINE_SPLIT_H

#include "base/buf.h"

/* Cut text that comes in pieces into lines.
 *
 * @param line  what the pieces before left of a line that has not ended; its cap is the length
 * of the longest line.
 * @param each  is called when a whole line, without its end, is in `line`.
 * @return  what `each` returned, if that was not OK; ERR_FULL, ERR_NOMEM of `line`. */
enum err line_split(struct buf *line, const void *data, size_t len,
    enum err (*each)(void *context), void *context) MUST_CHECK;

#endif
