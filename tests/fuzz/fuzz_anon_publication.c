/* Policies of publication: what is read can be written, and reads as the same. */
#include "anon/publication.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct publication_policy p, again;
    struct fault f;
    json_t *given = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (given && publication_read(&p, given, &f) == OK) {
        json_t *first = publication_json(&p);
        if (!first || publication_read(&again, first, &f) != OK)
            abort();
        json_t *second = publication_json(&again);
        if (!json_equal(first, second))
            abort();
        json_decref(first);
        json_decref(second);
    }
    json_decref(given);
    return 0;
}
