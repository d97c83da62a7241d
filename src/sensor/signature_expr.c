/* Expressions of the rule language: parsed into a small tree, which signature_compile.c lays
 * out. Numbers are 32 bits and wrap; comparisons give
 * truth values, which only && || ! take, so that a forgotten bracket is an error and not a rule
 * that means something else. */
#include "decode/tcp_options.h"
#include "sensor/signature_tree_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAYLOAD_INDEX_MAX = 1499
};

static uint16_t new_node(struct tree *t, struct node n)
{
    if (t->count >= NODES_MAX) {
        rules_fail(t->r, t->r->token.place, "expression of more than %d parts", NODES_MAX);
        return 0;
    }
    t->node[t->count] = n;
    return (uint16_t)t->count++;
}

static void expect(struct tree *t, const char *mark)
{
    char found[48];
    if (!rules_is(t->r, mark))
        rules_fail(
            t->r, t->r->token.place, "'%s' expected, not %s", mark, rules_shows(t->r, found));
    rules_next(t->r);
}

static uint32_t number_between(struct tree *t, uint32_t least, uint32_t most)
{
    char found[48];
    const struct token *k = &t->r->token;
    if (k->kind != TOKEN_NUMBER || k->number < least || k->number > most)
        rules_fail(t->r, k->place, "a number from %u to %u expected, not %s", least, most,
            rules_shows(t->r, found));
    uint32_t value = k->number;
    rules_next(t->r);
    return value;
}

static const struct field_row {
    const char *word;
    bool pair;
} field_rows[FIELD_COUNT] = {
#define X(id, word, pair, text) [id] = {word, pair},
    FIELD_LIST(X)
#undef X
};

static bool word_is(const struct token *k, const char *word)
{
    return k->kind == TOKEN_WORD && k->len == strlen(word) && memcmp(k->at, word, k->len) == 0;
}

/* What may stand where a field is expected, for messages. */
static const char *fields_allowed(bool pair, char text[320])
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 1; i < FIELD_COUNT && used < 320; i++)
        if (!pair || field_rows[i].pair)
            used += (size_t)snprintf(text + used, 320 - used, " %s", field_rows[i].word);
    if (!pair && used < 320)
        snprintf(text + used, 320 - used,
            " payload[N] payload16[N] starts(TEXT) zeros(N, N) swap(X) options(TEXT)");
    return text;
}

/* A field by its word at the reader. */
static uint16_t field_node(struct tree *t, bool later)
{
    char found[48], allowed[320];
    const struct token *k = &t->r->token;
    bool pair = t->kind->pair;
    for (unsigned i = 1; i < FIELD_COUNT; i++) {
        if ((pair && !field_rows[i].pair) || !word_is(k, field_rows[i].word))
            continue;
        if (i == FIELD_ID || i == FIELD_SRC || i == FIELD_DST)
            t->v4_only = true;
        rules_next(t->r);
        return new_node(t, (struct node){.op = OP_FIELD, .value = later ? i + FIELD_COUNT : i});
    }
    rules_fail(t->r, k->place, "%s is no field%s; there are%s", rules_shows(t->r, found),
        pair ? " of a pairwise rule" : "", fields_allowed(pair, allowed));
    return 0;
}

static uint16_t payload_node(struct tree *t, enum code_op op)
{
    rules_next(t->r);
    expect(t, "[");
    uint32_t at = number_between(t, 0, PAYLOAD_INDEX_MAX);
    expect(t, "]");
    return new_node(t, (struct node){.op = op, .value = at});
}

/* A text of at most 255 bytes, kept in the pool. */
static uint32_t pool_text(struct tree *t)
{
    char found[48];
    const struct token *k = &t->r->token;
    if (k->kind != TOKEN_TEXT || k->len == 0 || k->len > 255) {
        rules_fail(t->r, k->place, "a text of 1 to 255 characters in quotes expected, not %s",
            rules_shows(t->r, found));
        return 0;
    }
    struct fingerprints *set = t->set;
    if (set->pool_room - set->pool_count < k->len) {
        rules_fail(t->r, k->place, "texts of all rules together are too long");
        return 0;
    }
    memcpy(set->pool + set->pool_count, k->at, k->len);
    uint32_t value = (uint32_t)set->pool_count << 8 | (uint32_t)k->len;
    set->pool_count += k->len;
    rules_next(t->r);
    return value;
}

static uint16_t starts_node(struct tree *t)
{
    rules_next(t->r);
    expect(t, "(");
    uint32_t text = pool_text(t);
    expect(t, ")");
    return new_node(t, (struct node){.op = OP_STARTS, .truth = true, .value = text});
}

static uint16_t zeros_node(struct tree *t)
{
    rules_next(t->r);
    expect(t, "(");
    uint32_t from = number_between(t, 0, PAYLOAD_INDEX_MAX);
    expect(t, ",");
    uint32_t to = number_between(t, from + 1, PAYLOAD_INDEX_MAX + 1);
    expect(t, ")");
    return new_node(t, (struct node){.op = OP_ZEROS, .truth = true, .value = from << 16 | to});
}

/* options("mss,sok,ts,nop,ws"): the digest of these options in this order. */
static uint16_t options_node(struct tree *t)
{
    char text[TCP_OPTIONS_TEXT] = "";
    uint32_t digest = 0;
    rules_next(t->r);
    expect(t, "(");
    const struct token *k = &t->r->token;
    if (k->kind == TOKEN_TEXT && k->len < sizeof text)
        memcpy(text, k->at, k->len);
    if (k->kind != TOKEN_TEXT || k->len >= sizeof text || tcp_options_parse(text, &digest))
        rules_fail(t->r, k->place,
            "names of TCP options as in \"mss,sok,ts,nop,ws\" expected, at most eight");
    rules_next(t->r);
    expect(t, ")");
    return new_node(t, (struct node){.op = OP_CONST, .value = digest});
}

static uint16_t parse_level(struct tree *t, unsigned level);

static uint16_t one_operand(struct tree *t, enum code_op op, bool truth, uint16_t left)
{
    if (!t->r->err && t->node[left].truth != truth)
        rules_fail(t->r, t->r->token.place, "%s before this place",
            truth ? "a comparison is needed" : "a number is needed, not a comparison");
    return new_node(t, (struct node){.op = op, .truth = truth, .left = left});
}

static uint16_t swap_node(struct tree *t)
{
    rules_next(t->r);
    expect(t, "(");
    uint16_t inner = parse_level(t, 0);
    expect(t, ")");
    return one_operand(t, OP_SWAP, false, inner);
}

static uint16_t word_node(struct tree *t)
{
    const struct token *k = &t->r->token;
    if (t->kind->pair) {
        bool later = word_is(k, "b");
        if (word_is(k, "swap"))
            return swap_node(t);
        if (!later && !word_is(k, "a"))
            rules_fail(t->r, k->place,
                "fields of a pairwise rule begin a. (the earlier packet) or b. (the later "
                "one)");
        rules_next(t->r);
        expect(t, ".");
        return field_node(t, later);
    }
    static const struct {
        const char *word;
        uint16_t (*parse)(struct tree *t);
    } functions[] = {{"starts", starts_node}, {"zeros", zeros_node}, {"swap", swap_node},
        {"options", options_node}};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (word_is(k, functions[i].word))
            return functions[i].parse(t);
    if (word_is(k, "payload"))
        return payload_node(t, OP_PAYLOAD8);
    if (word_is(k, "payload16"))
        return payload_node(t, OP_PAYLOAD16);
    return field_node(t, false);
}

static uint16_t parse_operand(struct tree *t)
{
    char found[48];
    struct rules_reader *r = t->r;
    if (rules_is(r, "!") || rules_is(r, "~")) {
        bool truth = rules_is(r, "!");
        if (++t->nesting > NESTING_MAX)
            rules_fail(r, r->token.place, "nested more than %d deep", NESTING_MAX);
        rules_next(r);
        uint16_t inner = r->err ? 0 : parse_operand(t);
        t->nesting--;
        return one_operand(t, truth ? OP_NOT : OP_INVERT, truth, inner);
    }
    if (rules_is(r, "(")) {
        rules_next(r);
        uint16_t inner = parse_level(t, 0);
        expect(t, ")");
        return inner;
    }
    if (r->token.kind == TOKEN_NUMBER) {
        uint32_t value = r->token.number;
        rules_next(r);
        return new_node(t, (struct node){.op = OP_CONST, .value = value});
    }
    if (r->token.kind == TOKEN_WORD)
        return word_node(t);
    rules_fail(
        r, r->token.place, "a field, number or '(' expected, not %s", rules_shows(r, found));
    return 0;
}

/* Operators from the loosest to the tightest; unlike in C, & ^ | bind tighter than comparisons.
 */
static const struct operator_row {
    const char *mark;
    unsigned level;
    enum code_op op;
    bool takes_truth, gives_truth;
} operator_rows[] = {
    {"||", 0, OP_EITHER, true, true},
    {"&&", 1, OP_BOTH, true, true},
    {"==", 2, OP_EQ, false, true},
    {"!=", 2, OP_NE, false, true},
    {"<=", 2, OP_LE, false, true},
    {">=", 2, OP_GE, false, true},
    {"<", 2, OP_LT, false, true},
    {">", 2, OP_GT, false, true},
    {"|", 3, OP_OR, false, false},
    {"^", 4, OP_XOR, false, false},
    {"&", 5, OP_AND, false, false},
    {"<<", 6, OP_SHL, false, false},
    {">>", 6, OP_SHR, false, false},
    {"+", 7, OP_ADD, false, false},
    {"-", 7, OP_SUB, false, false},
    {"*", 8, OP_MUL, false, false},
};

enum {
    LEVEL_COMPARE = 2,
    LEVEL_OPERAND = 9
};

static const struct operator_row *operator_at(const struct rules_reader *r, unsigned level)
{
    for (size_t i = 0; i < sizeof operator_rows / sizeof operator_rows[0]; i++)
        if (operator_rows[i].level == level && rules_is(r, operator_rows[i].mark))
            return &operator_rows[i];
    return NULL;
}

static uint16_t two_operands(struct tree *t, const struct operator_row *op, struct place at,
    uint16_t left, uint16_t right)
{
    if (!t->r->err &&
        (t->node[left].truth != op->takes_truth || t->node[right].truth != op->takes_truth))
        rules_fail(t->r, at, "'%s' needs %s on both sides", op->mark,
            op->takes_truth ? "comparisons" : "numbers");
    return new_node(
        t, (struct node){.op = op->op, .truth = op->gives_truth, .left = left, .right = right});
}

/* Recursion is bounded: by the levels of operators, times NESTING_MAX brackets. */
static uint16_t parse_level(struct tree *t, unsigned level)
{
    if (t->r->err)
        return 0;
    if (level == LEVEL_OPERAND)
        return parse_operand(t);
    if (level == 0 && ++t->nesting > NESTING_MAX) {
        rules_fail(t->r, t->r->token.place, "nested more than %d deep", NESTING_MAX);
        return 0;
    }
    uint16_t left = parse_level(t, level + 1);
    const struct operator_row *op;
    while ((op = operator_at(t->r, level))) {
        struct place at = t->r->token.place;
        rules_next(t->r);
        uint16_t right = parse_level(t, level + 1);
        left = two_operands(t, op, at, left, right);
        if (level == LEVEL_COMPARE)
            break;
    }
    if (level == 0)
        t->nesting--;
    return left;
}

uint16_t tree_parse(struct tree *t)
{
    struct place start = t->r->token.place;
    uint16_t top = parse_level(t, 0);
    if (!t->r->err && !t->node[top].truth)
        rules_fail(t->r, start, "the expression is a number; compare it with something");
    return top;
}
