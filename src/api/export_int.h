#ifndef API_EXPORT_INT_H
#define API_EXPORT_INT_H

#include <stdbool.h>
#include <stdint.h>

struct api;

/* Wait until the threads of running exports have ended, which they do soon once the server is
 * stopping. A reader that does not read does not hold this up. */
void exports_stop(struct api *a);

#endif
