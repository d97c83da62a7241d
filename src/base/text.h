#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <string.h>

/* Does `text` end with `end`, and has something before it? "a.pem" ends with ".pem", and ".pem"
 * does not. */
static inline bool text_ends(const char *text, const char *end)
{
    size_t len = strlen(text);
    return len > strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

#endif
