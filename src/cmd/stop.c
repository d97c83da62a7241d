#include "cmd/stop.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* A signal handler can reach nothing else. */
static atomic_bool stop_asked; /* NOLINT(cppcoreguidelines-avoid-non-const-global-variables) */

static void on_signal(int number)
{
    if (atomic_exchange(&stop_asked, true))
        _exit(128 + number);
}

void stop_install(void)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
}

const atomic_bool *stop_flag(void)
{
    return &stop_asked;
}

void stop_now(void)
{
    atomic_store(&stop_asked, true);
}
