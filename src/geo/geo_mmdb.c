/* MMDB files (MaxMind DB format 2.0) through libmaxminddb: walked once into ranges. */
#include "base/clock.h"
#include "geo/geo_int.h"

#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH = 129,
    CACHE = 1 << 12
};

/* What a data record says. Many leaves share one record, so the latest are remembered. */
struct data {
    uint64_t offset; /* + 1; 0 = empty */
    uint32_t asn;
    char code[2];
};

struct walk {
    struct geo_read *read;
    MMDB_s *db;
    uint64_t visited;
    struct data *cache;
};

struct stop {
    uint64_t node;
    uint8_t depth; /* in the IPv6 form */
    struct ip ip;
};

static struct data read_data(MMDB_entry_s *entry)
{
    struct data d = {.offset = (uint64_t)entry->offset + 1};
    MMDB_entry_data_s v;
    static const char *const codes[][3] = {{"country", "iso_code", NULL},
        {"registered_country", "iso_code", NULL}, {"country_code", NULL, NULL}};
    for (size_t i = 0; !d.code[0] && i < sizeof codes / sizeof codes[0]; i++)
        if (MMDB_aget_value(entry, &v, codes[i]) == MMDB_SUCCESS && v.has_data &&
            v.type == MMDB_DATA_TYPE_UTF8_STRING && v.data_size == 2)
            memcpy(d.code, v.utf8_string, 2);
    if (MMDB_get_value(entry, &v, "autonomous_system_number", NULL) == MMDB_SUCCESS &&
        v.has_data && v.type == MMDB_DATA_TYPE_UINT32)
        d.asn = v.uint32;
    return d;
}

static enum err note_name(struct walk *w, MMDB_entry_s *entry, uint32_t asn)
{
    MMDB_entry_data_s v;
    if (MMDB_get_value(entry, &v, "autonomous_system_organization", NULL) != MMDB_SUCCESS ||
        !v.has_data || v.type != MMDB_DATA_TYPE_UTF8_STRING || !v.data_size)
        return OK;
    return geo_names_add(&w->read->names, asn, v.utf8_string, v.data_size);
}

static enum err take_leaf(struct walk *w, MMDB_entry_s *entry, const struct stop *at)
{
    struct data *d = &w->cache[hash_u64(entry->offset) % CACHE];
    if (d->offset != (uint64_t)entry->offset + 1) {
        *d = read_data(entry);
        enum err e = d->asn ? note_name(w, entry, d->asn) : OK;
        if (e)
            return e;
    }
    struct prefix prefix = {.ip = at->ip, .bits = at->depth};
    struct ip last = prefix_last(&prefix);
    struct range_span span;
    if (!range_span_of(&at->ip, &last, &span))
        return OK;
    enum err e = d->code[0] ? geo_read_country(w->read, &span, d->code) : OK;
    return e || !d->asn ? e : geo_read_asn(w->read, &span, d->asn);
}

/* One side of a node. */
struct side {
    struct stop at;
    uint8_t type;
    MMDB_entry_s *entry;
};

/* A leaf is taken, a node is put on the stack, nothing is left. */
static enum err take_side(
    struct walk *w, const struct side *side, struct stop *stack, size_t *depth)
{
    const struct stop *at = &side->at;
    if (side->type == MMDB_RECORD_TYPE_DATA)
        return take_leaf(w, side->entry, at);
    if (side->type == MMDB_RECORD_TYPE_EMPTY)
        return OK;
    if (side->type != MMDB_RECORD_TYPE_SEARCH_NODE || at->depth >= 128)
        return ERR_BAD;
    /* IPv4 hangs under ::/96 and, as an alias, under ::ffff:0:0/96 and others: it is walked by
     * itself. */
    const MMDB_ipv4_start_node_s *v4 = &w->db->ipv4_start_node;
    if (v4->netmask == 96 && at->node == v4->node_value)
        return OK;
    stack[(*depth)++] = *at;
    return OK;
}

static enum err walk_from(struct walk *w, struct stop start)
{
    struct stop stack[DEPTH + 1];
    size_t depth = 1;
    stack[0] = start;
    while (depth) {
        struct stop at = stack[--depth];
        MMDB_search_node_s node;
        if (++w->visited > w->db->metadata.node_count ||
            MMDB_read_node(w->db, (uint32_t)at.node, &node) != MMDB_SUCCESS || at.depth >= 128)
            return ERR_BAD;
        at.depth++;
        struct side right = {at, node.right_record_type, &node.right_record_entry};
        struct side left = {at, node.left_record_type, &node.left_record_entry};
        right.at.node = node.right_record;
        right.at.ip.byte[(at.depth - 1) / 8] |= (uint8_t)(0x80 >> (at.depth - 1) % 8);
        left.at.node = node.left_record;
        enum err e = take_side(w, &right, stack, &depth);
        if (!e)
            e = take_side(w, &left, stack, &depth);
        if (e)
            return e;
    }
    return OK;
}

static enum err walk_all(struct walk *w)
{
    const struct stop v4 = {
        .node = w->db->ipv4_start_node.node_value, .depth = 96, .ip = ip_from_v4(0)};
    static const struct stop v6;
    if (w->db->metadata.ip_version == 4)
        return walk_from(w, (struct stop){.depth = 96, .ip = ip_from_v4(0)});
    enum err e = OK;
    if (w->db->ipv4_start_node.netmask == 96 && v4.node < w->db->metadata.node_count)
        e = walk_from(w, v4);
    return e ? e : walk_from(w, v6);
}

enum err geo_read_mmdb(struct geo_read *r, const char *file, struct fault *f)
{
    MMDB_s db;
    int status = MMDB_open(file, MMDB_MODE_MMAP, &db);
    if (status != MMDB_SUCCESS)
        return fault_set(
            f, ERR_BAD, "%s: no readable MMDB file: %s", file, MMDB_strerror(status));
    snprintf(r->about.origin, sizeof r->about.origin, "%s", db.metadata.database_type);
    if (db.metadata.build_epoch < INT64_MAX / US_SECOND)
        r->about.date = (int64_t)db.metadata.build_epoch * US_SECOND;
    struct walk w = {.read = r, .db = &db, .cache = calloc(CACHE, sizeof *w.cache)};
    enum err e = w.cache ? walk_all(&w) : ERR_NOMEM;
    free(w.cache);
    MMDB_close(&db);
    if (e)
        return fault_set(
            f, e, "%s: %s", file, e == ERR_BAD ? "its search tree is broken" : err_text(e));
    return OK;
}
