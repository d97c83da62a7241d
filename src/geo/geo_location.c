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

/* The walk over the tree. */
struct walk {
    struct geo_read *read;
    const struct tables *tables;
    size_t nodes, networks; /* records of the two tables */
    uint64_t visited;
};

/* A place on the way down. */
struct stop {
    uint32_t node;
    uint32_t depth;
    struct range_key key;
};

/* The lowest `bits` bits of a key. */
static inline struct range_key low_bits(uint32_t bits)
{
    return (struct range_key){
        bits <= 64 ? 0 : UINT64_MAX >> (128 - bits),
        bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1,
    };
}

static inline bool is_mapped(struct range_key key)
{
    return key.high == 0 && key.low >> 32 == 0xffff;
}

/* The addresses below a stop; false if some are of IPv4 and others not. */
static inline bool span_of(const struct stop *at, struct range_span *ret_span)
{
    struct range_key rest = low_bits(128 - at->depth);
    struct range_span span = {.first = at->key, .v4 = is_mapped(at->key)};
    span.last.high = at->key.high | rest.high;
    span.last.low = at->key.low | rest.low;
    if (span.v4 != is_mapped(span.last))
        return false;
    if (span.v4) {
        span.first.low &= UINT32_MAX;
        span.last.low &= UINT32_MAX;
    }
    *ret_span = span;
    return true;
}

static inline enum err take_network(struct walk *w, uint32_t number, const struct stop *at)
{
    struct bytes b = record(&w->tables->networks, w->networks, number, NETWORK);
    struct range_span span;
    char code[2];
    code[0] = (char)bytes_u8(&b);
    code[1] = (char)bytes_u8(&b);
    bytes_skip(&b, 2);
    uint32_t asn = bytes_be32(&b);
    if (b.cut)
        return ERR_BAD;
    /* A prefix that holds all of IPv4 and more says nothing about either family. */
    if (!span_of(at, &span))
        return OK;
    enum err e = geo_read_country(w->read, &span, code);
    return e || !asn ? e : geo_read_asn(w->read, &span, asn);
}

static inline void set_bit(struct range_key *key, uint32_t depth)
{
    if (depth < 64)
        key->high |= UINT64_C(1) << (63 - depth);
    else
        key->low |= UINT64_C(1) << (127 - depth);
}

/* Go on from a stop as far down to the left as the tree goes; branches to the right are put on
 * the stack. */
static enum err descend(struct walk *w, struct stop at, struct stop *stack, size_t *depth)
{
    for (;;) {
        struct bytes b = record(&w->tables->tree, w->nodes, at.node, NODE);
        uint32_t left = bytes_be32(&b);
        uint32_t right = bytes_be32(&b);
        uint32_t network = bytes_be32(&b);
        /* Every node of a tree is met once; more is a loop. */
        if (b.cut || ++w->visited > w->nodes)
            return ERR_BAD;
        enum err e = network != no_network ? take_network(w, network, &at) : OK;
        if (e || !(left | right))
            return e;
        if (at.depth == 128)
            return ERR_BAD;
        at.depth++;
        struct stop branch = {right, at.depth, at.key};
        set_bit(&branch.key, at.depth - 1);
        if (!left) {
            at = branch;
            continue;
        }
        if (right)
            stack[(*depth)++] = branch;
        at.node = left;
    }
}

static enum err walk_tree(struct walk *w)
{
    /* At each level at most one branch waits. */
    struct stop stack[DEPTH] = {{0}};
    size_t depth = 1;
    while (depth) {
        enum err e = descend(w, stack[--depth], stack, &depth);
        if (e)
            return e;
    }
    return OK;
}

static enum err read_names(struct geo_read *r, const struct tables *t)
{
    struct bytes b = t->as;
    while (b.left >= NETWORK_NAME) {
        uint32_t asn = bytes_be32(&b);
        size_t len;
        const char *name = pool_text(t, bytes_be32(&b), &len);
        enum err e = len ? geo_names_add(&r->names, asn, name, len) : OK;
        if (e)
            return e;
    }
    return OK;
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
