#include "api/api.h"

/* The real store behind struct api_store. */

static enum err ask_store(void *context, const struct ask *a, enum ask_format format,
    struct buf *out, char ret_cursor[ASK_CURSOR], struct fault *f)
{
    return store_ask(context, a, format, out, ret_cursor, f);
}

static enum err stream_store(void *context, const struct ask *a, enum ask_format format,
    enum err (*part)(void *context, const void *data, size_t len), void *part_context,
    struct fault *f)
{
    return store_stream(context, a, format, part, part_context, f);
}

static enum err usage_of_store(void *context, struct store_usage *ret_usage, struct fault *f)
{
    return store_usage(context, ret_usage, f);
}

struct api_store api_store_over(struct store *s)
{
    return (struct api_store){s, ask_store, stream_store, usage_of_store};
}
