#ifndef API_EXPORT_INT_H
#define API_EXPORT_INT_H

#include <stdbool.h>
#include <stdint.h>

struct api;

/* Let running exports end early and wait until they have. */
void exports_stop(struct api *a);

#endif
