#ifndef CMD_NOTIFY_H
#define CMD_NOTIFY_H

#include <stdatomic.h>
#include <stdint.h>

/* systemd's protocol for services (sd_notify(3)): ready, alive, stopping. Where systemd did not
 * start us, nothing happens. */
struct notify {
    int fd;                 /* -1: nobody wants to know */
    int64_t interval;       /* us between signs of life; 0: none are wanted */
    _Atomic int64_t beaten; /* when the last one was sent, monotonic us */
};

/* From NOTIFY_SOCKET and WATCHDOG_USEC. Before the privileges are dropped. */
void notify_open(struct notify *n);
void notify_ready(struct notify *n);

/* From the loop whose life is meant, as often as it likes. */
void notify_alive(struct notify *n);
void notify_stopping(struct notify *n);
void notify_close(struct notify *n);

#endif
