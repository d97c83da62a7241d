#ifndef ENGINE_CLASSES_H
#define ENGINE_CLASSES_H

#include "base/err.h"

/* "survey,backscatter" or "none": bit k of the result stands for enum packet_class k. The fault
 * names the word that is no class. */
enum err classes_parse(const char *list, unsigned *ret_bits, struct fault *f) MUST_CHECK;

#endif
