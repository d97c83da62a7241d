#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* 0001-01-01, and the last microsecond of 9999-12-31. */
#define TIME_FIRST (-62135596800 * US_SECOND)
#define TIME_LAST  (253402300800 * US_SECOND - 1)

static int64_t system_now(void *context)
{
    (void)context;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * US_SECOND + ts.tv_nsec / 1000;
}

struct clock clock_system(void)
{
    return (struct clock){.now_us = system_now};
}

int64_t clock_now(const struct clock *c)
{
    return c->now_us(c->context);
}

const char *time_format(int64_t us, char text[TIME_TEXT])
{
    us = us < TIME_FIRST ? TIME_FIRST : us > TIME_LAST ? TIME_LAST : us;
    int64_t whole = time_floor(us, US_SECOND);
    time_t seconds = (time_t)(whole / US_SECOND);
    int fraction = (int)(us - whole);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    int len =
        snprintf(text, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", (tm.tm_year + 1900) % 10000,
            tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (fraction)
        len += snprintf(text + len, (size_t)(TIME_TEXT - len), ".%06d", fraction);
    snprintf(text + len, (size_t)(TIME_TEXT - len), "Z");
    return text;
}

static bool digits(const char **at, int count, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if ((*at)[i] < '0' || (*at)[i] > '9')
            return false;
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += count;
    *ret_value = value;
    return true;
}

static bool literal(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (leap && month == 2);
}

static bool date_parse(const char **at, struct tm *tm)
{
    if (!digits(at, 4, &tm->tm_year) || !literal(at, '-') || !digits(at, 2, &tm->tm_mon) ||
        !literal(at, '-') || !digits(at, 2, &tm->tm_mday))
        return false;
    if (tm->tm_year < 1 || tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1 ||
        tm->tm_mday > days_in_month(tm->tm_year, tm->tm_mon))
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return true;
}

static bool fraction_parse(const char **at, int64_t *ret_us)
{
    int64_t us = 0;
    if (literal(at, '.')) {
        if (**at < '0' || **at > '9')
            return false;
        int64_t unit = US_SECOND / 10;
        for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
            us += (**at - '0') * unit;
    }
    *ret_us = us;
    return true;
}

static bool zone_parse(const char **at, int64_t *ret_us)
{
    *ret_us = 0;
    if (literal(at, 'Z') || literal(at, 'z'))
        return true;
    int sign = **at == '+' ? 1 : **at == '-' ? -1 : 0;
    int hours = 0;
    int minutes = 0;
    if (!sign)
        return false;
    (*at)++;
    if (!digits(at, 2, &hours) || !literal(at, ':') || !digits(at, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *ret_us = sign * (hours * US_HOUR + minutes * US_MINUTE);
    return true;
}

enum err time_parse(const char *text, int64_t *ret_us)
{
    struct tm tm = {0};
    int64_t fraction = 0;
    int64_t zone = 0;
    const char *at = text;
    if (!date_parse(&at, &tm))
        return ERR_BAD;
    if (*at) {
        if (!literal(&at, 'T') && !literal(&at, 't') && !literal(&at, ' '))
            return ERR_BAD;
        if (!digits(&at, 2, &tm.tm_hour) || !literal(&at, ':') || !digits(&at, 2, &tm.tm_min) ||
            !literal(&at, ':') || !digits(&at, 2, &tm.tm_sec))
            return ERR_BAD;
        if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
            return ERR_BAD;
        if (!fraction_parse(&at, &fraction) || !zone_parse(&at, &zone) || *at)
            return ERR_BAD;
    }
    int64_t us = (int64_t)timegm(&tm) * US_SECOND + fraction - zone;
    if (us < TIME_FIRST || us > TIME_LAST)
        return ERR_BAD;
    *ret_us = us;
    return OK;
}

static const struct unit {
    const char *name;
    int64_t us;
} units[] = {
    {"d", US_DAY},
    {"h", US_HOUR},
    {"m", US_MINUTE},
    {"s", US_SECOND},
    {"ms", 1000},
    {"us", 1},
};

/* The unit whose whole name stands at `at`, up to a digit, a space or the end. */
static const struct unit *unit_at(const char *at)
{
    size_t len = strcspn(at, " 0123456789");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == len && strncmp(at, units[i].name, len) == 0)
            return &units[i];
    return NULL;
}

enum err duration_parse(const char *text, int64_t *ret_us)
{
    int64_t total = 0;
    const char *at = text;
    if (strcmp(text, "0") == 0) {
        *ret_us = 0;
        return OK;
    }
    do {
        if (*at < '0' || *at > '9')
            return ERR_BAD;
        char *end;
        long long count = strtoll(at, &end, 10);
        const struct unit *unit = unit_at(end);
        int64_t part;
        if (!unit || __builtin_mul_overflow((int64_t)count, unit->us, &part) ||
            __builtin_add_overflow(total, part, &total))
            return ERR_BAD;
        at = end + strlen(unit->name);
        if (at[0] == ' ' && at[1])
            at++;
    } while (*at);
    *ret_us = total;
    return OK;
}

enum err moment_parse(const char *text, struct moment *ret_moment)
{
    struct moment m = {.kind = MOMENT_TIME};
    enum err e = OK;
    if (strcmp(text, "now") == 0) {
        m.kind = MOMENT_NOW;
    } else if (*text == '-') {
        m.kind = MOMENT_BEFORE_NEWEST;
        e = duration_parse(text + 1, &m.us);
    } else {
        e = time_parse(text, &m.us);
        if (!e && m.us <= 0)
            e = ERR_BAD;
    }
    if (!e)
        *ret_moment = m;
    return e;
}

/* The newest packet itself lies within the range. */
int64_t moment_resolve(const struct moment *m, int64_t newest, int64_t now)
{
    switch (m->kind) {
    case MOMENT_NOW:
        return now;
    case MOMENT_BEFORE_NEWEST:
        return newest + 1 - m->us;
    case MOMENT_TIME:
        break;
    }
    return m->us;
}

const char *duration_format(int64_t us, char text[TIME_TEXT])
{
    int len = us < 0 ? snprintf(text, TIME_TEXT, "-") : 0;
    uint64_t left = us < 0 ? -(uint64_t)us : (uint64_t)us;
    int parts = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units && parts < 2; i++) {
        uint64_t count = left / (uint64_t)units[i].us;
        if (count == 0)
            continue;
        len += snprintf(text + len, (size_t)(TIME_TEXT - len), "%s%llu%s", parts ? " " : "",
            (unsigned long long)count, units[i].name);
        left -= count * (uint64_t)units[i].us;
        parts++;
    }
    if (!parts)
        snprintf(text, TIME_TEXT, "0s");
    return text;
}
