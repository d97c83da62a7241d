/* What truth_from_json() takes, truth_json() writes in a form that is taken again and written
 * the same. */
#include "sim/truth.h"

#include <stdlib.h>

static json_t *written(const struct truth *t)
{
    json_t *value = truth_json(t);
    if (!value)
        abort();
    return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct truth t;
    struct fault f;
    json_error_t where;
    json_t *value = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &where);
    if (value && truth_from_json(value, &t, &f) == OK) {
        json_t *first = written(&t);
        if (truth_from_json(first, &t, &f))
            abort();
        json_t *second = written(&t);
        if (!json_equal(first, second))
            abort();
        json_decref(first);
        json_decref(second);
    }
    json_decref(value);
    return 0;
}
