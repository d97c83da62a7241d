/* What a hub asks a site for, which a program with root's rights does there: what is read can
 * be written, and reads as the same. */
#include "fleet/action.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct site_action a, again;
    struct fault f;
    json_t *given = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (given && site_action_read(given, &a, &f) == OK) {
        json_t *first = site_action_json(&a);
        if (!first || site_action_read(first, &again, &f) != OK)
            abort();
        json_t *second = site_action_json(&again);
        if (!json_equal(first, second))
            abort();
        json_decref(first);
        json_decref(second);
    }
    json_decref(given);
    return 0;
}
