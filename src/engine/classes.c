#include "engine/classes.h"

#include "record/record.h"

#include <string.h>

static unsigned class_of(const char *word, size_t len)
{
    for (unsigned k = 0; k < CLASS_COUNT; k++)
        if (strlen(class_name((enum packet_class)k)) == len &&
            strncmp(class_name((enum packet_class)k), word, len) == 0)
            return k;
    return CLASS_COUNT;
}

enum err classes_parse(const char *list, unsigned *ret_bits, struct fault *f)
{
    unsigned bits = 0;
    for (const char *at = list; *at && strcmp(list, "none") != 0;) {
        size_t len = strcspn(at, ",");
        unsigned k = class_of(at, len);
        if (k == CLASS_COUNT)
            return fault_set(f, ERR_RANGE,
                "leave-out: \"%.*s\" is not a class; there are other, scan, backscatter, "
                "misconfiguration, survey and worm",
                (int)len, at);
        bits |= 1u << k;
        at += len + (at[len] == ',');
    }
    *ret_bits = bits;
    return OK;
}
