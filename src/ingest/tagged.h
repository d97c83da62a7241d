#ifndef INGEST_TAGGED_H
#define INGEST_TAGGED_H

#include "engine/engine.h"
#include "ingest/writer.h"

/* Send to the store what screening says of a window: a row of kind `screening` for the window
 * and one for each reason, and a row of kind `tagged` for each contact and tag. Contacts
 * themselves are in the store by then, as they were: live ones go with their packets.
 *
 * @return what writer_put() says; ERR_NOMEM. Cost: about 0.1 us a contact that is tagged. */
enum err tagged_keep(
    struct writer *w, const struct window *window, const struct tagging *tagging) MUST_CHECK;

#endif
