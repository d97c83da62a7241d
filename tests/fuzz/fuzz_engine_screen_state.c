/* A state that screen_load() takes is saved as bytes that it takes again, and the engine works
 * on from it. */
#include "engine/screen/screen.h"
#include "engine_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err load_save(struct engine_state *st, struct bytes in, struct buf *out)
{
    struct fault f;
    buf_init(out, (size_t)1 << 28);
    enum err e = engine_screen.load(st, in, &f);
    return e ? e : engine_screen.save(st, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *conf;
    struct engine_state *st;
    struct fault f;
    struct buf once, twice;
    if (conf_new(&conf, engine_screen.items))
        return 0;
    if (conf_set(conf, "sources-max", "1024", &f) ||
        engine_screen.open(&st, conf, 10 * US_MINUTE, &f))
        abort();
    conf_free(conf);
    if (load_save(st, bytes_over(data, size), &once) == OK) {
        if (load_save(st, bytes_over(once.data, once.len), &twice) || once.len != twice.len ||
            memcmp(once.data, twice.data, once.len) != 0)
            abort();
        buf_done(&twice);
        engine_state_step(&engine_screen, st);
    }
    buf_done(&once);
    engine_screen.close(st);
    return 0;
}
