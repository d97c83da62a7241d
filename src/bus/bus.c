#include "bus/bus.h"

#include <string.h>

void bus_next(struct bus *b, int wait_ms, struct bus_event *ret_event)
{
    b->ops->next(b->context, wait_ms, ret_event);
}

void bus_release(struct bus *b, struct bus_event *event, bool done)
{
    b->ops->release(b->context, event, done);
    memset(event, 0, sizeof *event);
}

enum err bus_publish(struct bus *b, const struct bus_message *m, struct fault *f)
{
    return b->ops->publish(b->context, m, f);
}

void bus_beat(struct bus *b, struct bytes text)
{
    b->ops->beat(b->context, text);
}

enum err bus_watch(struct bus *b, const char *site, struct fault *f)
{
    return b->ops->watch(b->context, site, f);
}

void bus_unwatch(struct bus *b, const char *site)
{
    b->ops->unwatch(b->context, site);
}

void bus_say(struct bus *b, const char *site, struct bytes text)
{
    b->ops->say(b->context, site, text);
}

enum err bus_config_put(struct bus *b, const char *site, struct bytes text, struct fault *f)
{
    return b->ops->config_put(b->context, site, text, f);
}

bool bus_is_connected(const struct bus *b)
{
    return b->ops->is_connected(b->context);
}

void bus_close(struct bus *b)
{
    if (b)
        b->ops->close(b->context);
}

bool bus_site_fits(const char *name)
{
    size_t len = strnlen(name, BUS_SITE_MAX + 1);
    return len > 0 && len <= BUS_SITE_MAX && name[0] != '-' && name[0] != '_' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}
