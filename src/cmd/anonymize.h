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
    uint64_t places; /* sources of which country or network is known */
};

struct anonymize_job {
    struct anon *anon;
    const char *output;      /* "-": standard output */
    const char *places;      /* NULL: no file of countries and networks */
    const struct geo *geo;   /* borrowed; may be NULL */
    enum anon_log_form form; /* of logs */
    const char *const *files;
    size_t file_count;
};

/* Captures into one pcap file of IP packets, in the order of the files. */
enum err anonymize_captures(const struct anonymize_job *job, struct anonymize_counts *counts,
    struct fault *f) MUST_CHECK;

/* Logs, plain or gzip, one after the other. */
enum err anonymize_logs(const struct anonymize_job *job, struct anonymize_counts *counts,
    struct fault *f) MUST_CHECK;

/* "policy.json", or the default if NULL. */
enum err anonymize_policy(
    const char *path, struct anon_policy *ret_policy, struct fault *f) MUST_CHECK;

#endif
