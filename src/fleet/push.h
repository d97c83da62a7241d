#ifndef FLEET_PUSH_H
#define FLEET_PUSH_H

#include "base/bytes.h"
#include "base/err.h"

/* How something gets to a site: what stands between the fleet and a bus, of which it knows
 * nothing. Both are kept by what stands behind, so that a site which is away gets the last one
 * when it comes back; what is given again replaces what was there. They may fail and are tried
 * again. */
struct fleet_push {
    void *context;
    /* A site's document, in the form of document_parcel_write(). */
    enum err (*document)(void *context, const char *site, struct bytes parcel, struct fault *f);
};

#endif
