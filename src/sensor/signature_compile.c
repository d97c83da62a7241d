/* From the tree of an expression to clauses: the tree is brought to disjunctive form as far as
 * that stays small, and each comparison takes the cheapest form that can hold it. */
#include "sensor/signature_tree_int.h"

#include <stdlib.h>
#include <string.h>

enum {
    LITERALS_MAX = 32
};

/* A comparison, or a part of the tree that is left whole, perhaps negated. */
struct literal {
    uint16_t node;
    bool negated;
};

/* Clauses while they are made. */
struct form {
    struct shape {
        struct literal literal[LITERALS_MAX];
        unsigned count;
    } shape[CLAUSES_MAX];
    unsigned count;
};

/* Each shape of `a` joined with each of `b`; false if that is too many. */
static bool form_both(struct form *a, const struct form *b)
{
    struct form *product;
    if (a->count * b->count > CLAUSES_MAX || !(product = calloc(1, sizeof *product)))
        return false;
    bool fits = true;
    for (unsigned i = 0; i < a->count; i++) {
        for (unsigned k = 0; fits && k < b->count; k++) {
            struct shape *s = &product->shape[product->count++];
            *s = a->shape[i];
            fits = s->count + b->shape[k].count <= LITERALS_MAX;
            for (unsigned n = 0; fits && n < b->shape[k].count; n++)
                s->literal[s->count++] = b->shape[k].literal[n];
        }
    }
    if (fits)
        *a = *product;
    free(product);
    return fits;
}

static bool form_either(struct form *a, const struct form *b)
{
    if (a->count + b->count > CLAUSES_MAX)
        return false;
    memcpy(&a->shape[a->count], b->shape, b->count * sizeof b->shape[0]);
    a->count += b->count;
    return true;
}

static void form_literal(struct form *f, uint16_t node, bool negated)
{
    f->count = 1;
    f->shape[0].count = 1;
    f->shape[0].literal[0] = (struct literal){.node = node, .negated = negated};
}

/* Bring a node to disjunctive form. What would grow too large stays one literal. The depth of
 * the recursion is that of the tree, at most NODES_MAX. */
static void make_form(const struct tree *t, uint16_t at, bool negated, struct form *f)
{
    const struct node *n = &t->node[at];
    if (n->op == OP_NOT) {
        make_form(t, n->left, !negated, f);
        return;
    }
    struct form *right;
    if ((n->op != OP_BOTH && n->op != OP_EITHER) || !(right = calloc(1, sizeof *right))) {
        form_literal(f, at, negated);
        return;
    }
    make_form(t, n->left, negated, f);
    make_form(t, n->right, negated, right);
    bool both = (n->op == OP_BOTH) != negated;
    if (!(both ? form_both(f, right) : form_either(f, right)))
        form_literal(f, at, negated);
    free(right);
}

static const enum code_op opposite[OP_COUNT] = {[OP_EQ] = OP_NE,
    [OP_NE] = OP_EQ,
    [OP_LT] = OP_GE,
    [OP_GE] = OP_LT,
    [OP_GT] = OP_LE,
    [OP_LE] = OP_GT};

/* Values between low and low + range, in a circle. False if there are none: then `range` cannot
 * say it. */
static bool set_range(struct test *test, enum code_op op, uint32_t value)
{
    switch (op) {
    case OP_EQ:
        test->low = value;
        test->range = 0;
        return true;
    case OP_NE:
        test->low = value + 1;
        test->range = UINT32_MAX - 1;
        return true;
    case OP_LT:
        test->range = value - 1;
        return value > 0;
    case OP_LE:
        test->range = value;
        return true;
    case OP_GT:
        test->low = value + 1;
        test->range = UINT32_MAX - value - 1;
        return value < UINT32_MAX;
    case OP_GE:
        test->low = value;
        test->range = UINT32_MAX - value;
        return true;
    default:
        return false;
    }
}

/* field, or field & constant, compared with a constant */
static bool make_test(const struct tree *t, const struct literal *l, struct test *ret_test)
{
    const struct node *n = &t->node[l->node];
    enum code_op op = l->negated ? opposite[n->op] : n->op;
    if (!opposite[n->op] || t->node[n->right].op != OP_CONST)
        return false;
    const struct node *field = &t->node[n->left];
    struct test test = {.mask = UINT32_MAX};
    if (field->op == OP_AND && t->node[field->right].op == OP_CONST) {
        test.mask = t->node[field->right].value;
        field = &t->node[field->left];
    }
    if (field->op != OP_FIELD || !set_range(&test, op, t->node[n->right].value))
        return false;
    test.field = field->value;
    *ret_test = test;
    return true;
}

/* Is the field known to have 16 bits or fewer? */
static bool fits_16(uint32_t field)
{
    uint32_t f = field < FIELD_COUNT ? field : field - FIELD_COUNT;
    return f != FIELD_SRC && f != FIELD_DST && f != FIELD_SEQ && f != FIELD_ACK &&
           f != FIELD_OPTS;
}

/* x << 16 | y with 16 bits each is also x << 16 ^ y. */
static bool halves_apart(const struct tree *t, const struct node *n)
{
    const struct node *high = &t->node[n->left], *low = &t->node[n->right];
    return high->op == OP_SHL && t->node[high->right].op == OP_CONST &&
           t->node[high->right].value == 16 && low->op == OP_FIELD && fits_16(low->value);
}

/* x >> 16: no more than 16 bits are left. */
static bool upper_half(const struct tree *t, const struct node *n)
{
    const struct node *by = n->op == OP_SHR ? &t->node[n->right] : n;
    return n->op == OP_SHR && by->op == OP_CONST && by->value >= 16 && by->value <= 31;
}

/* Add the items of a side: fields under exclusive or, shifted one way, or their bytes swapped.
 */
static bool collect_items(
    const struct tree *t, uint16_t at, struct relation_item how, struct relation *r)
{
    const struct node *n = &t->node[at];
    switch (n->op) {
    case OP_CONST: {
        uint32_t value = how.swap ? __builtin_bswap32(n->value) : n->value;
        r->value ^= value << how.shift >> how.right;
        return true;
    }
    case OP_FIELD:
        if (r->count == RELATION_ITEMS)
            return false;
        how.field = (uint8_t)n->value;
        r->item[r->count++] = how;
        return true;
    case OP_OR:
        if (!halves_apart(t, n))
            return false;
        return collect_items(t, n->left, how, r) && collect_items(t, n->right, how, r);
    case OP_XOR:
        return collect_items(t, n->left, how, r) && collect_items(t, n->right, how, r);
    case OP_SHL:
    case OP_SHR:
        if (how.swap || how.shift || how.right || t->node[n->right].op != OP_CONST ||
            t->node[n->right].value > 31)
            return false;
        *(n->op == OP_SHL ? &how.shift : &how.right) = (uint8_t)t->node[n->right].value;
        return collect_items(t, n->left, how, r);
    case OP_SWAP:
        how.swap = !how.swap;
        return !how.shift && !how.right && collect_items(t, n->left, how, r);
    default:
        return false;
    }
}

static bool same_item(const struct relation_item *a, const struct relation_item *b)
{
    return a->field == b->field && a->shift == b->shift && a->right == b->right &&
           a->swap == b->swap;
}

/* Put the difference in the place of a field of both packets to which the same is done; false
 * if there is none left. */
static bool join_two(struct relation *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        struct relation_item later = r->item[i];
        if (later.field >= FIELD_LATER)
            continue;
        later.field = (uint8_t)(later.field + FIELD_LATER);
        for (unsigned k = 0; k < r->count; k++) {
            if (!same_item(&r->item[k], &later))
                continue;
            r->item[i].field = (uint8_t)(r->item[i].field + FIELD_BOTH);
            r->item[k] = r->item[--r->count];
            return true;
        }
    }
    return false;
}

/* One side of an equation. */
struct side {
    uint16_t at;
    bool masked; /* to its lower 16 bits, by "& 0xffff" around the node `at` */
};

static struct side side_of(const struct tree *t, uint16_t at)
{
    const struct node *n = &t->node[at];
    bool masked = n->op == OP_AND && t->node[n->right].op == OP_CONST &&
                  t->node[n->right].value == 0xffff;
    return (struct side){masked ? n->left : at, masked};
}

/* Has it no more than 16 bits? Then it may be compared with a side that is masked. */
static bool is_narrow(const struct tree *t, const struct side *side)
{
    const struct node *n = &t->node[side->at];
    return side->masked || (n->op == OP_FIELD && fits_16(n->value)) ||
           (n->op == OP_CONST && n->value <= 0xffff) || upper_half(t, n);
}

/* A relation of a few fields just as they are is tried without looking at its items. */
static void make_plain(struct relation *r)
{
    r->plain = r->count <= RELATION_PLAIN;
    memset(r->field, FIELD_ZERO, sizeof r->field);
    for (unsigned i = 0; i < r->count && r->plain; i++) {
        r->plain = !r->item[i].swap && !r->item[i].shift && !r->item[i].right;
        r->field[i] = r->item[i].field;
    }
}

/* x == y as x ^ y == 0; also x == y & 0xffff if x has 16 bits. */
static bool make_relation(const struct tree *t, const struct literal *l, struct relation *ret)
{
    const struct node *n = &t->node[l->node];
    if (n->op != (l->negated ? OP_NE : OP_EQ))
        return false;
    struct relation r = {.mask = UINT32_MAX};
    const struct side side[2] = {side_of(t, n->left), side_of(t, n->right)};
    for (int i = 0; i < 2; i++) {
        if (side[!i].masked && !is_narrow(t, &side[i]))
            return false;
        if (side[i].masked)
            r.mask = 0xffff;
        if (!collect_items(t, side[i].at, (struct relation_item){0}, &r))
            return false;
    }
    while (join_two(&r))
        continue;
    r.value &= r.mask;
    make_plain(&r);
    *ret = r;
    return r.count > 0;
}

/* Post-order; the depth of the recursion is that of the tree, the depth of the evaluation stack
 * is checked. */
static unsigned emit_code(struct tree *t, uint16_t at, unsigned depth)
{
    const struct node *n = &t->node[at];
    unsigned most = depth + 1;
    if (n->op > OP_ZEROS) {
        most = emit_code(t, n->left, depth);
        if (n->op > OP_SWAP) {
            unsigned right = emit_code(t, n->right, depth + 1);
            most = right > most ? right : most;
        }
    }
    if (most > CODE_DEPTH)
        rules_fail(
            t->r, t->r->token.place, "expression too deep: write it with fewer brackets");
    struct code *c = set_append(t->set, t->r, PART_CODE);
    if (c)
        *c = (struct code){.op = n->op, .value = n->value};
    return most;
}

static void emit_program(struct tree *t, const struct literal *l)
{
    uint32_t start = t->set->part[PART_CODE].count;
    emit_code(t, l->node, 0);
    struct code *not = l->negated ? set_append(t->set, t->r, PART_CODE) : NULL;
    if (not )
        *not = (struct code){.op = OP_NOT};
    struct program *p = set_append(t->set, t->r, PART_PROGRAM);
    if (p)
        *p = (struct program){.start = start, .length = t->set->part[PART_CODE].count - start};
}

static uint16_t here(const struct tree *t, enum part_kind kind)
{
    return (uint16_t)t->set->part[kind].count;
}

/* How seldom a test holds, roughly: a test for one value of a field is the better the more
 * values the field takes. */
static unsigned selectivity(const struct test *test)
{
    static const enum field varied_first[] = {FIELD_ID, FIELD_SEQ, FIELD_ACK, FIELD_SRC,
        FIELD_DST, FIELD_SPORT, FIELD_DPORT, FIELD_ICMP_ID, FIELD_ICMP_SEQ, FIELD_WIN,
        FIELD_MSS, FIELD_OPTS, FIELD_PLEN, FIELD_LEN, FIELD_FLAGS, FIELD_TTL, FIELD_OFF,
        FIELD_ICMP_TYPE, FIELD_TTL0};
    unsigned count = sizeof varied_first / sizeof varied_first[0];
    if (test->range)
        return 0;
    /* A zero is what absent fields hold. */
    bool zero =
        test->low == 0 &&
        (test->field % FIELD_COUNT == FIELD_ACK || test->field % FIELD_COUNT == FIELD_MSS ||
            test->field % FIELD_COUNT == FIELD_OPTS || test->field % FIELD_COUNT == FIELD_PLEN);
    if (test->mask != UINT32_MAX || zero)
        return 1;
    for (unsigned i = 0; i < count; i++)
        if (varied_first[i] == test->field % FIELD_COUNT)
            return count - i + 2;
    return 2;
}

/* Put the last test of a clause where it belongs: the most selective come first. */
static void sort_in(struct test *test, unsigned first, unsigned end)
{
    for (unsigned i = end - 1; i > first && selectivity(&test[i]) > selectivity(&test[i - 1]);
         i--) {
        struct test swap = test[i];
        test[i] = test[i - 1];
        test[i - 1] = swap;
    }
}

static void emit_clause(struct tree *t, const struct shape *shape)
{
    struct clause clause = {.test = here(t, PART_TEST),
        .relation = here(t, PART_RELATION),
        .program = here(t, PART_PROGRAM)};
    for (unsigned i = 0; i < shape->count && !t->r->err; i++) {
        struct test test;
        struct relation relation;
        if (make_test(t, &shape->literal[i], &test)) {
            struct test *at = set_append(t->set, t->r, PART_TEST);
            if (at) {
                *at = test;
                sort_in(t->set->part[PART_TEST].at, clause.test, here(t, PART_TEST));
            }
        } else if (make_relation(t, &shape->literal[i], &relation)) {
            struct relation *at = set_append(t->set, t->r, PART_RELATION);
            if (at)
                *at = relation;
        } else {
            emit_program(t, &shape->literal[i]);
        }
    }
    clause.test_end = here(t, PART_TEST);
    clause.relation_end = here(t, PART_RELATION);
    clause.program_end = here(t, PART_PROGRAM);
    struct clause *at = set_append(t->set, t->r, PART_CLAUSE);
    if (at)
        *at = clause;
}

void expression_compile(struct fingerprints *set, struct rules_reader *r,
    const struct expression_kind *kind, struct clauses *ret_clauses, bool *ret_v4_only)
{
    struct tree *t = malloc(sizeof *t);
    struct form *f = calloc(1, sizeof *f);
    if (!t || !f) {
        rules_fail(r, r->token.place, "no memory for this expression");
        free(t);
        free(f);
        return;
    }
    *t = (struct tree){.set = set, .r = r, .kind = kind};
    uint16_t top = tree_parse(t);
    ret_clauses->first = here(t, PART_CLAUSE);
    if (!r->err)
        make_form(t, top, false, f);
    for (unsigned i = 0; i < f->count && !r->err; i++)
        emit_clause(t, &f->shape[i]);
    ret_clauses->end = here(t, PART_CLAUSE);
    *ret_v4_only |= t->v4_only;
    free(t);
    free(f);
}
