/* What alert_from_json() takes, alert_json() writes back in a form that is taken again and
 * written the same; a book that loads a state can save it and work on. */
#include "alert/alert.h"

#include <stdlib.h>
#include <string.h>

static json_t *written(const struct alert *a)
{
    json_t *value = alert_json(a);
    if (!value)
        abort();
    return value;
}

static void one_alert(const json_t *value)
{
    struct alert a;
    struct fault f;
    if (alert_from_json(value, &a, &f))
        return;
    json_t *first = written(&a);
    alert_done(&a);
    if (alert_from_json(first, &a, &f))
        abort();
    json_t *second = written(&a);
    if (!json_equal(first, second))
        abort();
    json_decref(first);
    json_decref(second);
    alert_done(&a);
}

static void one_book(struct bytes in)
{
    struct alert_book *b;
    struct alert_options options = {.most = 16};
    if (alert_book_new(&b, &options))
        return;
    struct fault f;
    if (!alert_book_load(b, in, &f)) {
        struct buf out;
        buf_init(&out, 1 << 24);
        if (alert_book_save(b, &out) || alert_book_load(b, bytes_over(out.data, out.len), &f))
            abort();
        buf_done(&out);
        if (alert_book_turn(b, 0, NULL, NULL))
            abort();
    }
    alert_book_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_error_t where;
    json_t *value = json_loadb((const char *)data, size, 0, &where);
    if (value)
        one_alert(value);
    json_decref(value);
    one_book(bytes_over(data, size));
    return 0;
}
