#include "engine/tally.h"

#include "engine/shelf.h"
#include "engine/tally_int.h"

#include "engine/classes.h"

#include <assert.h>
#include <string.h>

enum {
    SITE_BITS = 10,
    DIGIT_BITS = 11,
    DIGITS = 4, /* 16 bits of the hash, 28 of the key */
    HASH_BITS = DIGIT_BITS * DIGITS - SITE_BITS - 18
};
_Static_assert(WINDOW_SITES_MAX <= 1 << SITE_BITS, "a site fits its bits");
_Static_assert(SERVICES <= 1 << 18, "a service fits its bits");
_Static_assert(HASH_BITS == 16, "as the header says");

/* What the words of one block's columns mean. */
struct meaning {
    uint16_t site[NAMES_MAX];
    bool counts[NAMES_MAX];
    const uint8_t *tags; /* of its rows; NULL: none */
    unsigned leave_out;
};
#define NO_SITE UINT16_MAX

static uint16_t site_number(const struct window *w, const char *name, unsigned leave_out)
{
    size_t low = 0;
    size_t high = w->site_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(w->sites[middle].name, name);
        if (!order)
            return w->sites[middle].watching || !(leave_out & LEAVE_OUT_UNWATCHED)
                       ? (uint16_t)middle
                       : NO_SITE;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NO_SITE;
}

static void learn_words(
    struct meaning *m, const struct window *w, const struct block *b, unsigned leave_out)
{
    m->leave_out = leave_out;
    const struct names *sites = &b->column[CONTACT_SITE].names;
    for (size_t i = 0; i < sites->count; i++)
        m->site[i] = site_number(w, sites->word[i], leave_out);
    classes_counted(b, leave_out, m->counts);
}

static size_t take_block(
    struct tally_source *to, const struct block *b, const struct meaning *m, uint32_t first)
{
    const uint16_t *site = block_name(b, CONTACT_SITE);
    const uint16_t *class = block_name(b, CONTACT_CLASS);
    const uint8_t *proto = block_u8(b, CONTACT_PROTO);
    const uint16_t *port = block_u16(b, CONTACT_DPORT);
    const struct ip *src = block_ip(b, CONTACT_SRC);
    size_t taken = 0;
    for (size_t i = 0; i < b->rows; i++) {
        uint16_t where = m->site[site[i]];
        if (!m->counts[class[i]] || where == NO_SITE ||
            tags_leave_out(m->tags, i, m->leave_out))
            continue;
        to[taken++] = (struct tally_source){
            .key = service_of(proto[i], port[i]) << SITE_BITS | where,
            .row = first + (uint32_t)i,
            .hash = ip_hash(&src[i]),
        };
    }
    return taken;
}

static uint64_t sort_key(const struct tally_source *s)
{
    return (uint64_t)s->key << HASH_BITS | (s->hash & 0xffff);
}

/* Where the sources with each value of each digit begin. */
struct starts {
    uint32_t of[DIGITS][1 << DIGIT_BITS];
};

static void starts_count(struct starts *s, const struct tally_source *a, size_t n)
{
    const uint64_t mask = (1 << DIGIT_BITS) - 1;
    for (size_t i = 0; i < n; i++) {
        uint64_t key = sort_key(&a[i]);
        for (unsigned digit = 0; digit < DIGITS; digit++)
            s->of[digit][key >> (digit * DIGIT_BITS) & mask]++;
    }
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        uint32_t sum = 0;
        for (size_t d = 0; d <= mask; d++) {
            uint32_t count = s->of[digit][d];
            s->of[digit][d] = sum;
            sum += count;
        }
    }
}

/* Least digit first; stable, so that equal sources stay in the order of rows. Returns which of
 * the two arrays has them in the end. */
static struct tally_source *radix_sort(
    struct tally_source *a, struct tally_source *b, size_t n, struct starts *s)
{
    const uint64_t mask = (1 << DIGIT_BITS) - 1;
    starts_count(s, a, n);
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        unsigned shift = digit * DIGIT_BITS;
        for (size_t i = 0; i < n; i++)
            b[s->of[digit][sort_key(&a[i]) >> shift & mask]++] = a[i];
        struct tally_source *other = a;
        a = b;
        b = other;
    }
    return a;
}

/* Was this source kept already? Equal hashes lie in one run of equal low bits. */
static bool is_repeat(
    const struct tally_source *kept, size_t count, const struct tally_source *s)
{
    while (count-- > 0 && sort_key(&kept[count]) == sort_key(s))
        if (kept[count].hash == s->hash)
            return true;
    return false;
}

/* Returns how many are left. */
static size_t drop_repeats(struct tally_source *sources, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_repeat(sources, kept, &sources[i]))
            sources[kept++] = sources[i];
    return kept;
}

static size_t count_groups(const struct tally *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->source_count; i++)
        count += i == 0 || t->sources[i].key != t->sources[i - 1].key;
    return count;
}

static enum err make_groups(struct tally *t, struct arena *scratch)
{
    size_t count = count_groups(t);
    struct tally_group *groups = arena_room(scratch, count ? count : 1, sizeof *groups);
    if (!groups)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->source_count; i++) {
        uint32_t key = t->sources[i].key;
        if (i == 0 || key != t->sources[i - 1].key)
            groups[t->group_count++] = (struct tally_group){.service = key >> SITE_BITS,
                .site = key & ((1 << SITE_BITS) - 1),
                .first = (uint32_t)i};
        groups[t->group_count - 1].count++;
    }
    t->groups = groups;
    return OK;
}

enum err tally_make(
    struct tally *ret_tally, const struct window *w, unsigned leave_out, struct arena *memory)
{
    assert(w->kind == &record_contact && w->site_count <= WINDOW_SITES_MAX);
    size_t rows = 0;
    for (size_t i = 0; i < w->block_count; i++)
        rows += w->blocks[i]->rows;
    if (rows >= UINT32_MAX)
        return ERR_NOMEM;
    struct tally t = {.window = w};
    struct meaning *m = arena_take(memory, 1, sizeof *m);
    struct starts *starts = arena_take(memory, 1, sizeof *starts);
    struct tally_source *spare = arena_room(memory, rows ? rows : 1, sizeof *spare);
    struct tally_source *sources = arena_room(memory, rows ? rows : 1, sizeof *sources);
    uint32_t *block_first = arena_room(memory, w->block_count + 1, sizeof *block_first);
    if (!m || !starts || !spare || !sources || !block_first)
        return ERR_NOMEM;
    uint32_t first = 0;
    for (size_t i = 0; i < w->block_count; i++) {
        const struct block *b = w->blocks[i];
        learn_words(m, w, b, leave_out);
        m->tags = window_tags(w, i);
        block_first[i] = first;
        t.source_count += take_block(sources + t.source_count, b, m, first);
        first += (uint32_t)b->rows;
    }
    block_first[w->block_count] = first;
    t.block_first = block_first;
    sources = radix_sort(sources, spare, t.source_count, starts);
    t.source_count = drop_repeats(sources, t.source_count);
    t.sources = sources;
    enum err e = make_groups(&t, memory);
    if (!e)
        *ret_tally = t;
    return e;
}

enum err tally_build(
    struct tally *ret_tally, const struct window *w, unsigned leave_out, struct arena *scratch)
{
    if (w->shelf && shelf_tally(w->shelf, w, leave_out, ret_tally) == OK)
        return OK;
    return tally_make(ret_tally, w, leave_out, scratch);
}

const struct block *tally_row(
    const struct tally *t, const struct tally_source *source, size_t *ret_row)
{
    size_t low = 0;
    size_t high = t->window->block_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (t->block_first[middle] <= source->row)
            low = middle;
        else
            high = middle;
    }
    *ret_row = source->row - t->block_first[low];
    return t->window->blocks[low];
}

size_t tally_service_end(const struct tally *t, size_t group)
{
    uint32_t service = t->groups[group].service;
    while (group < t->group_count && t->groups[group].service == service)
        group++;
    return group;
}
