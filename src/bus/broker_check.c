/* Can the message server listen where it is to, and if it ended, why? */
#include "bus/broker.h"

#include "base/steady.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    AGAIN_MS = 50,
    HOST_MAX = 256,
    TAIL = 8 << 10 /* bytes at the end of a log that are looked at */
};

/* 0, or why nobody can listen there. */
static int bind_failure(const struct addrinfo *at)
{
    int one = 1;
    int s = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return errno;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int failure = bind(s, at->ai_addr, at->ai_addrlen) == 0 && listen(s, 1) == 0 ? 0 : errno;
    close(s);
    return failure;
}

static enum err find(const char *listen, struct addrinfo **ret_found, struct fault *f)
{
    char host[HOST_MAX];
    const struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    const char *colon = strrchr(listen, ':');
    size_t len = colon ? (size_t)(colon - listen) : 0;
    if (!colon || len >= sizeof host)
        return fault_set(
            f, ERR_BAD, "%.100s: ADDR:PORT is wanted, such as 0.0.0.0:4222", listen);
    bool bracketed = len > 2 && listen[0] == '[' && colon[-1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? len - 2 : len), listen + bracketed);
    int failure = getaddrinfo(len ? host : NULL, colon + 1, &hints, ret_found);
    return failure ? fault_set(f, ERR_BAD, "%.100s: %s", listen, gai_strerror(failure)) : OK;
}

enum err broker_listen_check(const char *listen, int64_t patience, struct fault *f)
{
    struct addrinfo *found = NULL;
    int64_t until = steady_now() + patience;
    enum err e = find(listen, &found, f);
    if (e)
        return e;
    int failure;
    while ((failure = bind_failure(found)) == EADDRINUSE && steady_now() < until)
        nanosleep(&(struct timespec){.tv_nsec = AGAIN_MS * 1000000L}, NULL);
    freeaddrinfo(found);
    if (failure == EADDRINUSE)
        return fault_set(f, ERR_BUSY, "%.100s: another program listens there already", listen);
    return failure ? fault_set(f, ERR_IO, "%.100s: %s", listen, strerror(failure)) : OK;
}

/* The last line with `sign` in a text; NULL: none has it. */
static const char *last_of(const char *text, const char *sign)
{
    const char *last = NULL;
    for (const char *at = text; (at = strstr(at, sign)); at++)
        last = at;
    return last;
}

bool broker_ending(const char *log, int64_t from, char ret_text[BROKER_ENDING])
{
    static const char fatal[] = "[FTL] ";
    char tail[TAIL + 1];
    struct stat st;
    FILE *file = fopen(log, "r");
    if (!file)
        return false;
    int64_t at = fstat(fileno(file), &st) == 0 && st.st_size > TAIL ? st.st_size - TAIL : 0;
    size_t len =
        fseeko(file, at > from ? at : from, SEEK_SET) == 0 ? fread(tail, 1, TAIL, file) : 0;
    tail[len] = 0;
    fclose(file);
    const char *ended = last_of(tail, fatal);
    const char *ready = last_of(tail, "[INF] Server is ready");
    if (!ended || (ready && ready > ended))
        return false;
    ended += strlen(fatal);
    snprintf(ret_text, BROKER_ENDING, "%.*s", (int)strcspn(ended, "\n"), ended);
    for (char *quote = ret_text; (quote = strchr(quote, '"'));)
        *quote = '\''; /* it will stand between such quotes */
    return true;
}
