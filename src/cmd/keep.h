#ifndef CMD_KEEP_H
#define CMD_KEEP_H

#include "alert/alert.h"
#include "ingest/analysis.h"
#include "ingest/writer.h"
#include "store/catalog.h"
#include "store/store.h"

/* A data folder in use: the store, the catalogue and the thread that writes blocks. */
struct keep;

struct keep_options {
    const char *data;
    struct store_options store;
    struct writer_events events;
    const atomic_bool *stop; /* borrowed */
};

enum err keep_open(
    struct keep **ret_keep, const struct keep_options *options, struct fault *f) MUST_CHECK;

/* Everything that was queued is durable when it returns. */
void keep_close(struct keep *k);

/* The same where nothing was stored, because the start was refused: a folder that keep_open()
 * made is gone afterwards. */
void keep_discard(struct keep *k);

struct writer *keep_writer(struct keep *k);
struct store *keep_store(struct keep *k);
struct catalog *keep_catalog(struct keep *k);

/* What screening says of a window, into the store. */
enum err keep_tagged(
    struct keep *k, const struct window *w, const struct tagging *tagging) MUST_CHECK;

/* Note an alert; it reaches the catalogue with keep_window(). */
enum err keep_alert(struct keep *k, const struct alert *a) MUST_CHECK;

/* A forecast that is new, was revised or settled; likewise. */
enum err keep_forecast(struct keep *k, const struct forecast *f) MUST_CHECK;

/* The window that ended at `end` has been looked at: alerts that were noted go into the
 * catalogue, and with them, if `analysis` is not NULL, the engines' states, in one transaction.
 * States that have seen later windows are not replaced. */
enum err keep_window(
    struct keep *k, int64_t end, const struct analysis *analysis, struct fault *f) MUST_CHECK;

/* End of the last window that states in the catalogue have seen, readable or not; 0: none. */
int64_t keep_seen(const struct keep *k);

/* Restore the engines' states; *ret_end is the end of the last window they saw, 0 if there was
 * no state. A state that cannot be read is a fault; the engines are then as they were. */
enum err keep_restore(
    struct keep *k, struct analysis *analysis, int64_t *ret_end, struct fault *f) MUST_CHECK;

#endif
