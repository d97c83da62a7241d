#include "sim/place.h"

#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct country {
    char code[3];
    double weight; /* share of noisy hosts, any unit: an assumption, not a measurement */
    double zone;   /* hours ahead of UTC where most of its people live */
};

static const struct country countries[] = {
    {"cn", 160, 8},
    {"us", 90, -6},
    {"br", 75, -3},
    {"in", 75, 5.5},
    {"ru", 65, 3},
    {"vn", 50, 7},
    {"tw", 40, 8},
    {"kr", 38, 9},
    {"id", 35, 7},
    {"tr", 32, 3},
    {"ir", 30, 3.5},
    {"th", 24, 7},
    {"mx", 24, -6},
    {"ua", 22, 2},
    {"eg", 20, 2},
    {"ar", 20, -3},
    {"it", 19, 1},
    {"de", 18, 1},
    {"gb", 16, 0},
    {"fr", 16, 1},
    {"pk", 15, 5},
    {"jp", 14, 9},
    {"nl", 13, 1},
    {"co", 12, -5},
    {"ro", 12, 2},
    {"pl", 11, 1},
    {"ph", 11, 8},
    {"my", 10, 8},
    {"es", 10, 1},
    {"bd", 10, 6},
    {"za", 9, 2},
    {"ve", 9, -4},
    {"gr", 8, 2},
    {"bg", 8, 2},
    {"ca", 8, -5},
    {"hk", 8, 8},
    {"sg", 7, 8},
    {"cl", 7, -4},
    {"ec", 6, -5},
    {"pe", 6, -5},
    {"hu", 6, 1},
    {"cz", 5, 1},
    {"se", 5, 1},
    {"au", 5, 10},
    {"kz", 5, 5},
    {"ma", 5, 0},
    {"dz", 5, 1},
    {"ng", 4, 1},
    {"ke", 4, 3},
    {"sa", 4, 3},
    {"il", 4, 2},
    {"rs", 4, 1},
    {"pt", 3, 0},
    {"at", 3, 1},
    {"ch", 3, 1},
    {"by", 3, 3},
    {"lk", 3, 5.5},
    {"np", 3, 5.75},
    {"mm", 2, 6.5},
    {"kh", 2, 7},
    {"mn", 1, 8},
};

enum {
    COUNTRIES = sizeof countries / sizeof *countries
};
_Static_assert(sizeof countries / sizeof *countries <= (size_t)PLACES, "the table fits");

struct range {
    uint32_t first;
    uint32_t before; /* addresses of the country in earlier ranges */
};

struct place {
    const struct country *country;
    struct range *ranges; /* into places.ranges */
    size_t range_count;
    uint32_t addresses;
    double until; /* weight of this and earlier places */
};

struct places {
    struct range *ranges; /* owned, grouped by place */
    struct place place[PLACES];
    size_t count;
    char origin[160];
};

struct raw_range {
    uint32_t first, last;
    uint8_t country;
};

struct raw_ranges {
    struct raw_range *list; /* owned */
    size_t count, room;
};

static enum err raw_add(struct raw_ranges *raw, uint32_t first, uint32_t last, uint8_t country)
{
    if (raw->count >= PLACE_RANGES)
        return ERR_FULL;
    if (raw->count == raw->room) {
        size_t room = raw->room ? raw->room * 2 : 4096;
        struct raw_range *list = realloc(raw->list, room * sizeof *list);
        if (!list)
            return ERR_NOMEM;
        raw->list = list;
        raw->room = room;
    }
    raw->list[raw->count++] = (struct raw_range){first, last, country};
    return OK;
}

static size_t country_of(const char code[2])
{
    size_t c = 0;
    while (c < COUNTRIES &&
           ((code[0] | 32) != countries[c].code[0] || (code[1] | 32) != countries[c].code[1]))
        c++;
    return c;
}

/* "first,last,CC"; false if the line is not of that form. */
static bool line_parse(const char *line, uint32_t *ret_first, uint32_t *ret_last, char cc[2])
{
    char *end;
    errno = 0;
    unsigned long long first = strtoull(line, &end, 10);
    if (end == line || *end != ',' || errno)
        return false;
    const char *second = end + 1;
    unsigned long long last = strtoull(second, &end, 10);
    if (end == second || *end != ',' || errno || first > last || last > UINT32_MAX)
        return false;
    if (!end[1] || !end[2] || (end[3] && end[3] != '\n' && end[3] != '\r'))
        return false;
    *ret_first = (uint32_t)first;
    *ret_last = (uint32_t)last;
    memcpy(cc, end + 1, 2);
    return true;
}

/* Space that a telescope's own addresses or nobody's come from is not a source. */
static bool usable(uint32_t first, uint32_t last)
{
    bool own = first <= 0xc613ffff && last >= 0xc6120000; /* 198.18.0.0/15 */
    return !own && first >= 0x01000000 && last < 0xe0000000;
}

static enum err file_read(struct raw_ranges *raw, const char *path, struct fault *f)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return fault_set(f, ERR_IO, "--geoip: %s: %s", path, strerror(errno));
    char line[256];
    enum err e = OK;
    for (size_t number = 1; !e && fgets(line, sizeof line, in); number++) {
        if (*line == '#' || *line == '\n')
            continue;
        uint32_t first, last;
        char cc[2];
        if (!line_parse(line, &first, &last, cc)) {
            e = fault_set(f, ERR_BAD,
                "--geoip: %s: line %zu: is not \"first,last,CC\" with IPv4 addresses as "
                "numbers",
                path, number);
            break;
        }
        size_t c = country_of(cc);
        if (c < COUNTRIES && usable(first, last) && (e = raw_add(raw, first, last, (uint8_t)c)))
            fault_set(f, e, "--geoip: %s: %s", path, err_text(e));
    }
    if (!e && ferror(in))
        e = fault_set(f, ERR_IO, "--geoip: %s: %s", path, strerror(errno));
    if (!e && raw->count == 0)
        e = fault_set(f, ERR_BAD, "--geoip: %s: holds no range of a country", path);
    fclose(in);
    return e;
}

/* Without a file: every country gets sixteen ranges of 65,536 addresses, between 16.0.0.0 and
 * 77.0.0.0, that real allocations have nothing to do with. */
static enum err ranges_make_up(struct raw_ranges *raw)
{
    for (uint32_t c = 0; c < COUNTRIES; c++)
        for (uint32_t i = 0; i < 16; i++) {
            uint32_t first = (16 + c) << 24 | i << 20;
            enum err e = raw_add(raw, first, first | 0xffff, (uint8_t)c);
            if (e)
                return e;
        }
    return OK;
}

static enum err places_group(struct places *p, const struct raw_ranges *raw)
{
    p->ranges = calloc(raw->count, sizeof *p->ranges);
    if (!p->ranges)
        return ERR_NOMEM;
    size_t used = 0;
    double until = 0.0;
    for (size_t c = 0; c < COUNTRIES; c++) {
        struct place *here = &p->place[p->count];
        *here = (struct place){.country = &countries[c], .ranges = p->ranges + used};
        for (size_t i = 0; i < raw->count; i++) {
            const struct raw_range *r = &raw->list[i];
            if (r->country != c)
                continue;
            p->ranges[used++] = (struct range){r->first, here->addresses};
            here->range_count++;
            here->addresses += r->last - r->first + 1;
        }
        if (here->addresses < 1024)
            continue; /* a file may lack a country; it then sends nothing */
        until += countries[c].weight;
        here->until = until;
        p->count++;
    }
    return p->count ? OK : ERR_BAD;
}

enum err places_open(struct places **ret_places, const char *geoip, struct fault *f)
{
    struct places *p = calloc(1, sizeof *p);
    if (!p)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct raw_ranges raw = {0};
    enum err e = geoip ? file_read(&raw, geoip, f) : ranges_make_up(&raw);
    if (!e && (e = places_group(p, &raw)))
        fault_set(
            f, e, "--geoip: %s", e == ERR_BAD ? "no country has 1,024 addresses" : err_text(e));
    free(raw.list);
    if (e) {
        places_close(p);
        return e;
    }
    if (geoip)
        snprintf(p->origin, sizeof p->origin, "addresses of each country from %s", geoip);
    else
        snprintf(p->origin, sizeof p->origin,
            "made-up address ranges: a country look-up of the sources means nothing");
    *ret_places = p;
    return OK;
}

void places_close(struct places *p)
{
    if (!p)
        return;
    free(p->ranges);
    free(p);
}

const char *places_origin(const struct places *p)
{
    return p->origin;
}

size_t places_count(const struct places *p)
{
    return p->count;
}

const char *places_code(const struct places *p, size_t place)
{
    return p->place[place].country->code;
}

size_t places_by_code(const struct places *p, const char *code)
{
    size_t i = 0;
    while (i < p->count && strcmp(p->place[i].country->code, code) != 0)
        i++;
    return i;
}

uint8_t places_pick(const struct places *p, struct rng *r)
{
    double at = rng_unit(r) * p->place[p->count - 1].until;
    size_t i = 0;
    while (i + 1 < p->count && p->place[i].until <= at)
        i++;
    return (uint8_t)i;
}

static uint32_t nth_address(const struct place *p, uint32_t n)
{
    size_t low = 0, high = p->range_count - 1; /* the last range with before <= n */
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (p->ranges[middle].before <= n)
            low = middle;
        else
            high = middle - 1;
    }
    return p->ranges[low].first + (n - p->ranges[low].before);
}

uint32_t places_address(const struct places *p, size_t place, struct rng *r)
{
    const struct place *here = &p->place[place];
    uint32_t ip = 0;
    for (int tries = 0; tries < 16; tries++) {
        ip = nth_address(here, (uint32_t)rng_below(r, here->addresses));
        if ((ip & 0xff) != 0 && (ip & 0xff) != 0xff)
            break;
    }
    return ip;
}

double places_day(const struct places *p, size_t place, int64_t now)
{
    double hour = (double)(now - time_floor(now, US_DAY)) / (double)US_HOUR;
    double local = hour + p->place[place].country->zone;
    return cos((local - 15.0) * (3.141592653589793 / 12.0));
}
