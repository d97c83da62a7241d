#include "screen/profile.h"

#include "base/clock.h"
#include "engine/pulse.h"
#include "engine/service.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A source that was seen in one window only is forgotten after so many hours, others after a
 * day.
 */
enum {
    BRIEF_HOURS = 6,
    /* Entries ahead of the one that is taken: its place in the index, then its profile, are on
     * their way from memory. */
    AHEAD_INDEX = 16,
    AHEAD_PROFILE = 8
};

static enum err resize(struct profiles *t, size_t room)
{
    struct index index;
    if (index_init(&index, room))
        return ERR_NOMEM;
    struct profile *list = realloc(t->list, room * sizeof *list);
    t->list = list ? list : t->list;
    struct profile_kin *kin = list ? realloc(t->kin, room * sizeof *kin) : NULL;
    if (!kin) {
        index_done(&index);
        return ERR_NOMEM;
    }
    index_done(&t->index);
    t->kin = kin;
    t->index = index;
    t->room = room;
    return OK;
}

static void note(struct profiles *t, uint32_t number)
{
    uint32_t other;
    uint64_t hash = t->list[number].hash;
    size_t p = index_first(&t->index, hash);
    while (index_at(&t->index, p, hash, &other))
        p = index_next(&t->index, p);
    enum err e = index_put(&t->index, p, hash, number);
    assert(!e);
}

static void reindex(struct profiles *t)
{
    index_clear(&t->index);
    for (size_t i = 0; i < t->count; i++)
        note(t, (uint32_t)i);
}

enum err profiles_init(struct profiles *t, size_t cap, int64_t window)
{
    assert(window > 0 && US_HOUR % window == 0 && cap >= PROFILES_LEAST);
    *t = (struct profiles){
        .cap = cap, .hour = (uint32_t)(US_HOUR / window), .day = (uint32_t)(US_DAY / window)};
    words_init(&t->words);
    return resize(t, PROFILES_LEAST);
}

void profiles_done(struct profiles *t)
{
    free(t->list);
    free(t->kin);
    index_done(&t->index);
    *t = (struct profiles){0};
}

static uint32_t find(const struct profiles *t, uint64_t hash)
{
    uint32_t number;
    for (size_t p = index_first(&t->index, hash); index_at(&t->index, p, hash, &number);
         p = index_next(&t->index, p))
        if (number != INDEX_OTHER && t->list[number].hash == hash)
            return number;
    return UINT32_MAX;
}

const struct profile *profiles_find(const struct profiles *t, const struct ip *ip)
{
    uint32_t number = find(t, ip_hash(ip));
    return number == UINT32_MAX ? NULL : &t->list[number];
}

static bool is_stale(const struct profiles *t, const struct profile *p, uint32_t now)
{
    bool brief = p->span[0].windows + p->span[1].windows <= 1;
    return now - p->last > (brief ? BRIEF_HOURS * t->hour : t->day);
}

/* Keep this one as number `to`. */
static void move(struct profiles *t, size_t from, size_t to)
{
    t->list[to] = t->list[from];
    t->kin[to] = t->kin[from];
}

/* Forget those that are stale, and of a table that stays full the half that was silent longest.
 */
static void thin(struct profiles *t, uint32_t now)
{
    size_t left = 0;
    for (size_t i = 0; i < t->count; i++)
        if (!is_stale(t, &t->list[i], now))
            move(t, i, left++);
    t->count = left;
    for (uint32_t age = t->hour; t->count > t->cap / 2; age /= 2) {
        left = 0;
        for (size_t i = 0; i < t->count; i++)
            if (now - t->list[i].last < age || age == 0)
                move(t, i, left++);
        t->count = left;
        if (age == 0)
            break;
    }
    reindex(t);
}

static enum err make_room(struct profiles *t, uint32_t now)
{
    if (t->count < t->room)
        return OK;
    if (t->room == t->cap) {
        thin(t, now);
        return t->count < t->room ? OK : ERR_FULL;
    }
    size_t room = t->room * 2 < t->cap ? t->room * 2 : t->cap;
    enum err e = resize(t, room);
    if (!e)
        reindex(t);
    return e;
}

thing_key profile_main(const struct profile *p)
{
    const struct profile_thing *best = &p->thing[0];
    for (unsigned i = 1; i < p->thing_count; i++)
        if (p->thing[i].packets > best->packets ||
            (p->thing[i].packets == best->packets && p->thing[i].key < best->key))
            best = &p->thing[i];
    return p->thing_count ? best->key : 0;
}

static struct profile_kin kin_of(const struct profile *p)
{
    thing_key main = profile_main(p);
    uint64_t alike = (uint64_t)thing_tool(main) << 16 | thing_size(main);
    return (struct profile_kin){
        .kind = hash_two(profile_network(p), alike) | UINT64_C(1) << 63, .last = p->last};
}

static void span_turn(const struct profiles *t, struct profile *p, uint32_t now)
{
    if (now - p->span[0].from < t->day)
        return;
    bool next = now - p->span[0].from < 2 * t->day;
    p->span[1] = next ? p->span[0] : (struct profile_span){.from = now};
    p->span[0] = (struct profile_span){.from = now};
}

/* Bit k of the whole becomes bit k + by. */
static void shift(uint64_t bits[PROFILE_DAY / 64], uint32_t by)
{
    enum {
        WORDS = PROFILE_DAY / 64
    };
    uint64_t moved[WORDS] = {0};
    for (uint32_t i = by / 64; i < WORDS; i++) {
        uint32_t from = i - by / 64;
        moved[i] = bits[from] << by % 64;
        if (by % 64 && from)
            moved[i] |= bits[from - 1] >> (64 - by % 64);
    }
    memcpy(bits, moved, sizeof moved);
}

static void come(const struct profiles *t, struct profile *p, uint32_t now)
{
    span_turn(t, p, now);
    if (p->active[0] & 1 && p->last == now)
        return;
    shift(p->active, now - p->last < PROFILE_DAY ? now - p->last : PROFILE_DAY);
    p->active[0] |= 1;
    p->last = now;
    p->span[0].windows++;
}

/* Of a full list, the thing that was sent longest ago makes room, but stays if the newcomer is
 * no newer. */
static void add_thing(struct profile *p, thing_key key, uint32_t packets, uint32_t now)
{
    for (unsigned i = 0; i < p->thing_count; i++)
        if (p->thing[i].key == key) {
            uint32_t sum = p->thing[i].packets + packets;
            p->thing[i].packets = sum < packets ? UINT32_MAX : sum;
            p->thing[i].window = now;
            return;
        }
    unsigned at = p->thing_count;
    if (at == PROFILE_THINGS) {
        unsigned oldest = 0;
        for (unsigned i = 1; i < PROFILE_THINGS; i++)
            if (p->thing[i].window < p->thing[oldest].window)
                oldest = i;
        if (p->thing[oldest].window == now)
            return;
        memmove(&p->thing[oldest], &p->thing[oldest + 1],
            (PROFILE_THINGS - 1 - oldest) * sizeof *p->thing);
        at = PROFILE_THINGS - 1;
    } else {
        p->thing_count++;
    }
    p->thing[at] = (struct profile_thing){key, now, packets};
}

/* --- a window ------------------------------------------------------------------------------
 */

struct entry {
    uint64_t hash;
    int64_t first;
    thing_key key;
    uint32_t block, row;
    uint8_t class, site;
};

static int by_source(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return 0;
}

/* What the words of one block mean. */
struct meaning {
    uint8_t tool[NAMES_MAX];
    uint8_t class[NAMES_MAX];
    uint8_t site[NAMES_MAX];
};

static void learn_words(struct profiles *t, const struct block *b, struct meaning *m)
{
    const struct names *classes = &b->column[CONTACT_CLASS].names;
    for (size_t i = 0; i < classes->count; i++) {
        enum packet_class class = class_find(classes->word[i]);
        m->class[i] = (uint8_t)(class < CLASS_COUNT ? class : CLASS_OTHER);
    }
    const struct names *tools = &b->column[CONTACT_TOOL].names;
    for (size_t i = 0; i < tools->count; i++)
        m->tool[i] = words_number(&t->words, tools->word[i]);
    const struct names *sites = &b->column[CONTACT_SITE].names;
    for (size_t i = 0; i < sites->count; i++)
        m->site[i] = (uint8_t)profiles_site(t, sites->word[i]);
}

static int by_word(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* New words get their numbers in alphabetical order, whatever the order of blocks. */
static enum err number_words(struct profiles *t, const struct window *w, struct arena *scratch)
{
    size_t count = 0;
    for (size_t i = 0; i < w->block_count; i++)
        count += w->blocks[i]->column[CONTACT_TOOL].names.count;
    const char **list = arena_take(scratch, count + 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    count = 0;
    for (size_t i = 0; i < w->block_count; i++) {
        const struct names *tools = &w->blocks[i]->column[CONTACT_TOOL].names;
        for (size_t k = 0; k < tools->count; k++)
            list[count++] = tools->word[k];
    }
    qsort(list, count, sizeof *list, by_word);
    for (size_t i = 0; i < count; i++)
        words_number(&t->words, list[i]);
    return OK;
}

unsigned profiles_site(const struct profiles *t, const char *name)
{
    unsigned i = 0;
    while (i < t->site_count && strcmp(t->site[i], name) != 0)
        i++;
    return i < t->site_count ? i : PROFILE_SITES;
}

/* New sites get theirs in alphabetical order, as the window has them. */
static void number_sites(struct profiles *t, const struct window *w)
{
    for (size_t i = 0; i < w->site_count && t->site_count < PROFILE_SITES; i++)
        if (*w->sites[i].name && profiles_site(t, w->sites[i].name) == PROFILE_SITES)
            memcpy(t->site[t->site_count++], w->sites[i].name, sizeof t->site[0]);
}

static bool is_taken(uint8_t class)
{
    return class != CLASS_BACKSCATTER && class != CLASS_MISCONFIGURATION;
}

static size_t take_rows(struct profiles *t, const struct block *b, uint32_t block,
    const struct meaning *m, struct entry *to)
{
    size_t count = 0;
    for (size_t i = 0; i < b->rows; i++) {
        uint8_t class = m->class[block_name(b, CONTACT_CLASS)[i]];
        uint8_t tool = m->tool[block_name(b, CONTACT_TOOL)[i]];
        uint32_t packets = block_u32(b, CONTACT_PACKETS)[i];
        uint8_t proto = block_u8(b, CONTACT_PROTO)[i];
        if (!is_taken(class) || !packets)
            continue;
        if (class == CLASS_WORM && tool)
            t->words.worm[tool] = true;
        uint32_t service = service_of(proto, block_u16(b, CONTACT_DPORT)[i]);
        uint8_t flags = proto == PROTO_TCP ? block_u8(b, CONTACT_FLAGS)[i] : 0;
        double size = (double)block_u64(b, CONTACT_BYTES)[i] / packets;
        to[count++] = (struct entry){.hash = ip_hash(&block_ip(b, CONTACT_SRC)[i]),
            .first = block_time(b, CONTACT_FIRST)[i],
            .key = thing_make(service, size, tool, flags),
            .block = block,
            .row = (uint32_t)i,
            .class = class,
            .site = m->site[block_name(b, CONTACT_SITE)[i]]};
    }
    return count;
}

static void begin(struct profile *p, const struct block *b, size_t row, uint32_t now)
{
    *p = (struct profile){.ip = block_ip(b, CONTACT_SRC)[row],
        .first = now,
        .last = now,
        .asn = block_u32(b, CONTACT_ASN)[row],
        .win = block_u16(b, CONTACT_WIN)[row]};
    p->hash = ip_hash(&p->ip);
    p->span[0].from = p->span[1].from = now;
    const char *country = block_word_at(b, CONTACT_COUNTRY, row);
    if (strlen(country) == 2)
        memcpy(p->country, country, 2);
}

static void add_row(
    struct profile *p, const struct block *b, const struct entry *e, uint32_t now)
{
    struct profile_span *s = &p->span[0];
    uint32_t packets = block_u32(b, CONTACT_PACKETS)[e->row];
    uint64_t place = hash_u64(thing_service(e->key));
    s->packets = s->packets + packets < packets ? UINT32_MAX : s->packets + packets;
    s->sites |= UINT64_C(1) << e->site;
    s->places |= block_u64(b, CONTACT_DSTS)[e->row];
    s->ports[place >> 6 & 1] |= UINT64_C(1) << (place & 63);
    p->classes |= (uint8_t)(1u << e->class);
    if (service_proto(thing_service(e->key)) == PROTO_TCP &&
        p->win != block_u16(b, CONTACT_WIN)[e->row])
        p->win = 0;
    add_thing(p, e->key, packets, now);
}

static enum err source_take(struct profiles *t, const struct window *w, uint32_t now,
    const struct entry *e, uint32_t *ret_number)
{
    const struct block *b = w->blocks[e->block];
    uint32_t number = find(t, e->hash);
    if (number == UINT32_MAX) {
        enum err err = make_room(t, now);
        if (err)
            return err;
        number = (uint32_t)t->count++;
        begin(&t->list[number], b, e->row, now);
        note(t, number);
    }
    come(t, &t->list[number], now);
    *ret_number = number;
    return OK;
}

/* Making room gives profiles other numbers: before the rows are told theirs. */
static bool is_roomy(const struct profiles *t, size_t rows)
{
    return t->room - t->count >= rows;
}

/* The profile that the entry most likely has, and the index before it. */
static void fetch_ahead(
    const struct profiles *t, const struct entry *entries, size_t count, size_t at)
{
    size_t far = at + AHEAD_INDEX;
    size_t near = at + AHEAD_PROFILE;
    uint32_t number = INDEX_OTHER;
    if (far < count)
        index_prefetch(&t->index, entries[far].hash);
    if (near >= count || entries[near].hash == entries[near - 1].hash)
        return;
    uint64_t hash = entries[near].hash;
    for (size_t p = index_first(&t->index, hash);
         number == INDEX_OTHER && index_at(&t->index, p, hash, &number);)
        p = index_next(&t->index, p);
    if (number != INDEX_OTHER)
        profile_prefetch(t, number);
}

static enum err entries_take(struct profiles *t, const struct window *w, uint32_t now,
    const struct entry *entries, size_t count, struct profile_rows *rows)
{
    if (!is_roomy(t, count) && t->room == t->cap)
        thin(t, now);
    uint32_t number = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];
        fetch_ahead(t, entries, count, i);
        if (i == 0 || e->hash != entries[i - 1].hash) {
            number = UINT32_MAX;
            bool full = t->count == t->cap && find(t, e->hash) == UINT32_MAX;
            enum err err = full ? OK : source_take(t, w, now, e, &number);
            if (err)
                return err;
            t->left_out += full;
        }
        if (number == UINT32_MAX)
            continue;
        add_row(&t->list[number], w->blocks[e->block], e, now);
        rows->list[rows->count++] = (struct profile_row){e->block, e->row, number, e->key};
        if (i + 1 == count || entries[i + 1].hash != e->hash)
            t->kin[number] = kin_of(&t->list[number]);
    }
    return OK;
}

enum err profiles_take(struct profiles *t, const struct window *w, uint32_t now,
    struct arena *scratch, struct profile_rows *ret_rows)
{
    size_t rows = 0;
    for (size_t i = 0; i < w->block_count; i++)
        rows += w->blocks[i]->rows;
    struct meaning *m = arena_take(scratch, 1, sizeof *m);
    struct entry *entries = arena_take(scratch, rows + 1, sizeof *entries);
    struct profile_rows out = {.list = arena_take(scratch, rows + 1, sizeof *out.list)};
    if (!m || !entries || !out.list || w->block_count >= UINT32_MAX)
        return ERR_NOMEM;
    enum err e = number_words(t, w, scratch);
    if (e)
        return e;
    number_sites(t, w);
    size_t count = 0;
    for (size_t i = 0; i < w->block_count; i++) {
        learn_words(t, w->blocks[i], m);
        count += take_rows(t, w->blocks[i], (uint32_t)i, m, entries + count);
    }
    qsort(entries, count, sizeof *entries, by_source);
    e = entries_take(t, w, now, entries, count, &out);
    if (!e)
        *ret_rows = out;
    return e;
}

enum err profiles_add(struct profiles *t, const struct profile *p)
{
    enum err e = make_room(t, p->last);
    if (e)
        return e;
    t->list[t->count] = *p;
    t->kin[t->count++] = kin_of(p);
    note(t, (uint32_t)(t->count - 1));
    return OK;
}

/* --- questions -----------------------------------------------------------------------------
 */

unsigned profile_string(const struct profiles *t, const struct profile *p, uint32_t now,
    thing_key ret_keys[PROFILE_THINGS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < p->thing_count; i++) {
        if (now - p->thing[i].window >= t->hour)
            continue;
        unsigned at = count++;
        for (; at > 0 && ret_keys[at - 1] > p->thing[i].key; at--)
            ret_keys[at] = ret_keys[at - 1];
        ret_keys[at] = p->thing[i].key;
    }
    return count;
}

uint64_t profile_network(const struct profile *p)
{
    return pulse_network(&p->ip, 24);
}

double maps_count(const uint64_t a[2], const uint64_t b[2])
{
    const double bits = 128.0;
    int set = __builtin_popcountll(a[0] | b[0]) + __builtin_popcountll(a[1] | b[1]);
    return round(bits * log(bits / fmax(bits - set, 0.5)));
}
