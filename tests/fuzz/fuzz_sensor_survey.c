/* Lists of announced scanners in all forms: one that is refused leaves no address behind. */
#include "fuzz.h"
#include "sensor/survey.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct survey_lists *lists;
    struct fault f;
    const struct ip ip = ip_from_v4(0xc0000201);
    if (survey_new(&lists))
        abort();
    enum err e = survey_add(lists, "f", bytes_over(data, size), 0, &f);
    if (e && (survey_count(lists) || survey_find(lists, &ip)))
        abort();
    if (!e && (survey_count(lists) != 1 || !survey_at(lists, 0)->prefixes))
        abort();
    survey_free(lists);
    return 0;
}
