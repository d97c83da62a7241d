/* What document_parse() takes, document_json() writes in a form that is read the same, and does
 * not differ from it; a parcel that is taken can be offered to a site; an assignment either is
 * refused or leaves a document that is read again. */
#include "fleet/apply.h"

#include <stdlib.h>
#include <string.h>

static void one_document(struct bytes in)
{
    struct site_document d, again;
    struct fault f;
    if (document_parse(&d, in, &f))
        return;
    json_t *object = document_json(&d);
    json_t *rows = NULL;
    if (!object || document_read(&again, object, &f) || !document_same(&d, &again))
        abort();
    rows = document_diff(&d, &again);
    if (!rows || json_array_size(rows))
        abort();
    json_decref(rows);
    json_decref(object);
}

static void one_assignment(const uint8_t *data, size_t size)
{
    struct site_document d, again;
    struct fault f;
    char text[512];
    if (size >= sizeof text)
        return;
    memcpy(text, data, size);
    text[size] = 0;
    document_default(&d);
    if (document_set(&d, text, &f))
        return;
    json_t *object = document_json(&d);
    if (!object || document_read(&again, object, &f) || !document_same(&d, &again))
        abort();
    json_decref(object);
}

static void one_parcel(struct bytes in)
{
    struct applier *a;
    struct fault f;
    struct applier_options options = {.site = "jp-01"};
    if (applier_new(&a, &options, &f))
        abort();
    if (!applier_offer(a, in, 0, &f))
        (void)applier_turn(a, 0);
    applier_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    one_document(bytes_over(data, size));
    one_assignment(data, size);
    one_parcel(bytes_over(data, size));
    return 0;
}
