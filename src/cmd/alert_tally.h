#ifndef CMD_ALERT_TALLY_H
#define CMD_ALERT_TALLY_H

#include "alert/alert.h"

/* Counts alerts by the severity that they have now; an alert that grows is counted once. */
struct alert_tally;

enum err alert_tally_new(struct alert_tally **ret_tally) MUST_CHECK;
void alert_tally_free(struct alert_tally *t);
void alert_tally_add(struct alert_tally *t, const struct alert *a);
void alert_tally_read(const struct alert_tally *t, uint64_t ret_counts[4]);

#endif
