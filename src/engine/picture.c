#include "engine/picture.h"

#include "base/clock.h"
#include "engine/pulse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)PICTURE_PORTS <= (int)EVIDENCE_COLUMNS, "ports fit a block");
_Static_assert((int)SERVICE_TEXT <= (int)EVIDENCE_LABEL, "a service fits a label");
_Static_assert((int)TIME_TEXT <= (int)EVIDENCE_LABEL, "a time fits a label");

/* The row of a host; p->rows if it has none. */
static size_t row_of(const struct picture *p, uint64_t id)
{
    size_t i = 0;
    while (i < p->rows && p->host[i] != id)
        i++;
    return i;
}

/* The network of an address as text: "192.0.0.0/16". */
static void name_network(const struct ip *ip, unsigned prefix, char text[EVIDENCE_LABEL])
{
    bool v4 = ip_is_v4(ip);
    unsigned bits = v4 ? 96 + prefix : 2 * prefix;
    struct ip net = {{0}};
    for (unsigned i = 0; i < sizeof net.byte && 8 * i < bits; i++) {
        unsigned left = bits - 8 * i;
        net.byte[i] = left >= 8 ? ip->byte[i] : (uint8_t)(ip->byte[i] & 0xff00U >> left);
    }
    char address[IP_TEXT];
    snprintf(text, EVIDENCE_LABEL, "%s/%u", ip_format(&net, address), v4 ? prefix : 2 * prefix);
}

static void name_hosts(const struct picture *p, const struct tally *t, unsigned prefix,
    char (*names)[EVIDENCE_LABEL])
{
    for (size_t i = 0; i < t->source_count; i++) {
        size_t row;
        const struct block *b = tally_row(t, &t->sources[i], &row);
        const struct ip *ip = &block_ip(b, CONTACT_SRC)[row];
        size_t at = row_of(p, pulse_network(ip, prefix));
        if (at < p->rows && !names[at][0])
            name_network(ip, prefix, names[at]);
    }
}

/* A factor without a number tells nothing. */
static const double *factor(const double *weights, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isfinite(weights[i]))
            return weights;
    return NULL;
}

/* What the hosts are held against. */
struct across {
    const char *name, *word, *unit;
    char labels[EVIDENCE_COLUMNS][EVIDENCE_LABEL];
    size_t count, in;
    const double *cells; /* `stride` from one host to the next */
    size_t stride;
    const double *weights;
};

static enum err write_block(const struct picture *p, const struct across *a,
    char (*names)[EVIDENCE_LABEL], struct finding *f)
{
    double cells[EVIDENCE_ROWS * EVIDENCE_COLUMNS];
    for (size_t i = 0; i < p->rows; i++)
        memcpy(cells + i * a->count, a->cells + i * a->stride, a->count * sizeof *cells);
    return evidence_block(f, &(struct evidence_block){.name = a->name,
                                 .unit = a->unit,
                                 .across = a->word,
                                 .rows = p->rows,
                                 .columns = a->count,
                                 .rows_in = p->rows_in,
                                 .columns_in = a->in,
                                 .hosts = (const char(*)[EVIDENCE_LABEL])names,
                                 .labels = a->labels,
                                 .cells = cells,
                                 .row_weights = factor(p->row_weight, p->rows),
                                 .column_weights = factor(a->weights, a->count)});
}

enum err picture_write(
    const struct picture *p, const struct tally *t, unsigned prefix, struct finding *f)
{
    char names[EVIDENCE_ROWS][EVIDENCE_LABEL] = {{0}};
    name_hosts(p, t, prefix, names);
    struct across ports = {.name = "hosts by port",
        .word = "port",
        .unit = p->port_unit,
        .count = p->ports,
        .in = p->ports_in,
        .cells = &p->by_port[0][0],
        .stride = PICTURE_PORTS,
        .weights = p->port_weight};
    for (size_t k = 0; k < p->ports; k++)
        service_format(p->service[k], ports.labels[k]);
    struct across times = {.name = "hosts by time",
        .word = "time",
        .unit = p->time_unit,
        .count = p->times,
        .in = p->times,
        .cells = &p->by_time[0][0],
        .stride = PICTURE_TIMES,
        .weights = p->time_weight};
    for (size_t k = 0; k < p->times; k++)
        time_format(p->time[k], times.labels[k]);
    enum err e = p->rows && p->ports ? write_block(p, &ports, names, f) : OK;
    return !e && p->rows && p->times ? write_block(p, &times, names, f) : e;
}
