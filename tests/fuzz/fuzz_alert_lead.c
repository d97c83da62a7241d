/* A kept state of what is followed is refused, or loads, works on and saves the same again. */
#include "alert/lead.h"

#include <stdlib.h>
#include <string.h>

static void work(struct lead *l)
{
    const struct window_site sites[] = {{.name = "jp-01", .watching = true}};
    const struct window w = {.start = INT64_C(1786752000000000),
        .length = INT64_C(600000000),
        .sites = sites,
        .site_count = 1};
    const struct alert_options options = {.most = 16};
    struct alert_book *book;
    if (alert_book_new(&book, &options))
        return;
    if (lead_turn(l, &w, book) || lead_tell(l, NULL, NULL))
        abort();
    alert_book_free(book);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lead_options options = {.most = 16};
    struct lead *l;
    struct fault f;
    if (lead_new(&l, &options))
        return 0;
    if (!lead_load(l, bytes_over(data, size), &f)) {
        struct buf first;
        struct buf second;
        buf_init(&first, 1 << 26);
        buf_init(&second, 1 << 26);
        if (lead_save(l, &first) || lead_load(l, bytes_over(first.data, first.len), &f) ||
            lead_save(l, &second) || first.len != second.len ||
            memcmp(first.data, second.data, first.len) != 0)
            abort();
        buf_done(&first);
        buf_done(&second);
        work(l);
    }
    lead_free(l);
    return 0;
}
