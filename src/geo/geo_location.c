/* location.db of libloc, version 1: big-endian tables at offsets that a header states. A tree
 * over the bits of IPv6 addresses (IPv4 as ::ffff:a.b.c.d) leads to networks with country and
 * autonomous system; an inner network overrides the outer one. The layout was read in libloc's
 * src/libloc/format.h. */
#include "base/clock.h"
#include "geo/geo_int.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAGIC = 7,
    NODE = 12,
    NETWORK = 12,
    NETWORK_NAME = 8,
    DEPTH = 129,
    MAPPED_DEPTH = 96, /* of ::ffff:0:0/96, under which IPv4 hangs */
};

static const uint32_t no_network = UINT32_MAX;

/* The tables of a file. */
struct tables {
    struct bytes as, networks, tree, pool;
    uint64_t created;
    uint32_t vendor, licence; /* in the pool */
};

static struct bytes table(struct bytes *header, struct bytes whole)
{
    uint32_t offset = bytes_be32(header);
    uint32_t length = bytes_be32(header);
    bytes_skip(&whole, offset);
    return bytes_take(&whole, length);
}

static bool read_header(struct bytes in, struct tables *t)
{
    struct bytes whole = in;
    bytes_skip(&in, MAGIC + 1);
    t->created = (uint64_t)bytes_be32(&in) << 32;
    t->created |= bytes_be32(&in);
    t->vendor = bytes_be32(&in);
    bytes_be32(&in); /* description */
    t->licence = bytes_be32(&in);
    t->as = table(&in, whole);
    t->networks = table(&in, whole);
    t->tree = table(&in, whole);
    table(&in, whole); /* countries */
    t->pool = table(&in, whole);
    return !in.cut && !t->as.cut && !t->networks.cut && !t->tree.cut && !t->pool.cut;
}

/* The string at an offset of the pool; "" if it does not end there. */
static const char *pool_text(const struct tables *t, uint32_t offset, size_t *ret_len)
{
    *ret_len = 0;
    if (offset >= t->pool.left)
        return "";
    const uint8_t *at = t->pool.at + offset;
    const uint8_t *end = memchr(at, '\0', t->pool.left - offset);
    if (!end)
        return "";
    *ret_len = (size_t)(end - at);
    return (const char *)at;
}

static void copy_text(const struct tables *t, uint32_t offset, char text[GEO_TEXT])
{
    size_t len;
    const char *from = pool_text(t, offset, &len);
    if (len >= GEO_TEXT)
        len = GEO_TEXT - 1;
    memcpy(text, from, len);
    text[len] = '\0';
}

/* A record of a table as a reader; cut if there is none. */
static inline struct bytes record(
    const struct bytes *table, size_t records, uint32_t index, size_t size)
{
    return index < records ? bytes_over(table->at + index * size, size)
                           : (struct bytes){.at = table->at, .cut = true};
}

/* The walk over the tree, from the lowest address to the highest: what holds from where on is
 * told as it is met. */
struct walk {
    struct geo_read *read;
    const struct tables *tables;
    size_t nodes, networks; /* records of the two tables */
    uint64_t visited;
    uint32_t country, asn; /* that were told last; RANGES_NONE before the first */
};

/* A place on the way down, with what the networks above it say. */
struct stop {
    uint32_t node; /* 0, but for the root: there is none, all below it is as above */
    uint32_t depth;
    struct range_key key; /* below IPv4: its address */
    uint32_t country, asn;
};

/* The lowest `bits` bits of a key. */
static inline struct range_key low_bits(uint32_t bits)
{
    return (struct range_key){
        bits <= 64 ? 0 : UINT64_MAX >> (128 - bits),
        bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1,
    };
}

/* Does a prefix end with the addresses of IPv4 and begin before them? */
static bool is_mixed(const struct stop *at)
{
    struct range_key rest = low_bits(128 - at->depth);
    return range_key_is_mapped(
        (struct range_key){at->key.high | rest.high, at->key.low | rest.low});
}

/* From here on it is as this stop says. */
static inline enum err tell(struct walk *w, bool v4, const struct stop *at)
{
    struct geo_read *r = w->read;
    enum err e = OK;
    if (at->country != w->country) {
        w->country = at->country;
        e = v4 ? ranges_from4(&r->country, (uint32_t)at->key.low, at->country)
               : ranges_from6(&r->country, at->key, at->country);
    }
    if (!e && at->asn != w->asn) {
        w->asn = at->asn;
        e = v4 ? ranges_from4(&r->asn, (uint32_t)at->key.low, at->asn)
               : ranges_from6(&r->asn, at->key, at->asn);
    }
    return e;
}

/* A network says what holds below it, but for networks within. */
static inline enum err take_network(struct walk *w, bool v4, uint32_t number, struct stop *at)
{
    struct geo_read *r = w->read;
    struct bytes b = record(&w->tables->networks, w->networks, number, NETWORK);
    char first = (char)bytes_u8(&b);
    char second = (char)bytes_u8(&b);
    bytes_skip(&b, 2);
    uint32_t asn = bytes_be32(&b);
    if (b.cut)
        return ERR_BAD;
    /* A prefix that holds all of IPv4 and more says nothing about either family. */
    if (!v4 && is_mixed(at))
        return OK;
    enum geo_part country_part = v4 ? GEO_COUNTRY4 : GEO_COUNTRY6;
    enum geo_part asn_part = v4 ? GEO_ASN4 : GEO_ASN6;
    if (r->wanted[country_part]) {
        uint32_t country = geo_country_value(first, second);
        at->country = country != RANGES_NONE ? country : at->country;
        r->rows[country_part]++;
        r->found[country_part] = true;
    }
    if (asn && r->wanted[asn_part]) {
        at->asn = asn;
        r->rows[asn_part]++;
        r->found[asn_part] = true;
    }
    return OK;
}

static inline void set_bit(struct range_key *key, uint32_t depth)
{
    if (depth < 64)
        key->high |= UINT64_C(1) << (63 - depth);
    else
        key->low |= UINT64_C(1) << (127 - depth);
}

static enum err walk_ip4(struct walk *w, uint32_t node);

/* Go on from a stop as far down to the left as the tree goes; branches to the right are put on
 * the stack. The family is a constant wherever this is used. */
static inline enum err descend(
    struct walk *w, bool v4, struct stop at, struct stop *stack, size_t *depth)
{
    for (;;) {
        if (!at.node && at.depth)
            return tell(w, v4, &at);
        if (!v4 && at.depth == MAPPED_DEPTH && range_key_is_mapped(at.key))
            return walk_ip4(w, at.node);
        struct bytes b = record(&w->tables->tree, w->nodes, at.node, NODE);
        uint32_t left = bytes_be32(&b);
        uint32_t right = bytes_be32(&b);
        uint32_t network = bytes_be32(&b);
        /* Every node of a tree is met once; more is a loop. */
        if (b.cut || ++w->visited > w->nodes)
            return ERR_BAD;
        enum err e = network != no_network ? take_network(w, v4, network, &at) : OK;
        if (e)
            return e;
        if (!(left | right))
            return tell(w, v4, &at);
        if (at.depth == 128)
            return ERR_BAD;
        at.depth++;
        struct stop branch = at;
        branch.node = right;
        set_bit(&branch.key, at.depth - 1);
        stack[(*depth)++] = branch;
        at.node = left;
    }
}

static inline enum err walk_from(struct walk *w, bool v4, struct stop root)
{
    /* At each level at most one branch waits. */
    struct stop stack[DEPTH];
    size_t depth = 1;
    stack[0] = root;
    while (depth) {
        enum err e = descend(w, v4, stack[--depth], stack, &depth);
        if (e)
            return e;
    }
    return OK;
}

/* What is told of one family begins anew with the other. */
static enum err walk_ip4(struct walk *w, uint32_t node)
{
    uint32_t country = w->country, asn = w->asn;
    w->country = w->asn = RANGES_NONE;
    enum err e = walk_from(w, true, (struct stop){.node = node, .depth = MAPPED_DEPTH});
    w->country = country;
    w->asn = asn;
    return e;
}

static enum err walk_tree(struct walk *w)
{
    return walk_from(w, false, (struct stop){0});
}

static enum err read_names(struct geo_read *r, const struct tables *t)
{
    struct bytes b = t->as;
    enum err e = geo_names_reserve(&r->names, r->names.count + b.left / NETWORK_NAME);
    while (!e && b.left >= NETWORK_NAME) {
        uint32_t asn = bytes_be32(&b);
        size_t len;
        const char *name = pool_text(t, bytes_be32(&b), &len);
        e = len ? geo_names_add(&r->names, asn, name, len) : OK;
    }
    return e;
}

enum err geo_read_location(
    struct geo_read *r, const char *file, struct bytes in, struct fault *f)
{
    struct tables t;
    if (in.left <= MAGIC || in.at[MAGIC] != 1)
        return fault_set(f, ERR_BAD,
            "%s: offset %d: version %d of the location database; only version 1 is known", file,
            MAGIC, in.left > MAGIC ? in.at[MAGIC] : 0);
    if (!read_header(in, &t))
        return fault_set(f, ERR_SHORT, "%s: cut: its header names tables beyond its %zu bytes",
            file, in.left);
    copy_text(&t, t.vendor, r->about.origin);
    copy_text(&t, t.licence, r->about.licence);
    /* The licence is its full text; its first line is its name. */
    r->about.licence[strcspn(r->about.licence, "\r\n")] = '\0';
    if (t.created < INT64_MAX / US_SECOND)
        r->about.date = (int64_t)t.created * US_SECOND;
    struct walk w = {.read = r,
        .tables = &t,
        .nodes = t.tree.left / NODE,
        .networks = t.networks.left / NETWORK};
    enum err e = walk_tree(&w);
    if (!e)
        e = read_names(r, &t);
    if (e == ERR_BAD)
        return fault_set(f, e,
            "%s: its tree leads to a node or network that is not there, or in a circle (node "
            "%llu)",
            file, (unsigned long long)w.visited);
    return e ? fault_set(f, e, "%s: %s", file, err_text(e)) : OK;
}
