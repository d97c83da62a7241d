#include "cmd/resume.h"

#include "ingest/site.h"

#include <stdio.h>

int64_t resume_first(struct site *const *sites, size_t count)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        int64_t peek = site_peek(sites[i]);
        first = peek < first ? peek : first;
    }
    return first;
}

enum err resume_analysis(const struct resume *r, struct analysis **ret_analysis,
    int64_t *ret_seen, char why[480], struct fault *f)
{
    struct analysis *a;
    int64_t seen = 0;
    why[0] = 0;
    enum err e = setup_analysis(r->setup, &a, f);
    if (e)
        return e;
    struct fault unread = {0};
    e = keep_restore(r->keep, a, &seen, &unread);
    if (e)
        snprintf(why, 480, "%s", unread.text);
    else if (seen && resume_first(r->sites, r->count) < seen)
        snprintf(why, 480, "the traffic begins before what the engines saw last");
    if (why[0]) {
        analysis_free(a);
        e = setup_analysis(r->setup, &a, f);
        if (e)
            return e;
        seen = 0;
    }
    *ret_analysis = a;
    *ret_seen = seen;
    return OK;
}
