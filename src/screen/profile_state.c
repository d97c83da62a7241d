/* Profiles as bytes and back, every number checked on its way in. */
#include "screen/profile.h"

#include <string.h>

static void span_save(const struct profile_span *s, struct buf *out)
{
    buf_le32(out, s->from);
    buf_le32(out, s->packets);
    buf_le32(out, s->windows);
    buf_le64(out, s->sites);
    buf_le64(out, s->places);
    buf_le64(out, s->ports[0]);
    buf_le64(out, s->ports[1]);
}

static void profile_save(const struct profile *p, struct buf *out)
{
    buf_put(out, p->ip.byte, sizeof p->ip.byte);
    buf_le32(out, p->first);
    buf_le32(out, p->last);
    span_save(&p->span[0], out);
    span_save(&p->span[1], out);
    for (size_t i = 0; i < PROFILE_DAY / 64; i++)
        buf_le64(out, p->active[i]);
    buf_le32(out, p->asn);
    buf_put(out, p->country, sizeof p->country);
    buf_le16(out, p->win);
    buf_u8(out, p->classes);
    buf_u8(out, p->thing_count);
    buf_le32(out, p->group);
    for (unsigned i = 0; i < p->thing_count; i++) {
        buf_le64(out, p->thing[i].key);
        buf_le32(out, p->thing[i].window);
        buf_le32(out, p->thing[i].packets);
    }
}

static void name_save(const char *name, struct buf *out)
{
    size_t len = strlen(name);
    buf_u8(out, (uint8_t)len);
    buf_put(out, name, len);
}

static void words_save(const struct words *w, struct buf *out)
{
    buf_u8(out, w->count);
    for (unsigned i = 1; i < w->count; i++) {
        name_save(w->word[i], out);
        buf_u8(out, w->worm[i]);
    }
}

static void sites_save(const struct profiles *t, struct buf *out)
{
    buf_u8(out, (uint8_t)t->site_count);
    for (unsigned i = 0; i < t->site_count; i++)
        name_save(t->site[i], out);
}

void profiles_save(const struct profiles *t, struct buf *out)
{
    words_save(&t->words, out);
    sites_save(t, out);
    buf_le64(out, t->left_out);
    buf_le32(out, (uint32_t)t->count);
    for (size_t i = 0; i < t->count; i++)
        profile_save(&t->list[i], out);
}

/* One to RECORD_NAME_MAX bytes, none of them 0. */
static bool name_load(struct bytes *in, char ret_name[RECORD_NAME_MAX + 1])
{
    size_t len = bytes_u8(in);
    if (len < 1 || len > RECORD_NAME_MAX)
        return false;
    struct bytes text = bytes_take(in, len);
    for (size_t k = 0; k < len; k++)
        ret_name[k] = (char)bytes_u8(&text);
    ret_name[len] = 0;
    return !in->cut && !text.cut && strlen(ret_name) == len;
}

static bool words_load(struct words *w, struct bytes *in)
{
    words_init(w);
    unsigned count = bytes_u8(in);
    if (in->cut || count < 1 || count > WORDS_MAX)
        return false;
    for (unsigned i = 1; i < count; i++) {
        char word[RECORD_NAME_MAX + 1];
        if (!name_load(in, word))
            return false;
        unsigned worm = bytes_u8(in);
        if (in->cut || worm > 1 || words_find(w, word) < WORDS_MAX)
            return false;
        w->worm[words_number(w, word)] = worm;
    }
    return true;
}

static bool sites_load(struct profiles *t, struct bytes *in)
{
    unsigned count = bytes_u8(in);
    if (in->cut || count > PROFILE_SITES)
        return false;
    for (t->site_count = 0; t->site_count < count; t->site_count++) {
        char name[RECORD_NAME_MAX + 1] = "";
        if (!name_load(in, name) || profiles_site(t, name) < PROFILE_SITES)
            return false;
        memcpy(t->site[t->site_count], name, sizeof name);
    }
    return true;
}

/* Bits of the sites that there are, and the one that all others share. */
static uint64_t sites_mask(const struct profiles *t)
{
    return ((UINT64_C(1) << t->site_count) - 1) | UINT64_C(1) << PROFILE_SITES;
}

static bool span_load(
    const struct profiles *t, struct profile_span *s, uint32_t now, struct bytes *in)
{
    s->from = bytes_le32(in);
    s->packets = bytes_le32(in);
    s->windows = bytes_le32(in);
    s->sites = bytes_le64(in);
    s->places = bytes_le64(in);
    s->ports[0] = bytes_le64(in);
    s->ports[1] = bytes_le64(in);
    return !in->cut && s->from <= now && s->windows <= now && !(s->sites & ~sites_mask(t));
}

static bool profile_load(
    const struct profiles *t, struct profile *p, uint32_t now, struct bytes *in)
{
    *p = (struct profile){0};
    struct bytes ip = bytes_take(in, sizeof p->ip.byte);
    for (size_t i = 0; i < sizeof p->ip.byte; i++)
        p->ip.byte[i] = bytes_u8(&ip);
    p->hash = ip_hash(&p->ip);
    p->first = bytes_le32(in);
    p->last = bytes_le32(in);
    bool good = span_load(t, &p->span[0], now, in) && span_load(t, &p->span[1], now, in);
    for (size_t i = 0; i < PROFILE_DAY / 64; i++)
        p->active[i] = bytes_le64(in);
    p->asn = bytes_le32(in);
    p->country[0] = (char)bytes_u8(in);
    p->country[1] = (char)bytes_u8(in);
    p->win = bytes_le16(in);
    p->classes = bytes_u8(in);
    p->thing_count = bytes_u8(in);
    p->group = bytes_le32(in);
    if (!good || in->cut || p->thing_count > PROFILE_THINGS || p->first > p->last ||
        p->last > now || (p->country[0] == 0) != (p->country[1] == 0))
        return false;
    for (unsigned i = 0; i < p->thing_count; i++) {
        struct profile_thing *thing = &p->thing[i];
        thing->key = bytes_le64(in);
        thing->window = bytes_le32(in);
        thing->packets = bytes_le32(in);
        if (in->cut || !thing_allowed(thing->key) || thing_tool(thing->key) >= t->words.count ||
            thing->window > p->last)
            return false;
        for (unsigned k = 0; k < i; k++)
            if (p->thing[k].key == thing->key)
                return false;
    }
    return true;
}

enum err profiles_load(struct profiles *t, struct bytes *in, uint32_t now)
{
    if (!words_load(&t->words, in) || !sites_load(t, in))
        return ERR_BAD;
    t->left_out = bytes_le64(in);
    uint32_t count = bytes_le32(in);
    if (in->cut || count > t->cap)
        return ERR_BAD;
    for (uint32_t i = 0; i < count; i++) {
        struct profile p;
        if (!profile_load(t, &p, now, in) || profiles_find(t, &p.ip))
            return ERR_BAD;
        enum err e = profiles_add(t, &p);
        if (e)
            return e;
    }
    return OK;
}
