/* Contacts to entries, entries to graphs. */
#include "engine/glasso/step_int.h"

#include "base/hash.h"
#include "base/rng.h"
#include "engine/classes.h"

#include <math.h>
#include <string.h>

enum {
    DIGIT_BITS = 12,
    DIGITS = 5 /* 60 bits: service 18, network 32, site 10 */
};
#define NO_SITE UINT16_MAX
static const double echo_doubt = 5.0; /* pairs that say nothing yet */

/* What the words of one block's columns mean. */
struct meaning {
    uint16_t site[NAMES_MAX];
    bool counts[NAMES_MAX];
    const uint8_t *tags; /* of its rows; NULL: none */
};

static uint16_t site_number(const struct window *w, const char *name)
{
    for (size_t i = 0; i < w->site_count; i++)
        if (strcmp(w->sites[i].name, name) == 0)
            return w->sites[i].watching ? (uint16_t)i : NO_SITE;
    return NO_SITE;
}

static void learn_words(
    struct meaning *m, const struct window *w, const struct block *b, unsigned leave_out)
{
    const struct names *sites = &b->column[CONTACT_SITE].names;
    for (size_t i = 0; i < sites->count; i++)
        m->site[i] = site_number(w, sites->word[i]);
    classes_counted(b, leave_out, m->counts);
}

/* The first bits of an address as a number that is the same for all addresses that share them.
 */
static uint32_t network_of(const struct ip *ip, unsigned bits)
{
    if (ip_is_v4(ip))
        return (uint32_t)hash_u64(ip_v4(ip) >> (32 - bits));
    struct ip net = {{0}};
    memcpy(&net, ip, (size_t)bits * 2 / 8);
    return (uint32_t)ip_hash(&net);
}

/* Sixtieths to slots. */
static uint64_t slots_of(uint64_t sixtieths, unsigned slots)
{
    if (slots == SLOTS_MOST)
        return sixtieths & ((UINT64_C(1) << SLOTS_MOST) - 1);
    unsigned width = SLOTS_MOST / slots;
    uint64_t result = 0;
    for (unsigned t = 0; t < slots; t++)
        if (sixtieths >> (t * width) & ((UINT64_C(1) << width) - 1))
            result |= UINT64_C(1) << t;
    return result;
}

static size_t take_block(const struct sync *s, struct sync_entry *to, const struct block *b,
    const struct meaning *m, uint32_t first)
{
    const uint16_t *site = block_name(b, CONTACT_SITE);
    const uint16_t *class = block_name(b, CONTACT_CLASS);
    const uint8_t *proto = block_u8(b, CONTACT_PROTO);
    const uint16_t *port = block_u16(b, CONTACT_DPORT);
    const struct ip *src = block_ip(b, CONTACT_SRC);
    const uint64_t *slots = block_u64(b, CONTACT_SLOTS);
    size_t taken = 0;
    for (size_t i = 0; i < b->rows; i++) {
        uint16_t where = m->site[site[i]];
        uint64_t active = slots_of(slots[i], s->options.slots);
        if (!m->counts[class[i]] || where == NO_SITE || !active ||
            tags_leave_out(m->tags, i, s->options.leave_out))
            continue;
        uint64_t service = s->options.across ? 0 : service_of(proto[i], port[i]);
        uint64_t network = network_of(&src[i], s->options.host_bits);
        to[taken++] = (struct sync_entry){.key = service << 42 | network << 10 | where,
            .slots = active,
            .row = first + (uint32_t)i};
    }
    return taken;
}

/* Least digit first, stable. Returns the array that holds the result. */
static struct sync_entry *radix_sort(struct sync_entry *a, struct sync_entry *b, size_t n)
{
    const uint64_t mask = (1 << DIGIT_BITS) - 1;
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        size_t start[1 << DIGIT_BITS] = {0};
        unsigned shift = digit * DIGIT_BITS;
        for (size_t i = 0; i < n; i++)
            start[a[i].key >> shift & mask]++;
        size_t sum = 0;
        for (size_t d = 0; d <= mask; d++) {
            size_t count = start[d];
            start[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            b[start[a[i].key >> shift & mask]++] = a[i];
        struct sync_entry *other = a;
        a = b;
        b = other;
    }
    return a;
}

static enum err split_sites(struct sync_step *step, struct arena *scratch)
{
    size_t sites = step->window->site_count;
    step->site_first = arena_take(scratch, sites + 2, sizeof *step->site_first);
    step->by_site = arena_take(scratch, step->entry_count + 1, sizeof *step->by_site);
    if (!step->site_first || !step->by_site)
        return ERR_NOMEM;
    size_t *next = step->site_first + 1; /* while entries are put there: where the next goes */
    for (size_t i = 0; i < step->entry_count; i++)
        next[sync_entry_site(&step->entries[i])]++;
    size_t sum = 0;
    for (size_t k = 0; k < sites; k++) {
        size_t count = next[k];
        next[k] = sum;
        sum += count;
    }
    for (size_t i = 0; i < step->entry_count; i++)
        step->by_site[next[sync_entry_site(&step->entries[i])]++] = step->entries[i];
    return OK;
}

enum err sync_entries_build(const struct sync *s, struct sync_step *step, struct arena *scratch)
{
    const struct window *w = step->window;
    size_t rows = 0;
    for (size_t i = 0; i < w->block_count; i++)
        rows += w->blocks[i]->rows;
    if (rows >= UINT32_MAX)
        return ERR_NOMEM;
    struct meaning *m = arena_take(scratch, 1, sizeof *m);
    struct sync_entry *a = arena_take(scratch, rows + 1, sizeof *a);
    struct sync_entry *b = arena_take(scratch, rows + 1, sizeof *b);
    step->block_first = arena_take(scratch, w->block_count + 1, sizeof *step->block_first);
    if (!m || !a || !b || !step->block_first)
        return ERR_NOMEM;
    uint32_t first = 0;
    for (size_t i = 0; i < w->block_count; i++) {
        learn_words(m, w, w->blocks[i], s->options.leave_out);
        m->tags = window_tags(w, i);
        step->block_first[i] = first;
        step->entry_count += take_block(s, a + step->entry_count, w->blocks[i], m, first);
        first += (uint32_t)w->blocks[i]->rows;
    }
    step->block_first[w->block_count] = first;
    step->entries = radix_sort(a, b, step->entry_count);
    return split_sites(step, scratch);
}

const struct block *sync_entry_row(
    const struct sync_step *step, const struct sync_entry *e, size_t *ret_row)
{
    size_t low = 0;
    size_t high = step->window->block_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (step->block_first[middle] <= e->row)
            low = middle;
        else
            high = middle;
    }
    *ret_row = e->row - step->block_first[low];
    return step->window->blocks[low];
}

/* --- one view ---------------------------------------------------------------------------- */

static bool same_service(const struct sync_entry *a, const struct sync_entry *b)
{
    return sync_entry_service(a) == sync_entry_service(b);
}

static void count_usual(const struct sync *s, struct view *v, uint32_t service, size_t hosts)
{
    struct quiet *q = &v->usual[service];
    q->hits = (float)(quiet_hits(q, s->now) + (double)hosts);
    q->window = s->now;
}

static void take_weights(const struct sync *s, struct sync_picture *p)
{
    double total = 0.0;
    for (size_t i = 0; i < p->entry_count; i++)
        for (uint64_t left = p->entries[i].slots; left; left &= left - 1) {
            p->weight[__builtin_ctzll(left)]++;
            total++;
        }
    for (unsigned t = 0; t < s->options.slots; t++)
        p->weight[t] = total > 0.0 ? p->weight[t] * s->options.slots / total : 1.0;
}

static void take_echo(const struct sync *s, struct sync_picture *p)
{
    unsigned slots = s->options.slots;
    double pairs = 0.0; /* of active slots of one host, any distance */
    double seen[SLOTS_MOST] = {0};
    for (size_t i = 0; i < p->entry_count; i++) {
        uint64_t active = p->entries[i].slots;
        double count = __builtin_popcountll(active);
        if (count < 1.5 || count > s->options.active_most)
            continue;
        pairs += count * (count - 1.0) / 2.0;
        for (unsigned lag = 1; lag < slots; lag++)
            seen[lag] += __builtin_popcountll(active & active >> lag);
    }
    p->echo[0] = 1.0;
    for (unsigned lag = 1; lag < slots; lag++) {
        double chance = pairs * 2.0 * (slots - lag) / ((double)slots * (slots - 1.0));
        p->echo[lag] = fmax((seen[lag] + echo_doubt) / (chance + echo_doubt), 1.0);
    }
}

struct sync_picture sync_picture_take(
    const struct sync *s, struct view *v, const struct sync_entry *entries, size_t count)
{
    struct sync_picture p = {.entries = entries, .entry_count = count};
    take_weights(s, &p);
    take_echo(s, &p);
    for (size_t i = 0; i < count && !s->options.across;) {
        size_t hosts = 0;
        size_t from = i;
        for (; i < count && same_service(&entries[from], &entries[i]); i++)
            hosts += i == from || entries[i].key >> 10 != entries[i - 1].key >> 10;
        count_usual(s, v, sync_entry_service(&entries[from]), hosts);
    }
    return p;
}

static bool is_busy(const struct sync *s, const struct view *v, uint32_t service)
{
    return s->options.busy > 0.0 && !s->options.across &&
           quiet_rate(quiet_hits(&v->usual[service], s->now), v->windows) > s->options.busy;
}

/* So many of the hosts, drawn by (view, window). */
static void draw_hosts(const struct sync *s, const struct view *v, struct sync_graph *g)
{
    struct rng r;
    uint64_t where = hash_bytes(v->name, strlen(v->name), g->service);
    rng_seed(&r, hash_two(where, (uint64_t)sync_window_start(s, s->now)));
    for (size_t i = 0; i < s->options.hosts_most; i++) {
        size_t k = i + rng_below(&r, g->count - i);
        struct sync_host drawn = g->hosts[k];
        g->hosts[k] = g->hosts[i];
        g->hosts[i] = drawn;
    }
    g->count = s->options.hosts_most;
}

/* The networks of the entries [from, end). */
static size_t unite(const struct sync_options *o, const struct sync_entry *e, size_t from,
    size_t end, struct sync_host *hosts)
{
    size_t count = 0;
    for (size_t i = from; i < end;) {
        struct sync_host h = {.first = (uint32_t)i};
        for (; i < end && e[i].key >> 10 == e[h.first].key >> 10; i++)
            h.slots |= e[i].slots;
        h.count = (uint32_t)i - h.first;
        if ((unsigned)__builtin_popcountll(h.slots) <= o->active_most)
            hosts[count++] = h;
    }
    return count;
}

enum err sync_graph_take(
    const struct sync_look *l, size_t from, size_t *ret_next, struct sync_graph *ret_graph)
{
    const struct sync_options *o = &l->s->options;
    const struct sync_entry *e = l->picture.entries;
    size_t end = from;
    while (end < l->picture.entry_count && same_service(&e[from], &e[end]))
        end++;
    *ret_next = end;
    struct sync_graph g = {
        .service = o->across ? SERVICES : sync_entry_service(&e[from]), .entries = e};
    if (!is_busy(l->s, l->view, sync_entry_service(&e[from]))) {
        g.hosts = arena_take(l->scratch, end - from, sizeof *g.hosts);
        if (!g.hosts)
            return ERR_NOMEM;
        g.count = unite(o, e, from, end, g.hosts);
    }
    if (o->hosts_most && g.count > o->hosts_most)
        draw_hosts(l->s, l->view, &g);
    for (size_t i = 0; i < g.count; i++)
        g.active[__builtin_popcountll(g.hosts[i].slots)]++;
    *ret_graph = g;
    return OK;
}
