#ifndef NUM_BIPARTITE_H
#define NUM_BIPARTITE_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

/* A bipartite graph that grows edge by edge, and measures of its shape. Left nodes are known by
 * a hash and belong to one of BIPARTITE_GROUPS groups, right nodes are numbers below `rights`;
 * an edge that is added twice is one edge. No measure depends on the order in
 * which edges came, not by a bit. */

enum {
    BIPARTITE_GROUPS = 1 << 16,
    BIPARTITE_WIDE = 32 /* left nodes with more edges than this are left out of the wedges */
};

struct bipartite_right {
    uint32_t degree;
    uint32_t seen; /* the last left node that reached it, + 1 */
    uint32_t root; /* of its component; itself if it is one */
};

struct bipartite {
    uint32_t rights;     /* how many numbers there are */
    size_t room, added;  /* edges, with repeats */
    uint32_t *from, *to; /* of each edge added: left node, right number */
    uint64_t *slots;     /* hash table of left nodes: hash's high half << 32 | left + 1 */
    uint64_t mask;       /* of the slots */
    uint16_t *group;     /* of each left node; after closing numbered without gaps */
    uint32_t *tag;       /* of its hash, the high half */
    uint32_t lefts;      /* left nodes so far */

    /* After bipartite_close(): right nodes with an edge are numbered 0 .. used_count - 1, in
     * the order of their right numbers, and the edges of left node l lead to the nodes
     * ends[first[l] .. first[l + 1]). */
    uint32_t *first;
    uint32_t *ends;
    size_t edges;
    uint32_t *used; /* right number of each node */
    struct bipartite_right *right;
    uint32_t used_count;
    uint32_t groups; /* with a left node */
};

/**
 * An empty graph with room for `edges` edges (repeats count; below 2^31), in `scratch`: 50 to
 * 66 bytes an edge.
 *
 * Two left nodes are taken for one if their hashes agree in the high 32 bits and in the low
 * bits that number the table's slots.
 */
enum err bipartite_init(
    struct bipartite *g, size_t edges, uint32_t rights, struct arena *scratch) MUST_CHECK;

/* Bring the line of the table that bipartite_add() will want. */
static inline void bipartite_prefetch(const struct bipartite *g, uint64_t hash)
{
    __builtin_prefetch(&g->slots[hash & g->mask], 1);
}

/* An edge from the left node `hash`, of `group`, to right number `to`; there is room for it. */
static inline void bipartite_add(
    struct bipartite *g, uint64_t hash, uint16_t group, uint32_t to)
{
    uint64_t place = hash & g->mask;
    uint32_t left;
    for (;; place = (place + 1) & g->mask) {
        uint64_t slot = g->slots[place];
        if (!slot) {
            left = g->lefts++;
            g->group[left] = group;
            g->tag[left] = (uint32_t)(hash >> 32);
            g->slots[place] = hash >> 32 << 32 | (left + 1);
            break;
        }
        if (slot >> 32 == hash >> 32) {
            left = (uint32_t)slot - 1;
            break;
        }
    }
    g->from[g->added] = left;
    g->to[g->added++] = to;
}

/* Working space for closing and measures, used again from graph to graph. */
struct bipartite_pair {
    uint64_t key; /* smaller right node << 32 | larger, + 1; 0: empty */
    uint32_t count;
};
struct bipartite_work {
    size_t wedges; /* of one graph that are counted; of more a sample is */
    struct bipartite_pair *pairs;
    size_t slots;
    uint64_t *seen;   /* bits: right numbers; none between calls */
    uint32_t *number; /* of each right number, its node's */
    uint32_t *place;  /* of each group, its number + 1; zero between calls */
    uint32_t *count;  /* `rights` */
    uint64_t *sums;   /* BIPARTITE_GROUPS */
    uint64_t *next;   /* `rights` */
    uint32_t *fixed;  /* `rights` */
    uint32_t rights;
};

/* Room for graphs of `rights`: 20 bytes each, 768 KiB, and 64 to 128 bytes a wedge. */
enum err bipartite_work_init(struct bipartite_work *work, uint32_t rights, size_t wedges,
    struct arena *scratch) MUST_CHECK;

/* No more edges: number the right nodes, order edges by left node, drop repeats, count degrees,
 * join components. Cost: about 20 ns an edge, and one 64th of `rights`. */
void bipartite_close(struct bipartite *g, struct bipartite_work *work);

/* Of a closed graph. */
struct bipartite_shape {
    double lefts, rights, edges; /* nodes with an edge */
    double mean_degree;          /* edges a left node */
    double right_entropy;        /* of the edges over right nodes, bits */
    double left_entropy;         /* of the left nodes over their degrees, bits; degrees from 16
                                    on in classes of a factor of two */
    double largest;              /* share of the nodes in the largest component */
    double butterflies;          /* pairs of left nodes with two right nodes in common */
    double paths;      /* of three edges, among the left nodes that butterflies count */
    double clustering; /* 4 butterflies over paths of three edges: 0..1 */
};

/**
 * Measure it.
 *
 * Butterflies and clustering are those of the graph without left nodes of more than
 * BIPARTITE_WIDE edges. If its wedges outnumber work->wedges, a part of the left nodes, chosen
 * by hash, stands for all, and both figures are estimates. Clustering as in Robins,
 * Alexander, "Small worlds among interlocking directors", CMOT 10, 2004.
 */
void bipartite_measure(
    const struct bipartite *g, struct bipartite_work *work, struct bipartite_shape *ret_shape);

/**
 * Turn `vector` (of `rights` numbers, not all zero) towards the right singular vector that
 * belongs to the largest singular value of the matrix group x right number, of whose entries
 * each is the number of edges. Power iteration in fixed point (parts below 2^-24 are nothing);
 * stops when the angle's cosine changes by less than `tolerance`, or after `turns`. The vector
 * ends with length 1 and no part below zero.
 *
 * @return the number of turns taken; 0 if the graph has no edges, and the vector is as it was.
 */
unsigned bipartite_principal(const struct bipartite *g, float *vector, double tolerance,
    unsigned turns, struct bipartite_work *work);

#endif
