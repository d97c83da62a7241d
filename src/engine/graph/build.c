#include "engine/graph/graph_int.h"

#include "engine/classes.h"
#include "record/proto.h"

#include <string.h>

enum {
    BATCH = 32 /* rows whose places in the hash tables are fetched before they are needed */
};
#define NO_VIEW UINT16_MAX

/* What the words of one block's columns mean. */
struct meaning {
    uint16_t view[NAMES_MAX];
    bool counts[NAMES_MAX];
    const uint8_t *tags; /* of its rows; NULL: none */
    unsigned leave_out;
};

static struct site *site_find(struct graph *s, const char *name)
{
    for (size_t k = 0; k < s->site_count; k++)
        if (strcmp(s->sites[k].name, name) == 0)
            return &s->sites[k];
    return NULL;
}

static enum err map_sites(
    struct graph *s, const struct window *w, struct view *views, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < w->site_count; i++) {
        struct site *site = site_find(s, w->sites[i].name);
        enum err e = site ? OK : graph_site_add(s, w->sites[i].name, &site);
        if (e == ERR_FULL) {
            s->left_out++;
            continue;
        }
        if (e)
            return e;
        double kept = w->sites[i].kept;
        views[count++] =
            (struct view){.site = site, .about = &w->sites[i], .kept = kept > 0.0 ? kept : 1.0};
    }
    *ret_count = count;
    return OK;
}

static void learn_words(struct meaning *m, const struct view *views, size_t count,
    const struct block *b, unsigned leave_out)
{
    m->leave_out = leave_out;
    const struct names *sites = &b->column[CONTACT_SITE].names;
    for (size_t i = 0; i < sites->count; i++) {
        size_t k = 0;
        while (k < count && strcmp(views[k].site->name, sites->word[i]) != 0)
            k++;
        m->view[i] = k < count && views[k].about->watching ? (uint16_t)k : NO_VIEW;
    }
    classes_counted(b, leave_out, m->counts);
}

/* The network that a source acts from: its IPv4 /16; of IPv6 a hash of the /32. */
static uint16_t network_of(const struct ip *ip)
{
    if (ip_is_v4(ip))
        return (uint16_t)(ip->byte[12] << 8 | ip->byte[13]);
    uint32_t first;
    memcpy(&first, ip, sizeof first);
    return (uint16_t)hash_u64(first);
}

struct row {
    uint64_t hash;
    uint32_t service;
    uint16_t view, network;
    uint64_t targets;
};

static void add_rows(struct view *views, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct view *v = &views[rows[i].view];
        bipartite_add(&v->graph, rows[i].hash, rows[i].network, rows[i].service);
        v->targets[v->graph.from[v->graph.added - 1]] |= rows[i].targets;
    }
}

static void take_block(struct view *views, const struct block *b, const struct meaning *m)
{
    const uint16_t *site = block_name(b, CONTACT_SITE);
    const uint16_t *class = block_name(b, CONTACT_CLASS);
    const uint8_t *proto = block_u8(b, CONTACT_PROTO);
    const uint16_t *port = block_u16(b, CONTACT_DPORT);
    const uint64_t *targets = block_u64(b, CONTACT_DSTS);
    const struct ip *src = block_ip(b, CONTACT_SRC);
    struct row batch[BATCH];
    size_t filled = 0;
    for (size_t i = 0; i < b->rows; i++) {
        uint16_t view = m->view[site[i]];
        if (view == NO_VIEW || !m->counts[class[i]] || tags_leave_out(m->tags, i, m->leave_out))
            continue;
        batch[filled] = (struct row){.hash = ip_hash(&src[i]),
            .service = service_of(proto[i], port[i]),
            .view = view,
            .network = network_of(&src[i]),
            .targets = targets[i]};
        bipartite_prefetch(&views[view].graph, batch[filled].hash);
        if (++filled == BATCH) {
            add_rows(views, batch, filled);
            filled = 0;
        }
    }
    add_rows(views, batch, filled);
}

enum err graph_build(struct graph *s, const struct window *w, struct arena *scratch,
    struct view *ret_views, size_t *ret_count)
{
    size_t count = 0;
    enum err e = map_sites(s, w, ret_views, &count);
    struct meaning *m = arena_take(scratch, w->block_count + 1, sizeof *m);
    size_t *rows = arena_take(scratch, count + 1, sizeof *rows);
    if (e || !m || !rows)
        return e ? e : ERR_NOMEM;
    for (size_t i = 0; i < w->block_count; i++) {
        const struct block *b = w->blocks[i];
        const uint16_t *site = block_name(b, CONTACT_SITE);
        learn_words(&m[i], ret_views, count, b, s->options.leave_out);
        m[i].tags = window_tags(w, i);
        for (size_t k = 0; k < b->rows; k++)
            if (m[i].view[site[k]] != NO_VIEW)
                rows[m[i].view[site[k]]]++;
    }
    for (size_t k = 0; !e && k < count; k++) {
        if (rows[k] >= UINT32_MAX / 2)
            return ERR_NOMEM;
        e = bipartite_init(&ret_views[k].graph, rows[k], SERVICES, scratch);
        ret_views[k].targets = arena_take(scratch, rows[k] + 1, sizeof(uint64_t));
        if (!e && !ret_views[k].targets)
            e = ERR_NOMEM;
    }
    for (size_t i = 0; !e && i < w->block_count; i++)
        take_block(ret_views, w->blocks[i], &m[i]);
    *ret_count = count;
    return e;
}
