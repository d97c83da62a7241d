#ifndef CMD_RECORDING_H
#define CMD_RECORDING_H

#include "cmd/setup.h"
#include "cmd/site_list.h"
#include "evaluate/tape.h"
#include "evaluate/warning.h"

/* Captures are read once; engines look at what was recorded as often as wanted. */

/* All captures of the list through the sensors, window by window, onto a tape. A capture that
 * breaks ends the recording: half of a telescope is no ground for figures. */
enum err recording_make(const struct setup *setup, const struct site_list *list,
    struct tape **ret_tape, struct fault *f) MUST_CHECK;

/* The same from CSV in the form of the NICT data sets: "NAME=FILE" texts. */
enum err recording_nict(const char *const *pairs, size_t count, int64_t window,
    struct tape **ret_tape, struct fault *f) MUST_CHECK;

/**
 * What engines say of a tape: alerts of at least severity `least`, as replay would write them.
 *
 * @param ret_warnings zeroed; [0] is for all engines together. With `each`, there are as many
 * more as engines: what each says alone. Every engine runs once.
 */
enum err recording_alerts(struct tape *t, const struct engine_choice *engines, bool each,
    enum severity least, struct warnings *ret_warnings, struct fault *f) MUST_CHECK;

#endif
