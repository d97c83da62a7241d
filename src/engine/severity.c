#include "engine/severity.h"

#include "base/clock.h"

/* The first row whose every bound is met. */
static const struct {
    enum severity severity;
    double score;
    double ratio;
    unsigned sites;
    unsigned fired;
    int64_t lasted;
} rows[] = {
    {SEVERITY_CRITICAL, 10.0, 5.0, 3, 2, US_HOUR},
    {SEVERITY_WARNING, 3.0, 3.0, 3, 2, 0},
    {SEVERITY_WARNING, 6.0, 5.0, 1, 2, US_HOUR},
    {SEVERITY_NOTICE, 3.0, 1.0, 1, 1, 0},
    {SEVERITY_NOTICE, 1.0, 1.0, 1, 2, 0},
};

enum severity rise_severity(const struct rise *r)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (r->score >= rows[i].score && r->ratio >= rows[i].ratio &&
            r->sites >= rows[i].sites && r->fired >= rows[i].fired &&
            r->lasted >= rows[i].lasted)
            return rows[i].severity;
    return SEVERITY_INFO;
}
