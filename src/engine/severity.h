#ifndef ENGINE_SEVERITY_H
#define ENGINE_SEVERITY_H

#include "record/finding.h"

/* How loud a rise is, for all engines that count sources. The rows of the table in severity.c
 * are documented in docs/formats/alert.md. */
struct rise {
    double score;   /* -log10 of how many such rises chance gives in a day, over all sites */
    double ratio;   /* now over normal */
    unsigned sites; /* that see it */
    unsigned fired; /* of the last three windows, in how many the score was 0 or more */
    int64_t lasted; /* us since it was first seen */
};

enum severity rise_severity(const struct rise *r);

#endif
