#ifndef API_WARNINGS_INT_H
#define API_WARNINGS_INT_H

#include "api/request_int.h"

/* An alert of the catalogue as AlertSummary, or with evidence and hosts as Alert; a new
 * reference, NULL for lack of memory or a text that is no alert. */
json_t *warning_json(const struct catalog_alert *a, bool whole);

/* Reply with one alert, whole; 404 if it is not there. */
enum err warning_reply(struct request *r, const char *id) MUST_CHECK;

/* The overview's part: open alerts by severity, unseen ones, the latest. */
enum err warnings_summary(struct request *r, json_t **ret_summary) MUST_CHECK;

#endif
