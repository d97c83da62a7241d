#ifndef CMD_HOLDER_H
#define CMD_HOLDER_H

#include "base/json.h"
#include "cmd/hub_client.h"
#include "store/ask.h"
#include "store/catalog.h"
#include "store/store.h"

/* Answers from a data folder, whoever holds it: the hub that runs on it is asked over HTTP; if
 * none does, the store or the catalogue is opened for the length of the question. */
struct holder;

/* What will be asked: bits. */
enum {
    HOLDER_STORE = 1,
    HOLDER_CATALOG = 2,
    HOLDER_NAMES = 4 /* with the store: networks have names, after the usual databases */
};

/* ERR_NOTFOUND if there is no data folder. */
enum err holder_open(
    struct holder **ret_holder, const char *data, unsigned what, struct fault *f) MUST_CHECK;
void holder_close(struct holder *a);

/* Who holds it: the hub, or NULL, and then the catalogue and the store if they were asked for;
 * borrowed. */
const struct hub_address *holder_hub(const struct holder *a);
struct catalog *holder_catalog(struct holder *a);
struct store *holder_store(struct holder *a);

/* Rows as an array of objects, a new reference. */
enum err holder_rows(
    struct holder *a, const struct ask *ask, json_t **ret_rows, struct fault *f) MUST_CHECK;

/* Rows of any number, as JSON lines or CSV, written piece by piece. */
enum err holder_stream(struct holder *a, const struct ask *ask, enum ask_format format,
    enum err (*part)(void *context, const void *data, size_t len), void *context,
    struct fault *f) MUST_CHECK;

/* Alerts, newest first: an array of their JSON form. With `id`, the one of that id, whole. */
enum err holder_alerts(struct holder *a, const struct catalog_alert_query *q, const char *id,
    json_t **ret_alerts, struct fault *f) MUST_CHECK;

#endif
