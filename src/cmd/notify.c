#include "cmd/notify.h"

#include "base/steady.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void say(const struct notify *n, const char *text)
{
    if (n->fd >= 0)
        (void)!send(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_open(struct notify *n)
{
    const char *path = getenv("NOTIFY_SOCKET");
    const char *watchdog = getenv("WATCHDOG_USEC");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    *n = (struct notify){.fd = -1};
    size_t len = path ? strlen(path) : 0;
    if (!len || len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, len);
    if (path[0] == '@')
        to.sun_path[0] = 0; /* the abstract name space */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, size) != 0) {
        close(fd);
        return;
    }
    n->fd = fd;
    n->interval = watchdog ? strtoll(watchdog, NULL, 10) / 3 : 0;
}

void notify_ready(struct notify *n)
{
    say(n, "READY=1");
}

void notify_alive(struct notify *n)
{
    if (n->fd < 0 || n->interval <= 0)
        return;
    int64_t now = steady_now();
    if (now - atomic_load(&n->beaten) < n->interval)
        return;
    atomic_store(&n->beaten, now);
    say(n, "WATCHDOG=1");
}

void notify_stopping(struct notify *n)
{
    say(n, "STOPPING=1");
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}
