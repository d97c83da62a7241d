#ifndef ENGINE_TENSOR_TENSOR_H
#define ENGINE_TENSOR_TENSOR_H

#include "engine/engine.h"

/* Hosts that act on a port in the same seconds, again and again, although there are not more of
 * them than usual. What it does and does not see: docs/engines/tensor.md. Source: after
 * Kanehara et al., "Real-time botnet detection using nonnegative Tucker decomposition", SAC
 * 2019 (hosts x ports x time); which fibres enter the tensor, the null and the use of the core
 * are this project's own.
 *
 * Memory: at most services-max x 200 bytes and fibres-max x 1.1 KiB. */
extern const struct engine engine_tensor;

#endif
