#ifndef CMD_AUDIT_SERIES_H
#define CMD_AUDIT_SERIES_H

#include "base/err.h"
#include "base/json.h"

#include <stdint.h>

/* Two CSV files of time,key,value with a header, as `kizashi stats --csv` writes series; the
 * keys that both have are compared over the time that both files are about, one row each into
 * `rows`. Times are RFC 3339 or seconds;
 * steps that a file leaves out are 0.
 *
 * @return OK; ERR_BAD: the fault names file and line; ERR_RANGE: no key in both, or more than a
 * million steps; ERR_NOMEM. */
enum err audit_series(const char *const files[2], int lag_most, uint64_t seed, json_t *rows,
    struct fault *f) MUST_CHECK;

#endif
