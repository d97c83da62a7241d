#ifndef CMD_ANONYMIZE_H
#define CMD_ANONYMIZE_H

#include "anon/anon.h"
#include "anon/frame.h"
#include "anon/log.h"
#include "geo/geo.h"

/* Files through a policy, for `kizashi anonymize`. */

struct anonymize_counts {
    uint64_t frames[ANON_FRAME_RESULTS];
    uint64_t misdated; /* left out: before 1970 or after 2106, once they are moved */
    struct anon_log_counts log;
    uint64_t places;     /* sources of which country or network is known */
    struct fault broken; /* the first input that is broken or none; code OK: there is none */
};

/* An input is broken or none. The first such fault is kept, and is the run's; others are told.
 */
void anonymize_broken(struct anonymize_counts *counts, const struct fault *f);

struct anonymize_job {
    struct anon *anon;
    const char *output;      /* "-": standard output */
    const char *places;      /* NULL: no file of countries and networks */
    const struct geo *geo;   /* borrowed; may be NULL */
    enum anon_log_form form; /* of logs */
    const char *const *files;
    size_t file_count;
};

/* Captures into one pcap file of IP packets, in the order of the files. After an input that is
 * broken the others are read, and what came before and after it is kept: ERR_SHORT. Where
 * nothing came out of any, the output is as it was before, and the error is the first input's.
 */
enum err anonymize_captures(const struct anonymize_job *job, struct anonymize_counts *counts,
    struct fault *f) MUST_CHECK;

/* Logs, plain or gzip, one after the other; broken ones as above. */
enum err anonymize_logs(const struct anonymize_job *job, struct anonymize_counts *counts,
    struct fault *f) MUST_CHECK;

/* "policy.json", or the default if NULL. */
enum err anonymize_policy(
    const char *path, struct anon_policy *ret_policy, struct fault *f) MUST_CHECK;

#endif
