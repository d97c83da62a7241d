/* Patterns as bytes and back, every number checked on its way in. */
#include "engine/number.h"
#include "screen/pattern.h"

#include <string.h>

void amount_save(const struct amount *a, uint32_t day, struct buf *out)
{
    buf_le32(out, a->seen);
    for (uint32_t i = 0; i < day + day / 2; i++)
        buf_le32(out, a->past[i]);
}

bool amount_load(struct amount *a, uint32_t day, uint32_t now, struct bytes *in)
{
    *a = (struct amount){.seen = bytes_le32(in)};
    for (uint32_t i = 0; i < day + day / 2; i++)
        a->past[i] = bytes_le32(in);
    return !in->cut && a->seen <= now;
}

static void pattern_save(const struct pattern_book *b, const struct pattern *p, struct buf *out)
{
    buf_le32(out, p->id);
    buf_le32(out, p->born);
    buf_le32(out, p->last);
    buf_u8(out, p->key_count);
    for (unsigned i = 0; i < p->key_count; i++)
        buf_le64(out, p->key[i]);
    buf_u8(out, p->novel);
    buf_u8(out, p->history);
    number_save(out, p->rate);
    number_save(out, p->hits);
    for (unsigned i = 0; i < 4; i++)
        buf_le64(out, p->nets[i / 2][i % 2]);
    buf_le32(out, p->fired);
    amount_save(&p->amount, b->day, out);
}

void patterns_save(const struct pattern_book *b, struct buf *out)
{
    buf_le32(out, b->next_id);
    buf_le64(out, b->left_out);
    tail_save(&b->tail, out);
    buf_le32(out, (uint32_t)b->count);
    for (size_t i = 0; i < b->count; i++)
        pattern_save(b, &b->list[i], out);
    uint32_t used = 0;
    for (uint32_t i = 0; i < SEEN_SLOTS; i++)
        used += b->seen[i].window != 0;
    buf_le32(out, used);
    for (uint32_t i = 0; i < SEEN_SLOTS; i++) {
        if (!b->seen[i].window)
            continue;
        buf_le32(out, i);
        number_save(out, (double)b->seen[i].hits);
        buf_le32(out, b->seen[i].window);
    }
}

static bool keys_load(struct pattern *p, const struct words *words, struct bytes *in)
{
    p->key_count = bytes_u8(in);
    if (p->key_count < 1 || p->key_count > PATTERN_KEYS)
        return false;
    for (unsigned i = 0; i < p->key_count; i++) {
        p->key[i] = bytes_le64(in);
        if (in->cut || !thing_allowed(p->key[i]) || thing_tool(p->key[i]) >= words->count ||
            (i && p->key[i] <= p->key[i - 1]))
            return false;
    }
    return true;
}

static bool pattern_load(const struct pattern_book *b, struct pattern *p,
    const struct words *words, uint32_t now, struct bytes *in)
{
    *p = (struct pattern){.id = bytes_le32(in)};
    p->born = bytes_le32(in);
    p->last = bytes_le32(in);
    if (!keys_load(p, words, in))
        return false;
    unsigned novel = bytes_u8(in);
    p->novel = novel;
    p->history = bytes_u8(in);
    if (novel > 1 || !number_load(in, 0.0, 1e12, &p->rate) ||
        !number_load(in, 0.0, 1e12, &p->hits))
        return false;
    for (unsigned i = 0; i < 4; i++)
        p->nets[i / 2][i % 2] = bytes_le64(in);
    p->fired = bytes_le32(in);
    return amount_load(&p->amount, b->day, now, in) && p->id && p->id < b->next_id && p->born &&
           p->born <= p->last && p->last <= now && p->fired <= now;
}

static bool seen_load(struct pattern_book *b, uint32_t now, struct bytes *in)
{
    uint32_t used = bytes_le32(in);
    uint32_t next = 0;
    for (uint32_t i = 0; i < used; i++) {
        uint32_t slot = bytes_le32(in);
        float hits;
        if (!number_load_float(in, 0.0, 1e9, false, &hits))
            return false;
        uint32_t window = bytes_le32(in);
        if (in->cut || slot < next || slot >= SEEN_SLOTS || !window || window > now)
            return false;
        b->seen[slot] = (struct quiet){.hits = hits, .window = window};
        next = slot + 1;
    }
    return !in->cut;
}

enum err patterns_load(
    struct pattern_book *b, const struct words *words, struct bytes *in, uint32_t now)
{
    b->next_id = bytes_le32(in);
    b->left_out = bytes_le64(in);
    if (!tail_load(&b->tail, in))
        return ERR_BAD;
    uint32_t count = bytes_le32(in);
    if (in->cut || count > PATTERNS_MAX || !b->next_id)
        return ERR_BAD;
    for (uint32_t i = 0; i < count; i++)
        if (!pattern_load(b, &b->list[b->count++], words, now, in))
            return ERR_BAD;
    return seen_load(b, now, in) ? OK : ERR_BAD;
}
