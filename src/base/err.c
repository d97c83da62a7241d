#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *err_text(enum err e)
{
    switch (e) {
    case OK:
        return "done";
#define X(name, number, text)                                                                  \
    case name:                                                                                 \
        return text;
        ERR_LIST(X)
#undef X
    }
    return "unknown error";
}

/* In parentheses, for the name is a macro when the analyser reads it. */
enum err(fault_set)(struct fault *f, enum err code, const char *format, ...)
{
    if (!f)
        return code;
    f->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    return code;
}

void fault_prefix(struct fault *f, const char *prefix)
{
    if (!f)
        return;
    char copy[sizeof f->text];
    memcpy(copy, f->text, sizeof copy);
    size_t used = (size_t)snprintf(f->text, sizeof f->text, "%s: ", prefix);
    if (used < sizeof f->text)
        snprintf(f->text + used, sizeof f->text - used, "%s", copy);
}
