#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* The one thing that changes and belongs to the whole process. */
static _Atomic int log_most = LOG_NOTE; // NOLINT(*-avoid-non-const-global-variables)

void log_level_set(enum log_level most)
{
    atomic_store(&log_most, (int)most);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "note", "info", "debug"};
    if ((int)level > atomic_load(&log_most))
        return;
    char line[1024];
    char when[TIME_TEXT];
    struct clock c = clock_system();
    int64_t now = clock_now(&c);
    time_format(now - now % US_SECOND, when);
    int used = snprintf(
        line, sizeof line, "%s %s %.200s%s", when, names[level], event, *format ? " " : "");
    va_list args;
    va_start(args, format);
    int more = vsnprintf(line + used, sizeof line - (size_t)used - 1, format, args);
    va_end(args);
    size_t len = (size_t)used + (more < 0 ? 0 : (size_t)more);
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?'; /* one event stays one line, and moves no terminal */
    line[len++] = '\n';
    if (write(STDERR_FILENO, line, len) < 0)
        return; /* nobody is left to tell */
}
