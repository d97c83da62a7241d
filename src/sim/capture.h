#ifndef SIM_CAPTURE_H
#define SIM_CAPTURE_H

#include "sim/telescope.h"

/* A simulated telescope as files: a capture for each site, the truth, the surveys' list. */

struct capture_plan {
    const char *folder; /* made if it is not there; its parent must be */
    const char *suffix; /* "pcap", "pcap.gz" or "pcap.zst" */
    bool replace;       /* what an earlier run left there */
    /* Called now and then with the share that is done, 0..1; ERR_STOPPED ends the run. NULL is
     * fine. */
    enum err (*progress)(void *context, double done);
    void *context;
};

struct capture_made {
    uint64_t packets, bytes; /* of frames, without the headers of the files */
};

/**
 * Write SITE.SUFFIX for each site, surveys.txt, labels.csv, and last truth.json: a folder with
 * a truth.json is complete.
 *
 * @return OK; ERR_EXISTS: a truth.json is there and `replace` is not set, or a file of these
 *         names that is not of the simulation to be replaced; ERR_NOTFOUND: the folder cannot
 *         be made; ERR_IO; any failure
 *         of telescope_next(). After a failure none of its files is left,
 *         nor a folder that it made.
 */
enum err capture_write(struct telescope *t, const struct capture_plan *plan,
    struct capture_made *ret_made, struct fault *f) MUST_CHECK;

#endif
