/* Policy documents: what is read can be written, and reads as the same. */
#include "anon/policy.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct anon_policy p, again;
    struct fault f;
    if (anon_policy_parse(&p, bytes_over(data, size), &f) != OK)
        return 0;
    json_t *document = anon_policy_json(&p);
    if (anon_policy_read(&again, document, &f) != OK || !anon_policy_same(&p, &again))
        abort();
    json_decref(document);
    return 0;
}
