#include "cmd/confirm.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum err confirm_word(
    const char *question, const char *word, const char *given, struct fault *f)
{
    char line[128];
    if (given)
        return strcmp(given, word) == 0
                   ? OK
                   : fault_set(f, ERR_STOPPED, "--confirm must be %s; nothing was done", word);
    if (!isatty(STDIN_FILENO))
        return fault_set(f, ERR_STOPPED, "no terminal to ask at: give --confirm %s", word);
    fprintf(stderr, "%s Type %s to go on: ", question, word);
    if (!fgets(line, sizeof line, stdin))
        line[0] = 0;
    line[strcspn(line, "\n")] = 0;
    return strcmp(line, word) == 0 ? OK : fault_set(f, ERR_STOPPED, "nothing was done");
}

/* Is there a byte to read, or the end, before a signal comes? */
static bool secret_waits(int signals)
{
    struct pollfd from[] = {
        {.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    return poll(from, 2, -1) > 0 && !from[1].revents;
}

/* By read(), so that no buffer of stdio keeps it. A terminal gives a line at a time. */
static enum err secret_read(int signals, char *ret_secret, size_t room, struct fault *f)
{
    size_t len = 0;
    char c = 0;
    ssize_t got = -1;
    while (secret_waits(signals) && (got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
        if (len < room)
            ret_secret[len++] = c;
        got = -1;
    }
    if (got < 0 || (got == 0 && !len))
        return fault_set(f, ERR_STOPPED, "nothing was typed; nothing was done");
    if (len == room)
        return fault_set(f, ERR_RANGE, "at most %zu bytes are allowed", room - 1);
    ret_secret[len] = 0;
    return OK;
}

static enum err secret_ask(
    const char *question, int signals, char *ret_secret, size_t room, struct fault *f)
{
    struct termios usual;
    if (tcgetattr(STDIN_FILENO, &usual) != 0)
        return fault_set(f, ERR_STOPPED, "no terminal to ask at");
    struct termios hidden = usual;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fputs(question, stderr);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0)
        return fault_set(f, ERR_IO, "the terminal would show what is typed");
    enum err e = secret_read(signals, ret_secret, room, f);
    fputc('\n', stderr);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &usual) != 0 && !e)
        e = fault_set(f, ERR_IO, "the terminal cannot be set");
    return e;
}

/* A signal that ends the program waits until the terminal shows again what is typed. */
enum err confirm_secret(const char *question, char *ret_secret, size_t room, struct fault *f)
{
    sigset_t ends, usual;
    sigemptyset(&ends);
    sigaddset(&ends, SIGHUP);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGQUIT);
    sigaddset(&ends, SIGTERM);
    int signals = signalfd(-1, &ends, SFD_CLOEXEC);
    if (signals < 0)
        return fault_set(f, ERR_IO, "signals cannot be waited for: %s", strerror(errno));
    sigprocmask(SIG_BLOCK, &ends, &usual);
    enum err e = secret_ask(question, signals, ret_secret, room, f);
    close(signals);
    sigprocmask(SIG_SETMASK, &usual, NULL);
    return e;
}

void confirm_person(char ret_who[64])
{
    const char *behind = getenv("SUDO_USER");
    struct passwd *user = behind ? NULL : getpwuid(getuid());
    snprintf(ret_who, 64, "shell:%.50s", behind ? behind : user ? user->pw_name : "unknown");
}
