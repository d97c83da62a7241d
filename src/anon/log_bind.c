#include "anon/log_int.h"

#include <string.h>

/* A line of named's query log:
 *
 *     23-Nov-2026 08:00:00.123 queries: info: client @0x7f 192.0.2.1#53422 (example.com):
 *         query: example.com IN A +E(0)K (10.0.0.1)
 *
 * on one line. What comes out has time, client, name, class, type, flags and server; views,
 * categories and pointers stay behind. */

enum {
    TIME_LETTERS = 40,
    WORD_LETTERS = 64,
};

struct query {
    char time[TIME_LETTERS];
    char client[IP_TEXT], port[WORD_LETTERS], server[IP_TEXT];
    char name[ANON_NAME_MAX + 1];
    char class[WORD_LETTERS], type[WORD_LETTERS], flags[WORD_LETTERS];
};

/* The text up to one of `stops`, copied; false: it does not fit. Moves behind it. */
static bool take(const char **at, const char *stops, char *out, size_t room)
{
    size_t len = strcspn(*at, stops);
    if (!len || len >= room)
        return false;
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len;
    return true;
}

/* Step over `text`; false: something else stands there. */
static bool step(const char **at, const char *text)
{
    size_t len = strlen(text);
    if (strncmp(*at, text, len) != 0)
        return false;
    *at += len;
    return true;
}

/* One word for RFC 3339, two for named's own form. */
static bool time_take(const char *line, char out[TIME_LETTERS])
{
    const char *at = line;
    if (!take(&at, " ", out, TIME_LETTERS))
        return false;
    size_t used = strlen(out);
    if (strchr(out, 'T'))
        return true;
    return step(&at, " ") && used + 1 < TIME_LETTERS &&
           (out[used] = ' ', take(&at, " ", out + used + 1, TIME_LETTERS - used - 1));
}

static bool query_read(const char *line, struct query *q)
{
    const char *at = strstr(line, "client ");
    if (!at || !time_take(line, q->time))
        return false;
    step(&at, "client ");
    char pointer[WORD_LETTERS];
    if (*at == '@' && (!take(&at, " ", pointer, sizeof pointer) || !step(&at, " ")))
        return false;
    if (!take(&at, "#", q->client, sizeof q->client) || !step(&at, "#") ||
        !take(&at, " :", q->port, sizeof q->port))
        return false;
    at = strstr(at, "query: ");
    if (!at || !step(&at, "query: "))
        return false;
    if (!take(&at, " ", q->name, sizeof q->name) || !step(&at, " ") ||
        !take(&at, " ", q->class, sizeof q->class) || !step(&at, " ") ||
        !take(&at, " ", q->type, sizeof q->type) || !step(&at, " ") ||
        !take(&at, " ", q->flags, sizeof q->flags))
        return false;
    q->server[0] = '\0';
    return !step(&at, " (") || take(&at, ")", q->server, sizeof q->server);
}

bool log_bind_line(
    struct anon_log *l, const char *line, struct buf *out, enum err *ret_err, struct fault *f)
{
    struct query q;
    int64_t us;
    char time[LOG_VALUE_ROOM], client[LOG_VALUE_ROOM], port[LOG_VALUE_ROOM];
    char name[LOG_VALUE_ROOM], server[LOG_VALUE_ROOM] = "";
    if (!query_read(line, &q) || !log_time_read(q.time, &us))
        return false;
    const struct epoch *e;
    *ret_err = anon_epoch(l->a, us, &e, f);
    if (*ret_err)
        return true;
    if (!log_value(l, e, LOG_TIME, q.time, time) ||
        !log_value(l, e, LOG_SOURCE, q.client, client) ||
        !log_value(l, e, LOG_SPORT, q.port, port))
        return false;
    if (!log_value(l, e, LOG_DNS_NAME, q.name, name))
        snprintf(name, sizeof name, ".");
    buf_printf(out, "%s client %s#%s (%s): query: %s %s %s %s", time, client, port, name, name,
        q.class, q.type, q.flags);
    if (*q.server && log_value(l, e, LOG_DESTINATION, q.server, server))
        buf_printf(out, " (%s)", server);
    buf_str(out, "\n");
    l->counts.written++;
    return true;
}
