#include "evaluate/host_counts.h"

#include "base/clock.h"
#include "record/proto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err site_number(struct host_counts *h, const char *site, uint8_t *ret)
{
    uint32_t i = 0;
    while (i < h->site_count && strcmp(h->sites[i], site) != 0)
        i++;
    if (i == HOST_COUNT_SITES)
        return ERR_FULL;
    if (i == h->site_count) {
        if (strlen(site) > RECORD_NAME_MAX)
            return ERR_BAD;
        memcpy(h->sites[h->site_count++], site, strlen(site) + 1);
    }
    *ret = (uint8_t)i;
    return OK;
}

static enum err row_room(struct host_counts *h)
{
    if (h->count < h->room)
        return OK;
    size_t room = h->room ? h->room * 2 : 4096;
    struct host_count *rows =
        room > HOST_COUNT_ROWS ? NULL : realloc(h->rows, room * sizeof *rows);
    if (!rows)
        return room > HOST_COUNT_ROWS ? ERR_FULL : ERR_NOMEM;
    h->rows = rows;
    h->room = room;
    return OK;
}

enum err host_counts_add(struct host_counts *h, int64_t start, const char *site, uint8_t proto,
    uint16_t port, uint32_t hosts)
{
    if (start != time_floor(start, h->window))
        return ERR_BAD;
    if (h->count == 0)
        h->start = start;
    if (start < h->start) { /* rows may come site by site */
        uint32_t shift = (uint32_t)((h->start - start) / h->window);
        for (size_t i = 0; i < h->count; i++)
            h->rows[i].window += shift;
        h->windows += shift;
        h->start = start;
    }
    int64_t window = (start - h->start) / h->window;
    if (window > INT32_MAX)
        return ERR_BAD;
    uint8_t number;
    enum err e = row_room(h);
    if (!e)
        e = site_number(h, site, &number);
    if (e)
        return e;
    h->rows[h->count++] = (struct host_count){(uint32_t)window, hosts, port, proto, number};
    if (window >= h->windows)
        h->windows = (uint32_t)window + 1;
    return OK;
}

/* window,site,proto,port,sources: cut in place. */
static enum err row_read(struct host_counts *h, char *line)
{
    char *field[5];
    size_t n = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *at = line; at && n < 5; n++) {
        field[n] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = 0;
        else if (n < 4)
            return ERR_BAD;
        if (at && n == 4)
            return ERR_BAD;
    }
    int64_t start;
    uint8_t proto;
    char *end[2];
    unsigned long port = strtoul(field[3], &end[0], 10);
    unsigned long hosts = strtoul(field[4], &end[1], 10);
    if (time_parse(field[0], &start) || !*field[1] || proto_parse(field[2], &proto) ||
        end[0] == field[3] || *end[0] || port > 65535 || end[1] == field[4] || *end[1] ||
        hosts > UINT32_MAX)
        return ERR_BAD;
    return host_counts_add(h, start, field[1], proto, (uint16_t)port, (uint32_t)hosts);
}

enum err host_counts_read(struct host_counts *h, const char *path, struct fault *f)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return fault_set(f, ERR_NOTFOUND, "%s: %s", path, strerror(errno));
    char line[256];
    enum err e = OK;
    for (size_t number = 1; !e && fgets(line, sizeof line, in); number++) {
        if (number == 1) {
            if (strncmp(line, "window,site,proto,port,sources", 30) != 0)
                e = fault_set(
                    f, ERR_BAD, "%s: line 1: is not \"window,site,proto,port,sources\"", path);
            continue;
        }
        e = row_read(h, line);
        if (e == ERR_BAD)
            fault_set(f, e,
                "%s: line %zu: is not a window's start, site, protocol, port and hosts", path,
                number);
        else if (e)
            fault_set(f, e, "%s: line %zu: %s", path, number, err_text(e));
    }
    if (!e && ferror(in))
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    fclose(in);
    return e;
}

void host_counts_done(struct host_counts *h)
{
    free(h->rows);
    *h = (struct host_counts){0};
}

static int by_series(const void *a, const void *b)
{
    const struct host_count *x = a, *y = b;
    if (x->proto != y->proto)
        return x->proto < y->proto ? -1 : 1;
    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    if (x->site != y->site)
        return x->site < y->site ? -1 : 1;
    return x->window < y->window ? -1 : x->window > y->window;
}

void host_counts_sort(struct host_counts *h)
{
    if (h->count)
        qsort(h->rows, h->count, sizeof *h->rows, by_series);
}
