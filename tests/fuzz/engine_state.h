#ifndef TESTS_FUZZ_ENGINE_STATE_H
#define TESTS_FUZZ_ENGINE_STATE_H

#include "base/clock.h"
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

static inline enum err engine_state_drop(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
    return OK;
}

/* One window of a few contacts, after everything that the state may have seen. */
static inline void engine_state_step(const struct engine *engine, struct engine_state *st)
{
    struct block *b;
    if (block_new(&b, &record_contact, 8))
        return;
    uint16_t word;
    if (block_word(b, CONTACT_SITE, "s00", &word) ||
        block_word(b, CONTACT_CLASS, "scan", &word) || block_word(b, CONTACT_TOOL, "", &word) ||
        block_word(b, CONTACT_COUNTRY, "kr", &word))
        abort();
    for (b->rows = 0; b->rows < 8; b->rows++) {
        block_ip(b, CONTACT_SRC)[b->rows] = ip_from_v4((uint32_t)b->rows << 9);
        block_u8(b, CONTACT_PROTO)[b->rows] = 6;
        block_u16(b, CONTACT_DPORT)[b->rows] = 23;
        block_u32(b, CONTACT_PACKETS)[b->rows] = 1;
        block_u64(b, CONTACT_DSTS)[b->rows] = 1;
        block_u64(b, CONTACT_BYTES)[b->rows] = 40;
        block_u64(b, CONTACT_SLOTS)[b->rows] = 1;
        block_time(b, CONTACT_FIRST)[b->rows] = 0;
        block_u8(b, CONTACT_FLAGS)[b->rows] = 2;
        block_u16(b, CONTACT_WIN)[b->rows] = 0;
        block_name(b, CONTACT_SITE)[b->rows] = 0;
        block_name(b, CONTACT_CLASS)[b->rows] = 0;
        block_name(b, CONTACT_TOOL)[b->rows] = 0;
        block_name(b, CONTACT_COUNTRY)[b->rows] = 0;
    }
    struct window_site site = {.name = "s00", .watching = true, .kept = 1.0};
    const struct block *blocks[] = {b};
    struct arena scratch;
    arena_init(&scratch, (size_t)1 << 26);
    struct sink sink = {.put = engine_state_drop};
    for (int i = 0; i < 8; i++) {
        struct window w = {.start = INT64_C(1786924800000000) + i * 10 * US_MINUTE,
            .length = 10 * US_MINUTE,
            .sites = &site,
            .site_count = 1,
            .kind = &record_contact,
            .blocks = blocks,
            .block_count = 1};
        if (engine->step(st, &w, &scratch, &sink) == OK && i == 7)
            break;
        arena_clear(&scratch);
    }
    arena_done(&scratch);
    block_free(b);
}

static inline void engine_state_try(
    const struct engine *engine, const uint8_t *data, size_t size)
{
    struct conf *conf;
    struct engine_state *st;
    struct fault f;
    if (conf_new(&conf, engine->items))
        return;
    if (conf_find(conf, "sites-max") && conf_set(conf, "sites-max", "4", &f))
        abort();
    if (engine->open(&st, conf, 10 * US_MINUTE, &f))
        abort();
    conf_free(conf);
    if (engine->load(st, bytes_over(data, size), &f) == OK) {
        struct buf out;
        buf_init(&out, size + 1);
        if (engine->save(st, &out) || out.len != size || memcmp(out.data, data, size) != 0)
            abort();
        buf_done(&out);
        engine_state_step(engine, st);
    }
    engine->close(st);
}

#endif
