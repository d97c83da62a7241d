#ifndef SENSOR_SIGNATURE_TREE_INT_H
#define SENSOR_SIGNATURE_TREE_INT_H

#include "sensor/signature_int.h"

/* An expression between its text and its clauses. */
enum {
    NODES_MAX = 256,
    NESTING_MAX = 32,
};

struct node {
    enum code_op op;
    bool truth;
    uint16_t left, right; /* of two operands; one operand: left */
    uint32_t value;
};

struct tree {
    struct fingerprints *set;
    struct rules_reader *r;
    const struct expression_kind *kind;
    bool v4_only;
    unsigned nesting;
    size_t count;
    struct node node[NODES_MAX];
};

/* Read one expression that is a truth value; the number of its top node. */
uint16_t tree_parse(struct tree *t);

#endif
